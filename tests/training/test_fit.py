"""The fit: batches, resuming bit for bit, runs that are killed, models that others load."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from embedinspect.commands.schema import FOLDER
from embedinspect.errors import DataError, UsageError
from embedinspect.training import batches, classifier, run_folder
from embedinspect.training.data import Part
from embedinspect.training.settings import TrainSettings, settings_from, warnings_for
from tests.conftest import HERE, environment
from tests.training.conftest import SMALL


def part(lengths: list[int]) -> Part:
    random = np.random.RandomState(0)
    ids = [random.randint(1, 50, length).astype(np.int32) for length in lengths]
    return Part(ids, random.randint(0, 2, len(lengths)).astype(np.int8))


# -- batches -----------------------------------------------------------------------------------


@pytest.mark.parametrize("epoch", [1, 2])
def test_every_review_is_in_one_bucketed_batch(epoch):
    settings = TrainSettings(batch_size=8, maxlen=30, mask_zero=True)
    lengths = np.minimum(np.random.RandomState(1).randint(0, 60, 700), 30).astype(np.int32)
    found = batches.bucketed(lengths, settings, epoch)
    assert sorted(np.concatenate([b.reviews for b in found]).tolist()) == list(range(700))
    assert all(lengths[b.reviews].max() <= b.length <= 30 for b in found)
    assert all(len(b.reviews) <= 8 for b in found)
    assert sum(b.length for b in found) < 0.8 * 30 * len(found)


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
    reviews = part([3, 7, 12, 40, 55])
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


def test_parameters_are_those_of_keras():
    import keras

    for settings in (TrainSettings(), TrainSettings(num_words=30, units=7, dropout=0.2)):
        model = classifier.build(keras, settings)
        assert sum(layer.parameters for layer in settings.parameters()) == sum(
            int(np.prod(weight.shape)) for weight in model.trainable_variables
        )
    assert sum(layer.parameters for layer in TrainSettings().parameters()) == 213_301


# -- the command -------------------------------------------------------------------------------


@pytest.fixture
def train(run, tmp_path, monkeypatch):
    """Run `train` in the test's folder; returns the parsed document."""
    monkeypatch.chdir(tmp_path)

    def go(*arguments: str, expected: int = 0):
        code, out, err = run("train", *map(str, arguments), "--json")
        assert code == expected, err
        return json.loads(out) if out else err

    return go


def arrays(path: str) -> dict[str, np.ndarray]:
    [checkpoint] = Path(path).glob("checkpoint/*.npz")
    with np.load(checkpoint) as data:
        return dict(data)


def same(first: str, second: str) -> None:
    one, other = arrays(first), arrays(second)
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].tobytes() == other[name].tobytes(), name


def test_a_run_learns_and_leaves_its_folder(train, table, run):
    found = train(table, "--out", "a")
    jsonschema.validate(found, json.loads((FOLDER / "train.json").read_text()))
    assert found["test"]["accuracy"] > 0.85
    assert found["settings_by_data_size"]["mask_zero"] is True
    epochs = len(found["history"])
    rows = [np.load(f"a/embedding/epoch-{epoch}.npy", mmap_mode="r") for epoch in range(epochs + 1)]
    assert (rows[0] != rows[-1]).any()
    assert arrays("a")["embedding/embeddings"].tobytes() == rows[-1].tobytes()
    names = {path.name for path in Path("a").iterdir()}
    assert names == {"run.json", "vocabulary.json", "model.keras", "embedding", "checkpoint"}
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


def test_the_saved_model_is_one_for_plain_keras(train, table, run):
    import keras

    train(table, "--out", "a")
    texts = ["a wonderful moving film", "dull and awful", "never seen"]
    code, out, err = run("show", "--from", "a", *texts, "--json")
    assert (code, err) == (0, "")
    shown = json.loads(out)
    assert shown["texts"][0]["prediction"]["label"] == "positive"
    assert shown["texts"][1]["prediction"]["label"] == "negative"
    model = keras.models.load_model("a/model.keras")
    ids = np.array([text["sequence"] for text in shown["texts"]])
    expected = model.predict(ids, verbose=0)[:, 0]
    chances = [text["prediction"]["probability"] for text in shown["texts"]]
    assert chances == pytest.approx(expected.tolist(), abs=1e-6)
    rows = np.array([weight["vector"] for weight in shown["weights"]], np.float32)
    assert (rows == model.layers[0].get_weights()[0]).all()


def test_show_takes_vocabulary_settings_and_rows_of_a_run(trained, run):
    code, out, _ = run("show", "--from", "a", "a dull zebra", "--json", "--no-keras")
    found = json.loads(out)
    assert code == 0
    assert found["texts"][0]["prediction"] is None
    assert found["output_shape"] == [1, 13, 8]
    assert [token["status"] for token in found["texts"][0]["tokens"]][-1] == "replaced"
    before = json.loads(run("show", "--from", "a", "dull", "--epoch", "0", "--json")[1])
    assert before["texts"][0]["prediction"] is None
    rows = np.load("a/embedding/epoch-0.npy")
    assert (np.array([w["vector"] for w in before["weights"]], np.float32) == rows).all()
    assert run("show", "--from", "a", "x", "--epoch", "9")[0] == 2
    assert run("show", "--from", "a", "x", "--maxlen", "9")[0] == 2
    assert run("show", "x", "--epoch", "1")[0] == 2
    _, out, _ = run("show", "--from", "a", "a dull zebra", "a wonderful plot")
    assert b"prediction  text 0: " in out
    assert b"26 of 26 mask values are" in out.splitlines()[-2] + out.splitlines()[-1]


@pytest.mark.parametrize(
    "more", [[], ["--no-mask-zero", "--dropout", "0.3", "--validation", "0.2"]]
)
def test_a_stopped_run_goes_on_to_the_same_bits(train, table, more):
    train(table, "--out", "whole", *SMALL, *more)
    train(table, "--out", "parts", *SMALL, *more, "--epochs", "1")
    assert run_folder.open_run("parts").epochs == 1
    found = train("--resume", "parts", "--epochs", "3")
    assert [line["epoch"] for line in found["history"]] == [1, 2, 3]
    same("whole", "parts")
    assert (
        Path("whole/embedding/epoch-2.npy").read_bytes()
        == Path("parts/embedding/epoch-2.npy").read_bytes()
    )


def test_a_killed_run_goes_on_to_the_same_bits(train, table):
    settings = [*SMALL, "--epochs", "5", "--batch-size", "2"]
    train(table, "--out", "whole", *settings)
    process = subprocess.Popen(
        [sys.executable, "-m", "embedinspect", "train", str(table), "--out", "killed", *settings],
        env=environment(PYTHONPATH=str(HERE.parent)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 60
    while not Path("killed/embedding/epoch-2.npy").exists() and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stopped = run_folder.open_run("killed")
    assert stopped.status == "training"
    assert 1 <= stopped.epochs < 5
    found = train("--resume", "killed")
    assert found["status"] == "done"
    same("whole", "killed")


def test_ctrl_c_says_how_to_go_on(table, tmp_path):
    process = subprocess.Popen(
        [
            *[sys.executable, "-m", "embedinspect", "train", str(table), "--out", "stopped"],
            *[*SMALL, "--epochs", "5000", "--batch-size", "2"],
        ],
        env=environment(PYTHONPATH=str(HERE.parent)),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not (tmp_path / "stopped/embedding/epoch-1.npy").exists() and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "embedinspect train --resume stopped" in err
    assert "Traceback" not in err
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_loss_that_is_no_number_keeps_the_last_good_epoch(train, table, run, monkeypatch):
    from embedinspect.training import fit

    good = fit._one_epoch

    def breaks(*arguments):
        history = good(*arguments)
        return {**history, "loss": float("nan")} if arguments[4] == 2 else history

    monkeypatch.setattr(fit, "_one_epoch", breaks)
    code, out, err = run("train", str(table), "--out", "a", *SMALL, "--json")
    assert code == 1
    assert "the loss of epoch 2 is not a number" in err
    assert "epochs that are kept: 1)" in err
    assert json.loads(out)["status"] == "loss is not a number"
    assert len(json.loads(out)["history"]) == 1
    import keras

    kept = keras.models.load_model("a/model.keras").layers[0].get_weights()[0]
    assert (kept == np.load("a/embedding/epoch-1.npy")).all()


def test_a_loss_that_is_no_number_at_once_keeps_the_start(train, table, run, monkeypatch):
    from embedinspect.training import fit

    monkeypatch.setattr(fit, "_one_epoch", lambda *_: {"loss": float("inf"), "accuracy": 0.5})
    code, _, err = run("train", str(table), "--out", "a", *SMALL)
    assert code == 1
    assert "the loss of epoch 1 is not a number" in err
    assert "epochs that are kept: 0)" in err
    assert run_folder.open_run("a").epochs == 0


def test_tensorboard_is_missed_before_anything_is_read(train, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert "pip install tensorboard" in train("x.csv", "--tensorboard", "t", expected=2)


def test_early_stopping_stops(train, table):
    found = train(
        table, "--out", "a", *SMALL, "--epochs", "40", "--learning-rate", "0.05",
        "--validation", "0.2", "--early-stopping", "1",
    )  # fmt: skip
    assert found["status"] == "stopped early"
    assert len(found["history"]) < 40
    assert found["history"][-1]["validation_loss"] > min(
        line["validation_loss"] for line in found["history"]
    )


def test_imdb_from_a_file(train, imdb_file):
    found = train("imdb", "--data", imdb_file, "--out", "a", *SMALL, "--maxlen", "12")
    assert found["data"]["train_reviews"] == 120
    assert found["settings"]["num_words"] == 5000
    vocabulary = run_folder.open_run("a").vocabulary
    assert (vocabulary.start_token, vocabulary.start_id, vocabulary.oov_id) == ("<START>", 1, 2)
    other = train("--resume", "a", "--epochs", "4", "--data", imdb_file)
    assert len(other["history"]) == 4


def test_offline_the_download_fails_in_one_line(train, monkeypatch):
    from embedinspect.training import imdb

    monkeypatch.setattr(imdb, "URL", "http://127.0.0.1:9/")
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: "cache")
    err = train("imdb", expected=1)
    assert not Path("runs").exists()
    lines = [line for line in err.splitlines() if line.startswith("Error")]
    assert len(lines) == 1
    assert "--data path/to/imdb.npz" in lines[0]


# -- the run folder ----------------------------------------------------------------------------


def test_nothing_is_overwritten_without_force(train, trained):
    before = Path("a/run.json").read_bytes()
    assert "exists already" in train(trained, "--out", "a", *SMALL, expected=2)
    assert Path("a/run.json").read_bytes() == before
    train(trained, "--out", "a", *SMALL, "--seed", "1", "--force")
    assert Path("a/run.json").read_bytes() != before
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work")
    assert "is not a run folder" in train(trained, "--out", "mine", *SMALL, "--force", expected=2)
    assert Path("mine/thesis.txt").read_text() == "years of work"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_found_first(train, table):
    Path("locked").mkdir(mode=0o500)
    assert "cannot write" in train(table, "--out", "locked/a", expected=1)


def test_a_place_that_cannot_be_is_found_first(train, table):
    assert "cannot write" in train(table, "--out", "/proc/nothing/here", expected=1)


def test_a_full_disk_is_found_before_the_first_epoch(train, table, monkeypatch):
    import shutil
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    assert "has 1 MB free" in train(table, "--out", "a", expected=1)
    assert not Path("a").exists()


def test_resume_keeps_the_settings_and_wants_the_data(train, trained):
    assert "--units does not go with --resume" in train("--resume", "a", "--units", "3", expected=2)
    trained.write_text(trained.read_text() + "one more,positive\n")
    assert "fingerprint differs" in train("--resume", "a", "--epochs", "4", expected=1)
    assert "expected either DATA" in train(expected=2)


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
    import dataclasses

    state = {
        "format": run_folder.FORMAT,
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


def test_arrays_of_another_shape_are_refused(train, trained, run):
    np.save("a/embedding/epoch-3.npy", np.zeros((3, 8), np.float32))
    code, _, err = run("show", "--from", "a", "x", "--no-keras")
    assert code == 1
    assert "has shape (3, 8); expected" in err
    kept = arrays("a")
    np.savez("a/checkpoint/epoch-3.npz", **{**kept, "lstm/bias": np.zeros(7, np.float32)})
    train("--resume", "a", "--epochs", "4", expected=1)
    np.savez("a/checkpoint/epoch-3.npz", **{**kept, "lstm/bias": np.array([None] * 24)})
    assert "dtype object" in train("--resume", "a", "--epochs", "4", expected=1)


def test_settings_read_back():
    import dataclasses

    settings = TrainSettings(units=3, validation=0.1, early_stopping=2, mask_zero=True)
    assert settings_from(dataclasses.asdict(settings), "x") == settings
    with pytest.raises(DataError, match="padding 'left'"):
        settings_from({**dataclasses.asdict(settings), "padding": "left"}, "x")


def test_an_epoch_that_is_not_there(trained):
    with pytest.raises(UsageError, match="--epoch is 4; expected 0 to 3"):
        run_folder.open_embedding(run_folder.open_run("a"), 4)


def test_what_people_see(run, table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("train", str(table), "--out", "a", *SMALL)
    text = out.decode()
    assert code == 0
    assert "Embedding  (batch," in text
    assert "4 × ((8 + 6) × 6 + 6)" in text
    assert "epoch    loss  accuracy  seconds" in text
    assert "test        accuracy" in text
    assert 'embedinspect show --from a "a wonderful film"' in text
    assert "epoch 3 of 3: 160 of 160 reviews" in err
    assert "The settings follow the size of the data" in err
