"""A lesson's tables, fitted to the screen: numbers whole, texts clipped, sentences wrapped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from embedinspect.output.digits import decimals_for, table_number
from embedinspect.output.grid import Block, Cell, Column, beside
from embedinspect.output.screen import Screen, clip
from embedinspect.page import Table, Value
from embedinspect.wording import literal

MOST_ROWS, HEAD, TAIL = 14, 8, 4
NARROWEST_TEXT = 8
GAPS = (2, 1)
BETWEEN = 3
STACKED_LINES = 3


def shown(text: str, screen: Screen) -> str:
    """Return a text as the screen can print it, with stand-ins for the signs it lacks."""
    glyphs = screen.glyphs
    if glyphs.rule == "-":
        for sign, plain in (("×", glyphs.times), ("…", glyphs.more), ("·", glyphs.padding)):
            text = text.replace(sign, plain)
    return literal(text, glyphs.encoding)


def draw_tables(tables: Sequence[Table], screen: Screen) -> Iterator[Text]:
    """Yield the tables, side by side where they fit so, else below each other."""
    drafts = [_Draft.of(table, screen) for table in tables]
    blocks = [draft.block(screen, draft.natural(), GAPS[0]) for draft in drafts]
    whole = sum(block.width for block in blocks) + BETWEEN * (len(blocks) - 1)
    if len(blocks) > 1 and whole <= screen.width:
        yield from beside(blocks, BETWEEN, screen.glyphs.rule)
        return
    for number, draft in enumerate(drafts):
        if number:
            yield Text()
        yield from draft.lines(screen)


@dataclass(frozen=True)
class _Draft:
    """A table as text, before it is fitted.

    Attributes:
        cells: for each column its texts.
        kinds: `number`, `text`, `sequence` or `prose`, for each column.
    """

    title: str
    headers: Sequence[str]
    cells: Sequence[Sequence[str]]
    kinds: Sequence[str]

    @staticmethod
    def of(table: Table, screen: Screen) -> _Draft:
        count = len(table.rows)
        kept = list(range(count))
        title = table.title
        if count > MOST_ROWS:
            kept = [*range(HEAD), -1, *range(count - TAIL, count)]
            title += f", {count - HEAD - TAIL:,} lines left out"
        decimals = _decimals(table)
        more = screen.glyphs.more
        cells = [
            [more if n < 0 else _text(column.values[n], decimals, screen) for n in kept]
            for column in table.columns
        ]
        kinds = [
            "prose" if column.kind == "prose" else _kind(list(column.values))
            for column in table.columns
        ]
        headers = [shown(column.name, screen) for column in table.columns]
        return _Draft(shown(title, screen), headers, cells, kinds)

    def natural(self) -> list[int]:
        """Return the width that each column would like to have."""
        return [
            max(cell_len(header), *map(cell_len, cells), 0)
            for header, cells in zip(self.headers, self.cells, strict=True)
        ]

    def lines(self, screen: Screen) -> Iterator[Text]:
        """Yield the lines of the table in the screen's width."""
        for gap in GAPS:
            widths = self._fitted(screen.width, gap)
            if widths is not None:
                block = self.block(screen, widths, gap)
                lines = list(block.lines(screen.glyphs.rule))
                yield from Text(block.title, style="bold").wrap(screen.console, screen.width)
                lines[2] = lines[2][: screen.width]
                yield from lines[1:]
                return
        yield from self._stacked(screen)

    def _fitted(self, width: int, gap: int) -> list[int] | None:
        """Return widths that fit, the widest texts narrowed first; None where they cannot."""
        widths = self.natural()
        least = [self._least(column, widths[column]) for column in range(len(widths))]
        while sum(widths) + gap * (len(widths) - 1) > width:
            wide = [n for n in range(len(widths)) if widths[n] > least[n]]
            if not wide:
                return None
            widths[max(wide, key=lambda n: widths[n])] -= 1
        return widths

    def _least(self, column: int, natural: int) -> int:
        kind, header = self.kinds[column], cell_len(self.headers[column])
        if kind == "number":
            return natural
        least = NARROWEST_TEXT
        if kind == "prose":  # a sentence is wrapped between words, not in them
            least = max(
                cell_len(word) for cell in [*self.cells[column], ""] for word in cell.split(" ")
            )
        return min(natural, max(header, least))

    def block(self, screen: Screen, widths: Sequence[int], gap: int) -> Block:
        """Return the table with columns of these widths; a long sentence takes several lines."""
        parts = [
            [
                self._parts(cell, kind, width, screen)
                for cell, kind, width in zip(row, self.kinds, widths, strict=True)
            ]
            for row in zip(*self.cells, strict=True)
        ]
        columns = []
        for number, header in enumerate(self.headers):
            cells = []
            for row in parts:
                height = max(map(len, row))
                cells += [Cell(part) for part in row[number]]
                cells += [Cell()] * (height - len(row[number]))
            columns.append(Column(header, cells, self.kinds[number] == "number", gap))
        return Block(self.title, columns)

    def _parts(self, cell: str, kind: str, width: int, screen: Screen) -> list[str]:
        if kind == "prose":
            return [part.plain for part in Text(cell).wrap(screen.console, width)] or [""]
        if kind == "sequence" and cell_len(cell) > width:
            more = f" {screen.glyphs.more} "
            head = (width - len(more)) * 2 // 3
            return [cell[:head] + more + cell[len(cell) - (width - len(more) - head) :]]
        return [clip(cell, width, screen.glyphs.more)]

    def _stacked(self, screen: Screen) -> Iterator[Text]:
        """Yield each row as lines of header and cell, for screens too narrow for the table."""
        yield from Text(self.title, style="bold").wrap(screen.console, screen.width)
        yield Text(screen.glyphs.rule * screen.width, style="bright_black")
        for number, row in enumerate(zip(*self.cells, strict=True)):
            if number:
                yield Text()
            for header, cell in zip(self.headers, row, strict=True):
                line = f"{header}: {cell}" if header else cell
                line = clip(line, STACKED_LINES * screen.width, screen.glyphs.more)
                yield from Text(line).wrap(screen.console, screen.width)


def _kind(values: Sequence[Value]) -> str:
    known = [value for value in values if value is not None and value != ""]
    if any(isinstance(value, tuple) for value in known):
        return "sequence"
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
    return "number" if numbers else "text"


def _decimals(table: Table) -> int | None:
    numbers = [
        value for column in table.columns for value in column.values if isinstance(value, float)
    ]
    return decimals_for(np.array(numbers, np.float32)) if numbers else None


def _text(value: Value, decimals: int | None, screen: Screen) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return shown(str(value), screen)
    if isinstance(value, tuple):
        return " ".join(map(str, value)) if value else "(empty)"
    return f"{value:,}" if isinstance(value, int) else table_number(value, decimals)
