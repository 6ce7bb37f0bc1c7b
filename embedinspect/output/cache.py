"""`cache`: what is kept of large files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embedinspect.formats.cache import Entry
from embedinspect.output.document import Document
from embedinspect.page import Column, Fact, Facts, Page, Table
from embedinspect.training.lstm.compiled_code import CompiledCode
from embedinspect.wording import plural

_STATES = {
    "current": "",
    "changed": "out of date: the file has changed",
    "gone": "out of date: the file is gone",
    "damaged": "damaged",
}
_STATES_OF_CODE = {
    "current": "",
    "changed": "out of date: a former version",
    "gone": "out of date: installation gone",
    "elsewhere": "another installation",
}


def page(
    folder: Path, entries: Sequence[Entry], compiled: Sequence[CompiledCode], freed: int | None
) -> Page:
    """Yield what is kept, or what was removed."""
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
    if compiled:
        yield Table(
            "Compiled code of the LSTM",
            [
                Column(
                    "folder", [code.folder.name for code in compiled], rigid=True, optional=True
                ),
                Column("sources", [code.sources or "" for code in compiled], "path"),
                Column("MB", [code.size / 1e6 for code in compiled], "number", decimals=1),
                Column("state", [_STATES_OF_CODE[code.state] for code in compiled], rigid=True),
            ],
        )
    size = sum(entry.size for entry in entries)
    size_of_code = sum(code.size for code in compiled)
    yield Facts(
        [
            Fact("folder", str(folder)),
            Fact(state, f"{plural(len(entries), 'file')}, {size / 1e6:,.1f} MB"),
            *(
                [
                    Fact(
                        "",
                        f"{plural(len(compiled), 'folder')} of code, {size_of_code / 1e6:,.1f} MB",
                    )
                ]
                if compiled
                else []
            ),
        ]
    )


def document(
    folder: Path, entries: Sequence[Entry], compiled: Sequence[CompiledCode], freed: int | None
) -> Document:
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
        {
            "folder": str(folder),
            "removed_bytes": freed,
            "compiled_bytes": sum(code.size for code in compiled),
        },
        {
            "entries": items,
            "compiled": [
                {
                    "folder": str(code.folder),
                    "sources": code.sources,
                    "bytes": code.size,
                    "out_of_date": code.stale,
                    "state": code.state,
                }
                for code in compiled
            ],
        },
        lines="entries",
        columns=("source", "kind", "input_dim", "output_dim", "bytes", "out_of_date", "state"),
    )
