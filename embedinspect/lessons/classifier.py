"""A small classifier in NumPy: Embedding, mean over the positions, Dense with a sigmoid.

It is trained on all texts at once by plain gradient descent, so that a Keras model with the same
start, `SGD` and one batch an epoch goes the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.sequences import IntArray, mask
from embedinspect.stored_rows import FloatArray

Floats = np.ndarray[Any, np.dtype[np.float64]]

RATE = 5.0


@dataclass(frozen=True)
class Trained:
    """What training led to.

    Attributes:
        rows: the rows of the embedding matrix afterwards.
        probabilities: the probability of label 1, for each text.
    """

    rows: FloatArray
    probabilities: FloatArray


def start(input_dim: int, width: int) -> tuple[FloatArray, FloatArray]:
    """Return the rows and the kernel of the Dense layer that training begins with."""
    draw = np.random.RandomState(0).uniform
    return (
        draw(-0.05, 0.05, (input_dim, width)).astype(np.float32),
        draw(-1, 1, (width, 1)).astype(np.float32),
    )


def train(
    ids: IntArray, labels: Sequence[int], input_dim: int, width: int, epochs: int, *, masked: bool
) -> Trained:
    """Train by gradient descent on the binary cross-entropy, an update an epoch."""
    rows, kernel = start(input_dim, width)
    rows, kernel = rows.astype(np.float64), kernel.astype(np.float64)
    bias, wanted = 0.0, np.array(labels, np.float64)[:, None]
    # The share that each position has in the mean of its text: none for padding that is masked.
    seen = mask(ids) if masked else np.ones(ids.shape, bool)
    weights = seen / np.maximum(1, seen.sum(axis=1, keepdims=True))
    weights[~seen.any(axis=1)] = np.nan  # the mean of nothing, as in Keras
    for _ in range(epochs):
        means = np.einsum("tp,tpd->td", weights, rows[ids])
        wrong = (_sigmoid(means @ kernel + bias) - wanted) / len(ids)
        to_rows, to_means = np.zeros_like(rows), wrong @ kernel.T
        shares = weights[:, :, None] * to_means[:, None, :]
        np.add.at(to_rows, ids[seen], shares[seen])
        kernel, bias = kernel - RATE * means.T @ wrong, bias - RATE * float(wrong.sum())
        rows -= RATE * to_rows
    means = np.einsum("tp,tpd->td", weights, rows[ids])
    probabilities = _sigmoid(means @ kernel + bias)[:, 0]
    return Trained(rows.astype(np.float32), probabilities.astype(np.float32))


def code_for(input_dim: int, width: int, *, masked: bool) -> list[str]:
    """Return the lines that make and compile the same model in Keras."""
    mask_zero = ", mask_zero=True" if masked else ""
    return [
        "draw = np.random.RandomState(0).uniform",
        f"rows = draw(-0.05, 0.05, ({input_dim}, {width}))",
        f"kernel = draw(-1, 1, ({width}, 1))",
        "model = keras.Sequential([",
        f"    keras.layers.Embedding({input_dim}, {width}{mask_zero}),",
        "    keras.layers.GlobalAveragePooling1D(),",
        '    keras.layers.Dense(1, activation="sigmoid"),',
        "])",
        "model.build((None, None))",
        "model.set_weights([rows, kernel, np.zeros(1)])",
        f"sgd = keras.optimizers.SGD({RATE})",
        'model.compile(sgd, "binary_crossentropy")',
    ]


def _sigmoid(values: Floats) -> Floats:
    shares: Floats = 1 / (1 + np.exp(-values))
    return shares
