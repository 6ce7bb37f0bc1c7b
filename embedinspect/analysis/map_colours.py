"""What the colours of a map stand for: a number or a kind for each of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embedinspect.analysis.axis import chances_of
from embedinspect.analysis.projection import Doubles, End, Rows
from embedinspect.errors import DataError, UsageError
from embedinspect.matrix import norms_of
from embedinspect.pictures import Shade
from embedinspect.samples import resolve
from embedinspect.source import Source
from embedinspect.stored_rows import Vectors
from embedinspect.text_tables import column_of, no_column, rows_of
from embedinspect.texts import read_decoded
from embedinspect.wording import clipped_repr, plural

# What points can be coloured by, besides a column.
NAMES = ("classifier", "axis", "norm", "moved", "none")
WORD_COLUMNS = ("word", "token", "words", "term", "name")
_TABLES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson"})
MOST_CATEGORIES = 6  # colours that are told apart
OTHERS = "others"
# Outside these percentiles, rows have the colour of the end: one long row would leave all others
# with one colour.
_ENDS = (2, 98)


def by_norm(source: Source, rows: Rows) -> Shade:
    """Return a shade by the length of the rows."""
    return _scaled("length of the row", norms_of(source.matrix.rows[rows]).astype(np.float64))


def by_moved(source: Source, rows: Rows, before: Vectors, when: str) -> Shade:
    """Return a shade by how far the rows are from where they were.

    Args:
        when: they were there, as the end of a sentence.
    """
    apart = source.matrix.rows[rows].astype(np.float64) - before[rows]
    distances = np.sqrt(np.vecdot(apart, apart))
    return _scaled(f"distance from the row {when}", distances, low=0.0)


def by_axis(source: Source, rows: Rows, ends: End, low: str, high: str) -> Shade:
    """Return a shade by the position between two ends, which `axis` prints."""
    direction = ends.high - ends.low
    places = source.matrix.rows[rows].astype(np.float64) @ direction
    start = float(ends.low @ direction)
    positions = (places - start) / float(direction @ direction)
    return Shade("position on the axis", positions, 0.0, 1.0, 0.5, low, high)


def by_classifier(
    source: Source, rows: Rows, names: Sequence[str], backend: str | None = None
) -> Shade:
    """Return a shade by what a run's classifier makes of each word alone. It runs Keras.

    Raises:
        UsageError: the source is no run, or its rows are not those of the last epoch.
    """
    run = source.run
    if run is None:
        raise UsageError(
            f"{source.path!r} is no run, so it has no classifier; expected --color-by norm, axis, "
            "or a column"
        )
    if source.epoch != run.epochs:
        raise UsageError(
            f"--color-by classifier needs the classifier after epoch {source.epoch}, and only that "
            f"after epoch {run.epochs} is kept; leave out --epoch and --after"
        )
    chances = chances_of(run, rows.tolist(), names, backend)
    low, high = run.label_names
    return Shade(f"probability of {high}, on the word alone", chances, 0.0, 1.0, 0.5, low, high)


def by_column(source: Source, wanted: str, names: Sequence[str]) -> Shade:
    """Return a shade by what a table says of each word: numbers, or names of kinds.

    Args:
        wanted: a column of the source, where that is a text with columns, or `FILE:COLUMN`.

    Raises:
        UsageError: there is no such column.
        DataError: the table cannot be read, or has none of the words.
    """
    path, column = _table_and_column(source, wanted)
    values = _values_of_words(path, column, source.contents.words_column)
    path_label = repr(path)
    of_points = [values.get(name, "").strip() for name in names]
    given = [value for value in of_points if value]
    if not given:
        raise DataError(
            f"column {clipped_repr(column)} of {path_label} has a value for none of the "
            f"{plural(len(names), 'word')} of the map; expected words that the source has, too"
        )
    try:
        numbers = [float(value) if value else np.nan for value in of_points]
    except ValueError:
        return _kinds(column, of_points, given)
    shade = np.array(numbers)
    shade[~np.isfinite(shade)] = np.nan
    if not np.isfinite(shade).any():
        return _kinds(column, of_points, given)
    return _scaled(column, shade)


def _table_and_column(source: Source, wanted: str) -> tuple[str, str]:
    path, colon, column = wanted.rpartition(":")
    if colon and path:
        return path, column
    if Path(resolve(source.path)).suffix.lower() in _TABLES:
        return source.path, wanted
    raise UsageError(
        f"--color-by is {wanted!r}, and {source.path!r} is no text with columns; expected one of "
        f"{', '.join(NAMES)}, or FILE:COLUMN of a CSV, TSV or JSON Lines file with the words"
    )


def _values_of_words(path: str, column: str, words_column: str | None) -> dict[str, str]:
    """Return what a column of a table says of each word; of one that repeats, what it says first.

    Args:
        words_column: the heading of the words, if the table has it; else it is a usual one, or that
            of the first column.
    """
    contents, path_label = read_decoded(path, "utf-8")
    values: dict[str, str] = {}
    heading = None
    for _, row in rows_of(contents, path_label):
        if heading is None:
            if column not in row:
                raise UsageError(no_column(list(row), (), column, path_label, "--color-by"))
            heading = column_of(list(row), WORD_COLUMNS, words_column)
            heading = heading or column_of(list(row), WORD_COLUMNS) or next(iter(row))
        values.setdefault(row.get(heading) or "", row.get(column) or "")
    return values


def _kinds(column: str, of_points: Sequence[str], given: Sequence[str]) -> Shade:
    """Return a shade of kinds: the most frequent have colours of their own, the rest share one."""
    counts = Counter(given)
    most = MOST_CATEGORIES if len(counts) <= MOST_CATEGORIES else MOST_CATEGORIES - 1
    kinds = [kind for kind, _ in counts.most_common(most)]
    number = {kind: float(place) for place, kind in enumerate(kinds)}
    other = float(len(kinds))
    values = np.array([number.get(value, other) if value else np.nan for value in of_points])
    if len(counts) > len(kinds):
        kinds.append(f"{OTHERS} ({len(counts) - len(kinds):,} kinds)")
    return Shade(column, values, 0.0, float(max(1, len(kinds) - 1)), categories=tuple(kinds))


def _scaled(name: str, values: Doubles, low: float | None = None) -> Shade:
    """Return a shade whose ends nearly all values lie between; numbers of both signs meet at 0."""
    finite = values[np.isfinite(values)]
    ends = np.percentile(finite, _ENDS).tolist()
    first, last = (ends[0] if low is None else low), ends[1]
    if first < 0 < last and low is None:
        last = max(-first, last)
        return Shade(name, values, -last, last, 0.0)
    if not last > first:
        last = first + (abs(first) or 1.0)
    return Shade(name, values, first, last)
