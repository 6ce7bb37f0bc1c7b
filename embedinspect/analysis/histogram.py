"""Numbers counted in bins with round edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_BINS = 20
# A bin of so few is rare: its members are named.
MOST_RARE = 4
# Of many numbers, these lie in the bulk; a tail that is longer than it is one open bin.
_BULK = 99.5
_TAIL = 2.0


@dataclass(frozen=True)
class Histogram:
    """How many numbers lie in each bin.

    Attributes:
        counts: of each bin.
        edges: between the bins, one more than there are bins. A bin holds its lower edge and not
            its upper one, the last bin both. All are round, but for the last one of an open bin.
        open_end: the last bin holds all that is beyond its lower edge; its upper edge is then the
            largest number.
        median: of all numbers.
        rare: for each bin of at most 4 numbers, the places of these among the numbers; for others
            nothing.
    """

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    open_end: bool
    median: float
    rare: tuple[tuple[int, ...], ...]


NOTHING = Histogram((), (), False, math.nan, ())


def histogram(values: Any) -> Histogram:
    """Return how many of some finite numbers lie in each of at most 20 bins with round edges.

    The width of a bin is 1, 2 or 5 times a power of ten. Where a few numbers are far beyond all
    others, the last bin is open, so that these do not put all others into one bin.

    >>> histogram([0.11, 0.19, 0.25, 0.4]).edges
    (0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.32, 0.34, 0.36, 0.38, 0.4)
    """
    values = np.asarray(values, np.float64)
    if not values.size:
        return NOTHING
    low, high = float(values.min()), float(values.max())
    bulk = float(np.percentile(values, _BULK))
    open_end = high - low > _TAIL * (bulk - low) and bulk > low
    edges = _edges(low, bulk if open_end else high, MOST_BINS - 1 if open_end else MOST_BINS)
    if open_end:
        edges.append(high)
    places = np.searchsorted(np.array(edges), values, side="right") - 1
    places = np.clip(places, 0, len(edges) - 2)
    counts = np.bincount(places, minlength=len(edges) - 1)
    rare = tuple(
        tuple(np.flatnonzero(places == number).tolist()) if 0 < count <= MOST_RARE else ()
        for number, count in enumerate(counts.tolist())
    )
    return Histogram(tuple(counts.tolist()), tuple(edges), open_end, float(np.median(values)), rare)


def _edges(low: float, high: float, most: int) -> list[float]:
    """Return round edges from at most `low` to at least `high`, for at most so many bins."""
    if low == high:
        low, high = (low - abs(low) / 2, high + abs(high) / 2) if low else (0.0, 1.0)
    power = math.floor(math.log10((high - low) / most))
    for exponent in (power, power + 1, power + 2):
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            # What lies on an edge but for rounding lies on it.
            first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
            if last - first <= most:
                edges = [_rounded(number, factor, exponent) for number in range(first, last + 1)]
                edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
                return edges
    raise AssertionError("three powers of ten hold any range")


def _rounded(number: int, factor: int, exponent: int) -> float:
    """Return number * factor * 10**exponent, as the float64 that is nearest to that decimal."""
    return float(f"{number * factor}e{exponent}")
