"""What the commands that ask a source share: opening it, and printing the answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from embedinspect.commands.options import Format
from embedinspect.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from embedinspect.opening import Source
    from embedinspect.output.answers import Document
    from embedinspect.output.screen import Screen

_MOST_SAID = 5


def form_of(format_name: Format | None, json: bool) -> Format:
    """Return how to print.

    Raises:
        UsageError: --json and another --format.
    """
    if json and format_name not in {None, "json"}:
        raise UsageError(f"--json and --format {format_name} contradict; leave out one of the two")
    return "json" if json else format_name or "table"


def open_for(
    path: str,
    *,
    epoch: int | None = None,
    layer: str | None = None,
    tensor: str | None = None,
    vocabulary: str | None = None,
    index_from: int | None = None,
    strict: bool = False,
    no_cache: bool = False,
) -> Source:
    """Return the source at a path; what is odd about it is said on stderr."""
    from embedinspect.opening import SourceOptions, open_source
    from embedinspect.output.stdout import waiting

    options = SourceOptions(epoch, layer, tensor, vocabulary, index_from, strict, not no_cache)
    with waiting(f"Reading {path}"):
        source = open_source(path, options)
    for warning in source.warnings:
        note(f"Warning: {warning}")
    problems = source.problems
    if problems.total:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in problems.counts.items())
        note(f"Warning: {path} has {problems.total:,} problems ({counts}):")
        for message in problems.first[:_MOST_SAID]:
            note(f"  {message}")
        if problems.total > _MOST_SAID:
            note(f"  and {problems.total - _MOST_SAID:,} more; --strict stops at the first")
    if source.kept is not None:
        note(
            f"kept for the next time in {source.kept} (embedinspect cache shows and clears it, "
            "--no-cache leaves it out)"
        )
    return source


def note(message: str) -> None:
    """Write one line to stderr."""
    from embedinspect.texts import literal

    if sys.stderr is not None:
        sys.stderr.write(literal(message) + "\n")


def answer(
    form: Format, document: Callable[[], Document], draw: Callable[[Screen], Iterable[Text]]
) -> None:
    """Print an answer as a table, or as a document for programs."""
    if form == "table":
        from embedinspect.output.screen import open_screen

        screen = open_screen()
        for line in draw(screen):
            screen.line(line)
        return
    from embedinspect.output.answers import write
    from embedinspect.output.stdout import write_utf8

    write_utf8(write(document(), form))
