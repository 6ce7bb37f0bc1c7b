"""Rows that training hardly reached, known by their numbers alone.

Three marks tell them. Weight decay shortens rows that no text asks for and leaves them alike: they
are a tight cluster among the shortest rows. Rows that nothing moved are still the noise that their
initializer drew. And new rows of an enlarged table begin at the mean of all others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.analysis.health import Doubles, Rows
from embedinspect.matrix import IN_CACHE, but_for, in_halves, parts_of
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray, Vectors

FEWEST_ROWS, FEWEST_DIMENSIONS = 200, 8
_FEWEST_IN_GROUP = 20
_SHORTEST_SHARE = 0.01
# Median cosines to the direction of the cluster: of its rows at least, of all rows at most.
_TIGHT, _APART = 0.7, 0.4
_AT_THE_MEAN = 0.01  # of the median distance from the mean
_FEWEST_NUMBERS = 512  # of a few rows that are known to be new
_MOST_POOLED = 4096  # rows whose numbers are pooled to tell noise from trained rows


@dataclass(frozen=True)
class ShortCluster:
    """Short rows that point the same way.

    Attributes:
        rows: their numbers.
        cosine: the median of their cosines to the direction that they share.
        cosine_of_others: that of all other rows.
        length: the median of their lengths.
        length_of_others: that of all other rows.
    """

    rows: Rows
    cosine: float
    cosine_of_others: float
    length: float
    length_of_others: float


@dataclass(frozen=True)
class AsDrawn:
    """Rows that look as an initializer draws them.

    Attributes:
        rows: their numbers.
        initializer: in words.
        deviation: standard deviation of their numbers.
    """

    rows: Rows
    initializer: str
    deviation: float


@dataclass(frozen=True)
class AtTheMean:
    """Rows at the mean of all others.

    Attributes:
        rows: their numbers.
        distance: the largest of their distances from that mean.
        distance_of_others: the median distance of the other rows.
    """

    rows: Rows
    distance: float
    distance_of_others: float


def short_cluster(rows: Vectors, lengths: FloatArray, named: Rows) -> ShortCluster | None:
    """Return the cluster of short rows that stand apart from all others; None without one.

    Args:
        named: rows that are known to be of no use, such as those of `[unused5]`; by the direction
            of these, or else of the shortest hundredth, the cluster is found.
    """
    is_sound = np.isfinite(lengths) & (lengths > 0)
    sound, named = np.flatnonzero(is_sound), np.unique(named)
    named = named[is_sound[named]]
    if len(sound) < FEWEST_ROWS or rows.shape[1] < FEWEST_DIMENSIONS:
        return None
    count = max(_FEWEST_IN_GROUP, int(len(sound) * _SHORTEST_SHARE))
    shortest = sound[np.argsort(lengths[sound], kind="stable")[:count]]
    for seeds in (named, shortest):
        if len(seeds) >= _FEWEST_IN_GROUP:
            cluster = _cluster_around(rows, lengths, sound, seeds)
            if cluster is not None:
                return cluster
    return None


def _cluster_around(
    rows: Vectors, lengths: FloatArray, sound: Rows, seeds: Rows
) -> ShortCluster | None:
    direction = (rows[seeds] / lengths[seeds, None]).mean(axis=0)
    direction /= np.linalg.norm(direction)
    along, cosines = np.empty(len(rows), np.float32), np.zeros(len(rows))
    compared = stage("which of the short ones are alike", len(rows))
    with np.errstate(invalid="ignore"):
        for start, part in parts_of(rows):
            along[start : start + len(part)] = part @ direction
            compared(len(part))
    cosines[sound] = along[sound] / lengths[sound]
    tight, middle = float(np.median(cosines[seeds])), float(np.median(cosines[sound]))
    if tight < _TIGHT or middle > _APART:
        return None
    # The last third of the way from all rows to the seeds is theirs. Of the short rows, fewer must
    # lie in the third before it: else the cluster has no border.
    third = (tight - middle) / 3
    apart = sound[cosines[sound] > tight - third]
    short = lengths < (np.median(lengths[seeds]) + np.median(lengths[sound])) / 2
    cluster = apart[short[apart]]
    nearly = sound[short[sound] & (cosines[sound] > middle + third)]
    if len(cluster) < max(_FEWEST_IN_GROUP, len(nearly) // 2, len(apart) // 2):
        return None
    others = but_for(sound, cluster)
    return ShortCluster(
        rows=cluster,
        cosine=float(np.median(cosines[cluster])),
        cosine_of_others=float(np.median(cosines[others])),
        length=float(np.median(lengths[cluster])),
        length_of_others=float(np.median(lengths[others])),
    )


@dataclass(frozen=True)
class _Initializer:
    """A distribution that rows are drawn from: its deviation, bound and kurtosis."""

    name: str
    deviation: float
    bound: float
    kurtosis: float


def _initializers(width: int) -> tuple[_Initializer, ...]:
    """Return the defaults of Keras, of BERT in both its forms, of word2vec, and of torch."""
    word2vec = 0.5 / width
    return (
        _Initializer("uniform(-0.05, 0.05), as Keras draws", 0.05 / math.sqrt(3), 0.05, 1.8),
        _Initializer("normal(0, 0.02), as for BERT", 0.02, math.inf, 3.0),
        # Cut off at two deviations, which leaves 0.880 of the deviation (Johnson & Kotz 1970).
        _Initializer("a truncated normal of 0.02, as for BERT", 0.0176, 0.04, 2.36),
        _Initializer(
            f"uniform(-{word2vec:.4g}, {word2vec:.4g}), as word2vec draws",
            word2vec / math.sqrt(3),
            word2vec,
            1.8,
        ),
        _Initializer("normal(0, 1), as torch draws", 1.0, math.inf, 3.0),
    )


def as_drawn(rows: Vectors, without: Rows) -> AsDrawn | None:
    """Return the largest group of rows that look as an initializer draws them; None without one.

    A row must have the deviation of the initializer and lie within its bound. The group must be
    noise: its numbers have the right kurtosis, and no direction has more variance than noise of
    that many rows would show (Marchenko & Pastur 1967). Rows that were trained do not pass.

    Args:
        without: rows that are left out.
    """
    if len(rows) < FEWEST_ROWS or rows.shape[1] < FEWEST_DIMENSIONS:
        return None
    squares, means = np.empty(len(rows)), np.empty(len(rows))
    measured = stage("which look as they were drawn", len(rows))

    def measure(start: int, stop: int) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            for first, part in parts_of(rows, IN_CACHE, start, stop):
                here, wide = slice(first, first + len(part)), part.astype(np.float64)
                squares[here] = np.vecdot(wide, wide) / rows.shape[1]
                means[here] = wide.mean(axis=1)
                measured(len(part))

    in_halves(len(rows), measure)
    squares[without] = np.nan
    groups = []
    for initializer in _initializers(rows.shape[1]):
        group = _drawn_from(rows, squares, means, initializer)
        if group is not None:
            groups.append(AsDrawn(group, initializer.name, initializer.deviation))
    return max(groups, key=lambda group: len(group.rows), default=None)


def _drawn_from(
    rows: Vectors, squares: Doubles, means: Doubles, initializer: _Initializer
) -> Rows | None:
    width, variance = rows.shape[1], initializer.deviation**2
    # Standard errors of a row's mean square and mean.
    error = math.sqrt((initializer.kurtosis - 1) / width)
    with np.errstate(invalid="ignore"):
        fit = np.abs(squares / variance - 1) < 4 * error
        fit &= np.abs(means) < 4 * initializer.deviation / math.sqrt(width)
    group = np.flatnonzero(fit)
    if math.isfinite(initializer.bound):
        largest = _largest(rows, group)
        within = largest <= initializer.bound * 1.00001
        group = group[within]
        if largest[within].max(initial=0) < initializer.bound * 0.9:
            return None
    if len(group) < _FEWEST_IN_GROUP:
        return None
    pooled = rows[group[:: max(1, len(group) // _MOST_POOLED)]].astype(np.float64)
    return group if _is_noise(pooled, initializer) else None


def _largest(rows: Vectors, among: Rows) -> FloatArray:
    """Return the largest of the absolute numbers in each of some rows."""
    largest = np.empty(len(among), np.float32)
    step = max(1, IN_CACHE // rows.shape[1])
    for start in range(0, len(among), step):
        here = slice(start, start + step)
        largest[here] = np.abs(rows[among[here]]).max(axis=1)
    return largest


def _is_noise(pooled: Any, initializer: _Initializer) -> bool:
    count, width = pooled.shape
    variance = initializer.deviation**2
    fourth = float((pooled**4).mean()) / variance**2
    if abs(fourth / initializer.kurtosis - 1) > 0.05 + 4 * math.sqrt(10 / pooled.size):
        return False
    edge = variance * (1 + math.sqrt(width / count)) ** 2
    return float(np.linalg.eigvalsh(pooled.T @ pooled / count)[-1]) < 1.2 * edge


def drawn_among(rows: Vectors, few: Rows) -> AsDrawn | None:
    """Return a few known rows where all of them look as an initializer draws them; else None.

    So few cannot be told by their directions. Their numbers must have the deviation, the bound and
    the kurtosis of the initializer, and most other rows must not have its deviation.
    """
    width = rows.shape[1]
    if few.size * width < _FEWEST_NUMBERS:
        return None
    numbers = rows[few].astype(np.float64)
    step = max(1, len(rows) // _MOST_POOLED)
    others = rows[np.setdiff1d(np.arange(0, len(rows), step), few)].astype(np.float64)
    for initializer in _initializers(width):
        variance, kurtosis = initializer.deviation**2, initializer.kurtosis
        tolerance = 4.5 * math.sqrt((kurtosis - 1) / width)
        off = np.abs((numbers**2).mean(axis=1) / variance - 1)
        fourth = float((numbers**4).mean()) / variance**2
        mean_off = abs(float(numbers.mean())) * math.sqrt(numbers.size) / initializer.deviation
        if (
            off.max() < tolerance
            and mean_off < 4
            and np.abs(numbers).max() <= initializer.bound * 1.00001
            # The fourth powers of normal numbers have a variance of 96, those of others less.
            and abs(fourth - kurtosis) < 4 * math.sqrt(96 / numbers.size)
            and np.median(np.abs((others**2).mean(axis=1) / variance - 1)) > tolerance
        ):
            return AsDrawn(few, initializer.name, initializer.deviation)
    return None


def at_the_mean(rows: Vectors, lengths: FloatArray) -> AtTheMean | None:
    """Return the rows that lie at the mean of all others; None without one.

    `resize_token_embeddings` of transformers puts new rows there.
    """
    if len(rows) < FEWEST_ROWS or rows.shape[1] < FEWEST_DIMENSIONS:
        return None
    sound = np.flatnonzero(np.isfinite(lengths))
    near = _distances(rows, sound)[sound]
    others = sound[near > np.median(near) * 0.2]  # so that the new rows do not move the mean
    if len(others) in {0, len(sound)}:
        return None
    distances = _distances(rows, others)[sound]
    middle = float(np.median(distances))
    new = distances < middle * _AT_THE_MEAN
    # Where the mean is no more than rounding, rows of zeros lie at it; they are no new rows.
    new &= lengths[sound] > 0
    if not new.any():
        return None
    return AtTheMean(sound[new], float(distances[new].max()), middle)


def _distances(rows: Vectors, around: Rows) -> Doubles:
    """Return the distance of each row from the mean of some."""
    chosen = np.zeros(len(rows), np.bool_)
    chosen[around] = True
    added = stage("their mean", len(rows))

    def add_up(start: int, stop: int) -> Doubles:
        total = np.zeros(rows.shape[1])
        for first, part in parts_of(rows, IN_CACHE, start, stop):
            total += part[chosen[first : first + len(part)]].sum(axis=0, dtype=np.float64)
            added(len(part))
        return total

    mean = sum(in_halves(len(rows), add_up)) / len(around)
    distances = np.empty(len(rows))
    measured = stage("how far they are from their mean", len(rows))

    def measure(start: int, stop: int) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            for first, part in parts_of(rows, IN_CACHE, start, stop):
                apart = part.astype(np.float64)
                apart -= mean
                distances[first : first + len(part)] = np.sqrt(np.vecdot(apart, apart))
                measured(len(part))

    in_halves(len(rows), measure)
    return distances
