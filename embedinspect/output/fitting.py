"""A table fitted to a width: the one place where columns are narrowed, left out or turned over.

Numbers are never cut. Where a table is too wide, in this order: dimensions of a vector are left out
in the middle, with a count; texts are cut or wrapped, the widest first; gaps shrink; columns that
are optional are left out, which is said below the table; and where nothing helps, each row becomes
lines of heading and value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from embedinspect.output.digits import decimals_for, table_number, widest_number
from embedinspect.output.grid import BETWEEN, Block, Cell, CellColumn, beside
from embedinspect.output.screen import STYLES, Screen, clip_start
from embedinspect.page import Column, Decimals, Kind, Table, folded

GAPS = (2, 1)
NARROWEST_TEXT = 8
NARROWEST_PATH = 16
STACKED_LINES = 3
LONGEST_BAR, SHORTEST_BAR = 32, 4
RIGHT: frozenset[Kind] = frozenset({"id", "number", "vector"})
TITLE_LINES = 2


def table_lines(table: Table, screen: Screen) -> Iterator[Text]:
    """Yield the lines of a table in the screen's width."""
    if table.full and _turned_over(table, screen):
        table = turn_over(table)
    sketch = _sketch(table, screen)
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


def elided_dimensions(total: int, room: int) -> list[int | None]:
    """Return which of the dimensions to show where there is room for some; None is the gap.

    >>> elided_dimensions(32, 4)
    [0, 1, 2, None, 31]
    """
    if room >= total:
        return list(range(total))
    tail = max(1, room // 3) if room > 1 else 0
    return [*range(room - tail), None, *range(total - tail, total)]


def turn_over(table: Table) -> Table:
    """Return a table of vectors with the dimensions below each other and the rows side by side.

    The heading of each row is its other cells, the first of them text.
    """
    vectors = next(column for column in table.columns if column.kind == "vector")
    others = [column for column in table.columns if column.kind != "vector"]
    named = next((column for column in others if column.kind == "text"), None)
    numbers = np.asarray(vectors.values)
    names = [str(name) for name in named.values] if named is not None else None
    below = [column for column in others if column is not named]
    labels = [column.name for column in below] + [f"dim {n}" for n in range(numbers.shape[1])]
    shared = decimals_for(numbers) if vectors.decimals == "auto" else vectors.decimals
    columns = [Column("", labels, rigid=True)]
    for row in range(len(numbers)):
        cells = [_cell(column, column.values[row], _decimals(column, None)) for column in below]
        cells += [table_number(float(value), shared) for value in numbers[row]]
        columns.append(Column(names[row] if names else f"#{row}", cells, "number", most=24))
    return Table(table.title, columns)


def _turned_over(table: Table, screen: Screen) -> bool:
    """Return whether all dimensions of a table's vectors are wider than the screen."""
    sketch = _sketch(table, screen)
    return sketch.width(GAPS[0]) > screen.width and any(c.kind == "vector" for c in table.columns)


# -- from values to text --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Lane:
    """One column as text, before it is fitted."""

    header: str
    cells: Sequence[str]
    kind: Kind
    styles: Sequence[str]
    least: int
    optional: bool = False
    amounts: Sequence[float] = ()

    @property
    def natural(self) -> int:
        """The width that it would like to have."""
        return max(cell_len(self.header), *map(cell_len, self.cells), 0)


@dataclass(frozen=True)
class _Sketch:
    """A table as text, before it is fitted."""

    title: str
    lanes: Sequence[_Lane]

    def width(self, gap: int) -> int:
        """Return the width that the table would like to have."""
        return sum(lane.natural for lane in self.lanes) + gap * (len(self.lanes) - 1)


def _sketch(table: Table, screen: Screen, room: int | None = None) -> _Sketch:
    """Return a table as text, as many dimensions of a vector in it as there is room for."""
    count = max((len(column.values) for column in table.columns), default=0)
    fold = folded(count, table.most)
    rows: list[int | None] = [*fold.head]
    title = table.title
    if fold.left_out:
        rows += [None, *fold.tail]
        title += f", {fold.left_out:,} rows left out"
    shared = _shared_decimals(table)
    lanes: list[_Lane] = []
    for column in table.columns:
        if column.kind == "vector":
            lanes += _vector_lanes(column, rows, screen, None)
        else:
            lanes.append(_lane(column, rows, shared, screen))
    sketch = _Sketch(screen.text(title), lanes)
    if not table.full and any(column.kind == "vector" for column in table.columns):
        sketch = _with_dimensions_that_fit(
            table, sketch, rows, shared, room or screen.width, screen
        )
    return sketch


def _with_dimensions_that_fit(
    table: Table,
    sketch: _Sketch,
    rows: Sequence[int | None],
    shared: int | None,
    room: int,
    screen: Screen,
) -> _Sketch:
    if sketch.width(GAPS[0]) <= room:
        return sketch
    lanes: list[_Lane] = []
    others = [
        _lane(column, rows, shared, screen) for column in table.columns if column.kind != "vector"
    ]
    left = room - sum(lane.natural + GAPS[0] for lane in others)
    for column in table.columns:
        if column.kind == "vector":
            lanes += _vector_lanes(column, rows, screen, left)
        else:
            lanes.append(others.pop(0))
    return _Sketch(sketch.title, lanes)


def _vector_lanes(
    column: Column, rows: Sequence[int | None], screen: Screen, room: int | None
) -> list[_Lane]:
    """Return a lane for each dimension that there is room for, and one for those left out."""
    values = np.asarray(column.values)
    total = values.shape[1]
    decimals = decimals_for(values) if column.decimals == "auto" else column.decimals
    width = max(widest_number(values, decimals), len(f"dim {total - 1}"))
    fitting, left_out = total, "{} more"
    if room is not None:
        # The short form only where it makes room for one dimension more.
        counts = {form: _fitting(room, form, width, total) for form in ("{} more", "+{}")}
        left_out = max(counts, key=lambda form: counts[form])
        fitting = counts[left_out]
    lanes = []
    more = screen.signs.more
    for dimension in elided_dimensions(total, fitting):
        if dimension is None:
            cells = [more] * len(rows)
            styles = [STYLES["aside"]] * len(rows)
            header = left_out.format(total - fitting)
        else:
            cells = [
                more if row is None else table_number(float(values[row, dimension]), decimals)
                for row in rows
            ]
            styles, header = [""] * len(rows), f"dim {dimension}".rjust(width)
        lanes.append(_Lane(header, cells, "vector", styles, cell_len(header)))
    return lanes


def _fitting(room: int, form: str, width: int, total: int) -> int:
    """Return how many dimensions of a width there is room for, beside the count of the others."""
    count = len(form.format(total)) + GAPS[0]
    return max(1, min(total, (room - count + GAPS[0]) // (width + GAPS[0])))


def _lane(column: Column, rows: Sequence[int | None], shared: int | None, screen: Screen) -> _Lane:
    decimals = _decimals(column, shared)
    more = screen.signs.more
    cells, styles, amounts = [], [], []
    for row in rows:
        value = None if row is None else column.values[row]
        text = more if row is None else screen.text(_cell(column, value, decimals))
        if column.most is not None and column.kind not in {"prose", "sequence"}:
            text = _cut(text, column.kind, column.most, screen)
        cells.append("" if column.kind == "bar" else text)
        styles.append(STYLES[column.meanings[row]] if column.meanings and row is not None else "")
        amounts.append(float(value) if column.kind == "bar" and value is not None else 0.0)
    header = screen.text(column.name)
    if column.most is not None:
        header = screen.clip(header, column.most)
    lane = _Lane(header, cells, column.kind, styles, 0, column.optional, amounts)
    return replace(lane, least=_least(lane, rigid=column.rigid))


def _least(lane: _Lane, *, rigid: bool) -> int:
    """Return the width that a lane cannot do without."""
    header = max(map(cell_len, lane.header.split(" ")))  # it may be wrapped between its words
    if lane.kind == "bar":
        return SHORTEST_BAR
    if lane.kind == "vector":
        return lane.natural
    if lane.kind in RIGHT or rigid:
        return max([header, *map(cell_len, lane.cells)])
    least = NARROWEST_PATH if lane.kind == "path" else NARROWEST_TEXT
    if lane.kind == "prose":  # a sentence is wrapped between words, not in them
        least = max(cell_len(word) for cell in [*lane.cells, ""] for word in cell.split(" "))
    return min(lane.natural, max(header, least))


def column_texts(column: Column, table: Table) -> list[str]:
    """Return the values of a column as text, whole, as no screen has seen them."""
    decimals = _decimals(column, _shared_decimals(table))
    return [_cell(column, value, decimals) for value in column.values]


def _shared_decimals(table: Table) -> int | None:
    """Return the decimals of all columns that leave them to the table."""
    numbers = [
        value
        for column in table.columns
        if column.kind == "number" and column.decimals == "auto"
        for value in column.values
        if isinstance(value, float)
    ]
    return decimals_for(np.array(numbers, np.float32)) if numbers else 0


def _decimals(column: Column, shared: Decimals) -> int | None:
    decimals = shared if column.decimals == "auto" else column.decimals
    return None if decimals == "auto" else decimals


def _cell(column: Column, value: Any, decimals: int | None) -> str:
    """Return a value as text, before a screen has seen it."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(map(str, value)) if value else "(empty)"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        plain = column.kind == "id"
        return f"{value:d}" if plain else f"{value:+,}" if column.signed else f"{value:,}"
    return table_number(value, decimals, signed=column.signed)


def _cut(text: str, kind: Kind, width: int, screen: Screen) -> str:
    if kind == "path":
        return clip_start(text, width, screen.signs.more)
    if kind == "sequence" and cell_len(text) > width:
        more = f" {screen.signs.more} "
        head = (width - len(more)) * 2 // 3
        return text[:head] + more + text[len(text) - (width - len(more) - head) :]
    return screen.clip(text, width)


# -- from text to lines ---------------------------------------------------------------------------


def _natural_block(table: Table, screen: Screen) -> Block:
    """Return the table as wide as it would like to be, for a place beside others."""
    sketch = _sketch(table, screen)
    title = screen.clip(sketch.title, TITLE_LINES * screen.width)
    widths = [lane.natural for lane in sketch.lanes]
    return _block(replace(sketch, title=title), widths, GAPS[0], screen)


def _fitted_lines(table: Table, sketch: _Sketch, screen: Screen) -> Iterator[Text]:
    title = screen.clip(sketch.title, TITLE_LINES * screen.width)
    kept, left_out = list(sketch.lanes), list[_Lane]()
    while True:
        for gap in GAPS:
            widths = _widths(kept, screen.width, gap)
            if widths is not None:
                block = _block(_Sketch("", kept), widths, gap, screen)
                block = replace(block, least=min(cell_len(title), screen.width))
                yield from (Text(part, style="bold") for part in screen.wrap(title, screen.width))
                yield from list(block.lines(screen.signs.rule))[1:]
                yield from _said(left_out, screen)
                return
        optional = [lane for lane in kept if lane.optional and not table.full]
        if not optional:
            break
        kept.remove(optional[-1])
        left_out.insert(0, optional[-1])
    if table.full:  # lines longer than the screen, rather than a value left out
        widths = [lane.natural for lane in kept]
        yield from _block(_Sketch(title, kept), widths, GAPS[0], screen).lines(screen.signs.rule)
    else:
        yield from _stacked(title, kept, screen)
    yield from _said(left_out, screen)


def _said(left_out: Sequence[_Lane], screen: Screen) -> Iterator[Text]:
    """Yield the line that names columns for which there was no room."""
    if left_out:
        names = ", ".join(lane.header for lane in left_out)
        line = f"{screen.signs.more} no room for: {names}"
        for part in screen.wrap(line, screen.width):
            yield Text(part, style=STYLES["aside"])


def _widths(lanes: Sequence[_Lane], room: int, gap: int) -> list[int] | None:
    """Return widths that fit, the widest texts narrowed first; None where they cannot."""
    widths = [lane.natural for lane in lanes]
    bars = [number for number, lane in enumerate(lanes) if lane.kind == "bar"]
    spent = gap * (len(lanes) - 1)
    for number in bars:  # a bar takes what the others leave
        others = sum(width for place, width in enumerate(widths) if place != number)
        widths[number] = max(SHORTEST_BAR, min(LONGEST_BAR, room - spent - others))
    while sum(widths) + spent > room:
        wide = [n for n, lane in enumerate(lanes) if widths[n] > lane.least]
        if not wide:
            return None
        widths[max(wide, key=lambda n: widths[n])] -= 1
    return widths


def _block(sketch: _Sketch, widths: Sequence[int], gap: int, screen: Screen) -> Block:
    """Return the table with columns of these widths; a long sentence takes several lines."""
    lanes = sketch.lanes
    drawn = [_drawn(lane, width, screen) for lane, width in zip(lanes, widths, strict=True)]
    columns = []
    heights = [max(map(len, parts)) for parts in zip(*drawn, strict=True)]
    for lane, width, texts in zip(lanes, widths, drawn, strict=True):
        cells = []
        for parts, style, height in zip(texts, lane.styles, heights, strict=True):
            cells += [Cell(part, style) for part in parts]
            cells += [Cell()] * (height - len(parts))
        header = lane.header
        if cell_len(header) > width:
            header = "\n".join(screen.wrap(header, width))
        columns.append(CellColumn(header, cells, lane.kind in RIGHT, gap))
    return Block(sketch.title, columns)


def _drawn(lane: _Lane, width: int, screen: Screen) -> list[list[str]]:
    """Return the lines of each cell of a lane in its width."""
    if lane.kind == "bar":
        most = max([*lane.amounts, 0.0]) or 1.0
        lengths = [max(1, round(width * n / most)) if n else 0 for n in lane.amounts]
        return [[screen.signs.bar * length] for length in lengths]
    if lane.kind == "prose":
        return [screen.wrap(cell, width) or [""] for cell in lane.cells]
    return [[_cut(cell, lane.kind, width, screen)] for cell in lane.cells]


def _stacked(title: str, lanes: Sequence[_Lane], screen: Screen) -> Iterator[Text]:
    """Yield each row as lines of heading and value, for screens too narrow for the table."""
    for part in screen.wrap(title, screen.width):
        yield Text(part, style="bold")
    yield Text(screen.signs.rule * screen.width, style=STYLES["aside"])
    for number, row in enumerate(zip(*(lane.cells for lane in lanes), strict=True)):
        if number:
            yield Text()
        for lane, cell in zip(lanes, row, strict=True):
            if lane.kind == "bar":
                continue
            line = f"{lane.header.strip()}: {cell}" if lane.header else cell
            line = screen.clip(line, STACKED_LINES * screen.width)
            yield from map(Text, screen.wrap(line, screen.width))
