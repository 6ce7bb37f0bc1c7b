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
