"""How one matrix comes of the other, in a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from embedinspect.analysis.diff import Difference, Elsewhere, Relation
from embedinspect.analysis.diff.record import Rows
from embedinspect.output.labels import word_label
from embedinspect.wording import listed, plural, with_and

_MOST_WORDS, _MOST_RUNS, _MOST_IN_ANOTHER_ORDER = 5, 3, 8
_MOST_IN_DOCUMENT = 1000


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
    # Rows under other words are not the same word by word.
    in_another_order = difference.relation is not None and difference.relation.kind == "row_order"
    if not pairs.same_rows and not in_another_order:
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
            if relation.rounding == "truncated":
                return f" truncated to {relation.dtype}"
            ties = ", ties away from zero" if relation.rounding == "ties_away" else ""
            return f" rounded to {_precision(relation)}{ties}"
        case "scaled":
            return f" times {relation.factor:.6g}{rounded}"
        case "columns":
            return f" with {_columns(relation)}"
        case "row_order":
            return _in_another_order(difference, relation)
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
        case "zeroed":
            everything = relation.rows == len(difference.pairs)
            which = "every row" if everything else _rows(difference)
            return f" with zeros in place of {which}"
        case "but_for_rows":
            return f" but for {_rows(difference)}"
        case "turned":
            return (
                " turned or mirrored about the origin, to within "
                f"{relation.within:.1g} of the length of each row"
            )
        case "nearly_equal":
            return f", to within {relation.within:.1g} of the length of each row"


def _in_another_order(difference: Difference, relation: Relation) -> str:
    """Return that rows, or only the words on them, are in another order, and which."""
    pairs, moved = difference.pairs, relation.rows or 0
    noun = "word" if relation.only_words else "row"
    of_all = f"its {noun}s" if moved == len(pairs) else f"{moved:,} of its {len(pairs):,} {noun}s"
    which = "" if moved == len(pairs) else f": {_first_that_differ(difference)}"
    if relation.only_words:
        return f" row by row, number for number, with {of_all} in another order{which}"
    where = "under other words" if pairs.by == "word" else "in another order"
    return f" with {of_all} {where}, number for number{which}"


def _first_that_differ(difference: Difference) -> str:
    """Return the first rows that differ: by their words if they are matched by these."""
    pairs, places = difference.pairs, _that_differ(difference)
    first = places[:_MOST_IN_ANOTHER_ORDER].tolist()
    if pairs.by == "word":
        names = [word_label(pairs.named, pairs.row_a(place)) for place in first]
        return _named(names, len(places))
    return f"rows {_named([f'{pairs.row_a(place):,}' for place in first], len(places))}"


def _named(names: list[str], total: int) -> str:
    """Return names, and how many more there are."""
    return with_and(names) if len(names) == total else listed(names, len(names), total)


def _that_differ(difference: Difference) -> Rows:
    """Return the places of the rows that are not equal, number for number."""
    return np.flatnonzero(~difference.measures.equal)


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
    places = _that_differ(difference)
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
    return f"{noun} {with_and(runs)}; {rest}"


def seems_elsewhere(difference: Difference) -> str | None:
    """Return that rows seem to be matched with the wrong ones, and how to mend it; None if not."""
    elsewhere = difference.elsewhere
    if elsewhere is None:
        return None
    where = "under other words" if difference.by == "word" else "in another order"
    return (
        f"B seems to have rows of A {where}: {_found(difference, elsewhere)}; "
        f"{_to_match_them(difference)}"
    )


def _found(difference: Difference, elsewhere: Elsewhere) -> str:
    """Return how many rows were looked at, and what was found of them."""
    pairs, found = difference.pairs, f"{len(elsewhere.places):,}"
    differ = f"of the {elsewhere.candidates:,} {difference.by}s whose direction differs, "
    if elsewhere.candidates > elsewhere.looked_at:
        differ += f"{elsewhere.looked_at:,} were looked at, and "
        found = "all" if len(elsewhere.places) == elsewhere.looked_at else found
        found += " of these"
    least = math.floor(elsewhere.cosine * 10_000) / 10_000  # rounded up it would not be true
    of_b, of_a = elsewhere.places[0]
    if difference.by == "word":
        other = "the row of another word in A"
        first, second = (word_label(pairs.named, pairs.row_a(place)) for place in (of_b, of_a))
        example = f"{first} with {second}"
    else:
        other = "another row of A"
        example = f"row {pairs.row_b(of_b):,} with row {pairs.row_a(of_a):,}"
    return f"{differ}{found} have a cosine of at least {least:.4f} with {other}, such as {example}"


def to_match_rows(difference: Difference) -> str | None:
    """Return how rows that stand in another order are matched; None where none do."""
    relation = difference.relation
    if relation is None or relation.kind != "row_order":
        return None
    way = _to_match_them(difference)
    return f"{way[0].upper()}{way[1:]}."


def _to_match_them(difference: Difference) -> str:
    """Return how rows are matched with the right ones."""
    lacking = [
        f"--words-{label}"
        for label, source in (("a", difference.a), ("b", difference.b))
        if source.words is None
    ]
    if not lacking:
        return "check that the words of A and B belong to these rows"
    return f"name their words with {' and '.join(lacking)}, so that they are matched by word"


def relation_document(difference: Difference) -> dict[str, object] | None:
    """Return how one matrix comes of the other, for programs."""
    relation = difference.relation
    if relation is None:
        return None
    pairs, which = difference.pairs, None
    if relation.rows is not None:
        places = _that_differ(difference)[:_MOST_IN_DOCUMENT].tolist()
        which = [
            {"word": pairs.name(of_b), "row_a": pairs.row_a(of_a), "row_b": pairs.row_b(of_b)}
            for of_b, of_a in zip(places, relation.origins or places, strict=True)
        ]
    facts = {name: value for name, value in vars(relation).items() if name != "origins"}
    return {"sentence": sentence(difference), **facts, "which": which}


def elsewhere_document(difference: Difference) -> dict[str, object] | None:
    """Return which rows seem to be matched with the wrong ones, for programs."""
    elsewhere, pairs = difference.elsewhere, difference.pairs
    if elsewhere is None:
        return None
    return {
        "sentence": seems_elsewhere(difference),
        "candidates": elsewhere.candidates,
        "looked_at": elsewhere.looked_at,
        "found": len(elsewhere.places),
        "cosine": elsewhere.cosine,
        "which": [
            {
                "word_b": pairs.name(of_b),
                "row_b": pairs.row_b(of_b),
                "word_a": pairs.name(of_a),
                "row_a": pairs.row_a(of_a),
            }
            for of_b, of_a in elsewhere.places
        ],
    }
