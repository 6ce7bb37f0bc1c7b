"""How one matrix comes of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "equal", "rounded", "scaled", "columns", "rows_scaled", "shifted", "quantized", "whole_numbers",
    "row_order", "zeroed", "but_for_rows", "turned", "nearly_equal",
]  # fmt: skip
Rounding = Literal["ties_away", "truncated"]


@dataclass(frozen=True)
class Relation:
    """What one matrix is, by the other.

    Attributes:
        kind: the way in which it comes of the other.
        made: which of the two comes of the other: `B`, or `A`.
        dtype: the type that its numbers were rounded to, if that matters.
        rounding: how they were rounded to it; None for to the nearest, ties to even.
        decimals: that its numbers were written with.
        digits: significant ones that its numbers were written with.
        factor: that all numbers were multiplied with.
        to_length_1: whether it is for a length of 1 that rows were scaled.
        moved_columns: how many columns stand in another place.
        flipped_columns: how many columns have the other sign.
        steps: how many whole numbers there are on each side of 0.
        each: what has a step of its own: `matrix`, `row`, or `block` of 32 numbers.
        rows: how many rows are not as the others.
        origins: of the first 1,000 rows that stand in another order, by their places in the second
            matrix, the place of each in the first.
        only_words: whether these differ because of their words alone, which are in another order.
        within: the largest share of its length by which a row is off.
        dims: how many first dimensions were taken.
    """

    kind: Kind
    made: Literal["A", "B"] = "B"
    dtype: str | None = None
    rounding: Rounding | None = None
    decimals: int | None = None
    digits: int | None = None
    factor: float | None = None
    to_length_1: bool = False
    moved_columns: int = 0
    flipped_columns: int = 0
    steps: int | None = None
    each: str | None = None
    rows: int | None = None
    origins: tuple[int, ...] = ()
    only_words: bool = False
    within: float | None = None
    dims: int | None = None


@dataclass(frozen=True)
class Elsewhere:
    """Rows of the second matrix that are, nearly, rows of the first at another place.

    Attributes:
        candidates: how many rows have another direction in the second matrix than in the first.
        looked_at: how many of them were searched for among all rows of the first.
        cosine: the least between a row that was found and the row that it is.
        places: of each row that was found, its place among the pairs, and the place of the pair
            whose row in the first matrix it is.
    """

    candidates: int
    looked_at: int
    cosine: float
    places: tuple[tuple[int, int], ...]
