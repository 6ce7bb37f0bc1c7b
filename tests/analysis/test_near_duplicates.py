"""Rows that are nearly alike: the same as comparing every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.analysis import near_duplicates as module
from embedinspect.analysis.near_duplicates import COSINE, near_duplicates


def by_brute_force(rows):
    """Return the later rows, each with the nearest earlier one."""
    rows = rows.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    found = {}
    for later in range(len(rows)):
        best = None
        for earlier in range(later):
            if not lengths[earlier] or not lengths[later] or (rows[earlier] == rows[later]).all():
                continue
            cosine = rows[earlier] @ rows[later] / (lengths[earlier] * lengths[later])
            if cosine > COSINE and (best is None or cosine > best[0]):
                best = (cosine, earlier)
        if best is not None:
            found[later] = best[1]
    return found


def search(rows):
    return near_duplicates(rows, np.linalg.norm(rows, axis=1).astype(np.float32))


@given(st.integers(0, 2**31), st.integers(8, 30), st.integers(2, 60), st.floats(0.005, 0.08))
def test_every_pair_is_found_and_no_other(seed, width, count, noise):
    random = np.random.RandomState(seed)
    centres = random.normal(0, 1, (1 + count // 4, width))
    near = centres[random.randint(0, len(centres), count)]
    near = near * random.uniform(0.5, 2, (count, 1)) + random.normal(0, noise, (count, width))
    rows = near.astype(np.float32)
    rows[random.rand(count) < 0.1] = 0
    answer = search(rows)
    if answer is not None:  # all rows may point the same way
        assert answer.whole
        assert answer.rows.tolist() == list(by_brute_force(rows))
        assert (answer.near < answer.rows).all()


def test_the_nearest_of_the_earlier_rows_is_named():
    random = np.random.RandomState(0)
    rows = random.normal(0, 1, (200, 20)).astype(np.float32)
    rows[50] = rows[7] * 3
    rows[120] = rows[7] + 0.001
    answer = search(rows)
    assert answer.rows.tolist() == [50, 120]
    assert answer.near[0] == 7
    assert dict(zip(answer.rows.tolist(), answer.near.tolist(), strict=True)) == by_brute_force(
        rows
    )
    assert (answer.cosines > COSINE).all()


def test_equal_rows_are_no_near_duplicates():
    rows = np.random.RandomState(0).normal(0, 1, (50, 10)).astype(np.float32)
    rows[20] = rows[10]
    assert search(rows).rows.tolist() == []


@pytest.mark.parametrize(
    "rows",
    [
        np.random.RandomState(0).normal(0, 1, (100, 7)),  # by chance in few dimensions
        np.random.RandomState(0).normal(0, 1, (100, 20)) + 100,  # all point the same way
        np.zeros((3, 20)),
    ],
)
def test_cosines_that_tell_nothing(rows):
    assert search(rows.astype(np.float32)) is None


def test_too_many_candidates_end_the_search(monkeypatch):
    random = np.random.RandomState(0)
    rows = np.repeat(random.normal(0, 1, (4, 16)), 50, axis=0)
    rows = (rows + random.normal(0, 1e-4, rows.shape)).astype(np.float32)
    monkeypatch.setattr(module, "_PAIRS_AT_ONCE", 100)
    monkeypatch.setattr(module, "_MOST_CANDIDATES", 1000)
    answer = search(rows)
    assert not answer.whole
    assert answer.rows.size


@pytest.mark.parametrize("rank", [1, 3, 12])
def test_rows_of_few_directions_and_those_of_all_are_found(rank):
    random = np.random.RandomState(0)
    rows = random.normal(0, 1, (100, rank)) @ random.normal(0, 1, (rank, 12))
    rows = rows.astype(np.float32)
    rows[60] = rows[30] * 2
    assert search(rows).rows.tolist() == sorted(by_brute_force(rows))
