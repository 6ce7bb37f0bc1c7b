"""TensorFlow Lite models: the constant tables of two dimensions, quantized ones by their scales.

Numbers of fields and of types are those of TensorFlow's schema.fbs, which is a FlatBuffer's.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.arrays import as_float32
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.flatbuffer import FlatBuffer, Table
from embedinspect.formats.scaled_integers import scaled_rows, unpack_int4
from embedinspect.formats.tensors import Tensor, pick
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import StoredRows, Vectors, from_bfloat16
from embedinspect.wording import clipped_repr

_MAGIC = b"TFL3"
# `enum TensorType`, and the NumPy dtype of each type that is read; int4 are two to a byte.
_TYPES = (
    "float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64",
    "int8", "float64", "complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4",
    "bfloat16", "int2", "uint4",
)  # fmt: skip
_DTYPES = {
    "float32": "<f4", "float16": "<f2", "float64": "<f8", "bfloat16": "<u2", "int4": "u1",
    "int8": "i1", "uint8": "u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4", "uint32": "<u4",
    "int64": "<i8",
}  # fmt: skip
_SCALED = ("int4", "int8", "uint8", "int16")
_DEQUANTIZE, _EMBEDDING_LOOKUP, _GATHER = 6, 7, 36  # of `enum BuiltinOperator`
_EXPECTED = "expected numbers in float32, float16 or int8: convert the model again without that"
Extent = tuple[int, int]  # the first byte in the file, and how many bytes or numbers there are


@dataclass(frozen=True)
class _Stored:
    """A tensor of two dimensions, and where and how its numbers are stored.

    Attributes:
        shape: (rows, columns).
        kind: the type of the numbers, by the name in `_TYPES`.
        bytes_at: where they are.
        scales_at: where the float32 are that the numbers are multiplied with: none, one, or one
            for each row or column.
        zeros_at: where the int64 are that are taken away before.
        axis: 0 where there is a scale for each row, 1 for each column.
        refused: why the numbers cannot be read, in words.
    """

    shape: tuple[int, int]
    kind: str
    bytes_at: Extent
    scales_at: Extent = (0, 0)
    zeros_at: Extent = (0, 0)
    axis: int = 0
    refused: str | None = None


def recognises(start: Start) -> bool:
    """Return whether a file has the mark of TensorFlow Lite after the offset of its root table."""
    root = int.from_bytes(start.data[:4], "little")
    # The highest byte of an offset in the file's beginning is 0, which no text has.
    return start.data[4:8] == _MAGIC and start.data[3] == 0 and root < start.size


def read(path: Path, options: ReadOptions) -> Contents:
    """Return one constant table of a model, float32.

    Raises:
        UsageError: no table has the name that is wanted, or several could be meant.
        DataError: the file is damaged, or holds the table in a form that is not read.
    """
    label = repr(str(path))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        stored, embedding = _constants(FlatBuffer(data, label))
    tensors = [
        Tensor(
            name,
            matrix.shape,
            matrix.kind,
            partial(_rows, path, matrix, f"{clipped_repr(name)} in {label}"),
            "input embedding" if name == embedding else None,
        )
        for name, matrix in stored.items()
    ]
    tensor = pick(tensors, options.tensor, label)
    return Contents(
        "TensorFlow Lite model",
        tensor.read(),
        dtype=tensor.dtype,
        tensor=tensor.name,
        warnings=_warnings(stored[tensor.name]),
        tensors=tuple(tensors),
    )


def _warnings(matrix: _Stored) -> tuple[str, ...]:
    if "int" not in matrix.kind or matrix.scales_at[1]:
        return ()
    return (f"the numbers are {matrix.kind}, and shown as they are: the file has no scale of them",)


def _constants(file: FlatBuffer) -> tuple[dict[str, _Stored], str | None]:
    """Return the constant matrices by their names, and the name of the input embedding."""
    model = file.root()
    codes = [_operator_code(code) for code in model.tables(1)]
    buffers = [_extent(buffer, file) for buffer in model.tables(4)]
    stored: dict[str, _Stored] = {}
    looked_up: set[str] = set()
    for graph_number, graph in enumerate(model.tables(2)):
        names: dict[int, str] = {}
        for number, table in enumerate(graph.tables(0)):
            matrix = _stored(table, buffers, file)
            if matrix is not None:
                name = table.text(3)
                if stored.get(name, matrix) != matrix:
                    name = f"{name} (tensor {number} of subgraph {graph_number})"
                names[number] = name
                stored[name] = matrix
        looked_up |= {names[number] for number in _looked_up(graph, codes) if number in names}
    return stored, _largest(stored, looked_up)


def _largest(stored: dict[str, _Stored], names: set[str]) -> str | None:
    """Return the name of the matrix with the most rows; None where there is not just one."""
    most = max((stored[name].shape[0] for name in names), default=0)
    largest = [name for name in names if stored[name].shape[0] == most]
    return largest[0] if len(largest) == 1 else None


def _operator_code(code: Table) -> int:
    """Return what an operator does; codes above 127 are in a field of their own."""
    return max(code.number(0, "b"), code.number(3, "i"))


def _extent(buffer: Table, file: FlatBuffer) -> Extent:
    """Return where the numbers of a tensor begin, and how many bytes they have.

    In files of more than 2 GB they lie behind all tables, by an offset from the file's beginning.
    """
    start, size = buffer.vector(0, 1)
    if not size:
        start, size = buffer.number(1, "Q"), buffer.number(2, "Q")
    if start + size > len(file.data):
        raise file.damaged(f"a tensor ends at byte {start + size:,} of {len(file.data):,}")
    return start, size


def _stored(table: Table, buffers: list[Extent], file: FlatBuffer) -> _Stored | None:
    """Return what a tensor's table says; None for one that is no constant matrix."""
    shape = table.numbers(0, most=3)
    if len(shape) != 2 or min(shape) < 1:
        return None
    buffer, code, outside = table.number(2, "I"), table.number(1, "b"), table.number(10, "I")
    if buffer >= len(buffers):
        raise file.damaged(f"a tensor has buffer {buffer:,} of {len(buffers):,}")
    bytes_at = buffers[buffer]
    if not bytes_at[1] and not outside:  # it is computed
        return None
    kind = _TYPES[code] if 0 <= code < len(_TYPES) else str(code)
    matrix = _Stored((shape[0], shape[1]), kind, bytes_at)
    if outside:
        return replace(matrix, refused="is stored in another file")
    if table.table(6) is not None:
        return replace(matrix, refused="is stored as a sparse tensor")
    rule = table.table(4)
    if rule is None:
        return matrix
    if rule.number(4, "B"):
        return replace(matrix, refused="is quantized in blocks, or by a rule of its own")
    scales_at, zeros_at = rule.vector(2, 4), rule.vector(3, 8)
    return replace(matrix, scales_at=scales_at, zeros_at=zeros_at, axis=rule.number(6, "i"))


def _looked_up(graph: Table, codes: list[int]) -> Iterator[int]:
    """Yield the tensors that rows are looked up in, or from which such a tensor is computed."""
    widened: dict[int, int] = {}
    for operator in graph.tables(3):
        index = operator.number(0, "I")
        code = codes[index] if index < len(codes) else -1
        if code not in (_DEQUANTIZE, _EMBEDDING_LOOKUP, _GATHER):
            continue
        inputs, outputs = operator.numbers(1, most=2), operator.numbers(2, most=1)
        options = operator.table(4)
        if code == _DEQUANTIZE and inputs and outputs:
            widened[outputs[0]] = inputs[0]
        elif code == _EMBEDDING_LOOKUP and len(inputs) == 2:
            yield widened.get(inputs[1], inputs[1])
        elif code == _GATHER and inputs and (options is None or not options.number(0, "i")):
            yield widened.get(inputs[0], inputs[0])


def _rows(path: Path, matrix: _Stored, label: str) -> Vectors:
    """Return the rows of a matrix, mapped.

    Raises:
        DataError: they are stored in a form that is not read, or their size is not that of the
            shape.
    """
    rows, columns = matrix.shape
    if matrix.refused is not None or matrix.kind not in _DTYPES:
        reason = matrix.refused or f"holds numbers of type {matrix.kind}"
        raise DataError(f"{label} {reason}; {_EXPECTED}")
    if matrix.kind == "int4" and columns % 2:
        raise DataError(f"{label} holds rows of {columns} int4, which share bytes; {_EXPECTED}")
    dtype = np.dtype(_DTYPES[matrix.kind])
    start, size = matrix.bytes_at
    width = columns // 2 if matrix.kind == "int4" else columns
    if rows * width * dtype.itemsize != size or rows * columns > MOST_VALUES:
        raise DataError(
            f"{label} claims shape {matrix.shape} of {matrix.kind}, but has {size:,} bytes; "
            f"expected a whole table of at most {MOST_VALUES:,} numbers"
        )
    stored = np.memmap(path, dtype, "r", start, (rows, width))
    if matrix.scales_at[1]:
        return _dequantized(path, stored, matrix, label)
    if matrix.kind == "bfloat16":
        return StoredRows(stored, matrix.shape, from_bfloat16)
    if matrix.kind == "int4":
        return StoredRows(stored, matrix.shape, lambda part: unpack_int4(part).astype(np.float32))
    if matrix.kind == "float16":
        return StoredRows(stored, matrix.shape)
    return as_float32(np.asarray(stored), label)


def _dequantized(path: Path, stored: Any, matrix: _Stored, label: str) -> StoredRows:
    """Return integers less their zero points, times their scales, decoded where they are indexed.

    Raises:
        DataError: there are not as many scales as rows or columns.
    """
    count, zero_count = matrix.scales_at[1], matrix.zeros_at[1]
    along = matrix.shape[matrix.axis] if matrix.axis in (0, 1) else 1
    if count not in (1, along) or zero_count not in (0, 1, count):
        raise DataError(
            f"{label} has {count:,} scales and {zero_count:,} zero points; expected one, or one "
            "for each row or column"
        )
    if matrix.kind not in _SCALED:
        raise DataError(f"{label} holds {matrix.kind} with scales; {_EXPECTED}")
    scales = np.array(np.memmap(path, "<f4", "r", matrix.scales_at[0], count))
    zeros = np.zeros(count, np.int64)
    if zero_count:
        zeros[:] = np.memmap(path, "<i8", "r", matrix.zeros_at[0], zero_count)
    unpack = unpack_int4 if matrix.kind == "int4" else np.asarray
    return scaled_rows(stored, matrix.shape, scales, zeros, matrix.axis, unpack)
