"""The embedding matrix: rows that are drawn, counted, measured and moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.errors import DataError, UsageError
from embedinspect.matrix import WORTH_TWO_THREADS, EmbeddingMatrix, draw, in_halves, norms_of


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_drawn_rows_are_those_of_the_frozen_stream(input_dim, output_dim, seed):
    expected = np.random.RandomState(seed).uniform(-0.05, 0.05, (input_dim, output_dim))
    assert (draw(input_dim, output_dim, seed).rows == expected.astype(np.float32)).all()


def test_blocks_do_not_change_the_stream():
    expected = np.random.RandomState(7).uniform(-0.05, 0.05, (2**20 + 3, 1))
    assert (draw(2**20 + 3, 1, 7).rows == expected.astype(np.float32)).all()


def test_drawn_rows_never_change():
    assert draw(1, 3, 0).rows.tolist() == [
        [0.0048813503235578537, 0.021518936380743980, 0.010276337154209614]
    ]


def test_too_many_numbers_are_refused_before_memory_is_taken():
    with pytest.raises(UsageError, match="at most 2,147,483,648"):
        draw(2**31, 2, 0)


def test_what_is_not_finite_is_counted():
    rows = np.array([[np.nan, 1], [np.inf, -np.inf]], np.float32)
    matrix = EmbeddingMatrix(rows, "test")
    assert (matrix.not_finite, matrix.parameters) == (3, 4)


def test_lengths_are_computed_in_float64():
    rows = np.array([[3, 4], [1e30, 0], [0, 0], [np.inf, 1]], np.float32)
    assert norms_of(rows).tolist() == [5, np.float32(1e30), 0, np.inf]
    assert norms_of(rows).dtype == np.float32


def test_the_padding_row_is_of_zeros_and_the_others_stand_one_further_down():
    matrix = EmbeddingMatrix(np.ones((2, 3), np.float32), "from a").with_padding_row()
    assert matrix.rows.tolist() == [[0, 0, 0], [1, 1, 1], [1, 1, 1]]
    assert matrix.rows.dtype == np.float32
    assert matrix.origin == "from a, under a row of zeros for the padding"


def test_two_threads_measure_what_one_does():
    rows = np.random.RandomState(0).standard_normal((20_001, 60)).astype(np.float32)
    assert rows.size > WORTH_TWO_THREADS
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    assert np.allclose(norms_of(rows), lengths, rtol=1e-7)
    assert in_halves(7, lambda start, stop: (start, stop)) == ((0, 3), (3, 7))


@pytest.mark.parametrize("half", [0, 5])
def test_what_fails_in_one_of_two_threads_fails(half):
    def work(start: int, stop: int) -> None:
        if start <= half < stop:
            raise DataError("no")

    with pytest.raises(DataError, match="no"):
        in_halves(10, work)
