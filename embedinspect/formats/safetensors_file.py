"""Tensors as safetensors stores them: the length of a JSON header, the header, the numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.arrays import as_float32
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import StoredRows, Vectors, from_bfloat16
from embedinspect.wording import clipped_repr, listed

_LONGEST_HEADER = 100_000_000  # the format's own limit
_LARGEST_HEADER = 2**23  # read here: a hundred thousand tensors have about that
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
    "I8": "i1", "U8": "u1", "U16": "<u2", "U32": "<u4",
}  # fmt: skip


def recognises(start: Start) -> bool:
    """Return whether a file is one of safetensors."""
    return is_safetensors(start.data, start.size)


def read(path: Path, options: ReadOptions) -> Contents:
    """Return one tensor of a file; raises what `read_safetensors` raises."""
    return read_safetensors(path, options.tensor)


def is_safetensors(start: bytes, size: int) -> bool:
    """Return whether a file begins with the length of a header and then a JSON object."""
    length = int.from_bytes(start[:8], "little")
    return len(start) > 9 and start[8:9] == b"{" and 2 <= length <= min(_LONGEST_HEADER, size)


def read_safetensors(path: Path, tensor: str | None) -> Contents:
    """Return the tensor that is named, or the only one of two dimensions, as float32.

    Raises:
        UsageError: there are several and none is named, or none has that name.
        DataError: the file is damaged, or the tensor does not hold real numbers.
    """
    label = repr(str(path))
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LARGEST_HEADER:
            raise DataError(
                f"{label} has a header of {length:,} bytes; expected at most {_LARGEST_HEADER:,}"
            )
        header = _header(file.read(length), label)
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        name = _pick(entries, tensor, label)
        tensor_label = f"{clipped_repr(name)} in {label}"
        dtype, shape, begin, end = _entry(entries[name], tensor_label)
        width = 2 if dtype == "BF16" else np.dtype(_DTYPES[dtype]).itemsize
        wanted, room = math.prod(shape) * width, path.stat().st_size - 8 - length
        if end - begin != wanted or not 0 <= begin <= end <= room:
            raise DataError(
                f"{tensor_label} claims shape {shape}, {wanted:,} bytes, but it lies from byte "
                f"{begin:,} to {end:,} of {room:,}; expected a whole tensor"
            )
    # Mapped, not read: a tensor may be larger than the memory.
    stored = np.memmap(path, _DTYPES.get(dtype, "<u2"), "r", 8 + length + begin, shape)
    rows: Vectors
    if dtype == "BF16":
        rows = StoredRows(stored, shape, from_bfloat16)
    elif dtype == "F16":
        rows = StoredRows(stored, shape)
    else:
        rows = as_float32(np.asarray(stored), tensor_label)
    return Contents("safetensors", rows, None, dtype, tensor=name)


def _header(data: bytes, label: str) -> dict[str, Any]:
    """Return the JSON object in a header."""
    try:
        header = json.loads(data)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise DataError(f"{label} has a damaged header; expected a safetensors file")
    return header


def _entry(entry: dict[str, Any], label: str) -> tuple[str, tuple[int, int], int, int]:
    """Return the dtype of a tensor, its shape, and where its bytes begin and end."""
    try:
        dtype, (rows, columns), (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        whole = all(type(number) is int for number in (rows, columns, begin, end))
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{label} has a damaged header; expected a safetensors file") from None
    if dtype != "BF16" and not (isinstance(dtype, str) and dtype in _DTYPES):
        raise DataError(f"{label} has dtype {clipped_repr(str(dtype))}; expected real numbers")
    if not whole or rows < 1 or columns < 1 or rows * columns > MOST_VALUES:
        raise DataError(
            f"{label} has shape {clipped_repr(str(entry['shape']))}; expected (rows, output_dim), "
            f"at most {MOST_VALUES:,} numbers"
        )
    return dtype, (rows, columns), begin, end


def _pick(entries: dict[str, Any], wanted: str | None, label: str) -> str:
    """Return the name of the wanted tensor, or of the only one of two dimensions."""
    matrices = [
        name
        for name, entry in entries.items()
        if isinstance(entry, dict)
        and isinstance(entry.get("shape"), list)
        and len(entry["shape"]) == 2
    ]
    names = listed(map(clipped_repr, matrices)) or "none"
    if wanted is not None:
        if wanted not in matrices:
            raise UsageError(
                f"--tensor is {wanted!r}; expected a tensor of two dimensions in {label}: {names}"
            )
        return wanted
    if not matrices:
        others = f", but {listed(map(clipped_repr, entries))}" if entries else ""
        raise DataError(
            f"{label} holds no tensor of two dimensions{others}; expected one, (rows, output_dim)"
        )
    if len(matrices) > 1:
        named = [name for name in matrices if "embed" in name.lower()]
        hint = f"; called embedding: {listed(map(clipped_repr, named))}" if named else ""
        raise UsageError(
            f"{label} holds {len(matrices)} tensors of two dimensions ({names}); expected one; "
            f"name it with --tensor{hint}"
        )
    return matrices[0]
