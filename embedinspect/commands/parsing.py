"""How arguments are read, how help looks, and what is said of mistakes in them."""

from __future__ import annotations

import os
from typing import Any

import typer
from typer.core import TyperCommand

from embedinspect.errors import UsageError

HELP_NAMES = ("-h", "--help")
_WITH_TEXTS = {"show", "help"}  # whose first argument may be any word
_LONGEST_CHOICES = 16
_BOUNDS = {
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "at most {le}",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
}


class CommandParser(TyperCommand):
    """A command whose --help stands last and small, and which says what it cannot take."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.allow_extra_args = True  # so that they can be named by `parse_args`
        self.epilog = self.epilog or f"{', '.join(HELP_NAMES)}: show this help."

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, --help among them but hidden: the epilog names it."""
        return _tidied(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line: SOURCE is needed, [WORD]... are not."""
        pieces, needed = [self.options_metavar or ""], []
        for parameter in self.get_params(ctx):
            if parameter.param_type_name == "argument":
                name = parameter.display_name_raw
                pieces.append(name if parameter.required else f"[{name}]")
                pieces[-1] += "..." if parameter.nargs != 1 else ""
            elif parameter.required:
                needed.append(f"{parameter.opts[0]} {parameter.metavar}")
        return [*pieces, *needed]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left, which are none.

        Raises:
            UsageError: there are some.
        """
        if args == ["help"] and self.name not in _WITH_TEXTS and not os.path.exists("help"):
            raise UsageError(
                f"'help' stands before the command; expected: embedinspect help {self.name}"
            )
        extra = super().parse_args(ctx, args)
        if extra and not ctx.resilient_parsing:
            options = {name for parameter in self.params for name in parameter.opts}
            hint = f"; did you mean --{extra[0]}?" if f"--{extra[0]}" in options else ""
            raise UsageError(
                f"{self.name} takes no further argument, but got {' '.join(map(repr, extra))}; "
                f"expected: {usage(ctx)}{hint}"
            )
        return extra


def _tidied(parameters: list[Any]) -> list[Any]:
    """Hide --help, and the names of Python's types beside the names of arguments.

    Choices stand in short lines: in one line they would be broken anywhere on a narrow screen.
    """
    for parameter in parameters:
        if parameter.type_descriptor.is_choice and parameter.metavar is None:
            choices = _in_lines([str(choice) for choice in parameter.type_descriptor.choices])
            parameter.display_type_rich = lambda ctx, choices=choices: choices
        if set(parameter.opts) == set(HELP_NAMES):
            parameter.hidden = True
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None
    return parameters


def _in_lines(choices: list[str]) -> str:
    """Return choices as the help shows them, with a new line before each that would be too long.

    >>> print(_in_lines(["pca", "pacmap", "umap", "tsne"]))
    <pca|pacmap|
    umap|tsne>
    """
    lines, last = [], "<"
    for number, choice in enumerate(choices, 1):
        piece = choice + (">" if number == len(choices) else "|")
        if len(last) > 1 and len(last) + len(piece) > _LONGEST_CHOICES:
            lines.append(last)
            last = ""
        last += piece
    return "\n".join([*lines, last])


def usage(context: Any) -> str:
    """Return how a command is used, in one line."""
    return " ".join(context.get_usage().removeprefix("Usage:").split())


def message_of(error: typer.TyperException) -> str:
    """Return what is said of a usage error: what came, what was expected, the closest choice."""
    from typer._click import exceptions

    match error:
        case exceptions.MissingParameter():
            return _missing(error)
        case exceptions.BadParameter():
            return _bad_value(error)
        case exceptions.NoSuchOption():
            return _no_such_option(error)
        case exceptions.BadOptionUsage():
            return f"{error.option_name} has no value; expected one behind it"
    return error.format_message()


def _missing(error: Any) -> str:
    name = error.param.display_name_raw if error.param is not None else "an argument"
    if error.param is not None and error.param.param_type_name == "option":
        name = error.param.opts[0]
    return f"{name} is missing; expected: {usage(error.ctx)}"


def _bad_value(error: Any) -> str:
    """Return what is wrong with the value of an option or argument.

    Typer checks values with pydantic, whose error is the cause of its own.
    """
    import difflib

    problems = error.__cause__.errors() if hasattr(error.__cause__, "errors") else []
    if error.param is None or not problems:
        return str(error.format_message())
    problem, parameter = problems[0], error.param
    is_option = parameter.param_type_name == "option"
    name = max(parameter.opts, key=len) if is_option else parameter.display_name_raw
    value = problem["input"]
    choices = parameter.type_descriptor.choices
    if choices is not None:
        names = [str(choice) for choice in choices]
        close = difflib.get_close_matches(str(value), names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"{name} is {value!r}; expected one of {', '.join(names)}{hint}"
    bounds = _BOUNDS.get(problem["type"])
    expected = problem["msg"] if bounds is None else bounds.format(**problem.get("ctx", {}))
    return f"{name} is {value!r}; expected {expected}"


def _no_such_option(error: Any) -> str:
    from embedinspect.commands.meant import no_such_option

    options, otherwise = error.possibilities or [], "a text that starts with a dash goes behind --"
    if error.ctx is not None:
        parameters = error.ctx.command.params
        options = [name for parameter in parameters for name in parameter.opts]
        if not any(parameter.name in {"texts", "words"} for parameter in parameters):
            otherwise = f"expected: {usage(error.ctx)}"
    return no_such_option(error.option_name, options, otherwise)
