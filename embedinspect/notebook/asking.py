"""How a question in Python becomes that of a command, and its answer a value."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from embedinspect.commands.calling import call, parameters
from embedinspect.errors import EmbedInspectError
from embedinspect.held_sources import Held, holding
from embedinspect.notebook.result import Result
from embedinspect.output.forms import captured
from embedinspect.output.notes import hearing

_PACKAGE = str(Path(__file__).parents[1])
_WARNING = "Warning: "
# Parameters that have the opposite sense on the command line.
_TURNED = {"keras": "no_keras", "cache": "no_cache"}


class EmbedInspectWarning(UserWarning):
    """Something odd about a source, which the command says on stderr."""


def ask(
    command: str, arguments: Mapping[str, Any], held: Held | None = None, told: Iterable[str] = ()
) -> Result:
    """Return what a command answers.

    What it would say on stderr is among the notes of the result; warnings are Python's warnings.

    Args:
        arguments: by the names that they have in Python; None for those that are not given.
        held: sources that are open already.
        told: notes that were told before.

    Raises:
        EmbedInspectError: what the command raises.
    """
    with hearing() as heard, holding(held or {}):
        try:
            answer = captured(lambda: call(command, _named(arguments)))
            told = set(told)
            notes = [note for note in whole(heard) if note not in told]
            result = Result(answer, [note for note in notes if not note.startswith(_WARNING)])
        except EmbedInspectError as error:
            # The way through the command line is of no interest to the caller.
            raise error.with_traceback(None) from None
    warn(notes)
    return result


def _named(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments by the names that they have on the command line."""
    return {
        _TURNED.get(name, name): not value if name in _TURNED and value is not None else value
        for name, value in arguments.items()
        if name != "self"
    }


def taken(command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some arguments that a command has."""
    names = parameters(command)
    return {name: value for name, value in arguments.items() if _TURNED.get(name, name) in names}


def whole(notes: Iterable[str]) -> list[str]:
    """Return notes with the lines that belong to one together; they begin with spaces."""
    together: list[str] = []
    for note in notes:
        if note.startswith("  ") and together:
            together[-1] += f"\n{note}"
        else:
            together.append(note)
    return together


def warn(notes: Iterable[str]) -> None:
    """Pass the warnings among notes on to Python, as if they came from the caller's own line."""
    for note in notes:
        if note.startswith(_WARNING):
            text = note.removeprefix(_WARNING)
            warnings.warn(text, EmbedInspectWarning, stacklevel=_caller())


def _caller() -> int:
    """Return how far up the stack the first frame outside this package is, seen from `warn`."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    return level
