"""The lengths of bars, whoever draws them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence


def bar_shares(amounts: Sequence[float | None], *, logarithmic: bool = False) -> list[float]:
    """Return the length of the bar of each amount, as a share of the longest.

    It is 0 for 0, for what is below it, and for what is no finite number.

    Args:
        logarithmic: a length stands for the logarithm of the amount + 1.

    >>> bar_shares([4, 1, None, -2])
    [1.0, 0.25, 0.0, 0.0]
    """
    lengths = [_length(amount, logarithmic=logarithmic) for amount in amounts]
    most = max(lengths, default=0.0)
    # What is above 0 stays above it, however large the largest.
    return [max(length / most, sys.float_info.min) if length else 0.0 for length in lengths]


def _length(amount: float | None, *, logarithmic: bool) -> float:
    if amount is None or not math.isfinite(amount) or amount <= 0:
        return 0.0
    return math.log1p(amount) if logarithmic else float(amount)
