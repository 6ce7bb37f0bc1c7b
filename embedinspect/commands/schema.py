"""`embedinspect schema`: the JSON Schema of a command's JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

FOLDER = Path(__file__).parent.parent / "output" / "schemas"


def schema(
    command: Annotated[
        Literal[
            "show",
            "train",
            "explain",
            "doctor",
            "info",
            "rows",
            "neighbors",
            "axis",
            "diff",
            "coverage",
            "export",
            "cache",
        ],
        typer.Argument(help="The command whose JSON is described."),
    ],
) -> None:
    """Print the JSON Schema of what a command's --json gives.

    A line of ndjson is described by the schema's part for one element.

    Example: embedinspect schema show > show.schema.json
    """
    from embedinspect.output.stdout import write_utf8

    write_utf8([(FOLDER / f"{command}.json").read_text(encoding="utf-8")])
