"""How a file begins, which is what its format is recognised by."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path

from embedinspect.errors import DataError, os_reason
from embedinspect.formats import magic

EXPECTED = (
    "a matrix: a run folder, .keras, .h5, .npy, .npz, .safetensors, .parquet, word vectors as text "
    "or binary, or a text whose every field is a number"
)
_START = 2**16
# A row of 100,000 numbers has some 1.2 MB; a text with such lines takes more to be recognised.
_LONGEST_START = 2**22
_FEWEST_LINES = 3


@dataclass(frozen=True)
class Start:
    """How a file begins, or what is in a folder: by this formats are recognised.

    Attributes:
        path: of the file or folder.
        size: of the file, in bytes.
        data: its first bytes, unpacked if the file is packed.
        whole: whether there are no more bytes than these.
        packed: whether the file is packed with gzip.
        names: of what is in the folder; empty for a file.
        is_folder: whether it is a folder, which has no bytes.
    """

    path: Path
    size: int
    data: bytes
    whole: bool
    packed: bool
    names: frozenset[str] = frozenset()
    is_folder: bool = False


def first_bytes(path: str) -> Start:
    """Return how a file begins, or what is in a folder.

    Raises:
        DataError: it is empty, cannot be read, is neither a regular file nor a folder, or is
            damaged where it begins.
    """
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            names = frozenset(os.listdir(path))
            return Start(Path(path), 0, b"", whole=True, packed=False, names=names, is_folder=True)
        if not stat.S_ISREG(status.st_mode):
            raise unreadable(path, "it is not a regular file")
        with Path(path).open("rb") as file:
            data = file.read(_START)
            if not data:
                raise DataError(f"{path!r} is empty; expected {EXPECTED}")
            packed = data.startswith(magic.GZIP)
            size = _START
            start = _unpacked(data, path, size) if packed else data
            if _has_long_lines(start):
                data += file.read(_LONGEST_START - len(data))
                size = _LONGEST_START
                start = _unpacked(data, path, size) if packed else data
    except OSError as error:
        raise unreadable(path, os_reason(error)) from None
    except ValueError as error:
        raise unreadable(path, str(error)) from None
    whole = len(data) == status.st_size and len(start) < size
    return Start(Path(path), status.st_size, start, whole, packed)


def _has_long_lines(start: bytes) -> bool:
    """Return whether the first bytes may be those of a text, but hold too few of its lines."""
    return start.count(b"\n") < _FEWEST_LINES and b"\0" not in start


def _unpacked(data: bytes, path: str, size: int) -> bytes:
    """Return what the first bytes of a gzip file unpack to, at most `size` bytes.

    Raises:
        DataError: they are damaged.
    """
    try:
        with gzip.open(io.BytesIO(data)) as file:
            return file.read(size)
    except EOFError:
        return _partly(data, size)
    except (OSError, zlib.error) as error:
        raise DataError(
            f"{path!r} is a damaged gzip file ({str(error).lower()}); expected a whole one"
        ) from None


def _partly(data: bytes, size: int) -> bytes:
    """Return what the beginning of a gzip file unpacks to; nothing where it is damaged."""
    try:
        return zlib.decompressobj(wbits=31).decompress(data, size)
    except zlib.error:
        return b""


def unreadable(path: str, reason: str) -> DataError:
    """Return the error for a file that cannot be read."""
    return DataError(f"cannot read {path!r}: {reason}; expected {EXPECTED}")
