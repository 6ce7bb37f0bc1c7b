"""A page on a terminal, or in a pipe: the parts as lines of text."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import assert_never

from rich.cells import cell_len
from rich.text import Text

from embedinspect.output.fitting import fitting_columns, table_lines, tables_lines
from embedinspect.output.screen import STYLES, Screen, open_screen, plain_screen
from embedinspect.page import (
    Code,
    Fact,
    Facts,
    Glossary,
    Headline,
    KeyFigure,
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
    folded,
)
from embedinspect.pictures import Curves, Scatter

LABEL_WIDTH = 12
NARROWEST_SENTENCE = 20
BRIEF_LINES, SLACK = 2, 12
INDENT = 2


def print_page(page: Page, screen: Screen | None = None) -> None:
    """Print each part of a page as it comes, with an empty line between parts."""
    screen = screen or open_screen()
    for line in page_lines(page, screen):
        if line is None:
            sys.stdout.flush()
        else:
            screen.line(line)


def plain_lines(page: Page) -> Iterator[str]:
    """Yield the lines of a page as a file has them: without colors, as wide as in a pipe."""
    for line in page_lines(page, plain_screen()):
        if line is not None:
            yield line.plain.rstrip() + "\n"


def page_lines(page: Page, screen: Screen) -> Iterator[Text | None]:
    """Yield the lines of a page, and None after each part: there the lines so far may be shown."""
    empty_line = False
    for part in page:
        for line in part_lines(part, screen):
            if empty_line:
                yield Text()
                empty_line = False
            yield line
        empty_line = True
        yield None


def part_lines(part: Part, screen: Screen) -> Iterator[Text]:
    """Yield the lines of one part, none of them wider than the screen where that can be."""
    match part:
        case Headline():
            for line in screen.wrap(screen.text(part.text), screen.width):
                yield Text(line, style="bold")
            yield from _paragraph(part.intro, "", screen)
        case Section():
            yield from _section(part, screen)
        case KeyFigures():
            facts = [Fact(f.label, _figure(f), f.meaning) for f in part.figures]
            yield from facts_lines(facts, screen)
        case Paragraph():
            yield from _paragraph(part.text, STYLES[part.meaning], screen)
        case Table():
            yield from table_lines(part, screen)
        case Tables():
            if part.heading:
                for line in screen.wrap(screen.text(part.heading), screen.width):
                    yield Text(line, style="bold")
            yield from tables_lines(part.tables, screen)
        case Facts():
            yield from facts_lines(part.facts, screen)
        case Glossary():
            yield from _glossary(part, screen)
        case Problem():
            yield from _problem(part, screen)
        case Code():
            yield from _code(part, screen)
        case Trace():
            from embedinspect.output.show.tables import trace_lines

            yield from trace_lines(part, screen)
        case Reading():
            yield from table_lines(part.table, screen)
        case Curves():
            from embedinspect.output.pictures.curves import curves_lines

            yield from curves_lines(part, screen)
        case Scatter():
            from embedinspect.output.pictures.scatter import scatter_lines

            yield from scatter_lines(part, screen)
        case _:
            assert_never(part)


def _section(section: Section, screen: Screen) -> Iterator[Text]:
    title = screen.clip(screen.text(section.title), screen.width)
    yield Text(title, style="bold")
    yield Text(screen.signs.rule * cell_len(title), style=STYLES["aside"])
    yield from _paragraph(section.intro, "", screen)


def _figure(figure: KeyFigure) -> str:
    return f"{figure.value} ({figure.remark})" if figure.remark else figure.value


def _paragraph(text: str, style: str, screen: Screen) -> Iterator[Text]:
    if text:
        for line in screen.wrap(screen.text(text), screen.prose_width):
            yield Text(line, style=style)


def facts_lines(facts: Sequence[Fact], screen: Screen) -> Iterator[Text]:
    """Yield each sentence behind its label, wrapped below itself."""
    labels = [screen.text(fact.label) for fact in facts]
    width = max([LABEL_WIDTH, *(len(label) + 1 for label in labels)])
    room = max(NARROWEST_SENTENCE, screen.prose_width - width)
    for label, fact in zip(labels, facts, strict=True):
        sentence = screen.text(fact.text)
        if fact.brief:  # wrapping may leave a line short, so leave room for that
            sentence = screen.clip(sentence, BRIEF_LINES * room - SLACK)
        for number, part in enumerate(screen.wrap(sentence, room)):
            line = Text((label if not number else "").ljust(width))
            line.stylize(_label_style(fact), 0, len(label))
            line.append(part)
            yield line


def _label_style(fact: Fact) -> str:
    style = STYLES[fact.meaning]
    return style if "bold" in style else f"bold {style}".strip()


def _glossary(glossary: Glossary, screen: Screen) -> Iterator[Text]:
    groups = glossary.groups
    if glossary.of_columns:
        columns = {name for table in glossary.of_columns for name in fitting_columns(table, screen)}
        groups = [
            (title, [pair for pair in names if pair[0] in columns]) for title, names in groups
        ]
    width = max(len(screen.text(name)) for _, names in groups for name, _ in names)
    room = max(NARROWEST_SENTENCE, screen.prose_width - width - 2 * INDENT)
    for number, (title, names) in enumerate(groups):
        if number:
            yield Text()
        yield Text(screen.text(title), style="bold")
        for name, meaning in names:
            for place, line in enumerate(screen.wrap(screen.text(meaning), room)):
                label = screen.text(name) if not place else ""
                yield Text(" " * INDENT + label.ljust(width + INDENT) + line)


def _problem(problem: Problem, screen: Screen) -> Iterator[Text]:
    head = f"{problem.number}  {problem.severity}"
    facts = [Fact(head, problem.what, problem.meaning)]
    facts += [Fact(f"   {detail.label}", detail.text) for detail in problem.details]
    for number, line in enumerate(facts_lines(facts, screen)):
        if number:
            line.stylize("not bold")
        yield line


def _code(code: Code, screen: Screen) -> Iterator[Text]:
    if code.title:
        yield Text(screen.text(code.title), style="bold")
    fold = folded(len(code.lines), code.most)
    for number in fold.head:
        yield Text(screen.text(code.lines[number]))
    if fold.left_out:
        yield Text(f"# ... {fold.left_out:,} lines left out; --json has them all")
    for number in fold.tail:
        yield Text(screen.text(code.lines[number]))
