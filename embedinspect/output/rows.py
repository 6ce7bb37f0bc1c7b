"""`rows`: the vectors of words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from embedinspect.matrix import Rows, norms_of
from embedinspect.output.digits import decimals_for
from embedinspect.output.document import NOT_FINITE, Document, about_source
from embedinspect.output.labels import LONGEST_WORD, short
from embedinspect.page import Column, Decimals, Fact, Facts, Page, Table
from embedinspect.plots.scales import heat_of
from embedinspect.source import Source
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import plural

if TYPE_CHECKING:
    from embedinspect.analysis.row_list import RowList
    from embedinspect.formats.ngrams import Composed

_NUMBERS_AT_ONCE = 2**20


def page(
    source: Source,
    rows: Sequence[int | Composed],
    *,
    full: bool = False,
    precision: int | None = None,
    heat: bool | None = None,
    listed: RowList | None = None,
) -> Page:
    """Yield the table of the rows, and how vectors without one were composed.

    Args:
        full: leave no dimension out.
        precision: decimals of every number; None for three significant digits.
        heat: draw the vectors (True), or write their numbers (False); None to draw what does not
            fit.
        listed: the list that the rows are the first of.
    """
    values = _vectors(source, rows)
    norms = norms_of(values)
    norm_decimals = decimals_for(norms) if precision is None else precision
    decimals: Decimals = "auto" if precision is None else precision
    sorted_by = _sorted_by(listed, len(rows))
    yield Table(
        f"Rows  ({len(rows)}, {values.shape[1]})",
        [
            Column("row", [_number(row) for row in rows], "id"),
            Column("word", [_name(source, row) for row in rows], most=LONGEST_WORD),
            Column("norm", [float(norm) for norm in norms], "number", decimals=norm_decimals),
            *sorted_by,
            Column("", values, "vector", decimals=decimals, heat=heat_of(values, heat)),
        ],
        full=full,
        more=0 if listed is None else len(listed.rows) - len(rows),
    )
    if listed is not None:
        yield Facts(list(_about(listed)))
    composed = [row for row in rows if not isinstance(row, int)]
    if composed:
        yield Facts([Fact(short(row.word), row.how) for row in composed])


_UNITS = {
    "moved": "moved",
    "outlier": "times median",
    "frequency": "occurrences",
}
_ORDERS = {
    "norm": "by norm, the shortest first",
    "-norm": "by norm, the longest first",
    "moved": "by how far training moved them, the farthest first",
    "outlier": "by distance from the mean row, each dimension in its own deviation, the farthest "
    "first",
    "frequency": "by how often their words occur, the most frequent first",
}


def _sorted_by(listed: RowList | None, count: int) -> list[Column]:
    """Return the column of what rows are sorted by, where that is not their norm."""
    if listed is None or listed.values is None or listed.by not in _UNITS:
        return []
    values = listed.values[:count].tolist()
    if listed.by == "frequency":
        return [Column(_UNITS[listed.by], [int(value) for value in values], "number")]
    return [Column(_UNITS[listed.by], values, "number", decimals=decimals_for(values, 4))]


def _about(listed: RowList) -> Iterator[Fact]:
    count = f"{len(listed.rows):,} of {plural(listed.of, 'row')}"
    order = _ORDERS[listed.by] if listed.by is not None else "in the order of the matrix"
    yield Fact("list", f"{count}, {order}")
    if listed.not_finite:
        yield Fact("left out", f"{plural(listed.not_finite, 'row')} without such a number", "wrong")


def document(
    source: Source, rows: Sequence[int | Composed] | Rows, listed: RowList | None = None
) -> Document:
    """Return the rows with every digit; they are read a few at a time."""

    def items() -> Iterator[dict[str, object]]:
        step = max(1, _NUMBERS_AT_ONCE // source.matrix.output_dim)
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            yield from _items(start, some.tolist() if isinstance(some, np.ndarray) else some)

    def _items(start: int, rows: Sequence[int | Composed]) -> Iterator[dict[str, object]]:
        values = _vectors(source, rows)
        norms = norms_of(values)
        for place, row in enumerate(rows):
            finite = bool(np.isfinite(values[place]).all())
            notes = [] if isinstance(row, int) else [row.how]
            sorts = None if listed is None or listed.values is None else listed.values
            yield {
                "row": _number(row),
                "word": _word(source, row),
                "norm": norms[place],
                "value": None if sorts is None else float(sorts[start + place]),
                "note": "; ".join(notes if finite else [*notes, NOT_FINITE]) or None,
                "vector": values[place],
            }

    return Document(
        "rows",
        {"source": about_source(source)},
        {"rows": items()},
        lines="rows",
        columns=("row", "word", "norm", *(["value"] if listed is not None else []), "vector"),
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
