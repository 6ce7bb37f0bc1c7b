"""How far the rows of two matrices lie apart, and the turn that brings them closest, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from embedinspect.analysis.diff.matching import Pairs
from embedinspect.analysis.diff.record import Doubles, Mask, Measures, Rows
from embedinspect.matrix import IN_CACHE, WORTH_TWO_THREADS, in_halves
from embedinspect.stages import stage
from embedinspect.stored_rows import Vectors

Turn = Callable[[Any], Doubles]

_NUMBERS_AT_ONCE = 2**20


def measure(pairs: Pairs, turn: Turn | None = None) -> tuple[Measures, Mask, Mask]:
    """Return the measures of all pairs, and which are finite in the first matrix and the second.

    Args:
        turn: turns rows of the second matrix onto the first.
    """
    left, right = pairs.left, pairs.right
    measured = stage("how far they lie apart", len(pairs))
    count, same_width = len(pairs), pairs.widths[0] == pairs.widths[1]
    equal = np.zeros(count, np.bool_)
    distance, cosine = (np.empty(count) if same_width else None for _ in range(2))
    length_a, length_b = np.empty(count), np.empty(count)

    def fill(first: int, last: int) -> None:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            fill_within(first, last)

    def fill_within(first: int, last: int) -> None:
        for start, stop in blocks(left, right, first, last, IN_CACHE):
            here = slice(start, stop)
            one, other = left[here].astype(np.float64), right[here].astype(np.float64)
            if turn is not None:
                other = turn(other)
            length_a[here], length_b[here] = _lengths(one), _lengths(other)
            if distance is not None and cosine is not None:
                distance[here] = _lengths(one - other)
                cosine[here] = np.vecdot(one, other) / (length_a[here] * length_b[here])
            measured(stop - start)

    if left.size + right.size < WORTH_TWO_THREADS:
        fill(0, count)
    else:
        in_halves(count, fill)
    if distance is not None and cosine is not None:
        np.equal(distance, 0, out=equal)
        np.clip(cosine, -1, 1, out=cosine)
    # No square of a float32 overflows in float64, or vanishes: a length is finite where every
    # number of the row is, and a distance is 0 where every number is the same.
    measures = Measures(distance, cosine, length_a, length_b, equal)
    return measures, np.isfinite(length_a), np.isfinite(length_b)


def kept(measures: Measures, finite: Mask) -> Measures:
    """Return the measures of the pairs that are finite."""
    if finite.all():
        return measures
    distance, cosine = measures.distance, measures.cosine
    return Measures(
        None if distance is None else distance[finite],
        None if cosine is None else cosine[finite],
        measures.length_a[finite],
        measures.length_b[finite],
        measures.equal[finite],
    )


def _lengths(rows: Doubles) -> Doubles:
    return np.asarray(np.sqrt(np.vecdot(rows, rows)))


def blocks(
    left: Vectors, right: Vectors, first: int, last: int, numbers: int
) -> Iterator[tuple[int, int]]:
    """Yield where blocks of about so many numbers of the wider matrix begin and end."""
    step = max(1, numbers // max(left.shape[1], right.shape[1]))
    for start in range(first, last, step):
        yield start, min(start + step, last)


def turn_onto(left: Vectors, right: Vectors, places: Rows | None = None) -> Turn:
    """Return what turns or mirrors rows of `right` so that they come closest to those of `left`.

    It is the orthogonal matrix of Procrustes (Schoenemann 1966). Where there are fewer rows than
    dimensions, only the two subspaces that they span matter: in these, the matrices are as small
    as the number of rows.

    Args:
        places: of the pairs that are brought together; by default all. They must be finite.
    """
    count = len(left) if places is None else len(places)
    if count < left.shape[1]:
        target, source = (
            np.asarray(rows[:] if places is None else rows[places], np.float64)
            for rows in (left, right)
        )
        axes_of_source, source_in_it = np.linalg.qr(source.T)
        axes_of_target, target_in_it = np.linalg.qr(target.T)
        small = _procrustes(source_in_it @ target_in_it.T)
        return lambda rows: np.asarray(rows @ axes_of_source @ small @ axes_of_target.T)
    multiplied = stage("which turn brings them closest", count)
    products = np.zeros((right.shape[1], left.shape[1]))
    for start, stop in blocks(left, right, 0, count, _NUMBERS_AT_ONCE):
        here = slice(start, stop) if places is None else places[start:stop]
        products += right[here].astype(np.float64).T @ left[here].astype(np.float64)
        multiplied(stop - start)
    matrix = _procrustes(products)
    return lambda rows: np.asarray(rows @ matrix)


def _procrustes(products: Doubles) -> Doubles:
    """Return the orthogonal matrix R that brings source @ R closest to target.

    Args:
        products: source.T @ target.
    """
    left, _, right = np.linalg.svd(products)
    return np.asarray(left @ right)


def mean_cosine_at(pairs: Pairs, places: Rows, turn: Turn) -> float | None:
    """Return the mean cosine of some pairs after a turn; None where all rows are zero.

    As everywhere, it is 0 for a row that is zero in one matrix alone.
    """
    total, count = 0.0, 0
    for start, stop in blocks(pairs.left, pairs.right, 0, len(places), _NUMBERS_AT_ONCE):
        one = pairs.left[places[start:stop]].astype(np.float64)
        other = turn(pairs.right[places[start:stop]].astype(np.float64))
        with np.errstate(invalid="ignore", divide="ignore"):
            lengths = _lengths(one), _lengths(other)
            cosines = np.vecdot(one, other) / (lengths[0] * lengths[1])
        cosines[(lengths[0] == 0) != (lengths[1] == 0)] = 0
        sound = np.isfinite(cosines)
        total, count = total + float(cosines[sound].sum()), count + int(sound.sum())
    return total / count if count else None
