"""Arrays of NumPy in a pickle: what `ndarray.__reduce__` writes, checked before it is believed."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.arrays import Array
from embedinspect.formats.pickled_values import Meaning, Record, encoded, no_bytes

_REBUILT = "numpy.core.multiarray._reconstruct"
_FROM_BUFFER = "numpy.core.numeric._frombuffer"
_REAL = re.compile(r"f[248]|[iu][1248]")
_ORDERS = {"<": "<", "=": "<", "|": "<", ">": ">"}


def is_array(value: Any) -> bool:
    """Return whether a value of a pickle would be an array."""
    return type(value) is Record and value.name in (_REBUILT, _FROM_BUFFER)


def array_of(value: Any, label: str) -> Array:
    """Return the array of real numbers that a record describes; its numbers are not copied.

    Raises:
        DataError: it is damaged, or not of real numbers.
    """
    try:
        shape, dtype, fortran, data = _parts(value)
        return _array(shape, _dtype(dtype, label), fortran, data, label)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise DataError(
            f"{label} holds an array that is described wrongly; expected one of real numbers"
        ) from None


def _parts(value: Record) -> tuple[Any, Any, bool, Any]:
    """Return shape, type, whether columns lie together, and bytes of an array.

    Raises:
        ValueError: the record is another's.
    """
    if value.name == _FROM_BUFFER:
        data, dtype, shape, order = value.arguments
        return shape, dtype, order == "F", data
    *_, shape, dtype, fortran, data = value.state
    return shape, dtype, bool(fortran), data


def _dtype(record: Record, label: str) -> np.dtype[Any]:
    """Return the type of numbers, which is written as its kind, with its byte order in the state.

    Raises:
        DataError: they are no real numbers.
    """
    kind = record.arguments[0]
    if record.name != "numpy.dtype" or type(kind) is not str or not _REAL.fullmatch(kind):
        raise DataError(f"{label} holds an array of another type; expected real numbers")
    order = record.state[1] if record.state is not None else "<"
    return np.dtype(_ORDERS[order] + kind)


def _array(shape: Any, dtype: np.dtype[Any], fortran: bool, data: Any, label: str) -> Array:
    if type(shape) is not tuple or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("no shape")
    if isinstance(data, str):  # bytes of Python 2
        data = data.encode("latin1")
    wanted = math.prod(shape) * dtype.itemsize
    if wanted != len(data):
        raise DataError(
            f"{label} claims an array of shape {shape}, {wanted:,} bytes, but holds {len(data):,}; "
            "expected a whole one"
        )
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _number(arguments: tuple[Any, ...]) -> Any:
    """Return the number that `numpy.core.multiarray.scalar` makes of a type and bytes.

    Raises:
        ValueError: it is no real number.
    """
    dtype, data = arguments
    kind = dtype.arguments[0] if type(dtype) is Record and dtype.arguments else None
    if type(kind) is not str or not _REAL.fullmatch(kind):
        raise ValueError("a number of another kind")
    order = _ORDERS[dtype.state[1]] if type(dtype.state) is tuple else "<"
    data = data.encode("latin1") if isinstance(data, str) else data
    [number] = np.frombuffer(data, order + kind)
    return number.item()


# The names of NumPy that arrays, numbers and random generators are pickled with.
NAMES: dict[str, Meaning] = {
    **dict.fromkeys(
        (
            _REBUILT, _FROM_BUFFER, "numpy.ndarray", "numpy.dtype",
            "numpy.float64", "numpy.float32", "numpy.int64", "numpy.uint32",
            "numpy.random.__RandomState_ctor", "numpy.random._pickle.__randomstate_ctor",
            "numpy.random._pickle.__generator_ctor", "numpy.random._pickle.__bit_generator_ctor",
            "numpy.random._mt19937.MT19937", "numpy.random._pcg64.PCG64",
            "numpy.random.bit_generator.SeedSequence", "numpy.random.mtrand.RandomState",
            "numpy.random.bit_generator.__pyx_unpickle_SeedSequence",
        )
    ),
    "numpy.core.multiarray.scalar": _number,
    "_codecs.encode": encoded,
    "builtins.bytes": no_bytes,
}  # fmt: skip
