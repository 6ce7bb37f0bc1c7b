"""Tables as plain values that a template writes: texts, classes, lengths of bars, colors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from embedinspect.output.cells import cell_text, column_decimals, shared_decimals
from embedinspect.output.digits import decimals_for, table_number
from embedinspect.page import Column, Table
from embedinspect.pictures import Heat
from embedinspect.plots.bars import bar_shares
from embedinspect.plots.heat import HEAT_STEPS, heat_class, step_class
from embedinspect.wording import literal

MOST_ROWS = 2000
# Vectors with more dimensions are strips of color, and their numbers stand in a table below.
MOST_NUMBERS = 12
MOST_NUMBERS_BELOW = 20_000
# A strip of more dimensions than this is longer than others.
_WIDE = 200
_LONG_TEXT, _LONG_TITLE = 40, 60
# About a pixel of a bar.
_SEEN = 0.6
_RIGHT = frozenset({"id", "number", "vector"})
_WRAPPED = frozenset({"prose", "path", "sequence"})


@dataclass(frozen=True)
class Heading:
    """The heading of a column; a column of bars has a name for those who hear the page alone."""

    name: str
    hidden: str = ""
    right: bool = False

    @property
    def classes(self) -> str:
        """How it stands over its column."""
        return " ".join(["r"] * self.right + ["long"] * (len(self.name) > _LONG_TEXT))


@dataclass(frozen=True)
class Bar:
    """A bar in a cell, in hundredths of the cell: of an amount, or to one side of a half."""

    start: float
    length: float
    side: str
    leaning: bool = False


@dataclass(frozen=True)
class Strip:
    """A vector as a strip of colors; `paths` has for each color the cells that have it."""

    count: int
    paths: Sequence[tuple[str, str]]
    told: str
    wide: bool


@dataclass(frozen=True)
class Chip:
    """An id on a color of its own, with where it leads."""

    hue: str
    link: str = ""


@dataclass(frozen=True)
class CellView:
    """One cell: a text with classes, or what is drawn in place of it."""

    text: str = ""
    classes: str = ""
    header: bool = False
    bar: Bar | None = None
    strip: Strip | None = None
    chip: Chip | None = None


@dataclass(frozen=True)
class Legend:
    """What the colors of a table stand for: the ends of their scale, and each step between."""

    low: str
    high: str
    steps: Sequence[str]
    broken: bool


@dataclass(frozen=True)
class RowView:
    """One row, and which row of a matrix it stands for, if any."""

    cells: Sequence[CellView]
    row: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class TableView:
    """A table for its template.

    Attributes:
        more: rows beyond those that are given.
        left_out: rows that are given and not written, since a page has room for so many.
        legend: of its colors; None where it has none.
        below: the numbers of vectors that are drawn as strips, as a table of their own.
        below_name: of those numbers.
    """

    title: str
    long_title: bool
    headings: Sequence[Heading]
    rows: Sequence[RowView]
    more: int = 0
    left_out: int = 0
    legend: Legend | None = None
    below: TableView | None = None
    below_name: str = ""
    groups: Sequence[tuple[str, int]] = field(default=())


def table_view(table: Table) -> TableView:
    """Return a table for its template: all rows, or the first 2,000 with a count of the others."""
    count = max((len(column.values) for column in table.columns), default=0)
    rows = range(min(count, MOST_ROWS))
    shared = shared_decimals(table)
    headings: list[Heading] = []
    columns: list[list[CellView]] = []
    heat: Heat | None = None
    broken = False
    strips: list[Column] = []
    named = _row_header(table)
    for column in table.columns:
        if column.kind == "vector":
            heat = column.heat or heat
            values = np.asarray(column.values, np.float32)
            broken = broken or bool(np.isnan(values).any())
            if column.heat is not None and values.shape[1] > MOST_NUMBERS:
                strips.append(column)
                headings.append(Heading(f"{values.shape[1]} dimensions"))
                columns.append([strip_cell(values[row], column.heat.scale) for row in rows])
            else:
                headings += vector_headings(values.shape[1])
                columns += vector_cells(column, values[: len(rows)])
            continue
        headings.append(_heading(column))
        if column.kind == "bar":
            lengths = bar_lengths(column.values, logarithmic=column.logarithmic)
            columns.append([CellView(bar=Bar(0, lengths[row], "one")) for row in rows])
            continue
        decimals = column_decimals(column, shared)
        columns.append([_cell(column, row, decimals, header=column is named) for row in rows])
    views = [RowView(cells) for cells in zip(*columns, strict=True)]
    below = numbers_below(table, strips[0]) if strips else None
    title = literal(table.title)
    return TableView(
        title,
        len(title) > _LONG_TITLE,
        headings,
        views,
        table.more,
        count - len(rows),
        legend(heat, broken=broken) if heat is not None else None,
        below,
        f"the numbers of {below.title}" if below is not None else "",
    )


def _row_header(table: Table) -> Column | None:
    """Return the column that names the rows: the first, where it is text."""
    first = next(iter(table.columns), None)
    return first if first is not None and first.kind == "text" and first.name else None


def _heading(column: Column) -> Heading:
    name = literal(column.name).strip()
    hidden = "bar" if column.kind in {"bar", "lean"} else column.kind
    return Heading(name, "" if name else hidden, column.kind in _RIGHT)


def _cell(column: Column, row: int, decimals: int | None, *, header: bool) -> CellView:
    value = column.values[row]
    if column.kind == "lean":
        return CellView(bar=None if value is None else lean_bar(float(value)))
    text = literal(cell_text(column, value, decimals))
    classes = ["r"] if column.kind in _RIGHT else []
    if len(text) > _LONG_TEXT or column.kind in _WRAPPED:
        classes.append("long" if len(text) > _LONG_TEXT else "wrapped")
    if column.meanings and column.meanings[row] != "plain":
        classes.append(column.meanings[row])
    return CellView(text, " ".join(classes), header)


def lean_bar(share: float) -> Bar | None:
    """Return a probability as a bar from one half to either side; None for what is no number."""
    if math.isnan(share):
        return None
    share = min(1.0, max(0.0, share))
    low, high = sorted((share, 0.5))
    side = "high" if share >= 0.5 else "low"
    return Bar(round(100 * low, 2), round(100 * (high - low), 2), side, leaning=True)


def bar_lengths(amounts: Sequence[float | None], *, logarithmic: bool) -> list[float]:
    """Return the length of the bar of each amount, in hundredths of the longest.

    It is 0 where `bar_shares` is; the smallest amount above 0 is still seen.
    """
    shares = bar_shares(amounts, logarithmic=logarithmic)
    return [max(_SEEN, round(100 * share, 2)) if share else 0.0 for share in shares]


# -- vectors --------------------------------------------------------------------------------------


def vector_headings(count: int) -> list[Heading]:
    """Return the heading of each dimension."""
    return [Heading(f"dim {dimension}", right=True) for dimension in range(count)]


def vector_cells(column: Column, values: Any) -> Iterator[list[CellView]]:
    """Yield the cells of each dimension, from the top."""
    decimals = decimals_for(values) if column.decimals == "auto" else column.decimals
    for dimension in range(values.shape[1]):
        yield [
            number_cell(float(value), table_number(float(value), decimals), column.heat)
            for value in values[:, dimension]
        ]


def number_cell(value: float, text: str, heat: Heat | None) -> CellView:
    """Return a number, on its color where it has one."""
    colour = "" if heat is None else f" heat {heat_class(value, heat.scale)}"
    return CellView(text, f"r{colour}")


def strip_cell(vector: Any, scale: float) -> CellView:
    """Return a vector as a strip of colors."""
    cells: dict[str, list[str]] = {}
    for place, value in enumerate(vector.tolist()):
        cells.setdefault(heat_class(value, scale), []).append(f"M{place} 0v1")
    paths = [(name, "".join(places)) for name, places in cells.items()]
    low, high = (float(vector.min()), float(vector.max())) if len(vector) else (0.0, 0.0)
    told = f"{len(vector)} numbers from {low:.3g} to {high:.3g}"
    return CellView(strip=Strip(len(vector), paths, told, len(vector) > _WIDE))


def numbers_below(table: Table, column: Column) -> TableView | None:
    """Return the numbers of the vectors that are strips, of as many rows as there is room for."""
    values = np.asarray(column.values, np.float32)
    rows = min(len(values), MOST_ROWS, MOST_NUMBERS_BELOW // max(1, values.shape[1]))
    if not rows:
        return None
    name = next((one for one in table.columns if one.kind == "text"), None)
    names = [] if name is None else [Column(name.name, name.values[:rows])]
    numbers = Column("", values[:rows], "vector", column.decimals)
    view = table_view(Table(f"{values.shape[1]} dimensions", [*names, numbers]))
    return TableView(
        view.title, view.long_title, view.headings, view.rows, left_out=len(values) - rows
    )


def legend(heat: Heat, *, broken: bool, beyond: bool = True) -> Legend:
    """Return what the colors stand for.

    Args:
        broken: whether a number is none.
        beyond: whether numbers may lie beyond the ends of the scale, which have their colors.
    """
    less, more = (" or less", " or more") if beyond else ("", "")
    steps = [step_class(step) for step in range(-HEAT_STEPS, HEAT_STEPS + 1)]
    return Legend(f"-{heat.scale:.3g}{less}", f"+{heat.scale:.3g}{more}", steps, broken)
