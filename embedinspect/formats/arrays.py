"""Arrays as NumPy saves them: `.npy`, and `.npz`, a zip of them.

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
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from embedinspect.errors import DataError, UsageError, os_reason
from embedinspect.formats import magic
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, listed, literal

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


def open_npy(path: Path, _: ReadOptions) -> Contents:
    """Return the matrix of a `.npy` file; raises what `read_npy` raises."""
    rows, dtype = read_npy(path)
    return Contents("NumPy array", rows, dtype=dtype)


def open_npz(path: Path, options: ReadOptions) -> Contents:
    """Return one matrix of a `.npz` file; raises what `read_npz` raises."""
    rows, name, dtype = read_npz(path, options.tensor)
    return Contents("NumPy archive", rows, dtype=dtype, tensor=name)


def read_npy(path: Path) -> tuple[FloatArray, str]:
    """Return the matrix of a `.npy` file as float32, and the dtype it is stored in.

    A large matrix that is stored as float32 is mapped into memory, not read.

    Raises:
        DataError: the file is damaged, or its array is not two-dimensional or not of real numbers.
    """
    with path.open("rb") as file:
        label, size = repr(str(path)), path.stat().st_size
        shape, fortran, dtype = read_header(file, label)
        offset = file.tell()
        check_header(shape, dtype, size - offset, label)
        if dtype == np.dtype("<f4") and not fortran and size > _WORTH_MAPPING:
            mapped = np.memmap(path, np.float32, "r", offset, shape)
            return np.asarray(mapped), "float32"
        return as_float32(_fill(file, shape, fortran, dtype, label), label), dtype.name


def read_npz(path: Path, wanted: str | None = None) -> tuple[FloatArray, str, str]:
    """Return one matrix of a `.npz` file as float32, its name, and the dtype it is stored in.

    Args:
        wanted: name of the array; by default the only matrix there is.

    Raises:
        UsageError: there are several matrices, or no array of that name.
        DataError: as for `read_npy`, or there is no array.
    """
    label = repr(str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            # Of two members of one name the later one counts, as in every reader of zips.
            by_name = {member.filename: member for member in archive.infolist()}
            members = [member for name, member in by_name.items() if name.endswith(".npy")]
            if not members:
                inside = listed(clipped_repr(name) for name in archive.namelist()) or "nothing"
                raise DataError(
                    f"{label} is a zip without arrays (it holds {inside}); expected .npz, as "
                    "numpy.savez writes it"
                )
            member = _pick(archive, members, wanted, label)
            array_label = f"{_array_name(member)} in {label}"
            if member.compress_size > path.stat().st_size:  # or a bomb could pass for dense
                raise zipfile.BadZipFile("a member larger than the file")
            refuse_bomb(member, array_label)
            with archive.open(member) as file:
                array = read_array(file, member.file_size, array_label)
                rows = as_float32(array, array_label)
                return rows, member.filename.removesuffix(".npy"), array.dtype.name
    except DAMAGES as error:
        raise DataError(f"{label} is a damaged zip ({_short(error)}); expected .npz") from None


def _array_name(member: zipfile.ZipInfo) -> str:
    return clipped_repr(member.filename.removesuffix(".npy"))


def _short(value: object) -> str:
    """Return a value from a file for a message: harmless to a screen, and not too long."""
    text = str(value)
    return literal(text if len(text) <= 100 else text[:97] + "...")


def _pick(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], wanted: str | None, label: str
) -> zipfile.ZipInfo:
    """Return the wanted array; by default the only one, or the only one of two dimensions."""
    if wanted is not None:
        for member in members:
            if member.filename == f"{wanted}.npy":
                return member
        names = listed(map(_array_name, members))
        raise UsageError(f"--tensor is {wanted!r}; expected an array of {label}: {names}")
    if len(members) == 1:
        return members[0]
    shapes = []
    for member in members:
        array_label = f"{_array_name(member)} in {label}"
        _refuse_method(member, array_label)
        with archive.open(member) as file:
            shapes.append((member, read_header(file, array_label)[0]))
    matrices = [member for member, shape in shapes if len(shape) == 2]
    if len(matrices) == 1:
        return matrices[0]
    arrays = listed(f"{_array_name(member)} {_short(shape)}" for member, shape in shapes)
    raise (UsageError if matrices else DataError)(
        f"{label} holds {len(matrices)} arrays of two dimensions ({arrays}); expected one matrix; "
        "name an array with --tensor"
    )


def _refuse_method(member: zipfile.ZipInfo, label: str) -> None:
    encrypted = member.flag_bits & 1
    if encrypted or member.compress_type not in _METHODS:
        how = "encrypted" if encrypted else f"compressed by method {member.compress_type}"
        raise DataError(f"{label} is {how}; expected stored or deflated, as numpy.savez writes it")


def refuse_bomb(member: zipfile.ZipInfo, label: str) -> None:
    """Refuse a member of a zip that would unpack to more than an array of numbers can.

    Raises:
        DataError: it would, or it is encrypted or compressed in an unusual way.
    """
    _refuse_method(member, label)
    if member.file_size > max(_SMALL, _MOST_EXPANSION * member.compress_size):
        raise DataError(
            f"{label} claims to unpack from {member.compress_size:,} to {member.file_size:,} "
            "bytes; expected a matrix of numbers, which does not compress so well"
        )


def read_header(file: IO[bytes], label: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Return the shape of the array that starts here, whether in Fortran order, and its dtype."""
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
    text = io.BytesIO(field + file.read(length))
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
    return tuple(map(int, shape)), fortran, dtype


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
    return _fill(file, shape, fortran, dtype, label)


def check_header(
    shape: tuple[int, ...],
    dtype: np.dtype[np.generic],
    available: int,
    label: str,
    wanted_shape: tuple[int, ...] | None = None,
) -> None:
    """Check what a header claims against what is expected, and the bytes available after it.

    Raises:
        DataError: they do not agree.
    """
    if wanted_shape is not None and shape != wanted_shape:
        raise DataError(f"{label} has shape {_short(shape)}; expected {wanted_shape}")
    if wanted_shape is None and (len(shape) != 2 or min(shape) < 1):
        raise DataError(
            f"{label} has shape {_short(shape)}; expected two dimensions, (rows, output_dim), "
            "neither empty"
        )
    if dtype.hasobject or dtype.kind not in "iuf" or dtype.itemsize > 8:
        name = "V2, as NumPy saves bfloat16" if dtype == np.dtype("V2") else _short(dtype)
        raise DataError(
            f"{label} has dtype {name}; expected real numbers, such as float32: save "
            "rows.astype('float32')"
        )
    values = math.prod(shape)
    wanted = values * dtype.itemsize
    if wanted != available:
        only = "only " if available < wanted else ""
        raise DataError(
            f"{label} claims shape {shape}, {wanted:,} bytes, but {only}{available:,} follow; "
            "expected one whole array and nothing after it"
        )
    if values > MOST_VALUES:
        raise DataError(f"{label} has {values:,} numbers; expected at most {MOST_VALUES:,}")


def read_members(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
    """Return the named arrays of a `.npz` file.

    Args:
        shapes: of each array that is expected, by its name.

    Raises:
        DataError: an array is missing or has another shape, or the file is damaged.
    """
    label = repr(str(path))
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name, shape in shapes.items():
                member = archive.getinfo(f"{name}.npy")
                _refuse_method(member, f"{name!r} in {label}")
                with archive.open(member) as file:
                    array_label = f"{name!r} in {label}"
                    arrays[name] = read_array(file, member.file_size, array_label, shape)
    except KeyError as error:
        raise DataError(f"{label} lacks an array: {error.args[0]}") from None
    except DAMAGES as error:
        raise DataError(f"{label} is a damaged zip ({_short(error)}); expected .npz") from None
    except OSError as error:
        raise DataError(f"cannot read {label}: {os_reason(error)}") from None
    return arrays


def _fill(
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
