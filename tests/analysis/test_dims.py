"""Vectors that are cut to their first numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from embedinspect.analysis.dims import first_dims
from embedinspect.errors import UsageError
from embedinspect.formats.ngrams import Composed
from tests.builders import source_of

NUMBERS = st.floats(-(2.0**100), 2.0**100, width=32)


@given(arrays.arrays(np.float32, (5, 4), elements=NUMBERS), st.integers(1, 4))
def test_rows_are_cut_and_scaled_to_length_1(rows, dims):
    cut = first_dims(source_of(rows, "abcde"), dims)
    expected = rows[:, :dims].astype(np.float64)
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    expected = (expected / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    assert cut.matrix.output_dim == dims
    for key in (slice(None), slice(1, 3), 2, [4, 0], np.array([1, 1])):
        assert np.allclose(cut.matrix.rows[key], expected[key], rtol=3e-7, atol=0)
    assert np.allclose(cut.lengths(), np.linalg.norm(expected, axis=1), rtol=1e-6)
    assert cut.name_of(1) == "b"


def test_composed_vectors_are_cut_as_well():
    source = source_of(np.eye(3), "abc")
    vector = np.array([3, 4, 12], np.float32)
    contents = replace(source.contents, compose=lambda word: Composed(word, vector, ("x",)))
    cut = first_dims(replace(source, contents=contents), 2)
    assert cut.composed("d").vector.tolist() == np.float32([0.6, 0.8]).tolist()


def test_no_more_numbers_are_taken_than_there_are():
    with pytest.raises(UsageError, match=r"--dims is 4, but 'made' has rows of 3 numbers"):
        first_dims(source_of(np.eye(3)), 4)
    source = source_of(np.eye(3))
    assert first_dims(source, None) is source
