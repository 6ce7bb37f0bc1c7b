"""A table fitted to a width: the one place where columns are narrowed, left out or turned over.

Numbers are never cut. Where a table is too wide, in this order: dimensions of a vector are left out
in the middle, with a count; texts are cut or wrapped, the widest first; gaps shrink; columns that
are optional are left out, which is said below the table; and where nothing helps, each row becomes
lines of heading and value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.text import Text

from embedinspect.output.cells import turn_over
from embedinspect.output.grid import BETWEEN, Block, Cell, CellColumn, beside
from embedinspect.output.screen import STYLES, Screen
from embedinspect.output.sketch import GAPS, RIGHT, SHORTEST_BAR, Sketch, TextColumn, cut, sketched
from embedinspect.page import Table

STACKED_LINES = 3
LONGEST_BAR = 32
TITLE_LINES = 2


def table_lines(table: Table, screen: Screen) -> Iterator[Text]:
    """Yield the lines of a table in the screen's width."""
    if table.full and _turned_over(table, screen):
        table = turn_over(table)
    sketch = sketched(table, screen)
    yield from _fitted_lines(table, sketch, screen)
    if table.more:
        yield Text(f"{screen.signs.more} {table.more:,} more")


def tables_lines(tables: Sequence[Table], screen: Screen) -> Iterator[Text]:
    """Yield tables side by side, as many as there is room for, and the rest below them."""
    group: list[tuple[Table, Block]] = []
    waiting = [(table, _natural_block(table, screen)) for table in tables]
    first = True
    while waiting or group:
        width = sum(block.width + BETWEEN for _, block in group)
        if waiting and (not group or width + waiting[0][1].width <= screen.width):
            group.append(waiting.pop(0))
            continue
        if not first:
            yield Text()
        first = False
        if len(group) == 1:
            yield from table_lines(group[0][0], screen)
        else:
            yield from beside([block for _, block in group], BETWEEN, screen.signs.rule)
        group = []


def _turned_over(table: Table, screen: Screen) -> bool:
    """Return whether all dimensions of a table's vectors are wider than the screen."""
    sketch = sketched(table, screen)
    return sketch.width(GAPS[0]) > screen.width and any(c.kind == "vector" for c in table.columns)


def _natural_block(table: Table, screen: Screen) -> Block:
    """Return the table as wide as it would like to be, for a place beside others."""
    sketch = sketched(table, screen)
    title = screen.clip(sketch.title, TITLE_LINES * screen.width)
    widths = [column.natural for column in sketch.columns]
    return _block(replace(sketch, title=title), widths, GAPS[0], screen)


def _fitted_lines(table: Table, sketch: Sketch, screen: Screen) -> Iterator[Text]:
    title = screen.clip(sketch.title, TITLE_LINES * screen.width)
    kept, left_out = list(sketch.columns), list[TextColumn]()
    while True:
        for gap in GAPS:
            widths = _widths(kept, screen.width, gap)
            if widths is not None:
                block = _block(Sketch("", kept), widths, gap, screen)
                block = replace(block, least=min(cell_len(title), screen.width))
                yield from (Text(part, style="bold") for part in screen.wrap(title, screen.width))
                yield from list(block.lines(screen.signs.rule))[1:]
                yield from _said(left_out, screen)
                return
        optional = [column for column in kept if column.optional and not table.full]
        if not optional:
            break
        kept.remove(optional[-1])
        left_out.insert(0, optional[-1])
    if table.full:  # lines longer than the screen, rather than a value left out
        widths = [column.natural for column in kept]
        yield from _block(Sketch(title, kept), widths, GAPS[0], screen).lines(screen.signs.rule)
    else:
        yield from _stacked(title, kept, screen)
    yield from _said(left_out, screen)


def _said(left_out: Sequence[TextColumn], screen: Screen) -> Iterator[Text]:
    """Yield the line that names columns for which there was no room."""
    if left_out:
        names = ", ".join(column.header for column in left_out)
        line = f"{screen.signs.more} no room for: {names}"
        for part in screen.wrap(line, screen.width):
            yield Text(part, style=STYLES["aside"])


def _widths(columns: Sequence[TextColumn], room: int, gap: int) -> list[int] | None:
    """Return widths that fit, the widest texts narrowed first; None where they cannot."""
    widths = [column.natural for column in columns]
    bars = [number for number, column in enumerate(columns) if column.kind == "bar"]
    spent = gap * (len(columns) - 1)
    for number in bars:  # a bar takes what the others leave
        others = sum(width for place, width in enumerate(widths) if place != number)
        widths[number] = max(SHORTEST_BAR, min(LONGEST_BAR, room - spent - others))
    while sum(widths) + spent > room:
        wide = [n for n, column in enumerate(columns) if widths[n] > column.least]
        if not wide:
            return None
        widths[max(wide, key=lambda n: widths[n])] -= 1
    return widths


def _block(sketch: Sketch, widths: Sequence[int], gap: int, screen: Screen) -> Block:
    """Return the table with columns of these widths; a long sentence takes several lines."""
    columns = sketch.columns
    drawn = [_drawn(column, width, screen) for column, width in zip(columns, widths, strict=True)]
    cell_columns = []
    heights = [max(map(len, parts)) for parts in zip(*drawn, strict=True)]
    for column, width, texts in zip(columns, widths, drawn, strict=True):
        cells = []
        for parts, style, height in zip(texts, column.styles, heights, strict=True):
            cells += [Cell(part, style) for part in parts]
            cells += [Cell()] * (height - len(parts))
        header = column.header
        if cell_len(header) > width:
            header = "\n".join(screen.wrap(header, width))
        cell_columns.append(CellColumn(header, cells, column.kind in RIGHT, gap))
    return Block(sketch.title, cell_columns)


def _drawn(column: TextColumn, width: int, screen: Screen) -> list[list[str]]:
    """Return the lines of each cell of a column in its width."""
    if column.kind == "bar":
        most = max([*column.amounts, 0.0]) or 1.0
        lengths = [max(1, round(width * n / most)) if n else 0 for n in column.amounts]
        return [[screen.signs.bar * length] for length in lengths]
    if column.kind == "prose":
        return [screen.wrap(cell, width) or [""] for cell in column.cells]
    return [[cut(cell, column.kind, width, screen)] for cell in column.cells]


def _stacked(title: str, columns: Sequence[TextColumn], screen: Screen) -> Iterator[Text]:
    """Yield each row as lines of heading and value, for screens too narrow for the table."""
    for part in screen.wrap(title, screen.width):
        yield Text(part, style="bold")
    yield Text(screen.signs.rule * screen.width, style=STYLES["aside"])
    for number, row in enumerate(zip(*(column.cells for column in columns), strict=True)):
        if number:
            yield Text()
        for column, cell in zip(columns, row, strict=True):
            if column.kind == "bar":
                continue
            line = f"{column.header.strip()}: {cell}" if column.header else cell
            line = screen.clip(line, STACKED_LINES * screen.width)
            yield from map(Text, screen.wrap(line, screen.width))
