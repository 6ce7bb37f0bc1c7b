"""Small inputs that many tests need, built by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from embedinspect.formats.contents import Contents
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.row_words import Words
from embedinspect.source import Source

SAMPLE_TEXTS = Path(__file__).parent.parent / "sample_texts"
VECTORS = SAMPLE_TEXTS / "vectors.txt"


def source_of(rows: ArrayLike, words: Sequence[str | None] | None = None) -> Source:
    """Return a source of these rows and words, as if it had been read from a file."""
    contents = Contents("made", np.asarray(rows, np.float32))
    named = None if words is None else Words(list(words))
    return Source("made", contents, EmbeddingMatrix(contents.rows, "made", named))
