"""Messages of Protocol Buffers, read field by field where they lie in a file.

Format: "Encoding" of its documentation. A field is a key, which holds its number and its form, and
a number, or bytes with their length before them. Nothing is copied, since a message of some
gigabytes may be one tensor, and since a library's objects take up to a hundred times the bytes of
a hostile file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

from embedinspect.errors import DataError

_MOST_FIELDS = 2**21  # that are looked at in a file
_LONGEST_TEXT = 2**10
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


class ProtobufFile:
    """A file that is one message: its bytes, and how many more fields may be looked at."""

    def __init__(self, data: mmap | bytes, label: str) -> None:
        self.data, self.label, self.fields_left = data, label, _MOST_FIELDS

    def root(self) -> Message:
        """Return the message that the file is."""
        return Message(self, 0, len(self.data))

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """Return the number at a byte, below 2**64, and where it ends.

        Raises:
            DataError: it goes on beyond the end.
        """
        number = shift = 0
        while at < end and shift < 70:
            byte = self.data[at]
            number |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return number % 2**64, at
        raise self.damaged(f"a number goes beyond byte {at:,}")

    def damaged(self, reason: str) -> DataError:
        """Return the error for a file that cannot be right."""
        return DataError(f"{self.label} is damaged ({reason}); expected a whole file")


@dataclass(frozen=True, slots=True)
class Message:
    """A message, a text or other bytes in a file.

    Attributes:
        file: that it is in.
        start: its first byte.
        end: the byte after its last.
    """

    file: ProtobufFile
    start: int
    end: int

    def fields(self) -> Iterator[tuple[int, int | Message]]:
        """Yield the number of each field, and its value: a number, or where its bytes are.

        Raises:
            DataError: a field goes beyond the message, or the file has too many. So do the others.
        """
        file, at = self.file, self.start
        while at < self.end:
            file.fields_left -= 1
            if file.fields_left < 0:
                raise file.damaged(f"it has more than {_MOST_FIELDS:,} fields")
            key, at = file.varint(at, self.end)
            form = key & 7
            if form == _VARINT:
                value, at = file.varint(at, self.end)
                yield key >> 3, value
                continue
            if form == _LENGTH:
                size, at = file.varint(at, self.end)
            elif form in (_FIXED32, _FIXED64):
                size = 4 if form == _FIXED32 else 8
            else:
                raise file.damaged(f"a field of form {form} at byte {at:,}")
            if size > self.end - at:
                raise file.damaged(f"a field of {size:,} bytes at byte {at:,}")
            yield key >> 3, Message(file, at, at + size)
            at += size

    def messages(self, number: int) -> Iterator[Message]:
        """Yield the messages or texts of a field."""
        for field, value in self.fields():
            if field == number and isinstance(value, Message):
                yield value

    def varints(self) -> Iterator[int]:
        """Yield the numbers of a field that packs several."""
        at = self.start
        while at < self.end:
            number, at = self.file.varint(at, self.end)
            yield number

    def text(self) -> str:
        """Return these bytes as a text, or its beginning; not UTF-8 is written with a backslash."""
        end = min(self.end, self.start + _LONGEST_TEXT)
        return self.file.data[self.start : end].decode("utf-8", "backslashreplace")
