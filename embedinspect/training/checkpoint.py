"""A checkpoint: the arrays of model and optimizer in one `.npz`, written and read in blocks.

So a large table is never in memory a second time, and one that no process holds whole can be kept.
"""

from __future__ import annotations

import math
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.lib import format as npy

from embedinspect.errors import DataError
from embedinspect.files import unwritable, whole_file
from embedinspect.formats.arrays import Array, fill, opened_member, read_members
from embedinspect.training import memory, run_state

# A weight is a float32, and Adam keeps two more for each.
_BYTES_OF_A_WEIGHT = 12
# What an array has in a file besides its numbers: its header, and its entries in a zip.
_AROUND_AN_ARRAY = 2**12
_COPIED_AT_ONCE = 2**20
BLOCK_VALUES = 2**22

Shapes = Mapping[str, tuple[int, ...]]


class Table(Protocol):
    """An array of rows that are not all here."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole, (rows, numbers in each)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its numbers."""

    @property
    def nbytes(self) -> int:
        """Of the whole."""

    def blocks(self) -> Iterator[Array]:
        """Yield the rows in order, some at a time."""


Stored = Array | Table
State = Mapping[str, Stored]


def rows_of_block(width: int) -> int:
    """Return how many rows of some width are read, written or sent at once."""
    return max(1, BLOCK_VALUES // max(1, width))


def write(path: Path, state: State) -> None:
    """Write a checkpoint, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        with whole_file(path) as file, zipfile.ZipFile(file, "w") as archive:
            for name, array in state.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    if isinstance(array, np.ndarray):
                        npy.write_array(member, array, allow_pickle=False)
                        continue
                    header = {"descr": npy.dtype_to_descr(array.dtype), "fortran_order": False}
                    npy.write_array_header_1_0(member, {**header, "shape": array.shape})
                    for block in array.blocks():
                        member.write(np.ascontiguousarray(block).data.cast("B"))
    except OSError as error:
        raise unwritable(path, error) from None


def copy_array(path: Path, name: str, target: Path) -> None:
    """Write an array of a checkpoint as a `.npy` file, which is what its member is.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        with (
            zipfile.ZipFile(path) as archive,
            archive.open(f"{name}.npy") as member,
            whole_file(target) as file,
        ):
            shutil.copyfileobj(member, file, _COPIED_AT_ONCE)
    except OSError as error:
        raise unwritable(target, error) from None


def read(path: Path, shapes: Shapes) -> dict[str, Array]:
    """Return arrays of a checkpoint.

    Args:
        shapes: the expected shape of each, by its name.

    Raises:
        DataError: the checkpoint or an array is missing or damaged, has another shape, or holds
            NaN or infinity, which no training goes on from.
    """
    _check_size(path, shapes)
    memory.check(4 * _values(shapes), "the checkpoint", DataError)
    arrays = read_members(path, dict(shapes))
    for name, array in arrays.items():
        _check_finite(array, name, path)
    return arrays


def read_blocks(path: Path, shapes: Shapes) -> Iterator[tuple[str, int, Array]]:
    """Yield arrays of a checkpoint in blocks of rows: name, index of the first row, and the rows.

    What has not two axes comes as one block.

    Raises:
        DataError: as for `read`, when its turn comes.
    """
    _check_size(path, shapes)
    for name, shape in shapes.items():
        with opened_member(path, name, shape, in_blocks=True) as (file, header, label):
            at_once = shape[0] if shape else 1
            if len(shape) == 2 and not header.fortran:
                at_once = rows_of_block(shape[1])
            for first in range(0, shape[0] if shape else 1, at_once):
                part = shape and (min(at_once, shape[0] - first), *shape[1:])
                block = fill(file, part, header.fortran, header.dtype, label)
                _check_finite(block, name, path)
                yield name, first, block


def _check_size(path: Path, shapes: Shapes) -> None:
    """Refuse a file that is larger than a checkpoint of such arrays can be."""
    most = _BYTES_OF_A_WEIGHT * _values(shapes) + _AROUND_AN_ARRAY * (len(shapes) + 16)
    run_state.check_file(path, most)


def _values(shapes: Shapes) -> int:
    return sum(math.prod(shape) for shape in shapes.values())


def _check_finite(array: Array, name: str, path: Path) -> None:
    if not np.isfinite(array).all():
        raise DataError(f"{name!r} in {str(path)!r} holds NaN or infinity; expected finite numbers")
