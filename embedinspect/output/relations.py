"""How one matrix comes of the other, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from embedinspect.analysis.diff import Difference, Relation
from embedinspect.output.labels import word_label
from embedinspect.wording import listed, plural

_MOST_WORDS, _MOST_RUNS = 5, 3


def sentence(difference: Difference) -> str | None:
    """Return how one matrix comes of the other; None where that is not known.

    Where it is only known of some rows of the two, the sentence says of which.
    """
    relation = difference.relation
    if relation is None:
        return None
    made, other = ("A", "B") if relation.made == "A" else ("B", "A")
    said = ", ".join([*_scope(difference), f"{made} is {other}{_how(difference, relation)}"])
    return said[0].upper() + said[1:]


def _scope(difference: Difference) -> Iterator[str]:
    """Yield of what the sentence is said, where that is not all of both matrices as they are."""
    pairs = difference.pairs
    dims, of_b = difference.dims
    if dims is not None and dims == of_b:
        yield f"cut to {plural(dims, 'dimension')} and scaled to length 1"
    whole = difference.a.matrix.input_dim == difference.b.matrix.input_dim == difference.shared
    finite = " and that are finite" if difference.not_finite else ""
    if not whole:
        yield f"in the {plural(len(pairs), pairs.by)} that both have{finite}"
    elif difference.not_finite:
        yield f"in the {plural(len(pairs), 'row')} that are finite in both"
    if not pairs.same_rows:
        yield "word by word"


def _how(difference: Difference, relation: Relation) -> str:
    """Return what stands behind `B is A`."""
    how = _in_itself(difference, relation)
    if relation.dims is None:
        return how
    cut = f" cut to its first {plural(relation.dims, 'dimension')}"
    if relation.kind == "equal":
        return cut
    joint = " and with" if how.startswith(" with ") else ","
    return f"{cut}{joint}{how.removeprefix(' with')}"


def _in_itself(difference: Difference, relation: Relation) -> str:
    rounded = f", rounded to {relation.dtype}" if relation.dtype else ""
    match relation.kind:
        case "equal":
            return ", number for number"
        case "rounded":
            return f" rounded to {_precision(relation)}"
        case "scaled":
            return f" times {relation.factor:.6g}{rounded}"
        case "columns":
            return f" with {_columns(relation)}"
        case "row_order":
            pairs, moved = len(difference.pairs), relation.rows or 0
            which = "its rows" if moved == pairs else f"{moved:,} of its {plural(pairs, 'row')}"
            return f" with {which} in another order, number for number"
        case "rows_scaled":
            factors = "scaled to length 1" if relation.to_length_1 else "scaled, each by a factor"
            own = "" if relation.to_length_1 else " of its own"
            return f" with its rows {factors}{own}{rounded}"
        case "shifted":
            return f" with one vector added to every row{rounded}"
        case "whole_numbers":
            times = (
                f" times {relation.factor:.6g}"
                if relation.factor is not None
                else " with its rows scaled, each by a factor of its own"
            )
            return f"{times}, rounded to whole numbers"
        case "quantized":
            each = {"row": "row", "block": "32 numbers", "matrix": "matrix"}[relation.each or ""]
            within = "the whole" if each == "matrix" else "every" if each[0] == "3" else "each"
            return (
                f" quantized: in {within} {each}, whole numbers from -{relation.steps} to "
                f"{relation.steps} times a step"
            )
        case "but_for_rows":
            return f" but for {_rows(difference)}"
        case "turned":
            return (
                " turned or mirrored about the origin, to within "
                f"{relation.within:.1g} of the length of each row"
            )
        case "nearly_equal":
            return f", to within {relation.within:.1g} of the length of each row"


def _precision(relation: Relation) -> str:
    if relation.dtype is not None:
        return relation.dtype
    if relation.digits is not None:
        return plural(relation.digits, "significant digit")
    return plural(relation.decimals, "decimal") if relation.decimals else "whole numbers"


def _columns(relation: Relation) -> str:
    order = "its columns in another order"
    if not relation.flipped_columns:
        return order
    flipped = plural(relation.flipped_columns, "column")
    if not relation.moved_columns:
        return f"the sign of {flipped} changed"
    return f"{order} and the sign of {flipped} changed"


def _rows(difference: Difference) -> str:
    """Return which rows differ: by their words where they are few, in runs, or how many."""
    pairs = difference.pairs
    places = np.flatnonzero(~difference.measures.equal)
    others = len(pairs) - len(places)
    rest = (
        f"the other {others:,} are equal, number for number"
        if others != 1
        else "the other is equal, number for number"
    )
    if len(places) <= _MOST_WORDS and difference.a.words is not None:
        words = listed(word_label(pairs.named, pairs.row_a(place)) for place in places.tolist())
        return f"{plural(len(places), 'row')}, {words}; {rest}"
    edges = np.flatnonzero(np.diff(places) != 1)
    starts, ends = [0, *(edges + 1).tolist()], [*edges.tolist(), len(places) - 1]
    if len(starts) > _MOST_RUNS or not pairs.same_rows:
        return f"{len(places):,} of its {plural(len(pairs), 'row')}; {rest}"
    runs = []
    for start, end in zip(starts, ends, strict=True):
        first, last = pairs.row_a(int(places[start])), pairs.row_a(int(places[end]))
        runs.append(f"{first:,}" if first == last else f"{first:,} to {last:,}")
    noun = "row" if len(places) == 1 else "rows"
    return f"{noun} {' and '.join(runs)}; {rest}"
