"""`cache`: what is kept of large files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embedinspect.formats.cache import Entry
from embedinspect.output.document import Document
from embedinspect.page import Column, Fact, Facts, Page, Table
from embedinspect.wording import plural

_STATES = {
    "current": "",
    "changed": "out of date: the file has changed",
    "gone": "out of date: the file is gone",
    "damaged": "damaged",
}


def page(folder: Path, entries: Sequence[Entry], freed: int | None, compiled: int) -> Page:
    """Yield what is kept, or what was removed.

    Args:
        compiled: bytes of compiled code.
    """
    state = "kept" if freed is None else "removed"
    if entries:
        yield Table(
            state.capitalize(),
            [
                Column("file", [entry.source for entry in entries], "path"),
                Column("rows", [entry.shape[0] for entry in entries], "number"),
                Column("width", [entry.shape[1] for entry in entries], "number"),
                Column("MB", [entry.size / 1e6 for entry in entries], "number", decimals=1),
                Column("state", [_STATES[entry.state] for entry in entries]),
            ],
        )
    size = sum(entry.size for entry in entries)
    yield Facts(
        [
            Fact("folder", str(folder)),
            Fact(state, f"{plural(len(entries), 'file')}, {size / 1e6:,.1f} MB"),
            *(
                [Fact("compiled code", f"{compiled / 1e6:,.1f} MB, of the LSTM, {state}")]
                if compiled
                else []
            ),
        ]
    )


def document(folder: Path, entries: Sequence[Entry], freed: int | None, compiled: int) -> Document:
    """Return what is kept, or what was removed."""
    items = [
        {
            "source": entry.source,
            "kind": entry.kind,
            "input_dim": entry.shape[0],
            "output_dim": entry.shape[1],
            "bytes": entry.size,
            "out_of_date": entry.stale,
            "state": entry.state,
        }
        for entry in entries
    ]
    return Document(
        "cache",
        {"folder": str(folder), "removed_bytes": freed, "compiled_bytes": compiled},
        {"entries": items},
        lines="entries",
        columns=("source", "kind", "input_dim", "output_dim", "bytes", "out_of_date", "state"),
    )
