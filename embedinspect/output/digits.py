"""Numbers as text: aligned for tables, exact for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from embedinspect.stored_rows import FloatArray

SIGNIFICANT = 3
MOST_DECIMALS = 8


def decimals_for(
    values: Iterable[float] | FloatArray, significant: int = SIGNIFICANT
) -> int | None:
    """Return how many decimals give the largest of the values its significant digits.

    Returns:
        The count, or None where the values are better written with an exponent.

    >>> decimals_for([0.0476, -0.001])
    4
    """
    numbers = np.asarray(values if isinstance(values, np.ndarray) else list(values))
    finite = numbers[np.isfinite(numbers)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    if largest == 0:
        return 1
    if largest < 10 ** (SIGNIFICANT - MOST_DECIMALS) or largest >= 1e7:
        return None
    return max(0, min(MOST_DECIMALS, significant - 1 - math.floor(math.log10(largest))))


def percent(share: float) -> str:
    """Return a share in percent; `100%` and `0%` are said of exactly all and none only.

    >>> percent(1), percent(0.9967), percent(0.58), percent(0.0058), percent(0.0004)
    ('100%', '99.7%', '58%', '0.6%', 'less than 0.1%')
    """
    if share in {0, 1}:
        return f"{share:.0%}"
    if share < 0.001:
        return "less than 0.1%"
    if share > 0.9999:
        return "more than 99.99%"
    if 0.095 <= share < 0.995:
        return f"{share:.0%}"
    return f"{share:.1%}" if share < 0.9995 else f"{share:.2%}"


def decimals_below_one(values: Iterable[float], decimals: int) -> int:
    """Return how many decimals keep numbers that are nearly 1 or -1 from being written as these.

    What is less than that many decimals of float32 from 1 is as good as 1.

    >>> decimals_below_one([0.99998, 0.5], 4), decimals_below_one([1.0, -1 + 1e-15], 4)
    (5, 4)
    """
    gaps = [1 - abs(value) for value in values if abs(value) < 1]
    nearest = min((gap for gap in gaps if gap > 0.6 * 10.0**-MOST_DECIMALS), default=1.0)
    while decimals < MOST_DECIMALS and nearest <= 0.5 * 10.0**-decimals:
        decimals += 1
    return decimals


def table_number(value: float, decimals: int | None, *, signed: bool = False) -> str:
    """Return one number as a table shows it: fixed decimals, or an exponent for None."""
    if not math.isfinite(value):
        return str(value)
    sign = "+" if signed else ""
    form = f"{sign}.{SIGNIFICANT - 1}e" if decimals is None else f"{sign}.{decimals}f"
    return format(value, form)


def widest_number(values: FloatArray, decimals: int | None) -> int:
    """Return the width of the widest number, from the few that can be the widest."""
    if not values.size:
        return 1
    flat = values.ravel()
    finite = flat[np.isfinite(flat)]
    candidates: list[float] = []
    if finite.size:
        candidates += [float(finite.min()), float(finite.max())]
    if finite.size < flat.size:
        candidates += {float(value) for value in flat[~np.isfinite(flat)][:3]}
        candidates += [-math.inf] if (flat == -np.inf).any() else []
    if decimals is None:
        candidates += finite.tolist() if finite.size < 10_000 else [-1.11e-38]
    return max(len(table_number(number, decimals)) for number in candidates)


def number_json(value: np.float32) -> str:
    """Return the shortest digits that read back as the same float32, as JSON has numbers.

    NaN and infinity, which JSON does not have, become `null`.

    >>> number_json(np.float32(0.1)), number_json(np.float32("nan"))
    ('0.1', 'null')
    """
    return str(value) if math.isfinite(value) else "null"


def vector_json(row: np.ndarray[Any, Any]) -> str:
    """Return a row as a JSON list, its numbers as `number_json` writes them."""
    numbers = map(str if np.isfinite(row).all() else number_json, row)
    return "[" + ", ".join(numbers) + "]"
