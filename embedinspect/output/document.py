"""What the commands that ask a matrix give to programs: one document, lines, or comma-separated."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from embedinspect import __version__
from embedinspect.output.digits import vector_json
from embedinspect.output.jsontext import SCHEMA_VERSION, dumps
from embedinspect.source import Source

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """What a command answers.

    Attributes:
        command: its name.
        head: what is said once.
        items: what is said of each answer, under the key `item_key`.
        columns: keys of the items that a comma-separated table has; a vector among them is
            spread over columns of its own.
        lines: the comma-separated lines where they are not the items themselves.
    """

    command: str
    head: Item
    items: Iterable[Item] = ()
    item_key: str = ""
    columns: Sequence[str] = ()
    lines: Iterable[Item] | None = field(default=None)


def write(document: Document, form: str) -> Iterator[str]:
    """Yield the parts of a document as json, ndjson or csv."""
    if form == "csv":
        return _csv(document)
    return _ndjson(document) if form == "ndjson" else _json(document)


def _json(document: Document) -> Iterator[str]:
    """Yield one document; each item stands on a line of its own."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "command": document.command,
        "version": __version__,
        **document.head,
    }
    yield "{\n"
    for number, (key, value) in enumerate(head.items()):
        last = not document.item_key and number + 1 == len(head)
        yield f"  {dumps(key)}: {_value(value)}{'' if last else ','}\n"
    if document.item_key:
        yield f"  {dumps(document.item_key)}: ["
        for number, item in enumerate(document.items):
            yield ("," if number else "") + "\n    " + _object(item)
        yield "\n  ]\n"
    yield "}\n"


def _ndjson(document: Document) -> Iterator[str]:
    if not document.item_key:
        yield _object({"command": document.command, **document.head}) + "\n"
    for item in document.items:
        yield _object(item) + "\n"


def _csv(document: Document) -> Iterator[str]:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    columns = list(document.columns)
    first = True
    items = document.items if document.lines is None else document.lines
    for item in items if document.item_key or document.lines is not None else [document.head]:
        cells: list[Any] = []
        names: list[str] = []
        for column in columns:
            value = item.get(column)
            if isinstance(value, np.ndarray):
                names += [f"dim_{number}" for number in range(len(value))]
                cells += [str(number) for number in value]
            else:
                names.append(column)
                cells.append(_cell(value))
        if first:
            writer.writerow(names)
            first = False
        writer.writerow(cells)
        yield stream.getvalue()
        stream.seek(0)
        stream.truncate()
    if first:
        yield ",".join(columns) + "\n"


def _cell(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return " ".join(str(part) for part in value)
    if isinstance(value, bool):
        return str(value).lower()
    return value


def _object(item: Item) -> str:
    return "{" + ", ".join(f"{dumps(key)}: {_value(value)}" for key, value in item.items()) + "}"


def _value(value: Any) -> str:
    """Return a value as JSON: vectors in the shortest digits, null for what is no number."""
    if isinstance(value, np.ndarray):
        return vector_json(value)
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return dumps(value)


def about(source: Source) -> dict[str, Any]:
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
