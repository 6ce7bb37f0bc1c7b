"""An LSTM in float64, position by position, padding included: what the packed one must equal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reference:
    """Outputs, and gradients of their weighted sum.

    Attributes:
        outputs: shape (reviews, units).
        table: the gradient by the embedding matrix.
        squares: for each row of it, the sum of the squares of the gradients by each position that
            has this row.
        kernel, recurrent_kernel, bias: the gradients by the weights.
        sizes: of each result the largest sum of the sizes of what it is summed from. Where its
            parts cancel, rounding is to be measured against these.
    """

    outputs: np.ndarray
    table: np.ndarray
    squares: np.ndarray
    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray
    sizes: dict[str, float]


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def reference(ids, table, kernel, recurrent, bias, of_outputs, masked) -> Reference:
    """Run the LSTM over ids, shape (reviews, length), and back from the gradient of its outputs."""
    table, kernel, recurrent, bias, of_outputs = (
        np.asarray(array, np.float64) for array in (table, kernel, recurrent, bias, of_outputs)
    )
    units = len(recurrent)
    h = c = np.zeros((len(ids), units))
    steps = []
    for step in range(ids.shape[1]):
        reads = (ids[:, step] != 0)[:, None] if masked else np.ones((len(ids), 1), bool)
        sums = table[ids[:, step]] @ kernel + h @ recurrent + bias
        i, f, g, o = np.split(sums, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        after = f * c + i * g
        steps.append((reads, h, c, i, f, g, o, np.tanh(after)))
        h, c = np.where(reads, o * np.tanh(after), h), np.where(reads, after, c)
    outputs, by_h, by_c = h, of_outputs, np.zeros_like(c)
    by_table, squares = np.zeros_like(table), np.zeros_like(table)
    by_kernel, by_recurrent, by_bias = (np.zeros_like(w) for w in (kernel, recurrent, bias))
    sizes = {name: np.zeros(1) for name in ("kernel", "recurrent_kernel", "bias")}
    table_sizes, square_sizes = np.zeros_like(table), np.zeros_like(table)
    for step in range(ids.shape[1] - 1, -1, -1):
        reads, h, c, i, f, g, o, curve = steps[step]
        by_after = by_c + by_h * o * (1 - curve**2)
        parts = (
            by_after * g * i * (1 - i),
            by_after * c * f * (1 - f),
            by_after * i * (1 - g**2),
            by_h * curve * o * (1 - o),
        )
        by_sums = np.where(reads, np.concatenate(parts, axis=1), 0)
        by_kernel += table[ids[:, step]].T @ by_sums
        by_recurrent += h.T @ by_sums
        by_bias += by_sums.sum(axis=0)
        size = np.abs(by_sums)
        sizes["kernel"] = sizes["kernel"] + np.abs(table[ids[:, step]]).T @ size
        sizes["recurrent_kernel"] = sizes["recurrent_kernel"] + np.abs(h).T @ size
        sizes["bias"] = sizes["bias"] + size.sum(axis=0)
        np.add.at(table_sizes, ids[:, step], size @ np.abs(kernel).T)
        np.add.at(square_sizes, ids[:, step], (size @ np.abs(kernel).T) ** 2)
        by_vectors = by_sums @ kernel.T
        np.add.at(by_table, ids[:, step], by_vectors)
        np.add.at(squares, ids[:, step], by_vectors**2)
        by_h = np.where(reads, by_sums @ recurrent.T, by_h)
        by_c = np.where(reads, by_after * f, by_c)
    sizes |= {"outputs": np.abs(outputs), "table": table_sizes, "squares": square_sizes}
    largest = {name: float(size.max()) or 1 for name, size in sizes.items()}
    return Reference(outputs, by_table, squares, by_kernel, by_recurrent, by_bias, largest)
