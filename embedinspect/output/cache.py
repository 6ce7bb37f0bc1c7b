"""`cache`: what is kept of large files, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.text import Text

from embedinspect.formats.cache import Entry
from embedinspect.output.document import Document
from embedinspect.output.grid import Block, Cell, Column
from embedinspect.output.screen import Screen, clip, labelled
from embedinspect.wording import literal, plural


def draw(
    folder: Path, entries: Sequence[Entry], freed: int | None, screen: Screen
) -> Iterator[Text]:
    """Yield what is kept, or what was removed."""
    if entries:
        width = max(16, screen.width - 44)
        columns = [
            Column("file", [Cell(_tail(literal(one.source), width)) for one in entries]),
            Column("rows", [Cell(f"{one.shape[0]:,}") for one in entries], right=True),
            Column("width", [Cell(f"{one.shape[1]:,}") for one in entries], right=True),
            Column("MB", [Cell(f"{one.size / 1e6:,.1f}") for one in entries], right=True),
            Column("state", [Cell("out of date" if one.stale else "") for one in entries]),
        ]
        yield from Block("Kept" if freed is None else "Removed", columns).lines(screen.glyphs.rule)
        yield Text()
    total = sum(one.size for one in entries)
    yield from labelled("folder", literal(str(folder)), screen)
    said = f"{plural(len(entries), 'file')}, {total / 1e6:,.1f} MB"
    yield from labelled("kept" if freed is None else "removed", said, screen)


def _tail(path: str, width: int) -> str:
    return path if len(path) <= width else "…" + clip(path[-width + 1 :], width)


def document(folder: Path, entries: Sequence[Entry], freed: int | None) -> Document:
    """Return what is kept, for programs."""
    items = [
        {
            "source": one.source,
            "kind": one.kind,
            "input_dim": one.shape[0],
            "output_dim": one.shape[1],
            "bytes": one.size,
            "out_of_date": one.stale,
        }
        for one in entries
    ]
    head = {"folder": str(folder), "removed_bytes": freed}
    columns = ("source", "kind", "input_dim", "output_dim", "bytes", "out_of_date")
    return Document("cache", head, items, "entries", columns)
