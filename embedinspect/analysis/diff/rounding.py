"""How far a number may be off for having been rounded, by the type it is stored in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.analysis.diff.record import Doubles
from embedinspect.analysis.diff.relation import Rounding
from embedinspect.stored_rows import FloatArray

BITS = {"float32": 24, "float16": 11, "bfloat16": 8}
# Numbers written as text have this many decimals, or significant digits, and no more.
_MOST_DECIMALS, _MOST_DIGITS = 8, 7
_FIRST = 64  # rows that mostly say at once that numbers are not written so


def round_float16(rows: FloatArray) -> FloatArray:
    """Return numbers rounded to float16, as float32."""
    with np.errstate(over="ignore"):
        return rows.astype(np.float16).astype(np.float32)


def round_bfloat16(rows: FloatArray) -> FloatArray:
    """Return finite numbers rounded to bfloat16, ties to even, as float32."""
    bits = np.ascontiguousarray(rows, np.float32).view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    rounded = (bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)
    return rounded.view(np.float32)


def round_bfloat16_away(rows: FloatArray) -> FloatArray:
    """Return finite numbers rounded to bfloat16, ties away from zero, as float32."""
    bits = np.ascontiguousarray(rows, np.float32).view(np.uint32)
    return ((bits + np.uint32(0x8000)) & np.uint32(0xFFFF0000)).view(np.float32)


def truncate_bfloat16(rows: FloatArray) -> FloatArray:
    """Return numbers cut to the upper halves of their bits, as float32."""
    bits = np.ascontiguousarray(rows, np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


TO_TYPE: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "float16": round_float16,
    "bfloat16": round_bfloat16,
}
# What writes bfloat16 without hardware for it often takes a simpler way than ties to even.
OTHER_WAYS: Mapping[Rounding, Callable[[FloatArray], FloatArray]] = {
    "ties_away": round_bfloat16_away,
    "truncated": truncate_bfloat16,
}


def half_step(rows: FloatArray, dtype: str) -> Doubles:
    """Return how far what was rounded to each of these numbers may have been from it, float64.

    Args:
        dtype: that was rounded to; what is none of float16 and bfloat16 counts as float32.
    """
    if dtype == "float16":
        with np.errstate(over="ignore"):
            steps = np.spacing(np.abs(rows.astype(np.float16)))
        return np.asarray(steps.astype(np.float64) / 2)
    steps = np.spacing(np.abs(rows)).astype(np.float64) / 2
    return np.asarray(steps * 2.0**16 if dtype == "bfloat16" else steps)


@dataclass(frozen=True)
class Written:
    """Numbers that are written with so many decimals, or so many significant digits.

    Attributes:
        decimals: behind the point; None where it is digits that count.
        digits: from the first that is not 0.
    """

    decimals: int | None = None
    digits: int | None = None

    def of(self, rows: FloatArray) -> Any:
        """Return the numbers as they are written so, float64, and half a unit of their last digit.

        A float32 times 10 to the 8 is exact in float64, so decimals are cut just as printing does.
        """
        wide = rows.astype(np.float64)
        if self.decimals is not None:
            unit = np.float64(10.0**self.decimals)
            return np.rint(wide * unit) / unit, np.float64(0.5 / unit)
        assert self.digits is not None
        with np.errstate(divide="ignore"):
            place = np.floor(np.log10(np.abs(wide)))
        place = np.where(np.isfinite(place), place, 0)
        up = np.power(10.0, np.clip(self.digits - 1 - place, 0, 300))
        down = np.power(10.0, np.clip(place - self.digits + 1, 0, 300))
        return np.rint(wide * up / down) / up * down, 0.5 / up * down

    def holds(self, rows: FloatArray, written: FloatArray) -> bool:
        """Return whether numbers are others, written so and read as float32.

        The written number must be one of so many digits, as near as float32 can be, and lie no
        farther from the other than half a unit of its last digit.
        """
        nearest, _ = self.of(written)
        wide = written.astype(np.float64)
        slack = half_step(written, "float32") * (1 + 1e-6)
        if not (np.abs(nearest - wide) <= slack).all():
            return False
        _, half = self.of(rows)
        before = rows.astype(np.float64)
        allowed = half * (1 + 1e-9) + np.abs(before) * 2.0**-50  # what float64 itself rounds
        return bool((np.abs(before - nearest) <= allowed).all())


def ways_to_write(written: FloatArray) -> list[Written]:
    """Return how these numbers may have been written: the fewest decimals and digits that do."""
    ways = [[Written(decimals=count) for count in range(_MOST_DECIMALS + 1)]]
    ways.append([Written(digits=count) for count in range(2, _MOST_DIGITS + 1)])
    few = written[:_FIRST]
    found = (
        next((way for way in some if _is_written(way, few) and _is_written(way, written)), None)
        for some in ways
    )
    return [way for way in found if way is not None]


def _is_written(way: Written, rows: FloatArray) -> bool:
    nearest, _ = way.of(rows)
    off = np.abs(nearest - rows.astype(np.float64))
    return bool((off <= half_step(rows, "float32") * (1 + 1e-6)).all())
