"""Rows in an order of their own, and those of some kind alone: the lists behind the numbers."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from embedinspect.analysis.health import distances_from_mean, row_lengths
from embedinspect.errors import UsageError
from embedinspect.matrix import parts_of
from embedinspect.source import Source

SortName = Literal["norm", "-norm", "moved", "outlier", "frequency"]
Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

_CONDITION = re.compile(r"\s*(norm|row|word)\s*(<=|>=|<|>|=)\s*(.+?)\s*", re.S)
_EXPECTED = (
    "expected a condition on norm, row or word, such as 'norm>1.5', 'row<1000' or 'word=un*'"
)


@dataclass(frozen=True)
class RowList:
    """Rows in their order.

    Attributes:
        rows: their numbers.
        by: what they are sorted by; None for the order of the matrix.
        values: what each row is sorted by: its norm, how far it has moved, how many times the
            median distance from the mean row it is away, how often its word occurs; None where
            they are not sorted.
        of: how many rows the matrix has.
        not_finite: how many rows are left out, as there is no such number of them.
    """

    rows: Rows
    by: SortName | None
    values: Doubles | None
    of: int
    not_finite: int


def list_rows(source: Source, sort: SortName | None = None, where: Sequence[str] = ()) -> RowList:
    """Return the rows that meet all conditions, in an order.

    `norm` lists the shortest rows first and `-norm` the longest, `moved` those that training moved
    farthest, `outlier` those farthest from the mean row, each dimension measured in its own
    deviation, and `frequency` the most frequent words. Equal rows keep the order of the matrix.

    Args:
        where: conditions, such as `norm>1.5`, `row<1000`, `word=un*`; a word is compared with a
            pattern of `*`, `?` and `[...]`, capitals told apart.

    Raises:
        UsageError: a condition that is none, or an order that this source has no numbers for.
    """
    chosen = np.ones(len(source.matrix.rows), np.bool_)
    for condition in where:
        chosen &= _meets(source, condition)
    if sort is None:
        return RowList(np.flatnonzero(chosen), None, None, len(chosen), 0)
    values = _values(source, sort)
    finite = np.isfinite(values)
    left_out = int((chosen & ~finite).sum())
    rows = np.flatnonzero(chosen & finite)
    values = values[rows]
    order = np.argsort(values if sort == "norm" else -values, kind="stable")
    return RowList(rows[order], sort, values[order], len(chosen), left_out)


def _values(source: Source, sort: SortName) -> Doubles:
    match sort:
        case "norm" | "-norm":
            lengths: Doubles = row_lengths(source).astype(np.float64)
            return lengths
        case "moved":
            return _moved(source)
        case "outlier":
            return distances_from_mean(source)
        case "frequency":
            return _counts(source)


def _moved(source: Source) -> Doubles:
    """Return the distance of each row of a run from where it was before training."""
    if source.run is None:
        raise UsageError(
            f"--sort moved is for runs of train, and {source.path!r} is none; expected a run "
            "folder; embedinspect diff A B compares two matrices"
        )
    from embedinspect.training.run_folder import open_embedding

    before, rows = open_embedding(source.run, 0).rows, source.matrix.rows
    distances = np.empty(len(rows))
    for start, part in parts_of(rows):
        apart = part.astype(np.float64) - before[start : start + len(part)]
        distances[start : start + len(part)] = np.sqrt(np.vecdot(apart, apart))
    return distances


def _counts(source: Source) -> Doubles:
    """Return how often the word of each row occurs; NaN for rows without such a number."""
    counts = {} if source.vocabulary is None else source.vocabulary.word_counts
    if not counts or source.words is None:
        raise UsageError(
            f"--sort frequency: {source.path!r} does not say how often its words occur; most "
            "vocabularies stand by frequency already, so --where 'row<1000' lists the frequent ones"
        )
    values = [float(counts.get(word, np.nan)) if word else np.nan for word in source.words]
    return np.array(values)


def _meets(source: Source, condition: str) -> Any:
    """Return of each row whether it meets a condition."""
    parsed = _CONDITION.fullmatch(condition)
    if parsed is None:
        raise UsageError(f"--where is {condition!r}; {_EXPECTED}")
    name, sign, text = parsed.groups()
    if name == "word":
        return _words_like(source, sign, text, condition)
    try:
        limit = float(text.removeprefix("#"))
    except ValueError:
        raise UsageError(f"--where is {condition!r}; expected a number behind {sign}") from None
    rows = len(source.matrix.rows)
    values = row_lengths(source) if name == "norm" else np.arange(rows, dtype=np.int32)
    with np.errstate(invalid="ignore"):
        return {
            "<": values < limit,
            "<=": values <= limit,
            ">": values > limit,
            ">=": values >= limit,
            "=": values == limit,
        }[sign]


def _words_like(source: Source, sign: str, pattern: str, condition: str) -> Any:
    if sign != "=":
        raise UsageError(f"--where is {condition!r}; expected word=PATTERN, such as 'word=un*'")
    if source.words is None:
        raise UsageError(
            f"--where is {condition!r}, and {source.path!r} has no words; name a file of them with "
            "--words"
        )
    matches = re.compile(fnmatch.translate(pattern)).match
    like = (word is not None and matches(word) is not None for word in source.words)
    return np.fromiter(like, np.bool_, len(source.matrix.rows))
