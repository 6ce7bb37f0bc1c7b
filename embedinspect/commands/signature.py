"""From a command's parameters to what Typer reads: groups of options laid out flat."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, Literal, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from embedinspect.commands import options as option
from embedinspect.commands.groups import NO_OPTION, FormGroup, StdoutGroup
from embedinspect.output.forms import DESCRIPTIONS, Form

_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def flattened(command: Callable[..., None], forms: Sequence[Form]) -> Callable[..., None]:
    """Return a command that has the fields of its option groups as parameters of its own.

    Arguments come first, those of groups before the command's own, then the options by their
    panels. Typer reads the signature of what is returned.

    Args:
        forms: that the command can give: the choices of --format.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {}
    own: list[inspect.Parameter] = []
    grouped: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        annotation = hints[parameter.name]
        if is_dataclass(annotation):
            groups[parameter.name] = annotation
            grouped += _parameters(annotation, forms)
        else:
            own.append(parameter.replace(annotation=annotation, kind=_KEYWORD))

    def run(**values: Any) -> None:
        given = {"forms": forms, "inputs": list(_texts(values))}
        for name, group in groups.items():
            options = {field.name: values.pop(field.name) for field in _options(group)}
            values[name] = group(**options, **(given if group is FormGroup else {}))
        command(**values)

    arguments = [parameter for parameter in grouped if not _rank(parameter)]
    options = [parameter for parameter in grouped if _rank(parameter)]
    parameters = sorted([*arguments, *own, *options], key=_rank)
    run.__name__, run.__doc__ = command.__name__, unwrapped(command.__doc__ or "")
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _parameters(group: Any, forms: Sequence[Form]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    parameters = []
    for field in _options(group):
        annotation = hints[field.name]
        if issubclass(group, StdoutGroup) and field.name == "format_name":
            annotation = _format_option(forms)
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        if annotation in (
            option.SourcePath,
            option.ClassifierPath,
        ):  # a dataclass wants defaults after defaults
            default = inspect.Parameter.empty
        parameters.append(
            inspect.Parameter(field.name, _KEYWORD, default=default, annotation=annotation)
        )
    return parameters


def _options(group: Any) -> list[Field[Any]]:
    return [field for field in fields(group) if field.metadata != NO_OPTION]


def _texts(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts on the command line but for --output: paths are among them."""
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and name != "output":
                yield one


def _format_option(forms: Sequence[Form]) -> Any:
    names = tuple(str(form) for form in forms)
    described = ", ".join(f"{DESCRIPTIONS[form]} ({form})" for form in forms)
    return Annotated[
        Literal[names] | None,
        option.option(
            option.OUTPUT,
            f"How the answer is written: {described}.",
            "--format",
            "-f",
            metavar="FORM",
            show_default="table",
        ),
    ]


def _rank(parameter: inspect.Parameter) -> int:
    """Return where a parameter stands: arguments first, then the options by their panels."""
    for info in getattr(parameter.annotation, "__metadata__", ()):
        if isinstance(info, ArgumentInfo):
            return 0
        if isinstance(info, OptionInfo):
            return 1 + option.PANELS.index(str(info.rich_help_panel))
    return 0  # the context


def unwrapped(text: str) -> str:
    """Return a docstring with each paragraph on one line, but for those that begin with \\b."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        part if part.startswith("\b") else " ".join(part.split("\n")) for part in paragraphs
    )


def given(context: typer.Context) -> dict[str, Any]:
    """Return what was given on the command line, by the options' long names."""
    values = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if source is not None and not source.name.startswith("DEFAULT"):
            name = next((name for name in parameter.opts if name.startswith("--")), parameter.name)
            values[name] = context.params[parameter.name]
    return values
