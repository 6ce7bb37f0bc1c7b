"""Whether rows that differ are the same rows in another order."""

from __future__ import annotations

import numpy as np

from embedinspect.analysis.diff.matching import Pairs
from embedinspect.analysis.diff.record import Doubles, Measures, Rows
from embedinspect.analysis.diff.relation import Relation
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray, Vectors

_NUMBERS_AT_ONCE = 2**18
_MOST_TOLD = 1000  # rows of which it is told where they stood
_STAGE = "whether rows are in another order"
# The lengths of equal rows are computed alike, but for the order of their sums.
_SAME_LENGTH = 1e-9

Hashes = np.ndarray[tuple[int, ...], np.dtype[np.uint64]]


def in_another_order(pairs: Pairs, measures: Measures, different: Rows) -> Relation | None:
    """Return that the rows which differ are the same ones in another order; None where not.

    Lengths mostly tell at once that they are not. Rows are then found by hashes of their numbers,
    and compared number by number.

    Args:
        different: places of the rows that differ.
    """
    if not _lengths_agree(measures.length_a[different], measures.length_b[different]):
        return None
    left, hashes_left = _by_hash(pairs.left, different)
    right, hashes_right = _by_hash(pairs.right, different)
    if (hashes_left != hashes_right).any():
        return None
    del hashes_left, hashes_right
    first = np.flatnonzero(right <= different[:_MOST_TOLD][-1])
    origins = left[first[np.argsort(right[first])]]
    step = max(1, _NUMBERS_AT_ONCE // pairs.left.shape[1])
    for start in range(0, len(different), step):
        part = slice(start, start + step)
        if not (pairs.left[left[part]] == pairs.right[right[part]]).all():
            return None
    only_words = _equal_by_number(pairs, different, step)
    return Relation(
        "row_order", rows=len(different), origins=tuple(origins.tolist()), only_words=only_words
    )


def _equal_by_number(pairs: Pairs, different: Rows, step: int) -> bool:
    """Return whether rows of the same number are equal, so that only their words changed places."""
    if pairs.rows_b is None:
        return False
    rows_a, rows_b = pairs.a.matrix.rows, pairs.b.matrix.rows
    for start in range(0, len(different), step):
        numbers = pairs.rows_b[different[start : start + step]]
        if numbers.max() >= len(rows_a) or not (rows_a[numbers] == rows_b[numbers]).all():
            return False
    return True


def _lengths_agree(one: Doubles, other: Doubles) -> bool:
    """Return whether the same lengths stand in both, in any order; both are used up.

    Nothing else is made of them: there may be as many as a table has rows. Their sums mostly tell
    that they do not, before they are sorted.
    """
    if not np.isclose(one.sum(), other.sum(), rtol=_SAME_LENGTH, atol=0):
        return False
    one.sort()
    other.sort()
    other -= one
    np.abs(other, out=other)
    one *= _SAME_LENGTH
    return bool((other <= one).all())


def _by_hash(rows: Vectors, places: Rows) -> tuple[Rows, Hashes]:
    """Return places in the order of the hashes of their rows, and these hashes."""
    hashes = _hashes(rows, places)
    order = np.argsort(hashes, kind="stable")
    return places[order], hashes[order]


def _hashes(rows: Vectors, places: Rows) -> Hashes:
    """Return a number for each row that equal rows share, and others but by chance of 2**-64."""
    factors = np.random.default_rng(0).integers(0, 2**64, rows.shape[1], np.uint64, endpoint=False)
    factors |= np.uint64(1)
    hashes = np.empty(len(places), np.uint64)
    step = max(1, _NUMBERS_AT_ONCE // rows.shape[1])
    checked = stage(_STAGE, len(places))
    for start in range(0, len(places), step):
        part = slice(start, start + step)
        hashes[part] = _bits(rows[places[part]]).astype(np.uint64) @ factors
        checked(len(hashes[part]))
    return hashes


def _bits(rows: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    """Return the bits of numbers; those of -0.0 are those of 0.0, which it equals."""
    return np.ascontiguousarray(rows + np.float32(0)).view(np.uint32)
