"""Rows of quantized layers: whole numbers with scales, as Keras's `Embedding` computes with them.

In int8, each row is divided by its scale. In int4, two numbers share a byte, the first in its lower
half; each row is divided by its scale, or else each group of columns has a scale that it is
multiplied by and a zero point that is subtracted first. Sources: Keras 3.15's
`layers/core/embedding.py` and `quantizers/quantizers.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.keras_weights import KerasLayer
from embedinspect.formats.weight_files import WeightFiles
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, plural

# The variables of a layer, in the order in which it saves them.
_SCALES, _ZEROS, _GROUPS = "1", "2", "3"


def dequantized(layer: KerasLayer, files: WeightFiles) -> FloatArray:
    """Return the rows of a quantized layer, shape (input_dim, output_dim).

    Raises:
        DataError: the scales, zero points or groups do not fit the rows.
    """
    stored = files.stored(layer.path)
    numbers = stored if layer.mode == "int8" else _unpacked(stored, layer, files.label)
    if layer.grouped:
        return _by_groups(numbers, layer, files)
    scales = files.read(_variable(layer, _SCALES), dimensions=1)
    if scales.shape != numbers.shape[:1]:
        raise DataError(
            f"{clipped_repr(_variable(layer, _SCALES))} in {files.label} has "
            f"{plural(len(scales), 'scale')}; expected one for each of the "
            f"{plural(len(numbers), 'row')}"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        rows: FloatArray = numbers.astype(np.float32) / scales[:, None]
    return rows


def _variable(layer: KerasLayer, name: str) -> str:
    return f"{layer.path.rpartition('/')[0]}/{name}"


def _unpacked(stored: np.ndarray[Any, Any], layer: KerasLayer, label: str) -> np.ndarray[Any, Any]:
    """Return the numbers from -8 to 7 that share the bytes of each row."""
    rows, columns = layer.shape
    if stored.dtype != np.int8 or stored.shape != (rows, -(-columns // 2)):
        raise DataError(
            f"{clipped_repr(layer.path)} in {label} has shape {stored.shape}; expected "
            f"{columns:,} numbers in each row, two in a byte"
        )
    halves = np.empty((rows, stored.shape[1], 2), np.int8)
    halves[:, :, 0] = (stored << 4) >> 4  # the sign of a half is its highest bit
    halves[:, :, 1] = stored >> 4
    return halves.reshape(rows, -1)[:, :columns]


def _by_groups(numbers: np.ndarray[Any, Any], layer: KerasLayer, files: WeightFiles) -> FloatArray:
    """Return rows of which each group of columns has a scale and a zero point."""
    scales = files.read(_variable(layer, _SCALES))
    zeros = files.read(_variable(layer, _ZEROS))
    groups = files.read(_variable(layer, _GROUPS), dimensions=1)
    count, columns = scales.shape[1], numbers.shape[1]
    whole = np.isfinite(groups).all() and (groups == np.floor(groups)).all()
    fits = whole and groups.shape == (columns,) and groups.min() >= 0 and groups.max() < count
    if not fits or scales.shape != zeros.shape or len(scales) != len(numbers):
        raise DataError(
            f"the scales {scales.shape}, zero points {zeros.shape} and groups {groups.shape} of "
            f"{clipped_repr(layer.path)} in {files.label} do not fit its {numbers.shape} numbers; "
            "expected a scale and a zero point for each row and group, and a group for each column"
        )
    rows = numbers.astype(np.float32)
    group_of = groups.astype(np.intp)
    with np.errstate(over="ignore", invalid="ignore"):
        for column, group in enumerate(group_of):
            rows[:, column] = (rows[:, column] - zeros[:, group]) * scales[:, group]
    return rows
