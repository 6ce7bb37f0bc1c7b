"""A command called from Python: with values by their names, where a shell gives strings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from typing import Any

import typer

from embedinspect.commands.parsing import message_of
from embedinspect.commands.registry import Commands
from embedinspect.errors import UsageError

_COMMANDS = Commands()


def parameters(command: str) -> dict[str, Any]:
    """Return the parameters of a command by the names that they have in Python."""
    return {parameter.name: parameter for parameter in _COMMANDS[command].params}


def call(command: str, values: Mapping[str, Any]) -> None:
    """Run a command; its values are checked as those of a command line are.

    A value that is None, empty, or the default was not given. No value is taken for an option,
    whatever it begins with.

    Raises:
        UsageError: a value that the command does not take; and whatever else the command raises.
    """
    known = parameters(command)
    given = {
        name: _plain(value, known[name])
        for name, value in values.items()
        if _is_given(value, known[name].default)
    }
    parser = _COMMANDS[command]
    context = parser.context_class(parser, info_name=command)
    try:
        with context:
            for parameter in known.values():
                parameter.handle_parse_result(context, given, [])
            parser.invoke(context)
    except typer.Exit:  # its code says what the answer says, too
        pass
    except typer.TyperException as error:
        raise UsageError(message_of(error)) from None


def _is_given(value: Any, default: Any) -> bool:
    if value is None or (isinstance(value, list | tuple) and not value):
        return False
    return type(value) is not type(default) or bool(value != default)


def _plain(value: Any, parameter: Any) -> Any:
    """Return a value as Typer takes it: one string of many as a list, a path as its string.

    Raises:
        UsageError: something else than strings where these are wanted.
    """
    if parameter.multiple or parameter.nargs == -1:
        return strings(value, parameter.name)
    if isinstance(value, PathLike):
        return fspath(value)
    return value.item() if hasattr(value, "item") else value  # a number of NumPy


def strings(value: str | PathLike[str] | Iterable[Any], name: str) -> list[str]:
    """Return one string, or each of several, as a list.

    Raises:
        UsageError: one of them is no string.

    >>> strings("king", "words"), strings(("king", "queen"), "words")
    (['king'], ['king', 'queen'])
    """
    if isinstance(value, str | PathLike):
        return [fspath(value)]
    if not isinstance(value, Iterable):
        raise UsageError(f"{name} is {value!r}; expected a string, or several")
    items = list(value)
    for item in items:
        if not isinstance(item, str | PathLike):
            raise UsageError(f"{name} has {item!r}; expected strings")
    return [fspath(item) for item in items]
