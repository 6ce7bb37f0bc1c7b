"""How often rows are neighbors, against brute force in NumPy and the skewness of SciPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew

from embedinspect.analysis import hubs
from embedinspect.analysis.hubs import how_many_to_ask, occurrences
from embedinspect.output.hubs import facts
from tests.builders import source_of

METRICS = ("cosine", "dot", "euclidean")


def brute_force(rows, k, metric, asked=None) -> np.ndarray:
    """Return how often each row is among the k nearest of those asked, the first of equal ones."""
    wide = rows.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    if metric == "euclidean":
        nearness = -np.linalg.norm(wide[:, None] - wide[None], axis=2)
    else:
        nearness = wide @ wide.T
    if metric == "cosine":
        nearness = nearness / np.outer(lengths, lengths)
    counts = np.zeros(len(rows), np.int64)
    for row in range(len(rows)) if asked is None else asked:
        own = nearness[row].copy()
        own[row] = -np.inf
        counts[np.argsort(-own, kind="stable")[:k]] += 1
    return counts


@pytest.mark.parametrize("metric", METRICS)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(8, 60), st.integers(2, 20))
@settings(max_examples=15)
def test_counts_and_skewness_are_those_of_brute_force(metric, seed, k, count, width):
    rows = np.random.RandomState(seed).standard_normal((count, width)).astype(np.float32)
    found = occurrences(source_of(rows), k=k, metric=metric)
    expected = brute_force(rows, k, metric)
    assert found.counts.tolist() == expected.tolist()
    assert (found.rows, found.asked, found.sampled) == (count, count, False)
    assert found.anti_hubs == (expected == 0).sum()
    if expected.std():
        assert np.isclose(found.skewness, skew(expected), rtol=1e-9, atol=1e-9)
    else:
        assert found.skewness is None
    assert found.hubs[0].count == expected.max()
    assert found.hubs[0].row == expected.argmax()
    assert found.hubs[0].share == expected.max() / count


def test_a_hub_is_found_and_named_first():
    directions = np.random.RandomState(0).standard_normal((300, 20))
    rows = directions / np.linalg.norm(directions, axis=1, keepdims=True) + 0.2
    rows[17] = rows.mean(axis=0)  # what is nearest to the middle is near to all
    found = occurrences(source_of(rows))
    assert found.hubs[0].row == 17
    assert found.hubs[0].share > 0.3
    assert found.skewness > 3


def test_a_sample_counts_the_neighbors_of_its_rows_among_all_rows():
    rows = np.random.RandomState(1).standard_normal((400, 6)).astype(np.float32)
    found = occurrences(source_of(rows), work=50 * 400 * (6 + 64), seed=3)
    assert (found.asked, found.sampled, found.anti_hubs) == (50, True, None)
    asked = np.random.RandomState(3).permutation(400)[:50]
    assert found.counts.tolist() == brute_force(rows, 10, "cosine", asked).tolist()
    again = occurrences(source_of(rows), work=50 * 400 * (6 + 64), seed=3)
    assert again.counts.tolist() == found.counts.tolist()
    assert all(hub.share == hub.count / 50 for hub in found.hubs)


def test_the_skewness_of_samples_is_that_of_all_rows_on_average_and_as_near_as_they_say():
    rows = np.random.RandomState(2).standard_normal((600, 20)).astype(np.float32) + 0.5
    whole = occurrences(source_of(rows), work=None)
    samples = [
        occurrences(source_of(rows), work=300 * 600 * (20 + 64), seed=seed) for seed in range(30)
    ]
    values = np.array([sample.skewness for sample in samples])
    errors = np.array([sample.skewness_error for sample in samples])
    assert whole.skewness_error is None
    assert abs(values.mean() - whole.skewness) < 0.1
    assert 0.5 < values.std() / np.median(errors) < 2


def test_a_sample_that_is_too_small_says_nothing_of_the_skewness():
    rows = np.random.RandomState(0).standard_normal((2000, 10))
    assert occurrences(source_of(rows), work=20 * 2000 * (10 + 64)).skewness is None


def test_rows_without_a_direction_take_no_part():
    rows = np.random.RandomState(0).standard_normal((30, 4))
    rows[3], rows[5, 1], rows[6, 2] = 0, np.nan, np.inf
    found = occurrences(source_of(rows), k=3)
    assert found.rows == 27
    assert found.counts[[3, 5, 6]].tolist() == [0, 0, 0]
    assert found.counts.sum() == 27 * 3
    assert occurrences(source_of(rows), k=3, metric="euclidean").rows == 28


def test_copies_beyond_the_first_are_nobodys_neighbors_and_cost_no_time(monkeypatch):
    rows = np.random.RandomState(0).standard_normal((200, 4)).astype(np.float32)
    rows[50:150] = rows[0]
    one_by_one = occurrences(source_of(rows), k=3)
    monkeypatch.setattr(hubs, "_MANY_COPIES", 10)
    without = occurrences(source_of(rows), k=3)
    assert without.counts.tolist() == one_by_one.counts.tolist()
    assert (without.counts[53:150] == 0).all()
    assert without.skewness == one_by_one.skewness


def test_of_too_few_rows_nothing_is_said():
    assert occurrences(source_of(np.eye(11))) is None
    everyone = occurrences(source_of(np.eye(12)))
    assert everyone is not None


def test_progress_and_work(monkeypatch):
    monkeypatch.setattr(hubs, "_ASKED_AT_ONCE", 16)
    told = []
    rows = np.random.RandomState(0).standard_normal((40, 3))
    occurrences(source_of(rows), progress=told.append)
    assert told == [16, 32, 40]
    assert how_many_to_ask(5000, 32) == 5000
    assert how_many_to_ask(100_000, 384) < 1000
    assert how_many_to_ask(2**40, 1) == 1


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (0, "every row is among the nearest of another"),
        (1, "1 row is never among the nearest of another"),
        (76, "76 rows are never among the nearest of another"),
    ],
)
def test_rows_that_are_nobodys_neighbor_are_told_in_a_sentence(rows, says):
    source = source_of(np.random.RandomState(0).standard_normal((30, 4)))
    found = replace(occurrences(source), anti_hubs=rows)
    assert any(says in str(fact) for fact in facts(source, found))
