"""Small matrices with words, opened as a user's file would be."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.matrix import EmbeddingMatrix
from embedinspect.row_words import Words
from embedinspect.source import Source, open_source
from tests.conftest import HERE

VECTORS = HERE.parent / "sample_texts" / "vectors.txt"


def made(rows, words=None) -> Source:
    rows = np.asarray(rows, np.float32)
    named = None if words is None else Words(list(words))
    return Source("made", "made", EmbeddingMatrix(rows, "made", named), "float32")


@pytest.fixture(scope="session")
def vectors() -> Source:
    return open_source(str(VECTORS))
