"""Tables of numbers whose first line names the columns, as pandas, a spreadsheet or `rows` writes.

A column of lists is the vectors, or else the columns of numbers are. One column may hold the words,
and what numbers the rows (a column called row, id or index, or the nameless one that pandas writes)
is neither.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import number_text
from embedinspect.formats.beginning import Start, first_bytes
from embedinspect.formats.columns import (
    NUMBERING,
    WORD_NAMES,
    Column,
    choose,
    file_of_that_name,
    wanted_words,
)
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.list_text import numbers_of, parts_of
from embedinspect.formats.number_text import counts_columns, first_lines, is_number, parsed
from embedinspect.formats.projector import is_named_in_config
from embedinspect.matrix import MOST_VALUES
from embedinspect.row_words import Words, named_or_none
from embedinspect.wording import clipped_repr, listed, plural

_SAMPLE = 20  # lines that tell what the columns hold
_LONGEST_FIELD = 2**26
_DIMENSION = re.compile(r"dim_?\d+", re.I)


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are.

    Attributes:
        headings: the names in the first line.
        delimiter: what stands between two fields.
        vectors: the places of the columns that make up the vectors.
        words: the place of the column of words; None where there is none.
        left_out: the names of the columns that are neither words, vectors nor numbers of rows.
        of_lists: whether the vectors are one column, whose fields are lists.
        warnings: what else could have been meant, each a sentence.
    """

    headings: tuple[str, ...]
    delimiter: str
    vectors: tuple[int, ...]
    words: int | None
    left_out: tuple[str, ...] = ()
    of_lists: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Lines:
    """The first lines of a table: what they name the columns, and the fields below."""

    headings: tuple[str, ...]
    body: list[list[str]]
    delimiter: str

    def column(self, place: int) -> Column:
        """Return what a column is by these lines."""
        name, fields = self.headings[place], [fields[place].strip() for fields in self.body]
        if all(map(is_number, fields)):
            whole = all(map(str.isdecimal, fields))
            return Column(name, "whole number" if whole else "number", "float64")
        if parts_of(name) is None and all(parts_of(field) is not None for field in fields):
            return Column(name, "vector", "float64")
        return Column(name, "text")

    def columns(self) -> list[Column]:
        """Return what the columns are by these lines."""
        return [self.column(place) for place in range(len(self.headings))]


def recognises(start: Start) -> bool:
    """Return whether a file is a table of numbers with headings, or with a column of words."""
    if not number_text.recognises(start):
        return False
    columns = columns_of(start.data, ReadOptions(), start.path, whole=start.whole, picks=False)
    return columns is not None and not is_named_in_config(start.path)


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the rows of a table; raises what `columns_of` and `read_table` raise."""
    start = first_bytes(str(path))
    columns = columns_of(start.data, options, path, whole=start.whole)
    if columns is None:
        raise DataError(
            f"{str(path)!r} has no columns of vectors beside {clipped_repr(options.words or '')}; "
            "expected columns of numbers"
        )
    return read_table(path, columns)


def columns_of(
    start: bytes, options: ReadOptions, path: Path, *, whole: bool, picks: bool = True
) -> Columns | None:
    """Return the columns of a table, from its first bytes; None where its first line names none.

    Args:
        whole: whether the first bytes are the whole table; if not, its last line may be cut off.
        picks: whether one of several columns of lists has to be picked now.

    Raises:
        UsageError: several columns could be the vectors, or one that is named does not fit.
    """
    lines = _first_lines(start, whole=whole)
    if lines is None:
        return None
    columns = lines.columns()
    if any(column.role == "vector" for column in columns):
        places = (columns.index(column) for column in columns if column.role == "vector")
        if not picks:
            return Columns(lines.headings, lines.delimiter, (next(places),), None, of_lists=True)
        choice = choose(columns, options, path)
        return Columns(
            lines.headings,
            lines.delimiter,
            choice.vectors,
            choice.words,
            of_lists=choice.of_lists,
            warnings=choice.warnings,
        )
    if options.vectors is not None:
        raise UsageError(
            f"--vectors names a column of lists, and {str(path)!r} has none: its columns of "
            "numbers are the vectors; leave it out"
        )
    return _columns(lines, wanted_words(columns, options.words, path), path)


def _first_lines(start: bytes, *, whole: bool) -> _Lines | None:
    """Return the first lines of a table; None where they have no fields, or not as many each."""
    lines = [line.decode("utf-8", "replace") for line in first_lines(start, whole=whole)]
    lines = [line for line in lines if line.strip()]
    if len(lines) < 2 or lines[0].startswith("#"):
        return None
    delimiter = next((mark for mark in "\t;," if mark in lines[0]), " ")
    records: list[list[str]] = []
    try:
        with _long_fields():
            for fields in csv.reader((f"{line}\n" for line in lines), delimiter=delimiter):
                records.append(fields)
                if len(records) > _SAMPLE:
                    break
            else:
                # A list may go over many lines, and the last of those that are known be cut off.
                if len(records) > 2 and any("\n" in field for field in records[-1]) and not whole:
                    records.pop()
    except csv.Error:
        return None
    headings, *body = records
    if len(headings) < 2 or not body or any(len(fields) != len(headings) for fields in body):
        return None
    return _Lines(tuple(heading.strip() for heading in headings), body, delimiter)


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let fields be as long as lists of numbers are."""
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _columns(lines: _Lines, wanted: int | None, path: Path) -> Columns | None:
    """Return what the columns are; None where the first line is a row as the others are.

    Args:
        wanted: the place of the column that the user calls the words, if any.
    """
    headings, body, delimiter = lines.headings, lines.body, lines.delimiter
    names = [heading.lower() for heading in headings]
    numeric = [
        place
        for place in range(len(names))
        if place != wanted and all(is_number(fields[place].strip()) for fields in body)
    ]
    named = [place for place in numeric if _DIMENSION.fullmatch(names[place])]
    vectors = named or [place for place in numeric if names[place] not in (*NUMBERING, *WORD_NAMES)]
    words = _column_of_words(names, numeric, vectors) if wanted is None else wanted
    if len(vectors) < 2 and not named:  # a number beside each text, such as its label
        return None
    if words is not None and delimiter in "\t " and headings[0]:
        return None  # word vectors as text, whose reader leaves out the first line and says so
    if not _are_headings(headings, vectors, body, delimiter):
        return None
    used = {*vectors, words}
    left_out = [
        heading
        for place, heading in enumerate(headings)
        if place not in used and names[place] not in NUMBERING
    ]
    warnings = () if wanted is None else file_of_that_name(headings[wanted], path)
    return Columns(headings, delimiter, tuple(vectors), words, tuple(left_out), warnings=warnings)


def _column_of_words(
    names: Sequence[str], numeric: Sequence[int], vectors: Sequence[int]
) -> int | None:
    """Return the place of the column of words: by its name, or the only one without numbers."""
    for place, name in enumerate(names):
        if name in WORD_NAMES and place not in vectors:
            return place
    others = sorted(set(range(len(names))) - set(numeric))
    return others[0] if others and (len(others) == 1 or others[0] == 0) else None


def _are_headings(
    headings: Sequence[str], vectors: Sequence[int], body: Sequence[Sequence[str]], delimiter: str
) -> bool:
    """Return whether the first line names the columns.

    Numbers count as names where they count the columns, as pandas writes them, and the rows below
    are not such whole numbers. Two of them may as well be a row of a table without commas.
    """
    names = [headings[place] for place in vectors]
    if not any(map(is_number, names)):
        return True
    if not counts_columns(names) or any(
        all(fields[place].strip().isdecimal() for place in vectors) for fields in body
    ):
        return False
    return "" in headings or delimiter in ",;" or len(names) > 2


def read_table(path: Path, columns: Columns) -> Contents:
    """Return the vectors of a table, and its words where it has a column of them.

    Raises:
        DataError: a field of the vectors is no number that float32 can hold, a line has another
            number of fields, or the file is no UTF-8.
    """
    label = repr(str(path))
    values = array("f")
    words: list[str | None] = []
    width = 0 if columns.of_lists else len(columns.vectors)
    with path.open(encoding="utf-8-sig", newline="") as file, _long_fields():
        lines = csv.reader(file, delimiter=columns.delimiter, strict=True)
        try:
            for fields in islice(lines, 1, None):
                if not fields:
                    continue
                line = lines.line_num
                if len(fields) != len(columns.headings):
                    raise DataError(
                        f"{label} line {line} has {plural(len(fields), 'field')}; expected "
                        f"{len(columns.headings)}, as in line 1"
                    )
                numbers = _numbers_of(fields, columns, f"{label} line {line}")
                width = width or len(numbers)
                if len(numbers) != width:
                    raise DataError(
                        f"{label} line {line} has {plural(len(numbers), 'number')}; expected "
                        f"{width}, as in the rows before it"
                    )
                places = columns.vectors * (width if columns.of_lists else 1)
                values.extend(parsed(numbers, line, label, places))
                if columns.words is not None:
                    words.append(named_or_none(fields[columns.words], len(words)))
                if len(values) > MOST_VALUES:
                    raise DataError(
                        f"{label} has more than {MOST_VALUES:,} numbers; expected fewer"
                    )
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(
                f"{label} cannot be read as a table near line {lines.line_num} ({error}); "
                "expected UTF-8 with the same fields in each line"
            ) from None
    rows = np.frombuffer(values, np.float32).reshape(-1, width)
    named = Words(words) if any(word is not None for word in words) else None
    words_name = None if columns.words is None else columns.headings[columns.words]
    return Contents(
        "table with headings",
        rows,
        named,
        "text",
        tensor=columns.headings[columns.vectors[0]] if columns.of_lists else None,
        warnings=_warnings(path, columns),
        words_from=f"the column {clipped_repr(words_name)}" if words_name else None,
        words_column=words_name,
    )


def _numbers_of(fields: Sequence[str], columns: Columns, place: str) -> list[str]:
    """Return the numbers of a row as they are written."""
    if columns.of_lists:
        return numbers_of(fields[columns.vectors[0]], place)
    return [fields[place].strip() for place in columns.vectors]


def _warnings(path: Path, columns: Columns) -> tuple[str, ...]:
    """Return which columns are not part of the vectors, though they may have been meant to be."""
    if not columns.left_out:
        return columns.warnings
    names = listed(map(clipped_repr, columns.left_out))
    return (
        *columns.warnings,
        f"{path}: {plural(len(columns.vectors), 'column')} of numbers "
        f"{'is' if len(columns.vectors) == 1 else 'are'} the vectors; left out: {names}",
    )
