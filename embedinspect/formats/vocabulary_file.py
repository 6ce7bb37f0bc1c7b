"""Words for the rows of a matrix, from a file of their own (`--words`)."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from embedinspect.errors import DataError, UsageError
from embedinspect.row_words import PackedWords, Words, named_or_none, pack_lines
from embedinspect.saved_vocabulary import LARGEST_FILE, from_json, refuse_language_model
from embedinspect.texts import decode, read_bytes
from embedinspect.vocabulary import Vocabulary
from embedinspect.word_index import MANY_WORDS
from embedinspect.wording import clipped_repr, plural

EXPECTED = (
    "words, one a line or a JSON list, a JSON mapping of words to ids, or a saved Keras tokenizer"
)
VOCABULARY_SUFFIX = ".vocabulary.json"
MOST_WORDS = 2**24
# The most frequent words in Keras's imdb_word_index.json, and their numbers there.
_IMDB_INDEX = {"the": 1, "and": 2, "a": 3, "of": 4, "to": 5, "is": 6, "br": 7}
IMDB_INDEX_FROM = 3
# A bracket and a string that is closed on its line, or a bracket and any other value beside it.
_BEGINS_AS_JSON = re.compile(
    r'\s*(\[\s*"[^"\n]*"\s*[,\]]|\[ *([\d\[{-]|null\b)|\{\s*"[^"\n]*"\s*:)'
)
_HEADINGS = ("word", "words", "token", "tokens", "label", "name")


@dataclass(frozen=True)
class PlacedWords:
    """The words of a file, each on its row.

    Attributes:
        words: the word of each row.
        placing: which row each word of the file belongs to, in words.
        listed: whether the file lists words in order, and has no ids.
        is_imdb_index: whether it is Keras's IMDB index as it stands in its own file.
        beyond: the words that have no row, by their ids.
        reach: how many rows the file tells of, with a word or without.
        vocabulary: with the rules of tokenizing, where the file is a saved tokenizer.
    """

    words: Words
    placing: str
    listed: bool
    is_imdb_index: bool
    beyond: dict[int, str]
    reach: int
    vocabulary: Vocabulary | None = None

    def warnings(self, path: str, *, keras: bool, shifted: bool) -> list[str]:
        """Return what is odd about words and rows together, each as a sentence.

        Args:
            path: of the file of words.
            keras: whether the rows are those of a Keras layer, where row 0 is for the padding.
            shifted: whether the user has said which row is that of the first word.
        """
        rows, named = len(self.words), self.words.named
        warnings = []
        if self.is_imdb_index and not shifted:
            warnings.append(
                f"{path} is Keras's IMDB index, whose numbers imdb.load_data raises by "
                f"{IMDB_INDEX_FROM}: where the rows are those of its ids, each is shown with the "
                f"word of another; give --index-from {IMDB_INDEX_FROM} (or 0, if they are not)"
            )
        if self.beyond:
            first = min(self.beyond)
            warnings.append(
                f"{path} has {plural(len(self.beyond), 'word')} without a row: the matrix ends at "
                f"row {rows - 1:,}, and the first word beyond it is "
                f"{clipped_repr(self.beyond[first])} with id {first:,}"
            )
        fewer = f"{path} has {plural(named, 'word')} for {plural(rows, 'row')}"
        if self.listed and self.words[0] is not None and keras and not shifted:
            prefix = f"{fewer}; " if named < rows else ""
            warnings.append(
                f"{prefix}row 0 of a Keras layer is the padding row, and here it is "
                f"{clipped_repr(self.words[0])}; if the list begins with the first word, give "
                "--index-from 1"
            )
        elif self.listed and self.reach < rows:
            warnings.append(fewer)
        return warnings


@dataclass(frozen=True)
class FileOfWords:
    """The content of a file of words, before the words are placed on rows.

    Attributes:
        listed: the words in order, None for an item without one; None where the file has ids.
        pairs: the words and ids of a file with ids, whatever the ids are.
        tokenizer: the text of the file, where it is a saved Keras tokenizer.
    """

    listed: Sequence[str | None] | PackedWords | None
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


def load(path: str, rows: int | None = None, *, labels: bool = False) -> FileOfWords:
    """Return the words in a file, and their ids where it has them.

    Args:
        labels: whether the file is a table of labels, as the projector's, whatever it begins like.
        rows: how many rows the matrix has, which tells whether the first line of a table names the
            columns.

    Raises:
        DataError: the file cannot be read, or is in no such form.
    """
    label = repr(path)
    data = read_bytes(path, EXPECTED, LARGEST_FILE)
    text = decode(data, "utf-8", label)
    if not text.strip():
        raise DataError(f"{label} is empty; expected {EXPECTED}")
    parsed = None if labels else _json(text, label)
    if parsed is None and _is_plain(data):
        return FileOfWords(pack_lines(data.removeprefix(BOM_UTF8)), [])
    if data.count(b"\n") > MOST_WORDS:
        raise DataError(f"{label} has more than {MOST_WORDS:,} lines; expected {EXPECTED}")
    if parsed is None:
        return FileOfWords(_lines(text, rows), [])
    if not isinstance(parsed, dict):
        return FileOfWords(_list(parsed, label), [])
    config = parsed.get("config")
    if not isinstance(config, dict):
        return FileOfWords(None, _pairs(parsed, label))
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


def read_words(
    path: str, rows: int, index_from: int | None = None, *, labels: bool = False
) -> PlacedWords:
    """Return the words of a matrix of `rows` rows.

    Item i of a list names row i, or row i + `index_from`. A mapping, and a Keras tokenizer, have
    ids of their own, to which `index_from` is added: Keras's IMDB index needs 3.

    Raises:
        DataError: the file cannot be read, or is in no such form.
        UsageError: `index_from` is negative.
    """
    return place(load(path, rows, labels=labels), rows, index_from, repr(path))


def place(file: FileOfWords, rows: int, index_from: int | None, label: str) -> PlacedWords:
    """Return words on the rows of a matrix; as `read_words`, where the words are known.

    Args:
        label: what errors call the place that the words are from.
    """
    shift = index_from or 0
    if isinstance(file.listed, PackedWords) and len(file.listed) == rows and not shift:
        return PlacedWords(file.listed, file.placing(0), True, False, {}, rows)
    numbered = file.numbered(shift)
    vocabulary = None if file.tokenizer is None else from_json(file.tokenizer, label)
    if vocabulary is not None and shift:
        vocabulary = replace(
            vocabulary, word_index={w: id_ + shift for w, id_ in vocabulary.word_index.items()}
        )
    placed: list[str | None] = [None] * rows
    beyond: dict[int, str] = {}
    for word, id_ in numbered:
        if id_ < shift:
            raise DataError(_expected_ids(label, word, id_ - shift))
        if id_ >= rows:
            beyond.setdefault(id_, word)
        elif placed[id_] is None:
            placed[id_] = word
    listed = file.listed is not None
    last = max((id_ for _, id_ in numbered), default=-1)
    reach = len(file.listed) + shift if file.listed is not None else last + 1
    imdb = not listed and is_imdb_index(dict(file.pairs))
    return PlacedWords(Words(placed), file.placing(shift), listed, imdb, beyond, reach, vocabulary)


def of_value(words: object, label: str) -> FileOfWords:
    """Return words that are a value of Python: a list of them, or a mapping of words to ids.

    Raises:
        DataError: it is neither.
    """
    if isinstance(words, dict):
        return FileOfWords(None, _pairs(words, label))
    return FileOfWords(_list(words, label), [])


def is_imdb_index(word_index: Mapping[str, int]) -> bool:
    """Return whether words have the numbers that they have in Keras's imdb_word_index.json."""
    hits = sum(word_index.get(word) == number for word, number in _IMDB_INDEX.items())
    return hits >= len(_IMDB_INDEX) - 1


def _json(text: str, label: str) -> object:
    """Return the value of a JSON text; None for any other text.

    A list of words, one a line, may begin with a bracket, too: the first word of BERT's vocabulary
    is `[PAD]`. A text that begins as JSON does must be whole.

    Raises:
        DataError: the text is damaged JSON.
    """
    if text.lstrip()[:1] not in {"[", "{"}:
        return None
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        if _BEGINS_AS_JSON.match(text) is None:
            return None
        raise DataError(f"{label} is not JSON (line {error.lineno}); expected {EXPECTED}") from None
    except RecursionError:
        raise DataError(f"{label} is nested too deeply; expected {EXPECTED}") from None
    except ValueError:  # a whole number of thousands of digits
        raise DataError(f"{label} has a number that is too long; expected {EXPECTED}") from None
    return value


def _pairs(mapping: dict[str, object], label: str) -> list[tuple[str, int]]:
    """Return words and ids, from words to ids or, like `index_word`, from ids to words."""
    refuse_language_model(mapping, label)
    pairs: list[tuple[str, int]] = []
    for key, value in mapping.items():
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


def _list(words: object, label: str) -> list[str | None]:
    """Return a JSON list of words, checked."""
    if not isinstance(words, list) or not words:
        raise DataError(f"{label} is JSON in another form; expected {EXPECTED}")
    for number, word in enumerate(words):
        if not (word is None or isinstance(word, str)):
            raise DataError(
                f"{label} has {clipped_repr(str(word))} as item {number}; expected a word"
            )
    return words


def _is_plain(data: bytes) -> bool:
    """Return whether a text has so many words, and nothing else, that its lines can be used so."""
    return data.count(b"\n") >= MANY_WORDS and b"\t" not in data and b"\r" not in data


def _lines(text: str, rows: int | None) -> list[str | None]:
    """Return the words of a text, one a line, or from one of several tab-separated columns.

    A file of several columns begins with their names, as TensorBoard's projector expects.
    """
    lines = text.removesuffix("\n").split("\n")
    column, first = 0, lines[0].removesuffix("\r")
    if "\t" in first:
        heads = [head.strip().lower() for head in first.split("\t")]
        column = next((heads.index(name) for name in _HEADINGS if name in heads), 0)
        if len(lines) - 1 == rows or any(head in _HEADINGS for head in heads):
            del lines[0]
    words: list[str | None] = []
    for row, line in enumerate(lines):
        fields = line.removesuffix("\r").split("\t", column + 1)
        words.append(named_or_none(fields[column] if len(fields) > column else "", row))
    return words


def find_beside(path: Path, _: str | None = None) -> Path | None:
    """Return the file of words that `export` or `coverage` has written beside an array, if any."""
    names = (f"{path.name}.words.json", f"{path.stem}{VOCABULARY_SUFFIX}")
    return next((path.with_name(name) for name in names if path.with_name(name).is_file()), None)
