"""`embedinspect help`: the help of a command, by its name."""

from __future__ import annotations

from typing import Annotated

import typer


def help_(
    context: typer.Context,
    command: Annotated[
        str | None, typer.Argument(metavar="COMMAND", help="Command to explain.")
    ] = None,
) -> None:
    """Print the help of a command, as COMMAND --help does.

    \b
    Examples:
    embedinspect help show
    """
    parent = context.parent
    assert parent is not None
    if command is None:
        typer.echo(parent.get_help(), nl=False)
        return
    name, found, _ = parent.command.resolve_command(parent, [command])  # type: ignore[attr-defined]
    with found.make_context(name, [], parent=parent, resilient_parsing=True) as own:
        typer.echo(own.get_help(), nl=False)
