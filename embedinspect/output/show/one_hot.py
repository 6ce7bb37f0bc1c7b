"""The table of `--one-hot`: each id as a vector of zeros and a one."""

from __future__ import annotations

import numpy as np

from embedinspect.lookup import Lookup, OneHot
from embedinspect.output.labels import LONGEST_WORD
from embedinspect.page import Column, Fact, Facts, Page, Table

_MOST_IDS = 12
_MOST_WRITTEN_OUT = 40  # numbers of a vector; a longer one is written as counts


def one_hot_page(lookup: Lookup, product: OneHot, *, full: bool = False) -> Page:
    """Yield a table of the ids that were looked up, and what their product with the matrix is."""
    yield _vectors(lookup, full=full)
    yield Facts([Fact("one-hot", _verdict(lookup, product))])


def _vectors(lookup: Lookup, *, full: bool) -> Table:
    """Return each id that was looked up as its one-hot vector; a long one as counts of zeros."""
    ids = [int(id_) for id_ in np.flatnonzero(lookup.uses)]
    input_dim = lookup.matrix.input_dim
    padding = lookup.vocabulary.padding_id
    names = [lookup.words.get(id_, "· padding" if id_ == padding else "no token") for id_ in ids]
    written_out = full or input_dim <= _MOST_WRITTEN_OUT
    texts, maxlen, _ = lookup.output_shape
    return Table(
        f"One-hot ids  ({texts}, {maxlen}, {input_dim})",
        [
            Column("id", ids, "id"),
            Column("token", names, most=LONGEST_WORD),
            Column(
                "one-hot vector",
                [
                    _written_out(id_, input_dim) if written_out else _counted(id_, input_dim)
                    for id_ in ids
                ],
                "sequence",
            ),
        ],
        most=None if full else _MOST_IDS,
        full=full,
    )


def _written_out(id_: int, input_dim: int) -> tuple[int, ...]:
    return tuple(int(place == id_) for place in range(input_dim))


def _counted(id_: int, input_dim: int) -> str:
    """Return a one-hot vector as counts.

    >>> _counted(3, 10)
    '3 zeros, 1, 6 zeros'
    """
    after = input_dim - id_ - 1
    parts = [f"{id_:,} zeros"] * bool(id_) + ["1"] + [f"{after:,} zeros"] * bool(after)
    return ", ".join(parts)


def _verdict(lookup: Lookup, product: OneHot) -> str:
    matrix = (lookup.matrix.input_dim, lookup.matrix.output_dim)
    verdict = "is the same tensor" if product.equal else "is not the same tensor"
    reason = ""
    if not product.equal and lookup.matrix.not_finite:
        reason = "; 0 times NaN or infinity is NaN, while a lookup never touches other rows"
    return (
        f"{product.shape} one-hot ids × {matrix} matrix: the product {verdict}, largest difference "
        f"{product.largest_difference:g}{reason}"
    )
