"""Axes, differences, coverage: on matrices whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.analysis.axis import fit_on, rank, split_words
from embedinspect.analysis.coverage import check, cover, matrix_for
from embedinspect.analysis.diff import compare
from embedinspect.errors import DataError, UsageError
from embedinspect.vocabulary import fit
from tests.builders import VECTORS, source_of

STREAM = np.random.RandomState(0)


def test_an_axis_has_its_ends_at_0_and_1(vectors):
    axis = rank(vectors, ["bad"], ["good"])
    places = {place.word: place.position for place in axis.places}
    assert abs(places["bad"]) < 1e-12
    assert abs(places["good"] - 1) < 1e-12
    assert places["awful"] < 0 < 1 < places["wonderful"]
    assert len(axis.places) == vectors.matrix.input_dim
    low, high = (vectors.matrix.rows[vectors.words.row_of(w)] for w in ("bad", "good"))
    assert np.isclose(axis.length, np.linalg.norm(high.astype(float) - low))
    positions = [place.position for place in axis.places]
    assert positions == sorted(positions)
    assert [p.word for p in rank(vectors, ["bad"], ["good"], ["king", "awful"]).places] == [
        "awful",
        "king",
    ]
    assert len(rank(vectors, ["bad"], ["good"], first=5).places) == 5


def test_ends_of_an_axis(vectors):
    assert split_words(vectors, ["bad awful", "ice cream"]) == ["bad", "awful", "ice cream"]
    with pytest.raises(DataError, match="same point"):
        rank(vectors, ["bad"], ["bad"])
    with pytest.raises(UsageError, match="'nope' is not among"):
        rank(vectors, ["nope"], ["bad"])


def test_a_fit_explains_what_is_linear():
    rows = STREAM.standard_normal((50, 3))
    assert np.isclose(fit_on(rows, rows @ [1, -2, 3] + 5).r_squared, 1)
    assert fit_on(rows, STREAM.standard_normal(50)).r_squared < 0.4


def test_a_difference_finds_what_was_moved():
    rows = STREAM.standard_normal((40, 6)).astype(np.float32)
    words = [f"w{number}" for number in range(40)]
    moved = rows.copy()
    moved[7] += 3
    moved[9, 0] += 0.5
    found = compare(source_of(rows, words), source_of(moved[::-1], words[::-1]))
    assert [one.word for one in found.moved[:2]] == ["w7", "w9"]
    assert found.unmoved == 38
    assert (found.moved[0].row_a, found.moved[0].row_b) == (7, 32)
    assert np.isclose(found.moved[0].distance, 3 * np.sqrt(6))
    assert found.by == "word"
    assert not found.trained_apart
    assert found.moved[0].overlap < 1
    assert set(found.moved[0].gained).isdisjoint(found.moved[0].lost)


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
    found = compare(a, b, neighbors=0)
    assert (found.shared, found.only_a, found.only_b, found.not_finite) == (3, 1, 1, 1)
    assert [(one.word, one.distance) for one in found.moved] == [("b", 1), ("a", 0)]
    assert found.overlap is None


TEXTS = ["The Paris queen, the ice-cream!", "the zebra's queen"]


def test_coverage_says_what_is_missing_and_why(vectors):
    found = cover(vectors, TEXTS)
    reasons = {word.word: (word.reason, word.instead) for word in found.missing}
    assert reasons["paris"] == ("case", "Paris")
    assert reasons["zebra's"] == ("unseen", None)
    assert {word.word for word in found.covered} == {"the", "queen"}
    assert (found.occurrences, found.covered_occurrences) == (9, 5)
    assert found.reasons["case"] == (1, 1)
    found = cover(vectors, TEXTS, any_case=True)
    assert {word.source_word for word in found.covered} == {"the", "queen", "Paris"}


def test_punctuation_is_a_reason():
    source = source_of(np.eye(3), ["dont", "co-op", "x"])
    reasons = {word.word: word.instead for word in cover(source, ["don't coop"]).missing}
    assert reasons == {"don't": "dont", "coop": "co-op"}


@pytest.mark.parametrize("settings", [{}, {"num_words": 4}, {"oov_token": "<OOV>"}])
@pytest.mark.parametrize("fill", ["zeros", "random"])
def test_the_matrix_follows_the_ids(vectors, settings, fill):
    found = cover(vectors, TEXTS, any_case=True, **settings)
    matrix = matrix_for(found, fill)
    vocabulary, _ = fit(TEXTS, **settings)
    assert matrix.shape[0] == settings.get("num_words") or len(vocabulary.word_index) + 1
    assert not matrix[0].any()
    for word, id_ in vocabulary.word_index.items():
        if id_ >= len(matrix):
            continue
        row = vectors.words.row_of("Paris" if word == "paris" else word)
        if row is not None and word != "<OOV>":
            assert (matrix[id_] == vectors.matrix.rows[row]).all()
        else:
            assert matrix[id_].any() == (fill == "random")
    assert check(found, matrix) == len(found.covered)
    for wrong in (np.roll(matrix, 1, axis=0), matrix[:-1], matrix + 1):
        with pytest.raises(DataError):
            check(found, wrong)


def test_coverage_by_a_saved_vocabulary(vectors):
    vocabulary, _ = fit(["queen the king"], oov_token="?")
    found = cover(vectors, ["the unknown king"], vocabulary=vocabulary)
    assert [(word.word, word.id, word.occurrences) for word in found.words] == [
        ("the", 3, 1),
        ("king", 4, 1),
        ("queen", 2, 0),
    ]
    assert found.dropped == 1
    assert found.reserved == (0, 1)


def test_coverage_needs_words_and_matches():
    with pytest.raises(UsageError, match="no words"):
        cover(source_of(np.eye(2)), ["a"])
    with pytest.raises(DataError, match="no word of the texts"):
        matrix_for(cover(source_of(np.eye(2), "ab"), ["x y"]))


def test_every_word_behind_an_end_belongs_to_it(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    quoted = run("axis", str(VECTORS), "--low", "bad awful", "--high", "good", "--json")
    assert quoted[0] == 0
    for words in (
        ["--low", "bad", "awful", "--high", "good"],
        ["--low", "bad", "--low", "awful", "--high", "good"],
        ["--high", "good", "--low", "bad", "awful"],
    ):
        assert run("axis", str(VECTORS), *words, "--json") == quoted
    code, _, err = run("axis", str(VECTORS), "--low", "--high", "good")
    assert (code, err) == (2, "Error: --low has no word; expected one or more behind it\n")
