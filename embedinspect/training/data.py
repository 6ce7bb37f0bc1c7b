"""Labelled reviews as ids: what every kind of data becomes before it is trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from embedinspect.sequences import IntArray
from embedinspect.training.settings import TrainSettings
from embedinspect.vocabulary import Vocabulary

Labels = np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True)
class Part:
    """The training or the test reviews, in their order.

    Attributes:
        ids: the ids of each review before padding, start id and out-of-vocabulary ids included.
        labels: the label of each review, 0 or 1, int8.
    """

    ids: Sequence[IntArray]
    labels: Labels

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, indices: Sequence[int] | IntArray) -> Part:
        """Return the reviews at the indices."""
        return Part([self.ids[i] for i in indices], self.labels[list(indices)])


@dataclass(frozen=True)
class LabelledData:
    """Training and test reviews with the vocabulary that gave them their ids.

    Attributes:
        name: what people call the data, such as `IMDB reviews`.
        source: where the data was read from, so that it can be read again.
        label_names: what the labels 0 and 1 stand for.
        fingerprint: SHA-256 of the ids and labels of both parts.
    """

    name: str
    source: dict[str, Any]
    train: Part
    test: Part
    vocabulary: Vocabulary
    label_names: tuple[str, str]
    fingerprint: str


@dataclass(frozen=True)
class DataSummary:
    """What is in the data, in numbers. Lengths and tokens are those of the training reviews.

    Attributes:
        train_reviews: reviews of the training part, those held out for validation included.
        test_reviews: reviews of the test part.
        validation_reviews: training reviews that are held out for validation.
        positive_share: share of the training reviews that have the second label.
        median_length: ids of a review before padding; `mean_length` and `longest` likewise.
        tokens: ids of all reviews together.
        out_of_vocabulary: how many of these are the out-of-vocabulary id.
        cut_reviews: reviews that are longer than `maxlen`.
        cut_tokens: ids that are cut off them.
    """

    train_reviews: int
    test_reviews: int
    validation_reviews: int
    positive_share: float
    median_length: float
    mean_length: float
    longest: int
    tokens: int
    out_of_vocabulary: int
    cut_reviews: int
    cut_tokens: int


def fingerprint(*parts: Part) -> str:
    """Return the SHA-256 of the ids and labels of the parts, in their order."""
    digest = hashlib.sha256()
    for part in parts:
        lengths = np.array([len(ids) for ids in part.ids], "<i8")
        digest.update(lengths.tobytes())
        for ids in part.ids:
            digest.update(np.ascontiguousarray(ids, "<i4").tobytes())
        digest.update(part.labels.astype("<i1").tobytes())
    return digest.hexdigest()


def limited(data: LabelledData, settings: TrainSettings) -> LabelledData:
    """Return the data with at most `limit` reviews in each part, drawn with the run's seed."""
    if not settings.limit:
        return data
    random = np.random.RandomState(settings.seed)

    def draw(part: Part) -> Part:
        return part.take(np.sort(random.permutation(len(part))[: settings.limit]))

    return replace(data, train=draw(data.train), test=draw(data.test))


def split(train: Part, settings: TrainSettings) -> tuple[Part, Part]:
    """Return the reviews to train on, and those held out for validation by the run's seed."""
    held_out = round(len(train) * settings.validation)
    if not held_out:
        return train, train.take([])
    order = np.random.RandomState([settings.seed, 1]).permutation(len(train))
    return train.take(np.sort(order[held_out:])), train.take(np.sort(order[:held_out]))


def summarize(data: LabelledData, settings: TrainSettings) -> DataSummary:
    """Count the reviews, their lengths, what is out of vocabulary and what `maxlen` cuts off."""
    lengths = np.array([len(ids) for ids in data.train.ids], np.int64)
    oov = data.vocabulary.oov_id
    unknown = sum(int(np.count_nonzero(ids == oov)) for ids in data.train.ids) if oov else 0
    excess = np.maximum(0, lengths - settings.maxlen)
    return DataSummary(
        train_reviews=len(data.train),
        test_reviews=len(data.test),
        validation_reviews=round(len(data.train) * settings.validation),
        positive_share=float(data.train.labels.mean()),
        median_length=float(np.median(lengths)),
        mean_length=float(lengths.mean()),
        longest=int(lengths.max()),
        tokens=int(lengths.sum()),
        out_of_vocabulary=unknown,
        cut_reviews=int(np.count_nonzero(excess)),
        cut_tokens=int(excess.sum()),
    )
