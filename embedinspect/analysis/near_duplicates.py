"""Pairs of rows that point almost the same way, found exactly and in bounded time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from embedinspect.analysis.health import Doubles, Rows
from embedinspect.stored_rows import FloatArray, Vectors

COSINE = 0.999
MOST_ROWS = 65_536
FEWEST_DIMENSIONS = 8
_MOST_CANDIDATES = 2_000_000
_DIRECTIONS, _GRID = 16, 4
_SAMPLE, _ROUNDS = 2048, 6
_PAIRS_AT_ONCE = 2**20
_NUMBERS_AT_ONCE = 2**20
# A common direction this strong makes all cosines large, so that they tell nothing.
_MOST_COMMON = 0.9


@dataclass(frozen=True)
class NearDuplicates:
    """Rows that point almost as an earlier one does, though they are not equal to it.

    Attributes:
        rows: their numbers, ascending.
        near: for each of them, the earlier row that is nearest in direction.
        cosines: of each such pair.
        whole: whether there are no more; too many candidates end the search.
    """

    rows: Rows
    near: Rows
    cosines: Doubles
    whole: bool


def near_duplicates(rows: Vectors, lengths: FloatArray) -> NearDuplicates | None:
    """Return the rows among the first 65,536 whose cosine to an earlier one is above 0.999.

    Two unit vectors with that cosine are less than 0.0448 apart, and so are their projections.
    Rows are put into cells of that width along the four directions of their largest variance, so
    that each is compared with those of its own and the neighboring cells alone: first in 16
    dimensions, and what is left in all of them, in float64.

    Returns:
        None where cosines say nothing: in few dimensions, or where all rows point the same way.
    """
    lengths = lengths[:MOST_ROWS]
    sound = np.flatnonzero(np.isfinite(lengths) & (lengths > 0))
    if rows.shape[1] < FEWEST_DIMENSIONS or len(sound) < 2:
        return None
    projected = _projected(rows, lengths, sound)
    if projected is None:
        return None
    first: dict[int, tuple[float, int]] = {}
    seen = 0
    for left, right in _candidates(projected):
        _keep_nearest(first, rows, sound[left], sound[right])
        seen += len(left)
        if seen > _MOST_CANDIDATES:
            break
    later = sorted(first)
    return NearDuplicates(
        rows=np.array(later, np.int64),
        near=np.array([first[row][1] for row in later], np.int64),
        cosines=np.array([first[row][0] for row in later]),
        whole=seen <= _MOST_CANDIDATES,
    )


def _projected(rows: Vectors, lengths: FloatArray, sound: Rows) -> FloatArray | None:
    """Return the directions of some rows, projected; None where all are much the same."""

    def units_of(some: Rows) -> FloatArray:
        units: FloatArray = rows[some] / lengths[some, None]
        return units

    sample = units_of(sound[:: max(1, len(sound) // _SAMPLE)])
    directions = _directions(sample)
    projected = np.empty((len(sound), directions.shape[1]), np.float32)
    total = np.zeros(rows.shape[1])
    step = max(1, _NUMBERS_AT_ONCE // rows.shape[1])
    for start in range(0, len(sound), step):
        units = units_of(sound[start : start + step])
        total += units.sum(axis=0)
        np.matmul(units, directions, out=projected[start : start + step])
    common = float(np.linalg.norm(total)) / len(sound)
    return projected if common <= _MOST_COMMON else None


def _directions(sample: FloatArray) -> FloatArray:
    """Return orthonormal directions, shape (dims, 16 or fewer): about those of largest variance.

    They are found by subspace iteration. Any would do; with these, fewer rows share a cell.

    Args:
        sample: of the unit vectors, shape (k, dims).
    """
    width = sample.shape[1]
    centred = sample - sample.mean(axis=0)
    directions = np.random.RandomState(0).standard_normal((width, min(_DIRECTIONS, width)))
    for _ in range(_ROUNDS):
        varied = centred.T @ (centred @ directions.astype(np.float32))
        directions, _ = np.linalg.qr(varied.astype(np.float64))
    return np.ascontiguousarray(directions, np.float32)


def _candidates(projected: FloatArray) -> Iterator[tuple[Rows, Rows]]:
    """Yield pairs of rows that are close in the projection.

    Distances are summed direction by direction, as most pairs are too far apart after a few.
    """
    limit = 2 * (1 - COSINE) + 1e-5  # the squared distance of unit vectors, and rounding
    columns = np.ascontiguousarray(projected.T)
    for left, right in _pairs_of_cells(np.floor(projected[:, :_GRID] / limit**0.5)):
        squares = np.zeros(len(left), np.float32)
        for place, column in enumerate(columns):
            apart = column[left] - column[right]
            squares += apart * apart
            if place % 2 or place == len(columns) - 1:
                near = np.flatnonzero(squares <= limit)
                left, right, squares = left[near], right[near], squares[near]
        yield left, right


def _pairs_of_cells(places: FloatArray) -> Iterator[tuple[Rows, Rows]]:
    """Yield every pair of rows of the same or of neighboring cells once, some at a time.

    Args:
        places: whole numbers, the cell of each row along each axis of the grid.
    """
    cells = (places - places.min(axis=0) + 1).astype(np.int64)
    strides = np.cumprod([1, *(cells.max(axis=0) + 2)])[:-1]
    keys = cells @ strides
    order = np.argsort(keys, kind="stable")
    occupied, starts, counts = np.unique(keys[order], return_index=True, return_counts=True)
    for offset in product((-1, 0, 1), repeat=cells.shape[1]):
        if offset < (0,) * cells.shape[1]:
            continue  # the opposite offset has these pairs
        targets = occupied + int(np.dot(offset, strides))
        found = np.minimum(np.searchsorted(occupied, targets), len(occupied) - 1)
        (one,) = np.nonzero(occupied[found] == targets)
        other = found[one]
        for part in _parts(counts[one] * counts[other]):
            left, right = _every_pair(starts, counts, one[part], other[part])
            if not any(offset):
                left, right = left[left < right], right[left < right]
            yield order[left], order[right]


def _parts(sizes: Rows) -> Iterator[slice]:
    """Yield slices of some sizes whose sums are bounded, if not by a single one."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _PAIRS_AT_ONCE, side="right")))
        yield slice(start, stop)
        start = stop


def _every_pair(starts: Rows, counts: Rows, one: Rows, other: Rows) -> tuple[Rows, Rows]:
    """Return every pair of a place in the cell `one` and a place in the cell `other`."""
    sizes = counts[one] * counts[other]
    within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    across = np.repeat(counts[other], sizes)
    along = within // across
    left = np.repeat(starts[one], sizes) + along
    right = np.repeat(starts[other], sizes) + within - along * across
    return left, right


def _keep_nearest(
    first: dict[int, tuple[float, int]], rows: Vectors, left: Any, right: Any
) -> None:
    """Keep for the later row of each pair the earlier one that is nearest, and its cosine."""
    step = max(1, 2**22 // rows.shape[1])
    for start in range(0, len(left), step):
        a, b = left[start : start + step], right[start : start + step]
        one, other = rows[a].astype(np.float64), rows[b].astype(np.float64)
        cosines = np.einsum("ij,ij->i", one, other)
        cosines /= np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        unequal = (one != other).any(axis=1)
        for place in np.flatnonzero((cosines > COSINE) & unequal).tolist():
            earlier, later = sorted((int(a[place]), int(b[place])))
            best = first.get(later)
            candidate = (float(cosines[place]), earlier)
            if best is None or (-candidate[0], earlier) < (-best[0], best[1]):
                first[later] = candidate
