"""The nearest rows, against a search by brute force and against gensim."""

from __future__ import annotations

import re
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedinspect.analysis import best_bounds, nearest
from embedinspect.analysis.nearest import Searcher, score
from embedinspect.analysis.neighbors import ask, ask_each, odd_one_out, parse
from embedinspect.errors import DataError, UsageError
from embedinspect.matrix import norms_of
from embedinspect.stored_rows import StoredRows, from_bfloat16
from tests.builders import VECTORS, source_of

NUMBER = st.floats(-8, 8, width=16) | st.sampled_from([0.0, np.nan, np.inf])
ROWS = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2), elements=NUMBER)


METRICS = ("cosine", "dot", "euclidean")


def brute_force(rows, vector, top, metric, without) -> tuple[list[int], list[float]]:
    """Return the nearest rows by float64 scores of all, the lowest number first of equal ones."""
    sound = np.isfinite(rows).all(axis=1)
    if metric == "cosine":
        sound &= rows.any(axis=1)
    sound[list(without)] = False
    places = np.flatnonzero(sound)
    scores = score(rows[places], vector, metric)
    order = np.argsort(scores if metric == "euclidean" else -scores, kind="stable")[:top]
    return places[order].tolist(), scores[order].tolist()


def answer(nearest_rows) -> tuple[list[int], list[float]]:
    return nearest_rows.rows.tolist(), nearest_rows.scores.tolist()


@given(ROWS, st.sampled_from(METRICS), st.integers(1, 4), st.data())
def test_equals_brute_force(rows, metric, top, data):
    sound = [r for r in range(len(rows)) if np.isfinite(rows[r]).all() and rows[r].any()]
    assume(sound)
    queries = data.draw(st.lists(st.sampled_from(sound), min_size=1, max_size=5))
    searcher = Searcher(rows, norms_of(rows), metric)
    many = searcher.nearest_of_many(rows[queries], top, [[row] for row in queries])
    for row, nearest_rows in zip(queries, many, strict=True):
        expected = brute_force(rows, rows[row], top, metric, {row})
        assert answer(nearest_rows) == expected
        assert answer(searcher.nearest(rows[row], top, [row])) == expected


HOSTILE = {
    "denormal": lambda draws: draws * 1e-41,
    "tiny": lambda draws: draws * 1e-25,
    "huge": lambda draws: draws * 1e25,
    "at the end of float32": lambda draws: draws * 6e37,
    "of every length": lambda draws: draws * 10.0 ** np.linspace(-40, 30, len(draws))[:, None],
    "with an offset": lambda draws: draws + 1000,
    "with one dimension of 10,000": lambda draws: draws + np.eye(1, draws.shape[1]) * 10_000,
    "whole": lambda draws: np.round(draws),
    "copies": lambda draws: draws[np.arange(len(draws)) % 3],
    "one-hot": lambda draws: np.eye(*draws.shape),
    "some zeros": lambda draws: draws * (np.arange(len(draws)) % 2)[:, None],
}


@pytest.mark.parametrize("kind", HOSTILE)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 30]), st.sampled_from([5, 60, 2000]))
@settings(max_examples=8)
def test_hostile_numbers_have_the_nearest_rows_of_float64(kind, seed, width, count):
    draws = np.random.RandomState(seed).standard_normal((count, width))
    rows = HOSTILE[kind](draws).astype(np.float32)
    queries = [int(row) for row in np.flatnonzero(rows.any(axis=1))[:4]]
    assume(queries)
    for metric in METRICS:
        searcher = Searcher(rows, norms_of(rows), metric)
        many = searcher.nearest_of_many(rows[queries], 3, [[row] for row in queries])
        for row, nearest_rows in zip(queries, many, strict=True):
            expected = brute_force(rows, rows[row], 3, metric, {row})
            assert answer(nearest_rows) == expected
            assert answer(searcher.nearest(rows[row], 3, [row])) == expected


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("share", [0, 0.004, 0.3, 0.7, 1])
def test_blocks_with_many_rows_that_are_left_out(monkeypatch, metric, share):
    """The rows left out of each block are none, some, most, and all of those in some blocks."""
    monkeypatch.setattr(nearest, "_SCORES_AT_ONCE", 1)
    stream = np.random.RandomState(0)
    rows = np.where(stream.random((3000, 1)) < share, stream.standard_normal((3000, 4)), 0)
    rows[np.flatnonzero(stream.random(3000) < 0.4), 2] = np.nan
    rows[[0, 2999]] = [[1, 2, 3, 4], [4, 3, 2, 1]]
    rows = rows.astype(np.float32)
    queries = np.flatnonzero(np.isfinite(rows).all(axis=1) & rows.any(axis=1))[[0, -1]]
    searcher = Searcher(rows, norms_of(rows), metric)
    many = searcher.nearest_of_many(rows[queries], 9, [[int(row)] for row in queries])
    for row, nearest_rows in zip(queries.tolist(), many, strict=True):
        expected = brute_force(rows, rows[row], 9, metric, {row})
        assert answer(nearest_rows) == expected
        assert answer(searcher.nearest(rows[row], 9, [row])) == expected
        assert answer(searcher._among_all(rows[row].astype(np.float64), 9, [row])) == expected


@given(
    st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.0, np.inf, np.nan]), max_size=9), max_size=6),
    st.integers(1, 8),
    st.booleans(),
)
def test_the_best_scores_of_parts_are_those_of_all(parts, top, least):
    best = best_bounds.BestScores(top, least=least)
    start = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(best_bounds, "_MOST_WAITING", 3)
        for part in parts:
            best.take(np.arange(start, start + len(part)), np.array(part, np.float64))
            start += len(part)
    scores = np.array([score for part in parts for score in part], np.float64)
    order = np.argsort(scores if least else -scores, kind="stable")[:top]
    rows, kept = best.found()
    assert rows.tolist() == order.tolist()
    assert np.array_equal(kept, scores[order], equal_nan=True)


@pytest.mark.parametrize("metric", METRICS)
def test_of_more_equal_rows_than_are_wanted_the_first_come_first(metric):
    rows = np.ones((6000, 5), np.float32)
    rows[0] = [1, 2, 3, 4, 5]
    searcher = Searcher(rows, norms_of(rows), metric)
    assert searcher.nearest(rows[0], 4, [0]).rows.tolist() == [1, 2, 3, 4]
    both = searcher.nearest_of_many(rows[:2], 4, [[0], [1, 2]])
    assert both[0].rows.tolist() == [1, 2, 3, 4]
    if metric != "dot":
        assert both[1].rows.tolist() == [3, 4, 5, 6]


def test_rows_of_one_direction_have_one_cosine():
    rows = np.array([[1, 1], [3, 3], [7, 7], [2, 1]], np.float32)
    scores = score(rows, rows[3], "cosine")
    assert scores[0] == scores[1] == scores[2]
    assert np.isclose(scores[0], 3 / np.sqrt(10), rtol=1e-15)


@pytest.mark.parametrize("metric", METRICS)
def test_scores_are_those_of_exact_arithmetic(metric):
    rows = np.random.RandomState(1).standard_normal((20, 7)).astype(np.float32)
    for row, value in zip(rows.tolist(), score(rows, rows[3], metric).tolist(), strict=True):
        a, b = ([Fraction(number) for number in vector] for vector in (row, rows[3].tolist()))
        product = sum(x * y for x, y in zip(a, b, strict=True))
        exact = {
            "dot": float(product),
            "euclidean": float(sum((x - y) ** 2 for x, y in zip(a, b, strict=True))) ** 0.5,
            "cosine": float(product)
            / (float(sum(x * x for x in a)) * float(sum(y * y for y in b))) ** 0.5,
        }[metric]
        assert np.isclose(value, exact, rtol=1e-13, atol=1e-14)


def test_a_vector_that_is_not_finite_has_no_neighbors():
    rows = np.eye(3, dtype=np.float32)
    searcher = Searcher(rows, norms_of(rows))
    vectors = np.array([[np.nan, 0, 0], [1, 0, 0]])
    none, one = searcher.nearest_of_many(vectors, 2)
    assert not len(none.rows)
    assert not len(searcher.nearest(vectors[0], 2).rows)
    assert one.rows.tolist() == [0, 1]


def test_many_blocks_give_what_one_gives(monkeypatch):
    rows = np.random.RandomState(0).standard_normal((5000, 8)).astype(np.float32)
    rows[100:200] = rows[50]  # ties
    searcher = Searcher(rows, norms_of(rows))
    in_one_block = searcher.nearest_of_many(rows[:20], 7)
    monkeypatch.setattr(nearest, "_SCORES_AT_ONCE", 1)
    monkeypatch.setattr(best_bounds, "_MOST_WAITING", 100)
    monkeypatch.setattr(nearest, "_QUERIES_AT_ONCE", 6)
    in_many = searcher.nearest_of_many(rows[:20], 7)
    for first, second in zip(in_one_block, in_many, strict=True):
        assert first.rows.tolist() == second.rows.tolist()
        assert (first.scores == second.scores).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("width", [20, 300])
def test_rows_that_stay_as_they_are_stored_are_searched_without_a_copy(metric, width):
    draws = np.random.RandomState(0).standard_normal((2**22 // width, width)).astype(np.float32)
    draws[10], draws[20, 3], draws[-1, -1] = 0, np.nan, np.inf
    draws[50:60] = draws[1]
    halves = (draws.view(np.uint32) >> 16).astype(np.uint16)
    rows = StoredRows(halves, draws.shape, from_bfloat16)
    expected = brute_force(np.asarray(rows), rows[1], 12, metric, {1})
    tracemalloc.start()
    searcher = Searcher(rows, norms_of(rows), metric)
    found = searcher.nearest(rows[1], 12, [1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer(found) == expected
    assert peak < 0.75 * rows.nbytes


def test_equals_gensim(vectors, tmp_path):
    path = tmp_path / "vectors.txt"  # gensim reads no words with spaces
    path.write_text(VECTORS.read_text().replace("ice cream", "ice_cream"))
    oracle = KeyedVectors.load_word2vec_format(str(path), no_header=True)
    for text, positive, negative in (
        ("king", ["king"], []),
        ("king - man + woman", ["king", "woman"], ["man"]),
        ("- bad + good", ["good"], ["bad"]),
    ):
        expected = oracle.most_similar(positive=positive, negative=negative, topn=6)
        neighbors = ask(vectors, [parse(vectors, text)], top=6).answers[0].neighbors
        names = [neighbor.word.replace(" ", "_") for neighbor in neighbors]
        assert names == [word for word, _ in expected]
        scores = [neighbor.score for neighbor in neighbors]
        assert np.allclose(scores, [value for _, value in expected], atol=1e-6)
    group = ["breakfast", "cereal", "dinner", "car"]
    assert odd_one_out(vectors, group).odd.word == oracle.doesnt_match(group) == "car"


def test_a_word_of_that_very_spelling_wins():
    source = source_of(np.eye(4), ["a - b", "a", "b", "c"])
    assert [term.word for term in parse(source, "a - b").terms] == ["a - b"]
    assert [(term.word, term.sign) for term in parse(source, "a + b").terms] == [("a", 1), ("b", 1)]
    assert [(t.word, t.sign) for t in parse(source, "- c + a").terms] == [("c", -1), ("a", 1)]


def test_rows_by_number():
    source = source_of(np.eye(4), ["a", None, "#2", "d"])
    assert parse(source, "#1").terms[0].row == 1
    assert parse(source, "#2").terms[0].row == 2
    assert ask(source, [parse(source, "a")], top=9).answers[0].neighbors[0].word == "#1"
    assert parse(source_of(np.eye(3)), "2").terms[0].row == 2
    for text in ("#4", "#99999999999999999999"):
        with pytest.raises(UsageError, match="expected 0 to 3"):
            parse(source, text)


def test_words_that_are_missing_name_close_ones(vectors):
    for word, meant in (
        ("King", "king"),
        ("paris", "Paris"),
        ("womann", "woman"),
        ("qeen", "queen"),
        ("kng", "king"),
    ):
        with pytest.raises(UsageError, match=f"did you mean '{meant}"):
            parse(vectors, word)
    with pytest.raises(UsageError, match="--words FILE"):
        parse(source_of(np.eye(3)), "word")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-", "'-' is a sign that stands alone; expected a sum of words in one quoted argument"),
        ("king - ", "lacks a word beside a sign"),
        ("king - + man", "lacks a word beside a sign"),
        ("+ king - man - ", "lacks a word beside a sign"),
    ],
)
def test_a_sum_that_is_not_whole_is_an_error(vectors, text, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        parse(vectors, text)


def test_a_question_without_an_answer_leaves_the_others_whole(vectors):
    texts = ["king", "kng", "king - man + woman", "king - king"]
    neighborhood = ask_each(vectors, texts, top=3)
    assert [answer.question.text for answer in neighborhood.answers] == texts
    assert "did you mean 'king'?" in neighborhood.answers[1].error
    assert "vector of zeros" in neighborhood.answers[3].error
    assert len(neighborhood.unanswered) == 2
    whole = ask(vectors, [parse(vectors, texts[0]), parse(vectors, texts[2])], top=3)
    assert (neighborhood.answers[0], neighborhood.answers[2]) == whole.answers


def test_close_words_are_looked_for_only_a_few_times(vectors, monkeypatch):
    searched = []
    monkeypatch.setattr(type(vectors.words), "close_to", lambda _, word: searched.append(word))
    neighborhood = ask_each(vectors, [f"unknown {number}" for number in range(100)], top=1)
    assert len(neighborhood.unanswered) == 100
    assert 0 < len(searched) <= 20


def test_progress_counts_the_questions_that_are_answered(vectors, monkeypatch):
    monkeypatch.setattr(nearest, "_QUERIES_AT_ONCE", 2)
    counts = []
    ask_each(vectors, ["king", "queen", "man"], top=1, progress=counts.append)
    assert counts == [2, 3]


def test_rows_that_have_no_direction():
    source = source_of([[0, 0], [1, 0], [np.nan, 1], [0, 1]], "abcd")
    for text, says in (("a", "vector of zeros"), ("c", "NaN or infinity"), ("b - b", "zeros")):
        with pytest.raises(DataError, match=says):
            ask(source, [parse(source, text)], top=2)
    neighborhood = ask(source, [parse(source, "b")], top=5)
    assert [neighbor.word for neighbor in neighborhood.answers[0].neighbors] == ["d"]
    assert neighborhood.left_out == 2
    assert ask(source, [parse(source, "a")], top=5, metric="euclidean").left_out == 1
    with pytest.raises(DataError, match="zero or not finite"):
        odd_one_out(source, ["a", "b", "d"])
    with pytest.raises(UsageError, match="--odd-one-out has 2 words; expected three or more"):
        odd_one_out(source, ["b", "d"])
