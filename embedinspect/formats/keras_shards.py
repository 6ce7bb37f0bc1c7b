"""Weights that Keras has spread over several HDF5 files, and the JSON file that names them.

`save_weights("model.weights.json", max_shard_size=...)` writes `model_00000.weights.h5` and so on
beside it, and in it a map from the group of each layer to the file or files that hold its variables
(Keras's `ShardedH5IOStore`). What a group is called is noted only in the first of its files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from embedinspect.errors import DataError
from embedinspect.formats import hdf5
from embedinspect.formats.beginning import Start
from embedinspect.formats.keras_json import parsed
from embedinspect.wording import clipped_repr

_ENDING = ".weights.h5"
_LARGEST_MAP = 2**24
_MOST_SHARDS = 256  # open at the same time


def recognises(start: Start) -> bool:
    """Return whether a file is JSON that names shards of weights."""
    data = start.data
    return data.startswith(b"{") and b'"weight_map"' in data and f'{_ENDING}"'.encode() in data


@contextmanager
def open_shards(path: Path, label: str) -> Iterator[list[Any]]:
    """Open the HDF5 files that a map names.

    Raises:
        DataError: the map is damaged, or a file is missing, damaged, or not the one it should be.
    """
    groups = _map_in(path, label)
    names = sorted({name for files in groups.values() for name in files})
    if not names or len(names) > _MOST_SHARDS:
        raise DataError(f"{label} names {len(names):,} files; expected 1 to {_MOST_SHARDS}")
    with ExitStack() as stack:
        files = {name: stack.enter_context(_shard(path, name, label)) for name in names}
        for group, among in groups.items():
            for name in among:
                if not hdf5.holds(files[name], group.strip("/")):
                    raise DataError(
                        f"{label} says that {clipped_repr(group)} is in {clipped_repr(name)}, "
                        "which does not have it; expected the files of one and the same model"
                    )
        yield list(files.values())


@contextmanager
def _shard(path: Path, name: str, label: str) -> Iterator[Any]:
    shard = path.with_name(name)
    if not shard.is_file():
        raise DataError(
            f"{label} names {clipped_repr(name)}, which is not beside it; expected all files of "
            "the model in one folder"
        )
    with shard.open("rb") as raw, hdf5.open_hdf5(raw, repr(str(shard))) as file:
        yield file


def _map_in(path: Path, label: str) -> dict[str, list[str]]:
    """Return the names of the files that hold each group, as a map has them."""
    size = path.stat().st_size
    if size > _LARGEST_MAP:
        raise DataError(f"{label} has {size:,} bytes; expected at most {_LARGEST_MAP:,}")
    weight_map = parsed(path.read_bytes().decode("utf-8", "replace"), label).get("weight_map")
    if not isinstance(weight_map, dict):
        raise DataError(f"{label} has no weight_map; expected the one that Keras writes")
    groups = {
        group: files if isinstance(files, list) else [files] for group, files in weight_map.items()
    }
    for name in (name for files in groups.values() for name in files):
        if not isinstance(name, str) or not name.endswith(_ENDING) or set("/\\\0") & set(name):
            raise DataError(
                f"{label} names {clipped_repr(str(name))} as a file; expected one that ends in "
                f"{_ENDING}, in the same folder"
            )
    return groups
