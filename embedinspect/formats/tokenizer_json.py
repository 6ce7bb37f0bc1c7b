"""The tokens of a `tokenizer.json`, with the ids that the tokenizers library gives them."""

from __future__ import annotations

from collections.abc import Iterator
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
    _next: int = 0

    def add(self, token: str, *, special: bool) -> None:
        """Add a token as the library does: with the id that it has, else with the next one.

        What a file says of its id does not count: the library numbers added tokens itself.
        """
        if not token or token in self.added:
            return
        id_ = self.ids.get(token)
        if id_ is None:
            id_ = max(self.size, self._next)
        self.place(token, id_, special=special)

    def place(self, token: str, id_: int, *, special: bool) -> None:
        """Give an added token an id."""
        self.ids.pop(token, None)  # of several tokens with one id, the added one stands last
        self.ids[token] = self.added[token] = id_
        self._next = max(self._next, id_ + 1)
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
    others = []
    for entry in value_of(contents, "added_tokens", list):
        token, id_, special = _added(entry, label)
        tokens.add(token, special=special)
        if tokens.added.get(token, id_) != id_:
            others.append(f"{clipped_repr(token)} {id_:,} instead of {tokens.added[token]:,}")
    if others:
        tokens.warnings.append(
            f"{path.name} gives {plural(len(others), 'added token')} another id than the "
            f"tokenizers library, whose numbers count here: {others[0]}"
        )
    refuse_half_characters(tokens.ids, label)
    tokens.space = _space(contents)
    prefix = model.get("continuing_subword_prefix")
    tokens.continues = prefix if isinstance(prefix, str) and prefix else None
    return tokens


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
