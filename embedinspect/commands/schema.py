"""`embedinspect schema`: the JSON Schema of a command's JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embedinspect.errors import UsageError

FOLDER = Path(__file__).parent.parent / "output" / "schemas"


def schema(
    command: Annotated[
        str | None,
        typer.Argument(metavar="COMMAND", help="Command whose JSON is described."),
    ] = None,
) -> None:
    """Print the JSON Schema of what a command's --json gives.

    A line of ndjson is described by the schema's part for one element.

    \b
    Examples:
    embedinspect schema show > show.schema.json
    """
    import difflib

    from embedinspect.commands.table import COMMANDS
    from embedinspect.output.forms import Form
    from embedinspect.output.stdout import write_utf8

    names = [entry.name for entry in COMMANDS if Form.JSON in entry.forms]
    if command not in names:
        close = difflib.get_close_matches(command or "", names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        came = "no command given" if command is None else f"{command!r} has no JSON"
        raise UsageError(f"{came}; expected one of {', '.join(names)}{hint}")
    write_utf8([(FOLDER / f"{command}.json").read_text(encoding="utf-8")])
