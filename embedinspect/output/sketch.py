"""A table as columns of text, before it is fitted to a width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from embedinspect.output.bars import SHORTEST_BAR, SHORTEST_LEAN
from embedinspect.output.cells import cell_text, column_decimals, shared_decimals
from embedinspect.output.digits import decimals_for, table_number, widest_number
from embedinspect.output.grid import Cell, Span
from embedinspect.output.pictures.heat import (
    LEFT_OUT,
    Brush,
    HeatLayout,
    bands,
    heading,
    layout_for,
)
from embedinspect.output.screen import STYLES, Screen, clip_start
from embedinspect.page import Column, Kind, Table, folded

GAPS = (2, 1)
NARROWEST_TEXT = 8
NARROWEST_PATH = 16
RIGHT: frozenset[str] = frozenset({"id", "number", "vector"})
# Kinds that are drawn in the room that the other columns leave, and the least that they need.
DRAWN: dict[str, int] = {"bar": SHORTEST_BAR, "lean": SHORTEST_LEAN}


@dataclass(frozen=True)
class TextColumn:
    """One column as text, before it is fitted."""

    header: str
    cells: Sequence[str]
    kind: Kind | Literal["heat"]
    styles: Sequence[str]
    least: int
    optional: bool = False
    amounts: Sequence[float | None] = ()
    logarithmic: bool = False
    spans: Sequence[Sequence[Span]] = ()

    @property
    def natural(self) -> int:
        """The width that it would like to have."""
        return max(cell_len(self.header), *map(cell_len, self.cells), DRAWN.get(self.kind, 0))


@dataclass(frozen=True)
class Sketch:
    """A table as text, before it is fitted.

    Attributes:
        legend: what drawn vectors stand for, in lines below the table.
        bands: the parts in which vectors have to be drawn below each other, where none of their
            dimensions may be left out and not all fit.
    """

    title: str
    columns: Sequence[TextColumn]
    legend: Sequence[Text] = ()
    bands: Sequence[range] = ()

    def width(self, gap: int) -> int:
        """Return the width that the table would like to have."""
        return sum(column.natural for column in self.columns) + gap * (len(self.columns) - 1)


def sketched(table: Table, screen: Screen, band: range | None = None) -> Sketch:
    """Return a table as text, as many dimensions of a vector in it as there is room for.

    Args:
        band: of vectors that are drawn, the dimensions to draw; None for those there is room for.
    """
    count = max((len(column.values) for column in table.columns), default=0)
    fold = folded(count, table.most)
    rows: list[int | None] = [*fold.head]
    title = table.title
    if fold.left_out:
        rows += [None, *fold.tail]
        title += f", {fold.left_out:,} rows left out"
    shared = shared_decimals(table)
    others = [
        _text_column(column, rows, shared, screen)
        for column in table.columns
        if column.kind != "vector"
    ]
    left = screen.width - sum(column.natural + GAPS[0] for column in others)
    columns: list[TextColumn] = []
    legend: list[Text] = []
    parts: list[range] = []
    for column in table.columns:
        if column.kind != "vector":
            columns.append(others.pop(0))
            continue
        numbers = _vector_columns(column, rows, screen, None if table.full else left)
        if drawn(column, screen, elided=len(numbers) < np.shape(column.values)[1]):
            brush = brush_of(column, screen)
            layout = layout_for(np.shape(column.values)[1], brush.forms, left, GAPS[0])
            columns += _heat_columns(column, rows, layout, brush, band)
            legend += brush.legend(layout.form)
            if table.full and layout.left_out:
                parts = bands(np.shape(column.values)[1], layout.form, left)
        else:
            columns += numbers
    return Sketch(screen.text(title), columns, legend, parts)


def drawn(column: Column, screen: Screen, *, elided: bool) -> bool:
    """Return whether vectors are drawn as cells and not written as numbers.

    Args:
        elided: whether some of the numbers would be left out.
    """
    heat = column.heat
    return heat is not None and (heat.always or (elided and screen.colours))


def brush_of(column: Column, screen: Screen) -> Brush:
    """Return what the vectors of a column are drawn with."""
    assert column.heat is not None
    return Brush.of(column.heat, np.asarray(column.values), screen)


def _heat_columns(
    column: Column,
    rows: Sequence[int | None],
    layout: HeatLayout,
    brush: Brush,
    band: range | None,
) -> list[TextColumn]:
    """Return a column for each part of the vectors that is drawn, and one for those between."""
    values, screen = np.asarray(column.values), brush.screen
    columns: list[TextColumn] = []
    for part in layout.parts if band is None else [band]:
        if columns:
            columns.append(_left_out_column(LEFT_OUT.format(layout.left_out), rows, screen))
        cells = [
            Cell(screen.signs.more) if row is None else brush.cell(values[row], part, layout.form)
            for row in rows
        ]
        texts, spans = [cell.text for cell in cells], [cell.spans for cell in cells]
        header = heading(part, layout.form)
        width = cell_len(header)
        columns.append(TextColumn(header, texts, "heat", [""] * len(rows), width, spans=spans))
    if layout.left_out and len(layout.parts) == 1 and band is None:
        columns.append(_left_out_column(LEFT_OUT.format(layout.left_out), rows, screen))
    return columns


def _left_out_column(header: str, rows: Sequence[int | None], screen: Screen) -> TextColumn:
    """Return the column that counts the dimensions which are left out."""
    cells, styles = [screen.signs.more] * len(rows), [STYLES["aside"]] * len(rows)
    return TextColumn(header, cells, "vector", styles, cell_len(header))


def _vector_columns(
    column: Column, rows: Sequence[int | None], screen: Screen, room: int | None
) -> list[TextColumn]:
    """Return a column for each dimension that there is room for, and one for those left out."""
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
    columns = []
    more = screen.signs.more
    for dimension in elided_dimensions(total, fitting):
        if dimension is None:
            columns.append(_left_out_column(left_out.format(total - fitting), rows, screen))
            continue
        cells = [
            more if row is None else table_number(float(values[row, dimension]), decimals)
            for row in rows
        ]
        header = f"dim {dimension}".rjust(width)
        columns.append(TextColumn(header, cells, "vector", [""] * len(rows), cell_len(header)))
    return columns


def _fitting(room: int, form: str, width: int, total: int) -> int:
    """Return how many dimensions of a width there is room for, beside the count of the others."""
    if total * (width + GAPS[0]) - GAPS[0] <= room:
        return total
    count = len(form.format(total)) + GAPS[0]
    return max(1, min(total, (room - count + GAPS[0]) // (width + GAPS[0])))


def _text_column(
    column: Column, rows: Sequence[int | None], shared: int | None, screen: Screen
) -> TextColumn:
    decimals = column_decimals(column, shared)
    more = screen.signs.more
    drawn = column.kind in DRAWN
    cells, styles = [], []
    amounts: list[float | None] = []
    for row in rows:
        value = None if row is None else column.values[row]
        text = more if row is None else screen.text(cell_text(column, value, decimals))
        if column.most is not None and column.kind not in {"prose", "sequence"}:
            text = cut(text, column.kind, column.most, screen)
        cells.append("" if drawn else text)
        styles.append(STYLES[column.meanings[row]] if column.meanings and row is not None else "")
        amounts.append(float(value) if drawn and value is not None else None)
    header = "" if column.kind == "lean" else screen.text(column.name)  # its scale stands there
    if column.most is not None:
        header = screen.clip(header, column.most)
    text_column = TextColumn(
        header, cells, column.kind, styles, 0, column.optional, amounts, column.logarithmic
    )
    return replace(text_column, least=_least(text_column, rigid=column.rigid))


def _least(column: TextColumn, *, rigid: bool) -> int:
    """Return the width that a column cannot do without."""
    header = max(map(cell_len, column.header.split(" ")))  # it may be wrapped between its words
    if column.kind in DRAWN:
        return max(header, DRAWN[column.kind])
    if column.kind in {"vector", "heat"}:
        return column.natural
    if column.kind in RIGHT or rigid:
        return max([header, *map(cell_len, column.cells)])
    least = NARROWEST_PATH if column.kind == "path" else NARROWEST_TEXT
    if column.kind == "prose":  # a sentence is wrapped between words, not in them
        least = max(cell_len(word) for cell in [*column.cells, ""] for word in cell.split(" "))
    return min(column.natural, max(header, least))


def cut(text: str, kind: str, width: int, screen: Screen) -> str:
    """Return a text as it is cut for a column of that kind: at its end, start, or middle."""
    if kind == "path":
        return clip_start(text, width, screen.signs.more)
    if kind == "sequence" and cell_len(text) > width:
        more = f" {screen.signs.more} "
        head = (width - len(more)) * 2 // 3
        return text[:head] + more + text[len(text) - (width - len(more) - head) :]
    return screen.clip(text, width)


def elided_dimensions(total: int, room: int) -> list[int | None]:
    """Return which of the dimensions to show where there is room for some; None is the gap.

    >>> elided_dimensions(32, 4)
    [0, 1, 2, None, 31]
    """
    if room >= total:
        return list(range(total))
    tail = max(1, room // 3) if room > 1 else 0
    return [*range(room - tail), None, *range(total - tail, total)]
