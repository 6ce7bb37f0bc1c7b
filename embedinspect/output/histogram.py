"""A histogram as a table: a line for each bin, with the names of what is rare."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from embedinspect.analysis.histogram import Histogram
from embedinspect.page import Column, Table

# Bars by logarithm where the largest bin has so many times the rows of the smallest.
_DECADES = 100
_FEW = 20


def table(title: str, bins: Histogram, name_of: Callable[[int], str], counted: str) -> Table:
    """Return the bins from low to high, the one that holds the median marked.

    Args:
        name_of: returns the name of one of the numbers by its place.
        counted: what is counted, as `rows`.
    """
    counts = [count for count in bins.counts if count]
    logarithmic = bool(counts) and max(counts) >= _DECADES * min(counts)
    names = [_names(places, name_of) if sum(counts) > _FEW else "" for places in bins.rare]
    said = ", bars by logarithm" if logarithmic else ""
    columns = [
        Column("from–to", ranges(bins), rigid=True),
        Column(counted, list(bins.counts), "number"),
        Column("", _median_marks(bins), rigid=True),
        Column("", list(bins.counts), "bar", logarithmic=logarithmic),
    ]
    if any(names):
        columns.append(Column("which", names, most=60, optional=True))
    return Table(f"{title}{said}; < holds the median", columns)


def ranges(bins: Histogram) -> list[str]:
    """Return the two edges of each bin, with the decimals that they need."""
    edges = bins.edges
    round_edges = edges[:-1] if bins.open_end else edges
    step = round_edges[1] - round_edges[0] if len(round_edges) > 1 else 1.0
    decimals = max(0, -math.floor(math.log10(abs(step)) + 1e-9)) if step else 3
    large = max(map(abs, edges), default=0) >= 1e7 or decimals > 7

    def written(edge: float) -> str:
        return f"{edge:.3g}" if large else f"{edge:,.{decimals}f}"

    told = [f"{written(low)}–{written(high)}" for low, high in pairwise(edges)]
    if bins.open_end:
        told[-1] = f"{written(edges[-2])} and more"
    return told


def _median_marks(bins: Histogram) -> list[str]:
    edges = bins.edges
    marks = [""] * len(bins.counts)
    for number in range(len(marks)):
        last = number == len(marks) - 1
        if edges[number] <= bins.median and (bins.median < edges[number + 1] or last):
            marks[number] = "<"
            break
    return marks


def _names(places: Sequence[int], name_of: Callable[[int], str]) -> str:
    return ", ".join(map(name_of, places))


def document(bins: Histogram, name_of: Callable[[int], str]) -> dict[str, Any]:
    """Return the bins for programs, with the names of what is rare."""
    return {
        "counts": list(bins.counts),
        "edges": list(bins.edges),
        "open_end": bins.open_end,
        "rare": [list(map(name_of, places)) for places in bins.rare],
    }
