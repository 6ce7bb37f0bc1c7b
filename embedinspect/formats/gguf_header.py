"""The header of a GGUF file: keys with values, and which tensors lie where.

Format: docs/gguf.md of ggml, and gguf.cpp for what llama.cpp refuses. The header comes from a
stranger: each count, length and offset is checked against what the file has left before anything
is read or kept.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats import magic
from embedinspect.formats.gguf_quants import TYPES
from embedinspect.wording import clipped_repr, plural

TOKENS = "tokenizer.ggml.tokens"
TOKEN_TYPES = "tokenizer.ggml.token_type"
VERSIONS = (2, 3)
Scalar = int | float | str | bool
Codes = np.ndarray[Any, np.dtype[np.int32]]

_SCALARS = dict(enumerate("BbHhIif?--Qqd"))  # codes of `struct`, by `enum gguf_type`
_STRING, _ARRAY, _INT32 = 8, 9, 5
_LENGTH = struct.Struct("<Q")
_LONGEST_STRING = 2**16  # of a value that is kept; templates of chats are longer, and not needed
# Models have some fifty keys, and some thousand tensors of at most four dimensions.
_MOST_KEYS, _MOST_TENSORS, _MOST_DIMENSIONS = 2**14, 2**16, 4
_MOST_TOKENS = 2**21  # the largest tokenizers have some 260,000
_ALIGNMENT = 32  # where the file does not say


@dataclass(frozen=True)
class TensorInfo:
    """What the header says about a tensor.

    Attributes:
        name: as the file has it.
        shape: in NumPy's order, the reverse of the file's.
        code: of the type of its numbers.
        start: its first byte in the file.
        size: of its numbers in bytes; 0 where the type is not known.
    """

    name: str
    shape: tuple[int, ...]
    code: int
    start: int
    size: int


@dataclass(frozen=True)
class Header:
    """What is in the header of a GGUF file.

    Attributes:
        version: of the format.
        values: of the keys that have a single one, long texts left out.
        tokens: of the tokenizer, as bytes, in the order of their ids.
        token_types: the type of each token by `enum llama_token_type`; empty without them.
        tensors: in the order of the file.
    """

    version: int
    values: dict[str, Scalar]
    tokens: list[bytes]
    token_types: Codes
    tensors: list[TensorInfo]


def read_header(path: Path) -> Header:
    """Return the header of a file.

    Raises:
        DataError: it is damaged, or of another version or byte order.
    """
    label = repr(str(path))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        cursor = _Cursor(data, label, at=len(magic.GGUF))
        version = cursor.number("I")
        _check_version(version, label)
        tensor_count = cursor.count("tensor", _MOST_TENSORS)
        values, tokens, token_types = _read_values(cursor, cursor.count("key", _MOST_KEYS))
        tensors = [_read_tensor(cursor) for _ in range(tensor_count)]
        alignment = values.get("general.alignment", _ALIGNMENT)
        return Header(version, values, tokens, token_types, _placed(tensors, alignment, cursor))


def _check_version(version: int, label: str) -> None:
    if version in VERSIONS:
        return
    if not version & 0xFFFF:
        raise DataError(
            f"{label} is a big-endian GGUF file; expected a little-endian one, as of: "
            "python -m gguf.scripts.gguf_convert_endian THIS.gguf little"
        )
    raise DataError(
        f"{label} is a GGUF file of version {version:,}; expected version 2 or 3: convert the "
        "model again with a llama.cpp of today"
    )


class _Cursor:
    """Reads a header from its beginning on, never beyond the end of the file."""

    def __init__(self, data: mmap.mmap, label: str, at: int) -> None:
        self.data, self.label, self.at = data, label, at

    def take(self, size: int) -> int:
        """Return where the next bytes begin, and go beyond them."""
        start = self.at
        if size > len(self.data) - start:
            raise self.damaged(f"it wants {size:,} bytes at byte {start:,}, of {len(self.data):,}")
        self.at += size
        return start

    def number(self, code: str) -> int:
        """Return the next number, of a type as `struct` names it."""
        form = struct.Struct(f"<{code}")
        number: int = form.unpack_from(self.data, self.take(form.size))[0]
        return number

    def count(self, noun: str, most: int) -> int:
        """Return how many things follow, each of which has at least a length in bytes."""
        count = self.number("Q")
        if count > min(most, (len(self.data) - self.at) // _LENGTH.size):
            raise self.damaged(f"it claims {plural(count, noun)}")
        return count

    def string(self) -> bytes:
        """Return the next string."""
        length = self.number("Q")
        start = self.take(length)
        return self.data[start : start + length]

    def strings(self, count: int, *, keep: bool) -> list[bytes]:
        """Return the next strings; none where they are not to be kept, and only gone over."""
        data, at, end, kept = self.data, self.at, len(self.data), []
        for _ in range(count):
            start = at + _LENGTH.size
            if start > end:
                raise self.damaged(f"a list of {count:,} strings is longer than the file")
            at = start + _LENGTH.unpack_from(data, at)[0]
            if at > end:
                raise self.damaged(f"a string at byte {start:,} is longer than the file")
            if keep:
                kept.append(data[start:at])
        self.at = at
        return kept

    def damaged(self, reason: str) -> DataError:
        """Return the error for a header that cannot be right."""
        return DataError(f"{self.label} has a damaged header ({reason}); expected a GGUF file")


def _read_values(cursor: _Cursor, count: int) -> tuple[dict[str, Scalar], list[bytes], Codes]:
    """Return the single values by their keys, the tokens and their types."""
    values: dict[str, Scalar] = {}
    tokens: list[bytes] = []
    token_types = np.empty(0, np.int32)
    keys: set[str] = set()
    for _ in range(count):
        key = _text(cursor.string())
        if key in keys:
            raise cursor.damaged(f"it has the key {clipped_repr(key)} twice")
        keys.add(key)
        kind = cursor.number("I")
        if kind == _STRING:
            text = cursor.string()
            if len(text) <= _LONGEST_STRING:
                values[key] = _text(text)
        elif kind != _ARRAY:
            values[key] = cursor.number(_scalar(kind, key, cursor))
        elif key == TOKENS:
            tokens = _read_tokens(cursor)
        elif key == TOKEN_TYPES:
            token_types = _read_token_types(cursor)
        else:
            _skip_array(cursor, key)
    return values, tokens, token_types


def _read_tokens(cursor: _Cursor) -> list[bytes]:
    kind, length = cursor.number("I"), cursor.number("Q")
    if kind != _STRING or length > _MOST_TOKENS:
        raise cursor.damaged(f"it claims {length:,} tokens of type {kind:,}")
    return cursor.strings(length, keep=True)


def _read_token_types(cursor: _Cursor) -> Codes:
    kind, length = cursor.number("I"), cursor.number("Q")
    if kind != _INT32:
        raise cursor.damaged(f"its types of tokens are values of type {kind:,}")
    start = cursor.take(length * 4)
    return np.frombuffer(cursor.data[start : cursor.at], "<i4").astype(np.int32)


def _skip_array(cursor: _Cursor, key: str) -> None:
    kind, length = cursor.number("I"), cursor.number("Q")
    if kind == _STRING:
        cursor.strings(length, keep=False)
    else:
        cursor.take(length * struct.calcsize(f"<{_scalar(kind, key, cursor)}"))


def _scalar(kind: int, key: str, cursor: _Cursor) -> str:
    """Return the code that `struct` has for a type of value."""
    code = _SCALARS.get(kind, "-")
    if code == "-":
        what = "an array of arrays" if kind == _ARRAY else f"a value of type {kind:,}"
        raise cursor.damaged(f"the key {clipped_repr(key)} has {what}")
    return code


def _read_tensor(cursor: _Cursor) -> TensorInfo:
    """Return what is said about the next tensor; its start still counts from the first tensor's."""
    name = _text(cursor.string())
    dimensions = cursor.number("I")
    if dimensions > _MOST_DIMENSIONS:
        raise cursor.damaged(f"the tensor {clipped_repr(name)} has {dimensions:,} dimensions")
    shape = tuple(cursor.number("Q") for _ in range(dimensions))[::-1]
    code = cursor.number("I")
    return TensorInfo(name, shape, code, cursor.number("Q"), _size(name, shape, code, cursor))


def _size(name: str, shape: tuple[int, ...], code: int, cursor: _Cursor) -> int:
    """Return how many bytes a tensor has; 0 where its type is not known."""
    kind = TYPES.get(code)
    if kind is None:
        return 0
    if shape and shape[-1] % kind.numbers:
        raise cursor.damaged(
            f"the tensor {clipped_repr(name)} has rows of {shape[-1]:,} numbers, and {kind.name} "
            f"blocks of {kind.numbers}"
        )
    return math.prod(shape) // kind.numbers * kind.size


def _placed(tensors: list[TensorInfo], alignment: Scalar, cursor: _Cursor) -> list[TensorInfo]:
    """Return the tensors with where they begin in the file, each after the end of the one before.

    Raises:
        DataError: one lies outside the file or on another, or two have one name.
    """
    if type(alignment) is not int or alignment < 1 or alignment & (alignment - 1):
        raise cursor.damaged(
            f"its alignment is {clipped_repr(str(alignment))}, and no power of two"
        )
    base = -(-cursor.at // alignment) * alignment
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise cursor.damaged("two tensors have one name")
    placed, end = [], 0
    for tensor in sorted(tensors, key=lambda tensor: (tensor.start, tensor.size)):
        name = clipped_repr(tensor.name)
        if tensor.start < end or tensor.start % alignment:
            raise cursor.damaged(f"the tensor {name} begins within another, or is not aligned")
        end = tensor.start + tensor.size
        if base + end > len(cursor.data):
            raise DataError(
                f"{cursor.label} is cut off: the tensor {name} ends at byte {base + end:,} of "
                f"{len(cursor.data):,}; expected a whole file: download it again"
            )
        placed.append(
            TensorInfo(tensor.name, tensor.shape, tensor.code, base + tensor.start, tensor.size)
        )
    return placed


def _text(data: bytes) -> str:
    """Return a string; bytes that are not UTF-8 are written with a backslash."""
    return data.decode("utf-8", "backslashreplace")
