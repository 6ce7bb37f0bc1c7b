"""How the lengths of rows hang on their place, which in most vocabularies is that of frequency."""

from __future__ import annotations

import math
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
    sound = lengths[named & np.isfinite(lengths) & (lengths > 0)]
    if len(sound) < _FEWEST:
        return None
    parts = (part.astype(np.float64) for part in np.array_split(sound, PARTS))
    medians = tuple(float(np.median(part)) for part in parts)
    return LengthsByRank(medians, _spearman(sound))


def _spearman(values: Any) -> float | None:
    """Return the correlation of the ranks of values, ties sharing their mean, with their places."""
    count, places = len(values), np.argsort(values, kind="stable")
    values = values[places]
    begins = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    if len(begins) < 2:
        return None
    ties = np.diff(begins, append=count)
    middle = (count - 1) / 2
    ranks = np.repeat(begins + (ties - 1) / 2 - middle, ties)  # in the order of the values
    spread = float(ranks @ ranks) * (count**3 - count) / 12
    return float(ranks @ (places - middle) / math.sqrt(spread))
