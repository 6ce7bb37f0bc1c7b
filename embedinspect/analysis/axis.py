"""Words along a direction: from the mean of some words to the mean of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.opening import Source, rows_of

Doubles = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Place:
    """A word and where it stands on the axis: 0 at the low end, 1 at the high end."""

    word: str
    row: int
    position: float


@dataclass(frozen=True)
class Axis:
    """The record that `axis` prints.

    Attributes:
        source: whose rows they are.
        low: words of the low end.
        high: words of the high end.
        length: between the means of the two ends.
        places: all words with a finite row, from low to high.
    """

    source: Source
    low: tuple[str, ...]
    high: tuple[str, ...]
    length: float
    places: tuple[Place, ...]


def rank(
    source: Source, low: Sequence[str], high: Sequence[str], among: Sequence[str] = ()
) -> Axis:
    """Return the words in their order along the direction from `low` to `high`.

    A row's position is its projection on the line through the two ends: 0 at the mean of the low
    words, 1 at the mean of the high ones; rows beyond them have positions beyond.

    Args:
        among: rank these words alone; by default every row that has a word, or every row.

    Raises:
        UsageError: a word without a row.
        DataError: the two ends are the same point, or not finite.
    """
    rows = source.matrix.rows
    ends = [
        rows[rows_of(source, list(names))].astype(np.float64).mean(axis=0) for names in (low, high)
    ]
    direction = ends[1] - ends[0]
    length = float(np.linalg.norm(direction))
    if not np.isfinite(length) or not length:
        what = "are the same point" if length == 0 else "hold NaN or infinity"
        raise DataError(f"the two ends {what}; expected --low and --high words that differ")
    if among:
        chosen = np.array(rows_of(source, list(among)), np.int64)
    else:
        words = source.words
        chosen = np.array(
            [row for row, word in enumerate(words) if word is not None]
            if words is not None
            else range(len(rows)),
            np.int64,
        )
    positions = _project(rows, chosen, ends[0], direction / length**2)
    order = np.argsort(positions, kind="stable")
    order = order[np.isfinite(positions[order])]
    names = _names(source, chosen)
    places = tuple(
        Place(names[i], int(chosen[i]), value)
        for i, value in zip(order.tolist(), positions[order].tolist(), strict=True)
    )
    return Axis(source, tuple(low), tuple(high), length, places)


def _project(rows: Any, chosen: Any, origin: Doubles, direction: Doubles) -> Doubles:
    """Return (row - origin) . direction of each chosen row, some of them at a time."""
    found = np.empty(len(chosen))
    step = max(1, 2**21 // rows.shape[1])
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, len(chosen), step):
            part = rows[chosen[start : start + step]].astype(np.float64)
            found[start : start + len(part)] = (part - origin) @ direction
    return found


def _names(source: Source, chosen: Any) -> list[str]:
    if source.words is None:
        return [f"#{row}" for row in chosen.tolist()]
    if len(chosen) < 1000:
        return [source.name_of(row) for row in chosen.tolist()]
    words = list(source.words)
    return [f"#{row}" if (word := words[row]) is None else word for row in chosen.tolist()]
