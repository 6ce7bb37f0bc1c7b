"""The record of `diff`: arrays with a number for each pair of rows, objects for what is told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from embedinspect.analysis.diff.matching import Pairs, Repeats
from embedinspect.analysis.diff.relation import Elsewhere, Relation
from embedinspect.analysis.nearest import Metric
from embedinspect.source import Source

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

# Random directions in a few dimensions agree by chance; a trained pair moves as one.
_APART = 0.5
_ABOVE_CHANCE = 0.3  # of the way from what unrelated rows come to by a turn to 1


@dataclass(frozen=True)
class Moved:
    """A word that both matrices share, and how its row moved.

    Attributes:
        word: the word, or `#` and the row's number where rows are compared by number.
        row_a: its row in the first matrix.
        row_b: its row in the second matrix.
        distance: the Euclidean distance between the two rows; NaN where they differ in width.
        cosine: the cosine between them; NaN where one is zero, or they differ in width.
        length_a: the length of its row in the first matrix.
        length_b: the length of its row in the second matrix.
        gained: words among the nearest k in the second matrix alone.
        lost: words among the nearest k in the first matrix alone.
        overlap: the share of the nearest k that both have; None where neighbors were not compared.
    """

    word: str
    row_a: int
    row_b: int
    distance: float
    cosine: float
    length_a: float
    length_b: float
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    overlap: float | None = None


@dataclass(frozen=True)
class Around:
    """What became of the nearest k of one row.

    Attributes:
        gained: places of the rows that are among them in the second matrix alone.
        lost: places of those that are among them in the first matrix alone.
        overlap: the share of the k that both have.
    """

    gained: tuple[int, ...]
    lost: tuple[int, ...]
    overlap: float


@dataclass(frozen=True)
class Measures:
    """Numbers of every pair of rows, arrays of the same length, float64.

    Attributes:
        distance: the Euclidean distance between the two rows; None where they differ in width.
        cosine: the cosine between them, NaN where one is zero; None where they differ in width.
        length_a: the length of the row in the first matrix.
        length_b: the length of the row in the second matrix.
        equal: whether the two rows are equal, number for number.
    """

    distance: Doubles | None
    cosine: Doubles | None
    length_a: Doubles
    length_b: Doubles
    equal: Mask


def cosines_of(measures: Measures) -> Doubles | None:
    """Return the cosines as they count: 0 for a row that is zero in one matrix alone."""
    if measures.cosine is None:
        return None
    return np.where(zero_in_one(measures), 0.0, measures.cosine)


def zero_in_one(measures: Measures) -> Mask:
    """Return which rows are zero in one matrix and not in the other."""
    return np.asarray((measures.length_a == 0) != (measures.length_b == 0))


@dataclass(frozen=True)
class Similarities:
    """Whether rows that are alike in one matrix are alike in the other, by a sample of pairs.

    Attributes:
        correlation: Spearman's rank correlation of the cosines of pairs of rows in the first
            matrix with those of the same pairs in the second; None where one does not vary.
        floor: what it stays at or below in 95 of 100 cases where the rows of the second are
            shuffled.
        rows: how many rows were drawn.
        pairs: how many pairs of them.
    """

    correlation: float | None
    floor: float | None
    rows: int
    pairs: int

    @property
    def all_pairs(self) -> bool:
        """Whether these are all pairs of those rows."""
        return self.pairs == self.rows * (self.rows - 1) // 2


@dataclass(frozen=True)
class Difference:
    """The record that `diff` prints.

    Attributes:
        a: the first source.
        b: the second source.
        pairs: the matched rows that are finite in both.
        shared: how many rows are matched.
        only_a: how many rows of the first matrix have no partner.
        only_b: how many rows of the second matrix have none.
        repeats_a: rows of the first matrix that are left out, as an earlier row has their word.
        repeats_b: those of the second matrix.
        not_finite: how many matched rows could not be compared.
        broken_a: those of them that are not finite in the first matrix alone.
        broken_b: those that are not finite in the second matrix alone.
        measures: of every pair.
        order: places of the pairs that are told of: the one that moved farthest first, or where
            rows differ in width, the one that keeps the fewest neighbors.
        mean_distance: the mean distance of the rows that are told of.
        mean_cosine: the mean of their cosines; 0 counts for a row that is zero in one matrix alone,
            and one that is zero in both does not count.
        aligned: whether the second matrix was turned onto the first.
        mean_cosine_aligned: that mean cosine after such a turn, as a hint; None where it was not
            tried.
        neighbors: the k of the nearest k that were compared; 0 for none.
        around: what became of the neighbors of rows, by their places.
        overlap: the mean share of the nearest k that both have, over the words it was computed for.
        overlap_words: how many words that are.
        similarities: whether rows that are alike in one matrix are alike in the other.
        dims: how many first numbers of the rows of each matrix were compared; None for all.
        metric: how nearness of neighbors was measured.
        relation: how one matrix comes of the other, before a turn; None where that is not known.
        elsewhere: that rows of the second matrix are rows of the first at other places; None where
            that does not seem so, or where the relation says all.
    """

    a: Source
    b: Source
    pairs: Pairs
    shared: int
    only_a: int
    only_b: int
    repeats_a: Repeats | None
    repeats_b: Repeats | None
    not_finite: int
    broken_a: Pairs
    broken_b: Pairs
    measures: Measures
    order: Rows
    mean_distance: float
    mean_cosine: float
    aligned: bool
    mean_cosine_aligned: float | None
    neighbors: int
    around: Mapping[int, Around]
    overlap: float | None
    overlap_words: int
    similarities: Similarities
    dims: tuple[int | None, int | None] = (None, None)
    metric: Metric = "cosine"
    relation: Relation | None = None
    elsewhere: Elsewhere | None = None

    @property
    def by(self) -> str:
        """What rows are matched by.

        `word`, or `row` where not both have words, or where both have the same words on the same
        rows and some rows have none; then these are compared, too.
        """
        return self.pairs.by

    @property
    def dimensions(self) -> int:
        """How many dimensions the first matrix has."""
        return self.pairs.widths[0]

    @property
    def same_width(self) -> bool:
        """Whether rows of both can be laid upon each other."""
        return self.measures.distance is not None

    @property
    def overlap_by_chance(self) -> float | None:
        """The mean overlap where the rows of the second matrix are shuffled: k of all others."""
        return self.neighbors / (len(self.pairs) - 1) if self.neighbors else None

    @property
    def moved(self) -> Sequence[Moved]:
        """Every pair that is told of, in their order; each is made when it is looked at."""
        return _Rows(self, self.order)

    @property
    def that_moved(self) -> Sequence[Moved]:
        """Those of them that moved at all, the farthest first; all where widths differ."""
        distance = self.measures.distance
        if distance is None:
            return self.moved
        # The order falls, and what did not move is at its end.
        count = int((distance[self.order] > 0).sum())
        return _Rows(self, self.order[:count])

    @property
    def changed(self) -> Sequence[Moved]:
        """Those whose neighbors were compared, the one that keeps the fewest first."""
        places = sorted(self.around, key=lambda place: (self.around[place].overlap, place))
        return _Rows(self, np.array(places, np.int64))

    @property
    def distances(self) -> Doubles:
        """The distances of the pairs that moved, in their order; none where widths differ."""
        if self.measures.distance is None:
            return np.empty(0)
        return self.measures.distance[self.order[: len(self.that_moved)]]

    @property
    def unmoved(self) -> Rows:
        """Places of the pairs that are told of and equal, number for number."""
        return np.sort(self.order[self.measures.equal[self.order]])

    @property
    def of_all(self) -> bool:
        """Whether all rows are told of, and not some that were named."""
        return len(self.order) == len(self.pairs)

    @property
    def cosine_rows(self) -> int:
        """How many rows the mean cosine is taken over."""
        return len(self.order) - self._count_of(
            (self.measures.length_a == 0) & (self.measures.length_b == 0)
        )

    @property
    def zero_in_one(self) -> int:
        """How many of the rows that are told of are zero in one matrix alone."""
        return self._count_of(zero_in_one(self.measures))

    def _count_of(self, mask: Mask) -> int:
        return int(mask[self.order].sum())

    def at(self, place: int) -> Moved:
        """Return the pair at a place."""
        measures, name = self.measures, self.pairs.name
        around = self.around.get(place)
        nan = float("nan")
        return Moved(
            word=name(place),
            row_a=self.pairs.row_a(place),
            row_b=self.pairs.row_b(place),
            distance=nan if measures.distance is None else float(measures.distance[place]),
            cosine=nan if measures.cosine is None else float(measures.cosine[place]),
            length_a=float(measures.length_a[place]),
            length_b=float(measures.length_b[place]),
            gained=() if around is None else tuple(map(name, around.gained)),
            lost=() if around is None else tuple(map(name, around.lost)),
            overlap=None if around is None else around.overlap,
        )

    @property
    def apart(self) -> bool:
        """Whether rows cannot be laid upon each other: they differ in width, or in direction."""
        return not self.same_width or self.mean_cosine < _APART

    @property
    def trained_apart(self) -> bool:
        """Whether a turn would bring the two much closer: they do not share their axes.

        Where it is known how one comes of the other, they were not trained apart, and rows that
        are matched with the wrong ones tell nothing of it. Unrelated rows come closer, too, the
        more so the fewer there are for their dimensions: the mean cosine of n rows of d independent
        normal numbers comes to about 8 / 3 pi sqrt(d / n), since the singular values of such a
        product are spread over a quarter of a circle (Marchenko and Pastur 1967).
        """
        by_chance = 8 / (3 * math.pi) * math.sqrt(self.dimensions / len(self.pairs))
        return (
            not self.aligned
            and self.relation is None
            and self.elsewhere is None
            and self.mean_cosine_aligned is not None
            and self.mean_cosine < _APART
            and self.mean_cosine_aligned > self.mean_cosine + 0.2
            and self.mean_cosine_aligned > by_chance + _ABOVE_CHANCE * (1 - by_chance)
        )

    @property
    def always_fits(self) -> bool:
        """Whether so few rows were turned that unrelated ones would come close, too."""
        return self.aligned and len(self.pairs) <= self.dimensions


class _Rows(Sequence[Moved]):
    """Pairs at places, each made when it is looked at."""

    def __init__(self, difference: Difference, places: Rows) -> None:
        self._difference, self._places = difference, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, key: int) -> Moved: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Moved]: ...
    def __getitem__(self, key: int | slice) -> Moved | Sequence[Moved]:
        if isinstance(key, slice):
            return _Rows(self._difference, self._places[key])
        return self._difference.at(int(self._places[key]))
