"""The fit: one epoch at a time, each saved whole, so that a stopped run goes on bit for bit."""

from __future__ import annotations

import importlib.util
import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect import __version__
from embedinspect.errors import DataError, UsageError
from embedinspect.formats.arrays import Array
from embedinspect.training import batches, classifier, run_folder
from embedinspect.training.data import LabelledData, Part, split
from embedinspect.training.run_folder import Run
from embedinspect.training.settings import TrainSettings

NOT_A_NUMBER = run_folder.NOT_A_NUMBER
EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Progress:
    """Where an epoch stands, after one of its batches."""

    epoch: int
    epochs: int
    reviews: int
    of_reviews: int
    loss: float
    accuracy: float
    seconds: float


Report = Callable[[Progress], None]


def start(
    keras: Any, data: LabelledData, settings: TrainSettings, out: Path, *, force: bool
) -> tuple[Run, Any]:
    """Build the classifier and write the run folder as it is before the first epoch.

    Returns:
        The run, and the model.
    """
    run_folder.check_place(out, force)
    model = classifier.build(keras, settings)
    arrays = classifier.state_arrays(keras, model)
    size = sum(array.nbytes for array in arrays.values())
    # Two checkpoints at a time, the rows of every epoch, the model file, the vocabulary.
    rows = arrays["embedding/embeddings"].nbytes * (settings.epochs + 1)
    run_folder.check_room(out, 3 * size + rows + 10_000_000)
    versions = {
        "embedinspect": __version__,
        "keras": keras.version(),
        "backend": keras.config.backend(),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    if keras.config.backend() == "tensorflow":
        versions["tensorflow"] = metadata.version("tensorflow")
    run = Run(out, settings, data.vocabulary, run_folder.describe_data(data), versions=versions)
    run_folder.create(run, arrays, force=force)
    return run, model


def resume(keras: Any, run: Run, data: LabelledData) -> Any:
    """Return the model as it was after the last finished epoch.

    Raises:
        DataError: the data is not what the run was trained on, or the checkpoint is damaged.
    """
    if data.fingerprint != run.data.get("fingerprint"):
        raise DataError(
            f"the data is not what {str(run.path)!r} was trained on (its fingerprint differs); "
            "give the same data with --data"
        )
    model = classifier.build(keras, run.settings)
    arrays = run_folder.open_checkpoint(run, classifier.state_shapes(model))
    classifier.fill(model, arrays)
    return model


def fit(
    keras: Any,
    model: Any,
    run: Run,
    data: LabelledData,
    report: Report,
    *,
    tensorboard: str | None = None,
) -> Run:
    """Train the remaining epochs, evaluate, and return the run as it was saved last.

    Args:
        report: called after every batch.
        tensorboard: folder for Keras's TensorBoard callback.
    """
    settings = run.settings
    train, held_out = split(data.train, settings)
    callbacks = [_reporter(keras, report, len(train), settings)]
    if tensorboard is not None:
        callbacks.append(keras.callbacks.TensorBoard(tensorboard))
    for epoch in range(run.epochs + 1, settings.epochs + 1):
        if run.status != run_folder.TRAINING:
            break
        began = time.perf_counter()
        history = _one_epoch(keras, model, train, settings, epoch, callbacks)
        if not math.isfinite(history["loss"]):
            run = replace(run, status=NOT_A_NUMBER)
            break
        if len(held_out):
            loss, accuracy = evaluate(model, held_out, settings)
            history |= {"validation_loss": loss, "validation_accuracy": accuracy}
        history = {"epoch": epoch, **history, "seconds": time.perf_counter() - began}
        run = replace(run, history=(*run.history, history))
        if _has_stalled(run):
            run = replace(run, status=run_folder.STOPPED_EARLY)
        run_folder.save_epoch(run, classifier.state_arrays(keras, model))
    if run.status == NOT_A_NUMBER:
        shapes = classifier.state_shapes(model)
        classifier.fill(model, run_folder.open_checkpoint(run, shapes))
    elif run.status == run_folder.TRAINING:
        run = replace(run, status=run_folder.DONE)
    if len(data.test) and run.epochs:
        loss, accuracy = evaluate(model, data.test, settings)
        run = replace(run, test={"loss": loss, "accuracy": accuracy, "reviews": len(data.test)})
    _save_model(model, run)
    run_folder.save_state(run)
    return run


def _one_epoch(
    keras: Any, model: Any, train: Part, settings: TrainSettings, epoch: int, callbacks: list[Any]
) -> dict[str, Any]:
    """Train one epoch on its own batches and return loss and accuracy of it."""
    options = {"initial_epoch": epoch - 1, "epochs": epoch, "verbose": 0, "callbacks": callbacks}
    if settings.mask_zero:
        found = model.fit(batches.dataset(keras, train, settings, epoch), shuffle=False, **options)
    else:
        order = batches.epoch_order(len(train), settings.seed, epoch)
        whole = batches.padded(train, batches.Batch(order, settings.maxlen), settings)
        labels = train.labels[order].astype(np.float32)
        found = model.fit(whole, labels, batch_size=settings.batch_size, shuffle=False, **options)
    return {name: float(found.history[name][-1]) for name in ("loss", "accuracy")}


def evaluate(model: Any, part: Part, settings: TrainSettings) -> tuple[float, float]:
    """Return binary cross-entropy and accuracy on the reviews of a part."""
    chances = probabilities(model, part, settings).astype(np.float64)
    truth = part.labels.astype(bool)
    right = np.clip(np.where(truth, chances, 1 - chances), 1e-7, 1)
    accuracy = ((chances > classifier.THRESHOLD) == truth).mean()
    return float(-np.log(right).mean()), float(accuracy)


def probabilities(model: Any, part: Part, settings: TrainSettings) -> Array:
    """Return the classifier's probability of label 1 for each review, in their order."""
    lengths = batches.lengths_of(part, settings)
    found = np.empty(len(part), np.float32)
    for batch in batches.by_length(lengths, settings, EVALUATION_BATCH):
        ids = batches.padded(part, batch, settings)
        found[batch.reviews] = model.predict_on_batch(ids)[:, 0]
    return found


def _has_stalled(run: Run) -> bool:
    """Return whether the validation loss has not improved for `early_stopping` epochs."""
    patience = run.settings.early_stopping
    losses = [line["validation_loss"] for line in run.history if "validation_loss" in line]
    return bool(patience and len(losses) > patience and min(losses) < min(losses[-patience:]))


def _save_model(model: Any, run: Run) -> None:
    """Write the `.keras` file for other programs: under another name first, then in its place."""
    temporary = run.path / ".writing.keras"
    try:
        model.save(temporary)
        temporary.replace(run.path / run_folder.MODEL)
    finally:
        temporary.unlink(missing_ok=True)


def _reporter(keras: Any, report: Report, of_reviews: int, settings: TrainSettings) -> Any:
    """Return a Keras callback that reports every batch and stops at a loss that is no number."""

    class Reporter(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch, self.began = epoch + 1, time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            loss = float(logs["loss"])
            reviews = min(of_reviews, (batch + 1) * settings.batch_size)
            seconds = time.perf_counter() - self.began
            accuracy = float(logs["accuracy"])
            report(
                Progress(self.epoch, settings.epochs, reviews, of_reviews, loss, accuracy, seconds)
            )
            if not math.isfinite(loss):
                self.model.stop_training = True

    return Reporter()


def check_tensorboard() -> None:
    """Find out before anything is trained whether logs for TensorBoard can be written.

    Raises:
        UsageError: TensorFlow writes no summaries without the package tensorboard.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise UsageError(
            "--tensorboard needs the package tensorboard, which is not installed; install it with "
            "pip install tensorboard, or leave the option out"
        )
