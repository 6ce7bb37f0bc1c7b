"""The order of reviews and the batches of an epoch, each a function of seed and epoch alone.

So a run that was stopped goes on with the very batches that it would have had.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.sequences import IntArray, pad
from embedinspect.training.data import Part
from embedinspect.training.settings import TrainSettings

# Batches of one pool are cut from reviews of similar length; more of them waste less padding,
# fewer mix more.
POOL_BATCHES = 16
# Lengths are rounded up, so that there are few different shapes.
STEP = 4


@dataclass(frozen=True)
class Batch:
    """Which reviews a batch holds, and how long its sequences are."""

    reviews: IntArray
    length: int


def epoch_order(count: int, seed: int, epoch: int) -> IntArray:
    """Return the order of the reviews in an epoch, which are counted from 1."""
    return np.random.RandomState([seed, epoch]).permutation(count).astype(np.int32)


def bucketed(lengths: IntArray, settings: TrainSettings, epoch: int) -> list[Batch]:
    """Return the batches of an epoch, each of reviews of similar length, in random order.

    With a mask the padding is invisible to the LSTM, so a batch may be as short as its longest
    review. The reviews are shuffled, sorted by length within pools, and the batches shuffled.

    Args:
        lengths: of the reviews, after truncation.
    """
    size = settings.batch_size
    order = epoch_order(len(lengths), settings.seed, epoch)
    batches = []
    for start in range(0, len(order), size * POOL_BATCHES):
        pool = order[start : start + size * POOL_BATCHES]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        for first in range(0, len(pool), size):
            reviews = pool[first : first + size]
            longest = int(lengths[reviews].max())
            length = min(settings.maxlen, -(-max(1, longest) // STEP) * STEP)
            batches.append(Batch(reviews, length))
    shuffled = np.random.RandomState([settings.seed, epoch, 1]).permutation(len(batches))
    return [batches[number] for number in shuffled]


def by_length(lengths: IntArray, settings: TrainSettings, size: int) -> Iterator[Batch]:
    """Yield batches for evaluation, sorted by length, no review left out."""
    order = np.argsort(lengths, kind="stable").astype(np.int32)
    for start in range(0, len(order), size):
        reviews = order[start : start + size]
        longest = settings.maxlen
        if settings.mask_zero:
            longest = max(1, int(lengths[reviews].max()))
        yield Batch(reviews, min(settings.maxlen, longest))


def padded(part: Part, batch: Batch, settings: TrainSettings) -> IntArray:
    """Return the sequences of a batch, shape (reviews, length)."""
    ids = [part.ids[review] for review in batch.reviews]
    return pad(ids, batch.length, settings.padding, settings.truncating)


def lengths_of(part: Part, settings: TrainSettings) -> IntArray:
    """Return how many ids of each review are left after truncation."""
    lengths = np.fromiter(map(len, part.ids), np.int32, len(part))
    return np.minimum(lengths, settings.maxlen)


def dataset(keras: Any, part: Part, settings: TrainSettings, epoch: int) -> Any:
    """Return an epoch's bucketed batches as a `keras.utils.PyDataset`."""
    batches = bucketed(lengths_of(part, settings), settings, epoch)
    # Keras takes the shape for all batches from the first two: they must differ in length.
    other = next((i for i, b in enumerate(batches) if b.length != batches[0].length), None)
    if other is not None:
        batches[1], batches[other] = batches[other], batches[1]

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return len(batches)

        def __getitem__(self, number: int) -> tuple[IntArray, Any]:
            batch = batches[number]
            labels = part.labels[batch.reviews].astype(np.float32)
            return padded(part, batch, settings), labels

    return Batches()
