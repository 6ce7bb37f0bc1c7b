"""Values as text, before any screen has seen them."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedinspect.output.digits import decimals_for, table_number
from embedinspect.page import Column, Decimals, Table


def column_texts(column: Column, table: Table) -> list[str]:
    """Return the values of a column as text, whole, as no screen has seen them."""
    decimals = column_decimals(column, shared_decimals(table))
    return [cell_text(column, value, decimals) for value in column.values]


def shared_decimals(table: Table) -> int | None:
    """Return the decimals of all columns that leave them to the table."""
    numbers = [
        value
        for column in table.columns
        if column.kind == "number" and column.decimals == "auto"
        for value in column.values
        if isinstance(value, float)
    ]
    return decimals_for(np.array(numbers, np.float32)) if numbers else 0


def column_decimals(column: Column, shared: Decimals) -> int | None:
    """Return the decimals of a column; `shared` where it leaves them to its table."""
    decimals = shared if column.decimals == "auto" else column.decimals
    return None if decimals == "auto" else decimals


def cell_text(column: Column, value: Any, decimals: int | None) -> str:
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
        cells = [
            cell_text(column, column.values[row], column_decimals(column, None)) for column in below
        ]
        cells += [table_number(float(value), shared) for value in numbers[row]]
        columns.append(Column(names[row] if names else f"#{row}", cells, "number", most=24))
    return Table(table.title, columns)
