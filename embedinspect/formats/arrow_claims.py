"""What a file of Arrow's IPC formats claims, read before any memory is taken for it.

pyarrow makes room for whatever a compressed buffer claims to unpack to, so that is added up first.
The formats: Apache Arrow's `Message.fbs` and `File.fbs`, tables of flatbuffers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"ARROW1"
_CONTINUES = 0xFFFFFFFF  # before the length of a message, since format version 5
_DICTIONARY, _RECORDS = 2, 3  # of `union MessageHeader`
_BLOCK, _BUFFER = 24, 16  # bytes of `struct Block` and of `struct Buffer`


@dataclass(frozen=True)
class Claims:
    """What the batches of a file claim to hold.

    Attributes:
        rows: in all batches of records.
        unpacked: bytes that the compressed buffers become.
    """

    rows: int
    unpacked: int


def claims_of(data: memoryview) -> Claims:
    """Return what the batches of a file or a stream claim.

    Raises:
        ValueError: something points outside of the file, or is negative.
    """
    rows = unpacked = 0
    try:
        for place in _in_footer(data) if bytes(data[: len(MAGIC)]) == MAGIC else _in_order(data):
            kind, batch, body = _message(data, place)
            if batch is not None:
                count = batch.number(0, "<q")
                if count < 0:
                    raise ValueError("a batch of less than no rows")
                rows += count if kind == _RECORDS else 0
                unpacked += _unpacked(batch, body)
    except (struct.error, OverflowError):
        raise ValueError("an offset outside of the file") from None
    return Claims(rows, unpacked)


class _Table:
    """A table of a flatbuffer, of whose fields each is found by its number."""

    def __init__(self, data: memoryview, place: int) -> None:
        self.data, self.place = data, place
        self.fields = place - int(self._at(place, "<i"))
        self.size = int(self._at(self.fields, "<H"))

    def _at(self, place: int, form: str) -> int:
        if place < 0:  # which struct would count from the end
            raise ValueError("an offset outside of the file")
        return int(struct.unpack_from(form, self.data, place)[0])

    def _place(self, field: int) -> int | None:
        """Return where a field lies; None where the table lacks it."""
        entry = 4 + 2 * field
        offset = self._at(self.fields + entry, "<H") if entry < self.size else 0
        return self.place + offset if offset else None

    def number(self, field: int, form: str) -> int:
        """Return a number; 0 where the table lacks it."""
        place = self._place(field)
        return 0 if place is None else self._at(place, form)

    def table(self, field: int) -> _Table | None:
        """Return the table that a field points to."""
        place = self._place(field)
        return None if place is None else _Table(self.data, place + self._at(place, "<I"))

    def structs(self, field: int, size: int) -> Iterator[int]:
        """Yield where each struct of a vector lies."""
        place = self._place(field)
        if place is None:
            return
        start = place + self._at(place, "<I")
        count = self._at(start, "<I")
        if start + 4 + count * size > len(self.data):
            raise ValueError("an offset outside of the file")
        yield from range(start + 4, start + 4 + count * size, size)


def _in_footer(data: memoryview) -> Iterator[int]:
    """Yield where the messages lie that the footer of a file names."""
    end = len(data) - len(MAGIC) - 4
    if end < 0:
        raise ValueError("no footer")
    (length,) = struct.unpack_from("<i", data, end)
    if not 0 < length <= end or bytes(data[end + 4 :]) != MAGIC:
        raise ValueError("no footer")
    footer = _root(data, end - length)
    for field in (2, 3):  # dictionaries, batches of records
        for block in footer.structs(field, _BLOCK):
            yield struct.unpack_from("<q", data, block)[0]


def _in_order(data: memoryview) -> Iterator[int]:
    """Yield where the messages of a stream lie."""
    place = 0
    while place + 8 <= len(data):
        mark, length = struct.unpack_from("<Ii", data, place)
        if mark != _CONTINUES:
            raise ValueError("no message where one is expected")
        if not length:
            return
        yield place
        body = _root(data, place + 8).number(3, "<q")
        if length < 0 or body < 0:
            raise ValueError("a message of less than no bytes")
        place += 8 + length + body


def _root(data: memoryview, place: int) -> _Table:
    """Return the table that a flatbuffer begins with."""
    if place < 0:
        raise ValueError("an offset outside of the file")
    return _Table(data, place + struct.unpack_from("<I", data, place)[0])


def _message(data: memoryview, place: int) -> tuple[int, _Table | None, int]:
    """Return the kind of a message, its batch if it has one, and where its body lies."""
    if place < 0:
        raise ValueError("an offset outside of the file")
    mark, length = struct.unpack_from("<Ii", data, place)
    start = place + 8
    if mark != _CONTINUES:  # before version 5 the length stood alone
        start, length = place + 4, mark
    message = _root(data, start)
    kind, header = message.number(1, "<B"), message.table(2)
    if kind == _DICTIONARY and header is not None:
        header = header.table(1)
    return kind, header if kind in (_DICTIONARY, _RECORDS) else None, start + length


def _unpacked(batch: _Table, body: int) -> int:
    """Return how many bytes the compressed buffers of a batch claim to become.

    Each begins with that number; -1 says that it is not compressed.
    """
    if batch.table(3) is None:
        return 0
    total = 0
    for buffer in batch.structs(2, _BUFFER):
        offset, length = struct.unpack_from("<qq", batch.data, buffer)
        if length >= 8:
            if body < 0 or offset < 0:
                raise ValueError("an offset outside of the file")
            (claimed,) = struct.unpack_from("<q", batch.data, body + offset)
            total += max(0, claimed)
    return total
