"""The fit: batches, resuming bit for bit, runs that are killed, models that others load."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from embedinspect.commands.schema import FOLDER
from embedinspect.errors import DataError, UsageError
from embedinspect.training import (
    batches,
    classifier,
    fit,
    recorder,
    run_folder,
    run_state,
    session,
)
from embedinspect.training.data import Part
from embedinspect.training.settings import TrainSettings, settings_from, warnings_for
from tests.conftest import BACKEND, HERE, environment
from tests.training.builders import SIZES, SMALL


def part(lengths: list[int]) -> Part:
    random = np.random.RandomState(0)
    ids = [random.randint(1, 50, length).astype(np.int32) for length in lengths]
    return Part(ids, random.randint(0, 2, len(lengths)).astype(np.int8))


# -- batches -----------------------------------------------------------------------------------


@pytest.mark.parametrize("epoch", [1, 2])
def test_every_review_is_in_one_bucketed_batch(epoch):
    settings = TrainSettings(batch_size=8, maxlen=30, mask_zero=True)
    lengths = np.minimum(np.random.RandomState(1).randint(0, 60, 700), 30).astype(np.int32)
    bucketed = batches.bucketed(lengths, settings, epoch)
    reviews = np.concatenate([batch.reviews for batch in bucketed])
    assert sorted(reviews.tolist()) == list(range(700))
    assert all(lengths[batch.reviews].max() <= batch.length <= 30 for batch in bucketed)
    assert all(len(batch.reviews) <= 8 for batch in bucketed)
    assert sum(batch.length for batch in bucketed) < 0.8 * 30 * len(bucketed)


@pytest.mark.parametrize(("mask_zero", "longest"), [(True, [1, 3, 9]), (False, [30, 30, 30])])
def test_batches_for_evaluation_are_as_long_as_the_mask_allows(mask_zero, longest):
    settings = TrainSettings(maxlen=30, mask_zero=mask_zero)
    sorted_batches = list(batches.by_length(np.array([9, 0, 2, 3, 1]), settings, 2))
    assert [batch.reviews.tolist() for batch in sorted_batches] == [[1, 4], [2, 3], [0]]
    assert [batch.length for batch in sorted_batches] == longest


def test_jax_which_compiles_for_each_length_gets_few_of_them():
    settings = TrainSettings(mask_zero=True)
    lengths = np.random.RandomState(1).randint(0, 501, 5000).astype(np.int32)
    step = batches.length_step(settings, "jax")
    bucketed = batches.bucketed(lengths, settings, 1, step)
    evaluated = list(batches.by_length(lengths, settings, 64, step))
    for few in (bucketed, evaluated):
        assert len({batch.length for batch in few}) <= batches.LENGTHS_ON_JAX
        assert all(lengths[batch.reviews].max() <= batch.length <= 500 for batch in few)
    by_tensorflow = batches.bucketed(lengths, settings, 1)
    assert [b.reviews.tolist() for b in bucketed] == [b.reviews.tolist() for b in by_tensorflow]


def test_epochs_differ_and_repeat():
    settings = TrainSettings(batch_size=8, maxlen=30, seed=5)
    lengths = np.arange(100, dtype=np.int32) % 30
    first, second = (batches.bucketed(lengths, settings, epoch) for epoch in (1, 2))
    assert [b.reviews.tolist() for b in first] != [b.reviews.tolist() for b in second]
    again = batches.bucketed(lengths, settings, 1)
    assert [b.reviews.tolist() for b in first] == [b.reviews.tolist() for b in again]
    assert batches.epoch_order(50, 1, 1).tolist() != batches.epoch_order(50, 1, 2).tolist()


def test_a_mask_makes_padding_invisible():
    """A review gives the same result in a short batch and padded to maxlen."""
    import keras

    settings = TrainSettings(num_words=50, maxlen=40, output_dim=4, units=5, mask_zero=True)
    model = classifier.build(keras, settings)
    reviews = part([3, 40, 55])
    for number, ids in enumerate(reviews.ids):
        alone = batches.Batch(np.array([number]), min(40, len(ids)))
        wide = batches.Batch(np.array([number]), 40)
        short, long = (
            classifier.predict(keras, model, batches.padded(reviews, batch, settings))
            for batch in (alone, wide)
        )
        assert short == pytest.approx(long, abs=1e-6)


# -- choices and warnings ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mask_zero", "padding", "gpu", "expected"),
    [
        (True, "pre", True, False),
        (True, "post", True, "auto"),
        (False, "pre", True, "auto"),
        (True, "pre", False, "auto"),
    ],
)
def test_the_gpu_kernel_is_left_out_where_it_would_refuse(mask_zero, padding, gpu, expected):
    assert classifier.use_cudnn(mask_zero, padding, gpu) == expected


def test_what_cannot_learn_is_warned_about():
    assert "--mask-zero" in warnings_for(TrainSettings(padding="post"))[0]
    assert not warnings_for(TrainSettings(padding="post", mask_zero=True))
    assert not warnings_for(TrainSettings())
    assert "--validation" in warnings_for(TrainSettings(early_stopping=2))[0]


@pytest.mark.parametrize(
    "settings", [TrainSettings(), TrainSettings(num_words=30, units=7, dropout=0.2)]
)
def test_parameters_are_those_of_keras(settings):
    import keras

    model = classifier.build(keras, settings)
    for ours, layer in zip(settings.parameters(), model.layers, strict=True):
        assert ours.layer == type(layer).__name__
        trainable = sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights)
        assert ours.parameters == trainable


def test_the_classic_recipe_has_its_parameters():
    assert sum(layer.parameters for layer in TrainSettings().parameters()) == 213_301


# -- the command -------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def train(run):
    """Run `train` in the test's folder; returns the parsed document, by its schema."""

    def run_train(*arguments: str):
        code, out, err = run("train", *map(str, arguments), "--json")
        assert code == 0, err
        document = json.loads(out)
        jsonschema.validate(document, json.loads((FOLDER / "train.json").read_text()))
        return document

    return run_train


@pytest.fixture
def refusal(run):
    """Run `train` in the test's folder, which ends with an error; returns exit code and stderr."""

    def run_train(*arguments: str):
        code, out, err = run("train", *map(str, arguments), "--json")
        assert out == b""
        return code, err

    return run_train


def silent(_) -> None:
    """Report no progress."""


def trained_by(table: Path, out: str, **options):
    """Train a run in this process, without the command line."""
    return session.train(session.build(session.begin(str(table), options, out=out)), silent)


def arrays(path: str) -> dict[str, np.ndarray]:
    [checkpoint] = Path(path).glob("checkpoint/*.npz")
    with np.load(checkpoint) as data:
        return dict(data)


def assert_same_bits(first: str, second: str) -> None:
    first_arrays, second_arrays = arrays(first), arrays(second)
    assert first_arrays.keys() == second_arrays.keys()
    for name in first_arrays:
        assert first_arrays[name].tobytes() == second_arrays[name].tobytes(), name


def hidden_files() -> list[str]:
    return [path.name for path in Path().iterdir() if path.name.startswith(".")]


def test_a_run_learns_and_leaves_its_folder(learned):
    run = run_folder.open_run("a")
    assert run.test["accuracy"] > 0.85
    rows = [np.load(run.embedding_path(epoch)) for epoch in range(run.epochs + 1)]
    assert (rows[0] != rows[-1]).any()
    assert arrays("a")["embedding/embeddings"].tobytes() == rows[-1].tobytes()
    names = {path.name for path in Path("a").iterdir()}
    assert names == {"run.json", "vocabulary.json", "model.keras", "embedding", "checkpoint"}
    assert not hidden_files()


def test_the_saved_model_is_one_for_plain_keras(learned, run):
    import keras

    texts = ["a wonderful moving film", "dull and awful", "never seen"]
    code, out, err = run("show", "--from", "a", *texts, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["texts"][0]["prediction"]["label"] == "positive"
    assert document["texts"][1]["prediction"]["label"] == "negative"
    model = keras.models.load_model("a/model.keras")
    ids = np.array([text["sequence"] for text in document["texts"]])
    expected = model.predict(ids, verbose=0)[:, 0]
    probabilities = [text["prediction"]["probability"] for text in document["texts"]]
    assert probabilities == pytest.approx(expected.tolist(), abs=1e-6)
    rows = np.array([weight["vector"] for weight in document["weights"]], np.float32)
    assert (rows == model.layers[0].get_weights()[0]).all()


def test_show_takes_vocabulary_settings_and_rows_of_a_run(trained, run):
    code, out, _ = run("show", "--from", "a", "a dull zebra", "--json", "--no-keras")
    document = json.loads(out)
    assert code == 0
    assert document["texts"][0]["prediction"] is None
    assert document["output_shape"] == [1, 13, 8]
    assert [token["status"] for token in document["texts"][0]["tokens"]][-1] == "replaced"
    before = json.loads(run("show", "--from", "a", "dull", "--epoch", "0", "--json")[1])
    assert before["texts"][0]["prediction"] is None
    rows = np.load("a/embedding/epoch-0.npy")
    assert (np.array([w["vector"] for w in before["weights"]], np.float32) == rows).all()
    assert run("show", "--from", "a", "x", "--epoch", "9")[0] == 2
    assert run("show", "--from", "a", "x", "--maxlen", "9")[0] == 2
    assert run("show", "x", "--epoch", "1")[0] == 2
    _, out, _ = run("show", "--from", "a", "a dull zebra", "a wonderful plot")
    assert b"prediction  text 0: " in out
    assert "26 of 26 mask values are id != 0" in " ".join(out.decode().split())


def test_a_stopped_run_goes_on_to_the_same_bits(train, trained):
    train(trained, "--out", "parts", *SMALL, "--epochs", "1")
    assert run_folder.open_run("parts").epochs == 1
    document = train("--resume", "parts", "--epochs", "3")
    assert [epoch["epoch"] for epoch in document["history"]] == [1, 2, 3]
    assert_same_bits("a", "parts")
    second = Path("embedding/epoch-2.npy")
    assert (Path("a") / second).read_bytes() == (Path("parts") / second).read_bytes()


def test_so_does_one_with_dropout_and_validation_and_without_a_mask(table):
    options = {**SIZES, "mask_zero": False, "dropout": 0.3, "validation": 0.2, "epochs": 2}

    def copy_amid_epoch_2(progress):
        if progress.epoch == 2 and not Path("copy").exists():
            shutil.copytree("whole", "copy")

    begun = session.begin(str(table), options, out="whole")
    session.train(session.build(begun), copy_amid_epoch_2)
    assert run_folder.open_run("copy").epochs == 1
    resumed = session.train(session.build(session.resume("copy", {})), silent)
    assert "validation_loss" in resumed.history[-1]
    assert_same_bits("whole", "copy")


KILLED_AS_EPOCH_2_IS_SAVED = """
import os, signal
from embedinspect.training import run_folder, session

save_state = run_folder.save_state

def save_or_die(run):
    if run.epochs == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    save_state(run)

run_folder.save_state = save_or_die
begun = session.begin("reviews.csv", {options}, out="killed", backend="{backend}")
session.train(session.build(begun), lambda _: None)
"""


def test_a_killed_run_goes_on_to_the_same_bits(train, trained):
    """It is killed when rows and checkpoint of an epoch are written, and its state is not."""
    script = KILLED_AS_EPOCH_2_IS_SAVED.replace("{options}", repr(SIZES)).replace(
        "{backend}", BACKEND
    )
    killed = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(PYTHONPATH=str(HERE.parent)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert Path("killed/embedding/epoch-2.npy").exists()
    stopped = run_folder.open_run("killed")
    assert (stopped.status, stopped.epochs) == ("training", 1)
    assert train("--resume", "killed")["status"] == "done"
    assert_same_bits("a", "killed")


def test_ctrl_c_says_how_to_go_on(table):
    process = subprocess.Popen(
        [
            *[sys.executable, "-m", "embedinspect", "train", str(table), "--out", "stopped"],
            *[*SMALL, "--epochs", "5000", "--batch-size", "2"],
        ],
        env=environment(PYTHONPATH=str(HERE.parent)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    # The rows of an epoch come before its state does.
    while not Path("stopped/embedding/epoch-2.npy").exists() and time.monotonic() < end:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    last = err.splitlines()[-1]
    epochs = run_folder.open_run("stopped").epochs
    assert last == (
        f"interrupted; saved up to epoch {epochs}; to go on: embedinspect train --resume stopped"
    )
    assert "Traceback" not in err
    assert not hidden_files()


@pytest.mark.parametrize("amid", ["prepare", "train"])
def test_ctrl_c_before_an_epoch_is_finished_says_that_none_is(table, run, monkeypatch, amid):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(session, amid, interrupted)
        code, _, err = run("train", str(table), "--out", "my run", *SMALL, "--json")
    assert code == 130
    assert err.splitlines()[-1] == (
        "interrupted; no epoch was finished; to begin again: embedinspect train --resume 'my run'"
    )
    code, _, err = run("train", "--resume", "my run", "--json")
    assert code == 0
    assert run_folder.open_run("my run").status == "done"


def test_a_loss_that_is_no_number_keeps_the_last_good_epoch(table, run, monkeypatch):
    import keras

    one_epoch = fit._one_epoch

    def breaks(keras, model, train, settings, epoch, callbacks):
        numbers = one_epoch(keras, model, train, settings, epoch, callbacks)
        return {**numbers, "loss": float("nan")} if epoch == 2 else numbers

    monkeypatch.setattr(fit, "_one_epoch", breaks)
    code, out, err = run("train", str(table), "--out", "a", *SMALL, "--json")
    assert code == 1
    assert "the loss of epoch 2 is not a number" in err
    assert "epochs that are kept: 1)" in err
    assert json.loads(out)["status"] == "loss is not a number"
    assert len(json.loads(out)["history"]) == 1
    kept = keras.models.load_model("a/model.keras").layers[0].get_weights()[0]
    assert (kept == np.load("a/embedding/epoch-1.npy")).all()


def test_a_loss_that_is_no_number_at_once_keeps_the_start(table, run, monkeypatch):
    monkeypatch.setattr(fit, "_one_epoch", lambda *_: {"loss": float("inf"), "accuracy": 0.5})
    code, _, err = run("train", str(table), "--out", "a", *SMALL)
    assert code == 1
    assert "the loss of epoch 1 is not a number" in err
    assert run_folder.open_run("a").epochs == 0


def test_tensorboard_is_missed_before_anything_is_read(refusal, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    code, err = refusal("missing.csv", "--tensorboard", "t")
    assert code == 2
    assert "pip install tensorboard" in err


@pytest.mark.parametrize(
    ("losses", "patience", "epochs"),
    [([0.5, 0.4, 0.6], 1, 3), ([0.5, 0.6, 0.4, 0.45, 0.41, 0.4], 3, 6)],
)
def test_early_stopping_waits_for_a_better_validation_loss(
    table, losses, patience, epochs, monkeypatch
):
    monkeypatch.setattr(fit, "_one_epoch", lambda *_: {"loss": 0.1, "accuracy": 1.0})
    validation = iter([*losses, *[0.0] * 9])  # it would go on to get better
    monkeypatch.setattr(recorder, "evaluate", lambda *_: (next(validation), 0.5))
    options = {**SIZES, "epochs": 9, "validation": 0.2, "early_stopping": patience}
    run = trained_by(table, "a", **options)
    assert (run.status, run.epochs) == ("stopped early", epochs)
    assert [epoch["validation_loss"] for epoch in run.history] == losses


def test_a_run_on_imdb_can_be_built_and_resumed(imdb_file):
    begun = session.begin("imdb", {"maxlen": 12, "units": 6}, data=str(imdb_file), out="a")
    session.build(begun)
    run = run_folder.open_run("a")
    assert run.settings.num_words == 5000
    vocabulary = run.vocabulary
    assert (vocabulary.start_token, vocabulary.start_id, vocabulary.oov_id) == ("<START>", 1, 2)
    moved = imdb_file.with_name("moved.npz")
    imdb_file.rename(moved)
    resumed = session.resume("a", {}, data=str(moved))
    assert session.build(resumed).data.fingerprint == begun.data.fingerprint


def test_offline_the_download_fails_in_one_line(refusal, monkeypatch):
    from embedinspect.training import imdb

    monkeypatch.setattr(imdb, "URL", "http://127.0.0.1:9/")
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: "cache")
    code, err = refusal("imdb")
    assert code == 1
    assert not Path("runs").exists()
    [line] = [line for line in err.splitlines() if line.startswith("Error")]
    assert "--data path/to/imdb.npz" in line


# -- the run folder ----------------------------------------------------------------------------


def test_nothing_is_overwritten_without_force(refusal, trained):
    before = Path("a/run.json").read_bytes()
    code, err = refusal(trained, "--out", "a", *SMALL)
    assert code == 2
    assert "exists already" in err
    assert Path("a/run.json").read_bytes() == before


def test_force_replaces_nothing_but_runs(refusal, table):
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work")
    code, err = refusal(table, "--out", "mine", *SMALL, "--force")
    assert code == 2
    assert "is not a run folder" in err
    assert Path("mine/thesis.txt").read_text() == "years of work"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_found_first(table):
    Path("locked").mkdir(mode=0o500)
    with pytest.raises(DataError, match="cannot write"):
        session.begin(str(table), {}, out="locked/a")


def test_a_place_that_cannot_be_is_found_first(table):
    Path("file").write_text("no folder")
    with pytest.raises(DataError, match="cannot write"):
        session.begin(str(table), {}, out="file/a")


def test_a_full_disk_is_found_before_the_first_epoch(table, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    with pytest.raises(DataError, match="has 1 MB free"):
        session.build(session.begin(str(table), {}, out="a"))
    assert not Path("a").exists()


def test_either_data_or_a_run_is_expected(refusal):
    code, err = refusal()
    assert code == 2
    assert "expected either DATA" in err


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": "other"}, "is not a run folder"),
        ({"format_version": 99}, "format version 99"),
        ({"history": None}, "has no history"),
        ({"data": {}}, "does not name two labels"),
        ({"settings": None}, "has no settings"),
        ({"settings": {"num_words": -1}}, "num_words -1"),
        ({"settings": {"num_words": 10**9}}, "num_words"),
    ],
)
def test_a_run_folder_of_a_stranger_is_checked(tmp_path, run, changes, says):
    state = {
        "format": run_state.FORMAT,
        "format_version": 1,
        "status": "done",
        "settings": dataclasses.asdict(TrainSettings()),
        "data": {"label_names": ["a", "b"]},
        "history": [],
    }
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "vocabulary.json").write_text('{"config": {"word_index": {"a": 1}}}')
    (folder / "run.json").write_text(json.dumps(state | changes))
    with pytest.raises(DataError, match=says) as caught:
        run_folder.open_run(str(folder))
    assert "\n" not in str(caught.value)
    (folder / "run.json").write_text("{")
    code, _, err = run("show", "--from", str(folder), "a")
    assert (code, err.count("\n")) == (1, 1)


def test_rows_of_another_shape_are_refused(trained):
    np.save("a/embedding/epoch-3.npy", np.zeros((3, 8), np.float32))
    with pytest.raises(DataError, match=r"has shape \(3, 8\); expected"):
        run_folder.open_embedding(run_folder.open_run("a"))


@pytest.mark.parametrize(
    ("bias", "says"),
    [(np.zeros(7, np.float32), r"lstm/bias.*\(7,\)"), (np.array([None] * 24), "dtype object")],
)
def test_a_checkpoint_with_another_array_is_refused(trained, bias, says):
    np.savez("a/checkpoint/epoch-3.npz", **{**arrays("a"), "lstm/bias": bias})
    with pytest.raises(DataError, match=says):
        session.build(session.resume("a", {"epochs": 4}))


def test_settings_read_back():
    settings = TrainSettings(units=3, validation=0.1, early_stopping=2, mask_zero=True)
    assert settings_from(dataclasses.asdict(settings), "x") == settings
    with pytest.raises(DataError, match="padding 'left'"):
        settings_from({**dataclasses.asdict(settings), "padding": "left"}, "x")


def test_an_epoch_that_is_not_there(trained):
    with pytest.raises(UsageError, match="--epoch is 4; expected 0 to 3"):
        run_folder.open_embedding(run_folder.open_run("a"), 4)


def test_what_people_see(run, table):
    code, out, err = run("train", str(table), "--out", "a", *SMALL)
    text = out.decode()
    assert code == 0
    assert "Embedding  (batch," in text
    assert "4 × ((8 + 6) × 6 + 6)" in text
    assert "epoch    loss  accuracy  seconds" in text
    assert "test        accuracy" in text
    assert "embedinspect why a 'a wonderful film'" in text
    assert "epoch 3 of 3: 160 of 160 reviews" in err
    assert "The settings follow the size of the data" in err
