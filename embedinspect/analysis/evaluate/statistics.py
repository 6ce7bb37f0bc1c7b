"""Correlations, intervals and tests: what a number of a test is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb, exp, lgamma, log, sqrt
from typing import Any

import numpy as np

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Generator = np.random.Generator

DRAWS = 2_000  # of a bootstrap
SHUFFLES = 1_000  # of a permuted floor
LEVEL = 0.95
_NORMAL = 1.959963984540054  # of which a normal variable stays below in amount in 95 of 100 cases
_NUMBERS_AT_ONCE = 2**21
_TRIED = 1_000_000  # most trials whose binomial is summed up exactly


def generator(seed: int, *place: int) -> Generator:
    """Return a stream of random numbers that hangs on the seed and a place alone."""
    return np.random.default_rng([seed, *place])


# -- correlations ---------------------------------------------------------------------------------


def ranks(values: Doubles) -> Doubles:
    """Return the ranks of values, from 1; equal ones share their mean.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse])


def pearson(first: Doubles, second: Doubles) -> float | None:
    """Return the correlation of two lists; None where one does not vary."""
    if len(first) < 2:
        return None
    x, y = _centred(first), _centred(second)
    spread = sqrt(float(x @ x)) * sqrt(float(y @ y))
    return max(-1.0, min(1.0, float(x @ y) / spread)) if spread > 0 else None


def spearman(first: Doubles, second: Doubles) -> float | None:
    """Return the correlation of the ranks of two lists; None where one does not vary."""
    return pearson(ranks(first), ranks(second))


def _centred(values: Doubles) -> Doubles:
    if np.ptp(values) == 0:
        return np.zeros(len(values))
    return np.asarray(values - values.mean())


class Resampled:
    """Correlations of pairs that are drawn again and again with replacement (Efron 1979).

    A draw is a weight for each pair: how often it was drawn. The ranks within a draw follow from
    the sums of weights in the order of the values, so nothing is sorted again.
    """

    def __init__(self, count: int, draw: Generator) -> None:
        self.count, self._seeds = count, draw.integers(0, 2**63, DRAWS // 50)

    def weights(self) -> Iterator[Doubles]:
        """Yield the weights of some draws at a time, shape (draws, pairs); each time the same."""
        for seed in self._seeds.tolist():
            draw = np.random.default_rng(seed)
            for part in _parts(50, self.count):
                taken = draw.integers(0, self.count, (part, self.count))
                taken += np.arange(part)[:, None] * self.count
                counts = np.bincount(taken.ravel(), minlength=part * self.count)
                yield counts.reshape(part, self.count).astype(np.float64)

    def pearsons(self, first: Doubles, second: Doubles) -> Doubles:
        """Return the correlation in each draw; NaN where one of the two does not vary."""
        x, y = _centred(first), _centred(second)
        return np.concatenate([_weighted(weights, x, y) for weights in self.weights()])

    def spearmans(self, first: Doubles, second: Doubles) -> Doubles:
        """Return the correlation of ranks in each draw."""
        x, y = _Order(first), _Order(second)
        return np.concatenate(
            [_weighted(weights, x.ranks(weights), y.ranks(weights)) for weights in self.weights()]
        )


def _parts(count: int, width: int) -> Iterator[int]:
    step = max(1, _NUMBERS_AT_ONCE // width)
    for start in range(0, count, step):
        yield min(step, count - start)


class _Order:
    """The order of values, for their ranks under weights."""

    def __init__(self, values: Doubles) -> None:
        _, self._inverse = np.unique(values, return_inverse=True)
        self._order = np.argsort(self._inverse, kind="stable")
        self._starts = np.flatnonzero(np.diff(self._inverse[self._order], prepend=-1))

    def ranks(self, weights: Doubles) -> Doubles:
        """Return the rank of each value among values that stand there as often as weighted."""
        sums = np.add.reduceat(weights[:, self._order], self._starts, axis=1)
        middle = np.cumsum(sums, axis=1) - (sums - 1) / 2
        return np.asarray(middle[:, self._inverse])


def _weighted(weights: Doubles, x: Doubles, y: Doubles) -> Doubles:
    total = weights.sum(axis=1, keepdims=True)
    x = x - (weights * x).sum(axis=1, keepdims=True) / total
    y = y - (weights * y).sum(axis=1, keepdims=True) / total
    product = (weights * x * y).sum(axis=1)
    squares = (weights * x * x).sum(axis=1) * (weights * y * y).sum(axis=1)
    # What is left of values that do not vary is rounding, and no correlation.
    most = (total[:, 0] ** 2) * 1e-24 * max(float(np.abs(x).max()), 1e-300) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        varies = squares > most * max(float(np.abs(y).max()), 1e-300) ** 2
        return np.asarray(np.where(varies, product / np.sqrt(squares), np.nan))


def shuffled_correlations(first: Doubles, second: Doubles, draw: Generator) -> Doubles:
    """Return the correlation with the second list shuffled, for each shuffle."""
    x, y = _centred(first), _centred(second)
    spread = sqrt(float(x @ x)) * sqrt(float(y @ y))
    parts = []
    for part in _parts(SHUFFLES, len(y)):
        shuffled = draw.permuted(np.broadcast_to(y, (part, len(y))), axis=1)
        parts.append(shuffled @ x)
    return np.asarray(np.concatenate(parts) / spread) if spread > 0 else np.empty(0)


# -- intervals and floors -------------------------------------------------------------------------


def middle(values: Doubles) -> tuple[float | None, float | None]:
    """Return the ends of the middle 95 % of values; those that are NaN are left out."""
    values = values[~np.isnan(values)]
    if len(values) < DRAWS / 2:
        return None, None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def floor_of(values: Doubles) -> float | None:
    """Return what 95 of 100 values stay at or below; None without any."""
    return float(np.quantile(values, LEVEL, method="higher")) if len(values) else None


def wilson(correct: int, count: int) -> tuple[float | None, float | None]:
    """Return the interval of a share by Wilson 1927, which takes items as independent."""
    if not count:
        return None, None
    share, square = correct / count, _NORMAL**2
    centre = share + square / (2 * count)
    half = _NORMAL * sqrt(share * (1 - share) / count + square / (4 * count**2))
    low, high = ((centre + sign * half) / (1 + square / count) for sign in (-1, 1))
    return max(0.0, low), min(1.0, high)


# -- differences ----------------------------------------------------------------------------------


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p of McNemar's exact test: items that one alone has right are a coin's.

    >>> mcnemar(1, 5), mcnemar(0, 0)
    (0.21875, 1.0)
    """
    count, fewer = only_first + only_second, min(only_first, only_second)
    if 2 * fewer >= count:
        return 1.0
    if count <= 1000:
        tail = float(sum(comb(count, k) for k in range(fewer + 1)) / 2**count)
    else:
        half = count * log(2)
        start = max(0, fewer - _TRIED)
        tail = sum(
            exp(lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1) - half)
            for k in range(start, fewer + 1)
        )
    return min(1.0, 2 * tail)


def p_of_difference(differences: Doubles) -> float | None:
    """Return the two-sided p of a bootstrap: how often a difference has the other sign, doubled.

    One is added to the counts, so that it is never zero (Davison and Hinkley 1997, chapter 4).
    """
    differences = differences[~np.isnan(differences)]
    if len(differences) < DRAWS / 2:
        return None
    below, above = int((differences <= 0).sum()), int((differences >= 0).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (len(differences) + 1))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p values adjusted for their number (Holm 1979); None stays None and does not count.

    >>> [None if p is None else round(p, 6) for p in holm([0.01, None, 0.04, 0.03])]
    [0.03, None, 0.06, 0.06]
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    most = 0.0
    for number, (p, place) in enumerate(known):
        most = max(most, min(1.0, (len(known) - number) * p))
        adjusted[place] = most
    return adjusted
