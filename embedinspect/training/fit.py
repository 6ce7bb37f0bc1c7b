"""The fit: one epoch at a time, each saved whole, so that a resumed run gives the same bits."""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from embedinspect.errors import DataError, UsageError
from embedinspect.training import (
    backends,
    batches,
    classifier,
    memory,
    run_folder,
    run_place,
    run_state,
)
from embedinspect.training.checkpoint import State
from embedinspect.training.data import LabelledData, Part, split
from embedinspect.training.recorder import Recorder
from embedinspect.training.run_folder import Run
from embedinspect.training.settings import TrainSettings

_SHARED = "--shard-rows on several machines"


@dataclass(frozen=True)
class Progress:
    """How far an epoch has come, after one of its batches.

    Attributes:
        epoch: number of the epoch, from 1 on.
        epochs: epochs in all.
        reviews: reviews of this epoch that were trained on.
        of_reviews: reviews of an epoch.
        loss: mean loss of this epoch so far; `accuracy` likewise.
        seconds: time that this epoch was trained.
        saved: whether the epoch is finished and can be gone on from, whatever happens.
    """

    epoch: int
    epochs: int
    reviews: int
    of_reviews: int
    loss: float
    accuracy: float
    seconds: float
    saved: bool = False


Report = Callable[[Progress], None]


def start(
    keras: Any, data: LabelledData, settings: TrainSettings, out: Path, *, force: bool
) -> tuple[Run, Any]:
    """Build the classifier and write the run folder as it is before the first epoch.

    Returns:
        The run and the model.

    Raises:
        UsageError: something is at `out` already that may not be replaced.
        DataError: the folder cannot be written, or the disk is too full for the run.
    """
    check_start(settings, out, force=force)
    model = classifier.build(keras, settings, len(data.train))
    run = new_run(keras, data, settings, out)
    create(run, classifier.state_arrays(keras, model), force=force)
    return run, model


def check_start(settings: TrainSettings, out: Path, *, force: bool, share: float = 1) -> None:
    """Find out whether a run may stand at `out`, and whether there is memory to train it.

    Args:
        share: what this machine holds of the classifier.

    Raises:
        UsageError: it may not, or there is not.
    """
    run_place.check_place(out, force)
    smaller = f"a smaller --units, --output-dim or --num-words, or {_SHARED}"
    memory.check(bytes_to_train(settings, share), "this classifier", UsageError, smaller)


def new_run(keras: Any, data: LabelledData, settings: TrainSettings, out: Path) -> Run:
    """Return a run as it is before the first epoch; nothing is written."""
    described, versions = run_folder.describe_data(data), backends.versions(keras)
    lstm = asdict(classifier.lstm_choice(keras, settings, len(data.train)))
    return Run(out, settings, data.vocabulary, described, versions=versions, lstm=lstm)


def create(run: Run, state: State, *, force: bool) -> None:
    """Write the folder of a new run.

    Raises:
        UsageError: something is in its place already that may not be replaced.
        DataError: the folder cannot be written, or the disk is too full for the run.
    """
    size = sum(array.nbytes for array in state.values())
    # There are two checkpoints at a time, the model file, the rows of every epoch, the vocabulary.
    rows = state["embedding/embeddings"].nbytes * (run.settings.epochs + 1)
    run_place.check_room(run.path, 3 * size + rows + 10_000_000)
    run_folder.create(run, state, force=force)


def bytes_to_train(settings: TrainSettings, share: float = 1) -> int:
    """Return how much memory training takes at least: weights, Adam's two moments, gradients.

    Args:
        share: what this machine holds of the rows of the matrix.
    """
    rows, *others = (layer.parameters for layer in settings.parameters())
    return int(4 * 4 * (rows * share + sum(others)))


def resume(keras: Any, run: Run, data: LabelledData) -> tuple[Run, Any]:
    """Build the classifier as it was after the last finished epoch.

    Returns:
        The run, which says what it goes on with, and the model.

    Raises:
        DataError: the run was trained on other data, or the checkpoint is damaged.
    """
    check_resume(run, data)
    model = classifier.build(keras, run.settings, len(data.train))
    Recorder(keras).restore(model, run)
    return resumed(keras, run, data), model


def check_resume(run: Run, data: LabelledData, *, share: float = 1) -> None:
    """Find out whether a run can go on with this data, and whether there is memory for it.

    Args:
        share: what this machine holds of the rows of the matrix.

    Raises:
        DataError: the run was trained on other data, or there is not.
    """
    if data.fingerprint != run.data.get("fingerprint"):
        raise DataError(
            f"the data is not what {str(run.path)!r} was trained on (its fingerprint differs); "
            "expected the same data; give it with --data"
        )
    fitting = f"one that fits, or {_SHARED}"
    memory.check(bytes_to_train(run.settings, share), "this classifier", DataError, fitting)


def resumed(keras: Any, run: Run, data: LabelledData) -> Run:
    """Return a run that says what it goes on with."""
    lstm = asdict(classifier.lstm_choice(keras, run.settings, len(data.train)))
    return replace(backends.recorded(run, keras), lstm=lstm)


def fit(
    keras: Any,
    model: Any,
    run: Run,
    data: LabelledData,
    report: Report,
    *,
    tensorboard: str | None = None,
    recorder: Recorder | None = None,
) -> Run:
    """Train the epochs that are left, evaluate, and return the run as it was saved last.

    Args:
        report: called after every batch, and once more when an epoch is saved.
        tensorboard: folder for Keras's TensorBoard callback.
        recorder: evaluates and saves, by default as a process does that trains alone.
    """
    recorder = recorder or Recorder(keras)
    settings = run.settings
    train, held_out = split(data.train, settings)
    callbacks = [_reporter(keras, report, len(train), settings)]
    if tensorboard is not None:
        callbacks.append(keras.callbacks.TensorBoard(tensorboard))
    for epoch in range(run.epochs + 1, settings.epochs + 1):
        if run.status != run_state.TRAINING:
            break
        began = time.perf_counter()
        numbers = _one_epoch(keras, model, train, settings, epoch, callbacks)
        seconds = time.perf_counter() - began
        run = recorder.end_epoch(model, run, numbers, held_out, began)
        if run.epochs == epoch:  # it is not where it gave no numbers
            reviews = (len(train), len(train))
            means = (numbers["loss"], numbers["accuracy"])
            report(Progress(epoch, settings.epochs, *reviews, *means, seconds, saved=True))
    return recorder.finish(model, run, data.test)


def _one_epoch(
    keras: Any, model: Any, train: Part, settings: TrainSettings, epoch: int, callbacks: list[Any]
) -> dict[str, Any]:
    """Train one epoch on its own batches and return its loss and accuracy."""
    options = {"initial_epoch": epoch - 1, "epochs": epoch, "verbose": 0, "callbacks": callbacks}
    fitted = model.fit(batches.dataset(keras, train, settings, epoch), shuffle=False, **options)
    return {name: float(fitted.history[name][-1]) for name in ("loss", "accuracy")}


def _reporter(keras: Any, report: Report, of_reviews: int, settings: TrainSettings) -> Any:
    """Return a Keras callback that reports every batch and stops when the loss is not a number."""

    class Reporter(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch, self.began = epoch + 1, time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            progress = Progress(
                epoch=self.epoch,
                epochs=settings.epochs,
                reviews=min(of_reviews, (batch + 1) * settings.batch_size),
                of_reviews=of_reviews,
                loss=float(logs["loss"]),
                accuracy=float(logs["accuracy"]),
                seconds=time.perf_counter() - self.began,
            )
            report(progress)
            if not math.isfinite(progress.loss):
                self.model.stop_training = True

    return Reporter()


def check_tensorboard() -> None:
    """Find out before anything is trained whether logs for TensorBoard can be written.

    Raises:
        UsageError: the package tensorboard, which writes them, is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise UsageError(
            "--tensorboard was given, but the package tensorboard is not installed; install it "
            "with pip install tensorboard, or leave the option out"
        )
