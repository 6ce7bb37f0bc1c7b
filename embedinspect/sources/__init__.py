"""Files that an embedding matrix is read from: one file a format, one row in the table below."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from embedinspect.errors import DataError, os_reason
from embedinspect.matrix import EmbeddingMatrix, FloatArray
from embedinspect.sources import arrays, numbers

EXPECTED = "a matrix: .npy, .npz, or a text whose every field is a number"


@dataclass(frozen=True)
class MatrixFormat:
    """One kind of file, recognised by its first bytes and never by its name."""

    name: str
    recognises: Callable[[bytes], bool]
    read: Callable[[Path], FloatArray]


FORMATS = (
    MatrixFormat("npy", lambda start: start.startswith(arrays.NPY_MAGIC), arrays.read_npy),
    MatrixFormat("npz", lambda start: start.startswith(arrays.ZIP_MAGIC), arrays.read_npz),
    MatrixFormat("numbers", lambda start: b"\0" not in start, numbers.read_numbers),
)


def open_matrix(path: str) -> EmbeddingMatrix:
    """Return the matrix in a file, float32, with at least one row and one column.

    Raises:
        DataError: the file cannot be read, is of no known kind, or holds no matrix of numbers.
    """
    start = _first_bytes(path)
    for kind in FORMATS:
        if kind.recognises(start):
            try:
                rows = kind.read(Path(path))
            except OSError as error:
                raise _unreadable(path, os_reason(error)) from None
            return EmbeddingMatrix(rows, f"from {path}")
    raise DataError(f"{path!r} is a binary file of no known kind; expected {EXPECTED}")


def _first_bytes(path: str) -> bytes:
    try:
        kind = Path(path).stat()
        if stat.S_ISDIR(kind.st_mode):
            raise _unreadable(path, "is a directory")
        if not stat.S_ISREG(kind.st_mode):
            raise _unreadable(path, "is no regular file")
        with Path(path).open("rb") as file:
            start = file.read(1024)
    except OSError as error:
        raise _unreadable(path, os_reason(error)) from None
    except ValueError as error:
        raise _unreadable(path, str(error)) from None
    if not start:
        raise DataError(f"{path!r} is empty; expected {EXPECTED}")
    return start


def _unreadable(path: str, reason: str) -> DataError:
    return DataError(f"cannot read {path!r}: {reason}; expected {EXPECTED}")
