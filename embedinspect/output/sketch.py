"""A table as columns of text, before it is fitted to a width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from rich.cells import cell_len

from embedinspect.output.bars import SHORTEST_BAR, SHORTEST_LEAN
from embedinspect.output.cells import cell_text, column_decimals, shared_decimals
from embedinspect.output.digits import decimals_for, table_number, widest_number
from embedinspect.output.screen import STYLES, Screen, clip_start
from embedinspect.page import Column, Kind, Table, folded

GAPS = (2, 1)
NARROWEST_TEXT = 8
NARROWEST_PATH = 16
RIGHT: frozenset[Kind] = frozenset({"id", "number", "vector"})
# Kinds that are drawn in the room that the other columns leave, and the least that they need.
DRAWN: dict[Kind, int] = {"bar": SHORTEST_BAR, "lean": SHORTEST_LEAN}


@dataclass(frozen=True)
class TextColumn:
    """One column as text, before it is fitted."""

    header: str
    cells: Sequence[str]
    kind: Kind
    styles: Sequence[str]
    least: int
    optional: bool = False
    amounts: Sequence[float | None] = ()
    logarithmic: bool = False

    @property
    def natural(self) -> int:
        """The width that it would like to have."""
        return max(cell_len(self.header), *map(cell_len, self.cells), DRAWN.get(self.kind, 0))


@dataclass(frozen=True)
class Sketch:
    """A table as text, before it is fitted."""

    title: str
    columns: Sequence[TextColumn]

    def width(self, gap: int) -> int:
        """Return the width that the table would like to have."""
        return sum(column.natural for column in self.columns) + gap * (len(self.columns) - 1)


def sketched(table: Table, screen: Screen) -> Sketch:
    """Return a table as text, as many dimensions of a vector in it as there is room for."""
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
    for column in table.columns:
        if column.kind == "vector":
            columns += _vector_columns(column, rows, screen, None if table.full else left)
        else:
            columns.append(others.pop(0))
    return Sketch(screen.text(title), columns)


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
            cells = [more] * len(rows)
            styles = [STYLES["aside"]] * len(rows)
            header = left_out.format(total - fitting)
        else:
            cells = [
                more if row is None else table_number(float(values[row, dimension]), decimals)
                for row in rows
            ]
            styles, header = [""] * len(rows), f"dim {dimension}".rjust(width)
        columns.append(TextColumn(header, cells, "vector", styles, cell_len(header)))
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
    if column.kind == "vector":
        return column.natural
    if column.kind in RIGHT or rigid:
        return max([header, *map(cell_len, column.cells)])
    least = NARROWEST_PATH if column.kind == "path" else NARROWEST_TEXT
    if column.kind == "prose":  # a sentence is wrapped between words, not in them
        least = max(cell_len(word) for cell in [*column.cells, ""] for word in cell.split(" "))
    return min(column.natural, max(header, least))


def cut(text: str, kind: Kind, width: int, screen: Screen) -> str:
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
