"""Which neighbors of a row stay the same from one matrix to another; needs no common axes."""

from __future__ import annotations

import numpy as np

from embedinspect.analysis.diff.matching import Pairs
from embedinspect.analysis.diff.record import Around, Doubles, Measures, Rows
from embedinspect.analysis.nearest import Metric, Searcher
from embedinspect.stored_rows import Vectors

# So many rows have their neighbors compared. Of more, those that moved most and least have, for the
# tables, and a spread of all, over which the mean is taken.
MOST_COMPARED = 2000
MOST_ENDS, MOST_SPREAD = 500, 1000


def spread(order: Rows, most: int) -> Rows:
    """Return so many of some places, evenly spread; all of them where there are no more."""
    if len(order) <= most:
        return order
    return order[np.linspace(0, len(order) - 1, most).astype(np.int64)]


def with_ends(spread_out: Rows, order: Rows) -> Rows:
    """Return places with those at both ends of the order, each once."""
    ends = np.concatenate([order[:MOST_ENDS], order[max(MOST_ENDS, len(order) - MOST_ENDS) :]])
    return np.unique(np.concatenate([spread_out, ends]))


def neighborhoods(
    pairs: Pairs,
    measures: Measures,
    queries: Rows,
    k: int,
    metric: Metric = "cosine",
) -> dict[int, Around]:
    """Return what became of the nearest k of each query, among all pairs.

    A row that has no neighbors in either matrix, as one of zeros by cosine, is left out. Where all
    rows are equal, so are their neighbors, and none is searched for.

    Args:
        queries: places of the rows that are asked about.
    """
    if not k or not len(queries):
        return {}
    if measures.equal.all():
        some = queries[measures.length_a[queries] > 0] if metric == "cosine" else queries
        return dict.fromkeys(some.tolist(), Around((), (), 1.0))
    sides = []
    for rows, lengths in ((pairs.left, measures.length_a), (pairs.right, measures.length_b)):
        sides.append(_nearest(rows, lengths, queries, k, metric))
    around = {}
    for row, before, after in zip(queries.tolist(), *sides, strict=True):
        gained = tuple(other for other in after if other not in before)
        lost = tuple(other for other in before if other not in after)
        most = max(len(before), len(after))  # fewer than k where others have no direction
        if most:
            around[row] = Around(gained, lost, len(set(before) & set(after)) / most)
    return around


def _nearest(
    rows: Vectors,
    lengths: Doubles,
    queries: Rows,
    k: int,
    metric: Metric,
) -> list[list[int]]:
    """Return the places of the nearest k of each query."""
    with np.errstate(over="ignore"):
        searcher = Searcher(rows, lengths.astype(np.float32), metric)
    # A row of zeros has no direction, so nothing is near to it.
    some = queries[lengths[queries] > 0] if metric == "cosine" else queries
    nearest = searcher.nearest_of_many(rows[some], k, [[row] for row in some.tolist()])
    of_place = {row: one.rows.tolist() for row, one in zip(some.tolist(), nearest, strict=True)}
    return [of_place.get(row, []) for row in queries.tolist()]
