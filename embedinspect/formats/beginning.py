"""How a file begins, which is what its format is recognised by."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from embedinspect.errors import DataError, os_reason
from embedinspect.formats.packed import Packing, first_unpacked, packing_of

_EXPECTED = (
    "a matrix: a run folder, a model (a folder as on the Hugging Face hub, GGUF, Keras, "
    "TensorFlow, PyTorch, ONNX), word vectors, a table with a column of vectors, .npy, .npz or "
    ".safetensors"
)
_START = 2**16
# A row of 100,000 numbers has some 1.2 MB; a text with such lines takes more to be recognised.
_LONGEST_START = 2**22
_FEWEST_LINES = 3


class NoMatrix(DataError):
    """What is at a path is of no kind that a matrix is read from.

    Attributes:
        what: the message, but for what was expected: a command that takes few kinds names those.
    """

    def __init__(self, what: str, mend: str = "") -> None:
        """Say what was expected, and how to mend it if that is known."""
        super().__init__("; ".join(filter(None, [what, f"expected {_EXPECTED}", mend])))
        self.what = what


@dataclass(frozen=True)
class Start:
    """How a file begins, or what is in a folder: by this formats are recognised.

    Attributes:
        path: of the file or folder.
        size: of the file, in bytes.
        data: its first bytes, unpacked if the file is packed.
        whole: whether there are no more bytes than these.
        packed: how the file is packed, if it is.
        names: of what is in the folder; empty for a file.
        is_folder: whether it is a folder, which has no bytes.
    """

    path: Path
    size: int
    data: bytes
    whole: bool
    packed: Packing | None
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
            return Start(Path(path), 0, b"", whole=True, packed=None, names=names, is_folder=True)
        if not stat.S_ISREG(status.st_mode):
            raise unreadable(path, "it is not a regular file")
        with Path(path).open("rb") as file:
            data = file.read(_START)
            if not data:
                raise NoMatrix(f"{path!r} is empty")
            packing = packing_of(data)
            if packing is not None:
                start, whole = _unpacked(file, packing, path)
                return Start(Path(path), status.st_size, start, whole, packing)
            if _has_long_lines(data):
                data += file.read(_LONGEST_START - len(data))
    except OSError as error:
        raise unreadable(path, os_reason(error)) from None
    except ValueError as error:
        raise unreadable(path, str(error)) from None
    return Start(Path(path), status.st_size, data, len(data) == status.st_size, None)


def _has_long_lines(start: bytes) -> bool:
    """Return whether the first bytes may be those of a text, but hold too few of its lines."""
    return start.count(b"\n") < _FEWEST_LINES and b"\0" not in start


def _unpacked(file: IO[bytes], packing: Packing, path: str) -> tuple[bytes, bool]:
    """Return the first bytes that a packed file unpacks to, and whether that is all.

    Raises:
        DataError: they are damaged.
    """
    file.seek(0)
    start, whole = first_unpacked(file, packing, path, _START)
    if whole or not _has_long_lines(start):
        return start, whole
    with Path(path).open("rb") as again:  # to close a stream may close its file
        return first_unpacked(again, packing, path, _LONGEST_START)


def unreadable(path: str, reason: str) -> NoMatrix:
    """Return the error for a file that cannot be read."""
    return NoMatrix(f"cannot read {path!r}: {reason}")
