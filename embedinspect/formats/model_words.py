"""The tokens of a model folder: from the files of its tokenizer, whichever of them are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedinspect.errors import DataError
from embedinspect.formats import tokenizer_json
from embedinspect.formats.json_object import (
    LARGEST_JSON,
    MOST_PARTS,
    object_if_there,
    read_object,
    value_of,
)
from embedinspect.formats.model_files import refuse_irregular
from embedinspect.formats.sentencepiece_file import read_pieces
from embedinspect.formats.tokenizer_json import TokenIds, ids_of, read_tokenizer_json
from embedinspect.texts import read_bytes
from embedinspect.wording import clipped_repr, plural

_VOCAB_TXT, _VOCAB_JSON = "vocab.txt", "vocab.json"
_PIECES = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "spm.model")
_UNREAD = (".tiktoken", "tekken.json")  # of which no row gets a word
_CONFIG, _MAP, _ADDED = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
TO_CONVERT = (
    "to write a tokenizer.json: transformers.AutoTokenizer.from_pretrained(PATH)"
    ".save_pretrained(PATH)"
)
# In the order in which transformers adds those that are missing.
_ROLES = (
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
)  # fmt: skip
_LISTS = ("extra_special_tokens", "additional_special_tokens")  # the first of them that is there
# Kinds of models whose token ids are those of the SentencePiece pieces.
_PLAIN = {
    "albert", "gemma", "gemma2", "gemma3", "gemma3_text", "llama", "mistral", "mixtral", "phi3",
    "xlnet",
}  # fmt: skip
_WITH_EXTRA_IDS = {"t5", "mt5", "umt5", "longt5"}
_FAIRSEQ = {"xlm-roberta", "xlm-roberta-xl"}
_FAIRSEQ_FIRST = ("<s>", "<pad>", "</s>", "<unk>")
_MOST_EXTRA_IDS = 2**16


@dataclass(frozen=True)
class FolderTokens:
    """The tokens of a folder, and the file that they come from.

    Attributes:
        tokens: with their ids; None where the files do not tell.
        words_from: the name of that file; None where there is none.
        warnings: what is odd, each a sentence.
    """

    tokens: TokenIds | None = None
    words_from: str | None = None
    warnings: tuple[str, ...] = ()


def read_tokens(folder: Path, kind: str | None) -> FolderTokens:
    """Return the tokens of a model.

    Args:
        folder: of its tokenizer.
        kind: the `model_type` of its configuration.

    Raises:
        DataError: a file of the tokenizer cannot be read, or is damaged.
    """
    settings = object_if_there(folder, _CONFIG, "the settings of a tokenizer")
    roles = object_if_there(folder, _MAP, "the special tokens of a tokenizer")
    if (folder / tokenizer_json.NAME).exists():
        name = tokenizer_json.NAME
        tokens = read_tokenizer_json(folder / name)
        warnings = [*tokens.warnings, *_disagreements(folder, tokens)]
    else:
        base = _base(folder, kind, settings)
        if base.tokens is None or base.words_from is None:
            return base
        tokens, name, warnings = base.tokens, base.words_from, list(base.warnings)
        warnings += _place_added(folder, tokens, settings)
    warnings += _add_missing(folder, tokens, settings, roles, name)
    tokenizer_json.refuse_half_characters(tokens.ids, repr(str(folder)))
    return FolderTokens(tokens, name, tuple(warnings))


def _base(folder: Path, kind: str | None, settings: dict[str, Any]) -> FolderTokens:
    """Return the tokens of a folder without tokenizer.json; added ones are still missing."""
    if (folder / _VOCAB_TXT).exists():
        tokens, warnings = _of_vocab_txt(folder / _VOCAB_TXT)
        return FolderTokens(tokens, _VOCAB_TXT, warnings)
    if (folder / _VOCAB_JSON).exists():
        path = folder / _VOCAB_JSON
        ids = ids_of(read_object(path, "an object of tokens and ids"), repr(str(path)))
        return FolderTokens(_marked(ids), _VOCAB_JSON)
    name = next((name for name in _PIECES if (folder / name).exists()), None)
    if name is not None and not _is_tiktoken(folder / name):
        pieces = _of_pieces(folder / name, kind, settings)
        if pieces is not None:
            return FolderTokens(_marked({token: id_ for id_, token in enumerate(pieces)}), name)
        why = (
            f"{name} gives the pieces of {f'a {kind}' if kind else 'a model of no known kind'}, "
            "whose tokenizer may add tokens of its own and move the ids"
        )
        return FolderTokens(None, None, (f"{why}, so the rows have no words; {TO_CONVERT}",))
    name = name or next((name for name in _names(folder) if name.endswith(_UNREAD)), None)
    if name is None:
        return FolderTokens()
    return FolderTokens(None, None, (f"{name} is not read, so no row has a word; {TO_CONVERT}",))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _is_tiktoken(path: Path) -> bool:
    """Return whether a file is one of tiktoken: lines of a token in base64 and its rank."""
    refuse_irregular(path, "the pieces of a tokenizer")
    with path.open("rb") as file:
        return re.match(rb"[A-Za-z0-9+/]+=* \d+\r?\n", file.read(1_000)) is not None


def _of_vocab_txt(path: Path) -> tuple[TokenIds, tuple[str, ...]]:
    """Return the tokens of a list, one a line, as BERT's tokenizer numbers them.

    A token that repeats has the id of its last line.
    """
    label = repr(str(path))
    data = read_bytes(str(path), "a list of tokens, one a line", LARGEST_JSON)
    if data.count(b"\n") + data.count(b"\r") > 2 * MOST_PARTS:
        raise DataError(f"{label} has too many lines; expected at most {MOST_PARTS:,}")
    try:
        lines = data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{label} is not UTF-8 at byte {error.start:,}; expected tokens") from None
    if lines and not lines[-1]:
        lines.pop()
    ids: dict[str, int] = {}
    repeated, example = 0, ""
    for id_, token in enumerate(lines):
        if token in ids:
            example = example or f"{clipped_repr(token)} (lines {ids[token] + 1:,} and {id_ + 1:,})"
            repeated += 1
        ids[token] = id_
    continues = "##" if any(token.startswith("##") for token in ids) else None
    tokens = TokenIds(ids, len(lines), continues=continues)
    if not repeated:
        return tokens, ()
    warning = (
        f"{path.name} has {plural(repeated, 'line')} with a token of an earlier line, such as "
        f"{example}; the last line counts, as in BERT's tokenizer"
    )
    return tokens, (warning,)


def _marked(ids: dict[str, int]) -> TokenIds:
    """Return tokens with the sign by which they begin a word."""
    spaces = ("Ġ", "▁")
    space = next((sign for sign in spaces if any(token.startswith(sign) for token in ids)), None)
    return TokenIds(ids, len(ids), space=space)


def _of_pieces(path: Path, kind: str | None, settings: dict[str, Any]) -> list[str] | None:
    """Return the tokens of a SentencePiece model by id; None where the family is not known.

    Source: the slow tokenizers of transformers for these kinds of models.
    """
    if kind in _PLAIN:
        return read_pieces(path)
    if kind in _WITH_EXTRA_IDS:
        count = settings.get("extra_ids", 100)
        if type(count) is not int or not 0 <= count <= _MOST_EXTRA_IDS:
            return None
        return read_pieces(path) + [f"<extra_id_{number}>" for number in reversed(range(count))]
    if kind in _FAIRSEQ:
        return [*_FAIRSEQ_FIRST, *read_pieces(path)[3:], "<mask>"]
    return None


def _place_added(folder: Path, tokens: TokenIds, settings: dict[str, Any]) -> Iterator[str]:
    """Give added tokens the ids that the files beside the vocabulary have; yield warnings."""
    moved = []
    for token, id_, special in (*_added_tokens(folder), *_decoder(settings)):
        if tokens.ids.get(token, id_) != id_:
            moved.append(f"{clipped_repr(token)} ({tokens.ids[token]:,} and {id_:,})")
        tokens.place(token, id_, special=special)
    if moved:
        yield (
            f"the files of the tokenizer give {plural(len(moved), 'added token')} two ids, such as "
            f"{moved[0]}; that of {_CONFIG} or {_ADDED} counts"
        )


def _added_tokens(folder: Path) -> list[tuple[str, int, bool]]:
    """Return the tokens of the file of added tokens: text, id, and that they are not special."""
    ids = ids_of(
        object_if_there(folder, _ADDED, "added tokens and ids"), repr(str(folder / _ADDED))
    )
    return [(token, id_, False) for token, id_ in sorted(ids.items(), key=lambda item: item[1])]


def _decoder(settings: dict[str, Any]) -> list[tuple[str, int, bool]]:
    """Return the added tokens in the settings of a tokenizer: text, id, and whether special."""
    tokens = []
    for number, token in value_of(settings, "added_tokens_decoder", dict).items():
        content = _text_of(token)
        if content and number.isascii() and number.isdecimal() and len(number) < 10:
            special = isinstance(token, dict) and token.get("special") is True
            tokens.append((content, int(number), special))
    return sorted(tokens, key=lambda token: token[1])


def _text_of(token: Any) -> str | None:
    """Return the text of a token that is written as a text, or as an object with its content."""
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) and text else None


def _add_missing(
    folder: Path, tokens: TokenIds, settings: dict[str, Any], roles: dict[str, Any], name: str
) -> Iterator[str]:
    """Add the tokens that only the settings name, as transformers does; yield warnings."""
    decoder = _decoder(settings)
    if decoder:
        roles = settings
    else:  # the files that older versions wrote instead
        decoder, roles = _added_tokens(folder), {**settings, **roles}
    named = [_text_of(roles.get(role)) for role in _ROLES]
    several = next((roles[key] for key in _LISTS if roles.get(key)), None)
    several = list(several.values()) if isinstance(several, dict) else several
    named += map(_text_of, several if isinstance(several, list) else ())
    wanted = [
        *((token, special) for token, _, special in decoder),
        *((token, True) for token in named if token),
    ]
    new = [token for token, _ in wanted if token not in tokens.ids]
    tokens.add(wanted)
    tokens.special |= {token: tokens.ids[token] for token, special in wanted if special}
    missing = [f"{clipped_repr(token)} (id {tokens.ids[token]:,})" for token in dict.fromkeys(new)]
    if missing:
        yield (
            f"{name} lacks {plural(len(missing), 'token')} of the files beside it, such as "
            f"{missing[0]}; transformers adds them with the next ids, and so they count here"
        )


def _disagreements(folder: Path, tokens: TokenIds) -> Iterator[str]:
    """Yield a warning for each file of tokens that says something else than tokenizer.json."""
    for name in (_VOCAB_TXT, _VOCAB_JSON):
        if not (folder / name).exists():
            continue
        if name == _VOCAB_TXT:
            others = _of_vocab_txt(folder / name)[0].ids
        else:
            path = folder / name
            others = ids_of(read_object(path, "an object of tokens and ids"), repr(str(path)))
        differing = [token for token, id_ in others.items() if tokens.ids.get(token) != id_]
        if differing:
            token = differing[0]
            there = tokens.ids.get(token)
            has = "none" if there is None else f"{there:,}"
            yield (
                f"{name} and {tokenizer_json.NAME} disagree on the ids of "
                f"{plural(len(differing), 'token')}, such as {clipped_repr(token)} "
                f"({others[token]:,} and {has}); {tokenizer_json.NAME} counts"
            )
