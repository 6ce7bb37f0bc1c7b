"""The linked tables of `show`: each id leads to the row of the matrix that it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from embedinspect.output.digits import decimals_for, table_number
from embedinspect.output.html.tables import (
    MOST_NUMBERS,
    MOST_ROWS,
    CellView,
    Chip,
    Heading,
    RowView,
    TableView,
    legend,
    number_cell,
    numbers_below,
    strip_cell,
    table_view,
    vector_headings,
)
from embedinspect.output.show.plain import plain_tables
from embedinspect.page import Column, Table, Trace
from embedinspect.pictures import Heat
from embedinspect.stored_rows import FloatArray

HUES = 6
_NO_HUE = "of-none"


@dataclass(frozen=True)
class _Shown:
    """The vectors of the ids that are shown, and how they are written."""

    vector_of: Mapping[int, FloatArray]
    decimals: int | None
    output_dim: int
    heat: Heat | None

    @property
    def strips(self) -> bool:
        """Whether vectors are drawn as strips."""
        return self.heat is not None and self.output_dim > MOST_NUMBERS

    @property
    def broken(self) -> bool:
        """Whether a number is none, which has a color of its own."""
        return any(np.isnan(vector).any() for vector in self.vector_of.values())


def trace_views(trace: Trace, anchor: str) -> list[TableView]:
    """Return the positions with their ids and output vectors, and the rows of the matrix.

    Args:
        anchor: what the names of the rows on this page begin with; empty for ids without links.
    """
    positions, matrix = plain_tables(trace)
    positions = _id_beside_vectors(positions)
    ids: list[int | None] = list(_column(positions, "id").values)
    rows: list[int | None] = list(_column(matrix, "row").values)
    hues = _hues(trace, [*ids, *rows])
    here = set(rows[:MOST_ROWS])
    links = [f"#{anchor}-{id_}" if anchor and id_ in here else "" for id_ in ids]
    texts, maxlen, output_dim = trace.lookup.output_shape
    known = sorted({id_ for id_ in [*ids, *rows] if id_ is not None})
    values = trace.lookup.matrix.rows[known]
    shown = _Shown(
        dict(zip(known, values, strict=True)),
        decimals_for(values) if trace.precision is None else trace.precision,
        trace.lookup.matrix.output_dim,
        trace.heat,
    )
    first = _linked(shown, positions, "id", ids, hues, links)
    last = [column.name for column in positions.columns].index("id") + 1
    groups = [
        (f"Input token ids ({texts}, {maxlen})", last),
        (f"Output tensor ({texts}, {maxlen}, {output_dim})", len(first.headings) - last),
    ]
    second = _linked(shown, matrix, "row", rows, hues, [""] * len(rows))
    anchored = [
        replace(row, anchor=f"{anchor}-{row.row}" if anchor and row.row else "")
        for row in second.rows
    ]
    second = replace(second, rows=anchored)
    if shown.strips:  # of each row once: an output vector is one of them
        below = _numbers_below(shown, matrix, rows)
        second = replace(second, below=below, below_name="the numbers of the rows")
    return [replace(first, groups=groups), second]


def _id_beside_vectors(table: Table) -> Table:
    """Return the table with each id right before the vector that it fetches."""
    before, after = _around_vectors(table)
    vectors = table.columns[len(before) : len(table.columns) - len(after)]
    others = [column for column in before if column.name != "id"]
    return replace(table, columns=[*others, _column(table, "id"), *vectors, *after])


def _column(table: Table, name: str) -> Column:
    return next(column for column in table.columns if column.name == name)


def _hues(trace: Trace, ids: Sequence[int | None]) -> dict[int | None, str]:
    """Return the class of the color of each id: dealt in turn, as ids first appear.

    So the first ids that a reader meets all differ; padding and unknown words have none.
    """
    vocabulary = trace.lookup.vocabulary
    reserved = {None, vocabulary.padding_id, vocabulary.oov_id}
    in_order = [id_ for id_ in dict.fromkeys(ids) if id_ not in reserved]
    return {id_: f"of-{place % HUES}" for place, id_ in enumerate(in_order)}


def _linked(
    shown: _Shown,
    table: Table,
    name: str,
    ids: Sequence[int | None],
    hues: Mapping[int | None, str],
    links: Sequence[str],
) -> TableView:
    """Return a table whose ids are chips, and whose vectors are colors where they may be."""
    before, after = _around_vectors(table)
    ids = ids[:MOST_ROWS]
    plain = table_view(Table(table.title, [*before, *after]))
    at = [column.name for column in before].index(name)
    headings, vectors = _vectors(shown, ids)
    rows = []
    for row, vector, id_, link in zip(plain.rows, vectors, ids, links, strict=False):
        cells = list(row.cells)
        if id_ is not None:
            cells[at] = replace(cells[at], chip=Chip(hues.get(id_, _NO_HUE), link))
        cells[len(before) : len(before)] = vector
        rows.append(RowView(cells, "" if id_ is None else str(id_)))
    return replace(
        plain,
        headings=[*plain.headings[: len(before)], *headings, *plain.headings[len(before) :]],
        rows=rows,
        legend=None if shown.heat is None else legend(shown.heat, broken=shown.broken),
    )


def _around_vectors(table: Table) -> tuple[list[Column], list[Column]]:
    """Return the columns before and after those that are dimensions."""
    names = [column.name for column in table.columns]
    dims = [place for place, name in enumerate(names) if name.startswith("dim ")]
    first, last = (dims[0], dims[-1] + 1) if dims else (len(names), len(names))
    return list(table.columns[:first]), list(table.columns[last:])


def _vectors(
    shown: _Shown, ids: Sequence[int | None]
) -> tuple[list[Heading], list[list[CellView]]]:
    """Return headings and cells of the vectors; a line without an id is left empty."""
    if shown.strips and shown.heat is not None:
        scale = shown.heat.scale
        cells = [
            [CellView() if id_ is None else strip_cell(shown.vector_of[id_], scale)] for id_ in ids
        ]
        return [Heading(f"{shown.output_dim} dimensions")], cells
    cells = [
        [CellView()] * shown.output_dim
        if id_ is None
        else [
            number_cell(float(value), table_number(float(value), shown.decimals), shown.heat)
            for value in shown.vector_of[id_]
        ]
        for id_ in ids
    ]
    return vector_headings(shown.output_dim), cells


def _numbers_below(shown: _Shown, table: Table, ids: Sequence[int | None]) -> TableView | None:
    """Return the numbers of the lines that have an id, each line behind its token."""
    places = [place for place, id_ in enumerate(ids) if id_ is not None]
    tokens = _column(table, "token").values
    names = Column("token", [tokens[place] for place in places])
    vectors = [shown.vector_of[id_] for id_ in ids if id_ is not None]
    values = np.array(vectors, np.float32).reshape(len(vectors), shown.output_dim)
    column = Column("", values, "vector", shown.decimals)
    return numbers_below(Table("", [names, column]), column)
