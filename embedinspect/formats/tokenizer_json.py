"""The tokens of a `tokenizer.json`, with the ids that the tokenizers library gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from embedinspect.errors import DataError
from embedinspect.formats.json_object import read_object, value_of
from embedinspect.wording import clipped_repr, plural

NAME = "tokenizer.json"
_MOST_IDS = 2**32  # the library's ids have 32 bits
_MOST_RULES = 1_000  # of a normaliser or a pre-tokenizer, which have a handful
_EXPECTED = "a tokenizer.json of the tokenizers library"


@dataclass
class TokenIds:
    """The tokens of a tokenizer.

    Attributes:
        ids: the id of each token, added ones included.
        size: how many tokens the tokenizer has without the added ones.
        added: the ids of the added tokens.
        special: the ids of those tokens that have a task of their own.
        space: how a token shows that it begins a word; None where it does not.
        continues: how a token shows that it goes on with a word; None where it does not.
        warnings: what is odd about them, each a sentence.
    """

    ids: dict[str, int]
    size: int
    added: dict[str, int] = field(default_factory=dict)
    special: dict[str, int] = field(default_factory=dict)
    space: str | None = None
    continues: str | None = None
    warnings: list[str] = field(default_factory=list)

    def add(self, tokens: Sequence[tuple[str, bool]]) -> None:
        """Add tokens as the library does: with the id that each has, else with the next one.

        Args:
            tokens: each with whether it is special.
        """
        ids = self.numbered([token for token, _ in tokens])
        for token, special in tokens:
            if token in ids:
                self.place(token, ids[token], special=special)

    def numbered(self, tokens: Sequence[str], *, after_known: bool = False) -> dict[str, int]:
        """Return the ids that the library gives tokens which are not added yet.

        Args:
            after_known: whether a token that has an id beyond all others moves the next one, as in
                tokenizers 0.20; not so in 0.23. They differ only where the ids have gaps.
        """
        numbers: dict[str, int] = {}
        next_id = max(self.size, max(self.added.values(), default=-1) + 1)
        for token in tokens:
            if not token or token in self.added or token in numbers:
                continue
            known = self.ids.get(token)
            numbers[token] = next_id if known is None else known
            if known is None or after_known:
                next_id = max(next_id, numbers[token] + 1)
        return numbers

    def place(self, token: str, id_: int, *, special: bool) -> None:
        """Give an added token an id."""
        self.ids.pop(token, None)  # of several tokens with one id, the added one stands last
        self.ids[token] = self.added[token] = id_
        if special:
            self.special[token] = id_


def read_tokenizer_json(path: Path) -> TokenIds:
    """Return the tokens of a file; its rules are only looked at.

    Raises:
        DataError: it cannot be read, is no such file, or has ids that no token can have.
    """
    contents = read_object(path, _EXPECTED)
    label = repr(str(path))
    model = value_of(contents, "model", dict)
    vocabulary = model.get("vocab")
    tokens = TokenIds(ids_of(vocabulary, label), len(vocabulary or ()))
    added = [_added(entry, label) for entry in value_of(contents, "added_tokens", list)]
    _add(tokens, added, path.name)
    refuse_half_characters(tokens.ids, label)
    tokens.space = _space(contents)
    prefix = model.get("continuing_subword_prefix")
    tokens.continues = prefix if isinstance(prefix, str) and prefix else None
    return tokens


def _add(tokens: TokenIds, added: Sequence[tuple[str, int, bool]], name: str) -> None:
    """Add the added tokens of a file.

    What the file says of their ids does not count for the library, which numbers them itself. Only
    where its versions do so in different ways, the one counts that gives the ids of the file.
    """
    of_file: dict[str, int] = {}
    for token, id_, _ in added:
        if token:
            of_file.setdefault(token, id_)
    newer, older = (tokens.numbered(list(of_file), after_known=known) for known in (False, True))
    ids = older if older == of_file else newer
    special: set[str] = {token for token, _, is_special in added if is_special}
    for token, id_ in ids.items():
        tokens.place(token, id_, special=token in special)
    if newer != older:
        token = next(token for token in newer if newer[token] != older[token])
        tokens.warnings.append(
            f"{name} has ids with gaps, so that versions of the tokenizers library differ on added "
            f"tokens: {clipped_repr(token)} is {older[token]:,} or {newer[token]:,}; "
            f"{ids[token]:,} counts here"
        )
        return
    others = [token for token, id_ in ids.items() if of_file[token] != id_]
    if others:
        token = others[0]
        tokens.warnings.append(
            f"{name} gives {plural(len(others), 'added token')} another id than the tokenizers "
            f"library, whose numbers count here: {clipped_repr(token)} {of_file[token]:,} instead "
            f"of {ids[token]:,}"
        )


def ids_of(vocabulary: Any, label: str) -> dict[str, int]:
    """Return the id of each token of an object of ids, or of a list of pairs (token, score).

    Args:
        label: how messages name the file.

    Raises:
        DataError: it is neither, or an id is none that a token can have.
    """
    if isinstance(vocabulary, list):
        pairs = (pair[0] if isinstance(pair, list) and pair else None for pair in vocabulary)
        tokens = list(pairs)
        if not all(isinstance(token, str) for token in tokens):
            raise DataError(f"{label} has a token that is no text; expected pairs (token, score)")
        return {str(token): id_ for id_, token in enumerate(tokens)}
    if not isinstance(vocabulary, dict):
        raise DataError(f"{label} has no vocabulary; expected an object of tokens and their ids")
    for token, id_ in vocabulary.items():
        if type(id_) is not int or not 0 <= id_ < _MOST_IDS:
            raise DataError(
                f"{label} gives {clipped_repr(token)} the id {clipped_repr(str(id_))}; expected a "
                f"whole number from 0 to {_MOST_IDS - 1:,}"
            )
    return dict(vocabulary)


def refuse_half_characters(tokens: dict[str, int], label: str) -> None:
    """Refuse tokens that no text can hold.

    Raises:
        DataError: a token has half of a pair of surrogates, which JSON can write.
    """
    try:
        "".join(tokens).encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{label} has a token with half a character ({error.object[error.start]!a}); "
            "expected tokens that are texts"
        ) from None


def _added(entry: Any, label: str) -> tuple[str, int, bool]:
    """Return an added token, the id that the file gives it, and whether it is special."""
    if isinstance(entry, dict):
        token, id_ = entry.get("content"), entry.get("id")
        if isinstance(token, str) and type(id_) is int and 0 <= id_ < _MOST_IDS:
            return token, id_, entry.get("special") is True
    raise DataError(
        f"{label} has the added token {clipped_repr(str(entry))}; expected an object with its "
        f"content, and an id from 0 to {_MOST_IDS - 1:,}"
    )


def _space(contents: dict[str, Any]) -> str | None:
    """Return how tokens show that they begin a word, which the rules before the model tell."""
    for rule in islice(_rules(contents), _MOST_RULES):
        kind = rule.get("type")
        if kind == "ByteLevel":
            return "Ġ"
        if kind == "Metaspace":
            replacement = rule.get("replacement", "▁")
            return replacement if isinstance(replacement, str) else None
        if kind == "Replace" and rule.get("content") == "▁":
            return "▁"
    return None


def _rules(contents: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rules of a tokenizer that stand before its model, those in sequences, too."""
    waiting = [contents.get("pre_tokenizer"), contents.get("normalizer")]
    while waiting:
        rule = waiting.pop(0)
        if isinstance(rule, dict):
            yield rule
            for key in ("pretokenizers", "normalizers"):
                waiting.extend(value_of(rule, key, list)[:_MOST_RULES])
