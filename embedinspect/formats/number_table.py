"""Tables of numbers whose first line names the columns, as pandas, a spreadsheet or `rows` writes.

The columns of numbers are the vectors, one column may hold the words, and what numbers the rows (a
column called row, id or index, or the nameless one that pandas writes) is neither.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats import number_text
from embedinspect.formats.beginning import Start, first_bytes
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.number_text import counts_columns, first_lines, is_number, parsed
from embedinspect.formats.projector import is_named_in_config
from embedinspect.matrix import MOST_VALUES
from embedinspect.row_words import Words, named_or_none
from embedinspect.wording import clipped_repr, listed, plural

_SAMPLE = 20  # lines that tell what the columns hold
_WORDS = ("word", "words", "token", "tokens", "label", "name", "text")
_NUMBERING = ("", "row", "id", "index", "norm")
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
    """

    headings: tuple[str, ...]
    delimiter: str
    vectors: tuple[int, ...]
    words: int | None
    left_out: tuple[str, ...]


def recognises(start: Start) -> bool:
    """Return whether a file is a table of numbers with headings, or with a column of words."""
    if not number_text.recognises(start):
        return False
    columns = columns_of(start.data, whole=start.whole)
    return columns is not None and not is_named_in_config(start.path)


def read(path: Path, _: ReadOptions) -> Contents:
    """Return the rows of a table; raises what `read_table` raises."""
    start = first_bytes(str(path))
    columns = columns_of(start.data, whole=start.whole)
    assert columns is not None  # or it would not have been recognised
    return read_table(path, columns)


def columns_of(start: bytes, *, whole: bool) -> Columns | None:
    """Return the columns of a table, from its first bytes; None where its first line names none.

    Args:
        whole: whether the first bytes are the whole table; if not, its last line may be cut off.
    """
    lines = [line.decode("utf-8", "replace") for line in first_lines(start, whole=whole)]
    lines = [line for line in lines if line.strip()][: _SAMPLE + 1]
    if len(lines) < 2 or lines[0].startswith("#"):
        return None
    delimiter = next((mark for mark in "\t;," if mark in lines[0]), " ")
    try:
        headings, *body = csv.reader([f"{line}\n" for line in lines], delimiter=delimiter)
    except csv.Error:
        return None
    if len(headings) < 2 or any(len(fields) != len(headings) for fields in body):
        return None
    return _columns(tuple(heading.strip() for heading in headings), body, delimiter)


def _columns(
    headings: tuple[str, ...], body: Sequence[Sequence[str]], delimiter: str
) -> Columns | None:
    """Return what the columns are; None where the first line is a row as the others are."""
    names = [heading.lower() for heading in headings]
    numeric = [
        place
        for place in range(len(names))
        if all(is_number(fields[place].strip()) for fields in body)
    ]
    named = [place for place in numeric if _DIMENSION.fullmatch(names[place])]
    vectors = named or [place for place in numeric if names[place] not in (*_NUMBERING, *_WORDS)]
    words = _column_of_words(names, numeric, vectors)
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
        if place not in used and names[place] not in _NUMBERING
    ]
    return Columns(headings, delimiter, tuple(vectors), words, tuple(left_out))


def _column_of_words(
    names: Sequence[str], numeric: Sequence[int], vectors: Sequence[int]
) -> int | None:
    """Return the place of the column of words: by its name, or the only one without numbers."""
    for place, name in enumerate(names):
        if name in _WORDS and place not in vectors:
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
    with path.open(encoding="utf-8-sig", newline="") as file:
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
                numbers = [fields[place].strip() for place in columns.vectors]
                values.extend(parsed(numbers, line, label, columns.vectors))
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
    rows = np.frombuffer(values, np.float32).reshape(-1, len(columns.vectors))
    named = Words(words) if any(word is not None for word in words) else None
    return Contents("table with headings", rows, named, "text", warnings=_warnings(path, columns))


def _warnings(path: Path, columns: Columns) -> tuple[str, ...]:
    """Return which columns are not part of the vectors, though they may have been meant to be."""
    if not columns.left_out:
        return ()
    names = listed(map(clipped_repr, columns.left_out))
    return (
        f"{path}: {plural(len(columns.vectors), 'column')} of numbers "
        f"{'is' if len(columns.vectors) == 1 else 'are'} the vectors; left out: {names}",
    )
