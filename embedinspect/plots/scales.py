"""Round numbers along an axis."""

from __future__ import annotations

import math
from typing import Any

from embedinspect.pictures import Heat


def round_ticks(low: float, high: float, most: int) -> tuple[list[float], int]:
    """Return round numbers from low to high, at most so many, and how many decimals they have.

    Their distance is 1, 2 or 5 times a power of ten.

    >>> round_ticks(-0.9, 2.3, 5)
    ([0.0, 1.0, 2.0], 0)
    >>> round_ticks(0, 0.35, 4)
    ([0.0, 0.1, 0.2, 0.3], 1)
    """
    if not high > low or most < 1:
        return [low], 3
    power = math.floor(math.log10((high - low) / most))
    for exponent in (power, power + 1):
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first + 1 <= most:
                ticks = [number * step + 0.0 for number in range(first, last + 1)]
                return [round(tick, max(0, -exponent)) for tick in ticks], max(0, -exponent)
    return [low], 3


def heat_scale(values: Any) -> float:
    """Return the number that has the full color of heat: round, and beyond nearly all of them.

    It is the 99th percentile of the finite numbers without their signs, rounded up to 1, 2, 3 or 5
    times a power of ten; 1 where all are 0.

    >>> heat_scale([0.04, -0.21, 0.1])
    0.3
    """
    import numpy as np

    sizes = np.abs(np.asarray(values, np.float64))
    sizes = sizes[np.isfinite(sizes)]
    high = float(np.percentile(sizes, 99)) if sizes.size else 0.0
    if not high:
        high = float(sizes.max()) if sizes.size else 0.0
    if not high:
        return 1.0
    exponent = math.floor(math.log10(high))
    for factor in (1, 2, 3, 5, 10):
        scale = float(f"{factor}e{exponent}")
        if high <= scale * (1 + 1e-9):
            return scale
    return float(f"1e{exponent + 1}")


def heat_of(values: Any, wanted: bool | None) -> Heat | None:
    """Return how vectors may be drawn that share one scale; None where they may not.

    Args:
        wanted: whether they are to be; None where it depends on the room that there is.
    """
    return None if wanted is False else Heat(heat_scale(values), always=wanted is True)
