"""The fit: one epoch at a time, each saved whole, so that a resumed run gives the same bits."""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.arrays import Array
from embedinspect.training import (
    backends,
    batches,
    classifier,
    memory,
    run_folder,
    run_place,
    run_state,
)
from embedinspect.training.data import LabelledData, Part, split
from embedinspect.training.run_folder import Run
from embedinspect.training.settings import TrainSettings

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Progress:
    """How far an epoch has come, after one of its batches.

    Attributes:
        epoch: number of the epoch, from 1 on.
        epochs: epochs in all.
        reviews: reviews of this epoch that were trained on.
        of_reviews: reviews of an epoch.
        loss: mean loss of this epoch so far; `accuracy` likewise.
        seconds: time since this epoch began.
    """

    epoch: int
    epochs: int
    reviews: int
    of_reviews: int
    loss: float
    accuracy: float
    seconds: float


Report = Callable[[Progress], None]
Lead = Callable[[Callable[[Any], Run]], Run]


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
    run_place.check_place(out, force)
    smaller = "a smaller --units, --output-dim or --num-words"
    memory.check(_bytes_to_train(settings), "this classifier", UsageError, smaller)
    model = classifier.build(keras, settings, len(data.train))
    arrays = classifier.state_arrays(keras, model)
    size = sum(array.nbytes for array in arrays.values())
    # There are two checkpoints at a time, the model file, the rows of every epoch, the vocabulary.
    rows = arrays["embedding/embeddings"].nbytes * (settings.epochs + 1)
    run_place.check_room(out, 3 * size + rows + 10_000_000)
    described, versions = run_folder.describe_data(data), backends.versions(keras)
    lstm = asdict(classifier.lstm_choice(keras, settings, len(data.train)))
    run = Run(out, settings, data.vocabulary, described, versions=versions, lstm=lstm)
    run_folder.create(run, arrays, force=force)
    return run, model


def _bytes_to_train(settings: TrainSettings) -> int:
    """Return how much memory training takes at least: weights, Adam's two moments, gradients."""
    return 4 * 4 * sum(layer.parameters for layer in settings.parameters())


def resume(keras: Any, run: Run, data: LabelledData) -> tuple[Run, Any]:
    """Build the classifier as it was after the last finished epoch.

    Returns:
        The run, which says what it goes on with, and the model.

    Raises:
        DataError: the run was trained on other data, or the checkpoint is damaged.
    """
    if data.fingerprint != run.data.get("fingerprint"):
        raise DataError(
            f"the data is not what {str(run.path)!r} was trained on (its fingerprint differs); "
            "expected the same data; give it with --data"
        )
    memory.check(_bytes_to_train(run.settings), "this classifier", DataError)
    model = classifier.build(keras, run.settings, len(data.train))
    arrays = run_folder.open_checkpoint(run, classifier.state_shapes(model))
    classifier.fill(model, arrays)
    lstm = asdict(classifier.lstm_choice(keras, run.settings, len(data.train)))
    return replace(backends.recorded(run, keras), lstm=lstm), model


def fit(
    keras: Any,
    model: Any,
    run: Run,
    data: LabelledData,
    report: Report,
    *,
    tensorboard: str | None = None,
    lead: Lead | None = None,
) -> Run:
    """Train the epochs that are left, evaluate, and return the run as it was saved last.

    Args:
        report: called after every batch.
        tensorboard: folder for Keras's TensorBoard callback.
        lead: does what only one of several processes does, evaluating and writing, with the model
            to do it with; it returns the same run in all of them.
    """
    lead = lead or (lambda work: work(model))
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
        end = partial(_end_epoch, keras, run=run, numbers=numbers, held_out=held_out, began=began)
        run = lead(end)
    return lead(partial(_finish, keras, run=run, test=data.test))


def _end_epoch(
    keras: Any, model: Any, *, run: Run, numbers: dict[str, Any], held_out: Part, began: float
) -> Run:
    """Evaluate and save an epoch; return the run with it, or without where it gave no numbers.

    Args:
        numbers: loss and accuracy of the epoch.
        began: when it did, by `time.perf_counter`.
    """
    arrays = classifier.state_arrays(keras, model)
    # The mean loss may be finite where the last update was not.
    if not math.isfinite(numbers["loss"]) or not _are_finite(arrays):
        return replace(run, status=run_state.NOT_A_NUMBER)
    if len(held_out):
        loss, accuracy = evaluate(keras, model, held_out, run.settings)
        numbers = {**numbers, "validation_loss": loss, "validation_accuracy": accuracy}
    numbers = {"epoch": run.epochs + 1, **numbers, "seconds": time.perf_counter() - began}
    run = replace(run, history=(*run.history, numbers))
    if _has_stalled(run):
        run = replace(run, status=run_state.STOPPED_EARLY)
    run_folder.save_epoch(run, arrays)
    return run


def _are_finite(arrays: dict[str, Array]) -> bool:
    return all(np.isfinite(array).all() for array in arrays.values())


def _finish(keras: Any, model: Any, *, run: Run, test: Part) -> Run:
    """Evaluate on the test reviews, save the model file and the state, and return that state.

    After a loss that is not a number, the model is that of the last finished epoch.
    """
    if run.status == run_state.NOT_A_NUMBER:
        shapes = classifier.state_shapes(model)
        classifier.fill(model, run_folder.open_checkpoint(run, shapes))
    elif run.status == run_state.TRAINING:
        run = replace(run, status=run_state.DONE)
    if len(test) and run.epochs:
        loss, accuracy = evaluate(keras, model, test, run.settings)
        run = replace(run, test={"loss": loss, "accuracy": accuracy, "reviews": len(test)})
    _save_model(classifier.plain(keras, model, run.settings), run)
    run_folder.save_state(run)
    return run


def _one_epoch(
    keras: Any, model: Any, train: Part, settings: TrainSettings, epoch: int, callbacks: list[Any]
) -> dict[str, Any]:
    """Train one epoch on its own batches and return its loss and accuracy."""
    options = {"initial_epoch": epoch - 1, "epochs": epoch, "verbose": 0, "callbacks": callbacks}
    fitted = model.fit(batches.dataset(keras, train, settings, epoch), shuffle=False, **options)
    return {name: float(fitted.history[name][-1]) for name in ("loss", "accuracy")}


def evaluate(keras: Any, model: Any, part: Part, settings: TrainSettings) -> tuple[float, float]:
    """Return binary cross-entropy and accuracy on the reviews of a part."""
    positive = probabilities(keras, model, part, settings).astype(np.float64)
    labels = part.labels.astype(bool)
    correct = np.clip(np.where(labels, positive, 1 - positive), 1e-7, 1)
    accuracy = ((positive > classifier.THRESHOLD) == labels).mean()
    return float(-np.log(correct).mean()), float(accuracy)


def probabilities(keras: Any, model: Any, part: Part, settings: TrainSettings) -> Array:
    """Return the classifier's probability of label 1 for each review, in their order."""
    lengths = batches.lengths_of(part, settings)
    positive = np.empty(len(part), np.float32)
    step = batches.length_step(settings, keras.config.backend())
    for batch in batches.by_length(lengths, settings, EVALUATION_BATCH, step):
        ids = batches.padded(part, batch, settings)
        positive[batch.reviews] = model.predict_on_batch(ids)[:, 0]
    return positive


def _has_stalled(run: Run) -> bool:
    """Return whether the validation loss has not improved for `early_stopping` epochs."""
    patience = run.settings.early_stopping
    losses = [epoch["validation_loss"] for epoch in run.history if "validation_loss" in epoch]
    return bool(patience and losses and len(losses) - losses.index(min(losses)) > patience)


def _save_model(model: Any, run: Run) -> None:
    """Write the `.keras` file for other programs, under another name first."""
    temporary = run.path / ".writing.keras"
    try:
        model.save(temporary)
        temporary.replace(run.path / run_folder.MODEL)
    finally:
        temporary.unlink(missing_ok=True)


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
