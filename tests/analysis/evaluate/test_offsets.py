"""The search for answers is exact: what it finds, scoring every row in float64 finds as well."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.analysis.evaluate import offsets
from embedinspect.analysis.evaluate.offsets import OffsetSearch
from embedinspect.analysis.evaluate.words import WordRows
from tests.builders import source_of

METHODS = ["cosadd", "cosmul", "nearest"]


@pytest.fixture(autouse=True)
def small_runs(monkeypatch):
    """Make runs so short that a small matrix has many of them."""
    monkeypatch.setattr(offsets, "_RUN", 4)
    monkeypatch.setattr(offsets, "_WIDTH", 16)
    monkeypatch.setattr(offsets, "_TOGETHER", 3)
    monkeypatch.setattr(offsets, "_BOUNDS_AT_ONCE", 80)
    monkeypatch.setattr(offsets, "_MOST_WORDS", 12)


def brute_force(rows, candidates, asked, without, top, method):
    units = rows.astype(np.float64)
    units = units / np.maximum(np.sqrt((units**2).sum(axis=1, keepdims=True)), 1e-300)
    answers = np.full((len(asked), top), -1)
    for number, (a, b, c) in enumerate(asked):
        one, two, three = (units @ units[row] for row in (a, b, c))
        if method == "cosadd":
            scores = two - one + three
        elif method == "cosmul":
            scores = (1 + two) / 2 * (1 + three) / 2 / ((1 + one) / 2 + 1e-6)
        else:
            scores = three
        left = [row for row in candidates if row not in without[number]]
        best = sorted(left, key=lambda row: (-scores[row], row))[:top]
        answers[number, : len(best)] = best
    return answers, scores


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(5, 60), top=st.integers(1, 7))
def test_the_answers_are_those_of_every_row(method, seed, count, top):
    draw = np.random.default_rng(seed)
    width = int(draw.integers(2, 9))
    rows = draw.standard_normal((count, width)).astype(np.float32)
    if seed % 3 == 0:  # an offset that all rows share makes their cosines nearly equal
        rows += 100
    rows *= np.float32(10) ** draw.integers(-18, 18, (count, 1)).astype(np.float32)
    words = [f"w{row}" if draw.random() > 0.2 or row < 4 else None for row in range(count)]
    rows[4] = 0 if seed % 2 else rows[4]
    words_of = WordRows(source_of(rows, words))
    candidates = [row for row in range(count) if words[row] and rows[row].any()]
    asked = draw.choice(candidates, (10, 3))
    without = [sorted({*map(int, three)}) for three in asked]
    ours = OffsetSearch(words_of, method).best(asked, without, top)
    theirs, _ = brute_force(rows, candidates, asked, without, top, method)
    if (ours == theirs).all():
        return
    # Rows may change places only where rounding in float64 decides.
    units = rows.astype(np.float64)
    units = units / np.maximum(np.sqrt((units**2).sum(axis=1, keepdims=True)), 1e-300)
    for number in np.flatnonzero((ours != theirs).any(axis=1)):
        a, b, c = asked[number]
        one, two, three = (units @ units[row] for row in (a, b, c))
        scores = {
            "cosadd": two - one + three,
            "cosmul": (1 + two) * (1 + three) / ((1 + one) / 2 + 1e-6),
            "nearest": three,
        }[method]
        assert ((ours[number] >= 0) == (theirs[number] >= 0)).all()
        known = ours[number] >= 0
        assert np.allclose(
            scores[ours[number][known]], scores[theirs[number][known]], rtol=1e-9, atol=1e-13
        )


@pytest.mark.parametrize("method", METHODS)
def test_of_rows_with_equal_scores_the_first_is_the_answer(method):
    rows = np.ones((40, 3), np.float32)
    rows[:3] = np.eye(3)
    words = WordRows(source_of(rows, [f"w{row}" for row in range(40)]))
    best = OffsetSearch(words, method).best(np.array([[0, 1, 2]]), [[0, 1, 2]], 5)
    assert best.tolist() == [[3, 4, 5, 6, 7]]


def test_a_row_that_float32_cannot_tell_from_others_is_found():
    """Cosines that differ by less than float32 can hold are told apart in float64."""
    rows = np.full((64, 2), [1, 1e-4], np.float32)
    rows[:, 1] += np.arange(64, dtype=np.float32) * 1e-7
    words = WordRows(source_of(rows, [f"w{row}" for row in range(64)]))
    best = OffsetSearch(words, "nearest").best(np.array([[0, 0, 40]]), [[40]], 2)
    assert sorted(best[0].tolist()) == [39, 41]


def test_the_progress_ends_with_the_number_of_questions():
    rows = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    words, told = WordRows(source_of(rows, [f"w{row}" for row in range(40)])), []
    asked = np.random.default_rng(1).integers(0, 40, (11, 3))
    OffsetSearch(words).best(asked, [[]] * 11, 1, told.append)
    assert told == sorted(told)
    assert told[-1] == 11
