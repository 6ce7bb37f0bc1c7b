"""Numbers counted in bins with round edges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_BINS = 20
# A bin of so few is rare: its members are named.
MOST_RARE = 4
# What lies below an edge by no more than this share of it lies on the edge: the length of a row
# that was scaled to 1 is 0.9999999 or 1.0000001, as rounding has it.
ROUNDING = 5e-7
# Numbers that differ by no more than this share of the largest are in one bin.
_EQUAL = 1e-4
# Of many numbers, these lie in the bulk; a tail that is longer than it is one open bin.
_BULK = 99.5
_TAIL = 2.0
# A bin with a larger share of the numbers tells little, so other edges are tried.
_CROWDED = 0.5
# The middle that keeps bins of one width where there are tails, in percent, and its bins.
_MIDDLE = (5.0, 95.0)
_MIDDLE_BINS = 12
# Bins that widen from the start begin no lower than at this share of the largest number.
_REACH = 1e-5
_ONE_TWO_FIVE = (1, 2, 5)


@dataclass(frozen=True)
class Histogram:
    """How many numbers lie in each bin.

    Attributes:
        counts: of each bin.
        edges: between the bins, one more than there are bins. A bin holds its lower edge and not
            its upper one, the last bin both; a number that is less than an edge by half a
            millionth of it, or by less, counts as that edge. All are round, but for the last one
            of an open bin.
        open_end: the last bin holds all that is beyond its lower edge; its upper edge is then the
            largest number.
        median: of all numbers.
        rare: for each bin of at most 4 numbers, the places of these among the numbers; for others
            nothing.
        even: the bins have one width, but for an open one.
    """

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    open_end: bool
    median: float
    rare: tuple[tuple[int, ...], ...]
    even: bool = True


NOTHING = Histogram((), (), False, math.nan, ())


@dataclass(frozen=True)
class _Bins:
    """Edges that come into question; the other two are those of `Histogram`."""

    edges: list[float]
    open_end: bool = False
    even: bool = True


def histogram(values: Any) -> Histogram:
    """Return how many of some finite numbers lie in each of at most 20 bins with round edges.

    The width of a bin is 1, 2 or 5 times a power of ten. Where a few numbers are far beyond all
    others, the last bin is open, so that these do not put all others into one bin. Where one bin
    would hold most of the numbers all the same, only those in the middle have bins of one width,
    and those beyond have bins that widen: 1, 2, 5, 10, 20, 50, and so on.

    >>> histogram([0.11, 0.19, 0.25, 0.4]).edges
    (0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.32, 0.34, 0.36, 0.38, 0.4)
    """
    values = np.asarray(values, np.float64)
    if not values.size:
        return NOTHING
    bins, places = _least_crowded(values)
    counts = np.bincount(places, minlength=len(bins.edges) - 1)
    rare = tuple(
        tuple(np.flatnonzero(places == number).tolist()) if 0 < count <= MOST_RARE else ()
        for number, count in enumerate(counts.tolist())
    )
    return Histogram(
        tuple(counts.tolist()),
        tuple(bins.edges),
        bins.open_end,
        float(np.median(values)),
        rare,
        bins.even,
    )


def bin_of(values: Any, edges: Sequence[float]) -> Any:
    """Return the number of the bin that holds each value, as `Histogram.edges` has it."""
    limits = np.array(edges)
    limits -= ROUNDING * np.abs(limits)
    return np.clip(np.searchsorted(limits, values, side="right") - 1, 0, len(edges) - 2)


def _least_crowded(values: Any) -> tuple[_Bins, Any]:
    """Return the first bins of which none is crowded, with the bin of each number.

    Where there are none, they are those whose fullest bin holds the fewest numbers; of several
    such, the fewest bins.
    """
    chosen: tuple[_Bins, Any] | None = None
    least = (math.inf, 0)
    for bins in _choices(values):
        places = bin_of(values, bins.edges)
        crowding = int(np.bincount(places).max()), len(bins.edges)
        if crowding < least:
            chosen, least = (bins, places), crowding
        if least[0] <= _CROWDED * values.size:
            break
    assert chosen is not None
    return chosen


def _choices(values: Any) -> Iterator[_Bins]:
    """Yield the bins that come into question, the plainest first."""
    low, high = float(values.min()), float(values.max())
    if high - low <= _EQUAL * max(abs(low), abs(high)):
        yield _Bins(_around(low, high))
        return
    bulk = float(np.percentile(values, _BULK))
    if high - low > _TAIL * (bulk - low) and bulk > low:
        yield _Bins([*_even(low, bulk, MOST_BINS - 1), high], open_end=True)
    else:
        yield _Bins(_even(low, high, MOST_BINS))
    if low < 0:
        return
    first, last = np.percentile(values, _MIDDLE, method="inverted_cdf").tolist()
    for middle in (_middle(first, last, low, high), []):
        edges = _with_tails(middle, low, high)
        if len(edges) - 1 <= MOST_BINS:
            yield _Bins(edges, even=False)


def _middle(first: float, last: float, low: float, high: float) -> list[float]:
    """Return edges of one width around the numbers from first to last, and as much beyond."""
    if last - first <= _EQUAL * last:
        return _around(first, last) if last else []
    width = last - first
    return _even(max(low, first - width), min(high, last + width), _MIDDLE_BINS)


def _with_tails(middle: list[float], low: float, high: float) -> list[float]:
    """Return edges from 0 or more to `high`: those of the middle, and beyond it 1, 2, 5, 10, ..."""
    lowest = math.floor(math.log10(max(low, high * _REACH)))
    edges = list(middle) or [float(f"1e{lowest}")]
    if low < edges[0] * (1 - ROUNDING):
        edges.insert(0, 0.0)
    exponent = math.floor(math.log10(edges[-1]))
    while high > edges[-1] * (1 + ROUNDING):
        for factor in _ONE_TWO_FIVE:
            edge = float(f"{factor}e{exponent}")
            if edge > edges[-1] and high > edges[-1] * (1 + ROUNDING):
                edges.append(edge)
        exponent += 1
    return edges


def _around(low: float, high: float) -> list[float]:
    """Return the two edges of a bin for numbers that are equal, or nearly so."""
    size = max(abs(low), abs(high))
    exponent = math.floor(math.log10(size) + ROUNDING) - 1 if size else -1
    step = float(f"1e{exponent}")
    first = math.floor(low / step + ROUNDING)
    last = max(first + 1, math.ceil(high / step - ROUNDING))
    return [float(f"{first}e{exponent}"), float(f"{last}e{exponent}")]


def _even(low: float, high: float, most: int) -> list[float]:
    """Return round edges from at most `low` to at least `high`, for at most so many bins."""
    power = math.floor(math.log10((high - low) / most))
    for exponent in (power, power + 1, power + 2):
        for factor in _ONE_TWO_FIVE:
            step = float(f"{factor}e{exponent}")
            # What lies on an edge but for rounding lies on it.
            slack = min(ROUNDING * max(abs(low), abs(high)), step / 10)
            first, last = math.floor(low / step), math.ceil((high - slack) / step)
            above = (first + 1) * step
            if above - low <= ROUNDING * abs(above):  # as `bin_of` has it: nothing lies on 0 but 0
                first += 1
            if last - first <= most:
                return [float(f"{number * factor}e{exponent}") for number in range(first, last + 1)]
    raise AssertionError("three powers of ten hold any range")
