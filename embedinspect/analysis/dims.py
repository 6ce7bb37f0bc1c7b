"""The first numbers of every row, as Matryoshka models are used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from embedinspect.errors import UsageError
from embedinspect.source import Source
from embedinspect.stored_rows import FloatArray, StoredRows
from embedinspect.wording import plural

if TYPE_CHECKING:
    from embedinspect.formats.ngrams import Composed


def first_dims(source: Source, dims: int | None) -> Source:
    """Return a source whose rows are cut to their first `dims` numbers and scaled to length 1.

    That is how embeddings are shortened that were trained to be cut (Matryoshka representation
    learning, Kusupati 2022). Rows of zeros stay zero. Nothing is read: rows are cut where they are
    looked at, and so are the vectors of words that are composed. Without `dims`, the source is
    returned as it is.

    Raises:
        UsageError: the rows have fewer numbers.
    """
    if dims is None:
        return source
    width = source.matrix.output_dim
    if dims > width:
        raise UsageError(
            f"--dims is {dims:,}, but {source.path!r} has rows of {plural(width, 'number')}; "
            f"expected 1 to {width:,}"
        )

    def cut(rows: FloatArray) -> FloatArray:
        return _units(rows[:, :dims])

    rows = StoredRows(source.matrix.rows, (source.matrix.input_dim, dims), cut)
    compose = source.contents.compose

    def composed(word: str) -> Composed | None:
        whole = None if compose is None else compose(word)
        return None if whole is None else replace(whole, vector=cut(whole.vector[None])[0])

    contents = replace(
        source.contents, rows=rows, norms=None, compose=None if compose is None else composed
    )
    how = f"cut to {dims:,} of {plural(width, 'dimension')}, rows scaled to length 1"
    matrix = replace(source.matrix, rows=rows, origin=f"{source.matrix.origin}, {how}")
    return replace(source, contents=contents, matrix=matrix)


def _units(rows: Any) -> FloatArray:
    """Return rows scaled to length 1, float32; the length is computed in float64."""
    wide = np.asarray(rows, np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.sqrt(np.vecdot(wide, wide))[:, None]
        return np.asarray(wide / np.where(lengths > 0, lengths, 1), np.float32)
