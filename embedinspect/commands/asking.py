"""What the commands that ask a source share: its options, opening it, and printing the answer."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embedinspect.commands import options as option
from embedinspect.commands.options import Format
from embedinspect.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from embedinspect.output.document import Document
    from embedinspect.output.screen import Screen
    from embedinspect.source import Source

_MOST_SAID = 5
# The options of every command that asks one source: name, annotation, default.
_OF_A_SOURCE: tuple[tuple[str, Any, Any], ...] = (
    ("epoch", option.SourceEpoch, None),
    ("layer", option.Layer, None),
    ("tensor", option.Tensor, None),
    ("vocabulary", option.SourceWords, None),
    ("index_from", option.IndexFrom, None),
    ("strict", option.Strict, False),
    ("no_cache", option.NoCache, False),
    ("format_name", option.FormatName, None),
    ("json", option.Json, False),
)


@dataclass(frozen=True)
class Asked:
    """What was asked of a source on the command line.

    Attributes:
        path: of the source.
        options: of the source, as `open_for` takes them.
        format_name: how to print, where it was said.
        json: whether --json was given.
    """

    path: str
    options: dict[str, Any]
    format_name: Format | None
    json: bool

    def form(self, otherwise: Format = "table") -> Format:
        """Return how to print; `otherwise` where nothing was said."""
        return form_of(self.format_name or (None if self.json else otherwise), self.json)

    def open(self) -> Source:
        """Return the source; what is odd about it is said on stderr."""
        return open_for(self.path, **self.options)


def of_a_source(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the argument SOURCE and all options of a source, in one place.

    The command takes an `Asked` as its first parameter in their stead. Typer reads the signature of
    a command, so what is returned has one with all of them.
    """

    def asking(source: str, **given: Any) -> None:
        of_source = {name: given.pop(name) for name, _, _ in _OF_A_SOURCE}
        form = {name: of_source.pop(name) for name in ("format_name", "json")}
        command(Asked(source, of_source, **form), **given)

    first, *own = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [
        first.replace(name="source", annotation=option.SourcePath),
        *own,
        *(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value, annotation=kind)
            for name, kind, value in _OF_A_SOURCE
        ),
    ]
    asking.__name__, asking.__doc__ = command.__name__, command.__doc__
    asking.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    asking.__annotations__ = {one.name: one.annotation for one in parameters}
    return asking


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
    from embedinspect.output.stdout import waiting
    from embedinspect.source import SourceOptions, open_source

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
    from embedinspect.wording import literal

    if sys.stderr is not None:
        sys.stderr.write(literal(message) + "\n")


def note_files(texts: Sequence[str], *, option: bool = True) -> None:
    """Say on stderr of each text that names a file that it is a text here."""
    from embedinspect.wording import clipped_repr

    for text in texts:
        if os.path.isfile(text):
            instead = f"; to read the file: --file {text}" if option else ", not read as a file"
            note(f"Note: {clipped_repr(text)} is taken as a text{instead}")


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
    from embedinspect.output.document import write
    from embedinspect.output.stdout import write_utf8

    write_utf8(write(document(), form))
