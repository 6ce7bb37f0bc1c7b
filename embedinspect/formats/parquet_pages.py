"""What the pages of a Parquet file claim to hold, read before pyarrow makes room for it.

The footer says how many values a column has, but pyarrow believes the headers of the pages, and
some twenty bytes can stand for two thousand million values. The format: Apache Parquet's
`parquet.thrift`, in Thrift's compact protocol.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _STRUCT = 0, 1, 2, 3, 7, 8, 12
_NUMBERS, _LISTS = (4, 5, 6), (9, 10)
_UNPACKED_SIZE, _PACKED_SIZE, _DATA, _DATA_2 = 2, 3, 5, 8  # of `PageHeader`
_COUNT = 1  # of the headers of data
_LARGEST_HEADER, _DEEPEST = 2**20, 8


@dataclass(frozen=True)
class Claims:
    """What the pages of some columns claim.

    Attributes:
        values: in all pages of data.
        unpacked: bytes that all pages become.
    """

    values: int
    unpacked: int


def claims_of(path: Path, metadata: Any, names: Sequence[str]) -> Claims:
    """Return what the pages of columns claim.

    Args:
        metadata: the footer, a `pyarrow.parquet.FileMetaData`.
        names: of the columns; with a list, its numbers are meant.

    Raises:
        ValueError: a header of a page is damaged, or lies outside of the file.
    """
    leaves = [
        number
        for number in range(metadata.num_columns)
        if any(_is_of(metadata.schema.column(number).path, name) for name in names)
    ]
    values = unpacked = 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for group in range(metadata.num_row_groups):
            for leaf in leaves:
                chunk = metadata.row_group(group).column(leaf)
                for page in _pages(data, chunk):
                    values += page.count
                    unpacked += page.unpacked
    return Claims(values, unpacked)


def _is_of(path: str, name: str) -> bool:
    """Return whether the path of a leaf of the schema is that of a column, or lies below it."""
    return path == name or path.startswith(f"{name}.")


@dataclass(frozen=True)
class _Page:
    """What the header of a page says: how many values it has, and its bytes when unpacked."""

    count: int
    unpacked: int


def _pages(data: mmap.mmap, chunk: Any) -> Iterator[_Page]:
    """Yield the pages of a column in a group of rows, as far as pyarrow would read them."""
    place = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < place:
        place = chunk.dictionary_page_offset
    end, seen = place + chunk.total_compressed_size, 0
    while seen < chunk.num_values and place < end:
        if not 0 <= place < len(data):
            raise ValueError("a page outside of the file")
        reader = _Compact(data, place)
        header = reader.struct()
        of_data = header.get(_DATA) or header.get(_DATA_2)
        count = _size(of_data, _COUNT) if isinstance(of_data, dict) else 0
        packed, unpacked = _size(header, _PACKED_SIZE), _size(header, _UNPACKED_SIZE)
        place = reader.place + packed
        if place > len(data):  # pyarrow makes room for all of it before it reads
            raise ValueError("a page that reaches beyond the file")
        yield _Page(count, unpacked)
        seen += count


def _size(header: dict[int, Any], field: int) -> int:
    """Return a number of a header that cannot be negative.

    Raises:
        ValueError: it is, or there is none.
    """
    size = header.get(field)
    if not isinstance(size, int) or size < 0:
        raise ValueError("a damaged header of a page")
    return size


class _Compact:
    """A structure in Thrift's compact protocol, read field by field."""

    def __init__(self, data: mmap.mmap, place: int) -> None:
        self.data, self.place = data, place
        self.end = min(len(data), place + _LARGEST_HEADER)

    def _byte(self) -> int:
        if self.place >= self.end:
            raise ValueError("a header of a page without an end")
        self.place += 1
        return self.data[self.place - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise ValueError("a number without an end")

    def _number(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields by their numbers; of those that are no numbers, only structures.

        Raises:
            ValueError: it is damaged.
        """
        if depth > _DEEPEST:
            raise ValueError("structures too deep in each other")
        fields: dict[int, Any] = {}
        field = 0
        while (head := self._byte()) != _STOP:
            field = field + (head >> 4) if head >> 4 else self._number()
            value = self._value(head & 15, depth)
            if value is not None:
                fields[field] = value
        return fields

    def _value(self, kind: int, depth: int, *, in_list: bool = False) -> Any:
        """Return a number or a structure; step over what is neither."""
        if kind in (_TRUE, _FALSE):
            if in_list:
                self._byte()
        elif kind == _BYTE:
            self._byte()
        elif kind in _NUMBERS:
            return self._number()
        elif kind == _DOUBLE:
            self._step(8)
        elif kind == _BINARY:
            self._step(self._varint())
        elif kind in _LISTS and depth < _DEEPEST:
            head = self._byte()
            for _ in range(head >> 4 if head >> 4 < 15 else self._varint()):
                self._value(head & 15, depth + 1, in_list=True)
        elif kind == _STRUCT:
            return self.struct(depth + 1)
        else:
            raise ValueError("a field of an unknown kind")
        return None

    def _step(self, size: int) -> None:
        self.place += size
        if self.place > self.end:
            raise ValueError("a header of a page without an end")
