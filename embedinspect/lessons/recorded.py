"""What backends did that may not be installed here: kept from a run of them, and named so.

`python -m tests.sweeps.record_backends` makes the recording anew, or checks it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("recorded.json")
# The recording is of a matrix of four rows, and of ids above, just below and far below them.
ROWS = 4
IDS = (ROWS, -1, -ROWS - 1)
_LAST = "row {last}"


@dataclass(frozen=True)
class Recorded:
    """What a backend made of the ids when it was run for the recording.

    Attributes:
        versions: of the packages that it ran on.
        keras: Keras's version.
        date: when it ran.
        outcomes: of the way or ways in which it was run, what became of each id.
    """

    versions: str
    keras: str
    date: str
    outcomes: Mapping[str, Sequence[str]]

    def for_rows(self, rows: int) -> dict[str, list[str]]:
        """Return the outcomes for a matrix of so many rows."""
        return {
            way: [_with_rows(outcome, rows) for outcome in outcomes]
            for way, outcomes in self.outcomes.items()
        }


def recorded_backends() -> dict[str, Recorded]:
    """Return the recording, by the backends' names."""
    recording: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return {
        name: Recorded(entry["versions"], recording["keras"], recording["date"], entry["outcomes"])
        for name, entry in recording["backends"].items()
    }


def as_recorded(outcome: str) -> str:
    """Return what became of an id, for any number of rows.

    >>> as_recorded("row 3, silently, the last row")
    'row {last}, silently, the last row'
    """
    return outcome.replace(f"row {ROWS - 1},", f"{_LAST},")


def _with_rows(outcome: str, rows: int) -> str:
    """Return a recorded outcome for a matrix of `rows` rows; with one row the first is the last."""
    if rows == 1 and outcome == "row 0, silently":
        return "row 0, silently, the last row"
    return outcome.replace(_LAST, f"row {rows - 1}")
