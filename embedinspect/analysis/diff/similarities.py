"""Whether rows that are alike in one matrix are alike in another; needs no common axes."""

from __future__ import annotations

import numpy as np

from embedinspect.analysis.diff.matching import Pairs
from embedinspect.analysis.diff.record import Doubles, Measures, Rows, Similarities
from embedinspect.analysis.evaluate.statistics import floor_of, pearson, ranks
from embedinspect.stored_rows import Vectors

MOST_ROWS, MOST_PAIRS = 2000, 20_000
SHUFFLES = 100
_SEED = 0


def similarities(pairs: Pairs, measures: Measures, chosen: Rows | None = None) -> Similarities:
    """Return how the cosines of pairs of rows agree in both matrices, by their ranks.

    At most 2,000 rows are drawn, and at most 20,000 pairs of them, always the same. Rows of zeros
    have no direction and are not among them. This is the second-order similarity that
    representational similarity analysis takes (Kriegeskorte 2008). The floor is found by shuffling
    the rows that were drawn, 100 times.

    Args:
        chosen: places of the rows that are drawn from; None for all. Fewer than 3 tell nothing.
    """
    draw = np.random.default_rng(_SEED)
    sound = np.flatnonzero((measures.length_a > 0) & (measures.length_b > 0))
    if chosen is not None:
        sound = np.intersect1d(sound, chosen)
    rows = (
        np.sort(draw.choice(sound, MOST_ROWS, replace=False)) if len(sound) > MOST_ROWS else sound
    )
    count = len(rows)
    one, other = np.triu_indices(count, 1)
    if len(one) > MOST_PAIRS:
        drawn = draw.choice(len(one), MOST_PAIRS, replace=False)
        one, other = one[drawn], other[drawn]
    first, second = _cosines(pairs.left, rows), _cosines(pairs.right, rows)
    before = ranks(first[one, other])
    correlation = pearson(before, ranks(second[one, other]))
    if correlation is None:
        return Similarities(None, None, count, len(one))
    places = (draw.permutation(count) for _ in range(SHUFFLES))
    shuffled = np.array([ranks(second[place[one], place[other]]) for place in places])
    return Similarities(correlation, floor_of(_pearsons(before, shuffled)), count, len(one))


def _pearsons(first: Doubles, others: Doubles) -> Doubles:
    """Return the correlation of a list with each of several; of those that vary."""
    first = first - first.mean()
    others = others - others.mean(axis=1, keepdims=True)
    spread = np.sqrt((others * others).sum(axis=1) * (first * first).sum())
    return np.asarray((others @ first)[spread > 0] / spread[spread > 0])


def _cosines(rows: Vectors, places: Rows) -> Doubles:
    """Return the cosine of every two of some rows, float64, shape (places, places)."""
    units = rows[places].astype(np.float64)
    units /= np.sqrt(np.vecdot(units, units))[:, None]
    return np.asarray(units @ units.T)
