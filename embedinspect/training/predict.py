"""What a trained classifier makes of texts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from embedinspect import keras_layer
from embedinspect.errors import DataError
from embedinspect.lookup import Lookup
from embedinspect.sequences import IntArray
from embedinspect.training import classifier, run_folder
from embedinspect.training.run_folder import Run


@dataclass(frozen=True)
class Prediction:
    """What the classifier says of one text.

    Attributes:
        label: the more probable of the two labels.
        probability: that the text has the second label, 0 to 1.
    """

    label: str
    probability: float


def rebuild(run: Run, backend: str | None = None, texts: int = 0) -> tuple[Any, Any]:
    """Return Keras, and the classifier of a run with the weights after its last epoch.

    It is made from the run's checked settings and arrays; nothing that the folder holds is run.

    Args:
        texts: how many it is going to read (see `classifier.build`).

    Raises:
        DataError: the checkpoint is missing or damaged.
    """
    arrays = run_folder.open_checkpoint(run, classifier.weight_shapes(run.settings))
    keras = keras_layer.load(backend)
    with keras_layer.quiet():
        model = classifier.build(keras, replace(run.settings, lstm="auto"), texts)
        classifier.fill(model, arrays)
    return keras, model


def predict(
    run: Run, lookup: Lookup, backend: str | None = None, *, start_once: bool = False
) -> list[Prediction]:
    """Return a prediction for each text, by the weights after the run's last epoch.

    Args:
        start_once: read what all sequences begin with, such as the padding of short texts, only
            once. That is much faster, and the same but for rounding.

    Raises:
        DataError: the checkpoint is damaged, or its weights give no numbers.
    """
    ids = lookup.sequences
    keras, model = rebuild(run, backend, len(ids))
    shared = _shared(ids) if start_once and type(model) is keras.Sequential else 0
    with keras_layer.quiet():
        if shared:
            probabilities = classifier.predict_after(keras, model, ids, shared)
        else:
            probabilities = classifier.predict(keras, model, ids)
    if not np.isfinite(probabilities).all():
        raise DataError(
            f"the classifier of {str(run.path)!r} gives NaN for these texts; expected weights that "
            "do not overflow; train it again with a lower --learning-rate"
        )
    return [
        Prediction(run.label_names[int(probability > classifier.THRESHOLD)], float(probability))
        for probability in probabilities
    ]


def _shared(ids: IntArray) -> int:
    """Return how many first ids all sequences have in common, but for their last one."""
    same = (ids == ids[:1]).all(axis=0)[:-1]
    return len(same) if same.all() else int(same.argmin())
