"""`rows`: the vectors of words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from embedinspect.matrix import norms_of
from embedinspect.output.digits import decimals_for
from embedinspect.output.document import NOT_FINITE, Document, about_source
from embedinspect.output.labels import LONGEST_WORD, short
from embedinspect.page import Column, Decimals, Fact, Facts, Page, Table
from embedinspect.plots.scales import heat_of
from embedinspect.source import Source
from embedinspect.stored_rows import FloatArray

if TYPE_CHECKING:
    from embedinspect.formats.ngrams import Composed


def page(
    source: Source,
    rows: Sequence[int | Composed],
    *,
    full: bool = False,
    precision: int | None = None,
    heat: bool | None = None,
) -> Page:
    """Yield the table of the rows, and how vectors without one were composed.

    Args:
        full: leave no dimension out.
        precision: decimals of every number; None for three significant digits.
        heat: draw the vectors (True), or write their numbers (False); None to draw what does not
            fit.
    """
    values = _vectors(source, rows)
    norms = norms_of(values)
    norm_decimals = decimals_for(norms) if precision is None else precision
    decimals: Decimals = "auto" if precision is None else precision
    yield Table(
        f"Rows  ({len(rows)}, {values.shape[1]})",
        [
            Column("row", [_number(row) for row in rows], "id"),
            Column("word", [_name(source, row) for row in rows], most=LONGEST_WORD),
            Column("norm", [float(norm) for norm in norms], "number", decimals=norm_decimals),
            Column("", values, "vector", decimals=decimals, heat=heat_of(values, heat)),
        ],
        full=full,
    )
    composed = [row for row in rows if not isinstance(row, int)]
    if composed:
        yield Facts([Fact(short(row.word), row.how) for row in composed])


def document(source: Source, rows: Sequence[int | Composed]) -> Document:
    """Return the rows with every digit."""
    values = _vectors(source, rows)
    norms = norms_of(values)

    def items() -> Iterator[dict[str, object]]:
        for place, row in enumerate(rows):
            finite = bool(np.isfinite(values[place]).all())
            notes = [] if isinstance(row, int) else [row.how]
            yield {
                "row": _number(row),
                "word": _word(source, row),
                "norm": norms[place],
                "note": "; ".join(notes if finite else [*notes, NOT_FINITE]) or None,
                "vector": values[place],
            }

    return Document(
        "rows",
        {"source": about_source(source)},
        {"rows": items()},
        lines="rows",
        columns=("row", "word", "norm", "vector"),
    )


def _vectors(source: Source, rows: Sequence[int | Composed]) -> FloatArray:
    """Return the vectors of rows, and those that were composed."""
    values = np.empty((len(rows), source.matrix.output_dim), np.float32)
    numbers = [(place, row) for place, row in enumerate(rows) if isinstance(row, int)]
    values[[place for place, _ in numbers]] = source.matrix.rows[[row for _, row in numbers]]
    for place, row in enumerate(rows):
        if not isinstance(row, int):
            values[place] = row.vector
    return values


def _number(row: int | Composed) -> int | None:
    return row if isinstance(row, int) else None


def _word(source: Source, row: int | Composed) -> str | None:
    if not isinstance(row, int):
        return row.word
    return source.words[row] if source.words is not None else None


def _name(source: Source, row: int | Composed) -> str:
    return source.name_of(row) if isinstance(row, int) else row.word
