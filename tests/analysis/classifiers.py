"""Runs with weights that are chosen, not trained, and the same classifier in NumPy alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.training import classifier, run_folder
from embedinspect.training.run_folder import Run
from embedinspect.training.settings import TrainSettings
from embedinspect.vocabulary import Vocabulary

RECORDED = json.loads((Path(__file__).parent.parent / "data" / "why.json").read_text())
WORDS = ["<OOV>", "good", "bad", "dull", "film", "the", "a", "story", "not", "is", "it"]
SIZES: dict[str, Any] = {"num_words": 12, "maxlen": 9, "output_dim": 5, "units": 6}

Arrays = Mapping[str, np.ndarray]


def recorded_weights() -> dict[str, np.ndarray]:
    """Return the weights of which captum's attributions are recorded."""
    return {name: np.array(rows, np.float32) for name, rows in RECORDED["weights"].items()}


def write_run(path: Path, arrays: Arrays | None = None, **settings: Any) -> str:
    """Write a run of one epoch with these weights, the recorded ones by default; return its path.

    The words w2, w3 and so on of its vocabulary have the ids of their numbers.
    """
    arrays = arrays or recorded_weights()
    index = {word: id_ for id_, word in enumerate(WORDS, 1)}
    vocabulary = Vocabulary(index, num_words=SIZES["num_words"], oov_token="<OOV>")
    history = ({"epoch": 1, "loss": 0.5, "accuracy": 0.75, "seconds": 0.1},)
    data = {"name": "made", "fingerprint": "", "label_names": ["negative", "positive"]}
    run = Run(path, TrainSettings(**{**SIZES, "epochs": 1, **settings}), vocabulary, data, history)
    assert set(arrays) == set(classifier.WEIGHTS)
    run_folder.create(run, dict(arrays), force=True)
    return str(path)


def chances_after_each(arrays: Arrays, ids: Sequence[int]) -> list[float]:
    """Return the probability of the second label before any id, and after each, by NumPy alone."""
    units = len(arrays["dense/kernel"])
    state, cell, chances = np.zeros(units), np.zeros(units), []
    for id_ in [None, *ids]:
        if id_ is not None:
            vector = arrays["embedding/embeddings"][id_].astype(float)
            gates = vector @ arrays["lstm/kernel"] + state @ arrays["lstm/recurrent_kernel"]
            enter, forget, new, out = np.split(gates + arrays["lstm/bias"], 4)
            cell = sigmoid(forget) * cell + sigmoid(enter) * np.tanh(new)
            state = sigmoid(out) * np.tanh(cell)
        chances.append(float(sigmoid(state @ arrays["dense/kernel"] + arrays["dense/bias"])[0]))
    return chances


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))
