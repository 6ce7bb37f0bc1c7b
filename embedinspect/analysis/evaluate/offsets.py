"""The best answers to `a is to b as c is to ...`, exactly, for thousands of questions at a time.

A score is made of three cosines of a row: with a, b and c. The words of a test are few and its
questions many, so the cosines of all its words with a part of the rows are made once, as a product
of matrices, and each question adds up three of them. That is done in float32, with an upper bound
of the error; for each question only the runs of rows whose bound reaches the best score are scored
again, in float64. So the answers are those of scoring every row in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from embedinspect.analysis.evaluate.words import Doubles, Rows, WordRows
from embedinspect.matrix import in_halves
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray

# 3CosAdd and 3CosMul of Levy and Goldberg 2014; `nearest` leaves a and b out: the rows nearest to
# c, a baseline of Linzen 2016.
Method = Literal["cosadd", "cosmul", "nearest"]
Progress = Callable[[int], None]

EPSILON = 1e-6  # of 3CosMul, as in gensim
_ROUNDING = 2.0**-24
_RUN = 256
_WIDTH = 64 * _RUN  # rows at a time; with few questions a block is in a core's own cache
_TOGETHER = 16
_BOUNDS_AT_ONCE = 2**24
_MOST_WORDS = 2048  # of a batch, whose cosines with a part of the rows are held at once
_NUMBERS_AT_ONCE = 2**21


class OffsetSearch:
    """Searches the words of a source for the best answers."""

    def __init__(self, words: WordRows, method: Method = "cosadd") -> None:
        self.words, self.method = words, method
        self.rows, self.candidates = words.source.matrix.rows, words.candidates
        self._all = len(self.candidates) == words.count
        self.runs = -(-len(self.candidates) // _RUN)
        width = words.source.matrix.output_dim
        # Of a product of two vectors of length 1, each rounded to float32 (Higham 2002, 3.1).
        self._error = 1.01 * (width + 8) * _ROUNDING

    def best(
        self,
        asked: Rows,
        without: Sequence[Sequence[int]],
        top: int,
        progress: Progress | None = None,
    ) -> Rows:
        """Return the best rows of each question, of equal scores the first row first.

        Args:
            asked: the rows of a, b and c, shape (questions, 3).
            without: rows that may not be the answer, for each question.
            progress: is told how many questions are done, now and then.

        Returns:
            Rows, shape (questions, top); -1 where there are no more.
        """
        answers = np.full((len(asked), top), -1, np.int64)
        step = max(_TOGETHER, _BOUNDS_AT_ONCE // max(1, self.runs))
        for start in range(0, len(asked), step):
            part = slice(start, min(start + step, len(asked)))
            answers[part] = self._batch(asked[part], without[part], top)
            if progress is not None:
                progress(part.stop)
        return answers

    def _batch(self, asked: Rows, without: Sequence[Sequence[int]], top: int) -> Rows:
        """Answer the questions of a batch; one with too many different words in two halves."""
        half = len(asked) // 2
        if half >= _TOGETHER and len(np.unique(asked)) > _MOST_WORDS:
            first = self._batch(asked[:half], without[:half], top)
            return np.concatenate([first, self._batch(asked[half:], without[half:], top)])
        order = np.lexsort((asked[:, 0], asked[:, 1]))  # questions with one a and b stand together
        sorted_without = [self._positions(without[place]) for place in order.tolist()]
        answers = np.empty((len(asked), top), np.int64)
        answers[order] = self._sorted_batch(asked[order], sorted_without, top)
        return answers

    def _positions(self, rows: Sequence[int]) -> Rows:
        """Return the places of rows among the candidates."""
        places = np.asarray(rows, np.int64)
        return places if self._all else np.searchsorted(self.candidates, places)

    def _sorted_batch(self, asked: Rows, without: Sequence[Rows], top: int) -> Rows:
        bounds = np.full((len(asked), self.runs), -np.inf, np.float32)
        names, places = np.unique(asked, return_inverse=True)
        units = self._units(names).astype(np.float32)
        groups = _grouped(places.reshape(asked.shape), without)
        chunks = -(-len(self.candidates) // _WIDTH)
        scored = stage("how near they are", chunks * _WIDTH)

        def fill(first: int, last: int) -> None:
            rows_of_three = np.empty((_TOGETHER, _WIDTH), np.float32)
            for chunk in range(first, last):
                self._fill(bounds, units, groups, chunk * _WIDTH, rows_of_three)
                scored(_WIDTH)

        in_halves(chunks, fill)
        return self._settle(asked, without, bounds, top)

    def _fill(
        self,
        bounds: FloatArray,
        units: FloatArray,
        groups: Sequence[_Group],
        start: int,
        scores: FloatArray,
    ) -> None:
        """Fill in the upper bound of each run of rows in a part of them, for all questions."""
        stop = min(start + _WIDTH, len(self.candidates))
        part = self._units(self._rows(start, stop)).astype(np.float32)
        cosines = units @ part.T
        if self.method == "cosmul":
            cosines += 1
            cosines /= 2
        width = stop - start
        whole = width // _RUN
        first = start // _RUN
        for group in groups:
            block = scores[: len(group.c), :width]
            np.take(cosines, group.c, axis=0, out=block, mode="clip")
            for begin, end, a, b in group.spans:
                self._join(block[begin:end], cosines[a], cosines[b])
            low, high = np.searchsorted(group.out_places, [start, stop])
            if low < high:
                block[group.out_questions[low:high], group.out_places[low:high] - start] = -np.inf
            into = bounds[group.first : group.first + len(group.c)]
            if whole:
                runs = block[:, : whole * _RUN].reshape(len(block), whole, _RUN)
                into[:, first : first + whole] = runs.max(axis=2)
            if width > whole * _RUN:
                into[:, first + whole] = block[:, whole * _RUN :].max(axis=1)

    def _join(self, scores: FloatArray, with_a: FloatArray, with_b: FloatArray) -> None:
        """Make upper bounds of the scores out of the cosines with c, in place."""
        if self.method == "nearest":
            scores += np.float32(self._error + 4 * _ROUNDING)
        elif self.method == "cosadd":
            scores += (with_b - with_a) + np.float32(3 * self._error + 16 * _ROUNDING)
        else:
            error = np.float32(self._error / 2 + 2 * _ROUNDING)
            ratio = (with_b + error) / (np.maximum(with_a - error, 0) + np.float32(EPSILON * 0.999))
            scores += error
            np.maximum(scores, 0, out=scores)
            scores *= ratio * np.float32(1 + 16 * _ROUNDING)

    def _settle(self, asked: Rows, without: Sequence[Rows], bounds: FloatArray, top: int) -> Rows:
        """Return the best rows, by scores in float64 of the runs that could hold them."""
        answers = np.full((len(asked), top), -1, np.int64)
        runs = min(top, self.runs)
        if runs == 1:
            likely = bounds.argmax(axis=1)[:, None]
        else:
            likely = np.argpartition(bounds, self.runs - runs, axis=1)[:, self.runs - runs :]
        width = self.words.source.matrix.output_dim
        step = max(1, _NUMBERS_AT_ONCE // (runs * _RUN * width))
        for start in range(0, len(asked), step):
            part = slice(start, min(start + step, len(asked)))
            places = (likely[part, :, None] * _RUN + np.arange(_RUN)).reshape(-1, runs * _RUN)
            scores = self._scores(asked[part], places)
            for number, question in enumerate(range(part.start, part.stop)):
                best, floor = _best(places[number], scores[number], without[question], top)
                left = np.flatnonzero(bounds[question] >= floor)
                if len(left) > len(np.intersect1d(left, likely[question], assume_unique=True)):
                    best = self._settle_one(asked[question], without[question], left, best)
                answers[question, : len(best)] = best[:top]
        known = answers >= 0
        if not self._all:
            answers[known] = self.candidates[answers[known]]
        return answers

    def _settle_one(self, asked: Rows, without: Rows, runs: Rows, best: Rows) -> Rows:
        """Return the best places among these runs and those that are the best so far."""
        kept = best
        step = max(1, _NUMBERS_AT_ONCE // (_RUN * self.words.source.matrix.output_dim))
        for start in range(0, len(runs), step):
            places = (runs[start : start + step, None] * _RUN + np.arange(_RUN)).ravel()
            places = np.union1d(places, kept)
            scores = self._scores(asked[None], places[None])[0]
            kept, _ = _best(places, scores, without, max(1, len(best)))
        return kept

    def _scores(self, asked: Rows, places: Rows) -> Doubles:
        """Return scores in float64, in the shape of `places`; minus infinity beyond the end."""
        beyond = places >= len(self.candidates)
        inside = np.minimum(places, len(self.candidates) - 1)
        rows = inside if self._all else self.candidates[inside]
        units = self._units(rows.ravel()).reshape(*places.shape, -1)
        a, b, c = (self._units(asked[:, place])[:, None, :] for place in range(3))
        if self.method == "nearest":
            scores = np.vecdot(units, c)
        elif self.method == "cosadd":
            scores = np.vecdot(units, b - a + c)
        else:
            with_a, with_b, with_c = ((1 + np.vecdot(units, word)) / 2 for word in (a, b, c))
            scores = with_b * with_c / (with_a + EPSILON)
        scores[beyond] = -np.inf
        return np.asarray(scores)

    def _rows(self, start: int, stop: int) -> Any:
        return slice(start, stop) if self._all else self.candidates[start:stop]

    def _units(self, rows: Any) -> Doubles:
        part = self.rows[rows].astype(np.float64)
        return np.asarray(part / np.sqrt(np.vecdot(part, part))[:, None])


class _Group:
    """Some questions that are worked on together.

    Attributes:
        first: the number of the first of them.
        c: the places of their c among the words of the batch.
        spans: for questions in a row that have one a and b: where they begin and end in the group,
            and the places of a and b.
        out_places, out_questions: the candidates that are no answer, in their order, and the
            question each belongs to.
    """

    def __init__(self, first: int, places: Rows, without: Sequence[Rows]) -> None:
        self.first, self.c = first, np.ascontiguousarray(places[:, 2])
        changed = np.flatnonzero((np.diff(places[:, :2], axis=0) != 0).any(axis=1)) + 1
        edges = [0, *changed.tolist(), len(places)]
        self.spans = [
            (begin, end, int(places[begin, 0]), int(places[begin, 1]))
            for begin, end in pairwise(edges)
        ]
        questions = np.repeat(np.arange(len(without)), [len(rows) for rows in without])
        out = np.concatenate([*without, np.empty(0, np.int64)])
        order = np.argsort(out, kind="stable")
        self.out_places, self.out_questions = out[order], questions[order]


def _grouped(places: Rows, without: Sequence[Rows]) -> list[_Group]:
    return [
        _Group(start, places[start : start + _TOGETHER], without[start : start + _TOGETHER])
        for start in range(0, len(places), _TOGETHER)
    ]


def _best(places: Rows, scores: Doubles, without: Rows, top: int) -> tuple[Rows, float]:
    """Return the best places, of equal scores the first, and the score that others must reach."""
    scores = scores.copy()
    for place in without.tolist():
        scores[places == place] = -np.inf
    if top == 1:
        most = scores.max()
        if most == -np.inf:
            return np.empty(0, np.int64), -np.inf
        return places[scores == most].min()[None], float(most)
    order = np.lexsort((places, -scores))[:top]
    order = order[scores[order] > -np.inf]
    floor = float(scores[order[-1]]) if len(order) == top else -np.inf
    return places[order], floor
