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
    MatrixFormat(
        "numbers", lambda start: b"\0" not in start and not _likeness(start), numbers.read_numbers
    ),
)

# Kinds that are not read, by their first bytes, so that the error can say what came.
OTHERS = (
    (b"\x89HDF", "an HDF5 file, such as .h5"),
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"PK\x05\x06", "an empty zip"),
    (b"\xff\xfe", "a UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "a UTF-16 text; save it as UTF-8"),
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
            except MemoryError:
                raise DataError(
                    f"{path!r} needs more memory than there is; expected a matrix that fits; save "
                    "fewer rows, or float32 rather than float64"
                ) from None
            return EmbeddingMatrix(rows, f"from {path}")
    raise DataError(
        f"{path!r} is a binary file of no known kind{_likeness(start)}; expected {EXPECTED}"
    )


def _likeness(start: bytes) -> str:
    """Return what the first bytes are like, in brackets, or nothing."""
    return next(
        (f" (it begins like {kind})" for magic, kind in OTHERS if start[:4].startswith(magic)), ""
    )


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
