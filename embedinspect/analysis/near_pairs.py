"""Pairs of rows that are near each other, by comparing every pair, in blocks.

Products are in float32. Pairs that their rounding could put on either side of the threshold are
computed again in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from embedinspect.matrix import parts_of
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray, Vectors

PairMetric = Literal["cosine", "euclidean"]
Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

BLOCK = 4096
# So many numbers are kept as they are multiplied, half a GB; of more, each block is read anew.
_KEPT = 2**27
_NUMBERS_AT_ONCE = 2**20
_EPS = 1.2e-7  # of float32
_NEARLY_1 = 0.999
_TINY = 1e-35  # below it, float32 has fewer digits


class NearPairs:
    """The pairs among some rows whose cosine is at least a threshold.

    Attributes:
        chosen: the rows that take part; places are places among these.
    """

    def __init__(self, rows: Vectors, chosen: Rows, threshold: float) -> None:
        self.rows, self.chosen, self.threshold = rows, chosen, threshold
        self._kept: FloatArray | None = None

    def found(
        self, progress: Callable[[int], None] | None = None
    ) -> Iterator[tuple[Rows, Rows, Doubles]]:
        """Yield pairs of places, the first before the second, and how close they are.

        Args:
            progress: is told, now and then, how many rows are done, by the share of the pairs that
                have been compared: time goes by with these.
        """
        count = len(self.chosen)
        if count * self.rows.shape[1] <= _KEPT:
            self._kept = np.empty((count, self.rows.shape[1]), np.float32)
            for start in range(0, count, BLOCK):
                self._kept[start : start + BLOCK] = self._prepared(start, start + BLOCK)
        done = 0
        for start in range(0, count, BLOCK):
            here = self._part(start, start + BLOCK)
            for other in range(start, count, BLOCK):
                there = here if other == start else self._part(other, other + BLOCK)
                left, right, closeness = self._candidates(here, there, same=other == start)
                if len(left):
                    yield self._sure(left + start, right + other, closeness)
                done += (1 if other == start else 2) * len(here) * len(there)
                if progress is not None:
                    progress(done // count)

    def scores(self, left: Rows, right: Rows) -> Doubles:
        """Return the cosine of each pair of rows, by their numbers, in float64.

        Near 1 it is 1 - |x - y|**2 / 2 of the directions x and y, whose rounding is that of their
        difference: so it is exactly 1 where a row is a multiple of the other, and 1 - 5e-15 keeps
        its digits.
        """
        cosines = np.empty(len(left))
        for own, one, other in self._pairs(left, right):
            one /= np.linalg.norm(one, axis=1)[:, None]
            other /= np.linalg.norm(other, axis=1)[:, None]
            products = np.vecdot(one, other)
            near = np.flatnonzero(products > _NEARLY_1)
            apart = one[near] - other[near]
            products[near] = 1 - np.vecdot(apart, apart) / 2
            cosines[own] = products
        return cosines

    def _pairs(self, left: Rows, right: Rows) -> Iterator[tuple[slice, Doubles, Doubles]]:
        step = max(1, _NUMBERS_AT_ONCE // self.rows.shape[1])
        for start in range(0, len(left), step):
            own = slice(start, start + step)
            yield (
                own,
                self.rows[left[own]].astype(np.float64),
                self.rows[right[own]].astype(np.float64),
            )

    def _part(self, start: int, stop: int) -> FloatArray:
        return self._prepared(start, stop) if self._kept is None else self._kept[start:stop]

    def _prepared(self, start: int, stop: int) -> FloatArray:
        """Return chosen rows with a length of 1."""
        wide = self._wide(start, stop)
        wide /= np.sqrt(np.vecdot(wide, wide))[:, None]
        return np.asarray(wide, np.float32)

    def _wide(self, start: int, stop: int) -> Doubles:
        """Return chosen rows in float64, which holds the squares of very small ones, too."""
        return np.asarray(self.rows[self.chosen[start:stop]], np.float64)

    @property
    def _margin(self) -> np.float32:
        """How far a cosine may be off: the error of a sum of so many products, and of lengths."""
        return np.float32(_EPS * self.rows.shape[1] + 1e-6)

    def _candidates(
        self, here: FloatArray, there: FloatArray, *, same: bool
    ) -> tuple[Rows, Rows, Doubles]:
        """Return pairs of places in two blocks that could be near, and how close they seem."""
        products = here @ there.T
        if same:
            products[np.tri(len(products), dtype=np.bool_)] = -2
        flat = np.flatnonzero(products.ravel() >= self.threshold - self._margin)
        left, right = np.divmod(flat, products.shape[1])
        return left, right, products.ravel()[flat].astype(np.float64)

    def _sure(self, left: Rows, right: Rows, closeness: Doubles) -> tuple[Rows, Rows, Doubles]:
        """Return the pairs that are near."""
        # All that are not clearly above: where the margin ends below is itself rounded.
        unsure = np.flatnonzero(closeness <= self.threshold + self._margin)
        sure = np.ones(len(left), np.bool_)
        exact = self.scores(self.chosen[left[unsure]], self.chosen[right[unsure]])
        sure[unsure] = exact >= self.threshold
        return left[sure], right[sure], closeness[sure]


class ClosePairs(NearPairs):
    """The pairs among some rows whose Euclidean distance is at most a threshold.

    How close they are is their distance, negative. Distances do not change where all rows are moved
    or scaled: so the mean row is taken from each, which spares digits where rows share an offset,
    and the longest gets a length of 1.
    """

    def __init__(self, rows: Vectors, chosen: Rows, threshold: float) -> None:
        super().__init__(rows, chosen, threshold)
        parts = range(0, len(chosen), max(1, _NUMBERS_AT_ONCE // rows.shape[1]))
        sums = [self._wide(start, start + parts.step).sum(axis=0) for start in parts]
        self._middle = np.sum(sums, axis=0) / max(1, len(chosen))
        longest = 0.0
        for start in parts:
            moved = self._wide(start, start + parts.step) - self._middle
            longest = max(longest, float(np.vecdot(moved, moved).max()))
        self._scale = longest**0.5 or 1.0

    def scores(self, left: Rows, right: Rows) -> Doubles:
        """Return the distance of each pair of rows, by their numbers, in float64."""
        distances = np.empty(len(left))
        for own, one, other in self._pairs(left, right):
            one -= other
            distances[own] = np.sqrt(np.vecdot(one, one))
        return distances

    def _prepared(self, start: int, stop: int) -> FloatArray:
        """Return chosen rows around their middle, the longest with a length of 1."""
        moved = (self._wide(start, stop) - self._middle) / self._scale
        return np.asarray(moved, np.float32)

    def _candidates(
        self, here: FloatArray, there: FloatArray, *, same: bool
    ) -> tuple[Rows, Rows, Doubles]:
        ours, theirs = np.vecdot(here, here), np.vecdot(there, there)
        # Squared distances are |x|**2 + |y|**2 - 2 x . y, which may be off by a share of
        # |x|**2 + |y|**2, for the sums and for the rounding of the rows themselves.
        share = np.float32(_EPS * (self.rows.shape[1] + 32))
        least = here @ there.T
        least *= -2
        least += (ours * (1 - share))[:, None]
        least += theirs * (1 - share)
        if same:
            least[np.tri(len(least), dtype=np.bool_)] = np.inf
        most = min(self.threshold / self._scale, 3.0) ** 2 + _TINY  # no two are 3 apart
        flat = np.flatnonzero(least.ravel() <= most)
        left, right = np.divmod(flat, least.shape[1])
        return left, right, np.empty(0)

    def _sure(self, left: Rows, right: Rows, closeness: Doubles) -> tuple[Rows, Rows, Doubles]:
        distances = self.scores(self.chosen[left], self.chosen[right])
        near = distances <= self.threshold
        return left[near], right[near], -distances[near]


def lengths_of(rows: Vectors, count: int) -> Doubles:
    """Return the lengths of the first rows in float64, which holds that of any float32 row."""
    lengths = np.empty(count)
    measured = stage("their lengths", count)
    for start, part in parts_of(rows, stop=count):
        wide = part.astype(np.float64)
        lengths[start : start + len(part)] = np.sqrt(np.vecdot(wide, wide))
        measured(len(part))
    return lengths
