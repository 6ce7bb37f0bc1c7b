"""Ways in which one matrix can come of another, each checked number by number, block by block.

A check is given rows of both matrices and says whether they are still as it has them. What holds to
the last row is then a fact, to within the rounding of the type that the numbers are stored in.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from embedinspect.analysis.diff.record import Doubles
from embedinspect.analysis.diff.relation import Relation, Rounding
from embedinspect.analysis.diff.rounding import BITS, OTHER_WAYS, TO_TYPE, Written, half_step
from embedinspect.stored_rows import FloatArray

# So many bits must agree that would not have to: chance does so once in a million million times.
_EVIDENCE = 40.0
_FEWEST_ROWS = 4


class Check(Protocol):
    """One way in which a matrix may come of another."""

    def holds(self, rows: FloatArray, made: FloatArray) -> bool:
        """Take more rows of both; return whether it still may."""

    def relation(self) -> Relation | None:
        """Return the relation, after all rows; None where they are too few to tell."""


class Equal:
    """Every number is the same."""

    def holds(self, rows: FloatArray, made: FloatArray) -> bool:
        return bool((rows == made).all())

    def relation(self) -> Relation | None:
        return Relation("equal")


class Rounded:
    """Every number is the other one rounded to a type.

    Args:
        rounding: another way to round to bfloat16 than to the nearest, ties to even.
    """

    def __init__(self, dtype: str, rounding: Rounding | None = None) -> None:
        self.dtype, self.rounding = dtype, rounding
        self._rounded = TO_TYPE[dtype] if rounding is None else OTHER_WAYS[rounding]

    def holds(self, rows: FloatArray, made: FloatArray) -> bool:
        return bool((self._rounded(rows) == made).all())

    def relation(self) -> Relation | None:
        return Relation("rounded", dtype=self.dtype, rounding=self.rounding)


class RoundedAsText:
    """Every number is the other one written with some decimals or digits."""

    def __init__(self, written: Written) -> None:
        self.written = written

    def holds(self, rows: FloatArray, made: FloatArray) -> bool:
        return self.written.holds(rows, made)

    def relation(self) -> Relation | None:
        return Relation("rounded", decimals=self.written.decimals, digits=self.written.digits)


class Scaled:
    """Every number is the other one times a factor, rounded once.

    Each pair of numbers leaves an interval for the factor; all must have a number in common.

    Args:
        dtype: that was rounded to; None for whole numbers.
        wide: whether the other numbers are stored with more digits than float32 has.
    """

    def __init__(self, dtype: str | None, *, wide: bool = False) -> None:
        self.dtype, self.wide = dtype, wide
        self._low, self._high, self._evidence, self._most = -np.inf, np.inf, 0.0, 0.0

    def holds(self, rows: FloatArray, made: FloatArray) -> bool:
        factors = _factors(rows, made, self.dtype, self.wide)
        if factors is None:
            return False
        low, high, evidence = factors
        self._low = max(self._low, float(low.max(initial=-np.inf)))
        self._high = min(self._high, float(high.min(initial=np.inf)))
        self._evidence += float(evidence.sum())
        self._most = max(self._most, float(evidence.max(initial=0)))
        return self._low <= self._high

    def relation(self) -> Relation | None:
        # One number sets the factor, and only the others tell.
        if (
            self._evidence - self._most < _EVIDENCE
            or not np.isfinite([self._low, self._high]).all()
        ):
            return None
        if self._low <= 0 <= self._high or self._low <= 1 <= self._high:
            return None
        factor = shortest_between(self._low, self._high)
        if self.dtype is None:
            return Relation("whole_numbers", factor=factor, each="matrix")
        return Relation("scaled", factor=factor, dtype=_told(self.dtype))


class RowsScaled:
    """Every row is the other one times a factor of its own, rounded once.

    Args:
        dtype: that was rounded to; None for whole numbers.
        wide: whether the other numbers are stored with more digits than float32 has.
        to_length_1: whether the length of every row must be 1.
    """

    def __init__(self, dtype: str | None, *, wide: bool = False, to_length_1: bool = False) -> None:
        self.dtype, self.wide, self.to_length_1 = dtype, wide, to_length_1
        self._evidence = 0.0

    def holds(self, rows: FloatArray, made: FloatArray) -> bool:
        if (rows.any(axis=1) & ~made.any(axis=1)).any():
            return False  # a row of zeros is none that was scaled
        factors = _factors(rows, made, self.dtype, self.wide)
        if factors is None:
            return False
        low, high, evidence = factors
        lowest, highest = low.max(axis=1, initial=-np.inf), high.min(axis=1, initial=np.inf)
        # One number of each row sets the factor, and only the others tell.
        self._evidence += float((evidence.sum(axis=1) - evidence.max(axis=1)).sum())
        if not (lowest <= highest).all():
            return False
        if not self.to_length_1:
            return True
        some = rows.any(axis=1)
        wide = made[some].astype(np.float64)
        off = np.abs(np.sqrt(np.vecdot(wide, wide)) - 1)
        allowed = rounding_of(self.dtype or "float32") + (rows.shape[1] + 2) * 2.0**-24
        return bool((off <= allowed).all() and (highest[some] > 0).all())

    def relation(self) -> Relation | None:
        if self._evidence < _EVIDENCE:
            return None
        if self.dtype is None:
            return Relation("whole_numbers", each="row")
        return Relation("rows_scaled", dtype=_told(self.dtype), to_length_1=self.to_length_1)


class Shifted:
    """Every row is the other one plus one vector, rounded once.

    Args:
        dtype: that was rounded to.
        wide: whether the other numbers are stored with more digits than float32 has.
    """

    def __init__(self, dtype: str, *, wide: bool = False) -> None:
        self.dtype, self.wide = dtype, wide
        self._low: Any = -np.inf
        self._high: Any = np.inf
        self._rows = 0

    def holds(self, rows: FloatArray, made: FloatArray) -> bool:
        half = half_step(made, self.dtype)
        if self.wide:
            half += half_step(rows, "float32")
        shift = made.astype(np.float64) - rows
        self._low = np.maximum(self._low, (shift - half).max(axis=0))
        self._high = np.minimum(self._high, (shift + half).min(axis=0))
        self._rows += len(rows)
        return bool((self._low <= self._high).all())

    def relation(self) -> Relation | None:
        # One row sets the vector, and only the others tell.
        if self._rows < _FEWEST_ROWS or ((self._low <= 0) & (self._high >= 0)).all():
            return None
        return Relation("shifted", dtype=_told(self.dtype))


class Quantized:
    """Every number is a whole number times a step, and about half a step off at most.

    The step follows from the largest number, which is that many steps: of a row, of 32 numbers, or
    of the whole matrix.

    Args:
        steps: on each side of 0.
        each: what has a step of its own: `matrix`, `row` or `block`.
        largest: number of the matrix, where that is what has the step.
    """

    def __init__(self, steps: int, each: str, largest: float = 0.0) -> None:
        self.steps, self.each, self._largest = steps, each, largest
        self._evidence = 0.0

    def holds(self, rows: FloatArray, made: FloatArray) -> bool:
        count, width = rows.shape
        if self.each == "block":
            if width % 32:
                return False
            rows, made = rows.reshape(-1, 32), made.reshape(-1, 32)
        wide = made.astype(np.float64)
        if self.each == "matrix":
            step = np.full((count, 1), self._largest / self.steps)
        else:
            step = np.abs(wide).max(axis=1, keepdims=True) / self.steps
        with np.errstate(invalid="ignore", divide="ignore"):
            whole = np.where(step > 0, wide / step, 0)
        off = np.abs(whole - np.rint(whole))
        allowed = self.steps * 2.0**-21  # both the step and the number were rounded
        self._evidence += -np.log2(2 * allowed) * float(((whole != 0).sum(axis=1) - 1).sum())
        # A step may have been rounded to float16 after the numbers were counted in steps.
        reach = step * (0.5 + self.steps * 2.0**-11)
        return bool((off <= allowed).all() and (np.abs(rows - wide) <= reach).all())

    def relation(self) -> Relation | None:
        if self._evidence < _EVIDENCE:
            return None
        return Relation("quantized", steps=self.steps, each=self.each)


class Columns:
    """Every column is one of the other's, or that with the other sign.

    Args:
        places: of each column, where it stands in the other matrix.
        signs: 1, or -1 for the other sign.
    """

    def __init__(self, places: Any, signs: Doubles) -> None:
        self.places, self.signs = places, signs.astype(np.float32)

    def holds(self, rows: FloatArray, made: FloatArray) -> bool:
        return bool((rows[:, self.places] * self.signs == made).all())

    def relation(self) -> Relation | None:
        moved = int((self.places != np.arange(len(self.places))).sum())
        flipped = int((self.signs < 0).sum())
        return Relation("columns", moved_columns=moved, flipped_columns=flipped)


def columns_of(rows: FloatArray, made: FloatArray) -> Columns | None:
    """Return where each column of `made` may stand in `rows`, by some rows; None if nowhere."""
    if rows.shape[1] < 2:
        return None
    one, other = _with_plus(rows), _with_plus(made)
    order, wanted = np.lexsort(one[0][::-1]), np.lexsort(other[0][::-1])
    if not (one[0][:, order] == other[0][:, wanted]).all():
        return None
    places = np.empty(len(order), np.int64)
    places[wanted] = order
    # Columns that are the same stay where they are, so that no more than needed seem to move.
    same = (one[0] == other[0]).all(axis=0)
    for column in np.flatnonzero(same & (places != np.arange(len(places)))).tolist():
        holder = int(np.flatnonzero(places == column)[0])
        places[holder], places[column] = places[column], column
    return Columns(places, one[1][places] * other[1])


def _with_plus(rows: FloatArray) -> tuple[FloatArray, Doubles]:
    """Return columns with a sign that makes their first number that is not 0 positive, and it."""
    first = (rows != 0).argmax(axis=0)
    signs = np.where(rows[first, np.arange(rows.shape[1])] < 0, -1.0, 1.0)
    return np.asarray(rows * signs.astype(np.float32) + 0, np.float32), signs


def _factors(
    rows: FloatArray, made: FloatArray, dtype: str | None, wide_rows: bool
) -> tuple[Doubles, Doubles, Doubles] | None:
    """Return for each number the least and the largest factor, and how many bits it tells.

    None where no factor can be: of a number that is not 0 any more, or was 0 before.
    """
    wide = made.astype(np.float64)
    if dtype is None:
        if (wide != np.rint(wide)).any():
            return None
        half = np.full(made.shape, 0.5)
    else:
        half = half_step(made, dtype)
    zero = rows == 0
    if wide_rows:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            share = half_step(rows, "float32") / np.abs(rows.astype(np.float64))
        half = half + np.where(zero, 0, np.abs(wide) * share)
    if (made[zero] != 0).any():
        return None
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ends = np.array([(wide - half) / rows, (wide + half) / rows])
        bits = np.log2(np.maximum(np.abs(wide) / half, 1))
        evidence = np.where(zero | (made == 0), 0, bits)
    low, high = np.where(zero, -np.inf, ends.min(axis=0)), np.where(zero, np.inf, ends.max(axis=0))
    return low, high, evidence


def shortest_between(low: float, high: float) -> float:
    """Return the number with the fewest digits in an interval.

    >>> shortest_between(0.49999, 0.50001), shortest_between(2.5, 2.5)
    (0.5, 2.5)
    """
    middle = (low + high) / 2
    for digits in range(1, 17):
        number = float(f"{middle:.{digits}g}")
        if low <= number <= high:
            return number
    return middle


def rounding_of(dtype: str) -> float:
    """Return the largest share of itself by which a number is off that was rounded to a type."""
    return float(2.0 ** -BITS.get(dtype, BITS["float32"]))


def _told(dtype: str) -> str | None:
    return dtype if dtype in TO_TYPE else None
