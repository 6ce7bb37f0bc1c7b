"""The pictures of a page as one SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from embedinspect.errors import DataError
from embedinspect.output.show.plain import plain_tables
from embedinspect.output.svg.elements import Figure, file_of
from embedinspect.page import Column, Page, Part, Reading, Table, Tables, Trace
from embedinspect.pictures import Curves, Heat, Scatter
from embedinspect.plots.scales import heat_scale

_DRAWN = frozenset({"bar", "lean", "vector"})


def page_svg(page: Page, *, themed: bool = True) -> str:
    """Return the pictures of a page below each other.

    Args:
        themed: follow the reader's light or dark theme; otherwise it is light.

    Raises:
        DataError: the page has none.
    """
    parts = [drawn for part in page for drawn in _drawn(part)]
    figures = [_figure(part) for part in _with_heat(parts)]
    if not figures:
        raise DataError(
            "this answer has no picture; map, why, show, rows, info and report have "
            "some; expected one of these, or a file that ends in .html, .md or .txt"
        )
    return file_of(figures, themed=themed)


_Drawn = Curves | Scatter | Reading | Table


def _drawn(part: Part) -> Iterator[_Drawn]:
    """Yield what of a part is a picture: of tables, those that have bars or vectors."""
    match part:
        case Curves() | Scatter():
            yield part
        case Reading():
            yield part
            yield from _drawn_tables([replace(part.table, title="")])
        case Table():
            yield from _drawn_tables([part])
        case Tables():
            yield from _drawn_tables(part.tables)
        case Trace():
            yield from _drawn_tables(_traced(part, table) for table in plain_tables(part))
        case _:
            return


def _drawn_tables(tables: Iterable[Table]) -> Iterator[Table]:
    for table in tables:
        kinds = {column.kind for column in table.columns if len(column.values)}
        if kinds & _DRAWN:
            yield table


def _traced(trace: Trace, table: Table) -> Table:
    """Return a table whose columns of dimensions are one column of vectors."""
    names = [column.name for column in table.columns]
    ids = table.columns[names.index("id" if "id" in names else "row")].values
    rows = trace.lookup.matrix.rows
    vectors = [None if id_ is None else np.asarray(rows[id_], np.float32) for id_ in ids]
    first = next((at for at, name in enumerate(names) if name.startswith("dim ")), len(names))
    others = [column for column in table.columns if not column.name.startswith("dim ")]
    drawn = Column(
        "", vectors, "vector", "auto" if trace.precision is None else trace.precision,
        heat=trace.heat,
    )  # fmt: skip
    return replace(table, columns=[*others[:first], drawn, *others[first:]])


def _with_heat(parts: Sequence[_Drawn]) -> Iterator[_Drawn]:
    """Yield the parts, all vectors on one scale: that of the page, or one that fits them all."""
    columns = [
        column
        for part in parts
        if isinstance(part, Table)
        for column in part.columns
        if column.kind == "vector"
    ]
    heat = next((column.heat for column in columns if column.heat is not None), None)
    if heat is None:
        vectors = [vector for column in columns for vector in column.values if vector is not None]
        heat = Heat(heat_scale(np.concatenate(vectors)) if vectors else 1.0)
    for part in parts:
        if isinstance(part, Table):
            own = [
                replace(column, heat=column.heat or heat) if column.kind == "vector" else column
                for column in part.columns
            ]
            yield replace(part, columns=own)
        else:
            yield part


def _figure(part: _Drawn) -> Figure:
    match part:
        case Curves():
            from embedinspect.output.svg.curves import curves_svg

            return Figure(part.title, curves_svg(part), part.remark)
        case Scatter():
            from embedinspect.output.svg.scatter import scatter_svg

            return Figure(part.title, scatter_svg(part), part.remark)
        case Reading():
            from embedinspect.output.svg.reading import reading_svg

            return Figure(part.title, reading_svg(part), part.outcome)
        case Table():
            from embedinspect.output.svg.table import table_svg

            return Figure(part.title, table_svg(part))
