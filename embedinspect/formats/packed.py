"""Files that may be packed with gzip, read as if they were not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from embedinspect.errors import DataError
from embedinspect.formats import magic

# zlib's own limit is 1032 to 1, for one repeated byte; no text of numbers comes near it.
_MOST_EXPANSION = 200
_SMALL = 2**26


@dataclass
class PackedFile:
    """A file that is open for reading.

    Attributes:
        stream: the unpacked bytes.
        raw: the file itself.
        size: of the file itself, in bytes.
    """

    stream: IO[bytes]
    raw: IO[bytes]
    size: int

    def read(self, size: int) -> bytes:
        """Return the next `size` unpacked bytes, or as many as are left."""
        return self.stream.read(size)

    @property
    def share_read(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return min(1.0, self.raw.tell() / max(1, self.size))


class _Bounded:
    """A gzip stream that is refused once it grows to more than a text of numbers can."""

    def __init__(self, stream: IO[bytes], size: int, label: str) -> None:
        self.stream, self.label, self.read_so_far = stream, label, 0
        self.most = max(_SMALL, _MOST_EXPANSION * size)

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.read_so_far += len(data)
        if self.read_so_far > self.most:
            raise DataError(
                f"{self.label} unpacks to more than {self.most:,} bytes; expected word vectors, "
                "which do not compress so well"
            )
        return data


@contextmanager
def open_packed(path: Path) -> Iterator[PackedFile]:
    """Open a file for reading, and unpack it if it begins as gzip files do.

    Raises:
        DataError: the file is damaged, or unpacks to more than numbers can.
    """
    with path.open("rb") as raw:
        size = path.stat().st_size
        packed = raw.read(len(magic.GZIP)) == magic.GZIP
        raw.seek(0)
        if not packed:
            yield PackedFile(raw, raw, size)
            return
        try:
            with gzip.open(raw, "rb") as stream:
                bounded = _Bounded(cast("IO[bytes]", stream), size, repr(str(path)))
                yield PackedFile(cast("IO[bytes]", bounded), raw, size)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise DataError(
                f"{str(path)!r} is a damaged gzip file ({str(error).lower()}); expected a whole one"
            ) from None
