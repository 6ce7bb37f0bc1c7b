"""The records of `evaluate`: measures, each beside what chance gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from embedinspect.analysis.evaluate.items import Association, TestFile
from embedinspect.source import Source

Doubles = np.ndarray[Any, np.dtype[np.float64]]
OutOfVocabulary = Literal["skip", "wrong"]
AnalogyMethod = Literal["cosadd", "cosmul"]


@dataclass(frozen=True)
class Settings:
    """How tests are counted.

    Attributes:
        oov: what becomes of an item with a word that has no vector: it is skipped, or counts as
            wrong (a pair as one of similarity 0, as gensim's `dummy4unknown` has it).
        case: whether capitals count.
        restrict: how many of the first rows are looked at; None for all.
        method: of analogies.
        top: how many answers of the source are looked at: an item counts as right if the right one
            is among them.
        seed: of all that is drawn.
    """

    oov: OutOfVocabulary = "skip"
    case: bool = False
    restrict: int | None = None
    method: AnalogyMethod = "cosadd"
    top: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Measure:
    """One number about a section.

    Attributes:
        name: `accuracy`, `purity`, `pearson`, `spearman` or `effect size`.
        value: None where it is not defined, as of a single pair.
        low, high: of the interval that holds it with a confidence of 95 %, where there is one.
        chance: what to expect of a source that knows nothing.
        floor: what 95 of 100 shuffles stay at or below; of correlations and effect sizes, their
            amount does.
        p_value: of the permutation test, where the measure has one.
        exact: whether that test has tried every permutation.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    floor: float | None = None
    p_value: float | None = None
    exact: bool | None = None


@dataclass(frozen=True)
class SectionResult:
    """What a source makes of a section, or of all of them.

    Attributes:
        name: of the section.
        items: how many it has.
        counted: how many the measures are made of.
        oov: how many have a word without a vector.
        correct: how many are right, where items can be that.
        measures: one, or two for pairs.
        without_offset: of analogies, how many would be right if the answer were the row nearest to
            c alone.
        outcomes: of each item: 1 or 0 for right or wrong, of pairs the cosine; NaN where it does
            not count. Of an association test: of each word of the two targets, how it leans.
        test: of an association test, its words.
    """

    name: str
    items: int
    counted: int
    oov: int
    measures: tuple[Measure, ...]
    correct: int | None = None
    without_offset: int | None = None
    outcomes: Doubles = field(default_factory=lambda: np.empty(0), repr=False)
    test: Association | None = None


@dataclass(frozen=True)
class Missing:
    """Words of a test that have no vector in a source.

    Attributes:
        total: how many different ones.
        first: some of them.
        no_direction: how many of them have a row, but one of zeros or not finite.
        composed: how many words without a row were composed of their parts, and so do count.
    """

    total: int = 0
    first: tuple[str, ...] = ()
    no_direction: int = 0
    composed: int = 0


@dataclass(frozen=True)
class FileResult:
    """What a source makes of a file.

    Attributes:
        file: the test.
        source: the number of the source among those that were asked.
        sections: in the order of the file; of categories, one for each.
        total: of all sections together; None for association tests, which are one each.
        missing: its words that have no vector.
    """

    file: TestFile
    source: int
    sections: tuple[SectionResult, ...]
    total: SectionResult | None
    missing: Missing

    @property
    def results(self) -> tuple[SectionResult, ...]:
        """The sections, and the total behind them where it says more than a single section."""
        if self.total is None or len(self.sections) == 1:
            return self.sections
        return *self.sections, self.total


@dataclass(frozen=True)
class Comparison:
    """Two sources on the items of a section that both of them answer.

    Attributes:
        file: the test.
        section: its name.
        measure: which number is compared.
        first, second: the numbers of the two sources.
        common: how many items count for both.
        values: of the two on these items; None where not defined.
        difference: the second less the first.
        low, high: of the interval that holds it with a confidence of 95 %.
        p_value: how often chance alone gives a difference as large.
        adjusted: that after Holm 1979 for all comparisons of these two on this file.
        test: what it was tested by, in words.
    """

    file: TestFile
    section: str
    measure: str
    first: int
    second: int
    common: int
    values: tuple[float | None, float | None]
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    adjusted: float | None
    test: str

    @property
    def more_than_chance(self) -> bool | None:
        """Whether it is, at 5 % over all comparisons; None where nothing can be said."""
        return None if self.adjusted is None else self.adjusted < 0.05


@dataclass(frozen=True)
class Evaluation:
    """The record that `evaluate` prints.

    Attributes:
        sources: that were asked.
        settings: how the items were counted.
        results: of each file, one for each source.
        comparisons: of the first source with each of the others.
        rows: how many rows of each source were looked at.
    """

    sources: tuple[Source, ...]
    settings: Settings
    results: tuple[FileResult, ...]
    comparisons: tuple[Comparison, ...]
    rows: tuple[int, ...]
