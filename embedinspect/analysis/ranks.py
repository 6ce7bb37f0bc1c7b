"""How the lengths of rows hang on their place, which in most vocabularies is that of frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.source import Source

_FEWEST = 100
PARTS = 10


@dataclass(frozen=True)
class LengthsByRank:
    """The lengths of rows with a word, from the first row to the last.

    Attributes:
        medians: the median length in each tenth of the rows.
        correlation: Spearman's rank correlation of length and place; None where no length differs.
    """

    medians: tuple[float, ...]
    correlation: float | None


def lengths_by_rank(source: Source) -> LengthsByRank | None:
    """Return how lengths hang on place; None for fewer than 100 rows with words.

    Rows without a word, of zeros, and rows that are not finite do not count.
    """
    if source.words is None:
        return None
    lengths = source.lengths()
    named = np.fromiter((word is not None for word in source.words), np.bool_, len(lengths))
    sound = lengths[named & np.isfinite(lengths) & (lengths > 0)].astype(np.float64)
    if len(sound) < _FEWEST:
        return None
    medians = tuple(float(np.median(part)) for part in np.array_split(sound, PARTS))
    return LengthsByRank(medians, _spearman(sound))


def _spearman(values: Any) -> float | None:
    """Return the correlation of the ranks of values, ties sharing their mean, with their places."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(counts) < 2:
        return None
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]
    return float(np.corrcoef(ranks, np.arange(len(values)))[0, 1])
