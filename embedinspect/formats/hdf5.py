"""The weights in an HDF5 file, found and read without following anything out of the file.

Links, external storage and virtual data sets are refused, since they could read other files.
Claimed sizes are checked against what is stored before memory is allocated.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import h5py
import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.arrays import as_float32
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, plural

# What h5py raises for damaged files: it turns the library's errors into many types.
DAMAGES = (
    OSError,
    KeyError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    struct.error,
    ArithmeticError,
    NotImplementedError,
    SystemError,
)
_MOST_GROUPS = 100_000
_MOST_NAMES = 10_000
_DEEPEST = 40
_MOST_EXPANSION = 1000
_SMALL = 2**20


@dataclass(frozen=True)
class Weight:
    """A data set of two dimensions.

    Attributes:
        path: of the data set in the file.
        group: the layer's name, as an attribute of the group around it has it; "" without one.
        shape: (rows, columns).
        dtype: the type of the numbers as they are stored.
        names: of the layers that the data set lies in, the outermost first, where the groups on
            its path have their names.
    """

    path: str
    group: str
    shape: tuple[int, int]
    dtype: str
    names: tuple[str, ...] = ()


@contextmanager
def open_hdf5(file: IO[bytes], label: str) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    Raises:
        DataError: the file is damaged, whether that shows now or while it is read.
    """
    try:
        with h5py.File(file, "r") as opened:
            yield opened
    except DAMAGES as error:
        reason = clipped_repr(str(error).split("\n")[0], 100)
        raise DataError(
            f"{label} is a damaged HDF5 file ({reason}); expected a whole one"
        ) from None


def weights(file: h5py.File, label: str) -> list[Weight]:
    """Return every data set of numbers in two dimensions, in the order of their paths.

    Raises:
        DataError: the file has a link, or groups that are nested too deeply.
    """
    collected: list[Weight] = []
    _walk(file, "", label, lambda path, data: collected.extend(_weight(path, data)), set(), 0)
    return collected


def _walk(
    group: h5py.Group,
    path: str,
    label: str,
    take: Callable[[str, h5py.Dataset], None],
    seen: set[int],
    depth: int,
) -> None:
    """Hand every data set below a group to `take`, with its path.

    Args:
        seen: addresses of what was walked, since hard links can make a ring, or many of one.
        depth: how many groups lie around this one.
    """
    if depth > _DEEPEST or len(seen) > _MOST_GROUPS:
        raise DataError(
            f"{label} has groups nested deeper than {_DEEPEST} or more than {_MOST_GROUPS:,}; "
            "expected the layers of a model"
        )
    address = h5py.h5o.get_info(group.id).addr
    if address in seen:
        return
    seen.add(address)
    if len(group) > _MOST_NAMES:
        raise DataError(
            f"{label} has a group of {len(group):,} names; expected the layers of a model, at most "
            f"{_MOST_NAMES:,}"
        )
    for name in group:
        here = f"{path}/{name}" if path else str(name)
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise DataError(
                f"{label} has a link at {clipped_repr(here)}; expected the weights themselves, as "
                "Keras saves them, so it is not followed"
            )
        child = group[name]
        if isinstance(child, h5py.Group):
            _walk(child, here, label, take, seen, depth + 1)
        elif isinstance(child, h5py.Dataset):
            address = h5py.h5o.get_info(child.id).addr
            if address not in seen:
                seen.add(address)
                take(here, child)


def _weight(path: str, data: h5py.Dataset) -> list[Weight]:
    """Return a data set as a weight, in a list that is empty where it is none."""
    dtype = _dtype(data)
    if dtype is None or len(data.shape or ()) != 2:
        return []
    parent = data.parent
    name = parent.attrs.get("name") if parent is not None else None
    rows, columns = data.shape
    group = name if isinstance(name, str) else ""
    return [Weight(path, group, (rows, columns), dtype, names_along([data.file], path))]


def names_along(files: Sequence[h5py.File], path: str) -> tuple[str, ...]:
    """Return the names of the layers at a path and around it, the outermost first.

    A layer's name is an attribute of the group of its own variables, `vars`, in its group. Of
    weights that are spread over several files, only the first with that group has it.
    """
    names = []
    groups: list[h5py.Group] = list(files)
    for part in path.split("/"):
        inner = [_group_in(group, part) for group in groups]
        groups = [group for group in inner if group is not None]
        of_layer = [_group_in(group, "vars") for group in groups]
        found = [variables.attrs.get("name") for variables in of_layer if variables is not None]
        names.extend([name for name in found if isinstance(name, str)][:1])
    return tuple(names)


def holds(file: h5py.File, path: str) -> bool:
    """Return whether a group or data set of that path is in the file, links apart."""
    around, _, last = path.rpartition("/")
    group = _group_at(file, around)
    return group is not None and isinstance(group.get(last, getlink=True), h5py.HardLink)


def name_of(file: h5py.File, path: str) -> str:
    """Return the name that is an attribute of a group; "" where there is none."""
    group = _group_at(file, path)
    name = group.attrs.get("name") if group is not None else None
    return name if isinstance(name, str) else ""


def _group_at(file: h5py.File, path: str) -> h5py.Group | None:
    """Return the group of that path; None where there is none, or only a link to one."""
    group: h5py.Group | None = file
    for part in filter(None, path.split("/")):
        group = None if group is None else _group_in(group, part)
    return group


def _group_in(group: h5py.Group, name: str) -> h5py.Group | None:
    """Return the group of that name in a group; None where there is none, or only a link to one."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return None
    child = group[name]
    return child if isinstance(child, h5py.Group) else None


def _dtype(data: h5py.Dataset) -> str | None:
    """Return the type of a data set of real numbers; None for any other.

    Keras stores bfloat16 as two plain bytes.
    """
    if data.attrs.get("dtype") == "bfloat16" and data.dtype.itemsize == 2:
        return "bfloat16"
    return str(data.dtype.name) if data.dtype.kind in "iuf" and data.dtype.itemsize <= 8 else None


def read(file: h5py.File, path: str, label: str, dimensions: int = 2) -> FloatArray:
    """Return a data set as float32; raises what `stored` raises."""
    values, dtype = stored(file, path, label, dimensions)
    if dtype == "bfloat16":  # the upper half of a float32
        high = np.ascontiguousarray(values).view("<u2").astype(np.uint32) << 16
        rows: FloatArray = high.view(np.float32).reshape(values.shape)
        return rows
    data_label = f"{clipped_repr(path)} in {label}"
    return as_float32(values, data_label) if dimensions == 2 else np.asarray(values, np.float32)


def stored(
    file: h5py.File, path: str, label: str, dimensions: int = 2
) -> tuple[np.ndarray[Any, Any], str]:
    """Return a data set as it is stored, and the type of its numbers.

    Raises:
        DataError: it is not stored in the file itself, claims to be larger than what is stored,
            or does not hold real numbers.
    """
    data = file[path]
    data_label = f"{clipped_repr(path)} in {label}"
    if not isinstance(data, h5py.Dataset) or data.shape is None or len(data.shape) != dimensions:
        raise DataError(
            f"{data_label} has another shape; expected {plural(dimensions, 'dimension')}"
        )
    if data.is_virtual or data.external:
        raise DataError(f"{data_label} lies in another file; expected the weights themselves")
    dtype = _dtype(data)
    if dtype is None:
        raise DataError(
            f"{data_label} has dtype {clipped_repr(str(data.dtype))}; expected real numbers"
        )
    held, claimed = int(data.id.get_storage_size()), data.size * data.dtype.itemsize
    if data.size > MOST_VALUES or not data.size:
        raise DataError(f"{data_label} has {data.size:,} numbers; expected 1 to {MOST_VALUES:,}")
    most = held if data.chunks is None else max(_SMALL, held * _MOST_EXPANSION)
    if claimed > most or not held:
        raise DataError(
            f"{data_label} claims {claimed:,} bytes, but {held:,} are stored; expected all of them"
        )
    return data[()], dtype


def attribute(file: h5py.File, name: str) -> str | None:
    """Return an attribute of the file as text; None where it is missing or no text."""
    value: Any = file.attrs.get(name)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None
