"""Pairs of tab-separated files as TensorBoard's Embedding Projector has them.

One file holds the rows, the other (the metadata) a label for each; a config file names both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from embedinspect.errors import DataError, UsageError
from embedinspect.sources.found import Found
from embedinspect.sources.numbers import read_numbers
from embedinspect.texts import clipped_repr, decode, listed, read_bytes

CONFIG = "projector_config.pbtxt"
_FIELD = re.compile(r'(tensor_name|tensor_path|metadata_path)\s*:\s*"((?:[^"\\]|\\.)*)"')
_LARGEST = 2**20
_NAMES = ("vector", "tensor", "embedding")


@dataclass(frozen=True)
class Pair:
    """One matrix of a projector: its name, its rows and, where it has one, its metadata."""

    name: str
    tensor: Path
    metadata: Path | None


def is_config(start: bytes) -> bool:
    """Return whether a file begins as the projector's config does."""
    return (
        re.match(rb"\s*(#[^\n]*\n\s*)*(model_checkpoint_path|embeddings\s*\{)", start) is not None
    )


def read_config(path: Path) -> list[Pair]:
    """Return the pairs that a config file names; their paths are relative to its folder."""
    data = read_bytes(str(path), "a projector's config")
    if len(data) > _LARGEST:
        raise DataError(f"{str(path)!r} is larger than 1 MB; expected a projector's config")
    text = decode(data, "utf-8", repr(str(path)))
    pairs = []
    for block in re.findall(r"embeddings\s*\{([^}]*)\}", text):
        fields = dict(_FIELD.findall(block))
        if "tensor_path" not in fields:
            continue
        tensor, metadata = str(fields["tensor_path"]), fields.get("metadata_path")
        pairs.append(
            Pair(
                str(fields.get("tensor_name", tensor)),
                path.parent / tensor,
                path.parent / metadata if metadata else None,
            )
        )
    return pairs


def read_projector(path: Path, tensor: str | None) -> tuple[Found, Path | None]:
    """Return the rows that a config names, and the path of their metadata.

    Raises:
        UsageError: several matrices and none is named, or one that is not there.
        DataError: no matrix that could be read: TensorBoard's own config of a Keras 3 layer names
            a checkpoint, which holds no path of rows.
    """
    shown = repr(str(path))
    pairs = read_config(path)
    names = listed(clipped_repr(pair.name) for pair in pairs)
    if tensor is not None:
        pairs = [pair for pair in pairs if pair.name == tensor]
        if not pairs:
            raise UsageError(f"--tensor is {tensor!r}; expected one that {shown} names: {names}")
    if not pairs:
        raise DataError(
            f"{shown} names no file of rows (tensor_path); expected one, so open the model itself"
        )
    if len(pairs) > 1:
        raise UsageError(f"{shown} names several matrices ({names}); pick one with --tensor")
    pair = pairs[0]
    rows = read_numbers(pair.tensor)
    return Found("projector TSV", rows, None, "text", tensor=pair.name), pair.metadata


def metadata_beside(path: Path) -> Path | None:
    """Return the metadata that belong to a file of rows, by the config or by their name."""
    config = path.parent / CONFIG
    if config.is_file():
        try:
            for pair in read_config(config):
                if pair.tensor.resolve() == path.resolve():
                    return pair.metadata
        except DataError:
            return None
    beside = path.parent / "metadata.tsv"
    if any(name in path.stem.lower() for name in _NAMES) and beside.is_file():
        return beside
    return None
