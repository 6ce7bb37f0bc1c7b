"""The order of reviews and the batches of an epoch, each a function of seed and epoch alone.

So a run that is resumed sees the very batches that it would have seen without the stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.sequences import IntArray, pad
from embedinspect.training.data import Part
from embedinspect.training.settings import TrainSettings

# Batches are cut from pools of reviews that are sorted by length: a larger pool wastes less
# padding, a smaller one mixes the reviews better.
BATCHES_PER_POOL = 16
# Lengths are rounded up to a multiple of this, so that batches have few different shapes.
LENGTH_STEP = 4
# JAX compiles for each length of a batch, which takes as long as dozens of batches: eight lengths
# take 1.1 times the positions of those by the step above, and for IMDB an eighth of the compiling.
LENGTHS_ON_JAX = 8
SHORTEST_STEP_ON_JAX = 32


@dataclass(frozen=True)
class Batch:
    """The reviews of a batch, by their index, and the length of its sequences."""

    reviews: IntArray
    length: int


def epoch_order(count: int, seed: int, epoch: int) -> IntArray:
    """Return the order of the reviews in an epoch; epochs are counted from 1."""
    return np.random.RandomState([seed, epoch]).permutation(count).astype(np.int32)


def length_step(settings: TrainSettings, backend: str) -> int:
    """Return what the lengths of masked batches are multiples of, up to `maxlen`."""
    if backend != "jax":
        return LENGTH_STEP
    return max(SHORTEST_STEP_ON_JAX, -(-settings.maxlen // LENGTHS_ON_JAX))


def bucketed(
    lengths: IntArray, settings: TrainSettings, epoch: int, step: int = LENGTH_STEP
) -> list[Batch]:
    """Return the batches of an epoch, each of reviews of similar length, in random order.

    With a mask the LSTM does not see the padding, so a batch need only be as long as its longest
    review. The reviews are shuffled, sorted by length within pools, and the batches shuffled.

    Args:
        lengths: the lengths of the reviews after truncation.
        step: what the lengths of batches are multiples of.
    """
    size = settings.batch_size
    order = epoch_order(len(lengths), settings.seed, epoch)
    batches = []
    for start in range(0, len(order), size * BATCHES_PER_POOL):
        pool = order[start : start + size * BATCHES_PER_POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        for first in range(0, len(pool), size):
            reviews = pool[first : first + size]
            batches.append(Batch(reviews, _length(lengths[reviews], settings, step)))
    shuffled = np.random.RandomState([settings.seed, epoch, 1]).permutation(len(batches))
    return [batches[number] for number in shuffled]


def _length(lengths: IntArray, settings: TrainSettings, step: int) -> int:
    """Return the length of a batch of reviews: that of the longest, rounded up by the step."""
    longest = max(1, int(lengths.max()))
    return min(settings.maxlen, -(-longest // step) * step)


def by_length(
    lengths: IntArray, settings: TrainSettings, size: int, step: int = 1
) -> Iterator[Batch]:
    """Yield batches of all reviews, sorted by length, for evaluation.

    Args:
        lengths: the lengths of the reviews after truncation.
        size: reviews in a batch.
        step: what the lengths of batches are multiples of, where the padding is masked.
    """
    order = np.argsort(lengths, kind="stable").astype(np.int32)
    for start in range(0, len(order), size):
        reviews = order[start : start + size]
        length = _length(lengths[reviews], settings, step)
        yield Batch(reviews, length if settings.mask_zero else settings.maxlen)


def padded(part: Part, batch: Batch, settings: TrainSettings) -> IntArray:
    """Return the sequences of a batch, shape (reviews, length)."""
    ids = [part.ids[review] for review in batch.reviews]
    return pad(ids, batch.length, settings.padding, settings.truncating)


def lengths_of(part: Part, settings: TrainSettings) -> IntArray:
    """Return how many ids of each review are left after truncation."""
    lengths = np.fromiter(map(len, part.ids), np.int32, len(part))
    return np.minimum(lengths, settings.maxlen)


def dataset(keras: Any, part: Part, settings: TrainSettings, epoch: int) -> Any:
    """Return an epoch's batches as a `keras.utils.PyDataset`, each padded when its turn comes.

    With a mask they are bucketed; without one they follow the order of the epoch.
    """
    if settings.mask_zero:
        step = length_step(settings, keras.config.backend())
        batches = bucketed(lengths_of(part, settings), settings, epoch, step)
    else:
        order, size = epoch_order(len(part), settings.seed, epoch), settings.batch_size
        starts = range(0, len(order), size)
        batches = [Batch(order[start : start + size], settings.maxlen) for start in starts]
    # Keras takes the shape of all batches from the first two, so these must differ in length.
    different = next((i for i, b in enumerate(batches) if b.length != batches[0].length), None)
    if different is not None:
        batches[1], batches[different] = batches[different], batches[1]

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return len(batches)

        def __getitem__(self, number: int) -> tuple[IntArray, Any]:
            batch = batches[number]
            labels = part.labels[batch.reviews].astype(np.float32)
            return padded(part, batch, settings), labels

    return Batches()
