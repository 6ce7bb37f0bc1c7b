"""Two matrices over the words they share: what moved, how far, and what became its neighbors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedinspect.analysis.diff.matching import Pairs, match
from embedinspect.analysis.diff.measuring import kept, mean_cosine_at, measure, turn_onto
from embedinspect.analysis.diff.neighborhoods import (
    MOST_COMPARED,
    MOST_SPREAD,
    neighborhoods,
    spread,
    with_ends,
)
from embedinspect.analysis.diff.record import (
    Around,
    Difference,
    Doubles,
    Measures,
    Rows,
    cosines_of,
)
from embedinspect.analysis.diff.relations import relation_of
from embedinspect.analysis.diff.rows_elsewhere import rows_elsewhere
from embedinspect.analysis.diff.similarities import similarities
from embedinspect.analysis.dims import first_dims
from embedinspect.analysis.nearest import Metric
from embedinspect.errors import DataError, UsageError
from embedinspect.source import Source

# Of so many rows, or four times the dimensions, a hint says what a turn would do.
_TURNED_FOR_A_HINT = 20_000


def compare(
    a: Source,
    b: Source,
    *,
    align: bool = False,
    neighbors: int = 10,
    words: Sequence[str] = (),
    dims: tuple[int | None, int | None] = (None, None),
    metric: Metric = "cosine",
) -> Difference:
    """Return how the rows of two matrices differ, matched by word, or by number without words.

    Rows of different widths cannot be laid upon each other: these are compared by what needs no
    common axes, their neighbors and which of them are alike.

    The matrices are read in blocks. What is held is a few numbers for each pair of rows.

    Args:
        align: turn the second matrix onto the first, by the orthogonal matrix that brings the
            matched rows closest (orthogonal Procrustes, Schoenemann 1966), before comparing. It
            turns or mirrors about the origin, and neither shifts nor scales: a shift would change
            every cosine.
        neighbors: how many nearest rows to compare, among the matched ones; 0 for none.
        words: compare these words alone, and the neighbors of each of them.
        dims: of A and of B, how many first numbers of each row are compared, scaled to length 1;
            None for all.
        metric: how nearness is measured.

    Raises:
        DataError: the matrices share no word, or no row that is finite in both.
        UsageError: a word of `words` is not in both; rows of different widths are to be aligned;
            rows have fewer numbers than `dims`.
    """
    a, b = first_dims(a, dims[0]), first_dims(b, dims[1])
    if align and a.matrix.output_dim != b.matrix.output_dim:
        raise UsageError(
            f"--align turns rows of the same width onto each other, but {a.path!r} has output_dim "
            f"{a.matrix.output_dim}, {b.path!r} has {b.matrix.output_dim}; leave it out"
        )
    pairs = match(a, b)
    shared = len(pairs)
    measures, finite_a, finite_b = measure(pairs)
    broken_a, broken_b = pairs.only(~finite_a & finite_b), pairs.only(finite_a & ~finite_b)
    finite = finite_a & finite_b
    pairs, measures = pairs.only(finite), kept(measures, finite)
    if not len(pairs):
        raise DataError("no matched row is finite in both matrices; expected finite numbers")
    relation = relation_of(pairs, measures)
    open_ = relation is None or relation.kind == "but_for_rows"
    elsewhere = rows_elsewhere(pairs, measures) if open_ else None
    chosen = pairs.places_of(words) if words else None
    hint = None if align else _cosine_after_turning(pairs, measures, chosen)
    if align and not measures.equal.all():
        equal = measures.equal
        measures, *_ = measure(pairs, turn_onto(pairs.left, pairs.right))
        measures.equal[:] = equal
    k = max(0, min(neighbors, len(pairs) - 1))
    order = _farthest_first(measures, chosen)
    every = chosen is not None or len(order) <= MOST_COMPARED
    asked = order if every else spread(_with_direction(order, measures, metric), MOST_SPREAD)
    queries = np.unique(asked) if measures.distance is None else with_ends(asked, order)
    around = neighborhoods(pairs, measures, queries, k, metric)
    if measures.distance is None:
        order = _fewest_kept_first(order, around)
    overlaps = [around[place].overlap for place in asked.tolist() if place in around]
    return Difference(
        a=a,
        b=b,
        pairs=pairs,
        shared=shared,
        only_a=pairs.unmatched_a.words,
        only_b=pairs.unmatched_b.words,
        repeats_a=pairs.unmatched_a.repeats,
        repeats_b=pairs.unmatched_b.repeats,
        not_finite=shared - len(pairs),
        broken_a=broken_a,
        broken_b=broken_b,
        measures=measures,
        order=order,
        mean_distance=_mean(measures.distance, chosen),
        mean_cosine=_mean(cosines_of(measures), chosen),
        aligned=align,
        mean_cosine_aligned=hint,
        neighbors=k,
        around=around,
        overlap=float(np.mean(overlaps)) if overlaps else None,
        overlap_words=len(overlaps),
        similarities=similarities(pairs, measures, chosen),
        dims=dims,
        metric=metric,
        relation=relation,
        elsewhere=elsewhere,
    )


def _mean(values: Doubles | None, chosen: Rows | None) -> float:
    """Return the mean of the values that are numbers, of the chosen ones; NaN without any."""
    if values is None:
        return float("nan")
    values = values if chosen is None else values[chosen]
    sound = np.isfinite(values)
    return float(values.mean(where=sound)) if sound.any() else float("nan")


def _farthest_first(measures: Measures, chosen: Rows | None) -> Rows:
    """Return the places that are told of, by their distance; without one, as they come."""
    distance = measures.distance
    if distance is None:
        return np.arange(len(measures.length_a)) if chosen is None else chosen
    if chosen is None:
        return np.argsort(-distance, kind="stable")
    return chosen[np.argsort(-distance[chosen], kind="stable")]


def _with_direction(order: Rows, measures: Measures, metric: Metric) -> Rows:
    """Return the places that can have neighbors: by cosine, not those of rows that are zero."""
    zero = (measures.length_a == 0) & (measures.length_b == 0)
    return order[~zero[order]] if metric == "cosine" and zero.any() else order


def _fewest_kept_first(order: Rows, around: dict[int, Around]) -> Rows:
    """Return the places in the order of the overlap of their neighbors; those without one last."""
    overlap = np.full(len(order), 2.0)
    sorted_places = np.argsort(order, kind="stable")
    for place, what in around.items():
        overlap[sorted_places[np.searchsorted(order, place, sorter=sorted_places)]] = what.overlap
    return order[np.argsort(overlap, kind="stable")]


def _cosine_after_turning(pairs: Pairs, measures: Measures, chosen: Rows | None) -> float | None:
    """Return the mean cosine after a turn of B onto A; None where that would say nothing.

    The turn is that of all rows, and the mean that of the chosen ones.

    As many rows as dimensions, or fewer, come close to unrelated ones, too.
    """
    width = pairs.widths[0]
    if measures.distance is None or len(pairs) <= width or measures.equal.all():
        return None
    places = spread(np.arange(len(pairs)), max(_TURNED_FOR_A_HINT, 4 * width))
    turn = turn_onto(pairs.left, pairs.right, places)
    return mean_cosine_at(pairs, places if chosen is None else chosen, turn)
