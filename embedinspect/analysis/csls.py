"""Nearest rows with a correction against hubs: cross-domain similarity local scaling.

A hub is near to everything, and so among the neighbors of rows that it has little to do with. CSLS
takes from each cosine how near the two rows are to their surroundings anyway:
2 cos(x, y) - r(x) - r(y), where r is the mean cosine of a row with its k nearest other rows
(Conneau, Lample, Ranzato, Denoyer & Jegou 2018, "Word Translation Without Parallel Data"; k = 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.analysis.best_bounds import Doubles, Rows
from embedinspect.analysis.nearest import Nearest, Progress, Searcher

K = 10
_FIRST = 64  # nearest by cosine, whose own neighborhoods are measured first
_AT_ONCE = 256
_SCORES_AT_ONCE = 2**22
_ROUNDING = 1e-12  # of sums of cosines in float64
# A question costs about as much as measuring so many rows.
_ROWS_OF_A_QUESTION = 400


@dataclass(frozen=True)
class Corrected:
    """The nearest rows by CSLS, the nearest first; of equal ones the lowest number first.

    Attributes:
        rows: their numbers.
        scores: 2 cos(x, y) - r(x) - r(y), float64.
        cosines: of each row and the vector, float64.
    """

    rows: Rows
    scores: Doubles
    cosines: Doubles


def steps(questions: int, rows: int) -> int:
    """Return how many steps it takes to answer questions: one for each, and each row measured."""
    return questions + rows * (questions * _ROWS_OF_A_QUESTION >= rows)


class LocalScaling:
    """Searches by CSLS, exactly, in the rows of a searcher by cosine.

    Measuring r of every row takes as many cosines as there are pairs of rows. One question needs
    few of them: r of those that could be among the nearest. That of the nearest by cosine is
    measured; the cosines with these give all other rows a lower bound of their r, as a mean of k
    cosines is never above that of the k largest; and by it most rows cannot come in, whatever their
    r. The rest is measured, too, the most likely first, until no other can come in.
    """

    def __init__(self, searcher: Searcher, k: int = K) -> None:
        """Keep what to search with: a searcher by cosine."""
        self.searcher, self.k = searcher, k
        self._means: Doubles = np.full(len(searcher.rows), np.nan)

    def mean_cosines(self, which: Rows, progress: Progress | None = None) -> Doubles:
        """Return r of some rows: the mean cosine of each with its k nearest others, float64.

        Each is measured once. A row without others has 0.

        Args:
            progress: is told how many rows have been measured, now and then.
        """
        unknown = np.unique(which[np.isnan(self._means[which])])
        for start in range(0, len(unknown), _AT_ONCE):
            some = unknown[start : start + _AT_ONCE]
            itself = [[row] for row in some.tolist()]
            nearest = self.searcher.nearest_of_many(self.searcher.rows[some], self.k, itself)
            self._means[some] = [_mean(each.scores) for each in nearest]
            if progress is not None:
                progress(start + len(some))
        return self._means[which]

    def nearest_of_many(
        self,
        vectors: Sequence[Any],
        top: int,
        without: Sequence[Sequence[int]],
        progress: Progress | None = None,
    ) -> list[Corrected]:
        """Return the nearest rows of each vector, as `nearest` does.

        Where so many vectors would come to that anyway, all rows are measured first.

        Args:
            progress: is told how many steps of `steps` are done, now and then.
        """
        begun = steps(len(vectors), len(self.searcher.rows)) - len(vectors)
        if begun:
            self.mean_cosines(self.searcher.sound, progress)
        results = []
        for vector, excluded in zip(vectors, without, strict=True):
            results.append(self.nearest(vector, top, excluded))
            if progress is not None:
                progress(begun + len(results))
        return results

    def nearest(self, vector: Any, top: int, without: Sequence[int] = ()) -> Corrected:
        """Return the `top` rows nearest to a vector by CSLS, but none of `without`.

        r of the vector is the mean cosine with its k nearest rows, those left out.
        """
        vector = np.asarray(vector, np.float64)
        first = self.searcher.nearest(vector, max(_FIRST, self.k, 2 * top), without)
        own = _mean(first.scores[: self.k])
        rows, cosines = first.rows, first.scores
        scores = 2 * cosines - own - self.mean_cosines(rows)
        others, bounds = self._others(vector, first, without, _last_of(scores, top) + own)
        for start in range(0, len(others), _AT_ONCE):
            within = bounds[start : start + _AT_ONCE] >= _last_of(scores, top) + own
            some = others[start : start + _AT_ONCE][within]
            if not len(some):
                break
            more = self.searcher.scores(vector, some)
            rows, cosines = np.concatenate([rows, some]), np.concatenate([cosines, more])
            scores = np.concatenate([scores, 2 * more - own - self.mean_cosines(some)])
        order = np.lexsort((rows, -scores))[:top]
        return Corrected(rows[order], scores[order], cosines[order])

    def _others(
        self, vector: Doubles, first: Nearest, without: Sequence[int], floor: float
    ) -> tuple[Rows, Doubles]:
        """Return the other rows for which 2 cos(x, y) - r(y) could reach a floor.

        Also returned are upper bounds of that value, which descend.
        """
        searcher = self.searcher
        anchors = first.rows if len(first.rows) >= self.k else first.rows[:0]
        if not np.isnan(self._means[searcher.sound]).any():
            anchors = first.rows[:0]
        queries = np.concatenate([vector[None], searcher.rows[anchors].astype(np.float64)])
        bounds = np.full(len(searcher.rows), -np.inf)
        step = max(1, _SCORES_AT_ONCE // len(queries))
        for start in range(0, len(searcher.rows), step):
            lower, upper = searcher.bounds_of_cosines(queries, start, start + step)
            means = self._means[start : start + step]
            at_least = np.full(len(means), -1.0)
            if len(anchors):
                largest = np.partition(lower[1:], len(anchors) - self.k, axis=0)[-self.k :]
                at_least = np.maximum(largest.mean(axis=0, dtype=np.float64), -1)
            means = np.where(np.isnan(means), at_least, means)
            bounds[start : start + step] = 2 * upper[0].astype(np.float64) - means + _ROUNDING
        bounds[first.rows] = -np.inf
        bounds[list(without)] = -np.inf
        others = np.flatnonzero((bounds >= floor) & (bounds > -np.inf))
        order = np.argsort(-bounds[others], kind="stable")
        return others[order], bounds[others[order]]


def _mean(cosines: Doubles) -> float:
    return float(cosines.mean()) if len(cosines) else 0.0


def _last_of(scores: Doubles, top: int) -> float:
    """Return the score that a further row must reach."""
    if len(scores) < top:
        return -np.inf
    return float(np.partition(scores, len(scores) - top)[len(scores) - top])
