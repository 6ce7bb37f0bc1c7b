"""How one matrix comes of the other, where that can be said: found on some rows, checked on all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Literal

import numpy as np

from embedinspect.analysis.diff.matching import Pairs
from embedinspect.analysis.diff.measuring import blocks, turn_onto
from embedinspect.analysis.diff.neighborhoods import spread
from embedinspect.analysis.diff.record import Measures, Rows
from embedinspect.analysis.diff.relation import Relation
from embedinspect.analysis.diff.relation_checks import (
    Check,
    Equal,
    Quantized,
    Rounded,
    RoundedAsText,
    RowsScaled,
    Scaled,
    Shifted,
    columns_of,
    rounding_of,
)
from embedinspect.analysis.diff.rounding import OTHER_WAYS, TO_TYPE, ways_to_write
from embedinspect.analysis.diff.row_order import in_another_order
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray, StoredRows, Vectors

_TRIED = 2**18  # numbers on which a relation is looked for; it is then checked on all
_NUMBERS_AT_ONCE = 2**18
_STAGE = "whether one comes of the other"
_ORDERED = 4096  # rows by which columns are found again
_STEPS = (127, 7, 8)  # of 8 bits, and of 4 bits in two ways
_MOST_TURNED = 2048  # dimensions; the turn of more takes too long
_SAME = 2.0**-21  # a share of its length that a row is off by for rounding alone
MakeCheck = Callable[[], Check | None]
_ROUNDED: Sequence[MakeCheck] = (
    *(partial(Rounded, dtype) for dtype in TO_TYPE),
    *(partial(Rounded, "bfloat16", rounding) for rounding in OTHER_WAYS),
)


def relation_of(pairs: Pairs, measures: Measures) -> Relation | None:
    """Return how one matrix comes of the other; None where nothing is known.

    Every relation is checked on all pairs, number by number, within what the rounding of the type
    that the numbers are stored in allows. Those that say most come first.
    """
    if measures.distance is None:
        return _cut(pairs)
    if measures.equal.all():
        return Relation("equal")
    different = np.flatnonzero(~measures.equal)
    ways = _Side(pairs, "B", different), _Side(pairs, "A", different)
    for exact in (_Side.rounded, _Side.scaled, _Side.columns, _Side.to_length_1, _Side.quantized):
        for side in ways:
            relation = side.first(exact(side))
            if relation is not None:
                return relation
    relation = _zeroed(measures, different) or in_another_order(pairs, measures, different)
    if relation is not None:
        return relation
    if len(different) <= len(pairs) / 2:
        return Relation("but_for_rows", rows=len(different))
    for general in (_Side.shifted, _Side.rows_scaled):
        relation = ways[0].first(general(ways[0]))
        if relation is not None:
            return relation
    return _nearly_equal(measures) or _turned(pairs, measures, ways)


class _Side:
    """One of the matrices, and how it may come of the other.

    Args:
        made: the matrix that comes of the other.
        tried: places of pairs on which relations are looked for first.
    """

    def __init__(self, pairs: Pairs, made: Literal["A", "B"], tried: Rows) -> None:
        self.made: Literal["A", "B"] = made
        swapped = made == "A"
        self.rows, self.other = (pairs.right, pairs.left) if swapped else (pairs.left, pairs.right)
        source, made_of_it = (pairs.b, pairs.a) if swapped else (pairs.a, pairs.b)
        self._stored, self.wide = made_of_it.dtype, source.dtype == "float64"
        self.pairs = pairs
        self._places = spread(tried, max(16, _TRIED // max(pairs.widths)))

    @cached_property
    def some(self) -> tuple[FloatArray, FloatArray]:
        """The rows on which relations are looked for, of the other matrix and of this."""
        return self.rows[self._places], self.other[self._places]

    @cached_property
    def dtype(self) -> str:
        """The type that its numbers were rounded to: as stored, if they are still such numbers."""
        return _type_of(self._stored, self.some[1])

    def first(self, checks: Iterator[MakeCheck]) -> Relation | None:
        """Return the first relation that holds, on some rows and then on all."""
        for make in checks:
            check = make()
            if check is None or not check.holds(*self.some):
                continue
            check = make()
            if check is not None and all(check.holds(*part) for part in self._parts()):
                relation = check.relation()
                if relation is not None:
                    return replace(relation, made=self.made)
        return None

    def _parts(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        checked = stage(_STAGE, len(self.pairs))
        for start, stop in blocks(self.rows, self.other, 0, len(self.pairs), _NUMBERS_AT_ONCE):
            yield self.rows[start:stop], self.other[start:stop]
            checked(stop - start)

    def rounded(self) -> Iterator[MakeCheck]:
        """Yield the types, decimals and digits that it may be rounded to."""
        yield from _ROUNDED
        for written in ways_to_write(self.some[1]):
            yield partial(RoundedAsText, written)

    def scaled(self) -> Iterator[MakeCheck]:
        """Yield the multiples that it may be, and those in whole numbers."""
        yield partial(Scaled, self.dtype, wide=self.wide)

    def to_length_1(self) -> Iterator[MakeCheck]:
        """Yield rows of the length 1."""
        yield partial(RowsScaled, self.dtype, wide=self.wide, to_length_1=True)

    def columns(self) -> Iterator[MakeCheck]:
        """Yield other orders of the columns."""
        yield lambda: columns_of(*(rows[:_ORDERED] for rows in self.some))

    def quantized(self) -> Iterator[MakeCheck]:
        """Yield steps that its numbers may be multiples of."""
        yield partial(Scaled, None)
        yield partial(RowsScaled, None)
        for steps in _STEPS:
            for each in ("row", "block"):
                yield partial(Quantized, steps, each)
        # So few different numbers come of one step for all.
        if len(np.unique(np.abs(self.some[1]))) <= max(_STEPS) + 1:
            largest = max(float(np.abs(made).max()) for _, made in self._parts())
            for steps in _STEPS:
                yield partial(Quantized, steps, "matrix", largest)

    def shifted(self) -> Iterator[MakeCheck]:
        """Yield one vector more in each row."""
        yield partial(Shifted, self.dtype, wide=self.wide)

    def rows_scaled(self) -> Iterator[MakeCheck]:
        """Yield rows times factors of their own."""
        yield partial(RowsScaled, self.dtype, wide=self.wide)


def _type_of(stored: str, rows: FloatArray) -> str:
    """Return the type that rows are stored as; float32 where they have become other numbers."""
    rounded = TO_TYPE.get(stored)
    return stored if rounded is not None and (rounded(rows) == rows).all() else "float32"


def _cut(pairs: Pairs) -> Relation | None:
    """Return whether the narrower matrix has the first dimensions of the other."""
    width_a, width_b = pairs.widths
    made: Literal["A", "B"] = "B" if width_b < width_a else "A"
    dims = min(pairs.widths)
    side = _Side(pairs, made, np.arange(len(pairs)))
    side.rows = _first(side.rows, dims)
    checks: Sequence[MakeCheck] = (
        Equal,
        *_ROUNDED,
        partial(Scaled, side.dtype, wide=side.wide),
        partial(RowsScaled, side.dtype, wide=side.wide, to_length_1=True),
    )
    relation = side.first(iter(checks))
    return None if relation is None else replace(relation, dims=dims)


def _first(rows: Vectors, dims: int) -> Vectors:
    """Return the first numbers of all rows."""
    return StoredRows(rows, (len(rows), dims), lambda part: part[:, :dims])


def _zeroed(measures: Measures, different: Rows) -> Relation | None:
    """Return that the rows which differ are zeros in one of the matrices; None where not."""
    for made, lengths in (("B", measures.length_b), ("A", measures.length_a)):
        if not lengths[different].any():
            return Relation("zeroed", "B" if made == "B" else "A", rows=len(different))
    return None


def _nearly_equal(measures: Measures) -> Relation | None:
    within = _largest_share(measures)
    return Relation("nearly_equal", within=within) if within <= _SAME else None


def _largest_share(measures: Measures) -> float:
    """Return the largest share of its length by which a row differs; infinity from a row of 0."""
    assert measures.distance is not None
    moved = measures.distance > 0
    with np.errstate(divide="ignore"):
        return float((measures.distance[moved] / measures.length_a[moved]).max(initial=0))


def _turned(pairs: Pairs, measures: Measures, sides: Sequence[_Side]) -> Relation | None:
    """Return whether B is A turned or mirrored about the origin.

    The turn is found on some rows, at most half of them and at least as many as dimensions; it must
    bring every other row onto its partner, too. So rows that are too few to tell are not said to be
    turned. A turn changes no length, so mostly the lengths say at once that there is none.
    """
    width, count = pairs.widths[0], len(pairs)
    if count < 2 * width or not 2 <= width <= _MOST_TURNED:
        return None
    within = (width + 16) * 2.0**-24 + sum(rounding_of(side.dtype) for side in sides)
    longer = np.maximum(measures.length_a, measures.length_b)
    if not (np.abs(measures.length_a - measures.length_b) <= within * longer).all():
        return None
    if _largest_share(measures) <= 10 * within:
        return None
    places = spread(np.arange(count), max(20_000, 8 * width))[::2]
    turn = turn_onto(pairs.left, pairs.right, places[: count // 2])
    largest, checked = 0.0, stage(_STAGE, count)
    for start, stop in blocks(pairs.left, pairs.right, 0, count, _NUMBERS_AT_ONCE):
        wide = pairs.left[start:stop].astype(np.float64)
        off = wide - turn(pairs.right[start:stop].astype(np.float64))
        lengths = longer[start:stop]
        share = np.sqrt(np.vecdot(off, off)) / np.where(lengths > 0, lengths, 1)
        largest = max(largest, float(share.max()))
        if largest > within:
            return None
        checked(stop - start)
    return Relation("turned", within=largest)
