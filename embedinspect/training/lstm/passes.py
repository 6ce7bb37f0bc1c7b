"""The way of a batch through the LSTM and back, on several threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from embedinspect.formats.arrays import Array
from embedinspect.sequences import IntArray
from embedinspect.training.lstm import compiling, packing, product, steps
from embedinspect.training.lstm.packing import Packed

MOST_THREADS = 8
FEWEST_REVIEWS = (
    8  # for a thread: with fewer, products of so few rows cost more than a thread saves
)


@dataclass(frozen=True)
class Weights:
    """The weights of the LSTM as Keras has them, float32.

    Attributes:
        kernel: shape (width, 4 x units).
        recurrent_kernel: shape (units, 4 x units).
        bias: shape (4 x units,).
    """

    kernel: Array
    recurrent_kernel: Array
    bias: Array

    @property
    def width(self) -> int:
        return len(self.kernel)

    @property
    def units(self) -> int:
        return len(self.recurrent_kernel)


@dataclass(frozen=True)
class Gradients:
    """What a loss changes by, for each number that the LSTM was given.

    Attributes:
        ids: an id for each gradient by a vector.
        vectors: these gradients, shape (ids, width). There is one for each token, and those of the
            padding are the ones of single reviews as long as these matter.
        weights: by the weights.
    """

    ids: IntArray
    vectors: Array
    weights: Weights


def threads_for(reviews: int) -> int:
    """Return how many threads compute a batch, so many as there are processors for this process."""
    allowed = getattr(os, "sched_getaffinity", None)
    processors = len(allowed(0)) if allowed else os.cpu_count() or 1
    return max(1, min(processors, MOST_THREADS, reviews // FEWEST_REVIEWS))


def prepare() -> None:
    """Compile the passes, or load what was compiled before; compile again where that is damaged."""
    try:
        _try()
    except Exception:  # of whatever kind numba's reader of damaged files happens to raise
        compiling.forget()
        _try()


def _try() -> None:
    passes, ids = Passes(masked=False), np.array([[0, 1]], np.int32)
    weights = Weights(
        np.zeros((1, 4), np.float32), np.zeros((1, 4), np.float32), np.zeros(4, np.float32)
    )
    passes.forward(ids, np.zeros((2, 1), np.float32), weights)
    passes.backward(np.zeros((1, 1), np.float32))


class Passes:
    """The passes of one LSTM. What a pass forwards leaves for the one back is kept in room that the
    next one uses again, so that it need not be given out and cleared for every batch.

    Args:
        masked: whether zeros among the ids are skipped.
    """

    def __init__(self, masked: bool, threads: int | None = None) -> None:
        self.masked = masked
        self.threads = threads
        self._room: dict[str, Array] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._left: tuple[Packed, Weights] | None = None

    def outputs(self, ids: IntArray, table: Array, weights: Weights) -> Array:
        """Return the LSTM's output after the last step, shape (reviews, units), and keep nothing.

        Args:
            ids: padded ids, shape (reviews, length).
            table: the embedding matrix, float32.
        """
        return self._forward(ids, table, weights, keep=False)

    def forward(self, ids: IntArray, table: Array, weights: Weights) -> Array:
        """Return what `outputs` does, and keep what `backward` needs until the next call."""
        return self._forward(ids, table, weights, keep=True)

    def _forward(self, ids: IntArray, table: Array, weights: Weights, keep: bool) -> Array:
        if ids.size and not 0 <= ids.min() <= ids.max() < len(table):  # compiled code does not look
            raise IndexError(f"ids from {ids.min()} to {ids.max()}, and {len(table)} rows")
        table = np.require(table, np.float32, ["C", "W"])  # the one kind that is compiled for
        packed = packing.pack(ids, self.masked, self.threads or threads_for(len(ids)))
        width, units = weights.width, weights.units
        depth, wide = width + units + 1, product.padded_columns(4 * units)
        kernel = product.pack(
            np.concatenate([weights.kernel, weights.recurrent_kernel, weights.bias[None]])
        )
        positions = len(packed.ids)
        rows = [int(share.counts[-1]) for share in packed.shares]
        before = np.concatenate([[0], np.cumsum(rows)])
        all_rows = int(before[-1])
        # Without a way back two steps are enough: the one that is computed, and the next one.
        held = positions if keep else 2 * all_rows
        entering = self._take("entering", (held + all_rows) * depth)
        states = self._take("states", (held + all_rows) * units)
        gates = self._take("gates", (positions if keep else all_rows) * wide)
        curves = self._take("curves", (positions if keep else all_rows) * units)
        calls = []
        for share, first in zip(packed.shares, before, strict=False):
            count = len(share.counts) - 1
            places = (
                share.starts.copy()
                if keep
                else 2 * first + np.arange(count + 1) % 2 * share.counts[-1]
            )
            sums = share.starts if keep else np.full(count + 1, first)
            places[-1] = held + first
            own = packed.ids[share.starts[0] : share.starts[-1]]
            calls.append(
                partial(
                    steps.forward, table, own, kernel, share.counts, places, sums,
                    share.has_padding, entering, states, gates, curves, width, units, wide,
                )
            )  # fmt: skip
        self._run(calls)
        result = np.empty((len(ids), units), np.float32)
        final = entering[: (held + all_rows) * depth].reshape(-1, depth)[
            held:, width : width + units
        ]
        for share, first in zip(packed.shares, before, strict=False):
            first += share.has_padding
            result[share.reviews] = final[first : first + len(share.reviews)]
        self._left = (packed, weights) if keep else None
        return result

    def backward(self, of_outputs: Array) -> Gradients:
        """Return the gradients of a loss, from that by the outputs of the last pass forwards.

        Args:
            of_outputs: shape (reviews, units).
        """
        assert self._left is not None, "there was no pass forwards"
        (packed, weights), self._left = self._left, None
        width, units = weights.width, weights.units
        depth, wide = width + units + 1, product.padded_columns(4 * units)
        transposed = np.zeros((wide, width + units), np.float32)
        transposed[: 4 * units, :width] = weights.kernel.T
        transposed[: 4 * units, width:] = weights.recurrent_kernel.T
        kernel = product.pack(transposed)
        positions = len(packed.ids)
        of_vectors = np.empty((positions, width), np.float32)
        names = ("entering", "states", "gates", "curves")
        entering, states, gates, curves = (self._room[name] for name in names)
        of_kernel = np.zeros((len(packed.shares), depth, wide), np.float32)
        calls, of_padding = [], []
        for share, of_own in zip(packed.shares, of_kernel, strict=True):
            rows, count = int(share.counts[-1]), len(share.counts) - 1
            of_output = np.zeros((rows, units), np.float32)
            of_output[share.has_padding :] = of_outputs[share.reviews]
            # Room for all padding, of which the system hands out only what is written to.
            padding = rows * count - int(share.counts[:-1].sum()) if share.has_padding else 0
            of_padding.append(np.empty((padding, width), np.float32))
            calls.append(
                partial(
                    steps.backward, kernel, share.counts, share.starts, share.has_padding,
                    entering, states, gates, curves, of_output.ravel(),
                    np.zeros(rows * units, np.float32), of_vectors.ravel(),
                    of_padding[-1].ravel(), of_own.ravel(), width, units, wide,
                )
            )  # fmt: skip
        filled = self._run(calls)
        of_weights = of_kernel.sum(axis=0)[:, : 4 * units]
        of_padding = [rows[:count] for rows, count in zip(of_padding, filled, strict=True)]
        return Gradients(
            np.concatenate([packed.ids, np.zeros(sum(filled), packed.ids.dtype)]),
            np.concatenate([of_vectors, *of_padding]),
            Weights(of_weights[:width], of_weights[width:-1], of_weights[-1]),
        )

    def _run(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make the calls at the same time and return what each gives."""
        if len(calls) > 1 and self._pool is None:
            self._pool = ThreadPoolExecutor(MOST_THREADS, "lstm")
        futures = [self._pool.submit(call) for call in calls[1:]] if self._pool else []
        first = calls[0]()
        return [first, *(future.result() for future in futures)]

    def _take(self, name: str, numbers: int) -> Array:
        """Return room for so many numbers, whatever they are."""
        if name not in self._room or len(self._room[name]) < numbers:
            self._room[name] = np.empty(numbers, np.float32)
        return self._room[name]
