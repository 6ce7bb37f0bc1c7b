"""Tensors as safetensors stores them: the length of a JSON header, the header, the numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.arrays import Array, as_float32
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.static_vectors import per_token
from embedinspect.formats.tensor_roles import with_roles
from embedinspect.formats.tensors import Tensor, pick
from embedinspect.matrix import MOST_ROWS, MOST_VALUES
from embedinspect.stored_rows import StoredRows, Vectors, from_bfloat16
from embedinspect.wording import clipped_repr, listed

_LONGEST_HEADER = 100_000_000  # the format's own limit
_LARGEST_HEADER = 2**23  # read here: a hundred thousand tensors have about that
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4",
    "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
    "F8_E4M3": "u1", "F8_E5M2": "u1", "F8_E4M3FNUZ": "u1", "F8_E5M2FNUZ": "u1",
}  # fmt: skip
# The types of ml_dtypes that have the same bits.
_FP8 = {
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}
# What stands beside a tensor whose numbers are only steps on a scale: MLX, compressed-tensors and
# the FP8 of transformers, GPTQ and AWQ, bitsandbytes.
_SCALES = (
    "{stem}.scales", "{name}_scale", "{name}_scale_inv", "{stem}.scale", "{stem}.qzeros",
    "{stem}.SCB", "{name}.absmax", "{name}.quant_map", "{stem}.zeros",
)  # fmt: skip
_MOST_DIMENSIONS = 64  # as NumPy has it
_EXPECTED = "expected a safetensors file"


@dataclass(frozen=True)
class Entry:
    """A tensor as a header has it, of any shape.

    Attributes:
        path: of the file.
        name: of the tensor.
        dtype: as the header calls it.
        shape: of the tensor.
        start: where its bytes begin in the file.
    """

    path: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int

    @property
    def label(self) -> str:
        """How messages name the tensor."""
        return f"{clipped_repr(self.name)} in {str(self.path)!r}"

    def mapped(self) -> Array:
        """Return the numbers as they are stored, mapped; bfloat16 and FP8 as unsigned integers.

        Raises:
            DataError: they are of a type that is not read, or there are none, or too many rows.
        """
        if self.dtype not in _DTYPES:
            raise DataError(
                f"{self.label} has dtype {clipped_repr(self.dtype)}; expected real numbers"
            )
        if not all(self.shape) or self.shape[:1] > (MOST_ROWS,):
            raise DataError(
                f"{self.label} has shape {clipped_repr(str(list(self.shape)))}; expected "
                f"(rows, output_dim), from 1 to {MOST_ROWS:,} rows"
            )
        # Mapped, not read: a tensor may be larger than the memory, and has the size it claims.
        return np.memmap(self.path, _DTYPES[self.dtype], "r", self.start, self.shape)

    def rows(self) -> Vectors:
        """Return a tensor of two dimensions as rows of float32.

        Raises:
            DataError: as for `mapped`, or it has to be converted in memory and is too large.
        """
        stored = self.mapped()
        rows, columns = self.shape
        if self.dtype == "F32":
            return np.asarray(stored)
        if self.dtype == "BF16":
            return StoredRows(stored, (rows, columns), from_bfloat16)
        if self.dtype in _FP8:
            return StoredRows(stored.view(_fp8(self.dtype)), (rows, columns))
        if self.dtype in {"F64", "I64", "U64"}:
            if stored.size > MOST_VALUES:
                raise DataError(
                    f"{self.label} has {stored.size:,} numbers of type {self.dtype}; expected at "
                    f"most {MOST_VALUES:,}, or any number of F32, F16 or BF16, which are mapped"
                )
            return as_float32(np.asarray(stored), self.label)
        return StoredRows(stored, (rows, columns))


def _fp8(name: str) -> np.dtype[Any]:
    """Return the NumPy type of a kind of FP8."""
    import ml_dtypes

    kind: np.dtype[Any] = np.dtype(getattr(ml_dtypes, _FP8[name]))
    return kind


def recognises(start: Start) -> bool:
    """Return whether a file begins with the length of a header and then a JSON object."""
    length = int.from_bytes(start.data[:8], "little")
    begins = len(start.data) > 9 and start.data[8:9] == b"{"
    return begins and 2 <= length <= min(_LONGEST_HEADER, start.size)


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the tensor that is named, else the input embedding, else the only matrix there is.

    Raises:
        UsageError: several could be meant and none is named, or none has that name.
        DataError: the file is damaged, or the tensor does not hold real numbers.
    """
    label = repr(str(path))
    entries = read_entries(path)
    tensors = matrices_of(entries)
    if not tensors:
        others = f", but {listed(map(clipped_repr, entries))}" if entries else ""
        raise DataError(
            f"{label} holds no tensor of two dimensions{others}; expected one, (rows, output_dim)"
        )
    tensor = pick(tensors, options.tensor, label)
    return Contents(
        "safetensors", tensor.read(), None, tensor.dtype, tensor=tensor.name, tensors=tensors
    )


def matrices_of(entries: dict[str, Entry]) -> tuple[Tensor, ...]:
    """Return all tensors of two dimensions, with their roles.

    The rows of a vocabulary that model2vec has quantised are those that the token ids look up.
    """
    matrices = []
    for entry in entries.values():
        if len(entry.shape) == 2:
            rows, columns = entry.shape
            read_rows = partial(_plain_rows, entry, entries.keys())
            matrices.append(Tensor(entry.name, (rows, columns), entry.dtype, read_rows))
    numbers = {name: entry.mapped for name, entry in entries.items()}
    return per_token(with_roles(matrices), numbers, entries)


def _plain_rows(entry: Entry, names: Collection[str]) -> Vectors:
    """Return the rows of a tensor that is not quantised.

    Args:
        names: of all tensors of the model.

    Raises:
        DataError: it is quantised, so that its numbers alone say little, or `Entry.rows` raises it.
    """
    if entry.dtype in {"F64", "F32", "F16", "BF16"}:
        return entry.rows()
    stem = entry.name.removesuffix(".weight")
    for form in _SCALES:
        scale = form.format(stem=stem, name=entry.name)
        if scale in names and scale != entry.name:
            raise DataError(
                f"{entry.label} is quantised: its numbers ({entry.dtype}) count only with those of "
                f"{clipped_repr(scale)}, which are not applied here; expected the model as it was "
                "before, or saved again in float16"
            )
    return entry.rows()


def read_entries(path: Path) -> dict[str, Entry]:
    """Return the tensors that a header names, in its order.

    As the safetensors library has it, they fill the file one after the other.

    Raises:
        DataError: the header is damaged or too long, or the tensors do not fit the file.
    """
    label = repr(str(path))
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LARGEST_HEADER:
            raise DataError(
                f"{label} has a header of {length:,} bytes; expected at most {_LARGEST_HEADER:,}"
            )
        header = _header(file.read(length), label)
    header.pop("__metadata__", None)
    places = {
        name: _place(entry, f"{clipped_repr(name)} in {label}") for name, entry in header.items()
    }
    room, reached = path.stat().st_size - 8 - length, 0
    for name, (dtype, shape, begin, end) in sorted(places.items(), key=lambda item: item[1][2:]):
        wanted = _bytes_of(dtype, shape)
        whole = begin == reached and begin <= end <= room
        if not whole or (wanted is not None and end - begin != wanted):
            claims = "" if wanted is None else f", {wanted:,} bytes,"
            raise DataError(
                f"{clipped_repr(name)} in {label} claims shape {clipped_repr(str(list(shape)))}"
                f"{claims} but lies from byte {begin:,} to {end:,} of {room:,}, after byte "
                f"{reached:,}; expected a whole tensor, and one after the other"
            )
        reached = end
    if reached != room:
        raise DataError(
            f"{label} has {room - reached:,} bytes after its last tensor; {_EXPECTED}, whole and "
            "with nothing after it"
        )
    return {
        name: Entry(path, name, dtype, shape, 8 + length + begin)
        for name, (dtype, shape, begin, _) in places.items()
    }


def _bytes_of(dtype: str, shape: tuple[int, ...]) -> int | None:
    """Return how many bytes a tensor takes; None where its type is not known here."""
    if dtype not in _DTYPES:
        return None
    return math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize


def _header(data: bytes, label: str) -> dict[str, Any]:
    """Return the JSON object in a header."""
    try:
        header = json.loads(data, object_pairs_hook=_without_repeats, parse_constant=_refuse)
        "".join(header).encode()  # a name may hold half of a pair of surrogates
    except (ValueError, TypeError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise DataError(f"{label} has a damaged header; {_EXPECTED}")
    return header


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; as in the library, a tensor may be named twice, but not its shape."""
    value = dict(pairs)
    if len(value) < len(pairs) and "dtype" in value:
        raise ValueError(pairs)
    return value


def _refuse(constant: str) -> None:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(constant)


def _place(entry: Any, label: str) -> tuple[str, tuple[int, ...], int, int]:
    """Return the dtype of a tensor, its shape, and where its bytes begin and end."""
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        whole = all(type(number) is int and number >= 0 for number in (*shape, begin, end))
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole or not isinstance(shape, list):
        raise DataError(f"{label} has a damaged header; {_EXPECTED}")
    if len(shape) > _MOST_DIMENSIONS:
        raise DataError(
            f"{label} has {len(shape):,} dimensions; expected at most {_MOST_DIMENSIONS}"
        )
    if not isinstance(dtype, str):
        raise DataError(f"{label} has dtype {clipped_repr(str(dtype))}; expected real numbers")
    return dtype, tuple(shape), begin, end
