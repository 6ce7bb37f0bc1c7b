"""What a matrix is like as a whole, and which of its rows are broken or odd."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.analysis.histogram import Histogram, histogram
from embedinspect.analysis.moments import Doubles as Doubles
from embedinspect.analysis.moments import Moments, moments_of
from embedinspect.analysis.moments import Rows as Rows
from embedinspect.matrix import IN_CACHE, finite_among, in_halves, parts_of
from embedinspect.source import Source
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray, Vectors

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
        histogram: of these lengths.
        histogram_rows: the row of each length in it.
        mean: the mean of all numbers in finite rows.
        standard_deviation: the standard deviation of these numbers.
        dimension_deviations: standard deviation of each dimension, shape (output_dim,).
        common_share: length of the mean row, divided by the mean length of the rows: near 0 where
            the rows point every way, near 1 where they all point one way. The mean row is what
            Mu & Viswanath 2018 ("All-but-the-top") subtract first.
        mean_cosine: the mean cosine of two different rows, over all pairs of rows with a direction:
            near 0 where they point every way (Ethayarajh 2019 calls it anisotropy); None for fewer
            than two such rows.
        random_mean_cosine_deviation: the standard deviation that `mean_cosine` would have, about 0,
            if so many rows had directions drawn at random: 1 / sqrt(pairs * output_dim), since the
            cosines of different pairs are uncorrelated then; None as for `mean_cosine`.
        random_cosine_deviation: the standard deviation, about 0, of the cosine of two directions
            drawn at random: 1 / sqrt(output_dim) (Cai, Fan & Jiang 2013).
        effective_rank: exp of the entropy of the singular values of the centred rows, each divided
            by their sum (Roy & Vetterli 2007); None where all rows are the same, and where there
            are more than 4,096 rows of more than 4,096 dimensions.
        participation_ratio: over how many directions the variance of the rows would be spread, if
            these had it in even shares: 1 / the sum of the squared shares (Gao et al. 2017). It
            goes by variances, the squares of the singular values, and so does the next; None as
            for `effective_rank`.
        first_direction_share: the share of the rows' variance that lies along the one direction
            in which they vary most; None as for `effective_rank`.
        directions_for_90_percent: how many directions, the strongest first, hold 90% of the
            variance; None as for `effective_rank`.
        most_directions: how many directions so many rows can vary along: `output_dim`, or one
            fewer than the finite rows where these are no more than that.
        first_direction_share_before: that share before training; None where the source is no run
            after training.
        zero_rows: rows whose numbers are all 0.
        nan_rows: rows that hold a NaN.
        infinite_rows: rows that hold an infinite number, and no NaN.
        duplicate_rows: rows that equal an earlier row bit for bit; zero rows are not among them.
        duplicate_of: for each of them, that earlier row.
        far_rows: rows unlike all others: their distance from the mean row, measured in each
            dimension's own deviation, is more than 12 median absolute deviations above the
            median, or than 12 medians where most rows have the same distance; the farthest first.
        far_distances: that distance of each of them, divided by the median distance.
        unmoved_rows: rows that training left as they were drawn; None where there is no run.
    """

    norms: Spread | None
    histogram: Histogram
    histogram_rows: Rows
    mean: float
    standard_deviation: float
    dimension_deviations: Doubles
    common_share: float
    mean_cosine: float | None
    random_mean_cosine_deviation: float | None
    random_cosine_deviation: float
    effective_rank: float | None
    participation_ratio: float | None
    first_direction_share: float | None
    directions_for_90_percent: int | None
    most_directions: int
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
    lengths = row_lengths(source)
    finite = np.isfinite(lengths)
    broken = np.flatnonzero(~finite)
    holds_nan = _hold_nan(rows, broken)
    moments = moments_of(rows, finite)
    distances, mean_cosine = _distances(rows, moments, lengths)
    far, far_distances = _far(distances, finite)
    del distances  # what follows needs the room
    duplicates, first = _duplicates(rows, np.flatnonzero(lengths != 0))
    sound = lengths[finite]
    mean_length = float(sound.mean(dtype=np.float64)) if sound.size else math.nan
    before = _before_training(source)
    return Health(
        norms=_spread(sound),
        histogram=histogram(sound),
        histogram_rows=np.flatnonzero(finite),
        mean=float(moments.mean.mean()),
        standard_deviation=math.sqrt(float(moments.variances.mean() + moments.mean.var())),
        dimension_deviations=np.sqrt(moments.variances),
        common_share=float(np.linalg.norm(moments.mean)) / mean_length if mean_length else 0.0,
        mean_cosine=mean_cosine,
        random_mean_cosine_deviation=_of_random_rows(lengths, rows.shape[1]),
        random_cosine_deviation=1 / math.sqrt(rows.shape[1]),
        effective_rank=moments.effective_rank,
        participation_ratio=moments.participation_ratio,
        first_direction_share=moments.first_share,
        directions_for_90_percent=moments.directions_for(0.9),
        most_directions=moments.most_directions,
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


def distances_from_mean(source: Source) -> Doubles:
    """Return how far each row is from the mean row, in units of the median distance.

    Each dimension is measured in its own deviation, as `Health.far_distances` is. It is NaN for
    rows that are not finite.
    """
    rows, lengths = source.matrix.rows, row_lengths(source)
    finite = np.isfinite(lengths)
    distances, _ = _distances(rows, moments_of(rows, finite), lengths)
    distances[~finite] = np.nan
    middle = float(np.median(distances[finite])) if finite.any() else 0.0
    return distances / middle if middle else distances


def _equal_rows(before: Vectors, rows: Vectors) -> Rows:
    """Return which rows are in both as they are, whatever moved around them."""
    parts = (
        (part == rows[start : start + len(part)]).all(axis=1) for start, part in parts_of(before)
    )
    return np.flatnonzero(np.concatenate(list(parts)))


def row_lengths(source: Source) -> Any:
    """Return the length of each row, in float64 where one is too long or short for float32."""
    rows, lengths = source.matrix.rows, source.lengths()
    beyond = np.flatnonzero(np.isinf(lengths))
    short = np.flatnonzero((lengths > 0) & (lengths < np.finfo(np.float32).tiny))
    beyond = np.concatenate([beyond[finite_among(rows, beyond)], short])
    if not len(beyond):
        return lengths
    wide = lengths.astype(np.float64)
    step = max(1, IN_CACHE // rows.shape[1])
    for start in range(0, len(beyond), step):
        some = beyond[start : start + step]
        wide[some] = np.linalg.norm(rows[some].astype(np.float64), axis=1)
    return wide


def _hold_nan(rows: Vectors, among: Rows) -> Any:
    hold = np.empty(len(among), np.bool_)
    step = max(1, IN_CACHE // rows.shape[1])
    for start in range(0, len(among), step):
        hold[start : start + step] = np.isnan(rows[among[start : start + step]]).any(axis=1)
    return hold


def _before_training(source: Source) -> Vectors | None:
    """Return the rows as they were drawn; None where the source is no run after training."""
    if source.run is None or source.epoch == 0:
        return None
    from embedinspect.training.run_folder import open_embedding

    return open_embedding(source.run, 0).rows


def _first_direction(rows: Vectors) -> float | None:
    return moments_of(rows, finite_among(rows, np.arange(len(rows)))).first_share


def _distances(rows: Vectors, moments: Moments, lengths: Any) -> tuple[Doubles, float | None]:
    """Return how far each row is from the mean row, and the mean cosine of two rows.

    The distance is measured in each dimension's own deviation. The cosines of all pairs add up to
    the square of the sum of all directions, less those of the rows with themselves.
    """
    weights = 1 / np.sqrt(np.where(moments.variances > 0, moments.variances, 1))
    distances = np.empty(len(rows))
    directed = np.isfinite(lengths) & (lengths > 0)
    measured = stage("how far they are from the mean row", len(rows))

    def measure(start: int, stop: int) -> Doubles:
        directions = np.zeros(rows.shape[1])
        with np.errstate(invalid="ignore", over="ignore"):
            for first, part in parts_of(rows, IN_CACHE, start, stop):
                apart = part.astype(np.float64)
                here = directed[first : first + len(part)]
                inverse = 1 / lengths[first : first + len(part)][here].astype(np.float64)
                directions += inverse @ (apart if here.all() else apart[here])
                apart -= moments.mean
                apart *= weights
                distances[first : first + len(part)] = np.sqrt(np.vecdot(apart, apart))
                measured(len(part))
        return directions

    directions = np.add(*in_halves(len(rows), measure))
    count = int(directed.sum())
    if count < 2:
        return distances, None
    cosine = float((directions @ directions - count) / (count * (count - 1)))
    return distances, min(1.0, max(-1.0, cosine))


def _of_random_rows(lengths: Any, width: int) -> float | None:
    """Return by how much the mean cosine of so many random directions differs from 0."""
    count = int((np.isfinite(lengths) & (lengths > 0)).sum())
    return None if count < 2 else 1 / math.sqrt(count * (count - 1) / 2 * width)


def _far(distances: Doubles, finite: Any) -> tuple[Rows, Doubles]:
    sound = distances[finite]
    if sound.size < 3:
        return np.empty(0, np.int64), np.empty(0)
    middle = float(np.median(sound, overwrite_input=True))
    np.abs(np.subtract(sound, middle, out=sound), out=sound)
    deviation = float(np.median(sound, overwrite_input=True))
    # One row that is longer than all others together leaves these with the same distance.
    reach = _FAR * deviation if deviation > middle * 1e-6 else _FAR * middle
    if not reach:
        return np.empty(0, np.int64), np.empty(0)
    far = np.flatnonzero(finite & (distances > middle + reach))
    far = far[np.argsort(-distances[far], kind="stable")]
    return far, distances[far] / middle


def _duplicates(rows: Vectors, among: Rows) -> tuple[Rows, Rows]:
    """Return those among the rows that equal an earlier one bit for bit, and that earlier row.

    Rows are compared where the hashes of their bits are equal.
    """
    hashes = _hashes(rows)[among]
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    same = hashes[1:] == hashes[:-1]
    order = among[order]
    begins = np.flatnonzero(np.concatenate([[True], ~same]))  # where other hashes begin
    places = np.flatnonzero(same) + 1
    places = places[np.argsort(order[places])]  # the rows stand one after the other in the file
    begin = begins[np.searchsorted(begins, places, side="right") - 1]
    later, first = order[places], order[begin]
    equal = _are_equal(rows, later, first)
    for place in np.flatnonzero(~equal).tolist():  # other rows have the hash of the first, too
        row, others = int(later[place]), order[begin[place] + 1 : begin[place] + 8]
        for other in others[others < row].tolist():
            if rows[other].tobytes() == rows[row].tobytes():
                first[place], equal[place] = other, True
                break
    return later[equal], first[equal]


def _are_equal(rows: Vectors, some: Rows, others: Rows) -> Any:
    """Return of each pair of rows whether they are equal bit for bit."""
    equal = np.empty(len(some), np.bool_)
    step = max(1, 2**20 // rows.shape[1])
    compared = stage("which are equal", len(some))
    for start in range(0, len(some), step):
        one, other = rows[some[start : start + step]], rows[others[start : start + step]]
        same = one.view(np.uint32) == other.view(np.uint32)
        equal[start : start + step] = same.all(axis=1)
        compared(len(one))
    return equal


def _hashes(rows: Vectors) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return a hash of the bits of each row.

    Numbers are taken in pairs where they can be. Their highest bits are mixed into their lowest
    ones, as round numbers differ in the highest alone, and these would be lost in a product.
    """
    width = rows.shape[1]
    factors = np.random.RandomState(0).randint(1, 2**62, width, dtype=np.uint64) * 2 + 1
    hashes = np.empty(len(rows), np.uint64)
    hashed = stage("what equals what", len(rows))

    def mix(start: int, stop: int) -> None:
        for first, part in parts_of(rows, IN_CACHE, start, stop):
            part = np.ascontiguousarray(part)
            paired = width % 2 == 0
            bits = part.view(np.uint64) if paired else part.view(np.uint32).astype(np.uint64)
            mixed = bits >> 29
            mixed ^= bits
            hashes[first : first + len(part)] = mixed @ factors[: bits.shape[1]]
            hashed(len(part))

    in_halves(len(rows), mix)
    return hashes


def _spread(values: FloatArray) -> Spread | None:
    if not values.size:
        return None
    low, lower, middle, upper, high = np.percentile(values, [0, 25, 50, 75, 100]).tolist()
    return Spread(low, lower, middle, upper, high, float(values.mean(dtype=np.float64)))
