"""ONNX models: the constant tensors of two dimensions, quantized ones by the model's own scales.

Numbers of types, and which field holds what, are those of `TensorProto` in ONNX's onnx.proto; the
scales are those of its operator DequantizeLinear.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.arrays import as_float32
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.onnx_graph import Graph, Stored, read_graph
from embedinspect.formats.protobuf import ProtobufFile
from embedinspect.formats.scaled_integers import scaled_rows, unpack_int4, unpack_uint4
from embedinspect.formats.tensors import Tensor, pick
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import FloatArray, StoredRows, Vectors, from_bfloat16
from embedinspect.wording import clipped_repr

_HIGHEST_VERSION = 100  # of ONNX's own; 13 in 2026
# The fields of a model, and of a graph, whose bytes have a length before them.
_MODEL_FIELDS = frozenset({2, 3, 4, 6, 7, 8, 14, 20, 25, 26})
_GRAPH_FIELDS = frozenset({1, 2, 5, 10, 11, 12, 13, 14, 15, 16})
_GRAPH, _MODEL_VERSION = 7, 5


@dataclass(frozen=True)
class _Type:
    """How numbers of a type are stored.

    Attributes:
        name: of the type.
        dtype: of what is stored; of float8 and int4 it is their bits.
        field: that holds them where they are not raw.
    """

    name: str
    dtype: str
    field: int


_TYPES = {
    1: _Type("float32", "<f4", 4), 2: _Type("uint8", "u1", 5), 3: _Type("int8", "i1", 5),
    4: _Type("uint16", "<u2", 5), 5: _Type("int16", "<i2", 5), 6: _Type("int32", "<i4", 5),
    7: _Type("int64", "<i8", 7), 10: _Type("float16", "<f2", 5), 11: _Type("float64", "<f8", 10),
    12: _Type("uint32", "<u4", 11), 13: _Type("uint64", "<u8", 11), 16: _Type("bfloat16", "<u2", 5),
    17: _Type("float8_e4m3fn", "u1", 5), 18: _Type("float8_e4m3fnuz", "u1", 5),
    19: _Type("float8_e5m2", "u1", 5), 20: _Type("float8_e5m2fnuz", "u1", 5),
    21: _Type("uint4", "u1", 5), 22: _Type("int4", "u1", 5),
}  # fmt: skip
_OTHER_TYPES = {
    8: "string", 9: "bool", 14: "complex64", 15: "complex128", 23: "float4_e2m1",
    24: "float8_e8m0", 25: "uint2", 26: "int2", 27: "float6_e2m3", 28: "float6_e3m2",
}  # fmt: skip
_UNPACK: dict[str, Callable[[Any], Any]] = {"int4": unpack_int4, "uint4": unpack_uint4}
_DEFAULT_AXIS = 1  # of DequantizeLinear
_SCALED = frozenset({"int4", "uint4", "int8", "uint8", "int16", "uint16"})


@dataclass(frozen=True)
class _Scale:
    """By what a model scales a tensor.

    Attributes:
        scales: one, or one for each row or column.
        zeros: what is taken away before, one for each scale.
        axis: 0 where several scales are those of rows, 1 of columns.
    """

    scales: FloatArray
    zeros: np.ndarray[Any, np.dtype[np.int64]]
    axis: int


def recognises(start: Start) -> bool:
    """Return whether a file begins with the fields of a model, up to the first of its graph.

    ONNX has no mark at its beginning. Its first field is the version, the graph comes after some
    short ones, and each has a key that says what it is.
    """
    data = start.data
    if len(data) < 2 or data[0] != 0x08 or not 0 < data[1] <= _HIGHEST_VERSION:
        return False
    file, at = ProtobufFile(data, ""), 2
    try:
        while True:
            key, at = file.varint(at, len(data))
            number, length = key >> 3, key & 7 == 2
            if key == _MODEL_VERSION << 3:
                _, at = file.varint(at, len(data))
                continue
            if number not in _MODEL_FIELDS or not length:
                return False
            size, at = file.varint(at, len(data))
            if number == _GRAPH:
                return at < len(data) and data[at] & 7 == 2 and _first_field(data, at)
            at += size
    except DataError:
        return False


def _first_field(data: bytes, at: int) -> bool:
    key, _ = ProtobufFile(data, "").varint(at, len(data))
    return key >> 3 in _GRAPH_FIELDS


def read(path: Path, options: ReadOptions) -> Contents:
    """Return one constant tensor of a model, float32.

    Raises:
        UsageError: no tensor has the name that is wanted, or several could be meant.
        DataError: the file is damaged, or holds the tensor in a form that is not read.
    """
    label = repr(str(path))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        graph = read_graph(ProtobufFile(data, label))
    matrices = {
        name: stored
        for name, stored in graph.tensors.items()
        if len(stored.dimensions) == 2 and min(stored.dimensions) > 0
    }
    embedding = _largest(matrices, graph.looked_up())
    tensors = [
        Tensor(
            name,
            (stored.dimensions[0], stored.dimensions[1]),
            _type_name(stored),
            partial(_matrix, path, graph, name),
            "input embedding" if name == embedding else None,
        )
        for name, stored in matrices.items()
    ]
    tensor = pick(tensors, options.tensor, label)
    return Contents(
        "ONNX model",
        tensor.read(),
        dtype=tensor.dtype,
        tensor=tensor.name,
        warnings=_warnings(path, graph, tensor),
        tensors=tuple(tensors),
    )


def _largest(matrices: dict[str, Stored], names: set[str]) -> str | None:
    """Return the name of the matrix with the most rows; None where there is not just one."""
    counts = {name: matrices[name].dimensions[0] for name in names if name in matrices}
    largest = [name for name, count in counts.items() if count == max(counts.values())]
    return largest[0] if len(largest) == 1 else None


def _type_name(stored: Stored) -> str:
    known = _TYPES.get(stored.code)
    return known.name if known else _OTHER_TYPES.get(stored.code, str(stored.code))


def _warnings(path: Path, graph: Graph, tensor: Tensor) -> tuple[str, ...]:
    scaled = any(name == tensor.name for name, _, _ in graph.scalings())
    if scaled and _scale(path, graph, tensor.name) is None:
        return (
            f"the numbers are {tensor.dtype}, and shown as they are: the model scales them in a "
            "way that is not followed here",
        )
    if not scaled and "int" in tensor.dtype:
        return (
            f"the numbers are {tensor.dtype}, and shown as they are: the model has no "
            "DequantizeLinear that scales them",
        )
    return ()


def _matrix(path: Path, graph: Graph, name: str) -> Vectors:
    """Return the rows of a matrix, scaled where the model does so.

    Raises:
        DataError: they are stored in a form that is not read, or damaged.
    """
    stored, label = graph.tensors[name], f"{clipped_repr(name)} in {str(path)!r}"
    rows, columns = shape = stored.dimensions[0], stored.dimensions[1]
    if rows * columns > MOST_VALUES:
        raise DataError(
            f"{label} has {rows:,} x {columns:,} numbers; expected at most {MOST_VALUES:,}"
        )
    numbers, kind = _numbers(path, stored, label), _type_name(stored)
    scale = _scale(path, graph, name)
    unpack = _UNPACK.get(kind, np.asarray)
    if scale is not None:
        return scaled_rows(numbers, shape, scale.scales, scale.zeros, scale.axis, unpack)
    if kind == "bfloat16":
        return StoredRows(numbers, shape, from_bfloat16)
    if kind.startswith("float8"):
        values = _float8(kind)
        return StoredRows(numbers, shape, lambda part: values[part])
    if kind in _UNPACK:
        return StoredRows(numbers, shape, lambda part: unpack(part).astype(np.float32))
    if kind == "float16":
        return StoredRows(numbers, shape)
    return as_float32(np.asarray(numbers), label)


def _float8(kind: str) -> FloatArray:
    """Return the number that each of the 256 bytes stands for."""
    import ml_dtypes

    every_byte = np.arange(256, dtype=np.uint8)
    numbers: FloatArray = every_byte.view(getattr(ml_dtypes, kind)).astype(np.float32)
    return numbers


def _scale(path: Path, graph: Graph, name: str) -> _Scale | None:
    """Return by what the model scales a tensor; None where it does not, or not in a simple way."""
    tensor = graph.tensors[name]
    nodes = [(node, by_row) for source, node, by_row in graph.scalings() if source == name]
    rules = {(node.inputs[1:3], node.numbers.get("axis", _DEFAULT_AXIS)) for node, _ in nodes}
    if len(rules) != 1 or _type_name(tensor) not in _SCALED:
        return None
    [(names, axis)] = rules
    scales = _constant(path, graph, names[:1])
    if scales is None or scales.dtype != np.float32:  # of blocks, they have two dimensions
        return None
    zeros = _constant(path, graph, names[1:])
    if zeros is None and any(names[1:]):
        return None
    zeros = np.zeros(len(scales), np.int64) if zeros is None else zeros.astype(np.int64)
    one = any(by_row for _, by_row in nodes) or not -2 <= axis < 2
    along = 1 if one else tensor.dimensions[axis]
    if len(scales) not in (1, along) or len(zeros) != len(scales):
        return None
    return _Scale(scales, zeros, axis % 2)


def _constant(
    path: Path, graph: Graph, names: tuple[str, ...]
) -> np.ndarray[Any, np.dtype[Any]] | None:
    """Return the numbers of the one constant tensor of at most one dimension; None without it."""
    stored = graph.tensors.get("".join(names))
    if stored is None or len(stored.dimensions) > 1 or 0 in stored.dimensions:
        return None
    count = stored.dimensions[0] if stored.dimensions else 1
    if _type_name(stored) in _UNPACK or count > MOST_VALUES:
        return None
    flat = Stored(
        (1, count), stored.code, stored.field, stored.start, stored.size, stored.external,
        stored.parts,
    )  # fmt: skip
    try:
        return np.array(_numbers(path, flat, "")[0])
    except DataError:
        return None


def _numbers(path: Path, stored: Stored, label: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Return a tensor of two dimensions as it is stored; int4 and float8 as bytes.

    Raises:
        DataError: its numbers are in another file, of a type that is not read, or damaged.
    """
    kind = _TYPES.get(stored.code)
    if stored.external:
        whole = f"onnx.save(onnx.load({str(path)!r}), 'whole.onnx')"
        raise DataError(
            f"{label} has its numbers in another file (external data), which is not opened; "
            f"expected a model in one file, as of this line of Python: {whole}"
        )
    if kind is None:
        raise DataError(
            f"{label} holds numbers of type {_type_name(stored)}; expected real numbers, such as "
            "float32"
        )
    if stored.parts > 1 or (stored.field not in (None, kind.field) and not stored.raw):
        raise DataError(
            f"{label} is stored in pieces, or in the field of another type; expected a model as "
            "onnx.save writes it"
        )
    rows, columns = stored.dimensions
    if kind.name in _UNPACK:
        if columns % 2:
            raise DataError(
                f"{label} holds rows of {columns} {kind.name}, which share bytes; expected "
                "another type, such as int8"
            )
        columns //= 2
    dtype = np.dtype(kind.dtype)
    if not stored.raw and kind.field not in (4, 10):
        return _from_varints(path, stored, dtype, (rows, columns), label)
    _check_size(rows * columns * dtype.itemsize == stored.size, stored, label)
    return np.memmap(path, dtype, "r", stored.start, (rows, columns))


def _from_varints(
    path: Path, stored: Stored, dtype: np.dtype[Any], shape: tuple[int, int], label: str
) -> np.ndarray[Any, np.dtype[Any]]:
    """Return numbers that are stored as varints: seven bits to a byte, the lowest first.

    Of float16 and others the varints hold the bits, and of negative numbers all 64 of them.
    """
    count = shape[0] * shape[1]
    _check_size(count <= stored.size, stored, label)
    data = np.memmap(path, np.uint8, "r", stored.start, stored.size)
    ends = np.flatnonzero(data < 128)
    lengths = np.diff(ends, prepend=-1)
    whole = len(ends) == count and ends[-1] == stored.size - 1 and lengths.max() <= 10
    _check_size(whole, stored, label)
    numbers = np.zeros(count, np.uint64)
    starts = ends - lengths + 1
    for place in range(int(lengths.max())):
        longer = lengths > place
        bits = (data[starts[longer] + place] & 127).astype(np.uint64)
        numbers[longer] |= bits << np.uint64(7 * place)
    bits_dtype = np.dtype(f"<u{dtype.itemsize}") if dtype.kind == "f" else dtype
    narrow = numbers.astype(bits_dtype)
    _check_size(bool((narrow.astype(np.uint64) == numbers).all()), stored, label)
    return narrow.view(dtype).reshape(shape)


def _check_size(right: bool, stored: Stored, label: str) -> None:
    if not right:
        raise DataError(
            f"{label} claims shape {stored.dimensions} of {_type_name(stored)}, but its "
            f"{stored.size:,} bytes hold something else; expected a whole tensor"
        )
