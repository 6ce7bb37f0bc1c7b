"""The table of `--one-hot`: each id as a vector of zeros and a one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.text import Text

from embedinspect.lookup import Lookup
from embedinspect.output.grid import Block, Cell, Column
from embedinspect.output.screen import Screen, clip
from embedinspect.wording import literal

_MOST_IDS = 12


def draw_one_hot(lookup: Lookup, screen: Screen, *, full: bool = False) -> Iterator[Text]:
    """Yield a table of the ids that were looked up, each as its one-hot vector.

    Where a vector is too wide it is written as counts: `3 zeros, 1, 6 zeros`.
    """
    ids: list[int | None] = [*np.flatnonzero(lookup.uses).tolist()]
    hidden = 0
    if len(ids) > _MOST_IDS and not full:
        hidden = len(ids) - _MOST_IDS + 1
        half = (_MOST_IDS - 1) // 2
        ids = [*ids[: _MOST_IDS - 1 - half], None, *ids[-half:]]
    input_dim = lookup.matrix.input_dim
    written_out = full or 2 * input_dim + 40 <= screen.width
    numbers, tokens, vectors = [], [], []
    for id_ in ids:
        if id_ is None:
            numbers.append(Cell(screen.glyphs.more))
            tokens.append(Cell(f"{hidden} more"))
            vectors.append(Cell())
            continue
        numbers.append(Cell(str(id_)))
        word = f"{screen.glyphs.padding} padding" if id_ == 0 else lookup.words.get(id_, "no token")
        tokens.append(Cell(clip(literal(word, screen.glyphs.encoding), 24, screen.glyphs.more)))
        zeros = ["0"] * input_dim if written_out else []
        if written_out:
            zeros[id_] = "1"
            vectors.append(Cell(" ".join(zeros)))
        else:
            after = input_dim - id_ - 1
            parts = [f"{id_:,} zeros"] * bool(id_) + ["1"] + [f"{after:,} zeros"] * bool(after)
            vectors.append(Cell(", ".join(parts)))
    texts, maxlen, _ = lookup.output_shape
    block = Block(
        f"One-hot ids  ({texts}, {maxlen}, {input_dim})",
        [
            Column("id", numbers, True),
            Column("token", tokens),
            Column("one-hot vector", vectors),
        ],
    )
    yield from block.lines(screen.glyphs.rule)
