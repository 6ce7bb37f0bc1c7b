"""Blocks of aligned cells, side by side or below each other.

Widths are counted, never negotiated: a column of numbers is shown whole or not at all, where a
general table would crop it silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from rich.cells import cell_len
from rich.text import Text

RULE_STYLE = "bright_black"
BETWEEN = 3  # cells between blocks side by side

# A part of a text with a style of its own: first character, the one behind the last, style.
Span = tuple[int, int, str]


@dataclass(frozen=True)
class Cell:
    """What stands in one line of a column.

    Attributes:
        spans: parts of the text with styles of their own.
    """

    text: str = ""
    style: str = ""
    spans: Sequence[Span] = ()


@dataclass(frozen=True)
class CellColumn:
    """Cells below each other; `gap` is the space to the column before it.

    A header may have several lines; they end right above the rule.
    """

    header: str
    cells: Sequence[Cell]
    right: bool = False
    gap: int = 2

    @cached_property
    def width(self) -> int:
        """Cells that the header and every cell fit in."""
        texts = [*self.header.split("\n"), *(cell.text for cell in self.cells)]
        return max(map(cell_len, texts))


@dataclass(frozen=True)
class Block:
    """Columns under one title.

    Attributes:
        least: cells that the rule takes at least.
    """

    title: str
    columns: Sequence[CellColumn]
    least: int = 0

    @cached_property
    def width(self) -> int:
        """Cells of its widest line."""
        return max(self.least, cell_len(self.title), columns_width(self.columns))

    def lines(self, rule: str = "─") -> Iterator[Text]:
        """Yield the title, the headers, a rule and one line for each cell."""
        widths = [column.width for column in self.columns]
        yield Text(self.title, style="bold")
        headers = [column.header.split("\n") for column in self.columns]
        height = max(map(len, headers), default=1)
        for number in range(height):
            places = [number - height + len(lines) for lines in headers]
            header = [
                Cell(lines[place] if place >= 0 else "")
                for lines, place in zip(headers, places, strict=True)
            ]
            yield self._line(header, widths)
        yield Text(rule * self.width, style=RULE_STYLE)
        for cells in zip(*(column.cells for column in self.columns), strict=True):
            yield self._line(cells, widths)

    def _line(self, cells: Sequence[Cell], widths: Sequence[int]) -> Text:
        line = Text()
        for number, (column, cell, width) in enumerate(
            zip(self.columns, cells, widths, strict=True)
        ):
            space = " " * (width - cell_len(cell.text))
            if number:
                line.append(" " * column.gap)
            if column.right:
                line.append(space)
            line.append_text(styled(cell.text, cell.spans, cell.style))
            if not column.right:
                line.append(space)
        return line


def styled(text: str, spans: Sequence[Span], style: str = "") -> Text:
    """Return a text of one style, parts of it with styles of their own."""
    line = Text(text, style)
    for first, end, own in spans:
        line.stylize(own, first, end)
    return line


def columns_width(columns: Sequence[CellColumn]) -> int:
    """Return the cells that the columns take with the gaps between them."""
    gaps = sum(column.gap for column in columns[1:])
    return gaps + sum(column.width for column in columns)


def beside(blocks: Sequence[Block], gap: int = BETWEEN, rule: str = "─") -> Iterator[Text]:
    """Yield the lines of the blocks side by side, `gap` cells apart."""
    for parts in zip_longest(*(block.lines(rule) for block in blocks)):
        line = Text()
        for number, (part, block) in enumerate(zip(parts, blocks, strict=True)):
            if number:
                line.append(" " * gap)
            part = part if part is not None else Text()
            line.append_text(part)
            if number + 1 < len(blocks):
                line.append(" " * (block.width - part.cell_len))
        yield line
