"""Runs as sources: what training moved, what it never touched, what the classifier says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embedinspect.analysis.axis import opinion, rank
from embedinspect.analysis.health import examine
from embedinspect.errors import UsageError
from embedinspect.source import SourceOptions, open_source
from embedinspect.training.run_folder import open_embedding, open_run
from tests.training.builders import BAD, GOOD


def test_a_run_is_opened_by_epoch(trained):
    run = open_run("a")
    for epoch in (None, 0, 1, run.epochs):
        source = open_source("a", SourceOptions(epoch=epoch))
        assert (source.matrix.rows == open_embedding(run, epoch).rows).all()
        assert source.epoch == (run.epochs if epoch is None else epoch)
    assert source.words.row_of("wonderful") == run.vocabulary.word_index["wonderful"]
    for name in ("layer", "tensor", "words"):
        with pytest.raises(UsageError, match=f"--{name} is set by the run folder"):
            open_source("a", SourceOptions(**{name: "x"}))


def test_rows_that_training_never_moved_are_found(trained, run):
    before, after = (
        open_source("a", SourceOptions(epoch=epoch)).matrix.rows for epoch in (0, None)
    )
    expected = np.flatnonzero((before == after).all(axis=1)).tolist()
    assert 0 in expected  # the padding, which is masked
    assert examine(open_source("a")).unmoved_rows.tolist() == expected
    assert examine(open_source("a", SourceOptions(epoch=0))).unmoved_rows is None
    code, out, _ = run("info", "a", "--json")
    assert code == 0
    assert [row["row"] for row in json.loads(out)["unmoved_rows"]] == expected
    code, out, _ = run("diff", "a", "--json")
    document = json.loads(out)
    unmoved = [row["row_a"] for row in document["moved"] if row["distance"] == 0]
    assert document["unmoved"] == len(expected)
    assert sorted(unmoved) == expected
    assert (document["a"]["epoch"], document["b"]["epoch"]) == (0, 3)


def test_the_classifier_is_asked_for_single_words(trained):
    source = open_source("a")
    axis = rank(source, BAD, GOOD)
    reserved = {source.vocabulary.oov_token, source.vocabulary.start_token}
    assert not reserved & {place.word for place in axis.places}
    found = opinion(axis)
    chances = dict(zip(found.words, found.probabilities, strict=True))
    assert list(found.probabilities) == sorted(found.probabilities)
    assert np.mean([chances[w] for w in GOOD]) > np.mean([chances[w] for w in BAD])
    assert found.correlation > 0.5
    assert found.fit.r_squared > found.fit_untrained.r_squared
    assert found.fit.words == len(axis.places)


def test_predictions_are_those_of_show(trained, run):
    found = opinion(rank(open_source("a"), BAD, GOOD))
    code, out, _ = run("show", "--from", "a", "wonderful", "--json")
    assert code == 0
    shown = json.loads(out)["texts"][0]["prediction"]["probability"]
    chance = dict(zip(found.words, found.probabilities, strict=True))["wonderful"]
    assert np.isclose(shown, chance, atol=1e-6)


def test_axis_of_a_run_prints_both_rankings(trained, run):
    arguments = ["axis", "a", "--low", "awful", "--high", "wonderful"]
    code, out, err = run(*arguments)
    assert (code, err) == (0, "")
    assert b"The classifier, on one-word texts: probability of positive" in out
    assert b"rows before training, for comparison" in out
    assert b"trained for a classifier's task" in out
    code, out, err = run(*arguments, "--epoch", "0", "--json")
    assert code == 0
    assert json.loads(out)["classifier"] is None
    assert json.loads(out)["note"] is None
    assert "the classifier is left out" in err


def test_neighbors_of_a_task_embedding_say_so(trained, run):
    for arguments in (["wonderful"], ["wonderful", "moving", "awful", "--odd-one-out"]):
        code, out, _ = run("neighbors", "a", *arguments, "--json")
        assert code == 0
        assert "not alike in meaning" in json.loads(out)["note"]
    _, out, _ = run("neighbors", "a", "wonderful", "--epoch", "0", "--json")
    assert json.loads(out)["note"] is None


def test_the_model_of_a_run_is_a_source_too(trained, run):
    """The same rows and words from model.keras and the run's vocabulary."""
    source = open_source("a")
    model = open_source("a/model.keras", SourceOptions(words="a/vocabulary.json"))
    assert (model.matrix.rows == source.matrix.rows).all()
    assert list(model.words) == list(source.words)
    assert model.warnings == ()
    code, out, _ = run(
        "show", "--from", "a/model.keras", "--words", "a/vocabulary.json", "awful", "--json",
        "--no-keras",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["texts"][0]["tokens"][0]["token"] == "awful"
    model_of_run = ["a/model.keras", "--words", "a/vocabulary.json"]
    code, out, _ = run("neighbors", *model_of_run, "awful", "--json")
    assert code == 0
    assert json.loads(out)["note"].startswith("if these rows were trained with their model")
