"""Hubs: rows that are among the nearest of very many others, and rows that are nobody's neighbor.

In many dimensions a few rows crowd into the answers of all others, whatever was asked for. A row's
k-occurrence is the number of rows that have it among their k nearest; how unevenly it falls is told
by its skewness (Radovanovic, Nanopoulos & Ivanovic 2010, "Hubs in Space").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.analysis.nearest import Metric, Searcher
from embedinspect.matrix import finite_among
from embedinspect.source import Source
from embedinspect.stored_rows import Vectors

Rows = np.ndarray[Any, np.dtype[np.int64]]
Counts = np.ndarray[Any, np.dtype[np.int64]]

K = 10
HUBS = 10
WORK = 10**10  # multiplications, which take a fraction of a second
_OF_A_SCORE = 64  # what comes with each product of two rows costs as much as so many dimensions
_ASKED_AT_ONCE = 1024
_GROUPS = 10
_MANY_COPIES = 1000
# How far an estimate may be off to be told: so much, or such a share of itself.
_CLOSE, _CLOSE_SHARE = 0.5, 1 / 3


@dataclass(frozen=True)
class Hub:
    """A row that is among the nearest of many.

    Attributes:
        row: its number.
        count: how many of the rows that were asked have it among their nearest.
        share: of the rows that were asked.
    """

    row: int
    count: int
    share: float


@dataclass(frozen=True)
class Occurrences:
    """How often rows are among the k nearest of others.

    Attributes:
        k: how many neighbors of each row count.
        metric: how rows were compared.
        rows: how many rows take part; the others have no direction, or are not finite.
        asked: of how many of these the nearest were looked for: all, or a sample of them.
        counts: of each row of the matrix, how many of those asked have it among their nearest,
            int64, shape (input_dim,).
        skewness: of the k-occurrence of all rows; of a sample it is an estimate. None where every
            row has the same, and where the sample is too small to tell.
        skewness_error: standard error of the estimate; None where all were asked.
        hubs: the rows with the largest counts, largest first; of equal ones the first row.
        anti_hubs: how many rows are nobody's neighbor; None of a sample, which cannot tell.
    """

    k: int
    metric: Metric
    rows: int
    asked: int
    counts: Counts
    skewness: float | None
    skewness_error: float | None
    hubs: tuple[Hub, ...]
    anti_hubs: int | None

    @property
    def sampled(self) -> bool:
        """Whether only a sample of the rows was asked."""
        return self.asked < self.rows


def how_many_to_ask(rows: int, dimensions: int, work: int = WORK) -> int:
    """Return of how many rows the nearest can be looked for with about so much work.

    Args:
        work: as multiplications, those for the search beside the products included.

    >>> how_many_to_ask(5000, 32), how_many_to_ask(100_000, 384)
    (5000, 223)
    """
    return min(rows, max(1, work // (max(1, rows) * (dimensions + _OF_A_SCORE))))


def occurrences(
    source: Source,
    *,
    k: int = K,
    metric: Metric = "cosine",
    work: int | None = WORK,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Occurrences | None:
    """Return how often each row is among the k nearest of others, itself never counted.

    The nearest are those of `neighbors`: exact, and of equally near rows the first ones.

    Args:
        work: about so many multiplications at most, `how_many_to_ask`; where these are not enough
            for all rows, the nearest of a sample of them are looked for, among all rows. None asks
            all, however long it takes.
        seed: of the sample.
        progress: is told how many rows have been asked, now and then.

    Returns:
        None where there are too few rows: each would have all others among its k nearest.
    """
    rows, lengths = source.matrix.rows, source.lengths()
    taking_part = np.flatnonzero(_can_be_near(rows, lengths, metric))
    count = len(taking_part)
    if count < k + 2:
        return None
    many = count if work is None else how_many_to_ask(count, rows.shape[1], work)
    if many == count:
        groups, asked = 1, taking_part
        searched = _not_often_copied(rows, taking_part, k)
    else:
        groups, searched = min(_GROUPS, many), np.arange(len(rows))
        asked = np.random.RandomState(seed).permutation(taking_part)[:many]
    searcher = _searcher(source, searched, metric)
    counts = np.zeros(groups * len(rows), np.int64)
    for start in range(0, many, _ASKED_AT_ONCE):
        some = asked[start : start + _ASKED_AT_ONCE]
        places = np.searchsorted(searched, some)
        itself = [
            [place] if place < len(searched) and searched[place] == row else []
            for place, row in zip(places.tolist(), some.tolist(), strict=True)
        ]
        nearest = searcher.nearest_of_many(rows[some], k, itself)
        found = searched[np.concatenate([each.rows for each in nearest])]
        group = np.arange(start, start + len(some)) % groups
        counts += np.bincount(np.repeat(group, k) * len(rows) + found, minlength=len(counts))
        if progress is not None:
            progress(start + len(some))
    return _record(k, metric, taking_part, many, counts.reshape(groups, len(rows)))


def _searcher(source: Source, among: Rows, metric: Metric) -> Searcher:
    """Return a searcher of some rows, by their places among them."""
    rows, lengths = source.matrix.rows, source.lengths()
    if len(among) == len(rows):
        return Searcher(rows, lengths, metric)
    return Searcher(rows[among], lengths[among], metric)


def _can_be_near(rows: Vectors, lengths: Any, metric: Metric) -> Any:
    """Return of each row whether it can be a neighbor, as `Searcher` has it."""
    sound = np.isfinite(lengths)
    beyond = np.flatnonzero(~sound)
    sound[beyond] = finite_among(rows, beyond)
    return sound & (lengths > 0) if metric == "cosine" else sound


def _not_often_copied(rows: Vectors, among: Rows, k: int) -> Rows:
    """Return the rows without those that are none of the k nearest of any, being copies.

    A row that equals more than k earlier ones, number for number, comes behind them everywhere.
    Where there are a thousand of these, to compare each with each would take very long.

    Args:
        among: the rows that may be copies.
    """
    seen: dict[bytes, int] = {}
    kept = np.ones(len(rows), np.bool_)
    step = max(1, 2**20 // rows.shape[1])
    for start in range(0, len(among), step):
        some = among[start : start + step]
        for row, numbers in zip(some.tolist(), rows[some] + 0, strict=True):  # -0 equals 0
            key = numbers.tobytes()
            seen[key] = seen.get(key, 0) + 1
            kept[row] = seen[key] <= k + 1
    return np.flatnonzero(kept) if len(rows) - kept.sum() >= _MANY_COPIES else np.arange(len(rows))


def _record(k: int, metric: Metric, taking_part: Rows, asked: int, by_group: Counts) -> Occurrences:
    counts = by_group.sum(axis=0)
    own = counts[taking_part]
    largest = np.argsort(-own, kind="stable")[:HUBS]
    everyone = asked == len(taking_part)
    skewness, error = _skewness(own, k, asked), None
    if not everyone and skewness is not None:
        error = _standard_error(by_group[:, taking_part], k, asked)
        if error is None or error > max(_CLOSE, _CLOSE_SHARE * abs(skewness)):
            skewness = error = None
    return Occurrences(
        k=k,
        metric=metric,
        rows=len(taking_part),
        asked=asked,
        counts=counts,
        skewness=skewness,
        skewness_error=error,
        hubs=tuple(
            Hub(row, count, count / asked)
            for row, count in zip(taking_part[largest].tolist(), own[largest].tolist(), strict=True)
            if count
        ),
        anti_hubs=int((own == 0).sum()) if everyone else None,
    )


def _skewness(counts: Counts, k: int, asked: int) -> float | None:
    """Return the skewness of k-occurrence, from its counts among so many of the rows.

    Of all rows it is that of the counts. Of a sample, which was drawn without putting back, the
    counts have a hypergeometric distribution around their shares, which would add a skewness of
    its own: so moments are made from factorial moments, of which the sample gives estimates
    without bias. The mean is known: it is k.
    """
    rows, numbers = len(counts), counts.astype(np.float64)
    if asked < 3:
        return None
    pairs = (numbers * (numbers - 1)).mean() * rows * (rows - 1) / (asked * (asked - 1))
    triples = (numbers * (numbers - 1) * (numbers - 2)).mean()
    triples *= rows * (rows - 1) * (rows - 2) / (asked * (asked - 1) * (asked - 2))
    square = pairs + k
    variance = square - k * k
    if variance <= 1e-9 * square:
        return None
    return float((triples + 3 * pairs + k - 3 * k * square + 2 * k**3) / variance**1.5)


def _standard_error(by_group: Counts, k: int, asked: int) -> float | None:
    """Return how far the skewness is off, by leaving out each group of those asked (jackknife)."""
    whole, groups = by_group.sum(axis=0), len(by_group)
    values = []
    for group, counts in enumerate(by_group):
        value = _skewness(whole - counts, k, asked - len(range(group, asked, groups)))
        if value is None:
            return None
        values.append(value)
    left = 1 - asked / by_group.shape[1]  # nothing is unknown where all are asked
    return float(np.sqrt(left * (groups - 1) * np.var(values)))
