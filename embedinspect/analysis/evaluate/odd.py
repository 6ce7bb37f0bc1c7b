"""Odd one out: the word that is least like the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedinspect.analysis.evaluate.items import OddOneOut, Section
from embedinspect.analysis.evaluate.results import Doubles, Measure, SectionResult, Settings
from embedinspect.analysis.evaluate.statistics import SHUFFLES, floor_of, generator, wilson
from embedinspect.analysis.evaluate.words import Vectors

TOTAL = "total"


def words_of(item: OddOneOut) -> tuple[str, ...]:
    """Return the words of a group, the odd one among them."""
    return *item.words, item.odd


def score(
    vectors: Vectors, sections: Sequence[Section], settings: Settings
) -> tuple[list[SectionResult], SectionResult]:
    """Return how often the odd word has the lowest mean cosine with the others of its group.

    That is the compactness score of Camacho-Collados and Navigli 2016, and the order of gensim's
    `doesnt_match`. It is right, too, if the odd word is among the `top` lowest. Of equal cosines
    the odd word's counts as the higher.

    The permuted floor is that of groups in which any word, drawn at random, is the odd one.
    """
    results = []
    shuffles, counted = np.zeros(SHUFFLES), 0
    outcomes, chances, oov = [np.empty(0)], [np.empty(0)], 0
    for number, section in enumerate(sections):
        pairs = [_outcome(item, vectors, settings) for item in section.items]
        right = np.array([outcome for outcome, _ in pairs], np.float64)
        chance = np.array([by_chance for _, by_chance in pairs], np.float64)
        unknown = int((chance == 0).sum())
        draw = generator(settings.seed, number)
        asked = chance[~np.isnan(right)]
        hits = (draw.random((SHUFFLES, len(asked))) < asked).sum(axis=1).astype(np.float64)
        shuffles += hits
        counted += len(asked)
        oov += unknown
        outcomes.append(right)
        chances.append(chance)
        results.append(_result(section.name, right, chance, unknown, hits))
    total = _result(TOTAL, np.concatenate(outcomes), np.concatenate(chances), oov, shuffles)
    return results, total


def _outcome(item: OddOneOut, vectors: Vectors, settings: Settings) -> tuple[float, float]:
    """Return 1 or 0 for right or wrong, NaN if not counted, and the chance to be right, or 0."""
    words = words_of(item)
    if any(word not in vectors for word in words):
        return (0.0 if settings.oov == "wrong" else np.nan), 0.0
    units = vectors.of(words)
    sums = np.vecdot(units, units.sum(axis=0))  # 1 more than with the others alone
    place = int((sums[:-1] <= sums[-1]).sum())
    return float(place < settings.top), min(1.0, settings.top / len(words))


def _result(
    name: str, outcomes: Doubles, chances: Doubles, oov: int, shuffles: Doubles
) -> SectionResult:
    counts = ~np.isnan(outcomes)
    counted, correct = int(counts.sum()), int(np.nansum(outcomes))
    low, high = wilson(correct, counted)
    measure = Measure(
        "accuracy",
        correct / counted if counted else None,
        low,
        high,
        float(chances[counts].mean()) if counted else None,
        floor_of(shuffles / counted) if counted else None,
    )
    return SectionResult(name, len(outcomes), counted, oov, (measure,), correct, outcomes=outcomes)
