"""Which rows are among the best by their scores, or could be by scores known within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

Bounds = np.ndarray[Any, np.dtype[np.floating[Any]]]
Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

_MOST_WAITING = 2**22
_MOST_FOR_A_QUERY = 4096
_RUN = 128


def within_reach(bounds: Bounds, slack: Bounds, count: int) -> Rows:
    """Return the places whose true score could be among the `count` largest.

    The maxima of runs of places take one pass, where a partition of everything takes several; only
    the runs with large maxima are looked into.

    Args:
        bounds: upper bounds of the scores; minus infinity for a place that is out.
        slack: half of how far the true score of each place may lie below its bound.
    """
    whole = len(bounds) // _RUN
    if whole <= 2 * count:
        best = _largest(bounds, count)
        return _above(bounds, np.arange(len(bounds)), _floor(bounds, slack, best, count))
    maxima = bounds[: whole * _RUN].reshape(whole, _RUN).max(axis=1)
    tail = np.arange(whole * _RUN, len(bounds))
    places = _places_of(_largest(maxima, count), tail)
    best = places[_largest(bounds[places], count)]
    floor = _floor(bounds, slack, best, count)
    return _above(bounds, _places_of(np.flatnonzero(maxima >= floor), tail), floor)


def _places_of(runs: Rows, tail: Rows) -> Rows:
    return np.concatenate([(runs[:, None] * _RUN + np.arange(_RUN)).ravel(), tail])


def _largest(values: Bounds, count: int) -> Rows:
    if count >= len(values):
        return np.arange(len(values))
    return np.argpartition(values, len(values) - count)[len(values) - count :]


def _floor(bounds: Bounds, slack: Bounds, best: Rows, count: int) -> Any:
    """Return a score that `count` places are sure to reach; minus infinity if there are fewer."""
    if len(best) < count:
        return -np.inf
    return (bounds[best] - 2 * slack[best]).min()


def _above(bounds: Bounds, places: Rows, floor: Any) -> Rows:
    values = bounds[places]
    within: Rows = places[(values >= floor) & (values > -np.inf)]
    return within


class BestScores:
    """The rows with the best scores of one query, as parts of them come in, ascending.

    Of equal scores, those that come first count. Memory is bounded, however many rows there are.

    Args:
        top: how many rows are wanted.
        least: whether the least scores are the best, as with distances; otherwise the largest are.
    """

    def __init__(self, top: int, *, least: bool) -> None:
        self.top, self.sign = top, 1 if least else -1
        self.parts: list[tuple[Rows, Doubles]] = []
        self.waiting = 0

    def take(self, rows: Rows, scores: Doubles) -> None:
        """Take more rows, which come behind those before, and their scores."""
        self.parts.append((rows, scores))
        self.waiting += len(rows)
        if self.waiting > max(4 * self.top, _MOST_WAITING):
            self.parts = [self.found()]
            self.waiting = len(self.parts[0][0])

    def found(self) -> tuple[Rows, Doubles]:
        """Return the best of the rows so far and their scores, the best first."""
        if not self.parts:
            return np.empty(0, np.int64), np.empty(0)
        rows, scores = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        distances = self.sign * scores
        if len(rows) > self.top:
            last = np.partition(distances, self.top - 1)[self.top - 1]
            within = np.flatnonzero(~(distances > last))  # what is no number, too
            rows, scores, distances = rows[within], scores[within], distances[within]
        order = np.argsort(distances, kind="stable")[: self.top]
        return rows[order], scores[order]


class BestBounds:
    """The rows that could be among the best of each query, as blocks of bounds come in.

    Hits are collected, and sorted into the best when as many rows again have been seen: by then
    about as many hits have come as there are best ones, however many rows there are. A query with
    too many of them is given up: at this precision nothing can be told.
    """

    def __init__(self, queries: int, wanted: int, slack: Bounds) -> None:
        self.queries, self.wanted, self.slack = queries, wanted, slack
        # Below every number, and above minus infinity, which stands for a row that is out.
        self.floor: Bounds = np.full(queries, np.finfo(slack.dtype).min, slack.dtype)
        self.given_up = np.zeros(queries, np.bool_)
        self.hits: list[tuple[Any, Any, Any]] = []
        self.waiting, self.settled = 0, 0

    def take(self, bounds: Bounds, start: int) -> None:
        """Take the bounds of a block of rows, shape (queries, rows), which starts at a row."""
        width = bounds.shape[1]
        if not start and width > self.wanted:
            places = _large_of_each(bounds, self.wanted)
            lower = np.take_along_axis(bounds, places, axis=1) - 2 * self.slack[places]
            self.floor = np.maximum(self.floor, lower.min(axis=1))
        flat = np.flatnonzero(bounds >= self.floor[:, None])
        queries, places = np.divmod(flat, width)
        self.hits.append((queries, places + start, bounds.ravel()[flat]))
        self.waiting += len(queries)
        if start + width >= 2 * self.settled or self.waiting > _MOST_WAITING:
            self._sort_in()
            self.settled = start + width

    def _sort_in(self) -> None:
        queries, rows, bounds = (np.concatenate(parts) for parts in zip(*self.hits, strict=True))
        order = np.lexsort((-bounds, queries))
        queries, rows, bounds = queries[order], rows[order], bounds[order]
        begins = np.searchsorted(queries, np.arange(self.queries + 1))
        full = np.flatnonzero(np.diff(begins) >= self.wanted)
        best = begins[full, None] + np.arange(self.wanted)
        lower = bounds[best] - 2 * self.slack[rows[best]]
        self.floor[full] = np.maximum(self.floor[full], lower.min(axis=1))
        kept = bounds >= self.floor[queries]
        counts = np.bincount(queries[kept], minlength=self.queries)
        self.given_up |= counts > max(_MOST_FOR_A_QUERY, 4 * self.wanted)
        self.floor[self.given_up] = np.inf
        kept &= ~self.given_up[queries]
        self.hits = [(queries[kept], rows[kept], bounds[kept])]
        self.waiting = 0

    def found(self) -> tuple[Rows, Rows]:
        """Return the pairs of query and row that could be among the best of that query.

        Queries that are given up have none.
        """
        self._sort_in()
        queries, rows, _ = self.hits[0]
        return queries, rows


def _large_of_each(bounds: Bounds, count: int) -> Rows:
    """Return `count` places with large values in each row of bounds, shape (queries, count).

    They are the maxima of runs where there are enough of these, which are much faster found than
    the largest values themselves, and nearly as large.
    """
    queries, width = bounds.shape
    runs = width // _RUN
    if runs < 2 * count:
        return np.argpartition(bounds, width - count, axis=1)[:, width - count :]
    by_run = bounds[:, : runs * _RUN].reshape(queries, runs, _RUN)
    best = np.argpartition(by_run.max(axis=2), runs - count, axis=1)[:, runs - count :]
    within = np.take_along_axis(by_run, best[:, :, None], axis=1).argmax(axis=2)
    return np.asarray(best * _RUN + within)
