"""A run folder is read as a stranger's: what is wrong with it is said in one line."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from random import Random

import numpy as np
import pytest

from embedinspect.errors import DataError
from embedinspect.training import run_folder, run_state, session
from embedinspect.training.settings import TrainSettings
from embedinspect.vocabulary import Vocabulary
from tests.training.builders import SIZES
from tests.training.mutations import COMMANDS, copy_run, mutate, replace_by


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def change(name: str, *keys: str | int, to: object) -> None:
    """Change one value of a JSON file of the run `a`."""
    path = Path("a") / name
    contents = holder = json.loads(path.read_text())
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = to
    path.write_text(json.dumps(contents))


def refused(says: str) -> None:
    """Expect that the run `a` is refused with one short line."""
    with pytest.raises(DataError, match=says) as caught:
        run_folder.open_run("a")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("keys", "value", "says"),
    [
        (("settings", "padding"), ["pre"], r"padding \['pre'\]; expected pre or post"),
        (("settings", "truncating"), {}, "truncating {}; expected pre or post"),
        (("settings", "mask_zero"), 1, "mask_zero 1; expected true or false"),
        (("settings", "units"), 100_000, "40,003,600,000 of them in the LSTM"),
        (("settings", "maxlen"), 10**6, "maxlen 1000000; expected 1 to 100,000"),
        (("settings", "limit"), "x" * 10_000, "limit 'xxx.*; expected a whole number"),
        (("settings", "learning_rate"), float("nan"), "learning_rate nan; expected 0 to"),
        (("history", 0), [], r"epoch 1 with \[\]; expected its numbers"),
        (("history", 1), {"epoch": 2}, "epoch 2 with loss None; expected a finite number"),
        (("history", 1, "loss"), "0.5", "epoch 2 with loss '0.5'; expected a finite number"),
        (("history", 1, "loss"), float("nan"), "epoch 2 with loss nan"),
        (("history", 1, "accuracy"), [0.5], r"epoch 2 with accuracy \[0.5\]"),
        (("history", 2, "seconds"), 10**400, "epoch 3 with seconds 1000"),
        (("history", 2, "epoch"), 7, "epoch 3 with the number 7"),
        (("history", 2, "validation_loss"), 0.5, "epoch 3 with validation_loss alone"),
        (("test", "accuracy"), float("inf"), "test with accuracy inf"),
        (("test",), 1, "the test 1; expected its numbers"),
        (("data", "name"), None, "None as the name of its data"),
        (("status",), ["done"], "status .'done'.; expected one of training, done"),
        (("status",), "stopped early", "'stopped early', but no validation loss"),
    ],
)
def test_what_run_json_holds_is_checked(trained, keys, value, says):
    change("run.json", *keys, to=value)
    refused(says)


@pytest.mark.parametrize("name", ["run.json", "vocabulary.json"])
def test_a_file_that_is_not_utf_8_is_named(trained, name):
    path = Path("a", name)
    path.write_bytes(path.read_bytes().replace(b'"', b'"\xff', 1))
    refused(f"'a/{name}' is not UTF-8")


@pytest.mark.parametrize("name", ["run.json", "vocabulary.json"])
@pytest.mark.parametrize(
    ("kind", "says"),
    [("pipe", "is not a regular file"), ("zeros", "is not a regular file"), ("large", "3,221 MB")],
)
def test_what_is_no_file_of_a_run_is_not_read(trained, name, kind, says):
    replace_by(Path("a", name), kind)
    tracemalloc.start()
    try:
        assert run_state.is_run(Path("a")) == (name != "run.json")
        refused(f"'a/{name}' .*{says}")
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("kind", "says"), [("pipe", "not a regular file"), ("large", "3,221 MB; expected at most")]
)
def test_what_is_no_checkpoint_is_not_read(trained, kind, says):
    replace_by(Path("a/checkpoint/epoch-3.npz"), kind)
    with pytest.raises(DataError, match=says):
        session.build(session.resume("a", {"epochs": 4}))


@pytest.fixture
def broken_checkpoint(trained):
    """The run `a` with a NaN among the weights of its last epoch."""
    path = Path("a/checkpoint/epoch-3.npz")
    with np.load(path) as file:
        arrays = dict(file)
    arrays["lstm/bias"][2] = np.nan
    np.savez(path, **arrays)


def test_a_prediction_by_weights_that_are_no_numbers_is_refused(broken_checkpoint, run):
    code, out, err = run("show", "--from", "a", "a dull film", "--json")
    assert code == 1
    assert b"prediction" not in out
    assert "'lstm/bias' in 'a/checkpoint/epoch-3.npz' holds NaN or infinity" in err
    assert err.count("\n") == 1


def test_the_weights_are_read_from_a_checkpoint_in_which_adams_moments_are_larger(tmp_path):
    shapes = {"embedding/embeddings": (5000, 32)}
    run = run_folder.Run(tmp_path, TrainSettings(), Vocabulary({}), {}, history=({},))
    run.checkpoint_path(1).parent.mkdir()
    rows = np.ones(shapes["embedding/embeddings"], np.float32)
    np.savez(run.checkpoint_path(1), **{"embedding/embeddings": rows, "m": rows, "v": rows})
    [read] = run_folder.open_checkpoint(run, shapes).values()
    assert (read == rows).all()


def test_training_does_not_go_on_from_weights_that_are_no_numbers(broken_checkpoint):
    with pytest.raises(DataError, match="holds NaN or infinity"):
        session.build(session.resume("a", {"epochs": 4}))


def test_weights_that_overflow_in_the_last_update_of_an_epoch_are_not_kept(table, monkeypatch):
    from embedinspect.training import fit

    state_arrays = fit.classifier.state_arrays

    def overflown(keras, model):
        arrays = state_arrays(keras, model)
        if fit_began:
            arrays["dense/bias"][:] = np.inf
        return arrays

    fit_began: list[bool] = []
    monkeypatch.setattr(fit.classifier, "state_arrays", overflown)
    trainer = session.build(session.begin(str(table), SIZES, out="a"))
    fit_began.append(True)
    trained_run = session.train(trainer, lambda _: None)
    assert (trained_run.status, trained_run.epochs) == (run_state.NOT_A_NUMBER, 0)
    assert run_folder.open_run("a").status == run_state.NOT_A_NUMBER


def test_every_bound_admits_the_classic_settings(trained):
    from dataclasses import asdict

    change("run.json", "settings", to=asdict(TrainSettings()))
    assert run_folder.open_run("a").settings == TrainSettings()


@pytest.mark.parametrize("seed", range(30))
def test_a_mutated_run_folder_is_read_or_refused_in_one_line(trained_once, run, seed):
    random = Random(seed)
    folder = copy_run(trained_once / "a", Path("b"))
    mutate(folder, random)
    command = [str(folder) if part == "RUN" else part for part in random.choice(COMMANDS)]
    code, out, err = run(*command)
    assert code in {0, 1, 2, 3}
    assert (code in {0, 3}) == bool(out)
    if code in {1, 2}:
        assert sum(line.startswith("Error: ") for line in err.splitlines()) == 1
    elif "--json" in command:
        json.loads(out, parse_constant=pytest.fail)


def test_what_is_written_as_a_path_and_is_not_there_is_no_word(trained, run):
    code, out, err = run("diff", "a", "nosuch.npy")
    assert (code, out) == (2, b"")
    assert err == (
        "Error: 'nosuch.npy' is neither a word of the run a nor a file or folder; expected words "
        "to compare before and after training, or the path of another source before them\n"
    )
    for words in (["nosuch"], ["the", "nosuch.npy"], ["the", "nosuch"]):
        code, out, err = run("diff", "a", *words)
        assert (code, out) == (2, b"")
        assert err.startswith(
            f"Error: {words[-1]!r} is neither a word of the run a nor a file or folder; "
        )
    assert run("diff", "a", "the")[0] == 0


def test_a_second_source_behind_a_word_is_told_to_come_first(trained, run):
    np.save("other.npy", np.ones((2, 2)))
    code, out, err = run("diff", "a", "the", "other.npy")
    assert (code, out) == (2, b"")
    assert err == (
        "Error: 'other.npy' is not a word of the run a, but a path that exists; expected a second "
        "source before all words\n"
    )
