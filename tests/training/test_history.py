"""How a training went, as `info` and `train` say it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from embedinspect.commands.schema import FOLDER
from embedinspect.output import history
from embedinspect.output import train as train_output
from embedinspect.output.screen import UNICODE, Screen
from embedinspect.output.terminal import page_lines
from embedinspect.training import session
from embedinspect.training.run_folder import Run
from embedinspect.training.settings import TrainSettings
from embedinspect.vocabulary import Vocabulary
from tests.training.builders import SIZES, write_table

HELD_OUT = {
    "name": "made",
    "fingerprint": "",
    "label_names": ["bad", "good"],
    "source": {"kind": "table"},
}


def run_with(losses: list[float], *, validation: bool = True, status: str = "done") -> Run:
    """Return a run of as many epochs, whose validation loss was this after each."""
    epochs = []
    for number, loss in enumerate(losses, start=1):
        epoch = {"epoch": number, "loss": 1 / number, "accuracy": 0.5, "seconds": 1.0}
        held_out = {"validation_loss": loss, "validation_accuracy": 0.75}
        epochs.append(epoch | (held_out if validation else {}))
    test = {"loss": 0.25, "accuracy": 0.875, "reviews": 40}
    settings = TrainSettings(epochs=len(losses))
    words = Vocabulary({"film": 1})
    return Run(Path("a"), settings, words, HELD_OUT, tuple(epochs), status, test)


@pytest.fixture
def lines(tmp_path):
    """Return what `train` prints of a run that was trained, as lines of text."""
    write_table(tmp_path / "reviews.csv")
    begun = session.begin(str(tmp_path / "reviews.csv"), SIZES, out=str(tmp_path / "a"))
    screen = Screen(Console(file=io.StringIO(), width=100), 100, UNICODE)

    def printed(run: Run) -> list[str]:
        page = train_output.page(begun, lambda: run)
        return [line.plain for line in page_lines(page, screen) if line is not None]

    return printed


@pytest.mark.parametrize(
    ("losses", "best", "risen"),
    [([0.5, 0.4, 0.6], 2, True), ([0.5, 0.4, 0.3], 3, False), ([0.4, 0.5, 0.4], 1, False)],
)
def test_the_best_epoch_is_that_of_the_lowest_validation_loss(losses, best, risen):
    run = run_with(losses)
    assert (run.best_epoch, run.validation_has_risen) == (best, risen)


def test_without_validation_no_epoch_is_the_best():
    run = run_with([0.5, 0.4, 0.6], validation=False)
    assert (run.best_epoch, run.validation_has_risen) == (None, False)
    assert "overfitting cannot be seen" in history.overfitting(run)


def test_a_validation_that_rises_is_said_and_no_more_epochs_are_advised(lines):
    text = " ".join(" ".join(lines(run_with([0.5, 0.4, 0.6]))).split())
    assert (
        "The validation loss is lowest after epoch 2 (0.4000) and has risen by 50% after epoch 3 "
        "(0.6000): overfitting." in text
    )
    assert "--epochs" not in text


def test_where_the_validation_still_falls_more_epochs_are_advised(lines):
    text = "\n".join(lines(run_with([0.5, 0.4, 0.3])))
    assert "embedinspect train --resume a --epochs 4" in text
    assert "overfitting." not in text


def test_the_test_stands_before_the_epochs(lines):
    printed = lines(run_with([0.5, 0.4]))
    test = printed.index("test        accuracy 87.50%, loss 0.2500 on 40 reviews")
    assert test < printed.index("Epochs")


def test_what_is_published_names_its_own_recipe_not_that_of_the_run(lines):
    run = run_with([0.5])
    assert not [line for line in lines(run) if line.startswith("published")]
    of_imdb = replace(run, data={**run.data, "source": {"kind": "imdb"}})
    [line] = [line for line in lines(of_imdb) if line.startswith("published")]
    assert "86.79% for the classic recipe, of 5,000 words, 500 positions and 3 epochs" in line


def test_info_shows_every_epoch_of_a_run_and_its_test(trained, run):
    state = json.loads(Path("a/run.json").read_text())
    code, out, _ = run("info", "a")
    text = out.decode()
    assert code == 0
    for epoch in state["history"]:
        assert f"{epoch['epoch']}  {epoch['loss']:.4f}    {epoch['accuracy']:.4f}" in text
    assert f"test        accuracy {state['test']['accuracy']:.2%}" in text
    document = json.loads(run("info", "a", "--json")[1])
    jsonschema.validate(document, json.loads((FOLDER / "info.json").read_text()))
    assert document["history"] == state["history"]
    assert document["test"] == state["test"]


def test_info_of_no_run_has_neither_history_nor_test(run):
    document = json.loads(run("info", "sample:vectors", "--json")[1])
    jsonschema.validate(document, json.loads((FOLDER / "info.json").read_text()))
    assert (document["history"], document["test"]) == (None, None)


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([0.5, 0.4, 0.3], "lowest after the last epoch (0.3000): no overfitting so far."),
        ([0.5, 0.4, 0.41], "has hardly risen since (0.4100): no clear overfitting."),
        ([0.4, 0.5, 0.4], "is as low at the end: no clear overfitting."),
        ([0.5, 0.4, 0.5], "has risen by 25% after epoch 3 (0.5000): overfitting."),
        ([0.5, 0.1, 0.5], "is 5.0 times as high after epoch 3 (0.5000): overfitting."),
        ([0.5, 0.0, 0.5], "(0.0000) and has risen after epoch 3 (0.5000): overfitting."),
    ],
)
def test_overfitting_is_said_of_a_validation_loss_that_has_clearly_risen(losses, said):
    run = run_with(losses)
    assert history.overfitting(run).endswith(said)
    assert history.overfits(run) == said.endswith(": overfitting.")


def with_training(run: Run, losses: list[float]) -> Run:
    """Return the run with these losses on the training reviews."""
    epochs = zip(run.history, losses, strict=True)
    return replace(run, history=tuple({**epoch, "loss": loss} for epoch, loss in epochs))


def test_where_the_training_loss_rises_too_overfitting_is_not_said():
    run = with_training(run_with([0.5, 0.4, 2.0]), [0.5, 0.4, 3.0])
    assert not history.overfits(run)
    assert (
        "is 5.0 times as high after epoch 3 (2.0000). The training loss has risen, too (0.4000 to "
        "3.0000): that is no overfitting"
    ) in history.overfitting(run)


def test_a_training_loss_that_trembles_near_zero_hides_no_overfitting():
    run = with_training(run_with([0.5, 0.4, 0.6]), [0.5, 0.0004, 0.0005])
    assert history.overfits(run)
