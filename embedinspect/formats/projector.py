"""Pairs of tab-separated files, as TensorBoard's Embedding Projector reads them.

One file holds the rows, the other (the metadata) a label for each row; a config file names both.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.number_text import read_numbers
from embedinspect.texts import decode, read_bytes
from embedinspect.wording import clipped_repr, listed

CONFIG = "projector_config.pbtxt"
_FIELD = re.compile(r'(tensor_name|tensor_path|metadata_path)\s*:\s*"((?:[^"\\]|\\.)*)"')
_LARGEST = 2**20
_NAMES = ("vector", "tensor", "embedding")


@dataclass(frozen=True)
class Pair:
    """A matrix of a projector: its name, the file of its rows, and that of its labels if any."""

    name: str
    tensor: Path
    metadata: Path | None


def recognises(start: Start) -> bool:
    """Return whether a file is the configuration of a projector, or a folder holds one."""
    if CONFIG in start.names:
        return True
    return re.search(rb"^[ \t]*embeddings\s*\{", start.data, re.M) is not None and not start.packed


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the rows that a config names; raises what `read_projector` raises."""
    return read_projector(_config_at(path), options.tensor)


def labels_in_config(path: Path, tensor: str | None) -> Path | None:
    """Return the file of labels that a config names for its rows."""
    return pair_of(_config_at(path), tensor).metadata


def _config_at(path: Path) -> Path:
    """Return the path of a config: of the one in a folder, where the path is a folder's."""
    return path / CONFIG if path.is_dir() else path


def read_config(path: Path) -> list[Pair]:
    """Return the pairs that a config file names; it names them relative to its own folder.

    Raises:
        DataError: the file cannot be read, or is no such config.
    """
    pairs = []
    for fields in _entries(path):
        if "tensor_path" in fields:
            tensor, metadata = fields["tensor_path"], fields.get("metadata_path")
            pairs.append(
                Pair(
                    fields.get("tensor_name", tensor),
                    path.parent / tensor,
                    path.parent / metadata if metadata else None,
                )
            )
    return pairs


def names_files_of_rows(start: Start) -> bool:
    """Return whether a folder holds a config that names files of rows, and no checkpoint."""
    try:
        return CONFIG in start.names and bool(read_config(start.path / CONFIG))
    except DataError:
        return False


def labels_of_variable(path: Path, name: str) -> Path | None:
    """Return the file of labels that a config names for a variable of a checkpoint, if it does.

    Raises:
        DataError: the config cannot be read, or is none.
    """
    for fields in _entries(path):
        labels = fields.get("metadata_path")
        if labels and fields.get("tensor_name") == name and "tensor_path" not in fields:
            return path.parent / labels if _readable(path.parent / labels) else None
    return None


def _entries(path: Path) -> list[dict[str, str]]:
    """Return the fields of each matrix in a config."""
    data = read_bytes(str(path), "a projector's config", _LARGEST)
    text = decode(data, "utf-8", repr(str(path)))
    entries = []
    for block in re.split(r"embeddings\s*\{", text)[1:]:
        fields = {str(name): str(value) for name, value in _FIELD.findall(block)}
        if "tensor_path" in fields and "\0" in block:  # which no path can hold
            raise DataError(f"{str(path)!r} names a file with a null character; expected a path")
        entries.append({} if "\0" in block else fields)
    return entries


def pair_of(path: Path, tensor: str | None) -> Pair:
    """Return the pair called `tensor`, or the only pair that a config names.

    Raises:
        UsageError: the config names several matrices, or none called `tensor`.
        DataError: it names no file of rows (the config that TensorBoard writes for a Keras 3 layer
            names a checkpoint instead), or a pipe or a device, which might never end.
    """
    label = repr(str(path))
    pairs = read_config(path)
    names = listed(clipped_repr(pair.name) for pair in pairs)
    if tensor is not None:
        pairs = [pair for pair in pairs if pair.name == tensor]
        if not pairs:
            raise UsageError(f"--tensor is {tensor!r}; expected one that {label} names: {names}")
    if not pairs:
        raise DataError(
            f"{label} names no file of rows (tensor_path); expected one; open the model itself"
        )
    if len(pairs) > 1:
        raise UsageError(f"{label} names several matrices ({names}); pick one with --tensor")
    pair = pairs[0]
    for file in (pair.tensor, pair.metadata):
        if file is not None and not _readable(file):
            raise DataError(f"{label} names {str(file)!r}; expected a regular file")
    return pair


def read_projector(path: Path, tensor: str | None) -> Contents:
    """Return the rows that a config names; raises what `pair_of` and `read_numbers` raise."""
    pair = pair_of(path, tensor)
    return Contents("projector TSV", read_numbers(pair.tensor), None, "text", tensor=pair.name)


def metadata_beside(path: Path, _: str | None = None) -> Path | None:
    """Return the file of labels for a file of rows: by the config beside it, or by its name."""
    try:
        pair = _pair_in_config(path)
    except DataError:
        return None
    if pair is not None:
        return pair.metadata if pair.metadata and _readable(pair.metadata) else None
    beside = path.parent / "metadata.tsv"
    if any(name in path.stem.lower() for name in _NAMES) and beside.is_file():
        return beside
    return None


def is_named_in_config(path: Path) -> bool:
    """Return whether the config beside a file names it as a file of rows, which has no headings."""
    try:
        return _pair_in_config(path) is not None
    except DataError:
        return False


def _pair_in_config(path: Path) -> Pair | None:
    """Return the pair of a file of rows in the config beside it, if there is one.

    Raises:
        DataError: the config cannot be read.
    """
    config = path.parent / CONFIG
    if not config.is_file():
        return None
    real = os.path.realpath(path)
    pairs = read_config(config)
    return next((pair for pair in pairs if os.path.realpath(pair.tensor) == real), None)


def _readable(path: Path) -> bool:
    """Return whether a path names a regular file, or nothing, which reading it will report."""
    return os.path.isfile(path) or not os.path.exists(path)
