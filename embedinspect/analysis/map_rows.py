"""Which rows of a matrix are drawn in a map, and which are left out, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.matrix import Rows, finite_among
from embedinspect.source import Source
from embedinspect.stored_rows import Vectors
from embedinspect.wording import clipped_repr


@dataclass(frozen=True)
class LeftOut:
    """Rows of the matrix that are not among the points, by the reason.

    Attributes:
        beyond: behind the first ones, which are drawn.
        without_word: with no word, in a matrix that has words: the padding, unused ids.
        zeros: all of whose numbers are 0.
        not_finite: that hold NaN or infinity.
    """

    beyond: int = 0
    without_word: int = 0
    zeros: int = 0
    not_finite: int = 0

    @property
    def total(self) -> int:
        """How many rows are left out."""
        return self.beyond + self.without_word + self.zeros + self.not_finite


@dataclass(frozen=True)
class Choice:
    """Rows that are drawn.

    Attributes:
        rows: their numbers: the first ones, and behind them those that are named besides.
        fitted: how many of them are among the first.
        marked: places of those that are named.
        left_out: the rest.
    """

    rows: Rows
    fitted: int
    marked: tuple[int, ...]
    left_out: LeftOut


class Names(Sequence[str]):
    """The names of rows, each looked up when it is wanted: of 400,000 few are."""

    def __init__(self, source: Source, rows: Rows) -> None:
        self._source, self._rows = source, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self._source.name_of(row) for row in self._rows[place].tolist()]
        return self._source.name_of(int(self._rows[place]))

    def __iter__(self) -> Iterator[str]:
        return map(self._source.name_of, self._rows.tolist())


def choose(source: Source, first: int, names: Sequence[str]) -> Choice:
    """Return the first rows with a word, but for broken and empty ones, and those that are named.

    Raises:
        UsageError: a name without a row.
        DataError: a named row is not finite.
    """
    rows, total = source.matrix.rows, source.matrix.input_dim
    named = list(dict.fromkeys(source.rows_of(names)))
    for row in named:
        if not np.isfinite(rows[row]).all():
            raise DataError(
                f"the row of {clipped_repr(source.name_of(row))} holds NaN or infinity, so it has "
                "no place in a picture; leave it out"
            )
    with_word = _rows_with_word(source)
    candidates = with_word[:first]
    finite = candidates[finite_among(rows, candidates)]
    drawn = finite[_not_zero(rows, finite)]
    places = {row: place for place, row in enumerate(drawn.tolist())}
    added = [row for row in named if row not in places]
    places |= {row: len(drawn) + place for place, row in enumerate(added)}
    last = int(candidates[-1]) if len(candidates) else -1
    added_with_word = [
        row for row in added if source.words is None or source.words[row] is not None
    ]
    added_beyond = sum(row > last for row in added_with_word)
    left_out = LeftOut(
        beyond=len(with_word) - len(candidates) - added_beyond,
        without_word=total - len(with_word) - (len(added) - len(added_with_word)),
        zeros=len(finite) - len(drawn) - (len(added_with_word) - added_beyond),
        not_finite=len(candidates) - len(finite),
    )
    everything = np.concatenate([drawn, np.array(added, np.int64)])
    return Choice(everything, len(drawn), tuple(places[row] for row in named), left_out)


def _rows_with_word(source: Source) -> Rows:
    """Return the rows that have a word; all of them where there are no words."""
    words = source.words
    if words is None:
        return np.arange(source.matrix.input_dim)
    return np.flatnonzero(np.fromiter((word is not None for word in words), np.bool_, len(words)))


def _not_zero(rows: Vectors, among: Rows) -> Any:
    step = max(1, 2**20 // rows.shape[1])
    starts = range(0, len(among), step)
    parts = [rows[among[start : start + step]].any(axis=1) for start in starts]
    return np.concatenate(parts) if parts else np.zeros(0, np.bool_)
