"""A session: the settings and data that it decides on, what it refuses, and the run it leaves."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from embedinspect.errors import DataError, UsageError
from embedinspect.training import memory, run_folder, session
from embedinspect.training.run_state import DONE, NOT_A_NUMBER, STOPPED_EARLY, TRAINING
from embedinspect.training.settings import TrainSettings
from tests.training.builders import SIZES


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def change_state(**changes) -> None:
    """Change what `run.json` of the run `a` says."""
    path = Path("a/run.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# -- a new run ---------------------------------------------------------------------------------


def test_settings_follow_small_data_where_none_were_given(table):
    begun = session.begin(str(table), {"units": 7, "epochs": 2})
    rows = len(begun.data.vocabulary.word_index) + 1
    assert begun.chosen == {
        "num_words": rows,
        "maxlen": begun.summary.longest,
        "output_dim": 16,
        "batch_size": 8,
        "learning_rate": 0.005,
        "mask_zero": True,
    }
    assert begun.settings == TrainSettings(**begun.chosen, units=7, epochs=2)
    [note] = begun.notes
    assert note.startswith(f"The settings follow the size of the data: num_words {rows}, maxlen ")


def test_imdb_keeps_the_classic_settings(imdb_file):
    begun = session.begin("imdb", {}, data=str(imdb_file))
    assert begun.settings == TrainSettings()
    assert (begun.chosen, begun.notes, begun.warnings) == ({}, (), ())
    assert (begun.summary.train_reviews, begun.summary.test_reviews) == (120, 40)


def test_data_and_summary_are_those_of_the_settings(table):
    begun = session.begin(str(table), {"num_words": 6, "limit": 50})
    assert max(int(ids.max()) for ids in begun.data.train.ids) == 5
    assert begun.data.vocabulary.num_words == 6
    assert (len(begun.data.train), begun.summary.train_reviews) == (50, 50)
    assert begun.summary.out_of_vocabulary > 0


def test_the_run_is_kept_under_the_name_of_the_data(table):
    assert session.begin(str(table), SIZES).out == Path("runs/reviews")
    assert session.begin(str(table), SIZES, out="mine").out == Path("mine")
    assert not Path("runs").exists()


def test_columns_are_passed_on(tmp_path):
    rows = "".join(f"{label},{word} film\n" for label in (0, 1) for word in "abcde")
    (tmp_path / "moods.csv").write_text(f"mood,words\n{rows}")
    begun = session.begin("moods.csv", SIZES, text_column="words", label_column="mood")
    assert begun.data.label_names == ("0", "1")


def test_a_path_that_is_taken_is_refused_before_the_data_is_read(trained):
    with pytest.raises(UsageError, match="'a' exists already"):
        session.begin("missing.csv", {}, out="a")


def test_warnings_are_returned(table):
    [warning] = session.begin(str(table), {"early_stopping": 2}).warnings
    assert "--validation" in warning


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"units": 99_999_999}, "--units is 99999999; expected 1 to 100,000$"),
        ({"output_dim": 99_999_999}, "--output-dim is 99999999; expected 1 to 100,000$"),
        ({"num_words": 99_999_999}, "--num-words is 99999999; expected 1 to 10,000,000$"),
        ({"maxlen": 10**6}, "--maxlen is 1000000; expected 1 to 100,000$"),
        ({"epochs": 10**6}, "--epochs is 1000000; expected 1 to 50,000$"),
        ({"learning_rate": 1e30}, r"--learning-rate is 1e\+30; expected 0 to 1e\+06$"),
        (
            {"units": 100_000},
            "40,006,800,000 of them in the LSTM .*; expected at most 2,147,483,648",
        ),
        ({"validation": 0.001}, "--validation 0.001 holds out 0 of 160 training reviews; expected"),
        ({"validation": 0.9, "limit": 4}, "--validation 0.9 holds out 4 of 4 training reviews;"),
    ],
)
def test_settings_that_no_run_could_have_are_refused_before_anything_is_written(
    table, options, says
):
    with pytest.raises(UsageError, match=says):
        session.begin(str(table), options)
    assert not Path("runs").exists()


def test_a_classifier_that_does_not_fit_is_refused_with_both_sizes(table, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10**9)
    begun = session.begin(str(table), {"units": 5000, "output_dim": 8}, out="a")
    with pytest.raises(UsageError, match=r"takes 1\.6 GB of memory or more, but 1\.0 GB are there"):
        session.build(begun)
    assert not Path("a").exists()


@pytest.mark.parametrize("options", [{}, {"data": "x" * 300}])
def test_a_name_that_is_too_long_is_said_in_one_line(options):
    name = "imdb" if options else "x" * 300
    with pytest.raises(DataError, match="file name too long"):
        session.begin(name, {}, **options)


# -- a run that is resumed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "others", "refused"),
    [
        ({"units": 3}, {}, "--units"),
        ({"epochs": 4, "mask_zero": False}, {}, "--mask-zero"),
        ({}, {"out": "b"}, "--out"),
        ({}, {"force": True}, "--force"),
        ({}, {"text_column": "words"}, "--text-column"),
        ({}, {"label_column": "mood"}, "--label-column"),
    ],
)
def test_a_run_keeps_its_own_settings(options, others, refused):
    with pytest.raises(UsageError, match=f"^{refused} does not go with --resume"):
        session.resume("a", options, **others)


def test_more_epochs_make_a_run_that_is_done_go_on(trained):
    resumed = session.resume("a", {"epochs": 5})
    assert resumed.run.status == TRAINING
    assert resumed.run.settings == resumed.settings
    assert resumed.settings == dataclasses.replace(run_folder.open_run("a").settings, epochs=5)
    assert (resumed.out, resumed.notes, resumed.chosen) == (Path("a"), (), {})
    assert resumed.summary.train_reviews == 160


def test_a_run_that_is_done_keeps_its_epochs(trained):
    resumed = session.resume("a", {})
    assert (resumed.run.status, resumed.settings.epochs) == (DONE, 3)
    assert resumed.notes == ("a is finished; to train more epochs: --resume a --epochs N",)


@pytest.mark.parametrize("epochs", [1, 3])
def test_epochs_that_a_run_has_already_are_said_to_train_nothing(trained, epochs):
    resumed = session.resume("a", {"epochs": epochs})
    assert (resumed.run.status, resumed.settings.epochs) == (DONE, 3)
    assert resumed.notes == (
        f"nothing is trained: --epochs {epochs} counts those of the run, too, and 3 are finished; "
        "to train more: --epochs 4 or above",
    )


@pytest.mark.parametrize("status", [STOPPED_EARLY, NOT_A_NUMBER])
def test_a_run_that_has_ended_is_not_trained_any_further(trained, status):
    history = json.loads(Path("a/run.json").read_text())["history"]
    validation = {"validation_loss": 0.5, "validation_accuracy": 0.5}
    change_state(status=status, history=[epoch | validation for epoch in history])
    resumed = session.resume("a", {"epochs": 5})
    assert resumed.run.status == status
    assert resumed.notes == (f"a has ended ({status}) and is not trained any further",)


def test_the_data_may_have_moved(trained):
    trained.rename("moved.csv")
    with pytest.raises(DataError, match=r"not at .*reviews.csv. any more; .* new path with --data"):
        session.resume("a", {})
    resumed = session.resume("a", {}, data="moved.csv")
    assert resumed.data.fingerprint == resumed.run.data["fingerprint"]


def test_a_folder_trained_with_fewer_words_is_the_same_data_again(folder):
    begun = session.begin(str(folder), {**SIZES, "num_words": 8}, out="a")
    session.build(begun)
    resumed = session.resume("a", {})
    assert resumed.data.fingerprint == begun.data.fingerprint
    assert [ids.tolist() for ids in resumed.data.test.ids] == [
        ids.tolist() for ids in begun.data.test.ids
    ]


def test_more_epochs_than_a_run_may_have_are_refused(trained):
    with pytest.raises(UsageError, match="--epochs is 50001; expected 1 to 50,000"):
        session.resume("a", {"epochs": 50_001})


def test_a_run_without_a_source_is_refused(trained):
    data = json.loads(Path("a/run.json").read_text())["data"]
    change_state(data=data | {"source": None})
    with pytest.raises(DataError, match="of the kind None; expected imdb, table or folder"):
        session.resume("a", {})


# -- building and training ---------------------------------------------------------------------


def test_a_session_leaves_the_run_that_it_returns_and_prints_nothing(table, capfd):
    begun = session.begin(str(table), {**SIZES, "epochs": 2, "validation": 0.1}, out="a")
    trainer = session.build(begun)
    assert run_folder.open_run("a").epochs == 0
    reports, saved = [], []

    def report(progress):
        reports.append(progress)
        saved.append(run_folder.open_run("a").epochs)

    run = session.train(trainer, report)
    assert capfd.readouterr() == ("", "")
    assert run.status == DONE
    assert run_folder.open_run("a").history == run.history
    assert run_folder.open_run("a").test == run.test
    batches = -(-144 // SIZES["batch_size"])
    assert [report.epoch for report in reports] == [1] * (batches + 1) + [2] * (batches + 1)
    # An epoch is only said to be saved when it is.
    assert [report.saved for report in reports] == [*[False] * batches, True] * 2
    assert saved == [0] * batches + [1] * (batches + 1) + [2]
    assert {(report.epochs, report.of_reviews) for report in reports} == {(2, 144)}
    assert reports[-1].reviews == 144
    assert session.loss_error(run) is None


def test_a_run_is_replaced_only_with_force(trained):
    before = np.load("a/embedding/epoch-0.npy")
    options = {**SIZES, "seed": 1}
    with pytest.raises(UsageError, match="exists already"):
        session.begin(str(trained), options, out="a")
    session.build(session.begin(str(trained), options, out="a", force=True))
    assert run_folder.open_run("a").epochs == 0
    assert not np.array_equal(np.load("a/embedding/epoch-0.npy"), before)


def test_a_resumed_run_starts_from_its_last_rows(trained):
    trainer = session.build(session.resume("a", {"epochs": 4}))
    rows = trainer.model.layers[0].get_weights()[0]
    assert (rows == np.load("a/embedding/epoch-3.npy")).all()


def test_other_data_is_refused_before_training(trained):
    trained.write_text(trained.read_text() + "one more,positive\n")
    with pytest.raises(DataError, match="fingerprint differs"):
        session.build(session.resume("a", {"epochs": 4}))


def test_a_loss_that_is_no_number_is_an_error_with_its_epoch(trained):
    change_state(status=NOT_A_NUMBER)
    error = session.loss_error(run_folder.open_run("a"))
    assert str(error) == (
        "the loss of epoch 4 is not a number; expected a finite one; lower --learning-rate "
        "(finished epochs that are kept: 3)"
    )
