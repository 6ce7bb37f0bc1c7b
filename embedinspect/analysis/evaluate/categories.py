"""Categories: whether words of one kind lie together, found by clustering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from embedinspect.analysis.evaluate.clustering import cluster
from embedinspect.analysis.evaluate.items import Member, Section
from embedinspect.analysis.evaluate.results import Doubles, Measure, SectionResult, Settings
from embedinspect.analysis.evaluate.statistics import SHUFFLES, floor_of, generator
from embedinspect.analysis.evaluate.words import Vectors

TOTAL = "total"

Numbers = np.ndarray[Any, np.dtype[np.int64]]


def words_of(item: Member) -> tuple[str, ...]:
    """Return the word of a member."""
    return (item.word,)


def score(
    vectors: Vectors, sections: Sequence[Section], settings: Settings
) -> tuple[list[SectionResult], SectionResult]:
    """Return the purity of as many clusters as there are categories, and by category its part.

    A word counts as right if its category is that of most words of its cluster (of equally many the
    first category); the share of such words is the purity (Manning, Raghavan and Schuetze 2008,
    section 16.3). Clusters are found on vectors of length 1, without the categories. Where words
    without a vector count as wrong, they are in no cluster.

    No clustering has a purity below the share of the largest category, which is given as chance.
    The permuted floor is that of the same clusters beside shuffled categories.
    """
    items = [item for section in sections for item in section.items]
    known = np.array([item.word in vectors for item in items], np.bool_)
    names = list(dict.fromkeys(item.category for item in items))
    numbers = np.array([names.index(item.category) for item in items], np.int64)
    mine = numbers[known]
    outcomes = np.full(len(items), 0.0 if settings.oov == "wrong" else np.nan)
    draw = generator(settings.seed)
    clusters = np.empty(0, np.int64)
    count = min(len(np.unique(mine)), len(mine))
    if count:
        units = vectors.of(item.word for item in items if item.word in vectors)
        clusters = cluster(units, count, draw)
        outcomes[known] = right(clusters, mine, len(names))
    counts = ~np.isnan(outcomes)
    results = [
        _category(name, outcomes[numbers == number], int((~known[numbers == number]).sum()))
        for number, name in enumerate(names)
    ]
    counted, correct = int(counts.sum()), int(np.nansum(outcomes))
    value = chance = floor = None
    if counted:
        value = correct / counted
        chance = int(np.bincount(mine).max()) / counted if len(mine) else 0.0
        shuffles = [
            right(clusters, draw.permutation(mine), len(names)).sum() for _ in range(SHUFFLES)
        ]
        floor = floor_of(np.array(shuffles, np.float64) / counted)
    measure = Measure("purity", value, chance=chance, floor=floor)
    oov = int((~known).sum())
    total = SectionResult(TOTAL, len(items), counted, oov, (measure,), correct, outcomes=outcomes)
    return results, total


def right(clusters: Numbers, categories: Numbers, count: int) -> np.ndarray[Any, Any]:
    """Return of each word whether its category is that of most words in its cluster."""
    if not len(clusters):
        return np.empty(0, np.bool_)
    table = np.zeros((int(clusters.max()) + 1, count), np.int64)
    np.add.at(table, (clusters, categories), 1)
    return np.asarray(table.argmax(axis=1)[clusters] == categories)


def _category(name: str, outcomes: Doubles, oov: int) -> SectionResult:
    counts = ~np.isnan(outcomes)
    counted, correct = int(counts.sum()), int(np.nansum(outcomes))
    measure = Measure("purity", correct / counted if counted else None)
    return SectionResult(name, len(outcomes), counted, oov, (measure,), correct, outcomes=outcomes)
