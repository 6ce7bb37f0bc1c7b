"""What the pickle of a PyTorch checkpoint describes: tensors, which are views of storages.

The names are those that `torch.save` writes and `torch.load(weights_only=True)` reads, and the
arguments are those of the functions in `torch/_utils.py`; none of them is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from embedinspect.errors import DataError
from embedinspect.formats.pickled_values import (
    Global,
    Meaning,
    Record,
    Rules,
    a_default_dict,
    an_ordered_dict,
    encoded,
    no_bytes,
)

WAY_OUT = (
    "where you trust the file, in Python: model = torch.load(PATH, weights_only=False), then "
    "torch.save(model.state_dict(), 'weights.pt')"
)
_DEEPEST = 16  # dictionaries in each other
_LONGEST_NAME = 500
# The name of a storage's class, and that of its numbers.
_STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32",
    "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8",
    "BoolStorage": "bool", "ComplexDoubleStorage": "complex128",
    "ComplexFloatStorage": "complex64", "QInt8Storage": "qint8", "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32", "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4",
}  # fmt: skip
_BYTES = "torch.storage.UntypedStorage"
_DTYPES = (
    "float64", "double", "float32", "float", "float16", "half", "bfloat16", "float8_e4m3fn",
    "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2",
    "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool", "complex32",
    "complex64", "complex128", "qint8", "quint8", "qint32", "quint4x2", "quint2x4",
    "per_tensor_affine", "per_channel_affine", "per_tensor_symmetric", "per_channel_symmetric",
    "per_channel_affine_float_qparams",
)  # fmt: skip
_DENSE = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3")
_PARAMETERS = (
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
)
_SUBCLASS = "torch._tensor._rebuild_from_type_v2"
_PLAIN_CLASSES = {"torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer"}
# Kinds of tensors whose numbers are not simply those of a storage.
_OTHER_KINDS = {
    "torch._utils._rebuild_sparse_tensor": "sparse",
    "torch._utils._rebuild_sparse_csr_tensor": "sparse",
    "torch._utils._rebuild_qtensor": "quantized",
    "torch._utils._rebuild_nested_tensor": "nested",
    "torch._utils._rebuild_meta_tensor_no_storage": "without numbers (on the device meta)",
    "torch._utils._rebuild_device_tensor_from_numpy": "of another device",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": "of another device",
    "torch._utils._rebuild_wrapper_subclass": "of a class of its own",
    _SUBCLASS: "of a class of its own",
}
_HARMLESS = (
    _BYTES, "torch.Size", "torch.device", "torch.serialization._get_layout", *_PLAIN_CLASSES,
    "collections.Counter", "builtins.set", "builtins.bytearray", "builtins.complex",
    "builtins.int", "builtins.list", "builtins.dict",
    "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
)  # fmt: skip


@dataclass(frozen=True)
class Storage:
    """Numbers in a row, which tensors are views of.

    Attributes:
        key: the name of its member in the zip.
        dtype: of the numbers, by PyTorch's name; "" where it holds bytes.
        length: how many numbers it claims to have.
    """

    key: str
    dtype: str
    length: int


@dataclass(frozen=True)
class View:
    """A dense tensor as a pickle describes it; nothing of it is checked against its storage.

    Attributes:
        storage: whose numbers it shows.
        dtype: of the numbers, by PyTorch's name.
        offset: of its first number in the storage.
        shape: as many numbers as it has dimensions.
        strides: how many numbers lie between neighbors, for each dimension.
    """

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _storage(id_: Any) -> Storage:
    """Return the storage that a persistent id stands for.

    Raises:
        ValueError: it is no storage's.
    """
    what, kind, key, _, length = id_
    if what != "storage" or type(kind) is not Global or type(length) is not int:
        raise ValueError("a persistent id that is no storage's")
    if type(key) is not str or not key.isascii() or not key.isalnum():
        raise ValueError("a storage without a name")
    name = kind.name.rpartition(".")[2]
    if kind.name != _BYTES and name not in _STORAGES:
        raise ValueError("a storage of an unknown kind")
    return Storage(key, _STORAGES.get(name, ""), length)


def _admitted() -> dict[str, Meaning]:
    names: dict[str, Meaning] = dict.fromkeys(_HARMLESS)
    names.update(dict.fromkeys((*_DENSE, *_PARAMETERS, *_OTHER_KINDS)))
    names.update(dict.fromkeys(f"torch.{dtype}" for dtype in _DTYPES))
    for storage in _STORAGES:
        names.update(dict.fromkeys((f"torch.{storage}", f"torch.cuda.{storage}")))
    names["collections.OrderedDict"] = an_ordered_dict
    names["collections.defaultdict"] = a_default_dict
    names["_codecs.encode"] = encoded
    names["builtins.bytes"] = no_bytes
    return names


RULES = Rules(_admitted(), WAY_OUT, _storage)


def tensors_in(value: Any) -> Iterator[tuple[str, Record]]:
    """Yield the tensors in nested dictionaries, lists and tuples, with their names.

    A name is made of the keys on the way, with points between them. What is deeper than 16 levels,
    or has a name of more than 500 characters, is left out; a container that is in several places
    counts once.
    """
    if type(value) is Record:
        yield "tensor", value
        return
    waiting, seen = [("", value, 0)], set()
    while waiting:
        prefix, container, depth = waiting.pop()
        if id(container) in seen:
            continue
        seen.add(id(container))
        inner = []
        for key, item in _items(container):
            name = f"{prefix}{key}"
            if len(name) > _LONGEST_NAME:
                continue
            if type(item) is Record and is_tensor(item):
                yield name, item
            elif isinstance(item, dict | list | tuple) and depth < _DEEPEST:
                inner.append((f"{name}.", item, depth + 1))
        waiting.extend(reversed(inner))


def _items(container: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(container, dict):
        yield from container.items()
    elif isinstance(container, list | tuple):
        yield from enumerate(container)


def is_tensor(record: Record) -> bool:
    """Return whether a call would have made a tensor."""
    return record.name in _DENSE or record.name in _PARAMETERS or record.name in _OTHER_KINDS


def view_of(record: Record, label: str) -> View:
    """Return the tensor that a call would have made.

    Raises:
        DataError: it is of a kind that is not read, or the call could not have made one.
    """
    for _ in range(_DEEPEST):
        try:
            if record.name in _DENSE:
                return _dense(record)
            if record.name == _SUBCLASS and record.arguments[1].name in _PLAIN_CLASSES:
                record = Record(record.arguments[0].name, record.arguments[2])
            elif record.name in _PARAMETERS:
                record = record.arguments[0]
            else:
                kind = _OTHER_KINDS.get(record.name, "of an unknown kind")
                raise DataError(
                    f"{label} is a tensor that is {kind}; expected a dense one; in Python: "
                    "tensor.to_dense(), tensor.dequantize() or tensor.cpu()"
                )
        except (AttributeError, IndexError, TypeError, ValueError):
            break
    raise DataError(f"{label} is a tensor that is described wrongly; expected a whole checkpoint")


def _dense(record: Record) -> View:
    """Return the tensor of the arguments (storage, offset, shape, strides, ..., dtype, ...).

    Raises:
        ValueError: these are others.
    """
    storage, offset, shape, strides = record.arguments[:4]
    if type(storage) is not Storage or not _are_sizes((offset, *shape, *strides)):
        raise ValueError("no tensor")
    if len(shape) != len(strides):
        raise ValueError("no tensor")
    dtype = storage.dtype
    if record.name == _DENSE[1]:
        dtype = record.arguments[6].name.removeprefix("torch.")
    if not dtype:
        raise ValueError("bytes without a type")
    return View(storage, dtype, offset, tuple(shape), tuple(strides))


def _are_sizes(numbers: tuple[Any, ...]) -> bool:
    return all(type(number) is int and 0 <= number < 2**62 for number in numbers)
