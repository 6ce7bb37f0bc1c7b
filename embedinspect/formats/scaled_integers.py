"""Matrices of small integers that stand for numbers by a scale and a zero point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from embedinspect.stored_rows import FloatArray, StoredRows

Integers = np.ndarray[Any, np.dtype[Any]]
Unpack = Callable[[Any], Integers]


def scaled_rows(
    stored: Any,
    shape: tuple[int, int],
    scales: FloatArray,
    zeros: Integers,
    axis: int,
    unpack: Unpack = np.asarray,
) -> StoredRows:
    """Return integers less their zero points, times their scales, decoded where they are indexed.

    Args:
        stored: the integers, perhaps packed, by row.
        shape: of the matrix, (rows, columns).
        scales: one; or one for each row or column.
        zeros: a zero point for each scale.
        axis: 0 where several scales are those of rows, 1 where they are of columns.
        unpack: returns the integers of rows that are packed.
    """
    if len(scales) > 1 and axis == 0:
        return StoredRows(_ByRow(stored, scales, zeros, unpack), shape, np.asarray)
    return StoredRows(stored, shape, lambda part: _scaled(unpack(part), scales, zeros))


class _ByRow:
    """Integers with a scale and a zero point for each row, decoded where they are indexed."""

    def __init__(self, stored: Any, scales: Any, zeros: Any, unpack: Unpack) -> None:
        self._stored, self._scales, self._zeros, self._unpack = stored, scales, zeros, unpack

    def __getitem__(self, key: Any) -> FloatArray:
        scales, zeros = self._scales[key][..., None], self._zeros[key][..., None]
        return _scaled(self._unpack(self._stored[key]), scales, zeros)


def _scaled(numbers: Integers, scales: Any, zeros: Any) -> FloatArray:
    with np.errstate(over="ignore", invalid="ignore"):  # a scale may be anything
        scaled: FloatArray = np.subtract(numbers, zeros, dtype=np.int64).astype(np.float32) * scales
    return scaled


def unpack_int4(packed: Any) -> Integers:
    """Return signed integers of rows that pack two into a byte, the lower half first."""
    return _side_by_side(np.left_shift(packed, 4).view(np.int8) >> 4, packed.view(np.int8) >> 4)


def unpack_uint4(packed: Any) -> Integers:
    """Return unsigned integers of rows that pack two into a byte, the lower half first."""
    return _side_by_side(packed & 15, packed >> 4)


def _side_by_side(low: Integers, high: Integers) -> Integers:
    *rows, width = low.shape
    return np.stack([low, high], axis=-1).reshape(*rows, 2 * width)
