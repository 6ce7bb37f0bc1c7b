"""Which numbers the bytes of a vector are, where nothing says so: told by what they look like."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

Kind = Literal["float32", "float64"]
# Four fifths of an embedding's numbers lie within four powers of two (as those of any normal
# distribution do); other bytes that are read as floats are spread over dozens of them.
_WIDEST = 16.0
_FEW, _WIDEST_OF_FEW = 512, 24.0  # of fewer numbers, all have to lie within so many
_WIDEST_OF_HALVES = 64.0  # bits that are no numbers are spread over two hundred
_FEWEST = {"float32": 16, "float64": 32}  # numbers that are enough to tell
_SMALLEST, _LARGEST = 2.0**-40, 2.0**40


def kind_of(data: bytes) -> Kind | None:
    """Return which numbers some vectors are, little-endian; None where that is not certain.

    Args:
        data: one vector after another, all of them of one length.
    """
    if len(data) % 4 or not data:
        return None
    words = np.frombuffer(data, "<u4")
    wide = np.frombuffer(data, "<f8") if len(data) % 8 == 0 else np.empty(0)
    are_wide = len(wide) >= _FEWEST["float64"] and _are_plausible(wide)
    if len(wide) and not words[::2].any() and words.any():
        return "float64" if are_wide else None  # whole numbers, whose lower halves are zeros
    if len(words) >= _FEWEST["float32"] and _are_plausible(words.view("<f4")):
        return None if _are_halves(words) else "float32"
    return "float64" if are_wide else None


def _are_plausible(numbers: np.ndarray[Any, Any], widest: float = 0.0) -> bool:
    """Return whether numbers are of about one size, as those of an embedding are.

    Args:
        widest: over how many powers of two they may be spread, if not over the usual number.
    """
    finite = np.isfinite(numbers)
    if 10 * int(np.count_nonzero(finite)) < 9 * len(numbers):
        return False
    sizes = np.abs(numbers[finite & (numbers != 0)].astype(np.float64))
    if not len(sizes):
        return True
    few = len(sizes) < _FEW
    low, middle, high = np.quantile(np.log2(sizes), [0.0, 0.5, 1.0] if few else [0.1, 0.5, 0.9])
    is_usual = np.log2(_SMALLEST) < middle < np.log2(_LARGEST)
    widest = widest or (_WIDEST_OF_FEW if few else _WIDEST)
    return bool(is_usual and high - low <= widest)


def _are_halves(words: np.ndarray[Any, Any]) -> bool:
    """Return whether the lower halves of 32 bits look like numbers, too: those of bfloat16."""
    lower = (words & 0xFFFF).astype(np.uint32)
    if 4 * int(np.count_nonzero(lower)) < len(lower):
        return False
    return _are_plausible((lower << 16).view(np.float32), _WIDEST_OF_HALVES)
