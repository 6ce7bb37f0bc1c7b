"""A page as Markdown: pipe tables and lists, to paste into an issue, a notebook or a report.

Everything a stranger wrote is escaped, so that it can be neither markup nor HTML. Tables are whole:
there is no screen that they would have to fit, but for rows that the command itself left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, assert_never

import numpy as np

from embedinspect.output.cells import column_texts
from embedinspect.output.digits import decimals_for, table_number
from embedinspect.page import (
    Code,
    Column,
    Fact,
    Facts,
    Glossary,
    Headline,
    KeyFigures,
    Page,
    Paragraph,
    Part,
    Problem,
    Reading,
    Section,
    Table,
    Tables,
    Trace,
)
from embedinspect.pictures import Curves, Scatter
from embedinspect.wording import literal

# All that CommonMark, GitHub's tables and HTML give a meaning to inside a line.
_SPECIAL = re.compile(r"([\\`*_\[\]<>&|~#$])")
_RIGHT = frozenset({"id", "number", "vector"})


def markdown_lines(page: Page) -> Iterator[str]:
    """Yield the page part by part, with an empty line between parts."""
    empty_line = ""
    for part in page:
        text = "\n".join(_part(part))
        if text:
            yield f"{empty_line}{text}\n"
            empty_line = "\n"


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, controls written as escapes.

    >>> escaped("a|b <i>*c*")
    'a\\\\|b \\\\<i\\\\>\\\\*c\\\\*'
    """
    return _SPECIAL.sub(r"\\\1", literal(text))


def _part(part: Part) -> Iterator[str]:
    match part:
        case Headline():
            yield f"## {escaped(part.text)}"
            if part.intro:
                yield f"\n{escaped(part.intro)}"
        case Section():
            yield f"## {escaped(part.title)}"
            if part.intro:
                yield f"\n{escaped(part.intro)}"
        case KeyFigures():
            for figure in part.figures:
                remark = f" ({figure.remark})" if figure.remark else ""
                yield f"- **{escaped(figure.label)}**: {escaped(figure.value + remark)}"
        case Paragraph():
            yield escaped(part.text)
        case Table():
            yield from _table(part)
        case Tables():
            if part.heading:
                yield f"### {escaped(part.heading)}\n"
            yield "\n\n".join("\n".join(_table(table)) for table in part.tables)
        case Facts():
            yield from _facts(part.facts)
        case Glossary():
            yield "\n\n".join("\n".join(_group(*group)) for group in part.groups)
        case Problem():
            yield f"{part.number}. **{part.severity}**: {escaped(part.what)}"
            yield from (f"   {line}" for line in _facts(part.details))
        case Code():
            yield from _code(part)
        case Trace():
            from embedinspect.output.show.plain import plain_tables

            yield "\n\n".join("\n".join(_table(table)) for table in plain_tables(part))
        case Reading():
            yield from _table(part.table)
        case Curves() | Scatter():
            from embedinspect.output.pictures.numbers import numbers

            yield from _table(numbers(part))
            if part.remark:
                yield f"\n{escaped(part.remark)}"
        case _:
            assert_never(part)


def _facts(facts: Sequence[Fact]) -> Iterator[str]:
    for fact in facts:
        if fact.label:
            yield f"- **{escaped(fact.label)}**: {escaped(fact.text)}"
        else:  # it goes on with the one before
            yield f"  {escaped(fact.text)}"


def _group(title: str, names: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"### {escaped(title)}\n"
    yield from (f"- **{escaped(name)}**: {escaped(meaning)}" for name, meaning in names)


def _code(code: Code) -> Iterator[str]:
    if code.title:
        yield f"### {escaped(code.title)}\n"
    text = "\n".join(literal(line) for line in code.lines)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}python\n{text}\n{fence}"


def _table(table: Table) -> Iterator[str]:
    yield f"**{escaped(table.title)}**\n"
    columns = [column for column in table.columns if column.kind not in {"bar", "lean"}]
    texts: list[list[str]] = []
    headings: list[str] = []
    right: list[bool] = []
    for column in columns:
        for heading, cells in _columns(column, table):
            headings.append(escaped(heading))
            texts.append([escaped(cell) for cell in cells])
            right.append(column.kind in _RIGHT)
    yield "| " + " | ".join(headings) + " |"
    yield "|" + "|".join("---:" if is_right else "---" for is_right in right) + "|"
    for row in zip(*texts, strict=True):
        yield "| " + " | ".join(row) + " |"
    if table.more:
        yield f"\n{table.more:,} more"


def _columns(column: Column, table: Table) -> Iterator[tuple[str, Sequence[str]]]:
    if column.kind != "vector":
        yield column.name, column_texts(column, table)
        return
    values: Any = np.asarray(column.values)
    decimals = decimals_for(values) if column.decimals == "auto" else column.decimals
    for dimension in range(values.shape[1]):
        cells = [table_number(float(value), decimals) for value in values[:, dimension]]
        yield f"dim {dimension}", cells
