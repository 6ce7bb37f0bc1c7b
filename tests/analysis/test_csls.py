"""Cosines that are corrected against hubs, beside brute force in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedinspect.analysis import csls
from embedinspect.analysis.csls import LocalScaling
from embedinspect.analysis.nearest import Searcher
from embedinspect.analysis.neighbors import ask, ask_each, parse
from embedinspect.errors import UsageError
from embedinspect.matrix import norms_of
from tests.builders import source_of


class BruteForce:
    """The CSLS of a vector with every row, by the formula; minus infinity for none."""

    def __init__(self, rows, k=10) -> None:
        wide = rows.astype(np.float64)
        lengths = np.linalg.norm(wide, axis=1)
        self.k, self.sound = k, np.isfinite(lengths) & (lengths > 0)
        self.units = np.where(self.sound[:, None], wide, 0)
        self.units /= np.where(self.sound, lengths, 1)[:, None]
        cosines = np.where(self.sound[:, None] & self.sound, self.units @ self.units.T, -np.inf)
        np.fill_diagonal(cosines, -np.inf)
        near = min(k, self.sound.sum() - 1)
        self.means = np.sort(cosines, axis=1)[:, -near:].mean(axis=1)

    def __call__(self, query, without) -> np.ndarray:
        own = self.units @ (query / np.linalg.norm(query))
        own[~self.sound] = -np.inf
        own[list(without)] = -np.inf
        kept = own[own > -np.inf]
        return 2 * own - np.sort(kept)[-self.k :].mean() - np.where(self.sound, self.means, 0)


def brute_force(rows, query, without, k=10) -> np.ndarray:
    return BruteForce(rows, k)(query, without)


def scaling_of(rows, k=10) -> LocalScaling:
    return LocalScaling(Searcher(rows, norms_of(rows)), k)


def agrees(found, expected, top) -> bool:
    """Return whether rows are the best ones, however equal scores are rounded."""
    best = np.sort(expected[expected > -np.inf])[::-1][:top]
    scores_are_right = np.allclose(found.scores, expected[found.rows], rtol=0, atol=1e-12)
    return scores_are_right and np.allclose(found.scores, best, rtol=0, atol=1e-12)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([3, 12, 40, 400]),
    st.integers(2, 12),
    st.sampled_from([0, 0.5, 3]),
    st.integers(1, 15),
)
@settings(max_examples=40)
def test_equals_brute_force(seed, count, width, offset, top):
    draws = np.random.RandomState(seed)
    rows = (draws.standard_normal((count, width)) + offset).astype(np.float32)
    if seed % 3 == 0:
        rows[draws.randint(count)], rows[draws.randint(count), 0] = 0, np.nan
    query = int(draws.randint(count))
    if not np.isfinite(rows[query]).all() or not rows[query].any():
        rows[query] = 1
    if (np.isfinite(rows).all(axis=1) & rows.any(axis=1)).sum() < 3:
        return
    found = scaling_of(rows).nearest(rows[query], top, [query])
    assert agrees(found, brute_force(rows, rows[query].astype(np.float64), [query]), top)
    free = draws.standard_normal(width)
    assert agrees(scaling_of(rows).nearest(free, top), brute_force(rows, free, []), top)


def test_one_question_measures_few_rows_and_many_measure_all(monkeypatch):
    monkeypatch.setattr(csls, "_ROWS_OF_A_QUESTION", 100)
    draws = np.random.RandomState(0)
    middles = draws.standard_normal((40, 30))[draws.randint(40, size=4000)]
    rows = (middles + 0.3 * draws.standard_normal((4000, 30))).astype(np.float32)
    one, expected = scaling_of(rows), BruteForce(rows)
    found = one.nearest(rows[0], 10, [0])
    assert agrees(found, expected(rows[0].astype(np.float64), [0]), 10)
    assert np.isfinite(one._means).sum() < 400
    told, all_rows = [], scaling_of(rows)
    many = all_rows.nearest_of_many(list(rows[:40]), 5, [[n] for n in range(40)], told.append)
    assert np.isfinite(all_rows._means).all()
    assert told[-1] == csls.steps(40, 4000) == 4040
    for row, found in enumerate(many):
        assert agrees(found, expected(rows[row].astype(np.float64), [row]), 5)


def test_what_the_nearest_by_cosine_do_not_hold_is_found_all_the_same(monkeypatch):
    """Rows around a hub crowd in by cosine; the nearest by CSLS stands alone behind them."""
    monkeypatch.setattr(csls, "_FIRST", 12)
    draws = np.random.RandomState(1)
    crowd = np.array([1.0, 0.75, 0]) + 0.01 * draws.standard_normal((60, 3))
    rows = np.vstack([[1.0, 0, 0], crowd, [0.7, -0.7, 0.3]]).astype(np.float32)
    found = scaling_of(rows).nearest(rows[0], 1, [0])
    by_cosine = Searcher(rows, norms_of(rows)).nearest(rows[0], 60, [0])
    assert found.rows.tolist() == [61]
    assert 61 not in by_cosine.rows


def test_rows_beyond_float32_are_measured_too():
    draws = np.random.RandomState(0)
    rows = draws.standard_normal((300, 8))
    rows[::7] *= 1e-30
    rows = rows.astype(np.float32)
    for query in (0, 1):
        found = scaling_of(rows).nearest(rows[query], 9, [query])
        assert agrees(found, brute_force(rows, rows[query].astype(np.float64), [query]), 9)


def test_of_equal_rows_the_first_come_first():
    rows = np.vstack([np.eye(4), np.eye(4), np.eye(4)]).astype(np.float32)
    found = scaling_of(rows, k=2).nearest(rows[0], 3, [0])
    assert found.rows.tolist()[:2] == [4, 8]
    assert found.cosines.tolist()[:2] == [1, 1]


def test_neighbors_have_both_numbers_and_other_metrics_are_refused():
    rows = np.random.RandomState(0).standard_normal((30, 5))
    source = source_of(rows, [f"w{row}" for row in range(30)])
    one = ask(source, [parse(source, "w3")], top=4, csls=True)
    expected = brute_force(np.float32(rows), np.float32(rows)[3].astype(float), [3])
    neighbors = one.answers[0].neighbors
    assert [each.row for each in neighbors] == np.argsort(-expected)[:4].tolist()
    assert np.allclose([each.score for each in neighbors], np.sort(expected)[::-1][:4])
    unit = np.float32(rows).astype(float)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    assert np.allclose([n.cosine for n in neighbors], [unit[3] @ unit[n.row] for n in neighbors])
    assert one.csls == 10
    assert ask_each(source, ["w3", "none"], top=4, csls=True).answers[0].neighbors == neighbors
    assert ask(source, [parse(source, "w3")], top=1).answers[0].neighbors[0].cosine is None
    with pytest.raises(UsageError, match="--metric is dot; leave out one"):
        ask(source, [parse(source, "w3")], top=4, csls=True, metric="dot")
