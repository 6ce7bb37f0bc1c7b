"""The table of `why`: a line for each token, with all readings of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from embedinspect.analysis.why.records import (
    Explanation,
    ReadToken,
    SortName,
    Steps,
    Why,
    by_effect,
)
from embedinspect.output.labels import LONGEST_WORD
from embedinspect.output.why.sentences import answer
from embedinspect.page import Column, Meaning, Reading, Table
from embedinspect.wording import clipped_repr, plural

MOST_ROWS = 30
# What stands out in a column: a change of the probability, a share of all that was attributed.
_GREAT_CHANGE, _GREAT_SHARE = 0.1, 0.1
_LONGEST_TITLE = 80


@dataclass(frozen=True)
class _Row:
    """A line of the table: a token, or what stands for several positions."""

    name: str
    position: int | None = None
    probability: float | None = None
    change: float | None = None
    removed: float | None = None
    unknown: float | None = None
    attribution: float | None = None


def reading(
    explanation: Explanation, number: int, sort: SortName | None, *, full: bool
) -> Reading | Table:
    """Return a text as a picture of its steps; as a table alone where there are none."""
    why = explanation.whys[number]
    several = f", text {number}" if len(explanation.whys) > 1 else ""
    text = clipped_repr(why.text, _LONGEST_TITLE) if why.text.strip() else "an empty text"
    title = f"Probability of {why.asked}{several}: {text}"
    table = _table(explanation, why, title, sort, full=full)
    if why.steps is None:
        return table
    rows = [_start(why, why.steps), *map(_row, why.read), *_end(why, why.steps)]
    return Reading(
        title=title,
        tokens=[row.name for row in rows],
        probabilities=[row.probability or 0.0 for row in rows],
        changes=[row.change or 0.0 for row in rows],
        outcome=answer(why),
        table=table,
    )


def _table(
    explanation: Explanation, why: Why, title: str, sort: SortName | None, *, full: bool
) -> Table:
    rows = list(_rows(explanation, why, sort, full=full))
    columns = [
        Column("position", [row.position for row in rows], "id", optional=True),
        Column("token", [row.name for row in rows], most=LONGEST_WORD),
    ]
    if why.steps is not None:
        chances = [row.probability for row in rows]
        changes = [row.change for row in rows]
        columns += [
            Column("0 to 1", chances, "lean"),
            Column("probability", chances, "number", decimals=3),
            Column("change", changes, "number", decimals=3, signed=True,
                   meanings=_standing_out(changes, _GREAT_CHANGE)),
        ]  # fmt: skip
    if why.without is not None:
        without = [row.removed for row in rows]
        columns.append(Column("without it", without, "number", decimals=3, optional=True))
        if explanation.unknown is not None:
            unknown = [row.unknown for row in rows]
            columns.append(Column("as unknown", unknown, "number", decimals=3, optional=True))
    if why.attributions is not None:
        shares = [row.attribution for row in rows]
        whole = sum(abs(token.attribution or 0.0) for token in why.read)
        meanings = _standing_out(shares, max(_GREAT_SHARE * whole, 1e-6))
        columns.append(
            Column("attribution", shares, "number", decimals=3, signed=True, meanings=meanings)
        )
    return Table(title, columns)


def _standing_out(values: Sequence[float | None], great: float) -> list[Meaning]:
    return ["notable" if value is not None and abs(value) >= great else "plain" for value in values]


def shown(explanation: Explanation, why: Why, sort: SortName | None, *, full: bool) -> list[int]:
    """Return the places of the tokens to show, in the order in which they are shown."""
    order = by_effect(why, sort or explanation.matter_by)
    kept = order if full or len(order) <= MOST_ROWS else order[:MOST_ROWS]
    return list(kept) if sort is not None else sorted(kept)


def _rows(
    explanation: Explanation, why: Why, sort: SortName | None, *, full: bool
) -> Iterator[_Row]:
    """Yield the lines of the table; the attributions in it add up."""
    if why.steps is not None:
        yield _start(why, why.steps)
    read = why.read
    places = shown(explanation, why, sort, full=full)
    yield from (_row(read[place]) for place in places)
    others = [read[place] for place in sorted(set(range(len(read))) - set(places))]
    if others:
        share = None
        if why.attributions is not None:
            share = sum(token.attribution or 0.0 for token in others)
        yield _Row(f"({plural(len(others), 'other')})", attribution=share)
    if why.steps is not None:
        yield from _end(why, why.steps)
    given = why.attributions
    if given is not None and given.padding and not _has_padding_row(why):
        yield _Row("(padding)", attribution=given.padding)


def _has_padding_row(why: Why) -> bool:
    steps = why.steps
    return steps is not None and bool(steps.padding_before or steps.padding_behind)


def _row(token: ReadToken) -> _Row:
    return _Row(
        token.token,
        token.position,
        token.probability,
        token.change,
        token.removed,
        token.unknown,
        token.attribution,
    )


def _start(why: Why, steps: Steps) -> _Row:
    """Return the line of what comes before the first token."""
    if not steps.padding_before:
        return _Row("(start)", probability=steps.start)
    share = None if why.attributions is None else why.attributions.padding
    place = steps.padding_before - 1
    return _Row("(padding)", place, steps.start, attribution=share)


def _end(why: Why, steps: Steps) -> Iterator[_Row]:
    """Yield the line of the padding behind the last token, where the model reads some."""
    if steps.end is not None:
        read = why.read
        before = (read[-1].probability or 0.0) if read else steps.start
        share = None if why.attributions is None else why.attributions.padding
        yield _Row("(padding)", why.positions - 1, steps.end, steps.end - before, attribution=share)
