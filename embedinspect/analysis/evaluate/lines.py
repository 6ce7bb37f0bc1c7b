"""The lines of a test as fields: which delimiter they have, and which lines do not fit."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from embedinspect.analysis.evaluate.items import LeftOut
from embedinspect.errors import DataError
from embedinspect.wording import clipped_repr, plural

_DELIMITERS = ("\t", ";", ",")
_NAMES = {"\t": "tabs", ";": "semicolons", ",": "commas", None: "spaces"}
_ENOUGH = 0.8  # of the lines, which must have one number of fields
_MESSAGES = 3


@dataclass(frozen=True)
class Line:
    """A line of a file, without white space around it; `number` counts from 1."""

    number: int
    text: str


@dataclass(frozen=True)
class Row:
    """The fields of a line."""

    number: int
    fields: Sequence[str]


@dataclass
class Misfits:
    """Collects the lines that do not fit; the first of them is an error where that is asked for."""

    label: str
    strict: bool = False
    total: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, number: int, what: str) -> None:
        """Take note of a line.

        Raises:
            DataError: where reading is strict.
        """
        message = f"line {number} {what}"
        if self.strict:
            raise DataError(f"{self.label} {message}")
        self.total += 1
        if len(self.first) < _MESSAGES:
            self.first.append(message)

    @property
    def left_out(self) -> LeftOut:
        """What was collected."""
        return LeftOut(self.total, tuple(self.first))


@dataclass(frozen=True)
class Table:
    """Lines that have been cut into fields.

    Attributes:
        rows: those with as many fields as most.
        width: how many fields that is.
        delimiter: what the fields are separated by, in a word.
        others: the rows with more or fewer fields.
    """

    rows: list[Row]
    width: int
    delimiter: str
    others: list[Row]


def sections_of(lines: Sequence[Line]) -> Iterator[tuple[str | None, list[Line]]]:
    """Yield the lines under each heading `: name`, empty ones left out; None for no heading."""
    name: str | None = None
    body: list[Line] = []
    for line in lines:
        if line.text.startswith(":"):
            if body or name is not None:
                yield name, body
            name, body = line.text.lstrip(":").strip(), []
        elif line.text:
            body.append(line)
    if body or name is not None:
        yield name, body


def body_of(lines: Sequence[Line]) -> list[Line]:
    """Return the lines that are neither empty nor headings."""
    return [line for line in lines if line.text and not line.text.startswith(":")]


def cut(lines: Sequence[Line]) -> Table | None:
    """Return lines as rows of fields; None where most have not the same number, two or more.

    The first of tab, semicolon, comma and white space that most lines agree on is the delimiter.
    """
    best: Table | None = None
    for delimiter in (*_DELIMITERS, None):
        rows = [Row(line.number, _fields(line.text, delimiter)) for line in lines]
        counts = Counter(len(row.fields) for row in rows)
        if not counts:
            return None
        width, count = max(counts.items(), key=lambda item: (item[1], item[0]))
        if width < 2 or count < _ENOUGH * len(rows):
            continue
        fit = [row for row in rows if len(row.fields) == width]
        others = [row for row in rows if len(row.fields) != width]
        table = Table(fit, width, _NAMES[delimiter], others)
        if delimiter is not None:
            return table
        best = table
    return best


def _fields(text: str, delimiter: str | None) -> Sequence[str]:
    if delimiter is None:
        return text.split()
    if '"' in text:
        try:
            return [part.strip() for part in next(csv.reader([text], delimiter=delimiter), [])]
        except csv.Error:
            pass
    return [part.strip() for part in text.split(delimiter)]


def refuse_widths(rows: Sequence[Row], width: int, misfits: Misfits) -> None:
    """Take note of rows with a wrong number of fields."""
    for row in rows:
        start = clipped_repr(" ".join(row.fields), 30)
        count = plural(len(row.fields), "field")
        misfits.add(row.number, f"has {count} ({start}); expected {width}")


def number_or_none(text: str) -> float | None:
    """Return a text as a finite number; None where it is none. A comma may stand for the point."""
    try:
        value = float(text)
    except ValueError:
        try:
            value = float(text.replace(",", ".", 1))
        except ValueError:
            return None
    return value if abs(value) < float("inf") else None
