"""Round numbers along an axis."""

from __future__ import annotations

import math


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
