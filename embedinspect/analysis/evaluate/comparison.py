"""Two sources on one test: whether they differ by more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from embedinspect.analysis.evaluate import association, pairs
from embedinspect.analysis.evaluate.results import (
    Comparison,
    Doubles,
    FileResult,
    SectionResult,
    Settings,
)
from embedinspect.analysis.evaluate.statistics import (
    Resampled,
    generator,
    holm,
    mcnemar,
    middle,
    p_of_difference,
    pearson,
    spearman,
)

MCNEMAR, BOOTSTRAP = "McNemar's exact test", "paired bootstrap"


def compare(first: FileResult, second: FileResult, settings: Settings) -> list[Comparison]:
    """Return how two sources differ on each section of a file, and in total.

    Each is measured on the items that count for both. What is right or wrong is tested by McNemar's
    exact test (of the items that one alone has right, half are expected of either); correlations
    and effect sizes by a paired bootstrap: both are measured on the same draws of items. The p
    values of a file are adjusted by Holm for their number.
    """
    comparisons: list[Comparison] = []
    for number, (one, two) in enumerate(zip(first.results, second.results, strict=True)):
        comparisons += _section(first, second, one, two, settings.seed, number)
    adjusted = holm([comparison.p_value for comparison in comparisons])
    return [
        replace(comparison, adjusted=p) for comparison, p in zip(comparisons, adjusted, strict=True)
    ]


def _section(
    first: FileResult,
    second: FileResult,
    one: SectionResult,
    two: SectionResult,
    seed: int,
    number: int,
) -> Iterator[Comparison]:
    both = ~np.isnan(one.outcomes) & ~np.isnan(two.outcomes)
    common = int(both.sum())
    mine, other = one.outcomes[both], two.outcomes[both]
    kind = first.file.kind
    blank = Comparison(
        first.file, one.name, one.measures[0].name, first.source, second.source, common,
        (None, None), None, None, None, None, None, MCNEMAR,
    )  # fmt: skip
    if kind == "pairs":
        yield from _correlations(blank, _scores(first, one)[both], mine, other, seed, number)
    elif kind == "association":
        yield _effects(blank, one, two, seed, number)
    elif common:
        values = float(mine.mean()), float(other.mean())
        only = int(((mine == 1) & (other == 0)).sum()), int(((mine == 0) & (other == 1)).sum())
        difference = values[1] - values[0]
        yield replace(blank, values=values, difference=difference, p_value=mcnemar(*only))
    else:
        yield blank


def _scores(result: FileResult, section: SectionResult) -> Doubles:
    """Return what people said of the pairs of a section, or of all."""
    if section is result.total:
        items = [item for part in result.file.sections for item in part.items]
        return pairs.scores_of(items)
    place = next(n for n, part in enumerate(result.sections) if part is section)
    return pairs.scores_of(result.file.sections[place].items)


def _correlations(
    blank: Comparison, scores: Doubles, mine: Doubles, other: Doubles, seed: int, number: int
) -> Iterator[Comparison]:
    blank = replace(blank, test=BOOTSTRAP)
    resampled = Resampled(max(1, len(scores)), generator(seed, number, 2))
    for name, correlate, resample in (
        ("pearson", pearson, resampled.pearsons),
        ("spearman", spearman, resampled.spearmans),
    ):
        values = correlate(scores, mine), correlate(scores, other)
        if values[0] is None or values[1] is None:
            yield replace(blank, measure=name, values=values)
            continue
        differences = resample(scores, other) - resample(scores, mine)
        yield _with_interval(replace(blank, measure=name), (values[0], values[1]), differences)


def _effects(
    blank: Comparison, one: SectionResult, two: SectionResult, seed: int, number: int
) -> Comparison:
    """Compare effect sizes on the target words that both have."""
    assert one.test is not None
    blank = replace(blank, test=BOOTSTRAP)
    both = ~np.isnan(one.outcomes) & ~np.isnan(two.outcomes)
    mine, other = np.where(both, one.outcomes, np.nan), np.where(both, two.outcomes, np.nan)
    ours, theirs = association.split(mine, one.test), association.split(other, one.test)
    values = association.effect_size(*ours), association.effect_size(*theirs)
    if values[0] is None or values[1] is None:
        return replace(blank, values=values)
    draws = [
        association.resampled_effects(*sets, generator(seed, number, 2)) for sets in (ours, theirs)
    ]
    return _with_interval(blank, (values[0], values[1]), draws[1] - draws[0])


def _with_interval(
    blank: Comparison, values: tuple[float, float], differences: Doubles
) -> Comparison:
    low, high = middle(differences)
    return replace(
        blank,
        values=values,
        difference=values[1] - values[0],
        low=low,
        high=high,
        p_value=p_of_difference(differences),
    )


def comparisons_of(
    results: Sequence[FileResult], sources: int, settings: Settings
) -> tuple[Comparison, ...]:
    """Return the comparisons of the first source with each of the others, file by file."""
    comparisons: list[Comparison] = []
    for start in range(0, len(results), sources):
        first, *others = results[start : start + sources]
        for other in others:
            comparisons += compare(first, other, settings)
    return tuple(comparisons)
