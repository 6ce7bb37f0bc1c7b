"""Commands to go on with, as they can be typed: for the very source that was asked about."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import islice

from embedinspect.analysis.health import Health
from embedinspect.analysis.hubs import K
from embedinspect.held_sources import held_at
from embedinspect.page import Fact
from embedinspect.source import Source

_MOST = 4
LESSON = "what these numbers mean: embedinspect explain isotropy"
# Of the words that the sample of analogies asks for: a source that has these knows the most of it.
_OF_ANALOGIES = ("man", "woman", "king", "queen")

Suggestion = tuple[str, Sequence[str]]


def command_line(*words: str) -> str:
    """Return a call of this program as a shell takes it.

    >>> command_line("info", "my vectors.txt")
    "embedinspect info 'my vectors.txt'"
    """
    return f"embedinspect {shlex.join(words)}"


def after_info(
    source: Source, health: Health, options: Sequence[str], *, hubs: bool = False
) -> list[Fact]:
    """Return what answers the questions that `info` leaves: at most four commands, and a lesson.

    There are none for rows that came from Python, which no command can open.

    Args:
        options: with which the source was opened, as they are typed.
        hubs: whether hubs were told.
    """
    if held_at(source.path) is not None:
        return []
    path = f"./{source.path}" if source.path.startswith("-") else source.path  # or it is an option
    commands = (
        f"{reason}: {command_line(name, path, *options, *rest)}"
        for reason, (name, *rest) in _of_rows(source, health, hubs=hubs)
    )
    some = [*islice(commands, _MOST), *([] if health.participation_ratio is None else [LESSON])]
    return [Fact("" if place else "next", command) for place, command in enumerate(some)]


def _of_rows(source: Source, health: Health, *, hubs: bool) -> Iterator[Suggestion]:
    """Yield what to ask, each with the command and its own options, what is odd first."""
    if len(health.nan_rows) or len(health.infinite_rows):
        yield "what is wrong", ["doctor"]
    if len(health.far_rows):
        yield "the rows unlike the others", ["rows", "--sort", "outlier"]
    if len(health.duplicate_rows):
        yield "what is there twice, or nearly", ["duplicates"]
    if health.unmoved_rows is not None:
        yield "what training moved farthest", ["rows", "--sort", "moved"]
    if health.participation_ratio is None:
        return  # nothing varies, or it cannot be known
    if not len(health.far_rows) and health.norms is not None:
        norms = health.norms
        shortest = norms.median - norms.smallest > norms.largest - norms.median
        end, order = ("shortest", "norm") if shortest else ("longest", "-norm")
        yield f"the {end} rows", ["rows", "--sort", order]
    yield "where the rows lie", ["map"]
    words = source.words
    known = words is not None and all(words.row_of(word) is not None for word in _OF_ANALOGIES)
    if known and source.run is None:
        yield "whether it is any good", ["evaluate", "sample:analogies"]
    if not hubs and len(health.histogram_rows) - len(health.zero_rows) >= K + 2:
        yield "rows that are near everything", ["info", "--hubs"]
