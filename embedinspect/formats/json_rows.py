"""Vectors in JSON Lines or JSON: an object for each row, an object of words, or bare lists."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.beginning import Start
from embedinspect.formats.columns import Choice, Column, Role, choose
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.json_items import Item, items_of
from embedinspect.formats.number_text import TOO_LARGE, rounded_once
from embedinspect.formats.packed import open_packed
from embedinspect.matrix import MOST_VALUES
from embedinspect.row_words import Words, named_or_none
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, listed, plural

_SAMPLE = 20  # rows that tell what the columns hold
_BLOCK = 2**20  # numbers that are turned into float32 at a time
_STRING = rb'"(?:[^"\\\n]|\\.)*"'
_NUMBERS = rb"\[[-+\d.eENaInfity\s]+,[-+\d.eENaInfity,\s]*\]"
_BEGINS = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:"
    rb"(?:\[\s*)?\{\s*" + _STRING + rb"\s*:"  # an object, or a list of them
    rb"|(?:\[\s*)?" + _NUMBERS + rb"\s*?[,\]\n]"  # a list of numbers, one a line or in a list
    rb"|\[\s*" + _STRING + rb"\s*[,\]]"  # a list of words, and others that hold no vectors
    rb"|(?:\[\s*\]|\{\s*\}|" + _NUMBERS + rb")\s*\Z)"
)
_LINES_SUFFIXES = {".jsonl", ".ndjson"}
_LINE = re.compile(rb"^\s*(?:\{\s*\"|\[\s*[-\d])", re.MULTILINE)
# The last 29 bits of float64 between two float32, and the least of these that has all its digits.
_REST, _MIDDLE = np.uint64(2**29 - 1), np.uint64(2**28)
_LEAST, _MOST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)


def recognises(start: Start) -> bool:
    """Return whether a file begins as JSON with objects or with lists of numbers does.

    A file that is called JSON Lines and has such lines is that, too: its first one is damaged.
    """
    if _BEGINS.match(start.data) is not None:
        return True
    return _is_named_lines(start.path) and _LINE.search(start.data) is not None


def _is_named_lines(path: Path) -> bool:
    """Return whether a file is called as JSON Lines are; it may be packed."""
    return not _LINES_SUFFIXES.isdisjoint(path.suffixes[-2:])


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the vectors of a text, and its words where it has them.

    Raises:
        UsageError: several keys could be the vectors, or one that is named does not fit.
        DataError: the text is no JSON, holds no vectors, or a vector does not fit the others.
    """
    label = repr(str(path))
    with open_packed(path, options.progress) as file:
        items = items_of(file, label, lines=_is_named_lines(path))
        head = list(islice(items, _SAMPLE))
        if not head or not isinstance(head[0].value, (dict, list)):
            raise DataError(f"{label} holds no vectors; expected a list of numbers for each row")
        rows = _Rows(_columns_of(head), options, path)
        for item in chain(head, items):
            rows.add(item)
    return rows.finish("JSON Lines" if head[0].place.startswith("line") else "JSON")


def _columns_of(head: Sequence[Item]) -> list[Column] | None:
    """Return the columns that the first objects have; None where the items are bare lists."""
    if head[0].key is not None or isinstance(head[0].value, list):
        return None
    roles: dict[str, list[Column]] = {}
    for item in head:
        if isinstance(item.value, dict):
            for name, value in item.value.items():
                role, dtype = _role(value)
                roles.setdefault(name, [])
                if value is not None:
                    roles[name].append(Column(name, role, dtype))
    common = [_common(name, columns) for name, columns in roles.items()]
    if any(column.role == "vector" or column.is_floating for column in common):
        return common
    # Where no column is all vectors, one that begins so has a wrong line, which an error names.
    firsts = {name: columns[0] for name, columns in roles.items() if columns}
    return [
        firsts[column.name] if firsts.get(column.name, column).role == "vector" else column
        for column in common
    ]


def _role(value: Any) -> tuple[Role, str]:
    """Return what a value may be in a table, and the type of its numbers."""
    if isinstance(value, str):
        return "text", ""
    if _is_number(value):
        return ("number", "float64") if isinstance(value, float) else ("whole number", "int64")
    if isinstance(value, list) and value and all(map(_is_number, value)):
        return "vector", "float64" if any(isinstance(part, float) for part in value) else "int64"
    return "other", ""


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _common(name: str, columns: Sequence[Column]) -> Column:
    """Return what a column is by some of its fields: floats where one is a float."""
    floating = [column for column in columns if column.is_floating]
    first = (floating or columns or [Column(name, "other")])[0]
    kinds = {"number" if column.role == "whole number" else column.role for column in columns}
    if kinds == {"text", "number"} and not floating:  # some words are whole numbers
        return Column(name, "text")
    return first if len(kinds) == 1 else Column(name, "other")


class _Rows:
    """What has been read so far: rows and words."""

    def __init__(self, columns: list[Column] | None, options: ReadOptions, path: Path) -> None:
        self.label = repr(str(path))
        self.choice: Choice | None = None
        self.names: list[str] = []
        if columns is not None:
            self.choice = choose(columns, options, path)
            self.names = [columns[place].name for place in self.choice.vectors]
        elif options.vectors is not None:
            raise UsageError(
                f"--vectors names a column, and {self.label} holds lists without names; leave it "
                "out"
            )
        self.width = self.count = 0
        self.words: list[str | None] = []
        self.parts: list[FloatArray] = []
        self.waiting: list[tuple[Item, list[float]]] = []

    def add(self, item: Item) -> None:
        """Add the row of an item.

        Raises:
            DataError: it has no vector, or one that does not fit.
        """
        vector = self._vector(item.value, item.place)
        if not set(map(type, vector)) <= {int, float}:
            raise DataError(
                f"{self.label} {item.place} has a vector with something else than numbers; "
                "expected numbers alone"
            )
        self.width = self.width or len(vector)
        if len(vector) != self.width or not self.width:
            raise DataError(
                f"{self.label} {item.place} has {plural(len(vector), 'number')}; expected "
                + (f"{self.width}, as in the rows before it" if self.width else "one or more")
            )
        self.words.append(self._word(item))
        self.waiting.append((item, vector))
        if len(self.waiting) * self.width >= _BLOCK:
            self._convert()

    def _vector(self, value: Any, place: str) -> list[Any]:
        """Return the vector in the value of an item."""
        if self.choice is None:
            if isinstance(value, list):
                return value
            raise DataError(f"{self.label} {place} is no list; expected a list of numbers")
        if not isinstance(value, dict):
            raise DataError(f"{self.label} {place} is no object; expected one, as in the first")
        if not self.choice.of_lists:
            return [value.get(name) for name in self.names]
        vector = value.get(self.names[0])
        if not isinstance(vector, list):
            name = clipped_repr(self.names[0])
            raise DataError(f"{self.label} {place} has no vector; expected a list as its {name}")
        return vector

    def _word(self, item: Item) -> str | None:
        """Return the word of an item."""
        word: Any = item.key
        if self.choice is not None:
            name = self.choice.words_name
            word = None if name is None else item.value.get(name)
        if type(word) is int:
            word = str(word)
        if word is None or isinstance(word, str):
            return None if word is None else named_or_none(_whole_characters(word), len(self.words))
        raise DataError(f"{self.label} {item.place} has a word that is no text; expected a text")

    def _convert(self) -> None:
        """Turn the rows that wait into float32."""
        self.count += len(self.waiting)
        if self.count * self.width > MOST_VALUES:
            raise DataError(f"{self.label} has more than {MOST_VALUES:,} numbers; expected fewer")
        try:
            doubles = np.array([vector for _, vector in self.waiting], np.float64)
            odd = _may_round_twice(doubles).any(axis=1)
        except OverflowError:  # whole numbers of hundreds of digits
            doubles = np.zeros((len(self.waiting), self.width))
            odd = np.ones(len(self.waiting), bool)
        for row in np.flatnonzero(odd).tolist():
            doubles[row] = self._exactly(self.waiting[row][0])
        self.parts.append(doubles.astype(np.float32))
        self.waiting = []

    def _exactly(self, item: Item) -> list[float]:
        """Return the numbers of an item from its text: each becomes the nearest float32.

        Raises:
            DataError: float32 cannot hold one.
        """
        value = json.loads(item.text, parse_float=str, parse_int=str, parse_constant=str)
        fields = self._vector(value, item.place)
        values = [float(field) for field in fields]
        for field, number in zip(fields, values, strict=True):
            if abs(number) >= TOO_LARGE and "Inf" not in field:
                raise DataError(
                    f"{self.label} {item.place} has {clipped_repr(field)}; expected numbers that "
                    "float32 can hold, up to 3.4e38"
                )
        return rounded_once(fields, values)

    def finish(self, kind: str) -> Contents:
        """Return what was read."""
        self._convert()
        rows = self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)
        words = Words(self.words) if any(word is not None for word in self.words) else None
        choice = self.choice
        if choice is not None and len(rows) == 1 and choice.name not in self.names:
            raise DataError(
                f"{self.label} is one object with numbers "
                f"({listed(map(clipped_repr, self.names))}), such as a "
                "configuration; expected rows, or a list of numbers for each word"
            )
        if choice is None:
            return Contents(kind, rows, words, "text")
        return Contents(
            kind,
            rows,
            words,
            "text",
            tensor=choice.name,
            words_from=choice.words_from,
            words_column=choice.words_name,
            warnings=choice.warnings,
        )


def _may_round_twice(
    doubles: np.ndarray[Any, np.dtype[np.float64]],
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which numbers may become another float32 than the nearest to what is written.

    These are the middles of two float32 of full precision, and all that are very small or large.
    """
    sizes = np.abs(doubles)
    middle = (doubles.view(np.uint64) & _REST) == _MIDDLE
    ordinary = (sizes >= _LEAST) & (sizes <= _MOST) | (sizes == 0)
    doubtful: np.ndarray[Any, np.dtype[np.bool_]] = middle | ~ordinary
    return doubtful


def _whole_characters(text: str) -> str:
    """Return a text in which halves of characters, which JSON can hold, are replacement marks."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
