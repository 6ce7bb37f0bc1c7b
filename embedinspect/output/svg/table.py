"""A table as SVG: texts and numbers, amounts as bars, vectors as cells of color."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.output.cells import cell_text, column_decimals, shared_decimals
from embedinspect.output.digits import decimals_for, table_number
from embedinspect.output.html.tables import bar_lengths, lean_bar
from embedinspect.output.labels import short
from embedinspect.output.svg.elements import line, picture, rectangle, text, width_of
from embedinspect.page import Column, Table
from embedinspect.plots.heat import HEAT_STEPS, heat_class, step_class
from embedinspect.wording import literal, plural

MOST_ROWS = 200
SIZE = 12
_PITCH, _ROW, _HEAD = 20.0, 19.0, 24.0
_GAP, _BAR = 14.0, 180.0
_LONGEST = 40
_RIGHT = frozenset({"id", "number"})
# Of cells of color: with their numbers written in them, without, and their groups of eight.
_WIDE, _CELL, _GROUP = 64.0, 18.0, 8
_ROOM, _FINEST = 560.0, 1.0
_MOST_NUMBERS = 12
_BETWEEN = 4.0
_LEGEND = 150.0


@dataclass(frozen=True)
class _Drawn:
    """One column: how wide it is, its heading, and what draws the cell of a row from its left."""

    width: float
    heading: Sequence[str]
    cells: Sequence[Sequence[str]]


def table_svg(table: Table) -> str:
    """Return the rows of a table, at most 200; what is left out is counted."""
    count = max((len(column.values) for column in table.columns), default=0)
    rows = min(count, MOST_ROWS)
    shared = shared_decimals(table)
    left = 0.0
    elements: list[str] = []
    for column in table.columns:
        if _is_empty(column):
            continue
        drawn = _column(column, rows, shared, left)
        elements += [*drawn.heading, *(one for cell in drawn.cells for one in cell)]
        left += drawn.width + _GAP
    width = max(left - _GAP, 1.0)
    elements.append(line(0, _HEAD - 4, width, _HEAD - 4, "axis"))
    bottom = _HEAD + rows * _PITCH
    more = count - rows + table.more
    if more:
        elements.append(text(0, bottom + 16, f"{plural(more, 'row')} more", "aside", size=SIZE))
        bottom += 24
    vectors = [column for column in table.columns if column.kind == "vector" and column.heat]
    if vectors:
        elements += list(_legend(vectors[0], bottom + 10))
        bottom += 34
        width = max(width, _legend_width(vectors[0]))
    names = ", ".join(column.name for column in table.columns if column.name)
    return picture(width + 1, bottom + 4, table.title, f"{plural(count, 'row')}: {names}", elements)


def _is_empty(column: Column) -> bool:
    return column.kind != "vector" and not any(
        value is not None and value != "" for value in column.values
    )


def _column(column: Column, rows: int, shared: int | None, left: float) -> _Drawn:
    if column.kind == "vector":
        return _vectors(column, rows, left)
    if column.kind in {"bar", "lean"}:
        draw = _bars if column.kind == "bar" else _leaning
        heading = [text(left, 14, column.name, "aside", size=SIZE)]
        return _Drawn(_BAR, heading, list(draw(column, rows, left)))
    return _texts(column, rows, shared, left)


def _texts(column: Column, rows: int, shared: int | None, left: float) -> _Drawn:
    decimals = column_decimals(column, shared)
    most = min(column.most or _LONGEST, 60)
    texts = [short(literal(cell_text(column, v, decimals)), most) for v in column.values[:rows]]
    width = max(width_of(one, SIZE) for one in [column.name, *texts])
    right = column.kind in _RIGHT
    x, anchor = (left + width, "end") if right else (left, "start")
    cells = []
    for row, content in enumerate(texts):
        stands_out = bool(column.meanings) and column.meanings[row] not in {"plain", "aside"}  # type: ignore[index]
        bold = ' font-weight="600"' if stands_out else ""
        y = _HEAD + row * _PITCH + 14
        cells.append([text(x, y, content, "ink", anchor, SIZE, bold)] if content else [])
    return _Drawn(width, [text(x, 14, column.name, "aside", anchor, SIZE)], cells)


# -- bars -----------------------------------------------------------------------------------------


def _bars(column: Column, rows: int, left: float) -> Iterator[list[str]]:
    lengths = bar_lengths(column.values, logarithmic=column.logarithmic)
    for row, length in enumerate(lengths[:rows]):
        top = _HEAD + row * _PITCH
        yield [rectangle(left, top + 2, length / 100 * _BAR, _ROW - 5, "one")] if length else []


def _leaning(column: Column, rows: int, left: float) -> Iterator[list[str]]:
    for row, share in enumerate(column.values[:rows]):
        if share is None:
            yield []
            continue
        top = _HEAD + row * _PITCH
        half = left + _BAR / 2
        bar = lean_bar(float(share))
        drawn = [rectangle(left, top + 2, _BAR, _ROW - 5, "track")]
        if bar is not None:
            start, length = left + bar.start / 100 * _BAR, bar.length / 100 * _BAR
            name = "two" if bar.side == "high" else "one"
            drawn.append(rectangle(start, top + 2, length, _ROW - 5, name))
        yield [*drawn, line(half, top - 1, half, top + _PITCH - 1, "line-ink")]


# -- vectors --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cells:
    """Where the cells of vectors are: each dimension's left edge, and how wide all are."""

    count: int
    width: float
    left: float

    @property
    def grouped(self) -> bool:
        """Whether there is room between groups of eight."""
        return self.count > _MOST_NUMBERS and self.width >= 6

    def x(self, dimension: int) -> float:
        groups = dimension // _GROUP if self.grouped else 0
        return self.left + dimension * self.width + groups * _BETWEEN


def _vectors(column: Column, rows: int, left: float) -> _Drawn:
    vectors = [None if v is None else np.asarray(v, np.float64) for v in column.values[:rows]]
    count = max((len(vector) for vector in vectors if vector is not None), default=0)
    known = [vector for vector in vectors if vector is not None]
    values = np.array(known, np.float32).reshape(len(known), count)
    decimals = decimals_for(values) if column.decimals == "auto" else column.decimals
    written = count <= _MOST_NUMBERS
    if written:
        texts = [table_number(float(value), decimals) for value in values.ravel()]
        width = max([width_of(one, SIZE) + 10 for one in texts] + [width_of("dim 00", SIZE)])
    else:
        width = max(_FINEST, min(_CELL, _ROOM / count))
    cells = _Cells(count, width, left)
    scale = column.heat.scale if column.heat is not None else 1.0
    drawn = [
        [] if vector is None else list(_strip(vector, scale, cells, _HEAD + row * _PITCH))
        for row, vector in enumerate(vectors)
    ]
    if written:
        for row, vector in enumerate(vectors):
            if vector is not None:
                y = _HEAD + row * _PITCH + 14
                drawn[row] += _numbers(vector, scale, decimals, cells, y)
    return _Drawn(cells.x(count - 1) + width - left, list(_dimensions(cells)), drawn)


def _strip(vector: Any, scale: float, cells: _Cells, top: float) -> Iterator[str]:
    """Yield the cells of a vector, those of one color in one element."""
    # Where cells are fine, a gap between them would be most of what is seen.
    width = cells.width - (1 if cells.width >= 6 else 0)
    paths: dict[str, list[str]] = {}
    for dimension, value in enumerate(vector.tolist()):
        place = f"M{cells.x(dimension):.2f} {top:.0f}h{width:.2f}v{_ROW:.0f}h-{width:.2f}z"
        paths.setdefault(heat_class(value, scale), []).append(place)
    for name, places in paths.items():
        yield f'<path class="{name}" d="{"".join(places)}" shape-rendering="crispEdges"/>'


def _numbers(
    vector: Any, scale: float, decimals: int | None, cells: _Cells, y: float
) -> Iterator[str]:
    for dimension, value in enumerate(vector.tolist()):
        right = cells.x(dimension) + cells.width - 6
        name = f"on-{heat_class(value, scale)}"
        yield text(right, y, table_number(value, decimals), name, "end", SIZE)


def _dimensions(cells: _Cells) -> Iterator[str]:
    """Yield the numbers of the dimensions, as many as find room, each over its cell."""
    written = cells.count <= _MOST_NUMBERS
    step = 1 if written else _GROUP
    room = width_of(f"{cells.count}", SIZE) + 10
    while not written and cells.x(step) - cells.left < max(room, width_of("dim 0", SIZE) + 10):
        step *= 2
    last = cells.count - 1
    for dimension in range(0, cells.count, step):
        if written:
            right = cells.x(dimension) + cells.width - 6
            yield text(right, 14, f"dim {dimension}", "aside", "end", SIZE)
        elif dimension == 0 or cells.x(last) + cells.width - cells.x(dimension) >= 2 * room:
            name = f"dim {dimension}" if dimension == 0 else str(dimension)
            yield text(cells.x(dimension), 14, name, "aside", size=SIZE)
    if not written:
        yield text(cells.x(last) + cells.width, 14, str(last), "aside", "end", SIZE)


def _legend(column: Column, top: float) -> Iterator[str]:
    """Yield what the colors stand for: the ends of their scale, and what lies beyond."""
    scale = column.heat.scale if column.heat is not None else 1.0
    low, high = f"-{scale:.3g}", f"+{scale:.3g}"
    yield text(0, top + 11, low, "aside", size=SIZE)
    left = width_of(low, SIZE) + 6
    yield from gradient(left, top)
    after = left + _LEGEND + 8
    yield text(after, top + 11, f"{high}, the same color beyond", "aside", size=SIZE)
    if _broken(column):
        x = after + width_of(f"{high}, the same color beyond", SIZE) + 16
        yield rectangle(x, top, 14, 13, "broken")
        yield text(x + 20, top + 11, "no number", "aside", size=SIZE)


def gradient(left: float, top: float) -> Iterator[str]:
    """Yield the colors of heat from blue to orange."""
    step = _LEGEND / (2 * HEAT_STEPS + 1)
    for place in range(-HEAT_STEPS, HEAT_STEPS + 1):
        x = left + (place + HEAT_STEPS) * step
        yield (
            f'<rect x="{x:.2f}" y="{top:.0f}" width="{step:.2f}" height="13" '
            f'class="{step_class(place)}" shape-rendering="crispEdges"/>'
        )


def _broken(column: Column) -> bool:
    return any(np.isnan(np.asarray(v)).any() for v in column.values if v is not None)


def _legend_width(column: Column) -> float:
    said = "+0.00000, the same color beyond" + ("  no number    " if _broken(column) else "")
    return _LEGEND + width_of(f"-0.00000{said}", SIZE) + 14
