"""What a matrix is like as a whole, and which of its rows are broken or odd."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.matrix import FloatArray
from embedinspect.source import Source
from embedinspect.training.run_folder import open_embedding

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

BINS = 10
_MOST_DIMENSIONS = 4096
_BLOCK = 2**21
# In units of the median absolute deviation: far beyond even the heavy tails of word vectors.
_FAR = 12.0


@dataclass(frozen=True)
class Spread:
    """The smallest and largest of some numbers, their quartiles and their mean."""

    smallest: float
    lower: float
    median: float
    upper: float
    largest: float
    mean: float


@dataclass(frozen=True)
class Health:
    """The record that `info` prints.

    Attributes:
        norms: spread of the lengths of all finite rows; None where there are none.
        histogram: of these lengths: `BINS` counts, and the `BINS + 1` edges between them.
        mean: the mean of all numbers in finite rows.
        standard_deviation: the standard deviation of these numbers.
        dimension_deviations: standard deviation of each dimension, shape (output_dim,).
        common_share: length of the mean row, divided by the mean length of the rows: near 0 where
            the rows point every way, near 1 where they all point one way.
        effective_rank: exp of the entropy of the singular values of the centred rows, each divided
            by their sum (Roy & Vetterli 2007); None beyond 4,096 dimensions.
        zero_rows: rows whose numbers are all 0.
        nan_rows: rows that hold a NaN.
        infinite_rows: rows that hold an infinite number, and no NaN.
        duplicate_rows: rows that equal an earlier row bit for bit; zero rows are not among them.
        duplicate_of: for each of them, that earlier row.
        far_rows: rows unlike all others: their distance from the mean row, measured in each
            dimension's own deviation, is more than 12 median absolute deviations above the
            median; the farthest first.
        far_distances: that distance of each of them, divided by the median distance.
        unmoved_rows: rows that training left as they were drawn; None where there is no run.
    """

    norms: Spread | None
    histogram: tuple[list[int], list[float]]
    mean: float
    standard_deviation: float
    dimension_deviations: Doubles
    common_share: float
    effective_rank: float | None
    zero_rows: Rows
    nan_rows: Rows
    infinite_rows: Rows
    duplicate_rows: Rows
    duplicate_of: Rows
    far_rows: Rows
    far_distances: Doubles
    unmoved_rows: Rows | None


def examine(source: Source) -> Health:
    """Return what the matrix of a source is like. Rows that are not finite count nowhere else."""
    rows = source.matrix.rows
    lengths = source.lengths()
    finite = np.isfinite(lengths)
    broken = np.flatnonzero(~finite)
    with np.errstate(invalid="ignore"):
        holds_nan = np.isnan(rows[broken]).any(axis=1)
    # A length can be infinite in float32 where every number is finite.
    holds_infinity = np.isinf(rows[broken]).any(axis=1)
    count, total, gram = _moments(rows, finite)
    mean_row = total / max(1, count)
    variance = np.maximum(np.diag(gram) / max(1, count) - mean_row**2, 0)
    deviations = np.sqrt(variance)
    distances = _distances(rows, mean_row, deviations)
    far, far_distances = _far(distances, finite)
    duplicates, first = _duplicates(rows, lengths != 0)
    sound = lengths[finite]
    mean_length = float(sound.mean(dtype=np.float64)) if sound.size else math.nan
    overall = float(mean_row.mean())
    squares = float(np.trace(gram)) / max(1, count * rows.shape[1])
    return Health(
        norms=_spread(sound),
        histogram=_histogram(sound),
        mean=overall,
        standard_deviation=math.sqrt(max(0.0, squares - overall**2)),
        dimension_deviations=deviations,
        common_share=float(np.linalg.norm(mean_row)) / mean_length if mean_length else 0.0,
        effective_rank=_effective_rank(gram, mean_row, count),
        zero_rows=np.flatnonzero(lengths == 0),
        nan_rows=broken[holds_nan],
        infinite_rows=broken[holds_infinity & ~holds_nan],
        duplicate_rows=duplicates,
        duplicate_of=first,
        far_rows=far,
        far_distances=far_distances,
        unmoved_rows=_unmoved(source),
    )


def _unmoved(source: Source) -> Rows | None:
    if source.run is None or source.epoch == 0:
        return None
    before = open_embedding(source.run, 0).rows
    return np.flatnonzero((before == source.matrix.rows).all(axis=1))


def _parts(rows: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    """Yield the rows in parts, each with the number of its first row, to bound the memory."""
    step = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), step):
        yield start, rows[start : start + step]


def _moments(rows: FloatArray, finite: Any) -> tuple[int, Doubles, Doubles]:
    """Return count, sum and sum of products of the finite rows.

    Beyond 4,096 dimensions only the squares are summed, on the diagonal.
    """
    width = rows.shape[1]
    total = np.zeros(width)
    whole = width <= _MOST_DIMENSIONS
    gram = np.zeros((width, width)) if whole else np.zeros(width)
    count = 0
    for start, part in _parts(rows):
        sound = finite[start : start + len(part)]
        part64 = (part if sound.all() else part[sound]).astype(np.float64)
        count += len(part64)
        total += part64.sum(axis=0)
        gram += part64.T @ part64 if whole else np.einsum("ij,ij->j", part64, part64)
    return count, total, gram if whole else np.diag(gram)


def _effective_rank(gram: Doubles, mean_row: Doubles, count: int) -> float | None:
    if len(mean_row) > _MOST_DIMENSIONS or not count:
        return None
    centred = gram - count * np.outer(mean_row, mean_row)
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(centred), 0))
    values[values < values.max(initial=0) * 1e-7] = 0  # what rounding leaves of a zero
    if not values.any():
        return 0.0
    shares = values[values > 0] / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _distances(rows: FloatArray, mean_row: Doubles, deviations: Doubles) -> Doubles:
    """Return how far each row is from the mean row, in each dimension's own deviation."""
    scale = np.where(deviations > 0, deviations, 1)
    distances = np.empty(len(rows))
    with np.errstate(invalid="ignore", over="ignore"):
        for start, part in _parts(rows):
            apart = (part - mean_row) / scale
            distances[start : start + len(part)] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    return distances


def _far(distances: Doubles, finite: Any) -> tuple[Rows, Doubles]:
    sound = distances[finite]
    if sound.size < 3:
        return np.empty(0, np.int64), np.empty(0)
    middle = float(np.median(sound))
    deviation = float(np.median(np.abs(sound - middle)))
    if not deviation:
        return np.empty(0, np.int64), np.empty(0)
    far = np.flatnonzero(finite & (distances > middle + _FAR * deviation))
    far = far[np.argsort(-distances[far], kind="stable")]
    return far, distances[far] / middle


def _duplicates(rows: FloatArray, counts: Any) -> tuple[Rows, Rows]:
    """Return rows that equal an earlier one bit for bit, and that earlier row.

    Rows are compared where the hashes of their bits are equal.
    """
    stream = np.random.RandomState(0)
    factors = stream.randint(1, 2**62, rows.shape[1], dtype=np.uint64) * 2 + 1
    hashes = np.empty(len(rows), np.uint64)
    for start, part in _parts(rows):
        bits = np.ascontiguousarray(part).view(np.uint32).astype(np.uint64)
        mixed = (bits + 0x9E3779B9) * (bits ^ np.uint64(0x85EBCA6B))
        hashes[start : start + len(part)] = (mixed * factors).sum(axis=1, dtype=np.uint64)
    order = np.argsort(hashes, kind="stable")
    same = hashes[order][1:] == hashes[order][:-1]
    later: list[int] = []
    first: list[int] = []
    begin = 0
    for place in np.flatnonzero(same).tolist():
        row = int(order[place + 1])
        begin = begin if place and same[place - 1] else place
        if not counts[row]:
            continue
        for candidate in order[begin : begin + 8].tolist():
            if candidate < row and rows[candidate].tobytes() == rows[row].tobytes():
                later.append(row)
                first.append(candidate)
                break
    ranking = np.argsort(later, kind="stable")
    return np.array(later, np.int64)[ranking], np.array(first, np.int64)[ranking]


def _spread(values: FloatArray) -> Spread | None:
    if not values.size:
        return None
    low, lower, middle, upper, high = np.percentile(values, [0, 25, 50, 75, 100]).tolist()
    return Spread(low, lower, middle, upper, high, float(values.mean(dtype=np.float64)))


def _histogram(values: FloatArray) -> tuple[list[int], list[float]]:
    if not values.size:
        return [], []
    counts, edges = np.histogram(values.astype(np.float64), BINS)
    return counts.tolist(), edges.tolist()
