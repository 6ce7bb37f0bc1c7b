"""Sequences of ids: padding, truncation and masks, by the rules of Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

Side = Literal["pre", "post"]
IntArray = np.ndarray[Any, np.dtype[np.int32]]


def pad(
    sequences: Sequence[Sequence[int] | IntArray],
    maxlen: int | None = None,
    padding: Side = "pre",
    truncating: Side = "pre",
    value: int = 0,
) -> IntArray:
    """Return the sequences as one int32 array of shape (texts, maxlen), padded with `value`.

    It equals `keras.utils.pad_sequences` with the same maxlen, padding, truncating and value.
    Without `maxlen` the longest sequence sets it.

    >>> pad([[1, 2], [3, 4, 5]], maxlen=2).tolist()
    [[1, 2], [4, 5]]
    """
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    padded = np.full((len(sequences), maxlen), value, np.int32)
    for row, sequence in zip(padded, sequences, strict=True):
        length = min(len(sequence), maxlen)
        if not length:
            continue
        start = len(sequence) - length if truncating == "pre" else 0
        kept = sequence[start : start + length]
        if padding == "pre":
            row[maxlen - length :] = kept
        else:
            row[:length] = kept
    return padded


def mask(sequences: IntArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return where the sequences hold an id other than 0, as `Embedding.compute_mask` does."""
    return np.not_equal(sequences, 0)


def placement(length: int, maxlen: int, padding: Side, truncating: Side) -> list[int | None]:
    """Return the position of each of `length` ids in the padded sequence, None where it is cut off.

    >>> placement(2, 3, "pre", "pre"), placement(3, 2, "pre", "pre")
    ([1, 2], [None, 0, 1])
    """
    if length <= maxlen:
        start = maxlen - length if padding == "pre" else 0
        return list(range(start, start + length))
    positions: list[int | None] = [None] * length
    start = length - maxlen if truncating == "pre" else 0
    positions[start : start + maxlen] = range(maxlen)
    return positions
