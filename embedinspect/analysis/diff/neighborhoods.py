"""Which neighbors of a row stay the same from one matrix to another; needs no common axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from embedinspect.analysis.diff.matching import Pairs
from embedinspect.analysis.diff.record import Around, Doubles, Measures, Rows
from embedinspect.analysis.nearest import Metric, Searcher
from embedinspect.stored_rows import StoredRows, Vectors

Progress = Callable[[int], None]

# So many rows have their neighbors compared. Of more, those that moved most and least have, for the
# tables, and a spread of all, over which the mean is taken.
MOST_COMPARED = 2000
MOST_ENDS, MOST_SPREAD = 500, 1000
_SEARCHED_AT_ONCE = 1024  # rows that `Searcher` looks for in one reading of the matrix


def spread(order: Rows, most: int) -> Rows:
    """Return so many of some places, evenly spread; all of them where there are no more."""
    if len(order) <= most:
        return order
    return order[np.linspace(0, len(order) - 1, most).astype(np.int64)]


def with_ends(spread_out: Rows, order: Rows) -> Rows:
    """Return places with those at both ends of the order, each once."""
    ends = np.concatenate([order[:MOST_ENDS], order[max(MOST_ENDS, len(order) - MOST_ENDS) :]])
    return np.unique(np.concatenate([spread_out, ends]))


def readings(queries: int) -> int:
    """Return how often both matrices are read as a whole to search so many rows."""
    return -(-queries // _SEARCHED_AT_ONCE)


def neighborhoods(
    pairs: Pairs,
    measures: Measures,
    queries: Rows,
    k: int,
    progress: Progress | None = None,
    metric: Metric = "cosine",
) -> dict[int, Around]:
    """Return what became of the nearest k of each query, among all pairs.

    Args:
        queries: places of the rows that are asked about.
        progress: is told how many rows of one matrix have been searched, again and again.
    """
    if not k or not len(queries):
        return {}
    sides = []
    for rows, lengths in ((pairs.left, measures.length_a), (pairs.right, measures.length_b)):
        sides.append(_nearest(rows, lengths, queries, k, progress, metric))
    around = {}
    for row, before, after in zip(queries.tolist(), *sides, strict=True):
        gained = tuple(other for other in after if other not in before)
        lost = tuple(other for other in before if other not in after)
        around[row] = Around(gained, lost, len(set(before) & set(after)) / k)
    return around


def _nearest(
    rows: Vectors,
    lengths: Doubles,
    queries: Rows,
    k: int,
    progress: Progress | None,
    metric: Metric,
) -> list[list[int]]:
    """Return the places of the nearest k of each query."""
    with np.errstate(over="ignore"):
        searcher = Searcher(_told(rows, progress), lengths.astype(np.float32), metric)
    itself = [[row] for row in queries.tolist()]
    return [nearest.rows.tolist() for nearest in searcher.nearest_of_many(rows[queries], k, itself)]


def _told(rows: Vectors, progress: Progress | None) -> Vectors:
    """Return rows that tell when they are read."""
    if progress is None:
        return rows

    def tell(part: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> object:
        progress(len(part))
        return part

    return StoredRows(rows, rows.shape, tell)  # type: ignore[arg-type]
