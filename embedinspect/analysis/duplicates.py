"""Rows that are there twice, or nearly: every pair is compared, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from embedinspect.analysis.near_pairs import (
    ClosePairs,
    Doubles,
    NearPairs,
    PairMetric,
    Rows,
    lengths_of,
)
from embedinspect.errors import DataError
from embedinspect.source import Source
from embedinspect.stored_rows import FloatArray, Vectors

OVER = 0.98
MOST_PAIRS = 20_000_000


@dataclass(frozen=True)
class Group:
    """Rows that are linked by pairs that are near enough.

    Attributes:
        rows: their numbers, ascending.
        nearest: for each of them, the row of the group that is nearest to it.
        scores: of each such pair, float64: its cosine, or its Euclidean distance.
        closest: the score of its closest pair.
        copies: how many of the rows are equal to an earlier one, number for number.
    """

    rows: tuple[int, ...]
    nearest: tuple[int, ...]
    scores: tuple[float, ...]
    closest: float
    copies: int

    @property
    def equal(self) -> bool:
        """Whether all rows are equal, number for number."""
        return self.copies == len(self.rows) - 1


@dataclass(frozen=True)
class Duplicates:
    """The record that `duplicates` prints.

    Attributes:
        source: the source whose rows they are.
        metric: how pairs were compared.
        threshold: the least cosine of a pair, or its largest Euclidean distance.
        compared: how many rows were compared, each with each.
        pairs: how many pairs are that near.
        groups: the rows of these pairs, the group with the closest pair first; of equally close
            ones the one with the first row.
        zero_rows: how many rows are zero; by cosine they have no direction and are in no group.
        not_finite: how many rows are not finite.
        beyond: how many rows behind the first ones were not looked at.
    """

    source: Source
    metric: PairMetric
    threshold: float
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
    *,
    within: float | None = None,
) -> Duplicates:
    """Return the groups of rows that are near each other, by comparing every pair.

    Memory holds the rows once and a block of products.

    Args:
        over: the least cosine of a pair.
        first: compare the first rows alone.
        progress: is told, now and then, how many rows are done, by the share of pairs compared.
        within: compare by Euclidean distance, of which this is the largest of a pair, and not by
            cosine.

    Raises:
        DataError: more than 20 million pairs are that near.
    """
    rows = source.matrix.rows
    count = len(rows) if first is None else min(first, len(rows))
    lengths = lengths_of(rows, count)
    finite, has_direction = np.isfinite(lengths), lengths > 0
    near: NearPairs
    if within is None:
        chosen, threshold = np.flatnonzero(finite & has_direction), over
        near = NearPairs(rows, chosen, over)
    else:
        chosen, threshold = np.flatnonzero(finite), within
        near = ClosePairs(rows, chosen, within)
    links = _Links(len(chosen))
    pairs = 0
    for left, right, closeness in near.found(progress):
        pairs += len(left)
        if pairs > MOST_PAIRS:
            raise _too_many(over, within)
        links.add(left, right, closeness)
    groups = [_group(near, members, links.nearest) for members in links.groups()]
    sign = -1 if within is None else 1
    return Duplicates(
        source=source,
        metric="cosine" if within is None else "euclidean",
        threshold=threshold,
        compared=len(chosen),
        pairs=pairs,
        groups=tuple(sorted(groups, key=lambda group: (sign * group.closest, group.rows[0]))),
        zero_rows=int((~has_direction & finite).sum()),
        not_finite=int((~finite).sum()),
        beyond=len(rows) - count,
    )


def _too_many(over: float, within: float | None) -> DataError:
    many = f"more than {MOST_PAIRS:,} pairs of rows"
    if within is not None:
        return DataError(
            f"{many} are within a distance of {within:g}; expected fewer; give a lower --within, "
            "or --first N"
        )
    return DataError(
        f"{many} have a cosine of {over:g} or more, as where nearly all rows point the same way; "
        "expected fewer; give a higher --over, or --first N"
    )


class _Links:
    """Which places are linked, and the nearest of each."""

    def __init__(self, count: int) -> None:
        self._root = np.arange(count)
        self._best = np.full(count, -np.inf)
        self.nearest = np.full(count, -1, np.int64)

    def add(self, left: Rows, right: Rows, closeness: Doubles) -> None:
        """Link pairs of places."""
        for one, other in ((left, right), (right, left)):
            order = np.lexsort((other, -closeness, one))  # of each its nearest stands first
            order = order[np.diff(one[order], prepend=-1) > 0]
            places, nearest, best = one[order], other[order], closeness[order]
            before = self._best[places]
            better = (best > before) | (best == before) & (nearest < self.nearest[places])
            places = places[better]
            self._best[places], self.nearest[places] = best[better], nearest[better]
        self._join(left, right)

    def _join(self, left: Rows, right: Rows) -> None:
        """Give linked places the smallest of their roots, until nothing changes."""
        while True:
            one, other = self._roots_of(left), self._roots_of(right)
            apart = one != other
            if not apart.any():
                return
            low, high = np.minimum(one, other)[apart], np.maximum(one, other)[apart]
            np.minimum.at(self._root, high, low)

    def _roots_of(self, places: Rows) -> Rows:
        """Return the roots of places, and shorten the ways to them."""
        roots = self._root[places]
        while True:
            further = self._root[roots]
            if (further == roots).all():
                self._root[places] = roots
                return roots
            roots = further

    def groups(self) -> Iterator[Rows]:
        """Yield the places of each group, ascending."""
        linked = np.flatnonzero(self.nearest >= 0)
        roots = self._roots_of(linked)
        order = linked[np.argsort(roots, kind="stable")]
        edges = np.flatnonzero(np.diff(self._root[order])) + 1
        if len(order):
            yield from np.split(order, edges)


def _group(near: NearPairs, members: Rows, nearest: Rows) -> Group:
    numbers, others = near.chosen[members], near.chosen[nearest[members]]
    # 0 is added since -0 equals it, with other bits. Rows themselves might be too many to keep.
    different = {
        blake2b((row + 0).tobytes(), digest_size=16).digest()
        for part in _parts(near.rows, numbers)
        for row in part
    }
    scores = near.scores(numbers, others)
    return Group(
        rows=tuple(numbers.tolist()),
        nearest=tuple(others.tolist()),
        scores=tuple(scores.tolist()),
        closest=float(scores.min() if isinstance(near, ClosePairs) else scores.max()),
        copies=len(numbers) - len(different),
    )


def _parts(rows: Vectors, numbers: Rows) -> Iterator[FloatArray]:
    step = max(1, 2**20 // rows.shape[1])
    for start in range(0, len(numbers), step):
        yield rows[numbers[start : start + step]]
