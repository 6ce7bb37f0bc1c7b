"""What is done after each epoch and at the end: the classifier is evaluated and saved."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np

from embedinspect.formats.arrays import Array
from embedinspect.training import batches, classifier, run_folder, run_state
from embedinspect.training.checkpoint import State
from embedinspect.training.data import Part
from embedinspect.training.run_folder import Run
from embedinspect.training.settings import TrainSettings

EVALUATION_BATCH = 256


class Recorder:
    """Evaluates and saves a classifier that this process holds whole and trains alone.

    Where several processes train, `hosts` has recorders that take the same steps in other ways.
    """

    def __init__(self, keras: Any) -> None:
        self._keras = keras

    def end_epoch(
        self, model: Any, run: Run, numbers: dict[str, Any], held_out: Part, began: float
    ) -> Run:
        """Evaluate and save an epoch; return the run with it, or without where it gave no numbers.

        Args:
            numbers: loss and accuracy of the epoch.
            began: when it did, by `time.perf_counter`.

        Raises:
            DataError: the run folder cannot be written.
        """
        state = self.state(model)
        # The mean loss may be finite where the last update was not.
        if not math.isfinite(numbers["loss"]) or not self.is_finite(state):
            return replace(run, status=run_state.NOT_A_NUMBER)
        if len(held_out):
            loss, accuracy = evaluate(self._keras, model, held_out, run.settings)
            numbers = {**numbers, "validation_loss": loss, "validation_accuracy": accuracy}
        numbers = {"epoch": run.epochs + 1, **numbers, "seconds": time.perf_counter() - began}
        run = replace(run, history=(*run.history, numbers))
        if _has_stalled(run):
            run = replace(run, status=run_state.STOPPED_EARLY)
        return self.save_epoch(run, state)

    def finish(self, model: Any, run: Run, test: Part) -> Run:
        """Evaluate on the test reviews, save model file and state, and return the run at its end.

        After a loss that is not a number, the model is that of the last finished epoch.

        Raises:
            DataError: the run folder cannot be written, or its checkpoint is damaged.
        """
        if run.status == run_state.NOT_A_NUMBER:
            self.restore(model, run)
        elif run.status == run_state.TRAINING:
            run = replace(run, status=run_state.DONE)
        if len(test) and run.epochs:
            loss, accuracy = evaluate(self._keras, model, test, run.settings)
            run = replace(run, test={"loss": loss, "accuracy": accuracy, "reviews": len(test)})
        return self.save_end(model, run)

    def state(self, model: Any) -> State:
        """Return the state of model and optimizer."""
        return classifier.state_arrays(self._keras, model)

    def is_finite(self, state: State) -> bool:
        """Return whether a state holds neither NaN nor infinity."""
        return all(
            not isinstance(array, np.ndarray) or np.isfinite(array).all()
            for array in state.values()
        )

    def restore(self, model: Any, run: Run) -> None:
        """Put the state after the last finished epoch into the model.

        Raises:
            DataError: the checkpoint is missing or damaged.
        """
        shapes = classifier.state_shapes(model)
        classifier.fill(model, run_folder.open_checkpoint(run, shapes))

    def save_epoch(self, run: Run, state: State) -> Run:
        """Save the state after an epoch; return the run as it was saved."""
        run_folder.save_epoch(run, state)
        return run

    def save_end(self, model: Any, run: Run) -> Run:
        """Save the model file and the state of the run; return the run as it was saved."""
        run_folder.save_model(run, classifier.plain(self._keras, model, run.settings).save)
        run_folder.save_state(run)
        return run


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
