"""The table of a TensorFlow checkpoint's index: sorted keys and values, as LevelDB lays them out.

A footer says where the index block lies, the index block where the data blocks lie, and each block
holds keys of which only what differs from the key before is written. Each block has a checksum.
Sources: LevelDB's `table_format.md`, protocol buffers' `encoding` page.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from embedinspect.errors import DataError
from embedinspect.formats.crc32c import crc32c, unmasked

_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_FOOTER = 48
_TRAILER = 5  # of a block: how it is compressed, and its checksum
_LONGEST_KEY = 2**13
_MOST_KEY_BYTES = 2**27  # of all keys together, as a short record can repeat a long key
_LONGEST_VARINT = 10


class DamagedTableError(Exception):
    """What is wrong in a table, in words."""


def ends_like_a_table(tail: bytes) -> bool:
    """Return whether the last bytes of a file are those of such a table."""
    return tail.endswith(_MAGIC)


def entries_of(data: bytes, label: str) -> dict[bytes, bytes]:
    """Return the value of each key, in the order of the keys.

    Args:
        data: the whole file.
        label: how errors name it.

    Raises:
        DataError: it is damaged or compressed.
    """
    try:
        return dict(_entries(data))
    except (DamagedTableError, IndexError, struct.error) as error:
        raise DataError(
            f"{label} is a damaged index of a TensorFlow checkpoint ({error}); expected it as "
            "TensorFlow wrote it"
        ) from None


def _entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(data) < _FOOTER or not ends_like_a_table(data):
        raise DamagedTableError("it does not end as one")
    footer = data[-_FOOTER:]
    _, at = varint(footer, 0)
    _, at = varint(footer, at)  # the block of filters, of which there are none
    start, at = varint(footer, at)
    size, _ = varint(footer, at)
    end, last, keys = 0, b"", 0
    for _, handle in _block(data, start, size):
        start, at = varint(handle, 0)
        size, _ = varint(handle, at)
        if start < end:  # so that no block is read twice
            raise DamagedTableError("its blocks overlap")
        end = start + size
        for key, value in _block(data, start, size):
            if key <= last and keys:
                raise DamagedTableError("its keys are out of order")
            last, keys = key, keys + len(key) + 1
            if keys > _MOST_KEY_BYTES:
                raise DamagedTableError("its keys are too many")
            yield key, value


def _block(data: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of the block that lies there."""
    block = data[start : start + size]
    trailer = data[start + size : start + size + _TRAILER]
    if len(block) < size or len(trailer) < _TRAILER:
        raise DamagedTableError("it lacks a block")
    if crc32c(block + trailer[:1]) != unmasked(int.from_bytes(trailer[1:], "little")):
        raise DamagedTableError("the checksum of a block is another")
    if trailer[0]:
        raise DamagedTableError("a block is compressed")
    restarts = int.from_bytes(block[-4:], "little")
    end, at, key = size - 4 - 4 * restarts, 0, b""
    if end < 0:
        raise DamagedTableError("a block is shorter than it says")
    while at < end:
        shared, at = varint(block, at)
        unshared, at = varint(block, at)
        length, at = varint(block, at)
        if shared > len(key) or at + unshared + length > end or shared + unshared > _LONGEST_KEY:
            raise DamagedTableError("a key or value is longer than what is there")
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number of variable length at a place in bytes, and the place after it."""
    number = 0
    for place in range(_LONGEST_VARINT):
        byte = data[at + place]
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, at + place + 1
    raise DamagedTableError("a number is too long")


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and value of each field of a protocol buffer.

    A value is a number, or the bytes of a text or of a message in this one.
    """
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        value: int | bytes
        if tag & 7 == 0:
            value, at = varint(message, at)
        else:
            if tag & 7 == 2:
                size, at = varint(message, at)
            elif tag & 7 in {1, 5}:
                size = 8 if tag & 7 == 1 else 4
            else:
                raise DamagedTableError("a record has a field of an unknown kind")
            if at + size > len(message):
                raise DamagedTableError("a record is shorter than it says")
            value = message[at : at + size]
            value, at = (int.from_bytes(value, "little") if tag & 7 != 2 else value), at + size
        yield tag >> 3, value
