"""Words along a direction: from the mean of some words to the mean of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.source import Source
from embedinspect.training.run_folder import Run, open_embedding

Doubles = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Place:
    """A word, its row, and its position on the axis: 0 at the low end, 1 at the high end."""

    word: str
    row: int
    position: float


@dataclass(frozen=True)
class Fit:
    """How well the rows explain a number for each word, as a sum of weighted dimensions.

    Attributes:
        r_squared: the share of its variance that the best such sum explains, 0 to 1; None where
            there are no more words than weights, which explain any numbers at all.
        words: how many words it was fitted on.
        dimensions: how many weights were fitted.
    """

    r_squared: float | None
    words: int
    dimensions: int


@dataclass(frozen=True)
class Opinion:
    """What a run's classifier makes of single words.

    Attributes:
        label: the label whose probability it is.
        words: the words, from the lowest to the highest probability.
        probabilities: the probability of each of them, as a text of one word.
        fit: how well the rows after training explain these probabilities.
        fit_untrained: how well the rows before training explain them.
        correlation: of the probabilities with the positions on the axis.
    """

    label: str
    words: tuple[str, ...]
    probabilities: tuple[float, ...]
    fit: Fit
    fit_untrained: Fit
    correlation: float


@dataclass(frozen=True)
class Axis:
    """The record that `axis` prints.

    Attributes:
        source: the source whose rows they are.
        low: the words of the low end.
        high: the words of the high end.
        length: the distance between the means of the two ends.
        places: all words with a finite row, from low to high.
        named: whether the words were named, and not all that there are.
        left_out: the words whose row is not finite.
    """

    source: Source
    low: tuple[str, ...]
    high: tuple[str, ...]
    length: float
    places: tuple[Place, ...]
    named: bool = False
    left_out: tuple[str, ...] = ()


def rank(
    source: Source,
    low: Sequence[str],
    high: Sequence[str],
    among: Sequence[str] = (),
    first: int | None = None,
) -> Axis:
    """Return the words in their order along the direction from `low` to `high`.

    A row's position is its projection on the line through the two ends: 0 at the mean of the low
    words, 1 at the mean of the high ones; rows beyond them have positions beyond.

    Args:
        among: rank these words alone; by default all rows that have a word, or all rows where
            there are no words.
        first: by default, only this many of the first such rows: files of word vectors list
            frequent words first.

    Raises:
        UsageError: a word has no row.
        DataError: the two ends are the same point, or not finite.
    """
    rows = source.matrix.rows
    start, end = ends_of(source, low, high, "--low and --high words that differ")
    direction = end - start
    length = float(np.linalg.norm(direction))
    named = dict.fromkeys(source.rows_of(among))
    chosen = np.array(list(named) if among else _rows_of_words(source)[:first], np.int64)
    positions = _project(rows, chosen, start, direction / length**2)
    names = _names(source, chosen)
    finite = np.isfinite(positions)
    left_out = tuple(names[i] for i in np.flatnonzero(~finite).tolist())
    order = np.argsort(positions, kind="stable")
    order = order[finite[order]]
    places = tuple(
        Place(names[i], int(chosen[i]), value)
        for i, value in zip(order.tolist(), positions[order].tolist(), strict=True)
    )
    return Axis(source, tuple(low), tuple(high), length, places, bool(among), left_out)


def ends_of(
    source: Source, low: Sequence[str], high: Sequence[str], expected: str
) -> tuple[Doubles, Doubles]:
    """Return the mean row of the words of each end.

    Args:
        expected: what to say was expected, where the ends make no direction.

    Raises:
        UsageError: a word has no row.
        DataError: the two ends are the same point, or not finite.
    """
    rows = source.matrix.rows
    start, end = (
        rows[source.rows_of(names)].astype(np.float64).mean(axis=0) for names in (low, high)
    )
    length = float(np.linalg.norm(end - start))
    if not np.isfinite(length) or not length:
        what = "are the same point" if length == 0 else "hold NaN or infinity"
        raise DataError(f"the two ends {what}; expected {expected}")
    return start, end


def _rows_of_words(source: Source) -> Sequence[int]:
    """Return the rows of words, reserved ones left out; all rows where there are no words."""
    if source.words is None:
        return range(source.matrix.input_dim)
    reserved: set[str | None] = {None}
    if source.vocabulary is not None:
        reserved |= {source.vocabulary.oov_token, source.vocabulary.start_token}
    return [row for row, word in enumerate(source.words) if word not in reserved]


def split_words(source: Source, arguments: Sequence[str]) -> list[str]:
    """Return the words in arguments; an argument that is not a word itself is cut at its spaces.

    Where the words are whole texts, an argument is how one of them begins, and stays whole.
    """
    if source.words is not None and source.words.are_texts:
        return list(arguments)
    words: list[str] = []
    for argument in arguments:
        words.extend([argument] if source.row_of(argument) is not None else argument.split())
    return words


def opinion(axis: Axis, backend: str | None = None) -> Opinion:
    """Return what the classifier of a run makes of each word of an axis by itself.

    Keras runs the classifier on texts of one word.

    Raises:
        UsageError: the source is no run.
    """
    run = axis.source.run
    if run is None:
        raise UsageError(f"{axis.source.path!r} is no run, so it has no classifier")
    words = [place.word for place in axis.places]
    chances = chances_of(run, [place.row for place in axis.places], words, backend)
    rows = np.array([place.row for place in axis.places])
    positions = np.array([place.position for place in axis.places])
    order = np.argsort(chances, kind="stable")
    before = open_embedding(run, 0)
    return Opinion(
        label=run.label_names[1],
        words=tuple(words[i] for i in order.tolist()),
        probabilities=tuple(chances[order].tolist()),
        fit=fit_on(open_embedding(run).rows[rows], chances),
        fit_untrained=fit_on(before.rows[rows], chances),
        correlation=_correlation(positions, chances),
    )


def chances_of(
    run: Run, rows: Sequence[int], words: Sequence[str], backend: str | None = None
) -> Doubles:
    """Return the probability of a run's second label for texts of one word each.

    Keras runs the classifier.

    Args:
        rows: of the words, which are their ids.
    """
    from embedinspect.lookup import look_up
    from embedinspect.training.predict import predict

    settings = replace(run.lookup_settings, maxlen=run.settings.maxlen)
    start = run.vocabulary.start_id
    ids = [np.array([row] if start is None else [start, row], np.int32) for row in rows]
    matrix = open_embedding(run)
    lookup = look_up(words, settings, vocabulary=run.vocabulary, ids=ids, matrix=matrix)
    predictions = predict(run, lookup, backend, start_once=True)
    return np.array([prediction.probability for prediction in predictions])


def fit_on(rows: Any, values: Doubles) -> Fit:
    """Return the least-squares fit of the values on the rows, with a constant."""
    rows = np.asarray(rows, np.float64)
    if len(rows) <= rows.shape[1] + 1:
        return Fit(None, len(rows), rows.shape[1] + 1)
    columns = np.column_stack([rows, np.ones(len(rows))])
    weights = np.linalg.lstsq(columns, values, rcond=None)[0]
    left = float(((values - columns @ weights) ** 2).sum())
    whole = float(((values - values.mean()) ** 2).sum())
    return Fit(1 - left / whole if whole else 0.0, len(rows), rows.shape[1] + 1)


def _correlation(first: Doubles, second: Doubles) -> float:
    if len(first) < 2 or not first.std() or not second.std():
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _project(rows: Any, chosen: Any, origin: Doubles, direction: Doubles) -> Doubles:
    """Return (row - origin) . direction of each chosen row; a part of them at a time."""
    positions = np.empty(len(chosen))
    step = max(1, 2**21 // rows.shape[1])
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, len(chosen), step):
            part = rows[chosen[start : start + step]].astype(np.float64)
            positions[start : start + len(part)] = (part - origin) @ direction
    return positions


def _names(source: Source, chosen: Any) -> list[str]:
    if source.words is None:
        return [f"#{row}" for row in chosen.tolist()]
    if len(chosen) < 1000:
        return [source.name_of(row) for row in chosen.tolist()]
    words = list(source.words)
    return [f"#{row}" if (word := words[row]) is None else word for row in chosen.tolist()]
