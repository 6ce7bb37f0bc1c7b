"""Differences of two matrices: on rows that were moved or turned by the test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes

from embedinspect.analysis.diff import compare
from embedinspect.errors import DataError, UsageError
from tests.builders import source_of


def test_a_difference_finds_what_was_moved():
    rows = np.random.RandomState(0).standard_normal((40, 6)).astype(np.float32)
    words = [f"w{number}" for number in range(40)]
    moved = rows.copy()
    moved[7] += 3
    moved[9, 0] += 0.5
    difference = compare(source_of(rows, words), source_of(moved[::-1], words[::-1]))
    assert [row.word for row in difference.moved[:2]] == ["w7", "w9"]
    assert len(difference.unmoved) == 38
    assert (difference.moved[0].row_a, difference.moved[0].row_b) == (7, 32)
    assert np.isclose(difference.moved[0].distance, 3 * np.sqrt(6))
    assert difference.by == "word"
    assert not difference.trained_apart
    assert difference.moved[0].overlap < 1
    assert set(difference.moved[0].gained).isdisjoint(difference.moved[0].lost)


@given(st.integers(0, 2**31 - 1))
def test_procrustes_undoes_a_turn(seed):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((30, 4)).astype(np.float32)
    turn = np.linalg.qr(stream.standard_normal((4, 4)))[0]
    a, b = source_of(rows), source_of(rows @ turn)
    plain, aligned = compare(a, b), compare(a, b, align=True)
    assert aligned.mean_distance < 1e-5
    assert np.isclose(aligned.mean_cosine, 1)
    assert np.isclose(plain.mean_cosine_aligned, 1)
    assert plain.overlap == 1  # a turn changes no neighbor
    assert plain.trained_apart == (plain.mean_cosine < 0.5)


@pytest.mark.parametrize(("count", "width"), [(1, 50), (2, 2), (20, 50), (50, 50), (80, 50)])
def test_the_turn_is_that_of_scipy_without_centring(count, width):
    stream = np.random.RandomState(count)
    left, right = stream.standard_normal((2, count, width)).astype(np.float32)
    matrix, _ = orthogonal_procrustes(right.astype(np.float64), left.astype(np.float64))
    expected = np.linalg.norm(left - right @ matrix, axis=1).mean()
    difference = compare(source_of(left), source_of(right), align=True)
    assert np.isclose(difference.mean_distance, expected, rtol=1e-6)
    assert difference.always_fits == (count <= width)


@pytest.mark.parametrize("count", [1, 2, 20, 50])
def test_a_turn_of_few_rows_is_undone(count):
    stream = np.random.RandomState(count)
    rows = stream.standard_normal((count, 50)).astype(np.float32)
    turn = np.linalg.qr(stream.standard_normal((50, 50)))[0]
    difference = compare(source_of(rows), source_of(rows @ turn), align=True)
    assert difference.mean_distance < 1e-5
    assert difference.always_fits


def test_rows_without_a_direction_give_no_warning_and_no_hint():
    zeros = np.zeros((5, 2), np.float32)
    ones = np.ones((5, 2), np.float32)
    difference = compare(source_of(zeros), source_of(ones))
    assert difference.mean_cosine_aligned is None
    assert np.isnan(difference.mean_cosine)


def test_rows_without_a_word_are_compared_where_the_words_are_the_same():
    words = [None, "a", None, "b"]
    rows = np.eye(4, dtype=np.float32)
    moved = rows.copy()
    moved[0] += 3
    difference = compare(source_of(rows, words), source_of(moved, words))
    assert [row.word for row in difference.moved] == ["#0", "a", "#2", "b"]
    assert difference.unmoved == ("a", "#2", "b")
    assert (difference.shared, difference.only_a, difference.only_b) == (4, 0, 0)
    alone = compare(source_of(rows, words), source_of(moved, words), words=["#0", "#3"])
    assert [row.word for row in alone.moved] == ["#0", "b"]


def test_matrices_that_cannot_be_compared():
    with pytest.raises(DataError, match="output_dim 2"):
        compare(source_of(np.ones((2, 2))), source_of(np.ones((2, 3))))
    with pytest.raises(DataError, match="as many rows"):
        compare(source_of(np.ones((2, 2))), source_of(np.ones((3, 2))))
    with pytest.raises(DataError, match="share no word"):
        compare(source_of(np.ones((2, 2)), "ab"), source_of(np.ones((2, 2)), "AB"))
    with pytest.raises(UsageError, match="'z': not among the 2 rows"):
        compare(source_of(np.ones((2, 2)), "ab"), source_of(np.ones((2, 2)), "ab"), words=["z"])


def test_shared_words_alone_are_compared():
    a = source_of([[1, 0], [0, 1], [1, 1], [np.nan, 0]], "abcd")
    b = source_of([[0, 2], [5, 5], [1, 0], [1, 0]], "bxad")
    difference = compare(a, b, neighbors=0)
    assert (difference.shared, difference.only_a, difference.only_b, difference.not_finite) == (
        3,
        1,
        1,
        1,
    )
    assert [(row.word, row.distance) for row in difference.moved] == [("b", 1), ("a", 0)]
    assert difference.overlap is None


def test_rows_without_words_are_matched_by_number():
    difference = compare(source_of([[1, 0], [0, 1]]), source_of([[1, 0], [0, 3]], "ab"))
    assert (difference.by, difference.shared) == ("row", 2)
    assert [(row.word, row.distance) for row in difference.moved] == [("b", 2), ("a", 0)]


def test_words_alone_are_compared_with_all_their_neighbors():
    stream = np.random.RandomState(0)
    words = [f"w{number}" for number in range(9)]
    a, b = (source_of(stream.rand(9, 3), words) for _ in range(2))
    difference = compare(a, b, words=["w3", "w5"], neighbors=4)
    assert {row.word for row in difference.moved} == {"w3", "w5"}
    assert (difference.neighbors, difference.overlap_words) == (4, 2)
