"""The linked tables of `show` as three plain ones, for forms that cannot link them."""

from __future__ import annotations

import numpy as np

from embedinspect.lookup import Lookup
from embedinspect.output.show.lines import (
    Line,
    RowLine,
    id_of,
    name_of,
    part_of,
    position_lines,
    row_lines,
    span_of,
)
from embedinspect.page import Column, Decimals, Table, Trace
from embedinspect.tokenizing.subwords import SubwordVocabulary


def plain_tables(trace: Trace) -> list[Table]:
    """Return the positions with their ids and output vectors, and the rows of the matrix.

    What the terminal leaves out is left out here too, with the same counts.
    """
    lookup = trace.lookup
    lines = [line for line in position_lines(lookup, trace.full) if line.kind != "blank"]
    rows = row_lines(lookup, lines, trace.full)
    return [_positions(trace, lines), _matrix(trace, rows)]


def _positions(trace: Trace, lines: list[Line]) -> Table:
    lookup = trace.lookup
    ids = [id_of(lookup, line) if line.at_id else None for line in lines]
    masks = [None if id_ is None else str(id_ != 0) for id_ in ids]
    columns = [
        Column("text", [line.text if line.kind != "texts" else None for line in lines], "id"),
        Column("position", [_position(line) for line in lines]),
        *([Column("mask", masks)] if lookup.settings.mask_zero else []),
        Column("token", [_token(line) for line in lines]),
        Column("id", ids, "id"),
        *_parts(lookup, lines),
        *_vectors(trace, ids),
    ]
    return Table(f"Token ids and output tensor  {lookup.output_shape}", columns)


def _position(line: Line) -> str:
    if line.kind == "padding" and line.count > 1:
        return f"{line.first}–{line.first + line.count - 1}"
    return str(line.first) if line.at_id else "…"


def _token(line: Line) -> str:
    if line.kind == "padding":
        return f"· {line.count}×"
    if line.kind != "position":
        return line.label
    if line.token is None:
        return "·"
    return name_of(line.token)


def _parts(lookup: Lookup, lines: list[Line]) -> list[Column]:
    """Return the part of the text that each token of a language model has; else no column."""
    if not isinstance(lookup.vocabulary, SubwordVocabulary):
        return []
    parts = [part_of(line.token) if line.kind == "position" else None for line in lines]
    spans = [span_of(line.token, "–") if line.kind == "position" else None for line in lines]
    return [Column("characters", spans), Column("part of the text", parts)]


def _matrix(trace: Trace, rows: list[RowLine]) -> Table:
    lookup = trace.lookup
    ids = [None if row.count else row.id for row in rows]
    names = [
        f"{row.count:,} more"
        if row.count
        else "· padding"
        if row.id == lookup.vocabulary.padding_id and row.id not in lookup.words
        else lookup.words.get(row.id, "no token")
        for row in rows
    ]
    uses = [None if row.count else int(lookup.uses[row.id]) for row in rows]
    columns = [
        Column("row", ids, "id"),
        Column("token", names),
        *_vectors(trace, ids),
        Column("used", uses, "number"),
    ]
    shape = (lookup.matrix.input_dim, lookup.matrix.output_dim)
    return Table(f"Embedding matrix  {shape}", columns)


def _vectors(trace: Trace, ids: list[int | None]) -> list[Column]:
    """Return a column for each dimension of the rows; a line without an id is left empty."""
    matrix = trace.lookup.matrix
    decimals: Decimals = "auto" if trace.precision is None else trace.precision
    values = [None if id_ is None else matrix.rows[id_].astype(np.float64) for id_ in ids]
    return [
        Column(
            f"dim {dimension}",
            [None if row is None else float(row[dimension]) for row in values],
            "number",
            decimals=decimals,
        )
        for dimension in range(matrix.output_dim)
    ]
