"""Words for the rows of a matrix, from a file of their own (`--vocabulary`)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from embedinspect.errors import DataError, UsageError
from embedinspect.row_words import Words
from embedinspect.saved_vocabulary import from_json
from embedinspect.texts import decode, read_bytes
from embedinspect.vocabulary import Vocabulary
from embedinspect.wording import clipped_repr, plural

EXPECTED = (
    "words, one a line or a JSON list, a JSON mapping of words to ids, or a saved Keras tokenizer"
)
_LARGEST = 2**30
# A string that is closed on its line, or a value of another kind beside the bracket.
_BEGINS_AS_JSON = re.compile(
    r'\s*(\[\s*"[^"\n]*"\s*[,\]]|\[ *([\d\[{-]|null\b)|\{\s*"[^"\n]*"\s*:)'
)
_HEADINGS = ("word", "words", "token", "tokens", "label", "name")


@dataclass(frozen=True)
class PlacedWords:
    """Words and where they belong.

    Attributes:
        words: of the rows; None for a row without one.
        said: which row the words begin at, or whose ids they are, in words.
        listed: whether the file lists words in order, so that it says nothing of ids.
        beyond: words for which the matrix has no row, by id.
        vocabulary: with its rules of tokenizing, where the file is a saved tokenizer.
    """

    words: Words
    said: str
    listed: bool
    beyond: dict[int, str]
    vocabulary: Vocabulary | None = None


@dataclass(frozen=True)
class FileOfWords:
    """What a file of words says, before it is placed on rows.

    Attributes:
        listed: words in order, None for an item without one; None where the file has ids.
        pairs: words and ids as a file with ids has them, whatever they are.
        tokenizer: the text of the file, where it is a saved Keras tokenizer.
    """

    listed: list[str | None] | None
    pairs: list[tuple[str, int]]
    tokenizer: str | None = None

    def numbered(self, index_from: int) -> list[tuple[str, int]]:
        """Return each word with its id, or with its place in the list, `index_from` added.

        Raises:
            UsageError: a negative `index_from`.
        """
        if index_from < 0:
            raise UsageError(f"--index-from is {index_from}; expected 0 or more")
        if self.listed is None:
            return [(word, id_ + index_from) for word, id_ in self.pairs]
        places = enumerate(self.listed, index_from)
        return [(word, place) for place, word in places if word is not None]

    def placing(self, index_from: int) -> str:
        """Return which row each word belongs to, in words."""
        rule = "by their own ids" if self.listed is None else "item i names row i"
        return f"{rule} + {index_from}" if index_from else rule


def load(path: str, rows: int | None = None) -> FileOfWords:
    """Return the words in a file, and their ids where it has them.

    Args:
        rows: of the matrix, which tell whether the first line of a table holds names of columns.

    Raises:
        DataError: the file cannot be read or is of no such form.
    """
    label = repr(path)
    data = read_bytes(path, EXPECTED)
    if len(data) > _LARGEST:
        raise DataError(f"{label} is larger than 1 GB; expected {EXPECTED}")
    text = decode(data, "utf-8", label)
    found = _json(text, label)
    if found is None:
        return FileOfWords(_lines(text, rows), [])
    if not isinstance(found, dict):
        return FileOfWords(_list(found, label), [])
    config = found.get("config")
    if not isinstance(config, dict):
        return FileOfWords(None, _pairs(found, label))
    index = config.get("word_index")
    if isinstance(index, str):
        try:
            index = json.loads(index)
        except (ValueError, RecursionError):
            index = None
    if not isinstance(index, dict):
        from_json(text, label)  # says what is wrong with it
        raise DataError(f"{label} has no word_index; expected {EXPECTED}")
    return FileOfWords(None, _pairs(index, label), text)


def read_words(path: str, rows: int, index_from: int | None = None) -> PlacedWords:
    """Return the words of `rows` rows.

    Item i of a list names row i, or row i + `index_from`. A mapping, and a Keras tokenizer, have
    ids of their own, to which `index_from` is added: Keras's IMDB index needs 3.

    Raises:
        DataError: the file cannot be read or is of no such form.
        UsageError: a negative shift.
    """
    shift = index_from or 0
    loaded = load(path, rows)
    numbered = loaded.numbered(shift)
    vocabulary = None if loaded.tokenizer is None else from_json(loaded.tokenizer, repr(path))
    if vocabulary is not None and shift:
        vocabulary = replace(
            vocabulary, word_index={w: id_ + shift for w, id_ in vocabulary.word_index.items()}
        )
    words: dict[int, str] = {}
    for word, id_ in numbered:
        if id_ < shift:
            raise DataError(_expected_ids(repr(path), word, id_ - shift))
        words.setdefault(id_, word)
    listed = loaded.listed is not None
    return _placed(words, rows, loaded.placing(shift), listed, vocabulary)


def _placed(
    ids: dict[int, str], rows: int, said: str, listed: bool, vocabulary: Vocabulary | None
) -> PlacedWords:
    placed: list[str | None] = [None] * rows
    beyond = {}
    for id_, word in ids.items():
        if id_ < rows:
            placed[id_] = word
        else:
            beyond[id_] = word
    return PlacedWords(Words(placed), said, listed, beyond, vocabulary)


def _json(text: str, label: str) -> object:
    """Return what a text of JSON holds; None for any other text.

    A list of words, one a line, may begin with a bracket, too: `[PAD]` is the first word of
    BERT's vocabulary. Only what begins as Python's or Keras's JSON does must be whole.

    Raises:
        DataError: damaged JSON.
    """
    if text.lstrip()[:1] not in {"[", "{"}:
        return None
    try:
        parsed: object = json.loads(text)
    except json.JSONDecodeError as error:
        if _BEGINS_AS_JSON.match(text) is None:
            return None
        raise DataError(f"{label} is not JSON (line {error.lineno}); expected {EXPECTED}") from None
    except RecursionError:
        raise DataError(f"{label} is nested too deeply; expected {EXPECTED}") from None
    return parsed


def _pairs(found: dict[str, object], label: str) -> list[tuple[str, int]]:
    """Return words and ids, of words to ids or, as `index_word` has it, of ids to words."""
    pairs: list[tuple[str, int]] = []
    for key, value in found.items():
        if isinstance(value, str) and key.isascii() and key.isdecimal() and len(key) < 19:
            pairs.append((value, int(key)))
        elif type(value) is int and -(2**62) < value < 2**62:
            pairs.append((key, value))
        else:
            raise DataError(_expected_ids(label, key, value))
    if not pairs:
        raise DataError(f"{label} holds no words; expected {EXPECTED}")
    return pairs


def _expected_ids(label: str, key: str, value: object) -> str:
    return (
        f"{label} maps {clipped_repr(key)} to {clipped_repr(str(value))}; expected words and their "
        "ids, whole numbers from 0 on"
    )


def _list(found: object, label: str) -> list[str | None]:
    if not isinstance(found, list) or not found:
        raise DataError(f"{label} is JSON of another form; expected {EXPECTED}")
    for number, word in enumerate(found):
        if not (word is None or isinstance(word, str)):
            raise DataError(
                f"{label} has {clipped_repr(str(word))} as item {number}; expected a word"
            )
    return found


def _lines(text: str, rows: int | None) -> list[str | None]:
    """Return the words of a text, one a line; of the tab-separated columns the one of words.

    A file of several columns begins with their names, as TensorBoard's projector has it.
    """
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    column = 0
    if "\t" in lines[0]:
        heads = [head.strip().lower() for head in lines[0].split("\t")]
        column = next((heads.index(name) for name in _HEADINGS if name in heads), 0)
        if len(lines) - 1 == rows or any(head in _HEADINGS for head in heads):
            lines = lines[1:]
    words = [line.split("\t") for line in lines]
    return [fields[column] if len(fields) > column else "" for fields in words]


def warn_of(found: PlacedWords, rows: int, path: str, *, keras: bool) -> list[str]:
    """Return what is odd about words and rows together, each as a sentence.

    Args:
        keras: whether the rows are those of a Keras layer, where row 0 is for the padding.
    """
    warnings = []
    named = found.words.named
    if found.beyond:
        first = min(found.beyond)
        warnings.append(
            f"{path} has {plural(len(found.beyond), 'word')} without a row: the matrix ends at row "
            f"{rows - 1:,}, the first of them is {clipped_repr(found.beyond[first])} with id "
            f"{first:,}"
        )
    if found.listed and found.words[0] is not None and keras:
        shorter = f"{path} has {named:,} words for {rows:,} rows; " if named < rows else ""
        warnings.append(
            f"{shorter}row 0 of a Keras layer is the padding row, and here it is "
            f"{clipped_repr(found.words[0])}; if the list begins with the first word, give "
            "--index-from 1"
        )
    elif found.listed and found.words[rows - 1] is None and not found.beyond:
        warnings.append(f"{path} has {named:,} words for {rows:,} rows")
    return warnings


def find_beside(path: Path) -> Path | None:
    """Return the file of words that `export` or `coverage` wrote beside an array, or None."""
    names = (f"{path.name}.words.json", f"{path.stem}.vocabulary.json")
    return next((path.with_name(name) for name in names if path.with_name(name).is_file()), None)
