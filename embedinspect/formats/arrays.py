"""Arrays as NumPy saves them: `.npy`, and the members of `.npz`, a zip of them.

The files come from strangers: nothing is unpickled, and the shape that a header claims is checked
against the bytes that follow it before memory is allocated. Format: NEP 1, `numpy.lib.format`.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from embedinspect.errors import DataError, os_reason
from embedinspect.formats import magic
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.matrix import MOST_ROWS, MOST_VALUES
from embedinspect.stored_rows import FloatArray, StoredRows, Vectors, from_bfloat16
from embedinspect.wording import literal

Array = np.ndarray[tuple[int, ...], np.dtype[np.generic]]

# What zipfile raises for damaged zips, names that are not UTF-8 and negative offsets included.
DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    ValueError,
    ArithmeticError,
    EOFError,
)
_BLOCK = 2**20
# No matrix of numbers that mean something is compressed to a thousandth of its size.
_MOST_EXPANSION = 1000
_SMALL = 2**20
_WORTH_MAPPING = 2**24
# NumPy's own limit, but NumPy checks it only after it has read the whole header.
_LONGEST_HEADER = 10_000
# What numpy.savez writes. The others may unpack a block to any size before it can be refused.
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# How NumPy writes types of ml_dtypes (0.6): bfloat16 as two bytes of no kind, but in an order, as
# plain bytes never are; and one type of 8 bits by a name that it cannot read.
_BFLOAT16, _E5M2, _BYTE = b"'<V2'", b"'<f1'", b"'|u1'"
_HALVES = {"float16", "bfloat16", "float8_e5m2"}
BARE = (
    "has dtype V2, two bytes of no kind; they are read as bfloat16, which NumPy saves so where it "
    "has forgotten its name"
)


def open_npy(path: Path, _: ReadOptions) -> Contents:
    """Return the matrix of a `.npy` file.

    A large one in float32 is mapped; one in half precision stays as it is stored, too.

    Raises:
        DataError: the file is damaged, or its array is not two-dimensional or not of real numbers.
    """
    with path.open("rb") as file:
        label, size = repr(str(path)), path.stat().st_size
        header = header_of(file, label)
        offset = file.tell()
        mapped = size > _WORTH_MAPPING and header.mapped and not header.fortran
        check_header(header.shape, header.dtype, size - offset, label, path=label, mapped=mapped)
        rows: Vectors
        if mapped:
            rows = _mapped(path, header, offset)
        else:
            rows = as_float32(fill(file, *header[:3], label), label)
    warnings = (f"{label} {BARE}",) if header.bare else ()
    return Contents("NumPy array", rows, dtype=header.dtype.name, warnings=warnings)


def _mapped(path: Path, header: Header, offset: int) -> Vectors:
    """Return the rows of a `.npy` file without reading them."""
    if header.dtype.name == "float32":
        return np.asarray(np.memmap(path, np.float32, "r", offset, header.shape))
    rows, columns = header.shape
    if header.dtype.name == "bfloat16":
        halves = np.memmap(path, "<u2", "r", offset, (rows, columns))
        return StoredRows(halves, (rows, columns), from_bfloat16)
    return StoredRows(np.memmap(path, header.dtype, "r", offset, (rows, columns)), (rows, columns))


def read_npy(path: Path) -> tuple[FloatArray, str]:
    """Return the matrix of a `.npy` file as float32, and the dtype it is stored in.

    Raises:
        DataError: as for `open_npy`.
    """
    contents = open_npy(path, ReadOptions())
    return np.asarray(contents.rows, np.float32), contents.dtype


def short(value: object) -> str:
    """Return a value from a file for a message: harmless to a screen, and not too long."""
    text = str(value)
    return literal(text if len(text) <= 100 else text[:97] + "...")


def refuse_method(member: zipfile.ZipInfo, label: str) -> None:
    """Refuse a member of a zip that is encrypted, or compressed in a way that has no bounds."""
    encrypted = member.flag_bits & 1
    if encrypted or member.compress_type not in _METHODS:
        how = "encrypted" if encrypted else f"compressed by method {member.compress_type}"
        raise DataError(f"{label} is {how}; expected stored or deflated, as numpy.savez writes it")


def refuse_bomb(member: zipfile.ZipInfo, label: str) -> None:
    """Refuse a member of a zip that would unpack to more than an array of numbers can.

    Raises:
        DataError: it would, or it is encrypted or compressed in an unusual way.
    """
    refuse_method(member, label)
    if member.file_size > max(_SMALL, _MOST_EXPANSION * member.compress_size):
        raise DataError(
            f"{label} claims to unpack from {member.compress_size:,} to {member.file_size:,} "
            "bytes; expected a matrix of numbers, which does not compress so well"
        )


class Header(NamedTuple):
    """What the header of an array says.

    Attributes:
        shape: of the array.
        fortran: whether its first axis changes fastest.
        dtype: of its numbers.
        bare: whether the type is two bytes of no kind, which are taken for bfloat16.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    bare: bool = False

    @property
    def mapped(self) -> bool:
        """Whether rows can be used as they lie in the file."""
        return self.dtype.str == "<f4" or self.dtype.name in _HALVES


def read_header(file: IO[bytes], label: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Return the shape of the array that starts here, whether in Fortran order, and its dtype."""
    return header_of(file, label)[:3]


def header_of(file: IO[bytes], label: str) -> Header:
    """Return the header of the array that starts here; raises DataError where it is damaged."""
    start = file.read(npy.MAGIC_LEN)
    if not start.startswith(magic.NPY) or start[6:] not in (b"\1\0", b"\2\0"):
        raise DataError(f"{label} has a damaged header (unknown version); expected a .npy array")
    short = start[6] == 1
    field = file.read(2 if short else 4)
    length = int.from_bytes(field, "little")
    if length > _LONGEST_HEADER:
        raise DataError(
            f"{label} has a damaged header ({length:,} bytes); expected a .npy array, whose header "
            f"has at most {_LONGEST_HEADER:,}"
        )
    written = file.read(length)
    is_e5m2 = _E5M2 in written  # which is no name of a type to NumPy itself
    text = io.BytesIO(field + written.replace(_E5M2, _BYTE, 1))
    read = npy.read_array_header_1_0 if short else npy.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a header of Python 2 is no news to the user
            shape, fortran, dtype = read(text)
    except Exception as error:  # NumPy lets through whatever its parser and dtype raise
        raise DataError(
            f"{label} has a damaged header ({type(error).__name__}); expected a .npy array"
        ) from None
    if any(abs(side) >= 2**63 for side in shape):
        raise DataError(f"{label} has a damaged header (its shape); expected a .npy array")
    if is_e5m2 or dtype == np.dtype("V2"):
        import ml_dtypes

        dtype = np.dtype(ml_dtypes.float8_e5m2 if is_e5m2 else ml_dtypes.bfloat16)
    bare = dtype.name == "bfloat16" and _BFLOAT16 not in written
    return Header(tuple(map(int, shape)), fortran, dtype, bare)


def read_array(
    file: IO[bytes], size: int, label: str, wanted_shape: tuple[int, ...] | None = None
) -> Array:
    """Return the array of real numbers that starts here.

    Args:
        size: of the file, in bytes.
        wanted_shape: the shape it must have; by default any of two dimensions, neither empty.
    """
    shape, fortran, dtype = read_header(file, label)
    check_header(shape, dtype, size - file.tell(), label, wanted_shape)
    return fill(file, shape, fortran, dtype, label)


def check_header(
    shape: tuple[int, ...],
    dtype: np.dtype[np.generic],
    available: int,
    label: str,
    wanted_shape: tuple[int, ...] | None = None,
    *,
    path: str = "PATH",
    mapped: bool = False,
) -> None:
    """Check what a header claims against what is expected, and the bytes available after it.

    Args:
        path: what stands for the file in a line of Python.
        mapped: whether the rows stay in the file, or are read in blocks, whatever their number.

    Raises:
        DataError: they do not agree, or the array is too large.
    """
    if dtype.hasobject:
        raise DataError(f"{label} {_pickled(shape, path)}")
    if wanted_shape is not None and shape != wanted_shape:
        raise DataError(f"{label} has shape {short(shape)}; expected {wanted_shape}")
    if wanted_shape is None and (len(shape) != 2 or min(shape) < 1):
        raise DataError(
            f"{label} has shape {short(shape)}; expected two dimensions, (rows, output_dim), "
            "neither empty"
        )
    if dtype == np.dtype("V1"):
        raise DataError(
            f"{label} has dtype V1, as NumPy saves float8_e4m3fn and a dozen other types of 8 bits "
            "or less without saying which; expected real numbers; in Python, if it is that one: "
            f"numpy.save('rows.npy', numpy.load({path}).view(ml_dtypes.float8_e4m3fn)"
            ".astype('float32'))"
        )
    if (dtype.kind not in "iuf" or dtype.itemsize > 8) and dtype.name not in _HALVES:
        # NumPy would drop imaginary parts, and refuse strings that are no numbers.
        mend = ": save rows.astype('float32')" if dtype.kind in "biuf" else ""
        raise DataError(
            f"{label} has dtype {short(dtype)}; expected real numbers, such as float32{mend}"
        )
    values = math.prod(shape)
    wanted = values * dtype.itemsize
    if wanted != available:
        only = "only " if available < wanted else ""
        raise DataError(
            f"{label} claims shape {shape}, {wanted:,} bytes, but {only}{available:,} follow; "
            "expected one whole array and nothing after it"
        )
    if mapped and shape and shape[0] > MOST_ROWS:
        raise DataError(f"{label} has {shape[0]:,} rows; expected at most {MOST_ROWS:,}")
    if not mapped and values > MOST_VALUES:
        raise DataError(
            f"{label} has {values:,} numbers; expected at most {MOST_VALUES:,}, or any number in a "
            ".npy file of float32 or float16 in C order, which is mapped"
        )


def _pickled(shape: tuple[int, ...], path: str) -> str:
    """Return what is wrong with an array of objects, and how to save what it may hold."""
    loaded = f"numpy.load({path}, allow_pickle=True)"
    if not shape:
        convert = (
            f"vectors = {loaded}.item(); numpy.savez('rows.npz', words=list(vectors), "
            "rows=list(vectors.values()))"
        )
    elif len(shape) == 1:
        convert = f"numpy.save('rows.npy', numpy.stack({loaded}).astype('float32'))"
    else:
        convert = f"numpy.save('rows.npy', {loaded}.astype('float32'))"
    return (
        "has dtype object, so it is a pickle, which could run any code; expected real numbers; in "
        f"Python, if you trust it: {convert}"
    )


def read_members(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
    """Return the named arrays of a `.npz` file.

    Args:
        shapes: of each array that is expected, by its name.

    Raises:
        DataError: an array is missing or has another shape, or the file is damaged.
    """
    arrays = {}
    for name, shape in shapes.items():
        with opened_member(path, name, shape) as (file, header, label):
            arrays[name] = fill(file, shape, header.fortran, header.dtype, label)
    return arrays


@contextmanager
def opened_member(
    path: Path, name: str, shape: tuple[int, ...], *, in_blocks: bool = False
) -> Iterator[tuple[IO[bytes], Header, str]]:
    """Open an array of a `.npz` file; the file stands where its numbers begin.

    Args:
        in_blocks: whether it is going to be read in blocks, so that it may have any size.

    Yields:
        The file, what the header says, and what messages call the array.

    Raises:
        DataError: it is missing or damaged, or has another shape.
    """
    label = repr(str(path))
    array_label = f"{name!r} in {label}"
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo(f"{name}.npy")
            refuse_method(member, array_label)
            with archive.open(member) as file:
                header = header_of(file, array_label)
                available = member.file_size - file.tell()
                check_header(
                    header.shape, header.dtype, available, array_label, shape, mapped=in_blocks
                )
                yield file, header, array_label
    except KeyError as error:
        raise DataError(f"{label} lacks an array: {error.args[0]}") from None
    except DAMAGES as error:
        raise DataError(f"{label} is a damaged zip ({short(error)}); expected .npz") from None
    except OSError as error:
        raise DataError(f"cannot read {label}: {os_reason(error)}") from None


def fill(
    file: IO[bytes],
    shape: tuple[int, ...],
    fortran: bool,
    dtype: np.dtype[np.generic],
    label: str,
) -> Array:
    """Return the array whose numbers start here."""
    array = np.empty(shape[::-1] if fortran else shape, dtype)
    room, filled = memoryview(array.reshape(-1).view(np.uint8).data), 0
    while filled < len(room):
        data = file.read(min(_BLOCK, len(room) - filled))
        if not data:
            raise DataError(f"{label} ends early; expected {len(room):,} bytes, found {filled:,}")
        room[filled : filled + len(data)] = data
        filled += len(data)
    return array.T if fortran else array


def as_float32(array: Array, label: str) -> FloatArray:
    """Return the array as float32.

    Raises:
        DataError: it holds a finite number that float32 cannot hold.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # a signalling NaN is only a NaN here
        rows = np.ascontiguousarray(array, np.float32)
    if array.dtype.kind != "f" or array.dtype.itemsize <= 4:
        return rows
    lost = np.isinf(rows) & np.isfinite(array)
    if lost.any():
        row, column = divmod(int(lost.argmax()), rows.shape[1])
        raise DataError(
            f"{label} holds {array[row, column]} in row {row}, column {column}; expected numbers "
            "that float32 can hold, up to 3.4e38"
        )
    return rows
