"""A source that is open in Python, and how it is asked what a command answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from embedinspect.commands.calling import strings
from embedinspect.held_sources import Held
from embedinspect.notebook.arguments import SOURCE_NAMES, reading_of
from embedinspect.notebook.asking import ask, taken
from embedinspect.notebook.result import Result
from embedinspect.source import Source, SourceOptions


class Opened:
    """A source that is kept open, so that a question to it reads nothing again.

    Attributes:
        source: the matrix with its words, and all that is known of where it comes from.
    """

    def __init__(self, source: Source, options: SourceOptions | None, told: Sequence[str]) -> None:
        """Keep what was opened.

        Args:
            options: it was opened with; None where there is no file to open anew.
            told: notes that were told when it was opened.
        """
        self.source = source
        self._options = options
        self._told = tuple(told)

    def __repr__(self) -> str:
        shape = f"({self.source.matrix.input_dim}, {self.source.matrix.output_dim})"
        return f"<embedinspect {self.source.kind} {self.source.path!r} {shape}>"

    def _ask(self, command: str, arguments: Mapping[str, Any], held: Held | None = None) -> Result:
        """Return what a command answers to arguments by their names, words or texts and more."""
        named = {name: value for name, value in arguments.items() if name not in {"self", "more"}}
        if arguments.get("more"):
            first = "texts" if "texts" in named else "words"
            named[first] = [*strings(named[first], first), *arguments["more"]]
        path, options = self.source.path, self._options
        reading = reading_of(options or SourceOptions())
        if command == "doctor":  # its vocabulary goes by a name of its own
            reading.pop("index_from")
        asked = {SOURCE_NAMES.get(command, "path"): path, **taken(command, reading), **named}
        return ask(command, asked, {(path, options): self.source, **(held or {})}, self._told)
