"""Files that hold an embedding matrix: a module for each format, a row for each in the table."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from embedinspect import samples
from embedinspect.errors import DataError, UsageError, os_reason
from embedinspect.formats import cache, magic
from embedinspect.formats.beginning import EXPECTED, Start, first_bytes, unreadable
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.strangers import is_no_text, stranger_like
from embedinspect.matrix import EmbeddingMatrix, norms_of


@dataclass(frozen=True)
class Format:
    """A kind of file, recognised by how it begins and never by its name.

    Attributes:
        name: of the format.
        recognises: returns whether a file is of this format.
        read: returns what is in a file.
        picks: the option that picks one of several matrices, where a file can have several.
        cached: whether the contents of a large file are worth keeping in the cache.
        words_beside: returns the file of words that belongs to a file of this format, if there is
            one, from the file's path and the name of the matrix in it.
    """

    name: str
    recognises: Callable[[Start], bool]
    read: Callable[[Path, ReadOptions], Contents]
    picks: str | None = None
    cached: bool = False
    words_beside: Callable[[Path, str | None], Path | None] | None = None


def _is_keras_zip(start: Start) -> bool:
    if not start.data.startswith(magic.ZIP):
        return False
    from embedinspect.formats import keras_files

    return bool(keras_files.is_keras_zip(start.path))


def _read_keras(path: Path, options: ReadOptions) -> Contents:
    from embedinspect.formats import keras_files

    file = keras_files.open_keras(path)
    layer = keras_files.pick(file, options.layer, repr(str(path)))
    rows = keras_files.read_rows(path, layer)
    return Contents(
        _KERAS_KINDS[file.kind], rows, dtype=layer.dtype, tensor=layer.name, keras=file, layer=layer
    )


_KERAS_KINDS = {
    "keras": "Keras model",
    "keras weights": "Keras weights",
    "legacy h5": "Keras model, legacy HDF5",
}


def _read_npy(path: Path, _: ReadOptions) -> Contents:
    from embedinspect.formats import arrays

    rows, dtype = arrays.read_npy(path)
    return Contents("NumPy array", rows, dtype=dtype)


def _read_npz(path: Path, options: ReadOptions) -> Contents:
    from embedinspect.formats import arrays

    rows, name, dtype = arrays.read_npz(path, options.tensor)
    return Contents("NumPy archive", rows, dtype=dtype, tensor=name)


def _is_safetensors(start: Start) -> bool:
    from embedinspect.formats.safetensors_file import is_safetensors

    return is_safetensors(start.data, start.size)


def _read_safetensors(path: Path, options: ReadOptions) -> Contents:
    from embedinspect.formats.safetensors_file import read_safetensors

    return read_safetensors(path, options.tensor)


def _is_parquet(start: Start) -> bool:
    # A text may begin with the same four letters, but not go on as the first page does.
    return start.data.startswith(magic.PARQUET) and b"\0" in start.data


def _read_parquet(path: Path, options: ReadOptions) -> Contents:
    from embedinspect.formats.parquet_file import read_parquet

    return read_parquet(path, options.tensor)


def _is_binary(start: Start) -> bool:
    from embedinspect.formats.word2vec_binary import is_binary

    return is_binary(start.data, whole=start.whole)


def _read_binary(path: Path, options: ReadOptions) -> Contents:
    from embedinspect.formats.word2vec_binary import read_binary

    return read_binary(path, strict=options.strict)


def _is_text(start: Start) -> bool:
    if b"\0" in start.data or is_no_text(start.data):
        return False
    from embedinspect.formats.text_layout import layout_of

    return layout_of(start.data, whole=start.whole) is not None


def _read_text(path: Path, options: ReadOptions) -> Contents:
    from embedinspect.formats.word_vectors import read_text

    return read_text(path, strict=options.strict)


def _is_projector(start: Start) -> bool:
    return re.search(rb"^[ \t]*embeddings\s*\{", start.data, re.M) is not None and not start.packed


def _read_projector(path: Path, options: ReadOptions) -> Contents:
    from embedinspect.formats.projector import read_projector

    return read_projector(path, options.tensor)


def _is_table(start: Start) -> bool:
    if not _is_numbers(start):
        return False
    from embedinspect.formats.number_table import columns_of
    from embedinspect.formats.projector import is_named_in_config

    columns = columns_of(start.data, whole=start.whole)
    return columns is not None and not is_named_in_config(start.path)


def _read_table(path: Path, _: ReadOptions) -> Contents:
    from embedinspect.formats.number_table import columns_of, read_table

    start = first_bytes(str(path))
    columns = columns_of(start.data, whole=start.whole)
    assert columns is not None  # or it would not have been recognised
    return read_table(path, columns)


def _read_numbers(path: Path, _: ReadOptions) -> Contents:
    from embedinspect.formats import number_text

    doubts = number_text.doubts(first_bytes(str(path)).data, str(path))
    rows = number_text.read_numbers(path)
    return Contents("text of numbers", rows, dtype="text", warnings=doubts)


def _written_beside(path: Path, _: str | None) -> Path | None:
    from embedinspect.formats.vocabulary_file import find_beside

    return find_beside(path)


def _labels_of_projector(path: Path, tensor: str | None) -> Path | None:
    from embedinspect.formats.projector import pair_of

    return pair_of(path, tensor).metadata


def _labels_beside(path: Path, _: str | None) -> Path | None:
    from embedinspect.formats.projector import metadata_beside

    return metadata_beside(path)


def _is_numbers(start: Start) -> bool:
    return b"\0" not in start.data and not is_no_text(start.data) and not start.packed


FORMATS = (
    Format(
        "npy",
        lambda start: start.data.startswith(magic.NPY),
        _read_npy,
        words_beside=_written_beside,
    ),
    Format("keras", _is_keras_zip, _read_keras, "layer"),
    Format(
        "npz",
        lambda start: start.data.startswith(magic.ZIP),
        _read_npz,
        "tensor",
        words_beside=_written_beside,
    ),
    Format("hdf5", lambda start: start.data.startswith(magic.HDF5), _read_keras, "layer"),
    Format(
        "safetensors", _is_safetensors, _read_safetensors, "tensor", words_beside=_written_beside
    ),
    Format("parquet", _is_parquet, _read_parquet, "tensor"),
    Format("word2vec binary", _is_binary, _read_binary, cached=True),
    Format("table", _is_table, _read_table),
    Format("word vectors", _is_text, _read_text, cached=True),
    Format(
        "projector", _is_projector, _read_projector, "tensor", words_beside=_labels_of_projector
    ),
    Format("numbers", _is_numbers, _read_numbers, words_beside=_labels_beside),
)

# Files that are not read, by their first bytes, so that the error can say what came.


def open_file(path: str, options: ReadOptions | None = None) -> Contents:
    """Return what is in a file: a matrix of at least one row and one column, float32.

    Raises:
        UsageError: an option that does not fit the format.
        DataError: the file cannot be read, is of no known format, or holds no matrix of numbers.
    """
    with samples.located(path) as place:
        return _open(place, options or ReadOptions())


def _open(path: str, options: ReadOptions) -> Contents:
    config = os.path.join(path, "projector_config.pbtxt")
    if os.path.isfile(config):  # the folder that a projector opens
        path = config
    start = first_bytes(path)
    worth_keeping = options.cache and start.size >= cache.WORTH
    if worth_keeping and not options.layer and not options.tensor:
        cached = cache.recall(Path(path), strict=options.strict)
        if cached is not None:
            return cached
    file_format = _recognise(start, path)
    _refuse_options(options, file_format, path)
    try:
        before = cache.stamp(Path(path)) if worth_keeping else {}
        contents = file_format.read(Path(path), options)
        if file_format.words_beside is not None and contents.words is None:
            beside = file_format.words_beside(Path(path), contents.tensor)
            contents = replace(contents, words_beside=beside)
        if not file_format.cached or not worth_keeping:
            return contents
        contents = replace(contents, norms=norms_of(contents.rows))
        if cache.stamp(Path(path)) != before:
            warning = f"{path} was changed while it was read, so its rows may be old ones and new"
            return replace(contents, warnings=(*contents.warnings, warning))
        return replace(contents, kept=cache.keep(Path(path), contents, before))
    except DataError as error:
        raise _as_stranger(start, path) or error from None
    except OSError as error:
        raise unreadable(path, os_reason(error)) from None
    except MemoryError:
        raise DataError(
            f"{path!r} needs more memory than there is; expected a matrix that fits; save fewer "
            "rows, or float32 rather than float64"
        ) from None


def _refuse_options(options: ReadOptions, file_format: Format, path: str) -> None:
    for name, value, files in (
        ("layer", options.layer, "a Keras file"),
        ("tensor", options.tensor, "a file of several arrays"),
    ):
        if value is not None and file_format.picks != name:
            picks = file_format.picks
            raise UsageError(
                f"--{name} picks a matrix of {files}, but {path!r} is in the format "
                f"{file_format.name}; " + (f"expected --{picks}" if picks else "leave it out")
            )


def open_matrix(path: str) -> EmbeddingMatrix:
    """Return the matrix in a file, without its words; raises what `open_file` raises."""
    return EmbeddingMatrix(open_file(path).rows, f"from {path}")


def _recognise(start: Start, path: str) -> Format:
    for file_format in FORMATS:
        if file_format.recognises(start):
            return file_format
    packed = " packed with gzip" if start.packed else ""
    raise _as_stranger(start, path) or DataError(
        f"{path!r} is a binary file{packed} of no known format; expected {EXPECTED}"
    )


def _as_stranger(start: Start, path: str) -> DataError | None:
    """Return the error for a file that is of another kind altogether; None where it is of none."""
    stranger = stranger_like(start.data)
    if stranger is None:
        return None
    return DataError(
        f"{path!r} is {stranger.what}; expected {EXPECTED}; to convert it: "
        f"{stranger.convert.replace('PATH', repr(path))}"
    )
