"""Small inputs that many tests need, built by name."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike

from embedinspect.formats.contents import Contents
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.row_words import Words
from embedinspect.source import Source

SAMPLE_TEXTS = Path(__file__).parent.parent / "sample_texts"
VECTORS = SAMPLE_TEXTS / "vectors.txt"
# The weights of an embedding layer as a Keras file has them, by their path in it.
EMBEDDING = {"layers/embedding/vars/0": np.arange(6, dtype=np.float32).reshape(3, 2)}


def source_of(rows: ArrayLike, words: Sequence[str | None] | None = None) -> Source:
    """Return a source of these rows and words, as if it had been read from a file."""
    contents = Contents("made", np.asarray(rows, np.float32))
    named = None if words is None else Words(list(words))
    return Source("made", contents, EmbeddingMatrix(contents.rows, "made", named))


def hdf5_bytes(
    data: Mapping[str, ArrayLike] | None = None, change: Callable[[h5py.File], object] | None = None
) -> bytes:
    """Return an HDF5 file with these data sets by path; `change` may do anything else to it."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for path, rows in (data or {}).items():
            file[path] = rows
        if change is not None:
            change(file)
    return stream.getvalue()


def write_keras_file(
    path: Path,
    data: Mapping[str, ArrayLike],
    config: dict[str, Any] | None = None,
    *,
    change: Callable[[h5py.File], object] | None = None,
    method: int = zipfile.ZIP_STORED,
) -> None:
    """Write a `.keras` file with these weights by path, as Keras would, but without Keras."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("config.json", json.dumps(config or {}))
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("model.weights.h5", hdf5_bytes(data, change))


def npy_bytes(array: np.ndarray) -> bytes:
    """Return a `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def write_projector(
    folder: Path, rows: str = "1\t2\n3\t4\n", labels: str = "a\nb\n", *, config: bool = True
) -> None:
    """Write the files of TensorBoard's projector, the config only where it is wanted."""
    (folder / "vectors.tsv").write_text(rows)
    (folder / "metadata.tsv").write_text(labels)
    entry = 'tensor_path: "vectors.tsv"\n  metadata_path: "metadata.tsv"'
    if config:
        (folder / "projector_config.pbtxt").write_text(f"embeddings {{\n  {entry}\n}}\n")
