"""The nearest rows of a matrix, exactly, for one vector or for thousands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from embedinspect.matrix import FloatArray

Metric = Literal["cosine", "dot", "euclidean"]
Scores = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

# Scores in float32 may be off in the last digits: a few rows more are scored again in float64.
_SPARE = 16
_QUERIES_AT_ONCE = 1024
_SCORES_AT_ONCE = 2**22
_MOST_WAITING = 2**22
_RUN = 128


@dataclass(frozen=True)
class Nearest:
    """The nearest rows of one vector, the nearest first.

    Attributes:
        rows: their numbers.
        scores: their scores, float64: cosine or dot product, where more is nearer, or Euclidean
            distance, where less is.
    """

    rows: Rows
    scores: Scores


class Searcher:
    """Searches a matrix for the nearest rows of vectors.

    Rows that hold NaN or infinity are never neighbors; by cosine, neither are rows of zeros,
    which have no direction. The search is exact: every row is looked at.
    """

    def __init__(self, rows: FloatArray, lengths: FloatArray, metric: Metric = "cosine") -> None:
        self.rows, self.lengths, self.metric = rows, lengths, metric
        sound = np.isfinite(lengths)
        if metric == "cosine":
            sound &= lengths > 0
        # Scores are multiplied by the one and moved by the other, so that more is nearer.
        self._factor: FloatArray | None = None
        self._offset: FloatArray | None = None
        if metric == "cosine":
            with np.errstate(divide="ignore", invalid="ignore"):
                self._factor = np.where(sound, 1 / lengths, 0).astype(np.float32)
        elif metric == "euclidean":
            self._offset = np.where(sound, -0.5 * lengths.astype(np.float64) ** 2, -np.inf).astype(
                np.float32
            )
        self._unsound = np.flatnonzero(~sound)

    @property
    def left_out(self) -> int:
        """Number of rows that can be no one's neighbor."""
        return len(self._unsound)

    def nearest(self, vector: Any, top: int, without: Sequence[int] = ()) -> Nearest:
        """Return the `top` rows nearest to a vector, but none of `without`."""
        query = np.ascontiguousarray(vector, np.float32)
        with np.errstate(invalid="ignore", over="ignore"):
            scores = self.rows @ query
            if self._factor is not None:
                scores *= self._factor
            if self._offset is not None:
                scores += self._offset
        scores[self._unsound] = -np.inf
        if np.isnan(scores.max()):  # of sums in which infinities met
            scores[np.isnan(scores)] = -np.inf
        if len(without):
            scores[list(without)] = -np.inf
        wanted = min(top + _SPARE, len(scores))
        candidates = _largest(scores, wanted)
        candidates = candidates[np.isfinite(scores[candidates])]
        return self._settle(np.asarray(vector, np.float64), candidates, top)

    def nearest_of_many(
        self, vectors: Any, top: int, without: Sequence[Sequence[int]] | None = None
    ) -> list[Nearest]:
        """Return the nearest rows of each vector, as `nearest` does, many at a time.

        Scores are made block by block as a product of two matrices, and only those above the
        least of the best so far are looked at.
        """
        vectors = np.atleast_2d(np.asarray(vectors))
        results: list[Nearest] = []
        for start in range(0, len(vectors), _QUERIES_AT_ONCE):
            part = vectors[start : start + _QUERIES_AT_ONCE]
            excluded = [()] * len(part) if without is None else without[start : start + len(part)]
            results.extend(self._batch(part, top, excluded))
        return results

    def _batch(self, vectors: Any, top: int, without: Sequence[Sequence[int]]) -> list[Nearest]:
        count = len(vectors)
        spare = max((len(rows) for rows in without), default=0)
        best = _Best(count, min(top + _SPARE + spare, len(self.rows)))
        queries = np.ascontiguousarray(vectors, np.float32)
        step = max(256, _SCORES_AT_ONCE // count)
        for start in range(0, len(self.rows), step):
            best.take(self._scores(queries, start, start + step), start)
        results = []
        for query, rows in enumerate(best.rows()):
            rows = rows[~np.isin(rows, list(without[query]))]
            results.append(self._settle(np.asarray(vectors[query], np.float64), rows, top))
        return results

    def _scores(self, queries: FloatArray, start: int, stop: int) -> FloatArray:
        """Return the scores of a block of rows for each query, shape (queries, rows)."""
        part = self.rows[start:stop]
        first, last = np.searchsorted(self._unsound, [start, stop])
        unsound = self._unsound[first:last] - start
        with np.errstate(invalid="ignore", over="ignore"):
            if self._factor is not None:  # rows hold fewer numbers than there are scores
                part = part * self._factor[start:stop, None]
            scores: FloatArray = queries @ part.T
            if self._offset is not None:
                scores += self._offset[start:stop]
        if len(unsound):
            scores[:, unsound] = -np.inf
        return scores

    def _settle(self, vector: Scores, candidates: Rows, top: int) -> Nearest:
        """Return the `top` of the candidates by scores in float64; of equal ones the first row."""
        candidates = np.sort(candidates)
        scores = score(self.rows[candidates], vector, self.metric)
        nearer = scores if self.metric == "euclidean" else -scores
        order = np.argsort(nearer, kind="stable")[:top]
        return Nearest(candidates[order], scores[order])


class _Best:
    """The best scores of each query so far.

    Hits are collected, and sorted into the best when as many rows again have been seen: by then
    about as many hits have come as there are best ones, however many rows there are.
    """

    def __init__(self, queries: int, wanted: int) -> None:
        self.queries, self.wanted = queries, wanted
        self.floor = np.full(queries, -np.inf, np.float32)
        self.hits: list[tuple[Any, Any, Any]] = []
        self.waiting, self.settled = 0, 0

    def take(self, scores: FloatArray, start: int) -> None:
        """Take the scores of a block of rows, shape (queries, rows), which starts at a row."""
        width = scores.shape[1]
        if not start and width > self.wanted:
            places = np.argpartition(scores, width - self.wanted, axis=1)[:, -self.wanted :]
            queries = np.repeat(np.arange(self.queries), self.wanted)
            places = places.ravel()
        else:
            flat = np.flatnonzero(scores > self.floor[:, None])
            queries, places = np.divmod(flat, width)
        self.hits.append((queries, places + start, scores[queries, places]))
        self.waiting += len(queries)
        if start + width >= 2 * self.settled or self.waiting > _MOST_WAITING:
            self._sort_in()
            self.settled = start + width

    def _sort_in(self) -> None:
        queries, rows, scores = (np.concatenate(parts) for parts in zip(*self.hits, strict=True))
        order = np.lexsort((-scores, queries))
        queries, rows, scores = queries[order], rows[order], scores[order]
        bounds = np.searchsorted(queries, np.arange(self.queries + 1))
        kept = np.arange(len(queries)) - bounds[queries] < self.wanted
        self.hits = [(queries[kept], rows[kept], scores[kept])]
        self.waiting = 0
        full = np.flatnonzero(np.diff(bounds) >= self.wanted)
        self.floor[full] = scores[bounds[full] + self.wanted - 1]

    def rows(self) -> list[Rows]:
        """Return for each query the rows of its best scores."""
        self._sort_in()
        queries, rows, scores = self.hits[0]
        bounds = np.searchsorted(queries, np.arange(self.queries + 1)).tolist()
        finite = np.isfinite(scores)
        return [rows[begin:end][finite[begin:end]] for begin, end in pairwise(bounds)]


def _largest(scores: FloatArray, count: int) -> Rows:
    """Return the places of the `count` largest scores, in any order; scores hold no NaN.

    The largest scores are in the runs with the largest maxima, so only those are sorted: the
    maxima take one pass, where a partition of everything takes several.
    """
    whole = len(scores) // _RUN
    if count >= len(scores):
        return np.arange(len(scores))
    if whole <= 2 * count:
        return np.argpartition(scores, len(scores) - count)[len(scores) - count :]
    runs = scores[: whole * _RUN].reshape(whole, _RUN)
    best = np.argpartition(runs.max(axis=1), whole - count)[whole - count :]
    places = (best[:, None] * _RUN + np.arange(_RUN)).ravel()
    places = np.concatenate([places, np.arange(whole * _RUN, len(scores))])
    return places[np.argpartition(scores[places], len(places) - count)[len(places) - count :]]


def score(rows: Any, vector: Any, metric: Metric) -> Scores:
    """Return cosine, dot product or Euclidean distance of each row and a vector, in float64."""
    rows, vector = np.asarray(rows, np.float64), np.asarray(vector, np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if metric == "euclidean":
            return np.asarray(np.linalg.norm(rows - vector, axis=-1))
        products = rows @ vector
        if metric == "dot":
            return np.asarray(products)
        return np.asarray(products / (np.linalg.norm(rows, axis=-1) * np.linalg.norm(vector)))
