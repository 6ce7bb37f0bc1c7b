"""The nearest rows, against a search by brute force and against gensim."""

from __future__ import annotations

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedinspect.analysis import nearest
from embedinspect.analysis.nearest import Searcher, score
from embedinspect.analysis.neighbors import ask, odd_one_out, parse
from embedinspect.errors import DataError, UsageError
from embedinspect.matrix import norms_of
from tests.builders import VECTORS, source_of

NUMBER = st.floats(-8, 8, width=16) | st.sampled_from([0.0, np.nan, np.inf])
ROWS = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2), elements=NUMBER)


def brute_force(rows, vector, top, metric, without) -> list[float]:
    """Return the best scores among the rows that may be neighbors."""
    sound = [
        row
        for row in range(len(rows))
        if row not in without
        and np.isfinite(rows[row]).all()
        and (metric != "cosine" or rows[row].any())
    ]
    scores = np.sort(score(rows[sound], vector, metric))
    return (scores if metric == "euclidean" else scores[::-1])[:top].tolist()


@given(ROWS, st.sampled_from(["cosine", "dot", "euclidean"]), st.integers(1, 4), st.data())
def test_equals_brute_force(rows, metric, top, data):
    sound = [r for r in range(len(rows)) if np.isfinite(rows[r]).all() and rows[r].any()]
    assume(sound)
    queries = data.draw(st.lists(st.sampled_from(sound), min_size=1, max_size=5))
    without = [[row] for row in queries]
    searcher = Searcher(rows, norms_of(rows), metric)
    many = searcher.nearest_of_many(rows[queries], top, without)
    for row, nearest_rows in zip(queries, many, strict=True):
        expected = brute_force(rows, rows[row], top, metric, {row})
        assert np.allclose(nearest_rows.scores, expected, rtol=1e-12, atol=1e-12)
        alone = searcher.nearest(rows[row], top, [row])
        assert np.allclose(alone.scores, expected, rtol=1e-12, atol=1e-12)
        assert row not in alone.rows
        scores = score(rows[nearest_rows.rows], rows[row], metric)
        assert np.allclose(scores, nearest_rows.scores)


def test_many_blocks_give_what_one_gives(monkeypatch):
    rows = np.random.RandomState(0).standard_normal((5000, 8)).astype(np.float32)
    rows[100:200] = rows[50]  # ties
    searcher = Searcher(rows, norms_of(rows))
    in_one_block = searcher.nearest_of_many(rows[:20], 7)
    monkeypatch.setattr(nearest, "_SCORES_AT_ONCE", 1)
    monkeypatch.setattr(nearest, "_MOST_WAITING", 100)
    monkeypatch.setattr(nearest, "_QUERIES_AT_ONCE", 6)
    in_many = searcher.nearest_of_many(rows[:20], 7)
    for first, second in zip(in_one_block, in_many, strict=True):
        assert first.rows.tolist() == second.rows.tolist()
        assert (first.scores == second.scores).all()


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
    ):
        with pytest.raises(UsageError, match=f"did you mean '{meant}"):
            parse(vectors, word)
    with pytest.raises(UsageError, match="--words FILE"):
        parse(source_of(np.eye(3)), "word")


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
