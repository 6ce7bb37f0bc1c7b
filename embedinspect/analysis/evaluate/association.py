"""Association tests (WEAT): whether two sets of words lean to two other sets differently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from embedinspect.analysis.evaluate.items import Association, Section
from embedinspect.analysis.evaluate.results import Doubles, Measure, SectionResult, Settings
from embedinspect.analysis.evaluate.statistics import DRAWS, floor_of, generator, middle
from embedinspect.analysis.evaluate.words import Vectors

EXACT = 200_000  # permutations that are all tried
DRAWN = 100_000  # permutations that are drawn where there are more
_AT_ONCE = 5_000

Numbers = np.ndarray[Any, np.dtype[np.int64]]


def words_of(item: Association) -> tuple[str, ...]:
    """Return all words of a test."""
    return tuple(word for words in (*item.targets, *item.attributes) for word in words)


def score(vectors: Vectors, sections: Sequence[Section], settings: Settings) -> list[SectionResult]:
    """Return effect size and p of each test, by Caliskan, Bryson and Narayanan 2017.

    A word leans by its mean cosine with the first attributes less that with the second. The effect
    size is the difference of the two targets' means, over the standard deviation of all their
    words (of the population, as in WEFE). p is one-sided: the share of the ways to deal these words
    out to two sets of the same sizes whose difference is as large or larger. All ways are tried
    where there are at most 200,000; else 100,000 are drawn, and one is added to both counts.

    Words without a vector are left out of their set, whatever `oov` says; a set that loses all has
    no result. The interval of the effect size is by bootstrap over the words of the targets.
    """
    return [
        _result(section.name, section.items[0], vectors, settings, number)
        for number, section in enumerate(sections)
    ]


def effect_size(first: Doubles, second: Doubles) -> float | None:
    """Return the effect size of two sets of leanings; None where none differs from another."""
    if not len(first) or not len(second):
        return None
    deviation = float(np.concatenate([first, second]).std())
    return float((first.mean() - second.mean()) / deviation) if deviation > 1e-15 else None


def _result(
    name: str, test: Association, vectors: Vectors, settings: Settings, number: int
) -> SectionResult:
    attributes = [[word for word in words if word in vectors] for words in test.attributes]
    words = words_of(test)
    known = sum(word in vectors for word in words)
    sizes = [len(words) for words in test.targets]
    outcomes = np.full(sum(sizes), np.nan)
    if all(attributes):
        means = [vectors.of(words).mean(axis=0) for words in attributes]
        leaning = means[0] - means[1]
        for place, word in enumerate([*test.targets[0], *test.targets[1]]):
            if word in vectors:
                outcomes[place] = float(np.vecdot(vectors.of([word])[0], leaning))
    first, second = split(outcomes, test)
    measure = _measure(first, second, settings.seed, number)
    return SectionResult(
        name, len(words), known, len(words) - known, (measure,), outcomes=outcomes, test=test
    )


def split(outcomes: Doubles, test: Association) -> tuple[Doubles, Doubles]:
    """Return how the known words of the first targets lean, and those of the second."""
    count = len(test.targets[0])
    return tuple(  # type: ignore[return-value]
        part[~np.isnan(part)] for part in (outcomes[:count], outcomes[count:])
    )


def _measure(first: Doubles, second: Doubles, seed: int, number: int) -> Measure:
    value = effect_size(first, second)
    if value is None:
        return Measure("effect size", None, chance=0.0)
    low, high = middle(resampled_effects(first, second, generator(seed, number)))
    p_value, floor, exact = _permuted(first, second, generator(seed, number, 1))
    return Measure("effect size", value, low, high, 0.0, floor, p_value, exact)


def resampled_effects(first: Doubles, second: Doubles, draw: np.random.Generator) -> Doubles:
    """Return the effect size of words drawn with replacement, for each draw, or NaN."""
    ones = first[draw.integers(0, len(first), (DRAWS, len(first)))]
    twos = second[draw.integers(0, len(second), (DRAWS, len(second)))]
    deviations = np.concatenate([ones, twos], axis=1).std(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        effects = (ones.mean(axis=1) - twos.mean(axis=1)) / deviations
    return np.where(deviations > 1e-15, effects, np.nan)


def _permuted(
    first: Doubles, second: Doubles, draw: np.random.Generator
) -> tuple[float, float | None, bool]:
    """Return p, the floor of the effect's amount, and whether every permutation was tried.

    All of them have the same words, so sums of the first set rank them as effect sizes do.
    """
    leanings = np.concatenate([first, second])
    count, size = len(leanings), len(first)
    exact = comb(count, size) <= EXACT
    blocks = _all_ways(count, size) if exact else _drawn_ways(count, size, draw)
    sums = np.concatenate([leanings[block].sum(axis=1) for block in blocks])
    slack = 1e-12 * max(float(np.abs(leanings).sum()), 1e-300)  # what rounding may take away
    as_large = int((sums >= first.sum() - slack).sum())
    p_value = as_large / len(sums) if exact else (as_large + 1) / (len(sums) + 1)
    rest = leanings.sum() - sums
    effects = (sums / size - rest / (count - size)) / leanings.std()
    return p_value, floor_of(np.abs(effects)), exact


def _all_ways(count: int, size: int) -> Iterator[Numbers]:
    waiting: list[tuple[int, ...]] = []
    for way in combinations(range(count), size):
        waiting.append(way)
        if len(waiting) == _AT_ONCE:
            yield np.array(waiting, np.int64)
            waiting = []
    if waiting:
        yield np.array(waiting, np.int64)


def _drawn_ways(count: int, size: int, draw: np.random.Generator) -> Iterator[Numbers]:
    step = max(1, min(_AT_ONCE, 2**22 // count))
    for start in range(0, DRAWN, step):
        part = min(step, DRAWN - start)
        yield np.argsort(draw.random((part, count)), axis=1)[:, :size]
