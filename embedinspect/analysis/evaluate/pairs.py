"""Pairs of words: how well cosines agree with what people say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedinspect.analysis.evaluate.items import Pair, Section
from embedinspect.analysis.evaluate.results import Doubles, Measure, SectionResult, Settings
from embedinspect.analysis.evaluate.statistics import (
    Resampled,
    floor_of,
    generator,
    middle,
    pearson,
    ranks,
    shuffled_correlations,
    spearman,
)
from embedinspect.analysis.evaluate.words import Vectors

TOTAL = "total"


def words_of(item: Pair) -> tuple[str, ...]:
    """Return the words of a pair."""
    return item.first, item.second


def score(
    vectors: Vectors, sections: Sequence[Section], settings: Settings
) -> tuple[list[SectionResult], SectionResult]:
    """Return the correlations of the cosines of pairs with their scores, Pearson and Spearman.

    A pair without both words is skipped, or has the similarity 0 where it is to count as wrong: the
    rule of gensim's `evaluate_word_pairs`.
    """
    results = [
        _result(section.name, section.items, vectors, settings, number)
        for number, section in enumerate(sections)
    ]
    items = [item for section in sections for item in section.items]
    return results, _result(TOTAL, items, vectors, settings, len(sections))


def scores_of(items: Sequence[Pair]) -> Doubles:
    """Return what people said."""
    return np.array([item.score for item in items], np.float64)


def _result(
    name: str, items: Sequence[Pair], vectors: Vectors, settings: Settings, number: int
) -> SectionResult:
    known = np.array([item.first in vectors and item.second in vectors for item in items], np.bool_)
    outcomes = np.full(len(items), 0.0 if settings.oov == "wrong" else np.nan)
    both = [item for item, is_known in zip(items, known.tolist(), strict=True) if is_known]
    first = vectors.of(item.first for item in both)
    second = vectors.of(item.second for item in both)
    outcomes[known] = np.vecdot(first, second)
    counts = ~np.isnan(outcomes)
    measures = _measures(scores_of(items)[counts], outcomes[counts], settings.seed, number)
    counted = int(counts.sum())
    return SectionResult(
        name, len(items), counted, int((~known).sum()), measures, outcomes=outcomes
    )


def _measures(scores: Doubles, cosines: Doubles, seed: int, number: int) -> tuple[Measure, ...]:
    r, rho = pearson(scores, cosines), spearman(scores, cosines)
    if r is None or rho is None:
        return Measure("pearson", r, chance=0.0), Measure("spearman", rho, chance=0.0)
    resampled = Resampled(len(scores), generator(seed, number))
    draw = generator(seed, number, 1)
    floors = (
        floor_of(np.abs(shuffled_correlations(scores, cosines, draw))),
        floor_of(np.abs(shuffled_correlations(ranks(scores), ranks(cosines), draw))),
    )
    intervals = (
        middle(resampled.pearsons(scores, cosines)),
        middle(resampled.spearmans(scores, cosines)),
    )
    return tuple(
        Measure(name, value, *interval, 0.0, floor)
        for name, value, interval, floor in zip(
            ("pearson", "spearman"), (r, rho), intervals, floors, strict=True
        )
    )
