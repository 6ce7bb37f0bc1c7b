"""Axes: on vectors whose order is known."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.analysis.axis import Fit, fit_on, rank, split_words
from embedinspect.errors import DataError, UsageError
from embedinspect.vocabulary import Vocabulary
from tests.analysis.builders import run_of
from tests.builders import VECTORS, source_of


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


def test_some_words_alone_are_ranked(vectors):
    among = rank(vectors, ["bad"], ["good"], ["king", "awful"])
    assert [place.word for place in among.places] == ["awful", "king"]
    assert len(rank(vectors, ["bad"], ["good"], first=5).places) == 5


def test_a_word_that_is_named_twice_is_ranked_once(vectors):
    axis = rank(vectors, ["bad"], ["good"], ["king", "awful", "king", "bad"])
    assert [place.word for place in axis.places] == ["awful", "bad", "king"]


def test_a_row_that_is_not_finite_is_named():
    source = source_of([[0, 0], [2, 0], [np.nan, 0], [1, 1]], "abcd")
    axis = rank(source, ["a"], ["b"])
    assert [place.word for place in axis.places] == ["a", "d", "b"]
    assert axis.left_out == ("c",)


def test_words_that_are_named_are_one_list_that_drops_none(run):
    arguments = ["axis", str(VECTORS), "king", "awful", "queen", "--low", "bad", "--high", "good"]
    code, out, _ = run(*arguments)
    assert code == 0
    rows = [line.split()[0] for line in out.decode().splitlines()[3:6]]
    assert rows == ["awful", "king", "queen"]
    assert run(*arguments, "--first", "3")[0] == 2


def test_no_r_squared_where_there_are_no_more_words_than_weights():
    stream = np.random.RandomState(0)
    rows, values = stream.standard_normal((5, 3)), stream.standard_normal(5)
    assert fit_on(rows[:4], values[:4]) == Fit(None, 4, 4)
    assert fit_on(rows, values).r_squared < 1


def test_reserved_words_and_rows_without_a_word_are_not_ranked():
    vocabulary = Vocabulary(
        {"<START>": 1, "<OOV>": 2, "bad": 4, "good": 5}, oov_token="<OOV>", start_token="<START>"
    )
    axis = rank(run_of(vocabulary, num_words=6), ["bad"], ["good"])
    assert [place.word for place in axis.places] == ["bad", "good"]


def test_all_rows_are_ranked_where_there_are_no_words():
    axis = rank(source_of([[0, 0], [2, 0], [1, 0]]), ["#0"], ["#1"])
    assert [(place.word, place.position) for place in axis.places] == [
        ("#0", 0), ("#2", 0.5), ("#1", 1)
    ]  # fmt: skip


def test_ends_of_an_axis(vectors):
    assert split_words(vectors, ["bad awful", "ice cream"]) == ["bad", "awful", "ice cream"]
    with pytest.raises(DataError, match="same point"):
        rank(vectors, ["bad"], ["bad"])
    with pytest.raises(UsageError, match="'nope' is not among"):
        rank(vectors, ["nope"], ["bad"])


def test_a_fit_explains_what_is_linear():
    stream = np.random.RandomState(0)
    rows = stream.standard_normal((50, 3))
    assert np.isclose(fit_on(rows, rows @ [1, -2, 3] + 5).r_squared, 1)
    assert fit_on(rows, stream.standard_normal(50)).r_squared < 0.4


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
