"""FlatBuffers: tables whose fields lie at offsets, each of which is checked before it is followed.

Format: "FlatBuffer Internals" of its documentation. A table begins with the distance back to its
vtable, which says how far after the table's begin each field lies; 0 is a field that is not there.
Offsets within a file are counted from where they stand.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from mmap import mmap

from embedinspect.errors import DataError

# Vectors may share their tables, so that a small file can have as many as it likes.
_MOST_TABLES = 2**19
_LONGEST_TEXT = 2**10


class FlatBuffer:
    """A file of tables: its bytes, and how many more tables may be looked at."""

    def __init__(self, data: mmap | bytes, label: str) -> None:
        self.data, self.label, self.tables_left = data, label, _MOST_TABLES

    def root(self) -> Table:
        """Return the table that the file begins with; raises what a table raises."""
        return Table(self, self.unpack("I", 0))

    def unpack(self, code: str, at: int) -> int:
        """Return the number at a byte, of a type as `struct` names it.

        Raises:
            DataError: it is not in the file.
        """
        form = struct.Struct(f"<{code}")
        if not 0 <= at <= len(self.data) - form.size:
            raise self.damaged(f"an offset leads to byte {at:,} of {len(self.data):,}")
        number: int = form.unpack_from(self.data, at)[0]
        return number

    def damaged(self, reason: str) -> DataError:
        """Return the error for a file that cannot be right."""
        return DataError(f"{self.label} is damaged ({reason}); expected a whole file")


class Table:
    """A table in a file; reads fields by their number in the schema."""

    def __init__(self, file: FlatBuffer, at: int) -> None:
        """Find the vtable of the table at a byte.

        Raises:
            DataError: it is not in the file. So do all methods where a field is not.
        """
        file.tables_left -= 1
        if file.tables_left < 0:
            raise file.damaged(f"it has more than {_MOST_TABLES:,} tables")
        self._file, self._at = file, at
        self._vtable = at - file.unpack("i", at)
        self._vtable_size = file.unpack("H", self._vtable)

    def number(self, field: int, code: str) -> int:
        """Return a whole number, of a type as `struct` names it; 0 where it is not there."""
        at = self._place(field)
        return 0 if at is None else self._file.unpack(code, at)

    def text(self, field: int) -> str:
        """Return a text, or its beginning; bytes that are not UTF-8 have a backslash."""
        start, size = self.vector(field, 1)
        data = self._file.data[start : start + min(size, _LONGEST_TEXT)]
        return data.decode("utf-8", "backslashreplace")

    def table(self, field: int) -> Table | None:
        """Return a table; None where the field is not there."""
        at = self._place(field)
        return None if at is None else self._follow(at)

    def tables(self, field: int) -> Iterator[Table]:
        """Yield the tables of a vector."""
        start, count = self.vector(field, 4)
        for at in range(start, start + 4 * count, 4):
            yield self._follow(at)

    def numbers(self, field: int, most: int) -> list[int]:
        """Return the first numbers of a vector of int32; none where it is not there."""
        start, count = self.vector(field, 4)
        count = min(count, most)
        return list(struct.unpack(f"<{count}i", self._file.data[start : start + 4 * count]))

    def vector(self, field: int, width: int) -> tuple[int, int]:
        """Return where a vector's first item begins, and how many there are, of so many bytes."""
        at = self._place(field)
        if at is None:
            return 0, 0
        at += self._file.unpack("I", at)
        count = self._file.unpack("I", at)
        if count * width > len(self._file.data) - at - 4:
            raise self._file.damaged(f"a vector at byte {at:,} is longer than the file")
        return at + 4, count

    def _follow(self, at: int) -> Table:
        return Table(self._file, at + self._file.unpack("I", at))

    def _place(self, field: int) -> int | None:
        """Return where a field lies; None where it is not there."""
        entry = 4 + 2 * field
        if entry + 2 > self._vtable_size:
            return None
        offset = self._file.unpack("H", self._vtable + entry)
        return self._at + offset if offset else None
