"""Variables of a TensorFlow checkpoint as arrays, joined where they are stored in parts.

A partitioned variable has an entry with its whole shape and the place of each part. The part itself
has an entry of its own; its key is the variable's name and that place, in a code that keeps order.
Source: `tensorflow/core/lib/strings/ordered_code.cc`, `util/saved_tensor_slice_util.cc`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.checkpoint_bundle import Bundle, Entry

Extent = tuple[int, int | None]


def stored(bundle: Bundle, key: str, dtype: np.dtype[Any], label: str) -> np.ndarray[Any, Any]:
    """Return a variable as it is stored: mapped, or joined from its parts.

    Args:
        dtype: of NumPy, in which the bytes are seen.
        label: how errors name the variable.

    Raises:
        DataError: the data are missing or damaged, or the index claims another size.
    """
    entry = bundle.entries[key]
    if not entry.parts:
        return _plain(bundle, entry, entry.shape, dtype, label)
    _refuse_more_than_there_is(bundle, entry, dtype, label)
    whole = np.empty(entry.shape, dtype)
    covered = np.zeros(entry.shape, np.bool_)
    for extents in entry.parts:
        place = _place(extents, entry.shape)
        part = None if place is None else bundle.parts.get(key_of_part(key, extents))
        if part is None or place is None:
            raise DataError(f"{label} lacks a part; expected all parts of a partitioned variable")
        shape = whole[place].shape
        whole[place] = _plain(bundle, part, shape, dtype, f"a part of {label}")
        covered[place] = True
    if not covered.all():
        raise DataError(f"{label} lacks a part; expected all parts of a partitioned variable")
    return whole


def _plain(
    bundle: Bundle, entry: Entry, shape: tuple[int, ...], dtype: np.dtype[Any], label: str
) -> np.ndarray[Any, Any]:
    wanted = math.prod(shape) * dtype.itemsize
    return bundle.bytes_of(entry, wanted, label).view(dtype).reshape(shape)


def _refuse_more_than_there_is(
    bundle: Bundle, entry: Entry, dtype: np.dtype[Any], label: str
) -> None:
    """Refuse a shape that the files of data cannot hold, before memory is taken for it."""
    wanted = math.prod(entry.shape) * dtype.itemsize
    files = {part.shard for part in bundle.parts.values() if part.shard < bundle.shards}
    paths = [path for path in map(bundle.data_file, files) if path.is_file()]
    room = sum(path.stat().st_size for path in paths)
    if wanted > room:
        raise DataError(
            f"{label} claims shape {entry.shape}, {wanted:,} bytes, but its files have {room:,}; "
            "expected all of them beside the index"
        )


def _place(extents: tuple[Extent, ...], shape: tuple[int, ...]) -> tuple[slice, ...] | None:
    """Return where a part belongs; None where that is outside the whole."""
    ends = [
        start + (side if length is None else length)
        for (start, length), side in zip(extents, shape, strict=False)
    ]
    if len(extents) != len(shape) or any(end > side for end, side in zip(ends, shape, strict=True)):
        return None
    return tuple(slice(start, end) for (start, _), end in zip(extents, ends, strict=True))


def key_of_part(name: str, extents: tuple[Extent, ...]) -> bytes:
    """Return the key of a part of a variable of two dimensions.

    The bytes 0 and 255 would be escaped in a name, but no name has them.

    >>> key_of_part("a", ((0, 334), (0, None))).hex(" ")
    '00 61 00 01 01 02 80 c1 4e 80 7f'
    """
    numbers = [number for start, length in extents for number in (start, length)]
    code = b"".join(_signed(-1 if number is None else number) for number in numbers)
    return b"\0" + name.encode() + b"\0\1" + bytes([1, len(extents)]) + code


def _signed(number: int) -> bytes:
    """Return a number in as few bytes as hold its bits; leading ones say how many there are."""
    length = (number if number >= 0 else ~number).bit_length() // 7 + 1
    bits = (number & (1 << 8 * length) - 1) ^ ((1 << length) - 1) << 7 * length
    return bits.to_bytes(length, "big")
