"""`rows`: the vectors of words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from embedinspect.matrix import norms_of
from embedinspect.output.digits import decimals_for
from embedinspect.output.document import NOT_FINITE, Document, about_source
from embedinspect.output.labels import LONGEST_WORD
from embedinspect.page import Column, Page, Table
from embedinspect.source import Source


def page(
    source: Source, rows: Sequence[int], *, full: bool = False, precision: int | None = None
) -> Page:
    """Yield the table of the rows."""
    values = source.matrix.rows[list(rows)]
    norms = norms_of(values)
    norm_decimals = decimals_for(norms) if precision is None else precision
    yield Table(
        f"Rows  ({len(rows)}, {values.shape[1]})",
        [
            Column("row", list(rows), "id"),
            Column("word", [source.name_of(row) for row in rows], most=LONGEST_WORD),
            Column("norm", [float(norm) for norm in norms], "number", decimals=norm_decimals),
            Column("", values, "vector", decimals="auto" if precision is None else precision),
        ],
        full=full,
    )


def document(source: Source, rows: Sequence[int]) -> Document:
    """Return the rows with every digit."""
    values = source.matrix.rows[list(rows)]
    norms = norms_of(values)

    def items() -> Iterator[dict[str, object]]:
        for place, row in enumerate(rows):
            finite = bool(np.isfinite(values[place]).all())
            yield {
                "row": row,
                "word": source.words[row] if source.words is not None else None,
                "norm": norms[place],
                "note": None if finite else NOT_FINITE,
                "vector": values[place],
            }

    return Document(
        "rows",
        {"source": about_source(source)},
        {"rows": items()},
        lines="rows",
        columns=("row", "word", "norm", "vector"),
    )
