"""The variables that a TensorFlow checkpoint lists: where they lie, and what they are called.

Source: `tensorflow/core/protobuf/tensor_bundle.proto`, `trackable_object_graph.proto`, and
`tensorflow/core/util/tensor_bundle`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.checkpoint_table import DamagedTableError, entries_of, fields, varint
from embedinspect.formats.crc32c import crc32c, unmasked
from embedinspect.wording import clipped_repr

_LARGEST_INDEX = 2**26
_LARGEST_GRAPH = 2**26
_CHECKED = 2**27  # the checksum of more takes longer than anyone would wait
_GRAPH = b"_CHECKPOINTABLE_OBJECT_GRAPH"
_MOST_SHARDS = 99_999  # the name of a shard has five digits
_STRING = 7
# tensorflow/core/framework/types.proto
DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64",
    14: "bfloat16", 17: "uint16", 19: "float16", 22: "uint32", 23: "uint64",
    24: "float8_e5m2", 25: "float8_e4m3fn",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A variable, as the index has it.

    Attributes:
        dtype: the number of its type in TensorFlow.
        shape: its sides.
        shard: in which file of data it lies.
        offset: where it begins there.
        size: how many bytes it takes there.
        checksum: of these bytes, masked; 0 where there is none.
        parts: where it is stored in parts, for each the start and length along each side; the
            length is None where a part has the whole side.
    """

    dtype: int = 0
    shape: tuple[int, ...] = ()
    shard: int = 0
    offset: int = 0
    size: int = 0
    checksum: int = 0
    parts: tuple[tuple[tuple[int, int | None], ...], ...] = ()


@dataclass(frozen=True)
class Bundle:
    """What a checkpoint holds.

    Attributes:
        index: the file that lists the variables.
        shards: how many files of data there are.
        entries: of each variable, by its key.
        parts: of each part of a variable that is stored in parts, by its key.
        own_names: the name that a variable has itself, by its key, where the graph has it.
    """

    index: Path
    shards: int
    entries: dict[str, Entry]
    parts: dict[bytes, Entry]
    own_names: dict[str, str]

    def data_file(self, shard: int) -> Path:
        """Return the file of data of that number."""
        prefix = self.index.name.removesuffix(".index")
        return self.index.with_name(f"{prefix}.data-{shard:05d}-of-{self.shards:05d}")

    def bytes_of(
        self, entry: Entry, wanted: int, label: str
    ) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return the bytes of an entry, mapped; their checksum is checked where that is cheap.

        Args:
            wanted: how many bytes there must be.
            label: how errors name what is stored there.

        Raises:
            DataError: the file of data is missing or damaged, or the index claims another size.
        """
        path = self.data_file(entry.shard)
        try:
            room = path.stat().st_size
        except OSError:
            raise DataError(
                f"{label} lies in {path.name!r}, which is not beside the index; expected all files "
                "of the checkpoint in one folder"
            ) from None
        if entry.size != wanted or not wanted or entry.offset + wanted > room:
            raise DataError(
                f"{label} claims shape {clipped_repr(str(entry.shape))}, {wanted:,} bytes, but "
                f"takes {entry.size:,} from byte {entry.offset:,} of {room:,} in {path.name!r}; "
                "expected a whole variable"
            )
        data = np.memmap(path, np.uint8, "r", entry.offset, (wanted,))
        if entry.checksum and wanted <= _CHECKED and crc32c(data) != unmasked(entry.checksum):
            raise DataError(
                f"{label} is damaged: the checksum of its bytes in {path.name!r} is another; "
                "expected them as TensorFlow wrote them"
            )
        return data


def open_bundle(index: Path) -> Bundle:
    """Return what the index of a checkpoint lists.

    Raises:
        DataError: it is damaged, too large, or of a kind that is not read.
    """
    label = repr(str(index))
    size = index.stat().st_size
    if size > _LARGEST_INDEX:
        raise DataError(
            f"{label} has {size:,} bytes; expected the index of a TensorFlow checkpoint, at most "
            f"{_LARGEST_INDEX:,}"
        )
    table = entries_of(index.read_bytes(), label)
    try:
        shards = _shards(table.pop(b"", None), label)
        parts = {key: value for key, value in table.items() if key[:1] == b"\0"}
        entries = {
            key.decode("utf-8", "backslashreplace"): _entry(value)
            for key, value in table.items()
            if key not in parts
        }
        bundle = Bundle(
            index, shards, entries, {key: _entry(value) for key, value in parts.items()}, {}
        )
        bundle.own_names.update(_own_names(bundle, label))
    except (DamagedTableError, IndexError, struct.error, UnicodeDecodeError) as error:
        raise DataError(
            f"{label} is a damaged index of a TensorFlow checkpoint ({error}); expected it as "
            "TensorFlow wrote it"
        ) from None
    return bundle


def _shards(header: bytes | None, label: str) -> int:
    """Return how many files of data there are, by BundleHeaderProto."""
    if header is None:
        raise DamagedTableError("it has no header")
    read = dict(fields(header))
    shards, endianness = read.get(1, 1), read.get(2, 0)
    if isinstance(shards, bytes):  # SavedTensorSlices, in which a message stands there
        raise DataError(
            f"{label} is a TensorFlow checkpoint of version 1; expected version 2, of which "
            "there are .index and .data files; in Python: numpy.save('rows.npy', "
            f"tf.train.load_checkpoint({label}).get_tensor(NAME))"
        )
    if endianness:
        raise DataError(
            f"{label} was written on a big-endian machine; expected little-endian data, so save it "
            "again on a usual one"
        )
    if not 1 <= shards <= _MOST_SHARDS:
        raise DamagedTableError(f"it names {shards:,} files of data")
    return shards


def _entry(message: bytes) -> Entry:
    """Return a BundleEntryProto."""
    numbers = {1: 0, 3: 0, 4: 0, 5: 0, 6: 0}
    shape: tuple[int, ...] = ()
    parts = []
    for number, value in fields(message):
        if number in numbers and isinstance(value, int):
            numbers[number] = value
        elif number == 2 and isinstance(value, bytes):
            shape = tuple(
                _sides(dim).get(1, 0) for field, dim in fields(value) if _message(field, 2, dim)
            )
        elif number == 7 and isinstance(value, bytes):
            extents = (part for field, part in fields(value) if _message(field, 1, part))
            parts.append(tuple((side.get(1, 0), side.get(2)) for side in map(_sides, extents)))
    dtype, shard, offset, size, checksum = numbers.values()
    return Entry(dtype, shape, shard, offset, size, checksum, tuple(parts))


def _message(field: int, wanted: int, value: int | bytes) -> bool:
    return field == wanted and isinstance(value, bytes)


def _sides(message: int | bytes) -> dict[int, int]:
    """Return the numbers of a message by their fields."""
    assert isinstance(message, bytes)
    return {number: value for number, value in fields(message) if isinstance(value, int)}


def _own_names(bundle: Bundle, label: str) -> dict[str, str]:
    """Return the own name of each variable by its key, as the graph of objects has them."""
    entry = bundle.entries.pop(_GRAPH.decode(), None)
    if entry is None or entry.dtype != _STRING or entry.size > _LARGEST_GRAPH:
        return {}
    # A string tensor: the length of its only text, a checksum of the length, the text itself. The
    # checksum of it all is over the length in four bytes rather than in as few as it needs.
    data = bundle.bytes_of(replace(entry, checksum=0), entry.size, f"the graph of {label}")
    text = data.tobytes()
    length, at = varint(text, 0)
    if crc32c(length.to_bytes(8, "little")[:4] + text[at:]) != unmasked(entry.checksum):
        raise DamagedTableError("the checksum of its graph is another")
    names: dict[str, str] = {}
    _each(text[at + 4 : at + 4 + length], 1, lambda node: _each(node, 2, _named(names)))
    return names


def _each(message: bytes, number: int, take: Callable[[bytes], object]) -> None:
    """Hand every message in this one that has that number to `take`."""
    for field, value in fields(message):
        if field == number and isinstance(value, bytes):
            take(value)


def _named(names: dict[str, str]) -> Callable[[bytes], None]:
    """Return a function that notes the own name and the key of a SerializedTensor."""

    def take(attribute: bytes) -> None:
        texts = {field: text for field, text in fields(attribute) if isinstance(text, bytes)}
        if 2 in texts and 3 in texts:
            key, name = (texts[field].decode("utf-8", "backslashreplace") for field in (3, 2))
            names[key] = name

    return take
