"""`evaluate`: what tests say of an embedding, beside what chance gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from embedinspect.analysis.evaluate.items import ASKS, TestFile
from embedinspect.analysis.evaluate.results import (
    Comparison,
    Evaluation,
    FileResult,
    Measure,
    SectionResult,
)
from embedinspect.output.document import Document, about_source
from embedinspect.output.evaluate_facts import facts_of
from embedinspect.output.labels import source_name
from embedinspect.page import Column, Fact, Facts, Meaning, Page, Table

_LONGEST = 32
_COLUMNS = (
    "file", "kind", "source", "section", "is_total", "measure", "value", "low", "high", "chance",
    "floor", "above_floor", "p_value", "p_is_exact", "items", "counted", "oov", "correct",
    "without_offset",
)  # fmt: skip

Line = tuple[str, FileResult, SectionResult, Measure]


def page(evaluation: Evaluation) -> Page:
    """Yield the tests one by one: each source's table, then how the sources differ.

    Of several files, the totals come first.
    """
    files = list(dict.fromkeys(result.file.path for result in evaluation.results))
    if len(evaluation.sources) > 1:
        yield Facts(
            [
                Fact(letter(number), source_name(source))
                for number, source in enumerate(evaluation.sources)
            ]
        )
    if len(files) > 1:
        yield _table("In total", _totals(evaluation), heading="file")
    count = len(evaluation.sources)
    for start in range(0, len(evaluation.results), count):
        results = evaluation.results[start : start + count]
        test = results[0].file
        for result in results:
            of = f", {letter(result.source)}" if count > 1 else ""
            title = f"{test.path}: {test.kind}{of}, {ASKS[test.kind]}"
            yield _table(title, _lines(result), heading="section")
        comparisons = [c for c in evaluation.comparisons if c.file is test]
        if comparisons:
            yield _differences(test, comparisons)
        yield Facts(list(facts_of(evaluation, results, comparisons)))


def letter(source: int) -> str:
    """Return what a source is called in tables.

    >>> letter(0), letter(27)
    ('A', 'S28')
    """
    return chr(ord("A") + source) if source < 26 else f"S{source + 1}"


def _totals(evaluation: Evaluation) -> list[Line]:
    lines: list[Line] = []
    several = len(evaluation.sources) > 1
    for result in evaluation.results:
        sections = result.sections if result.total is None else [result.total]
        for section in sections:
            name = result.file.path
            if result.total is None and len(sections) > 1:
                name = f"{name}, {section.name}"
            if several:
                name = f"{name}, {letter(result.source)}"
            lines += [(name, result, section, measure) for measure in section.measures]
    return lines


def _lines(result: FileResult) -> list[Line]:
    return [
        (section.name, result, section, measure)
        for section in result.results
        for measure in section.measures
    ]


def _table(title: str, lines: Sequence[Line], heading: str) -> Table:
    """Return numbers with their chance, their floor and how many items they are made of."""
    measures = [measure for _, _, _, measure in lines]
    sections = [section for _, _, section, _ in lines]
    names = dict.fromkeys(measure.name for measure in measures)
    names_of_lines = [name for name, _, _, _ in lines]
    columns = [
        Column(heading, names_of_lines, "path" if heading == "file" else "text", most=_LONGEST)
    ]
    if len(names) > 1:
        columns.append(Column("measure", [measure.name for measure in measures], rigid=True))
    if any(section.correct is not None for section in sections):
        columns.append(Column("right", [section.correct for section in sections], "number"))
    columns.append(Column("of", [section.counted for section in sections], "number"))
    value = next(iter(names)) if len(names) == 1 else "value"
    columns += [
        _number(value, [measure.value for measure in measures]),
        _number("chance", [measure.chance for measure in measures]),
        _number("permuted", [measure.floor for measure in measures]),
        Column(
            "above it",
            [_yes_or_no(is_above(measure)) for measure in measures],
            rigid=True,
            meanings=[_meaning(is_above(measure)) for measure in measures],
        ),
    ]
    if any(measure.p_value is not None for measure in measures):
        columns.append(_p_values("p", [measure.p_value for measure in measures]))
    columns.append(Column("oov", [section.oov for section in sections], "number", optional=True))
    if any(section.without_offset is not None for section in sections):
        columns.append(
            Column(
                "no offset",
                [section.without_offset for section in sections],
                "number",
                optional=True,
            )
        )
    if any(measure.low is not None for measure in measures):
        columns += [
            _number("from", [measure.low for measure in measures], optional=True),
            _number("to", [measure.high for measure in measures], optional=True),
        ]
    return Table(title, columns)


def _number(
    name: str,
    values: Sequence[float | None],
    decimals: int = 3,
    *,
    optional: bool = False,
    signed: bool = False,
) -> Column:
    return Column(name, values, "number", decimals, signed=signed, optional=optional)


def _p_values(name: str, values: Sequence[float | None]) -> Column:
    """Return a column of p values, with exponents where one would be rounded to zero."""
    tiny = any(value is not None and value < 1e-4 for value in values)
    return Column(name, values, "number", None if tiny else 4)


def is_above(measure: Measure) -> bool | None:
    """Return whether a number is above its permuted floor; None where one of them is not there."""
    if measure.value is None or measure.floor is None:
        return None
    value = measure.value
    if measure.name in {"pearson", "spearman", "effect size"}:  # of which amounts count
        value = abs(value)
    return value > measure.floor


def _yes_or_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _meaning(value: bool | None) -> Meaning:
    return "plain" if value is None else "confirmed" if value else "doubtful"


def _differences(test: TestFile, comparisons: Sequence[Comparison]) -> Table:
    several = len({comparison.second for comparison in comparisons}) > 1
    measures = len({comparison.measure for comparison in comparisons}) > 1
    columns = [
        Column("section", [c.section for c in comparisons], most=_LONGEST),
    ]
    if measures:
        columns.append(Column("measure", [c.measure for c in comparisons], rigid=True))
    if several:
        columns.append(
            Column("sources", [f"A, {letter(c.second)}" for c in comparisons], rigid=True)
        )
    second = "other" if several else letter(comparisons[0].second)
    columns += [
        _number("A", [c.values[0] for c in comparisons]),
        _number(second, [c.values[1] for c in comparisons]),
        _number("difference", [c.difference for c in comparisons], signed=True),
        _p_values("p, adjusted", [c.adjusted for c in comparisons]),
        Column(
            "more than chance",
            [_yes_or_no(c.more_than_chance) for c in comparisons],
            rigid=True,
            meanings=["notable" if c.more_than_chance else "plain" for c in comparisons],
        ),
        Column("in both", [c.common for c in comparisons], "number", optional=True),
    ]
    if any(c.low is not None for c in comparisons):
        columns += [
            _number("from", [c.low for c in comparisons], optional=True, signed=True),
            _number("to", [c.high for c in comparisons], optional=True, signed=True),
        ]
    return Table(f"{test.path}: how the sources differ", columns)


# -- for programs ---------------------------------------------------------------------------------


def document(evaluation: Evaluation) -> Document:
    """Return every number of every section, source and file, a line each."""
    settings = evaluation.settings
    head = {
        "sources": [about_source(source) for source in evaluation.sources],
        "settings": {**vars(settings), "rows": list(evaluation.rows)},
        "files": [_file(result) for result in evaluation.results if result.source == 0],
        "missing": [
            {"file": result.file.path, "source": result.source, **_missing(result)}
            for result in evaluation.results
        ],
    }
    lists = {
        "comparisons": map(_comparison, evaluation.comparisons),
        "results": _items(evaluation),
    }
    return Document("evaluate", head, lists, lines="results", columns=_COLUMNS)


def _file(result: FileResult) -> dict[str, Any]:
    test = result.file
    return {
        "path": test.path,
        "kind": test.kind,
        "reason": test.reason,
        "perhaps": test.perhaps,
        "items": test.size,
        "notes": list(test.notes),
        "left_out": {"total": test.left_out.total, "first": list(test.left_out.first)},
    }


def _missing(result: FileResult) -> dict[str, Any]:
    missing = result.missing
    return {
        "words": missing.total,
        "first": list(missing.first),
        "no_direction": missing.no_direction,
        "composed": missing.composed,
    }


def _items(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    for result in evaluation.results:
        for section in result.results:
            for measure in section.measures:
                yield {
                    "file": result.file.path,
                    "kind": result.file.kind,
                    "source": result.source,
                    "section": section.name,
                    "is_total": section is result.total or len(result.results) == 1,
                    "measure": measure.name,
                    "value": measure.value,
                    "low": measure.low,
                    "high": measure.high,
                    "chance": measure.chance,
                    "floor": measure.floor,
                    "above_floor": is_above(measure),
                    "p_value": measure.p_value,
                    "p_is_exact": measure.exact,
                    "items": section.items,
                    "counted": section.counted,
                    "oov": section.oov,
                    "correct": section.correct,
                    "without_offset": section.without_offset,
                }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "file": comparison.file.path,
        "section": comparison.section,
        "measure": comparison.measure,
        "first": comparison.first,
        "second": comparison.second,
        "common": comparison.common,
        "value_first": comparison.values[0],
        "value_second": comparison.values[1],
        "difference": comparison.difference,
        "low": comparison.low,
        "high": comparison.high,
        "p_value": comparison.p_value,
        "p_adjusted": comparison.adjusted,
        "more_than_chance": comparison.more_than_chance,
        "test": comparison.test,
    }


def nothing_judged(evaluation: Evaluation) -> str | None:
    """Return what to say where no item of any file could be counted; None where one was."""
    if any(section.counted for result in evaluation.results for section in result.sections):
        return None
    files = {result.file.path: result.file.kind for result in evaluation.results}
    kinds = "; ".join(f"{path!r} was taken for {kind}" for path, kind in files.items())
    names = " or ".join(repr(source.path) for source in evaluation.sources)
    return (
        f"nothing is judged: no item has a vector in {names} for each of its words ({kinds}); "
        "expected tests of words that are there; --as says what a file is"
    )
