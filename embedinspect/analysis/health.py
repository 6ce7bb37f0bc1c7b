"""What a matrix is like as a whole, and which of its rows are broken or odd."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.matrix import parts_of
from embedinspect.source import Source
from embedinspect.stored_rows import FloatArray, Vectors
from embedinspect.training.run_folder import open_embedding

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

BINS = 10
MOST_DIMENSIONS = 4096
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
            by their sum (Roy & Vetterli 2007); None where all rows are the same, and where there
            are more than 4,096 rows of more than 4,096 dimensions.
        first_direction_share: the share of the rows' variance that lies along the one direction
            in which they vary most; None as for `effective_rank`.
        first_direction_share_before: that share before training; None where the source is no run
            after training.
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
    first_direction_share: float | None
    first_direction_share_before: float | None
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
    lengths = _lengths(source)
    finite = np.isfinite(lengths)
    broken = np.flatnonzero(~finite)
    holds_nan = np.isnan(rows[broken]).any(axis=1)
    moments = _moments(rows, finite)
    distances = _distances(rows, moments)
    far, far_distances = _far(distances, finite)
    duplicates, first = _duplicates(rows, np.flatnonzero(lengths != 0))
    sound = lengths[finite]
    mean_length = float(sound.mean(dtype=np.float64)) if sound.size else math.nan
    directions = _directions(rows, finite, moments)
    before = _before_training(source)
    return Health(
        norms=_spread(sound),
        histogram=_histogram(sound),
        mean=float(moments.mean.mean()),
        standard_deviation=math.sqrt(float(moments.variances.mean() + moments.mean.var())),
        dimension_deviations=np.sqrt(moments.variances),
        common_share=float(np.linalg.norm(moments.mean)) / mean_length if mean_length else 0.0,
        effective_rank=_effective_rank(directions),
        first_direction_share=_first_share(directions),
        first_direction_share_before=None if before is None else _first_direction(before),
        zero_rows=np.flatnonzero(lengths == 0),
        nan_rows=broken[holds_nan],
        infinite_rows=broken[~holds_nan],
        duplicate_rows=duplicates,
        duplicate_of=first,
        far_rows=far,
        far_distances=far_distances,
        unmoved_rows=None if before is None else _equal_rows(before, rows),
    )


def _equal_rows(before: Vectors, rows: Vectors) -> Rows:
    """Return which rows are in both as they are, whatever moved around them."""
    parts = (
        (part == rows[start : start + len(part)]).all(axis=1) for start, part in parts_of(before)
    )
    return np.flatnonzero(np.concatenate(list(parts)))


def _lengths(source: Source) -> Any:
    """Return the length of each row, in float64 where one is too long for float32."""
    lengths: Any = source.lengths()
    beyond = np.flatnonzero(np.isinf(lengths))
    beyond = beyond[np.isfinite(source.matrix.rows[beyond]).all(axis=1)]
    if len(beyond):
        lengths = lengths.astype(np.float64)
        lengths[beyond] = np.linalg.norm(source.matrix.rows[beyond].astype(np.float64), axis=1)
    return lengths


def _before_training(source: Source) -> Vectors | None:
    """Return the rows as they were drawn; None where the source is no run after training."""
    if source.run is None or source.epoch == 0:
        return None
    return open_embedding(source.run, 0).rows


def _first_direction(rows: Vectors) -> float | None:
    finite = np.isfinite(rows).all(axis=1)
    return _first_share(_directions(rows, finite, _moments(rows, finite)))


def _parts(rows: Vectors) -> Iterator[tuple[int, FloatArray]]:
    """Yield the rows in parts, each with the number of its first row, to bound the memory."""
    step = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), step):
        yield start, rows[start : start + step]


@dataclass(frozen=True)
class _Moments:
    """Of the finite rows: their count, mean row, variance by dimension, and centred products.

    The products are None beyond 4,096 dimensions.
    """

    count: int
    mean: Doubles
    variances: Doubles
    products: Doubles | None


def _moments(rows: Vectors, finite: Any) -> _Moments:
    """Return the moments of the finite rows.

    Sums are taken about a row near the middle, so that a large offset common to all rows costs no
    digits. It is rounded to float32: of equal rows it is that row, and nothing is left.
    """
    width = rows.shape[1]
    first = rows[np.flatnonzero(finite)[: max(1, min(1000, _BLOCK // width))]]
    middle = first.mean(axis=0, dtype=np.float64).astype(np.float32) if len(first) else 0
    total, squares, count = np.zeros(width), np.zeros(width), 0
    products = np.zeros((width, width)) if width <= MOST_DIMENSIONS else None
    for start, part in _parts(rows):
        sound = finite[start : start + len(part)]
        part64 = (part if sound.all() else part[sound]).astype(np.float64) - middle
        count += len(part64)
        total += part64.sum(axis=0)
        if products is None:
            squares += np.einsum("ij,ij->j", part64, part64)
        else:
            products += part64.T @ part64
    mean = total / max(1, count)
    if products is not None:
        products -= count * np.outer(mean, mean)
        squares = np.diag(products)
    else:
        squares -= count * mean**2
    return _Moments(count, mean + middle, np.maximum(squares, 0) / max(1, count), products)


def _directions(rows: Vectors, finite: Any, moments: _Moments) -> Doubles | None:
    """Return how much the centred rows vary along each of their principal directions.

    These are the squares of their singular values, from the products of dimensions or, where there
    are fewer, of rows; None where there are too many of both, or where no row differs.
    """
    products = moments.products
    if products is None:
        if moments.count > MOST_DIMENSIONS:
            return None
        sound = np.flatnonzero(finite)
        products = np.zeros((len(sound), len(sound)))
        step = max(1, _BLOCK // max(1, len(sound)))
        for start in range(0, rows.shape[1], step):
            columns = slice(start, start + step)
            part = rows[sound, columns].astype(np.float64) - moments.mean[columns]
            products += part @ part.T
    values = np.maximum(np.linalg.eigvalsh(products), 0)
    values = values[values > values.max(initial=0) * 1e-14]  # the rest is left of rounding
    return values if len(values) else None


def _effective_rank(directions: Doubles | None) -> float | None:
    if directions is None:
        return None
    shares = np.sqrt(directions) / np.sqrt(directions).sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _first_share(directions: Doubles | None) -> float | None:
    return None if directions is None else float(directions.max() / directions.sum())


def _distances(rows: Vectors, moments: _Moments) -> Doubles:
    """Return how far each row is from the mean row, in each dimension's own deviation."""
    scale = np.sqrt(np.where(moments.variances > 0, moments.variances, 1))
    distances = np.empty(len(rows))
    with np.errstate(invalid="ignore", over="ignore"):
        for start, part in _parts(rows):
            apart = (part - moments.mean) / scale
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


def _duplicates(rows: Vectors, among: Rows) -> tuple[Rows, Rows]:
    """Return those among the rows that equal an earlier one bit for bit, and that earlier row.

    Rows are compared where the hashes of their bits are equal.
    """
    stream = np.random.RandomState(0)
    factors = stream.randint(1, 2**62, rows.shape[1], dtype=np.uint64) * 2 + 1
    hashes = np.empty(len(rows), np.uint64)
    for start, part in _parts(rows):
        bits = np.ascontiguousarray(part).view(np.uint32).astype(np.uint64)
        mixed = (bits + 0x9E3779B9) * (bits ^ np.uint64(0x85EBCA6B))
        hashes[start : start + len(part)] = (mixed * factors).sum(axis=1, dtype=np.uint64)
    order = among[np.argsort(hashes[among], kind="stable")]
    same = hashes[order][1:] == hashes[order][:-1]
    later: list[int] = []
    first: list[int] = []
    begin = 0
    for place in np.flatnonzero(same).tolist():
        row = int(order[place + 1])
        begin = begin if place and same[place - 1] else place
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
    low, high = float(values.min()), float(values.max())
    if low == high:  # NumPy would make bins that are 0.1 wide, whatever the length
        low, high = (low / 2, low * 1.5) if low else (0.0, 1.0)
    counts, edges = np.histogram(values.astype(np.float64), BINS, (low, high))
    return counts.tolist(), edges.tolist()
