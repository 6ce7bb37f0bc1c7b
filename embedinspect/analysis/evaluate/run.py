"""Sources and files of tests become one record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from embedinspect.analysis.evaluate import analogies, association, categories, odd, pairs
from embedinspect.analysis.evaluate.comparison import comparisons_of
from embedinspect.analysis.evaluate.items import Kind, TestFile
from embedinspect.analysis.evaluate.results import (
    Evaluation,
    FileResult,
    Missing,
    SectionResult,
    Settings,
)
from embedinspect.analysis.evaluate.words import Vectors, WordRows
from embedinspect.source import Source

Progress = Callable[[int], None]

_NAMED = 8
_WORDS_OF: dict[Kind, Callable[[Any], tuple[str, ...]]] = {
    "analogies": analogies.words_of,
    "pairs": pairs.words_of,
    "odd-one-out": odd.words_of,
    "categories": categories.words_of,
    "association": association.words_of,
}


def evaluate(
    sources: Sequence[Source],
    files: Sequence[TestFile],
    settings: Settings,
    progress: Progress | None = None,
) -> Evaluation:
    """Return what each source makes of each file, and where sources differ by more than chance.

    Args:
        progress: is told how many analogies of all files and sources are done, now and then.

    Raises:
        UsageError: a source has no words.
    """
    rows = [WordRows(source, case=settings.case, restrict=settings.restrict) for source in sources]
    results: list[FileResult] = []
    done = 0
    for file in files:
        for number, words in enumerate(rows):
            tell = None if progress is None else _shifted(progress, done)
            results.append(_result(words, file, number, settings, tell))
            done += file.size if file.kind == "analogies" else 0
    return Evaluation(
        tuple(sources),
        settings,
        tuple(results),
        comparisons_of(results, len(sources), settings),
        tuple(words.count for words in rows),
    )


def _shifted(progress: Progress, done: int) -> Progress:
    return lambda more: progress(done + more)


def _result(
    words: WordRows, file: TestFile, number: int, settings: Settings, progress: Progress | None
) -> FileResult:
    words_of = _WORDS_OF[file.kind]
    named = dict.fromkeys(
        word for section in file.sections for item in section.items for word in words_of(item)
    )
    if file.kind == "analogies":
        parts, whole = analogies.score(words, file.sections, settings, progress)
        missing = [word for word in named if words.row_of(word) is None]
        about = _missing(words, missing)
        return FileResult(file, number, tuple(parts), _total(parts, whole), about)
    vectors = words.vectors_of(named)
    missing = [word for word in named if word not in vectors]
    about = _missing(words, missing, vectors)
    if file.kind == "association":
        parts = association.score(vectors, file.sections, settings)
        return FileResult(file, number, tuple(parts), None, about)
    scored = {"pairs": pairs.score, "odd-one-out": odd.score, "categories": categories.score}
    parts, whole = scored[file.kind](vectors, file.sections, settings)
    return FileResult(file, number, tuple(parts), _total(parts, whole), about)


def _total(parts: Sequence[SectionResult], whole: SectionResult) -> SectionResult:
    """Return the total; of a single section its very numbers, with the same draws."""
    return replace(parts[0], name=whole.name) if len(parts) == 1 else whole


def _missing(words: WordRows, missing: Iterable[str], vectors: Vectors | None = None) -> Missing:
    missing = list(missing)
    return Missing(
        len(missing),
        tuple(missing[:_NAMED]),
        sum(map(words.has_no_direction, missing)),
        0 if vectors is None else vectors.composed,
    )
