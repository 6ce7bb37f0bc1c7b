"""Rows that are there twice, or nearly: every pair is compared, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.matrix import parts_of
from embedinspect.source import Source
from embedinspect.stored_rows import FloatArray, Vectors

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

OVER = 0.98
MOST_PAIRS = 20_000_000
_BLOCK = 4096
# So many numbers are kept as unit vectors, a GB; of more, each block is read when it is needed.
_KEPT = 2**28


@dataclass(frozen=True)
class Group:
    """Rows that are linked by pairs of a cosine of at least the threshold.

    Attributes:
        rows: their numbers, ascending.
        nearest: for each of them, the row of the group that is nearest to it.
        cosines: of each such pair, float64.
        copies: how many of the rows are equal to an earlier one, number for number.
    """

    rows: tuple[int, ...]
    nearest: tuple[int, ...]
    cosines: tuple[float, ...]
    copies: int

    @property
    def equal(self) -> bool:
        """Whether all rows are equal, number for number."""
        return self.copies == len(self.rows) - 1

    @property
    def closest(self) -> float:
        """The cosine of its closest pair."""
        return max(self.cosines)


@dataclass(frozen=True)
class Duplicates:
    """The record that `duplicates` prints.

    Attributes:
        source: the source whose rows they are.
        over: the least cosine of a pair.
        compared: how many rows were compared, each with each.
        pairs: how many pairs are that near.
        groups: the rows of these pairs, the group with the closest pair first; of equally close
            ones the one with the first row.
        zero_rows: how many rows are zero; they have no direction and are in no group.
        not_finite: how many rows are not finite.
        beyond: how many rows behind the first ones were not looked at.
    """

    source: Source
    over: float
    compared: int
    pairs: int
    groups: tuple[Group, ...]
    zero_rows: int
    not_finite: int
    beyond: int


def find_duplicates(
    source: Source,
    over: float = OVER,
    first: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Duplicates:
    """Return the groups of rows whose cosine is at least `over`, by comparing every pair.

    Products are in float32; pairs that its rounding could put on either side of the threshold are
    computed again in float64. Memory holds the rows once and a block of products.

    Args:
        first: compare the first rows alone.
        progress: is told, now and then, how many rows have been compared with all behind them.

    Raises:
        DataError: more than 20 million pairs are that near.
    """
    rows = source.matrix.rows
    count = len(rows) if first is None else min(first, len(rows))
    lengths = _lengths(rows, count)
    finite = np.isfinite(lengths)
    chosen = np.flatnonzero(finite & (lengths > 0))
    links = _Links(len(chosen))
    pairs = 0
    for left, right, cosines in _near_pairs(rows, chosen, lengths, over, progress):
        pairs += len(left)
        if pairs > MOST_PAIRS:
            raise DataError(
                f"more than {MOST_PAIRS:,} pairs of rows have a cosine of {over:g} or more, as "
                "where nearly all rows point the same way; expected fewer; give a higher --over, "
                "or --first N"
            )
        links.add(left, right, cosines)
    groups = sorted(
        (_group(rows, chosen, members, links.nearest) for members in links.groups()),
        key=lambda group: (-group.closest, group.rows[0]),
    )
    return Duplicates(
        source=source,
        over=over,
        compared=len(chosen),
        pairs=pairs,
        groups=tuple(groups),
        zero_rows=int((lengths == 0).sum()),
        not_finite=int((~finite).sum()),
        beyond=len(rows) - count,
    )


def _lengths(rows: Vectors, count: int) -> Doubles:
    """Return the lengths of the first rows in float64, which holds that of any float32 row."""
    lengths = np.empty(count)
    for start, part in parts_of(rows, stop=count):
        wide = part.astype(np.float64)
        lengths[start : start + len(part)] = np.sqrt(np.vecdot(wide, wide))
    return lengths


def _near_pairs(
    rows: Vectors,
    chosen: Rows,
    lengths: Doubles,
    over: float,
    progress: Callable[[int], None] | None,
) -> Iterator[tuple[Rows, Rows, FloatArray]]:
    """Yield places among the chosen rows, the first before the second, and their cosines."""
    # The error of a sum of so many products, and of the lengths.
    margin = np.float32(1.2e-7 * rows.shape[1] + 1e-6)
    units = _Units(rows, chosen, lengths)
    starts = range(0, len(chosen), _BLOCK)
    for start in starts:
        here = units.part(start, start + _BLOCK)
        for other in range(start, len(chosen), _BLOCK):
            products = here @ (here if other == start else units.part(other, other + _BLOCK)).T
            if other == start:
                products[np.tri(len(products), dtype=np.bool_)] = -2
            flat = np.flatnonzero(products.ravel() >= over - margin)
            if not len(flat):
                continue
            left, right = np.divmod(flat, products.shape[1])
            cosines = products.ravel()[flat]
            left, right = left + start, right + other
            unsure = np.flatnonzero(np.abs(cosines - np.float32(over)) <= margin)
            sure = np.ones(len(flat), np.bool_)
            exact = _cosines(rows, chosen[left[unsure]], chosen[right[unsure]])
            sure[unsure] = exact >= over
            yield left[sure], right[sure], cosines[sure]
        if progress is not None:
            progress(min(start + _BLOCK, len(chosen)))


class _Units:
    """The chosen rows with a length of 1: all of them kept where there is room, or read again."""

    def __init__(self, rows: Vectors, chosen: Rows, lengths: Doubles) -> None:
        self._rows, self._chosen, self._lengths = rows, chosen, lengths
        self._kept: FloatArray | None = None
        if len(chosen) * rows.shape[1] <= _KEPT:
            self._kept = np.empty((len(chosen), rows.shape[1]), np.float32)
            for start in range(0, len(chosen), _BLOCK):
                self._kept[start : start + _BLOCK] = self._read(start, start + _BLOCK)

    def part(self, start: int, stop: int) -> FloatArray:
        return self._read(start, stop) if self._kept is None else self._kept[start:stop]

    def _read(self, start: int, stop: int) -> FloatArray:
        some = self._chosen[start:stop]
        wide = self._rows[some].astype(np.float64)  # very small and very large rows, too
        wide /= self._lengths[some, None]
        units: FloatArray = wide.astype(np.float32)
        return units


def _cosines(rows: Vectors, left: Rows, right: Rows) -> Doubles:
    """Return the cosine of each pair of rows in float64."""
    cosines = np.empty(len(left))
    step = max(1, 2**20 // rows.shape[1])
    for start in range(0, len(left), step):
        one = rows[left[start : start + step]].astype(np.float64)
        other = rows[right[start : start + step]].astype(np.float64)
        lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        cosines[start : start + step] = np.vecdot(one, other) / lengths
    return np.minimum(cosines, 1.0)


class _Links:
    """Which places are linked, and the nearest of each."""

    def __init__(self, count: int) -> None:
        self._root = np.arange(count)
        self._best = np.full(count, -np.inf, np.float32)
        self.nearest = np.full(count, -1, np.int64)

    def add(self, left: Rows, right: Rows, cosines: FloatArray) -> None:
        """Link pairs of places."""
        for one, other in ((left, right), (right, left)):
            order = np.lexsort((-other, cosines))  # the last one written is the nearest
            best = np.full(len(self._best), -np.inf, np.float32)
            best[one[order]] = cosines[order]
            nearest = np.full(len(self._best), -1, np.int64)
            nearest[one[order]] = other[order]
            better = best > self._best
            self._best[better], self.nearest[better] = best[better], nearest[better]
        self._join(left, right)

    def _join(self, left: Rows, right: Rows) -> None:
        """Give linked places the smallest of their roots, until nothing changes."""
        while True:
            one, other = self._root[left], self._root[right]
            apart = one != other
            if not apart.any():
                return
            low, high = np.minimum(one, other)[apart], np.maximum(one, other)[apart]
            np.minimum.at(self._root, high, low)
            while True:  # shorten the ways to the roots
                further = self._root[self._root]
                if (further == self._root).all():
                    break
                self._root = further

    def groups(self) -> Iterator[Rows]:
        """Yield the places of each group, ascending."""
        linked = np.flatnonzero(self.nearest >= 0)
        order = linked[np.argsort(self._root[linked], kind="stable")]
        edges = np.flatnonzero(np.diff(self._root[order])) + 1
        if len(order):
            yield from np.split(order, edges)


def _group(rows: Vectors, chosen: Rows, members: Rows, nearest: Rows) -> Group:
    numbers, others = chosen[members], chosen[nearest[members]]
    # 0 is added since -0 equals it, with other bits.
    different = {(row + 0).tobytes() for part in _parts(rows, numbers) for row in part}
    return Group(
        rows=tuple(numbers.tolist()),
        nearest=tuple(others.tolist()),
        cosines=tuple(_cosines(rows, numbers, others).tolist()),
        copies=len(numbers) - len(different),
    )


def _parts(rows: Vectors, numbers: Rows) -> Iterator[FloatArray]:
    step = max(1, 2**20 // rows.shape[1])
    for start in range(0, len(numbers), step):
        yield rows[numbers[start : start + step]]
