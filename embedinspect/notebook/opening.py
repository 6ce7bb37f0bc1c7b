"""What `embedinspect.open` opens: a path, an array, a layer or a model of Keras."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.commands.groups import open_and_warn
from embedinspect.errors import DataError, UsageError
from embedinspect.formats.contents import Contents, Problems
from embedinspect.formats.vocabulary_file import load, of_value, place
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.notebook.asking import warn, whole
from embedinspect.notebook.matrix import Matrix
from embedinspect.output.notes import hearing
from embedinspect.source import Source, SourceOptions

Words = Sequence[str | None] | Mapping[str, int]
_ARRAY = "<array>"


def open(  # noqa: A001 (it is what one does with a matrix)
    source: str | PathLike[str] | Any,
    *,
    epoch: int | None = None,
    layer: str | None = None,
    tensor: str | None = None,
    vectors: str | None = None,
    words: str | PathLike[str] | Words | None = None,
    index_from: int | None = None,
    words_from: str | None = None,
    strict: bool = False,
    cache: bool = True,
) -> Matrix:
    """Return a matrix to ask questions of; what is odd about it becomes a warning.

    Args:
        source: the path of a run, a model, word vectors or a table, as the commands take it. Or
            numbers, shape (input_dim, output_dim): an array, a tensor, an Embedding layer of Keras.
            Or a model of Keras, which is saved in a temporary folder and opened there; `layer`
            picks one of its layers.
        words: the words of the rows: a column of a table, or the path of a file. For numbers also
            a list, in which item i names row i, or a mapping of words to rows, as a tokenizer's
            `word_index`.
        index_from: the row of the first of these words.
        cache: False neither uses nor keeps what was read of large files.

    Raises:
        UsageError: an option that does not fit the source.
        DataError: what is there cannot be read, or is no matrix.

    >>> import embedinspect as ei
    >>> ei.open("sample:vectors")
    <embedinspect GloVe text 'sample:vectors' (26, 6)>
    >>> ei.open([[1.0, 0.0], [0.5, 0.5]], words=["good", "bad"])
    <embedinspect array '<array>' (2, 2)>
    """
    options = SourceOptions(
        epoch=epoch,
        layer=layer,
        tensor=tensor,
        vectors=vectors,
        index_from=index_from,
        words_from=words_from,
        strict=strict,
        cache=cache,
    )
    is_model = hasattr(source, "layers") and hasattr(source, "save")
    if is_model or isinstance(source, str | PathLike):
        if words is not None and not isinstance(words, str | PathLike):
            raise UsageError("words is no path; expected the path of a file or a column's name")
        options = replace(options, words=None if words is None else fspath(words))
        return _open_model(source, options) if is_model else open_path(fspath(source), options)
    if replace(options, index_from=None, cache=True) != SourceOptions():
        raise UsageError("numbers have no options but words and index_from; leave out the others")
    return _open_numbers(source, words, index_from)


def open_path(path: str, options: SourceOptions) -> Matrix:
    """Return the matrix at a path; what is odd about it becomes a warning."""
    with hearing() as heard:
        source = open_and_warn(path, options)
    notes = whole(heard)
    warn(notes)
    return Matrix(source, options, notes)


def _open_model(model: Any, options: SourceOptions) -> Matrix:
    """Return the matrix of a model of Keras: what its own file holds, which is kept meanwhile."""
    folder = tempfile.mkdtemp(prefix="embedinspect-")
    try:
        path = Path(folder) / f"{getattr(model, 'name', None) or 'model'}.keras"
        model.save(path)
        matrix = open_path(str(path), options)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(matrix, shutil.rmtree, folder, ignore_errors=True)
    return matrix


def _open_numbers(
    numbers: Any, words: str | PathLike[str] | Words | None, index_from: int | None
) -> Matrix:
    """Return the matrix of an array or a layer, with the words that are named for its rows."""
    is_layer = hasattr(numbers, "get_weights")
    rows, dtype = _rows(_of_layer(numbers) if is_layer else numbers)
    kind = "Embedding layer" if is_layer else "array"
    path = f"<{getattr(numbers, 'name', 'layer')}>" if is_layer else _ARRAY
    contents = Contents(kind, rows, dtype=dtype, problems=Problems(repr(path)))
    source = Source(path, contents, EmbeddingMatrix(rows, f"from {path}"))
    if words is None:
        if index_from is not None:
            raise UsageError("index_from shifts words; name them, too")
        return Matrix(source, None, ())
    if isinstance(words, str | PathLike):
        label, file = fspath(words), load(fspath(words), len(rows))
    else:
        plain = dict(words) if isinstance(words, Mapping) else list(words)
        label, file = "words", of_value(plain, "words")
    placed = place(file, len(rows), index_from, label)
    warnings = placed.warnings(label, keras=is_layer, shifted=index_from is not None)
    warn(f"Warning: {warning}" for warning in warnings)
    source = replace(
        source,
        matrix=replace(source.matrix, words=placed.words),
        words_from=f"{label}, {placed.placing}",
        vocabulary=placed.vocabulary,
    )
    return Matrix(source, None, ())


def _of_layer(layer: Any) -> Any:
    """Return the rows of an Embedding layer, which have what it has learned beside them, too.

    Raises:
        DataError: it has not one matrix, or other numbers than its rows.
    """
    if getattr(layer, "quantization_mode", None) is not None:
        raise DataError("the layer is quantized; save its model and open the file")
    if hasattr(layer, "embeddings"):
        return layer.embeddings
    weights = layer.get_weights()
    if len(weights) != 1:
        raise DataError(f"the layer has {len(weights)} arrays; expected an Embedding layer's one")
    return weights[0]


def _rows(numbers: Any) -> tuple[np.ndarray[Any, np.dtype[np.float32]], str]:
    """Return numbers as rows, a copy, and the name of their type.

    Raises:
        DataError: they are no table of numbers, or float32 cannot hold them.
    """
    try:
        array = np.asarray(numbers.detach().cpu() if hasattr(numbers, "detach") else numbers)
    except (TypeError, ValueError) as error:
        raise DataError(f"this is no array of numbers ({error}); expected rows of them") from None
    if array.ndim != 2 or not array.size or not _is_real(array):
        raise DataError(
            f"an array of {array.dtype} with the shape {array.shape} is no matrix; expected real "
            "numbers, shape (input_dim, output_dim)"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        rows = np.array(array, np.float32)
    return rows, array.dtype.name


def _is_real(array: np.ndarray[Any, Any]) -> bool:
    return array.dtype.kind in "fiu" or array.dtype.name == "bfloat16"
