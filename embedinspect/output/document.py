"""What a command gives to programs, and its three forms: one JSON document, lines, or a table.

JSON is exact and safe to print: float32 has the shortest digits that read back equal, what is no
number is null, and characters that a terminal would act on are escaped. Documents are written piece
by piece, so that nothing large is held whole.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from embedinspect import __version__
from embedinspect.output.digits import number_json, vector_json
from embedinspect.source import Source
from embedinspect.stored_rows import FloatArray, Vectors

SCHEMA_VERSION = 1
NOT_FINITE = "NaN and infinity, which JSON does not have, are null"
_CACHED_NUMBERS = 2**21
_ITEMS_AT_ONCE = 2**12

Item = Mapping[str, Any]
RowText = Callable[[int], str]


@dataclass(frozen=True)
class Document:
    """What a command answers.

    Attributes:
        command: its name.
        head: what is said once.
        lists: what is said of each of many items, by key; each item stands on a line of its own.
        lines: key of the list whose items are the lines of ndjson; without one the head is the
            only line.
        columns: keys of the items that a comma-separated table has; a vector among them is
            spread over columns of its own.
        rows: of that table, where they are not the items of `lines`.
    """

    command: str
    head: Item
    lists: Mapping[str, Iterable[Item]] = field(default_factory=dict)
    lines: str | None = None
    columns: Sequence[str] = ()
    rows: Iterable[Item] | None = None


class Listed(Sequence[Item]):
    """A list of many items in a head, each made when it is wanted."""

    def __init__(self, make: Callable[..., Item], *columns: Any) -> None:
        """Keep what the items are made of.

        Args:
            make: returns an item, given a value of each column.
            columns: arrays of one length.
        """
        self._make, self._columns = make, columns

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return list(self._made(place))
        return self._make(*(column[place].item() for column in self._columns))

    def __iter__(self) -> Iterator[Item]:
        for start in range(0, len(self), _ITEMS_AT_ONCE):
            yield from self._made(slice(start, start + _ITEMS_AT_ONCE))

    def _made(self, place: slice) -> Iterator[Item]:
        return map(self._make, *(column[place].tolist() for column in self._columns))


@dataclass(frozen=True)
class Written:
    """A value that is JSON already."""

    text: str


@dataclass(frozen=True)
class WrittenVector:
    """The cells of a vector that are comma-separated already."""

    text: str
    width: int


def json_parts(document: Document) -> Iterator[str]:
    """Yield one JSON document; each item of its lists stands on a line of its own."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "command": document.command,
        "version": __version__,
        **document.head,
    }
    separator = "{\n"
    for key, value in head.items():
        yield f"{separator}  {dumps(key)}: "
        yield from _parts(value)
        separator = ",\n"
    for key, items in document.lists.items():
        yield f"{separator}  {dumps(key)}: ["
        ending = ""
        for item in items:
            yield f"{',' if ending else ''}\n    {_object(item)}"
            ending = "\n  "
        yield f"{ending}]"
    yield "\n}\n"


def ndjson_lines(document: Document) -> Iterator[str]:
    """Yield one line of JSON for each item, or the head as the only one."""
    if document.lines is None:
        separator = "{"
        for key, value in {"command": document.command, **document.head}.items():
            yield f"{separator}{dumps(key)}: "
            yield from _parts(value)
            separator = ", "
        yield "}\n"
        return
    for item in document.lists[document.lines]:
        yield _object(item) + "\n"


def csv_lines(document: Document) -> Iterator[str]:
    """Yield a comma-separated table: a line of headings, and one for each row."""
    rows = document.rows
    if rows is None:
        rows = [document.head] if document.lines is None else document.lists[document.lines]
    first = True
    for row in rows:
        values = [row.get(column) for column in document.columns]
        if first:
            yield _csv_line(_headings(document.columns, values)) + "\n"
            first = False
        cells: list[Any] = []
        tail = ""
        for value in values:
            if isinstance(value, WrittenVector):  # it can only stand last
                tail = f",{value.text}" if value.width else ""
            elif isinstance(value, np.ndarray):
                cells += map(str, value)
            else:
                cells.append(_cell(value))
        yield _csv_line(cells) + tail + "\n"
    if first:
        yield ",".join(document.columns) + "\n"


def table_rows(document: Document) -> tuple[list[str], list[list[Any]]]:
    """Return the headings and the rows of the comma-separated table, as Python values."""
    rows = document.rows
    if rows is None:
        rows = [document.head] if document.lines is None else document.lists[document.lines]
    headings: list[str] = list(document.columns)
    table = []
    for row in rows:
        values = [row.get(column) for column in document.columns]
        headings = _headings(document.columns, values)
        cells: list[Any] = []
        for value in values:
            if isinstance(value, WrittenVector):
                cells += [np.float32(number) for number in value.text.split(",") if number]
            elif isinstance(value, np.ndarray):
                cells += list(value)
            else:
                cells.append(json.loads(value.text) if isinstance(value, Written) else value)
        table.append(cells)
    return headings, table


def _csv_line(cells: Sequence[Any]) -> str:
    """Return cells as a line without its end.

    The writer is to end lines with \\r\\n, since it quotes only what its own end of a line holds: a
    carriage return without quotes would end the line for whoever reads it.
    """
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow(cells)
    return stream.getvalue().removesuffix("\r\n")


def _headings(columns: Sequence[str], values: Sequence[Any]) -> list[str]:
    headings: list[str] = []
    for column, value in zip(columns, values, strict=True):
        if isinstance(value, WrittenVector | np.ndarray):
            width = value.width if isinstance(value, WrittenVector) else len(value)
            headings += [f"dim_{number}" for number in range(width)]
        else:
            headings.append(column)
    return headings


def _cell(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return " ".join(str(part) for part in value)
    if isinstance(value, bool):
        return str(value).lower()
    return value


def dumps(value: object) -> str:
    """Return the value as JSON on one line.

    Characters that are not printable (controls, bidirectional overrides, lone surrogates) are
    escaped: that is the same string to a parser, and harmless on a terminal.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if text.isprintable() else json.dumps(value, allow_nan=False)


def _parts(value: Any) -> Iterator[str]:
    """Yield a value as JSON, a list of many items piece by piece."""
    if not isinstance(value, Listed):
        yield to_json(value)
        return
    yield "["
    for place, item in enumerate(value):
        yield f"{', ' if place else ''}{_object(item)}"
    yield "]"


def _object(item: Item) -> str:
    pairs = (f"{dumps(str(key))}: {to_json(value)}" for key, value in item.items())
    return "{" + ", ".join(pairs) + "}"


def to_json(value: Any) -> str:
    """Return a value as JSON on one line: the shortest digits, and null for what is no number."""
    if isinstance(value, Written):
        return value.text
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return number_json(value) if isinstance(value, np.float32) else to_json(value.item())
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, (list, tuple, range, Listed)):
        return "[" + ", ".join(map(to_json, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return dumps(value)


def _array(values: np.ndarray[Any, Any]) -> str:
    if values.dtype != np.float32:
        return to_json(values.tolist())
    if values.ndim == 1:
        return vector_json(values)
    if not values.ndim:
        return number_json(np.float32(values))
    return "[" + ", ".join(map(_array, values)) + "]"


def cached_rows(rows: Vectors, write: Callable[[FloatArray], str] = vector_json) -> RowText:
    """Return a function from a row's number to its text; a row is formatted once, mostly.

    The cache is bounded in numbers, so that a large matrix does not fill the memory.
    """
    cache = lru_cache(maxsize=max(1, _CACHED_NUMBERS // max(1, rows.shape[1])))
    text: RowText = cache(lambda id_: write(rows[id_]))
    return text


def about_source(source: Source) -> dict[str, Any]:
    """Return what a document says of its source."""
    return {
        "path": source.path,
        "kind": source.kind,
        "input_dim": source.matrix.input_dim,
        "output_dim": source.matrix.output_dim,
        "dtype": source.dtype,
        "tensor": source.tensor,
        "epoch": source.epoch,
        "words": None if source.words is None else source.words.named,
        "words_from": source.words_from,
        "warnings": list(source.warnings),
        "problems": {"total": source.problems.total, "first": source.problems.first},
    }
