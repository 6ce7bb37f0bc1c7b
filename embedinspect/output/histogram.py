"""A histogram as a table: a line for each bin, with the names of what is rare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from embedinspect.analysis.histogram import Histogram, bin_of
from embedinspect.page import Column, Table

# Bars by logarithm where the largest bin has so many times the rows of the smallest.
_DECADES = 100
_FEW = 20
_MOST_DECIMALS = 7
# Of edges that are written with an exponent; round numbers have fewer.
_DIGITS = 10


def table(title: str, bins: Histogram, name_of: Callable[[int], str], counted: str) -> Table:
    """Return the bins from low to high, the one that holds the median marked.

    Args:
        name_of: returns the name of one of the numbers by its place.
        counted: what is counted, as `rows`.
    """
    counts = [count for count in bins.counts if count]
    logarithmic = bool(counts) and max(counts) >= _DECADES * min(counts)
    names = [_names(places, name_of) if sum(counts) > _FEW else "" for places in bins.rare]
    said = "" if bins.even else ", bins of unequal width"
    said += ", bars by logarithm" if logarithmic else ""
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
    """Return the two edges of each bin, with the digits that they need."""
    round_edges = bins.edges[:-1] if bins.open_end else bins.edges
    large = max(map(abs, bins.edges), default=0) >= 1e7

    def written(edge: float, decimals: int) -> str:
        if large or decimals > _MOST_DECIMALS:
            return f"{edge:.{_DIGITS}g}"
        return f"{edge:,.{decimals}f}"

    told, decimals = [], 0
    for low, high in pairwise(round_edges):
        decimals = max(_decimals(low), _decimals(high))
        told.append(f"{written(low, decimals)}–{written(high, decimals)}")
    if bins.open_end:
        told.append(f"{written(round_edges[-1], decimals)} and more")
    return told


def _decimals(edge: float) -> int:
    """Return how many decimals a round number has."""
    exponent = Decimal(repr(edge)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def _median_marks(bins: Histogram) -> list[str]:
    marks = [""] * len(bins.counts)
    if marks:
        marks[int(bin_of(bins.median, bins.edges))] = "<"
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
