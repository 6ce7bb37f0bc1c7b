"""Files that may be packed, with gzip, bzip2, xz or Zstandard, read as if they were not."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from embedinspect.errors import DataError
from embedinspect.formats.contents import Progress

# zlib's own limit is 1032 to 1, for one repeated byte; no text of numbers comes near it.
_MOST_EXPANSION = 200
_SMALL = 2**26
_PIECE = 2**16
_MOST_MEMORY = 2**28  # that unpacking xz may take; `xz -9` needs a quarter of it
# What unpacking damaged bytes raises; an OSError that the system raises has a number.
_DAMAGES = (zlib.error, EOFError, OSError)


@dataclass(frozen=True)
class Packing:
    """A way of packing a single file.

    Attributes:
        name: of the program that packs so.
        pattern: what the first bytes match.
        unpack: the command that unpacks a file, and keeps it.
        open: returns the unpacked bytes of an open file.
    """

    name: str
    pattern: re.Pattern[bytes]
    unpack: str
    open: Callable[[IO[bytes]], IO[bytes]]


def _open_gzip(raw: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(raw, "rb"))


def _open_bzip2(raw: IO[bytes]) -> IO[bytes]:
    import bz2

    return cast("IO[bytes]", bz2.open(raw, "rb"))


def _open_xz(raw: IO[bytes]) -> IO[bytes]:
    return io.BufferedReader(_Xz(raw), _PIECE)


def _open_zstandard(raw: IO[bytes]) -> IO[bytes]:
    import pyarrow as pa

    return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd"))


PACKINGS = (
    Packing("gzip", re.compile(rb"\x1f\x8b"), "gunzip -k", _open_gzip),
    Packing("bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), "bunzip2 -k", _open_bzip2),
    Packing("xz", re.compile(rb"\xfd7zXZ\0"), "unxz -k", _open_xz),
    Packing("Zstandard", re.compile(rb"\x28\xb5\x2f\xfd"), "unzstd", _open_zstandard),
)
_LONGEST_MAGIC = 16


def packing_of(start: bytes) -> Packing | None:
    """Return how a file is packed, from its first bytes; None for one that is not."""
    return next((packing for packing in PACKINGS if packing.pattern.match(start)), None)


class _Xz(io.RawIOBase):
    """What the streams of an xz file unpack to, in bounded memory.

    The standard library's own file has no such bound: a header of a few bytes makes it take 4 GB.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__()
        self._raw = raw
        self._decoder = self._new_decoder()

    @staticmethod
    def _new_decoder() -> Any:
        import lzma

        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        import lzma

        try:
            data = self._next(len(buffer))
        except lzma.LZMAError as error:
            raise OSError(str(error)) from None
        buffer[: len(data)] = data
        return len(data)

    def _next(self, most: int) -> bytes:
        """Return some unpacked bytes; none at the end."""
        while True:
            packed = b""
            if self._decoder.eof:
                packed = self._next_stream()
                if not packed:
                    return b""
                self._decoder = self._new_decoder()
            elif self._decoder.needs_input:
                packed = self._raw.read(_PIECE)
                if not packed:
                    raise EOFError("it ends before its end-of-stream marker")
            data: bytes = self._decoder.decompress(packed, most)
            if data:
                return data

    def _next_stream(self) -> bytes:
        """Return packed bytes from the start of the next stream on; none where there is none."""
        packed: bytes = self._decoder.unused_data
        while not (stripped := packed.lstrip(b"\0")):  # zeros may stand between two streams
            packed = self._raw.read(_PIECE)
            if not packed:
                return b""
        return stripped


@dataclass
class PackedFile:
    """A file that is open for reading.

    Attributes:
        stream: the unpacked bytes.
        raw: the file itself.
        size: how many bytes of it are read: all, but for a part of an archive.
        begin: where in the file they begin.
        progress: is told how far the reading is.
    """

    stream: IO[bytes]
    raw: IO[bytes]
    size: int
    begin: int = 0
    progress: Progress | None = None

    @property
    def is_packed(self) -> bool:
        """Whether the bytes that are read are not those of the file."""
        return self.stream is not self.raw

    def read(self, size: int) -> bytes:
        """Return the next `size` unpacked bytes, or as many as are left."""
        data = self.stream.read(size)
        if self.progress is not None:
            self.progress(self._done, self.size)
        return data

    @property
    def _done(self) -> int:
        return max(0, min(self.raw.tell() - self.begin, self.size))

    @property
    def share_read(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return self._done / max(1, self.size)


class Bounded:
    """Unpacked bytes that are refused once they are more than a text of numbers can unpack to."""

    def __init__(self, stream: IO[bytes], size: int, label: str) -> None:
        """Wrap a stream; `size` is that of the packed bytes."""
        self.stream, self.label, self.read_so_far = stream, label, 0
        self.most = max(_SMALL, _MOST_EXPANSION * size)

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, or as many as are left.

        Raises:
            DataError: there are too many of them.
        """
        data = self.stream.read(size)
        self.read_so_far += len(data)
        if self.read_so_far > self.most:
            raise DataError(
                f"{self.label} unpacks to more than {self.most:,} bytes; expected word vectors, "
                "which do not compress so well"
            )
        return data


@contextmanager
def open_packed(path: Path, progress: Progress | None = None) -> Iterator[PackedFile]:
    """Open a file for reading, and unpack it if it begins as packed files do.

    Args:
        progress: is told how far the reading is.

    Raises:
        DataError: the file is damaged, or unpacks to more than numbers can.
    """
    with path.open("rb") as raw:
        size = path.stat().st_size
        packing = packing_of(raw.read(_LONGEST_MAGIC))
        raw.seek(0)
        if packing is None:
            yield PackedFile(raw, raw, size, progress=progress)
            return
        with _damage_told(packing, str(path)), packing.open(raw) as stream:
            bounded = cast("IO[bytes]", Bounded(stream, size, repr(str(path))))
            yield PackedFile(bounded, raw, size, progress=progress)


@contextmanager
def _damage_told(packing: Packing, path: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGES as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _damaged(packing, path, error) from None


def _damaged(packing: Packing, path: str, error: Exception) -> DataError:
    return DataError(
        f"{path!r} is a damaged {packing.name} file ({str(error).lower()}); expected a whole one"
    )


def first_unpacked(raw: IO[bytes], packing: Packing, path: str, size: int) -> tuple[bytes, bool]:
    """Return the first `size` bytes that an open file unpacks to, and whether that is all.

    Of a file that is cut off or damaged these are what comes before.

    Raises:
        DataError: there is nothing before the damage.
    """
    data = b""
    try:
        with packing.open(raw) as stream:
            while len(data) < size:
                piece = stream.read(min(_PIECE // 8, size - len(data)))
                if not piece:
                    return data, True
                data += piece
    except _DAMAGES as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if not data:
            raise _damaged(packing, path, error) from None
    return data, False
