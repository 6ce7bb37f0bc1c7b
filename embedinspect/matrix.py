"""The embedding matrix: rows of numbers, one for each id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from threading import Thread
from typing import Any, TypeVar

import numpy as np

from embedinspect.errors import UsageError
from embedinspect.row_words import Words
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray, Vectors

# Keras's default for Embedding: RandomUniform(-0.05, 0.05).
LIMIT = 0.05
MOST_VALUES = 2**31  # numbers that a matrix may have in memory; mapped ones may have any
MOST_ROWS = 2**31 - 1  # that a matrix may have anywhere, as ids are int32
IN_CACHE = 2**16  # numbers that a core's own cache holds, in float64 too
WORTH_TWO_THREADS = 2**20  # numbers; fewer are done before a thread has started

T = TypeVar("T")
Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class EmbeddingMatrix:
    """The rows that ids are looked up in.

    Attributes:
        rows: float32, shape (input_dim, output_dim): an array, or rows that are
            decoded where they are looked at.
        origin: where the rows come from, in words.
        words: the words of the rows, where they are known.
    """

    rows: Vectors
    origin: str
    words: Words | None = None

    @property
    def input_dim(self) -> int:
        """How many rows there are."""
        return int(self.rows.shape[0])

    @property
    def output_dim(self) -> int:
        """How many numbers a row has."""
        return int(self.rows.shape[1])

    @property
    def parameters(self) -> int:
        """How many numbers the matrix has: `input_dim` times `output_dim`."""
        return self.input_dim * self.output_dim

    @cached_property
    def not_finite(self) -> int:
        """How many of the numbers are NaN or infinite."""
        finite = sum(int(np.isfinite(part).sum()) for _, part in parts_of(self.rows))
        return int(self.rows.size - finite)

    def with_padding_row(self) -> EmbeddingMatrix:
        """Return the rows one further down, under a row of zeros for the padding; no words."""
        rows = np.zeros((self.input_dim + 1, self.output_dim), np.float32)
        for start, part in parts_of(self.rows):
            rows[start + 1 : start + 1 + len(part)] = part
        return EmbeddingMatrix(rows, f"{self.origin}, under a row of zeros for the padding")


def parts_of(
    rows: Vectors, numbers: int = 2**20, start: int = 0, stop: int | None = None
) -> Iterator[tuple[int, FloatArray]]:
    """Yield the rows in parts of about so many numbers, each with the number of its first row.

    Whatever is made of a part, memory stays bounded.
    """
    block = max(1, numbers // rows.shape[1])
    stop = len(rows) if stop is None else stop
    for first in range(start, stop, block):
        yield first, rows[first : min(first + block, stop)]


def in_halves(count: int, work: Callable[[int, int], T]) -> tuple[T, T]:
    """Return what `work` makes of the first half of so many rows, and what of the second.

    Both are worked on at one time: NumPy computes on two cores then. The halves are the same on
    every machine, and so are the sums that are made of them.

    Args:
        work: is given the number of its first row, and of the one behind its last.
    """
    first: list[T] = []
    failed: list[BaseException] = []

    def work_on_first() -> None:
        try:
            first.append(work(0, count // 2))
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=work_on_first)
    thread.start()
    try:
        second = work(count // 2, count)
    finally:
        thread.join()
    if failed:
        raise failed[0]
    return first[0], second


def but_for(rows: Rows, *others: Rows) -> Rows:
    """Return some row numbers but for others, ascending: a mask takes no more than a byte a row."""
    chosen = np.zeros(max(int(some.max(initial=-1)) for some in (rows, *others)) + 1, np.bool_)
    chosen[rows] = True
    for some in others:
        chosen[some] = False
    return np.flatnonzero(chosen)


def finite_among(rows: Vectors, among: Rows) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return of each of some rows whether all its numbers are finite."""
    finite = np.empty(len(among), np.bool_)
    step = max(1, IN_CACHE // rows.shape[1])
    for start in range(0, len(among), step):
        finite[start : start + step] = np.isfinite(rows[among[start : start + step]]).all(axis=1)
    return finite


def norms_of(rows: Vectors) -> FloatArray:
    """Return the length of each row, float32, shape (input_dim,); it is computed in float64."""
    lengths = np.empty(len(rows), np.float32)
    measured = stage("their lengths", len(rows))

    def measure(start: int, stop: int) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            for first, part in parts_of(rows, IN_CACHE, start, stop):
                wide = part.astype(np.float64)
                lengths[first : first + len(part)] = np.sqrt(np.vecdot(wide, wide))
                measured(len(part))

    if rows.size < WORTH_TWO_THREADS:
        measure(0, len(rows))
    else:
        in_halves(len(rows), measure)
    return lengths


def draw(input_dim: int, output_dim: int, seed: int) -> EmbeddingMatrix:
    """Return a matrix drawn uniformly from -0.05 to 0.05, Keras's default distribution.

    It comes from `numpy.random.RandomState(seed)`, whose stream NumPy has frozen (NEP 19), so that
    a seed gives the same rows with every version and backend; with Keras's initializers it does
    not.

    Raises:
        UsageError: the matrix would have more than 2**31 numbers.
    """
    if input_dim * output_dim > MOST_VALUES:
        raise UsageError(
            f"input_dim {input_dim:,} x output_dim {output_dim:,} is {input_dim * output_dim:,} "
            f"numbers; expected at most {MOST_VALUES:,}; lower one of the two"
        )
    stream = np.random.RandomState(seed)
    rows = np.empty((input_dim, output_dim), np.float32)
    block = max(1, 2**20 // max(1, output_dim))  # the stream yields float64, twice the size
    for start in range(0, input_dim, block):
        part = rows[start : start + block]
        part[:] = stream.uniform(-LIMIT, LIMIT, part.shape)
    return EmbeddingMatrix(rows, f"drawn uniformly from -{LIMIT} to {LIMIT} with seed {seed}")
