"""A small LSTM in NumPy: the layer of Keras, forward only, with its masks.

The equations are those of Hochreiter and Schmidhuber 1997 with forget gates (Gers et al. 2000),
its gates in Keras's order: input, forget, candidate, output.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embedinspect.sequences import IntArray, mask
from embedinspect.stored_rows import FloatArray

WIDTH, UNITS = 4, 8


@dataclass(frozen=True)
class SmallLSTM:
    """The weights of an Embedding and an LSTM, named as Keras names them.

    Attributes:
        rows: the embedding matrix, shape (input_dim, WIDTH).
        kernel: shape (WIDTH, 4 * UNITS).
        recurrent: shape (UNITS, 4 * UNITS).
        bias: shape (4 * UNITS,); 1 for the forget gates, as in Keras.
    """

    rows: FloatArray
    kernel: FloatArray
    recurrent: FloatArray
    bias: FloatArray

    def last_state(self, ids: IntArray, *, masked: bool) -> FloatArray:
        """Return what the LSTM gives for each sequence, shape (sequences, UNITS).

        A masked position is passed over: the state stays as it was.
        """
        hidden = np.zeros((len(ids), UNITS), np.float32)
        cell = np.zeros_like(hidden)
        seen = mask(ids)
        for position in range(ids.shape[1]):
            row = self.rows[ids[:, position]]
            gates = row @ self.kernel + hidden @ self.recurrent + self.bias
            into, forget, candidate, out = np.split(gates, 4, axis=1)
            new_cell = _sigmoid(forget) * cell + _sigmoid(into) * np.tanh(candidate)
            new_hidden = _sigmoid(out) * np.tanh(new_cell)
            if masked:
                here = seen[:, position : position + 1]
                new_cell = np.where(here, new_cell, cell)
                new_hidden = np.where(here, new_hidden, hidden)
            cell, hidden = new_cell, new_hidden
        return hidden


def draw_lstm(input_dim: int) -> SmallLSTM:
    """Return weights drawn from a frozen stream of random numbers, seed 0."""
    stream = np.random.RandomState(0)

    def draw(*shape: int) -> FloatArray:
        return stream.uniform(-0.5, 0.5, shape).astype(np.float32)

    bias = np.repeat(np.array([0, 1, 0, 0], np.float32), UNITS)
    return SmallLSTM(draw(input_dim, WIDTH), draw(WIDTH, 4 * UNITS), draw(UNITS, 4 * UNITS), bias)


def code_for(input_dim: int) -> list[str]:
    """Return the lines that draw the same weights and make two Keras models of them."""
    return [
        "draw = np.random.RandomState(0).uniform",
        f"shapes = ({input_dim}, {WIDTH}), ({WIDTH}, {4 * UNITS}), ({UNITS}, {4 * UNITS})",
        "weights = [draw(-0.5, 0.5, shape) for shape in shapes]",
        f"weights += [np.repeat([0.0, 1, 0, 0], {UNITS})]",
        "def model(mask_zero):",
        "    made = keras.Sequential([keras.layers.Embedding(",
        f"        {input_dim}, {WIDTH}, mask_zero=mask_zero), keras.layers.LSTM({UNITS})])",
        "    made.build((None, None))",
        "    made.set_weights(weights)",
        "    return made",
    ]


def _sigmoid(values: FloatArray) -> FloatArray:
    shares: FloatArray = np.divide(1, 1 + np.exp(-values), dtype=np.float32)
    return shares
