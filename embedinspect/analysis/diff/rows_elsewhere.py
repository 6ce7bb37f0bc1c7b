"""Whether rows are matched with the wrong ones: rows of B that are rows of A at another place.

Where rows are in another order and were changed besides, by rounding for instance, no relation
holds number by number. A sample of rows tells then, each searched for among all rows of A.
"""

from __future__ import annotations

from math import comb

import numpy as np

from embedinspect.analysis.diff.matching import Pairs
from embedinspect.analysis.diff.neighborhoods import spread
from embedinspect.analysis.diff.record import Doubles, Mask, Measures, Rows
from embedinspect.analysis.diff.relation import Elsewhere
from embedinspect.analysis.nearest import Searcher, score
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray

LOOKED_AT = 64  # rows; as many searches again tell what chance does
# A row is found where the nearest is so much nearer than the next, by the angle. Chance does that
# once in 8 times for rows along a circle, in more dimensions much less often.
_NEARER = 1 / 8
_BY_CHANCE = 1e-6  # how often chance may find so many
_SAME_DIRECTION = 0.999  # cosine of rows of which none other is searched for
_LEAST_ANGLE = 1e-7  # that cosines in float64 can tell from 0
_NUMBERS_AT_ONCE = 2**20
_STAGE = "whether rows are those of others"


def rows_elsewhere(pairs: Pairs, measures: Measures) -> Elsewhere | None:
    """Return that most rows of B which left their direction are rows of A at another place.

    Those rows of A have left their own places: a copy of one that has not is no other order.

    At most 64 of them are searched for, evenly spread. A row is found where one row of A, and not
    its own, is far nearer to it than all others; rows of A that are there twice find none. That
    must be more than chance: as many rows of A are searched for among the others, and so it is
    known how often such a row is there anyway, as in few dimensions.

    Returns:
        None where it is not so, where too few rows differ to tell, and where widths differ.
    """
    if measures.cosine is None:
        return None
    with np.errstate(invalid="ignore"):
        differ = ~(measures.cosine >= _SAME_DIRECTION) & (measures.length_b > 0) & ~measures.equal
    candidates = int(np.count_nonzero(differ))
    looked_at = min(candidates, LOOKED_AT)
    if not looked_at or not _more_than_chance(looked_at, looked_at, _NEARER):
        return None
    places = spread(np.flatnonzero(differ), LOOKED_AT)
    queries = np.concatenate([pairs.right[places], pairs.left[places]])
    # The rows of A themselves are not what they are searched for among.
    without = np.concatenate([np.full(looked_at, -1), places])
    nearest, cosines, stand_out = _nearest(pairs, measures, queries, without)
    often = (1 + int(stand_out[looked_at:].sum())) / (1 + looked_at)
    # A row of A that is still in its place, too, was copied: that is no other order.
    elsewhere = stand_out[:looked_at] & differ[nearest[:looked_at]]
    elsewhere &= nearest[:looked_at] != places
    _, first = np.unique(nearest[:looked_at][elsewhere], return_index=True)
    found = np.flatnonzero(elsewhere)[np.sort(first)]  # each row of A once
    if 2 * len(found) <= looked_at or not _more_than_chance(
        len(found), looked_at, max(_NEARER, often)
    ):
        return None
    return Elsewhere(
        candidates=candidates,
        looked_at=looked_at,
        cosine=float(cosines[found].min()),
        places=tuple(zip(places[found].tolist(), nearest[found].tolist(), strict=True)),
    )


def _nearest(
    pairs: Pairs, measures: Measures, queries: FloatArray, without: Rows
) -> tuple[Rows, Doubles, Mask]:
    """Return the place of the row of A nearest to each query, its cosine, and if it stands out.

    It does where all other rows are far from it, by bounds that hold whatever float32 rounds. So
    one pass is enough: where rows are too near to each other to tell, none stands out.

    Args:
        without: for each query a place that is left out, or -1.
    """
    with np.errstate(over="ignore"):
        searcher = Searcher(pairs.left, measures.length_a.astype(np.float32))
    wide, each = queries.astype(np.float64), np.arange(len(queries))
    best, second = np.full((2, len(queries)), -np.inf, np.float32)
    nearest = np.zeros(len(queries), np.int64)
    step, searched = max(1, _NUMBERS_AT_ONCE // max(queries.shape)), stage(_STAGE, len(pairs))
    for start in range(0, len(pairs), step):
        stop = min(start + step, len(pairs))
        _, upper = searcher.bounds_of_cosines(wide, start, stop)
        left_out = np.flatnonzero((without >= start) & (without < stop))
        upper[left_out, without[left_out] - start] = -np.inf
        largest = upper.argmax(axis=1)
        value = upper[each, largest]
        upper[each, largest] = -np.inf
        np.maximum(second, np.maximum(np.minimum(best, value), upper.max(axis=1)), out=second)
        nearest[value > best] = largest[value > best] + start
        np.maximum(best, value, out=best)
        searched(stop - start)
    cosines = score(pairs.left[nearest], wide, "cosine")
    with np.errstate(invalid="ignore"):
        angle, to_second = (np.arccos(np.clip(each, -1, 1)) for each in (cosines, second))
        near = np.maximum(angle, _LEAST_ANGLE) <= _NEARER * to_second
    return nearest, cosines, near & np.isfinite(second)


def _more_than_chance(found: int, of: int, often: float) -> bool:
    """Return whether chance, which finds a row so often, hardly ever finds so many.

    The probability is at most that of any so many of them, summed over all choices.
    """
    return comb(of, found) * often**found <= _BY_CHANCE
