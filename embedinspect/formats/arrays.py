"""Arrays as NumPy saves them: `.npy`, and `.npz`, a zip of them.

The files come from strangers: nothing is unpickled, and the shape that a header claims is held
against the bytes that are there before memory is taken for it. Format: NEP 1, `numpy.lib.format`.
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
from embedinspect.matrix import MOST_VALUES, FloatArray
from embedinspect.wording import clipped_repr, listed, literal

Array = np.ndarray[tuple[int, ...], np.dtype[np.generic]]

NPY_MAGIC = npy.MAGIC_PREFIX
ZIP_MAGIC = b"PK\x03\x04"
# What zipfile raises for damaged zips: also for names that are no UTF-8 and offsets below zero.
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
# No compressed matrix of numbers that means something shrinks to a thousandth.
_MOST_EXPANSION = 1000
_SMALL = 2**20
_WORTH_MAPPING = 2**24
# NumPy's own limit, but NumPy holds it against the header only after it has read it.
_LONGEST_HEADER = 10_000
# What numpy.savez writes. The others unpack a block to any size before it can be refused.
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def read_npy(path: Path) -> tuple[FloatArray, str]:
    """Return the matrix of a `.npy` file as float32, and the dtype it is stored in.

    A large one that is stored as float32 is mapped into memory, not read.

    Raises:
        DataError: a damaged file, another dtype than real numbers, or other than two dimensions.
    """
    with path.open("rb") as file:
        name, size = repr(str(path)), path.stat().st_size
        shape, fortran, dtype = read_header(file, name)
        file_offset = file.tell()
        check_header(shape, dtype, size - file_offset, name)
        if dtype == np.dtype("<f4") and not fortran and size > _WORTH_MAPPING:
            mapped = np.memmap(path, np.float32, "r", file_offset, shape)
            return np.asarray(mapped), "float32"
        return as_float32(_fill(file, shape, fortran, dtype, name), name), dtype.name


def read_npz(path: Path, wanted: str | None = None) -> tuple[FloatArray, str, str]:
    """Return one matrix of a `.npz` file as float32, its name, and the dtype it is stored in.

    Args:
        wanted: name of the array; by default the only one.

    Raises:
        UsageError: several that could be meant, or none of the wanted name.
        DataError: as for `read_npy`; or no array.
    """
    label = repr(str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
            if not members:
                inside = listed(clipped_repr(name) for name in archive.namelist()) or "nothing"
                raise DataError(
                    f"{label} is a zip without arrays (it holds {inside}); expected .npz, as "
                    "numpy.savez writes it"
                )
            member = _pick(archive, members, wanted, label)
            name = f"{_array_name(member)} in {label}"
            if member.compress_size > path.stat().st_size:  # or a bomb could pass for dense
                raise zipfile.BadZipFile("a member larger than the file")
            refuse_bomb(member, name)
            with archive.open(member) as file:
                array = read_array(file, member.file_size, name)
                rows = as_float32(array, name)
                return rows, member.filename.removesuffix(".npy"), array.dtype.name
    except DAMAGES as error:
        raise DataError(f"{label} is a damaged zip ({_short(error)}); expected .npz") from None


def _array_name(member: zipfile.ZipInfo) -> str:
    return clipped_repr(member.filename.removesuffix(".npy"))


def _short(said: object) -> str:
    """Return what a file makes us say, harmless to a screen and of bearable length."""
    text = str(said)
    return literal(text if len(text) <= 100 else text[:97] + "...")


def _pick(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], wanted: str | None, label: str
) -> zipfile.ZipInfo:
    """Return the wanted array, the only one, or else the only one that has two dimensions."""
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
        name = f"{_array_name(member)} in {label}"
        _refuse_method(member, name)
        with archive.open(member) as file:
            shapes.append((member, read_header(file, name)[0]))
    matrices = [member for member, shape in shapes if len(shape) == 2]
    if len(matrices) == 1:
        return matrices[0]
    arrays = listed(f"{_array_name(member)} {_short(shape)}" for member, shape in shapes)
    raise (UsageError if matrices else DataError)(
        f"{label} holds {len(matrices)} arrays of two dimensions ({arrays}); expected one matrix, "
        "so name the one that is meant with --tensor"
    )


def _refuse_method(member: zipfile.ZipInfo, name: str) -> None:
    encrypted = member.flag_bits & 1
    if encrypted or member.compress_type not in _METHODS:
        how = "encrypted" if encrypted else f"compressed by method {member.compress_type}"
        raise DataError(f"{name} is {how}; expected stored or deflated, as numpy.savez writes it")


def refuse_bomb(member: zipfile.ZipInfo, name: str) -> None:
    """Refuse a member of a zip that claims to grow as no array of numbers does."""
    _refuse_method(member, name)
    if member.file_size > max(_SMALL, _MOST_EXPANSION * member.compress_size):
        raise DataError(
            f"{name} claims to grow from {member.compress_size:,} to {member.file_size:,} bytes; "
            "expected a matrix of numbers, which does not shrink so far"
        )


def read_header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Return shape, whether it is in Fortran order, and dtype of the array that starts here."""
    start = file.read(npy.MAGIC_LEN)
    if not start.startswith(NPY_MAGIC) or start[6:] not in (b"\1\0", b"\2\0"):
        raise DataError(f"{name} has a damaged header (unknown version); expected a .npy array")
    short = start[6] == 1
    field = file.read(2 if short else 4)
    length = int.from_bytes(field, "little")
    if length > _LONGEST_HEADER:
        raise DataError(
            f"{name} has a damaged header ({length:,} bytes); expected a .npy array, whose header "
            f"has at most {_LONGEST_HEADER:,}"
        )
    text = io.BytesIO(field + file.read(length))
    read = npy.read_array_header_1_0 if short else npy.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a header of Python 2 is no news to the user
            shape, fortran, dtype = read(text)
    except Exception as error:  # NumPy lets through what the parser and dtype raise, of any type
        raise DataError(
            f"{name} has a damaged header ({type(error).__name__}); expected a .npy array"
        ) from None
    if any(abs(side) >= 2**63 for side in shape):  # too long to be shown, too
        raise DataError(f"{name} has a damaged header (its shape); expected a .npy array")
    return tuple(map(int, shape)), fortran, dtype


def read_array(
    file: IO[bytes], size: int, name: str, wanted_shape: tuple[int, ...] | None = None
) -> Array:
    """Return the array of real numbers that starts here.

    Args:
        size: all that the file can hold.
        wanted_shape: the one shape it may have; by default any of two dimensions, neither empty.
    """
    shape, fortran, dtype = read_header(file, name)
    check_header(shape, dtype, size - file.tell(), name, wanted_shape)
    return _fill(file, shape, fortran, dtype, name)


def check_header(
    shape: tuple[int, ...],
    dtype: np.dtype[np.generic],
    there: int,
    name: str,
    wanted_shape: tuple[int, ...] | None = None,
) -> None:
    """Hold what a header claims against what is expected and the `there` bytes that follow it.

    Raises:
        DataError: they do not agree.
    """
    if wanted_shape is not None and shape != wanted_shape:
        raise DataError(f"{name} has shape {_short(shape)}; expected {wanted_shape}")
    if wanted_shape is None and (len(shape) != 2 or min(shape) < 1):
        raise DataError(
            f"{name} has shape {_short(shape)}; expected two dimensions, (rows, output_dim), "
            "neither empty"
        )
    if dtype.hasobject or dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise DataError(f"{name} has dtype {_short(dtype)}; expected real numbers, such as float32")
    values = math.prod(shape)
    wanted = values * dtype.itemsize
    if wanted != there:
        only = "only " if there < wanted else ""
        raise DataError(
            f"{name} claims shape {shape}, {wanted:,} bytes, but {only}{there:,} follow; expected "
            "one whole array and nothing after it"
        )
    if values > MOST_VALUES:
        raise DataError(f"{name} has {values:,} numbers; expected at most {MOST_VALUES:,}")


def read_members(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
    """Return the named arrays of a `.npz` file, each of just the shape that is expected.

    Raises:
        DataError: an array that is missing or has another shape, or a damaged file.
    """
    label = repr(str(path))
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name, shape in shapes.items():
                member = archive.getinfo(f"{name}.npy")
                _refuse_method(member, f"{name!r} in {label}")
                with archive.open(member) as file:
                    found[name] = read_array(file, member.file_size, f"{name!r} in {label}", shape)
    except KeyError as error:
        raise DataError(f"{label} misses an array: {error.args[0]}") from None
    except DAMAGES as error:
        raise DataError(f"{label} is a damaged zip ({_short(error)}); expected .npz") from None
    except OSError as error:
        raise DataError(f"cannot read {label}: {os_reason(error)}") from None
    return found


def _fill(
    file: IO[bytes],
    shape: tuple[int, ...],
    fortran: bool,
    dtype: np.dtype[np.generic],
    name: str,
) -> Array:
    array = np.empty(shape[::-1] if fortran else shape, dtype)
    room, filled = memoryview(array.reshape(-1).view(np.uint8).data), 0
    while filled < len(room):
        data = file.read(min(_BLOCK, len(room) - filled))
        if not data:
            raise DataError(f"{name} ends early; expected {len(room):,} bytes, found {filled:,}")
        room[filled : filled + len(data)] = data
        filled += len(data)
    return array.T if fortran else array


def as_float32(array: Array, name: str) -> FloatArray:
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
            f"{name} holds {array[row, column]} in row {row}, column {column}; expected numbers "
            "that float32 can hold, up to 3.4e38"
        )
    return rows
