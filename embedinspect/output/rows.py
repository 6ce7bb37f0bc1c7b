"""`rows`: the vectors of words, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.text import Text

from embedinspect.matrix import FloatArray, norms_of
from embedinspect.output.digits import decimals_for, table_number
from embedinspect.output.document import Document, about
from embedinspect.output.grid import Block, Cell, Column
from embedinspect.output.screen import Screen, clip
from embedinspect.source import Source
from embedinspect.wording import literal

_GREY = "bright_black"
_LONGEST_WORD = 24


def draw(
    source: Source,
    rows: Sequence[int],
    screen: Screen,
    *,
    full: bool = False,
    precision: int | None = None,
) -> Iterator[Text]:
    """Yield a table of the rows; what is too wide is left out in the middle, with a count."""
    values = source.matrix.rows[list(rows)]
    lengths = norms_of(values)
    decimals = decimals_for(values) if precision is None else precision
    of_length = decimals_for(lengths) if precision is None else precision
    words = [clip(literal(source.name_of(row)), _LONGEST_WORD) for row in rows]
    columns = [
        Column("row", [Cell(str(row)) for row in rows], right=True),
        Column("word", [Cell(word) for word in words]),
        Column("norm", [Cell(table_number(float(n), of_length)) for n in lengths], right=True),
    ]
    dims = [_dimension(values, number, decimals) for number in range(values.shape[1])]
    title = f"Rows  ({len(rows)}, {values.shape[1]})"
    room = screen.width - Block(title, columns).width
    widths = [column.width + column.gap for column in dims]
    if not full and sum(widths) > room:
        dims = _fitting(dims, widths, room, screen.glyphs.more, len(rows))
    yield from Block(title, [*columns, *dims]).lines(screen.glyphs.rule)


def _dimension(values: FloatArray, number: int, decimals: int | None) -> Column:
    cells = [Cell(table_number(float(value), decimals)) for value in values[:, number]]
    return Column(f"dim {number}", cells, right=True)


def _fitting(
    dims: list[Column], widths: list[int], room: int, more: str, count: int
) -> list[Column]:
    """Return the first dimensions and the last that fit, and between them how many do not."""
    sign = len(f"{more}{len(dims)}") + 2
    shown = 1
    while shown < len(dims) and sum(sorted(widths, reverse=True)[: shown + 1]) + sign <= room:
        shown += 1
    tail = shown // 3
    head = shown - tail
    left_out = Column(f"{more}{len(dims) - shown}", [Cell(more, _GREY)] * count, right=True)
    return [*dims[:head], left_out, *(dims[-tail:] if tail else [])]


def document(source: Source, rows: Sequence[int]) -> Document:
    """Return the rows for programs, with every digit."""
    values = source.matrix.rows[list(rows)]
    lengths = norms_of(values)

    def items() -> Iterator[dict[str, object]]:
        for place, row in enumerate(rows):
            finite = bool(np.isfinite(values[place]).all())
            yield {
                "row": row,
                "word": source.words[row] if source.words is not None else None,
                "norm": float(str(lengths[place])),
                "note": None if finite else "NaN and infinity, which JSON does not have, are null",
                "vector": values[place],
            }

    return Document(
        "rows", {"source": about(source)}, items(), "rows", ("row", "word", "norm", "vector")
    )
