"""A table fitted to a width: the one place where columns are narrowed, left out or turned over.

Numbers are never cut. Where a table is too wide, in this order: dimensions of a vector are left out
in the middle, with a count; texts are cut or wrapped, the widest first; gaps shrink; columns that
are optional are left out, which is said below the table; bars are left out; and where nothing
helps, each row becomes lines of heading and value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.text import Text

from embedinspect.output.bars import LONGEST_BAR, LONGEST_LEAN, bars, lean, lean_scale
from embedinspect.output.cells import turn_over
from embedinspect.output.grid import BETWEEN, Block, Cell, CellColumn, beside, styled
from embedinspect.output.screen import STYLES, Screen
from embedinspect.output.sketch import DRAWN, GAPS, RIGHT, Sketch, TextColumn, cut, sketched
from embedinspect.page import Table
from embedinspect.plots.colours import BLUE

STACKED_LINES = 3
LONGEST: dict[str, int] = {"bar": LONGEST_BAR, "lean": LONGEST_LEAN}
TITLE_LINES = 2


def table_lines(table: Table, screen: Screen) -> Iterator[Text]:
    """Yield the lines of a table in the screen's width."""
    sketch = sketched(table, screen)
    if table.full and _turned_over(table, sketch, screen):
        sketch = sketched(turn_over(table), screen)
    sketches = [sketched(table, screen, band) for band in sketch.bands] or [sketch]
    for number, part in enumerate(sketches):
        if number:
            yield Text()
        yield from _fitted_lines(table, part, screen)
    if table.more:
        yield Text(f"{screen.signs.more} {table.more:,} more")
    if sketch.legend:
        yield Text()
    yield from sketch.legend


def fitting_columns(table: Table, screen: Screen) -> list[str]:
    """Return the names of the columns of a table that the screen's width has room for."""
    sketch = sketched(table, screen)
    left_out = {column.header for column in _fitted(table, sketch, screen).left_out}
    return [column.name for column in table.columns if screen.text(column.name) not in left_out]


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


def _turned_over(table: Table, sketch: Sketch, screen: Screen) -> bool:
    """Return whether all dimensions of a table's vectors, as numbers, are wider than the screen."""
    vectors = any(column.kind == "vector" for column in table.columns)
    numbers = all(column.kind != "heat" for column in sketch.columns)
    return vectors and numbers and sketch.width(GAPS[0]) > screen.width


def _natural_block(table: Table, screen: Screen) -> Block:
    """Return the table as wide as it would like to be, for a place beside others.

    There vectors are numbers: a legend has no place.
    """
    columns = [replace(column, heat=None) for column in table.columns]
    sketch = sketched(replace(table, columns=columns), screen)
    title = screen.clip(sketch.title, TITLE_LINES * screen.width)
    widths = [column.natural for column in sketch.columns]
    return _block(replace(sketch, title=title), widths, GAPS[0], screen)


@dataclass(frozen=True)
class _Fitted:
    """Which columns of a table fit, and how.

    Attributes:
        columns: that are kept.
        left_out: for which there is no room.
        widths: of those that are kept; None where even they do not fit beside each other.
        gap: between them.
    """

    columns: Sequence[TextColumn]
    left_out: Sequence[TextColumn]
    widths: Sequence[int] | None = None
    gap: int = GAPS[0]


def _fitted(table: Table, sketch: Sketch, screen: Screen) -> _Fitted:
    kept, left_out = list(sketch.columns), list[TextColumn]()
    while True:
        for gap in GAPS:
            widths = _widths(kept, screen.width, gap)
            if widths is not None:
                return _Fitted(kept, left_out, widths, gap)
        optional = [column for column in kept if column.optional and not table.full]
        optional = optional or [column for column in kept if column.kind in DRAWN and kept[1:]]
        if not optional:
            return _Fitted(kept, left_out)
        kept.remove(optional[-1])
        left_out.insert(0, optional[-1])


def _fitted_lines(table: Table, sketch: Sketch, screen: Screen) -> Iterator[Text]:
    title = screen.clip(sketch.title, TITLE_LINES * screen.width)
    fitted = _fitted(table, sketch, screen)
    if fitted.widths is not None:
        block = _block(Sketch("", fitted.columns), fitted.widths, fitted.gap, screen)
        block = replace(block, least=min(cell_len(title), screen.width))
        yield from (Text(part, style="bold") for part in screen.wrap(title, screen.width))
        yield from list(block.lines(screen.signs.rule))[1:]
    elif table.full:  # lines longer than the screen, rather than a value left out
        widths = [column.natural for column in fitted.columns]
        block = _block(Sketch(title, fitted.columns), widths, GAPS[0], screen)
        yield from block.lines(screen.signs.rule)
    else:
        yield from _stacked(title, fitted.columns, screen)
    yield from _said(fitted.left_out, screen)


def _said(left_out: Sequence[TextColumn], screen: Screen) -> Iterator[Text]:
    """Yield the line that names columns for which there was no room."""
    names = ", ".join(column.header for column in left_out if column.kind not in DRAWN)
    if names:  # bars have their numbers in another column
        line = f"{screen.signs.more} no room for: {names}"
        for part in screen.wrap(line, screen.width):
            yield Text(part, style=STYLES["aside"])


def _widths(columns: Sequence[TextColumn], room: int, gap: int) -> list[int] | None:
    """Return widths that fit, the widest texts narrowed first; None where they cannot."""
    widths = [column.natural for column in columns]
    spent = gap * (len(columns) - 1)
    for number, column in enumerate(columns):
        if column.kind in DRAWN:  # a bar takes what the others leave
            others = sum(widths) - widths[number]
            longest = min(LONGEST[column.kind], room - spent - others)
            widths[number] = max(column.least, longest)
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
        for parts, height in zip(texts, heights, strict=True):
            cells += parts
            cells += [Cell()] * (height - len(parts))
        header = lean_scale(width, screen) if column.kind == "lean" else column.header
        if cell_len(header) > width:
            header = "\n".join(screen.wrap(header, width))
        cell_columns.append(CellColumn(header, cells, column.kind in RIGHT, gap))
    return Block(sketch.title, cell_columns)


def _drawn(column: TextColumn, width: int, screen: Screen) -> list[list[Cell]]:
    """Return the lines of each cell of a column in its width."""
    if column.kind == "bar":
        blue = screen.tint(BLUE)
        drawn = bars(column.amounts, width, screen, logarithmic=column.logarithmic)
        return [[Cell(bar, style or blue)] for bar, style in zip(drawn, column.styles, strict=True)]
    if column.kind == "lean":
        return [[lean(amount, width, screen)] for amount in column.amounts]
    if column.spans:
        return [
            [Cell(text, "", spans)] for text, spans in zip(column.cells, column.spans, strict=True)
        ]
    texts = [
        (screen.wrap(cell, width) or [""])
        if column.kind == "prose"
        else [cut(cell, column.kind, width, screen)]
        for cell in column.cells
    ]
    return [
        [Cell(part, style) for part in parts]
        for parts, style in zip(texts, column.styles, strict=True)
    ]


def _stacked(title: str, columns: Sequence[TextColumn], screen: Screen) -> Iterator[Text]:
    """Yield each row as lines of heading and value, for screens too narrow for the table."""
    for part in screen.wrap(title, screen.width):
        yield Text(part, style="bold")
    yield Text(screen.signs.rule * screen.width, style=STYLES["aside"])
    for number, row in enumerate(zip(*(column.cells for column in columns), strict=True)):
        if number:
            yield Text()
        for column, cell in zip(columns, row, strict=True):
            if column.kind in DRAWN:
                continue
            if column.spans:  # below the numbers of the dimensions
                yield Text(column.header)
                yield styled(cell, column.spans[number])
                continue
            line = f"{column.header.strip()}: {cell}" if column.header else cell
            line = screen.clip(line, STACKED_LINES * screen.width)
            yield from map(Text, screen.wrap(line, screen.width))
