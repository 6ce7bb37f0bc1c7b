"""The matrix for just the words of some texts, taken from vectors by word.

Pretrained vectors go into a Keras layer by id: row i must be the vector of the word with id i.
Row 0 is for the padding; a word without a vector keeps a row of its own all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from embedinspect.analysis.coverage import Coverage
from embedinspect.errors import DataError, UsageError, os_reason
from embedinspect.files import put, workshop
from embedinspect.formats.arrays import read_npy
from embedinspect.formats.vocabulary_file import VOCABULARY_SUFFIX, find_beside
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr

# What the rows of words without a vector hold.
Fill = Literal["zeros", "random"]


@dataclass(frozen=True)
class WrittenMatrix:
    """A matrix that was written, and checked as it stands in its file.

    Attributes:
        path: of the matrix.
        vocabulary: path of the words and ids, as a Keras tokenizer saves them.
        shape: of the matrix, (input_dim, output_dim).
        checked: how many rows were read back and found to be the vector of their word.
        fill: what rows without a vector hold.
    """

    path: str
    vocabulary: str
    shape: tuple[int, int]
    checked: int
    fill: Fill


def write_matrix(coverage: Coverage, path: str, fill: Fill, *, force: bool) -> WrittenMatrix:
    """Write the matrix, and its vocabulary beside it; then check each row in the file.

    Args:
        force: replace what stands there.

    Raises:
        UsageError: the path does not end in `.npy`, or something stands there.
        DataError: it cannot be written, or a row is not the vector of its word.
    """
    if coverage.rows_used is not None:
        raise UsageError(
            "--write makes a matrix for the ids of your own words, and the rows of "
            f"{coverage.source.path!r} stand by the ids of its tokenizer already; to write them: "
            "embedinspect export"
        )
    target = Path(path)
    if target.suffix != ".npy":
        raise UsageError(f"--write is {path!r}; expected a path that ends in .npy")
    beside = target.with_name(f"{target.stem}{VOCABULARY_SUFFIX}")
    # A list of words beside the matrix would come before the vocabulary.
    words = find_beside(target)
    stale = [] if words is None or words == beside else [words]
    for place in (target, beside, *stale):
        if place.exists() and not force:
            raise UsageError(f"{str(place)!r} exists already; give another path, or --force")
    matrix = matrix_for(coverage, fill)
    check(coverage, matrix)
    try:
        with workshop(target.parent, ".coverage-") as temporary:
            with (temporary / target.name).open("wb") as file:
                np.save(file, matrix, allow_pickle=False)
            vocabulary = coverage.vocabulary.to_json().encode("utf-8")
            (temporary / beside.name).write_bytes(vocabulary)
            put([(temporary / place.name, place) for place in (target, beside)], gone=stale)
    except OSError as error:
        raise DataError(
            f"cannot write {path!r}: {os_reason(error)}; expected a path in a folder that can be "
            "written"
        ) from None
    checked = check(coverage, read_npy(target)[0])
    rows, columns = matrix.shape
    return WrittenMatrix(path, str(beside), (rows, columns), checked, fill)


def matrix_for(coverage: Coverage, fill: Fill = "zeros", seed: int = 0) -> FloatArray:
    """Return the matrix in the order of the ids, float32, shape (input_dim, output_dim).

    Row 0 is zeros. Words without a vector, and reserved ids, get zeros, or numbers drawn from the
    normal distribution of the vectors that are there, dimension by dimension.

    Raises:
        DataError: no word has a vector, or a row is not the vector of its word.
    """
    rows = coverage.source.matrix.rows
    covered = coverage.covered
    if not covered:
        raise DataError(
            f"no word of the texts is in {coverage.source.path!r}; expected some, so look at the "
            "case and the language of both"
        )
    matrix = np.zeros((coverage.input_dim, rows.shape[1]), np.float32)
    ids = np.array([word.id for word in covered])
    vectors = rows[np.array([word.row for word in covered])]
    if fill == "random":
        finite = vectors[np.isfinite(vectors).all(axis=1)].astype(np.float64)
        stream = np.random.RandomState(seed)
        matrix[1:] = stream.normal(finite.mean(axis=0), finite.std(axis=0), matrix[1:].shape)
    matrix[ids] = vectors
    for word in coverage.missing:
        if word.word in coverage.composed:
            matrix[word.id] = coverage.composed[word.word]
    return matrix


def check(coverage: Coverage, matrix: FloatArray) -> int:
    """Compare each row with that of its word in the source; return how many there are.

    Raises:
        DataError: a row is not the vector of its word; it names the first.
    """
    words, rows = coverage.source.words, coverage.source.matrix.rows
    assert words is not None
    if matrix.shape != (coverage.input_dim, rows.shape[1]) or matrix[0].any():
        raise DataError(
            f"the matrix has shape {matrix.shape} and row 0 {matrix[0][:3].tolist()}...; expected "
            f"({coverage.input_dim}, {rows.shape[1]}) and zeros, so please report this"
        )
    for word in coverage.covered:
        assert word.source_word is not None
        row = words.index[word.source_word]
        if coverage.vocabulary.word_index[word.word] != word.id or (
            matrix[word.id].tobytes() != rows[row].tobytes()
        ):
            raise DataError(
                f"row {word.id} is not the vector of {clipped_repr(word.word)}; expected row {row} "
                "of the source, so please report this"
            )
    return len(coverage.covered)
