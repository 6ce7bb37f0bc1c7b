"""Numbers as text: aligned for tables, exact for JSON."""

from __future__ import annotations

import math

import numpy as np

from embedinspect.matrix import FloatArray

SIGNIFICANT = 3
MOST_DECIMALS = 8


def decimals_for(values: FloatArray) -> int | None:
    """Return how many decimals give the largest of the values three significant digits.

    Returns:
        The count, or None where the values are better written with an exponent.

    >>> decimals_for(np.array([0.0476, -0.001], np.float32))
    4
    """
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    if largest == 0:
        return 1
    if largest < 10 ** (SIGNIFICANT - MOST_DECIMALS) or largest >= 1e7:
        return None
    return max(0, min(MOST_DECIMALS, SIGNIFICANT - 1 - math.floor(math.log10(largest))))


def table_number(value: float, decimals: int | None) -> str:
    """Return one number as a table shows it: fixed decimals, or an exponent for None."""
    if not math.isfinite(value):
        return str(value)
    return f"{value:.{SIGNIFICANT - 1}e}" if decimals is None else f"{value:.{decimals}f}"


def number_json(value: np.float32) -> str:
    """Return the shortest digits that read back as the same float32, as JSON has numbers.

    NaN and infinity, which JSON does not have, become `null`.

    >>> number_json(np.float32(0.1)), number_json(np.float32("nan"))
    ('0.1', 'null')
    """
    return str(value) if math.isfinite(value) else "null"


def vector_json(row: FloatArray) -> str:
    """Return a row as a JSON list, its numbers as `number_json` writes them."""
    numbers = map(str if np.isfinite(row).all() else number_json, row)
    return "[" + ", ".join(numbers) + "]"
