"""The nearest rows of a matrix, exactly, for one vector or for thousands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from embedinspect.analysis.best_bounds import (
    BestBounds,
    BestScores,
    Bounds,
    Doubles,
    Rows,
    within_reach,
)
from embedinspect.matrix import IN_CACHE, WORTH_TWO_THREADS, finite_among, in_halves, parts_of
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray, StoredRows, Vectors

Metric = Literal["cosine", "dot", "euclidean"]
Progress = Callable[[int], None]

_QUERIES_AT_ONCE = 1024
_SCORES_AT_ONCE = 2**22
_NUMBERS_AT_ONCE = 2**22
_NUMBERS_OF_ALL = 2**25  # at once, where one vector is compared with all rows
_WIDE = 128
_STAGE = "how near they are"
_LEAST_RESCORED = 1024
# Lengths whose squares and products float32 can hold, with room for sums.
_SHORTEST, _LONGEST = 1e-15, 1e15


@dataclass(frozen=True)
class Nearest:
    """The nearest rows of one vector, the nearest first; of equal ones the lowest number first.

    Attributes:
        rows: their numbers.
        scores: their scores, float64: cosine or dot product, where more is nearer, or Euclidean
            distance, where less is.
    """

    rows: Rows
    scores: Doubles


class Searcher:
    """Searches a matrix for the nearest rows of vectors.

    Rows that hold NaN or infinity are never neighbors; by cosine, neither are rows of zeros,
    which have no direction.

    The search is exact: its answers are those of scoring every row in float64. Rows are scored in
    float32 first, which is fast, and the error of such a score is bounded by the number of
    dimensions and the lengths of row and vector (Higham 2002, section 3.1). Each row that could be
    among the nearest within these bounds is scored again in float64. Where those are too many, as
    with rows that share a large offset, float32 cannot tell and the rows are scored in float64;
    rows too short or too long for float32 always are.
    """

    def __init__(self, rows: Vectors, lengths: FloatArray, metric: Metric = "cosine") -> None:
        self.rows, self.metric = rows, metric
        sound = np.isfinite(lengths)
        beyond = np.flatnonzero(~sound)  # a length can be infinite where every number is finite
        sound[beyond] = finite_among(rows, beyond)
        if metric == "cosine":
            sound &= lengths > 0
        self._sound = sound  # masks, as lists of numbers could take more than the lengths
        self._in_float32 = (lengths >= _SHORTEST) & (lengths <= _LONGEST) | (lengths == 0)
        self._in_float32 &= sound
        self._extreme = np.flatnonzero(sound & ~self._in_float32)
        self._lengths = np.where(self._in_float32, lengths, 0).astype(np.float32, copy=False)
        self._only_float64 = len(self._extreme) > max(_LEAST_RESCORED, len(rows) // 16)

    @property
    def left_out(self) -> int:
        """Number of rows that can be no one's neighbor."""
        return len(self.rows) - int(np.count_nonzero(self._sound))

    @property
    def sound(self) -> Rows:
        """The rows that can be neighbors."""
        return np.flatnonzero(self._sound)

    def nearest(self, vector: Any, top: int, without: Sequence[int] = ()) -> Nearest:
        """Return the `top` rows nearest to a vector, but none of `without`."""
        vector = np.asarray(vector, np.float64)
        if not np.isfinite(vector).all():
            return Nearest(np.empty(0, np.int64), np.empty(0))
        if self._only_float64 or not self._fits_float32(vector[None]).all():
            return self._among_all(vector, top, without)
        query = self._prepared(vector[None], np.float32)
        slack, addend = self._slack(query, np.float32)
        bounds = self._bounds_of_all(query, addend)
        bounds[list(without)] = -np.inf
        candidates = within_reach(bounds, slack, top)
        if len(candidates) > max(_LEAST_RESCORED, len(self.rows) // 16):
            return self._among_all(vector, top, without)
        return self._settle(vector, np.concatenate([candidates, self._extreme]), top, without)

    def nearest_of_many(
        self,
        vectors: Any,
        top: int,
        without: Sequence[Sequence[int]] | None = None,
        progress: Progress | None = None,
    ) -> list[Nearest]:
        """Return the nearest rows of each vector, as `nearest` does, many at a time.

        Scores are made block by block as a product of two matrices, and only those that could be
        among the best so far are kept.

        Args:
            progress: is told how many vectors are done, now and then.
        """
        vectors = np.atleast_2d(np.asarray(vectors))
        results: list[Nearest] = []
        for start in range(0, len(vectors), _QUERIES_AT_ONCE):
            part = np.asarray(vectors[start : start + _QUERIES_AT_ONCE], np.float64)
            excluded = [()] * len(part) if without is None else without[start : start + len(part)]
            results.extend(self._batch(part, top, excluded))
            if progress is not None:
                progress(len(results))
        return results

    def scores(self, vector: Doubles, rows: Rows) -> Doubles:
        """Return the scores of some rows with a vector, float64."""
        return self._scores_of_pairs(vector[None], np.zeros(len(rows), np.int64), rows)

    def bounds_of_cosines(
        self, vectors: Doubles, start: int, stop: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return what the cosines of vectors and a block of rows are at least, and at most.

        Rows that can be no neighbors have minus infinity. Both have the shape (vectors, rows).
        """
        queries = self._prepared(vectors, np.float32)
        error = np.float32(self._slack(queries, np.float32)[0][0])
        cosines = self._bounds(queries, start, stop, None)
        lower, upper = cosines - error, cosines + error
        first, last = np.searchsorted(self._extreme, [start, stop])
        beyond = self._extreme[first:last] - start  # float32 says nothing of them
        lower[:, beyond], upper[:, beyond] = -1, 1
        return lower, upper

    def _batch(self, vectors: Doubles, top: int, without: Sequence[Sequence[int]]) -> list[Nearest]:
        """Answer in float32 what float32 can tell, in float64 the rest, by every row the last."""
        nearest: dict[int, Nearest] = {}
        open_queries = np.flatnonzero(np.isfinite(vectors).all(axis=1))
        if not self._only_float64:
            fit = self._fits_float32(vectors[open_queries])
            self._search(nearest, vectors, open_queries[fit], top, without, np.float32)
        for dtype in (np.float64, None):
            left = np.array([query for query in open_queries.tolist() if query not in nearest])
            if not len(left):
                break
            if dtype is not None:
                self._search(nearest, vectors, left, top, without, dtype)
                continue
            for query in left.tolist():
                nearest[query] = self._among_all(vectors[query], top, without[query])
        nothing = Nearest(np.empty(0, np.int64), np.empty(0))
        return [nearest.get(query, nothing) for query in range(len(vectors))]

    def _search(
        self,
        nearest: dict[int, Nearest],
        vectors: Doubles,
        asked: Rows,
        top: int,
        without: Sequence[Sequence[int]],
        dtype: Any,
    ) -> None:
        """Answer the queries whose candidates are few enough at this precision."""
        if not len(asked):
            return
        queries = self._prepared(vectors[asked], dtype)
        slack, addend = self._slack(queries, dtype)
        spare = max(len(without[query]) for query in asked.tolist())
        best = BestBounds(len(asked), min(top + spare, len(self.rows)), slack)
        step = min(_SCORES_AT_ONCE // len(asked), _NUMBERS_AT_ONCE // self.rows.shape[1])
        scored = stage(_STAGE, len(self.rows))
        for start in range(0, len(self.rows), max(256, step)):
            bounds = self._bounds(queries, start, start + max(256, step), addend)
            best.take(bounds, start)
            scored(bounds.shape[1])
        places, rows = best.found()
        settled = np.flatnonzero(~best.given_up)
        if dtype == np.float32 and len(self._extreme):
            places = np.concatenate([places, np.repeat(settled, len(self._extreme))])
            rows = np.concatenate([rows, np.tile(self._extreme, len(settled))])
        pairs = np.sort(places * len(self.rows) + rows)
        excluded = [
            len(self.rows) * place + row
            for place, query in enumerate(asked.tolist())
            for row in without[query]
        ]
        pairs = pairs[~np.isin(pairs, np.array(excluded, np.int64))]
        places, rows = np.divmod(pairs, len(self.rows))
        scores = self._scores_of_pairs(vectors[asked], places, rows)
        begins = np.searchsorted(places, np.arange(len(asked) + 1)).tolist()
        for place, query in zip(settled.tolist(), asked[settled].tolist(), strict=True):
            own = slice(begins[place], begins[place + 1])
            best_rows = BestScores(top, least=self.metric == "euclidean")
            best_rows.take(rows[own], scores[own])
            nearest[query] = Nearest(*best_rows.found())

    def _fits_float32(self, vectors: Doubles) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which vectors float32 can search with; where only direction counts, all."""
        lengths = np.linalg.norm(vectors, axis=1)
        if self.metric != "euclidean":
            return np.ones(len(vectors), np.bool_)
        return np.asarray((lengths >= _SHORTEST) & (lengths <= _LONGEST) | (lengths == 0))

    def _prepared(self, vectors: Doubles, dtype: Any) -> np.ndarray[Any, Any]:
        """Return the vectors to multiply with: of length 1, where their length ranks nothing."""
        if self.metric != "euclidean":
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = vectors / np.where(lengths > 0, lengths, 1)
        return np.ascontiguousarray(vectors, dtype)

    def _slack(self, queries: Bounds, dtype: Any) -> tuple[Bounds, Bounds | None]:
        """Return how far a score may be off for each row, and what to add to each product.

        With that added, no score is less than the true one, and none is more than twice the slack
        above it. Euclidean distance is ranked by row . vector - |row|**2 / 2.
        """
        width, eps = self.rows.shape[1], float(np.finfo(dtype).eps)
        exact = (2 * width + 32) * 2.0**-53  # what the scores that rank in the end may be off
        error = 1.01 * (width + 16) * eps / 2 if dtype == np.float32 else 2 * exact
        if self.metric == "cosine":
            return np.broadcast_to(dtype(error), len(self.rows)), None
        lengths = self._lengths if dtype == np.float32 else self._lengths_in_float64
        if self.metric == "dot":
            slack = lengths * dtype(error)
            return slack, slack
        longest = float(np.linalg.norm(queries.astype(np.float64), axis=1).max())
        squares = lengths * lengths
        slack = lengths * dtype(error * longest)
        slack += squares * dtype(4 * eps) + dtype(exact * longest**2)
        return slack, slack - squares / 2

    def _bounds_of_all(self, query: FloatArray, addend: Bounds | None) -> Bounds:
        """Return upper bounds of the scores of all rows with one vector, shape (rows,)."""
        bounds = np.empty(len(self.rows), np.float32)
        # What is decoded is used while it is in the cache.
        numbers = 4 * IN_CACHE if isinstance(self.rows, StoredRows) else _NUMBERS_OF_ALL
        step = max(1, numbers // self.rows.shape[1])
        scored = stage(_STAGE, len(self.rows))

        def fill(first: int, last: int) -> None:
            for start in range(first, last, step):
                stop = min(start + step, last)
                bounds[start:stop] = self._bounds(query, start, stop, addend)[0]
                scored(stop - start)

        if self.rows.shape[1] >= _WIDE and self.rows.size >= WORTH_TWO_THREADS:
            in_halves(len(self.rows), fill)
        else:
            fill(0, len(self.rows))
        return bounds

    def _bounds(self, queries: Bounds, start: int, stop: int, addend: Bounds | None) -> Bounds:
        """Return upper bounds of the scores of a block of rows, shape (queries, rows)."""
        single = queries.dtype == np.float32
        inside = (self._in_float32 if single else self._sound)[start:stop]
        places, left_out = np.flatnonzero(inside), np.flatnonzero(~inside)
        if len(places) >= len(left_out):
            bounds = self._bounds_at(queries, start, slice(len(inside)), addend)
            if len(left_out):
                bounds[:, left_out] = -np.inf
            return bounds
        bounds = np.full((len(queries), len(inside)), -np.inf, queries.dtype)
        if len(places):
            bounds[:, places] = self._bounds_at(queries, start, places, addend)
        return bounds

    def _bounds_at(
        self, queries: Bounds, start: int, places: slice | Rows, addend: Bounds | None
    ) -> Bounds:
        """Return upper bounds at some places of a block of rows, which starts at a row."""
        stop = start + (places.stop if isinstance(places, slice) else int(places[-1]) + 1)
        part: Any = self.rows[start:stop][places]
        single = queries.dtype == np.float32
        if not single:
            part = part.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore", under="ignore", divide="ignore"):
            factors = self._factor if single else self._factor_in_float64
            factor = factors[start:stop][places]
            # The factors go where there are fewer numbers to multiply.
            scaled = self.metric == "cosine" and len(queries) > part.shape[1]
            bounds: Bounds = _products(queries, part * factor[:, None] if scaled else part)
            if self.metric == "cosine" and not scaled:
                bounds *= factor
            if addend is not None:
                bounds += addend[start:stop][places]
        return bounds

    @cached_property
    def _factor(self) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.asarray(1 / self._lengths, np.float32)

    @cached_property
    def _factor_in_float64(self) -> Doubles:
        with np.errstate(divide="ignore"):
            return np.asarray(1 / self._lengths_in_float64)

    @cached_property
    def _lengths_in_float64(self) -> Doubles:
        lengths = np.empty(len(self.rows))
        for start, part in parts_of(self.rows, _NUMBERS_AT_ONCE):
            lengths[start : start + len(part)] = _lengths(part.astype(np.float64))
        lengths[~self._sound] = 0
        return lengths

    def _parts(self, rows: Rows, numbers: int = _NUMBERS_AT_ONCE) -> Iterator[tuple[int, Doubles]]:
        """Yield these rows in float64, a part at a time, each with the place of its first."""
        step = max(1, numbers // self.rows.shape[1])
        for start in range(0, len(rows), step):
            yield start, self.rows[rows[start : start + step]].astype(np.float64, order="C")

    def _among_all(self, vector: Doubles, top: int, without: Sequence[int]) -> Nearest:
        return self._settle(vector, self.sound, top, without)

    def _settle(
        self, vector: Doubles, candidates: Rows, top: int, without: Sequence[int]
    ) -> Nearest:
        """Return the `top` of the candidates by scores in float64; of equal ones the first row."""
        candidates.sort()
        scored = stage("how near they are, in float64", len(candidates))
        best = BestScores(top, least=self.metric == "euclidean")
        for start, part in self._parts(candidates):
            rows = candidates[start : start + len(part)]
            wanted = ~np.isin(rows, list(without))
            best.take(rows[wanted], score(part[wanted], vector, self.metric))
            scored(len(part))
        return Nearest(*best.found())

    def _scores_of_pairs(self, vectors: Doubles, places: Rows, rows: Rows) -> Doubles:
        """Return the score of each pair of a vector, by its place, and a row, in float64."""
        scores = np.empty(len(rows))
        for start, part in self._parts(rows, IN_CACHE):
            own = slice(start, start + len(part))
            scores[own] = score(part, vectors[places[own]], self.metric)
        return scores


def _products(queries: Bounds, rows: Bounds) -> Bounds:
    """Return the product of each query with each row, shape (queries, rows).

    Wide rows are multiplied with a single vector one by one: BLAS would share each such task
    between threads of its own, which wait for each other.
    """
    if len(queries) == 1 and rows.shape[1] >= _WIDE:
        products: Bounds = np.vecdot(rows, queries[0])[None]
    else:
        products = queries @ rows.T
    return products


def score(rows: Any, vector: Any, metric: Metric) -> Doubles:
    """Return cosine, dot product or Euclidean distance of each row and a vector, in float64.

    The vector is one for all rows, or there is one for each.

    The score of a row hangs on that row alone, not on its place among others, so equal rows have
    equal scores. The cosine is the root of its square, a quotient of sums: where these sums are
    exact, as with small whole numbers, rows of one direction have the same cosine.
    """
    rows = np.ascontiguousarray(rows, np.float64)
    vector = np.ascontiguousarray(vector, np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if metric == "euclidean":
            return _lengths(rows - vector)
        own = "ij" if vector.ndim == 2 else "j"
        products = np.einsum(f"ij,{own}->i", rows, vector)
        if metric == "dot":
            return np.asarray(products)
        squares = np.einsum("ij,ij->i", rows, rows) * np.einsum(
            f"{own},{own}->{own[:-1]}", vector, vector
        )
        return np.asarray(np.copysign(np.sqrt(products * products / squares), products))


def _lengths(rows: Doubles) -> Doubles:
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", rows, rows)))
