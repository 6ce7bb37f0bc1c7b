"""The command line: the Typer app, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import difflib
import os
import re
import sys
from typing import Annotated

import typer

from embedinspect import __version__
from embedinspect.errors import DATA, INTERRUPTED, OK, USAGE, EmbedInspectError

app = typer.Typer(
    help="Inspect embeddings: what an Embedding layer does, shown on your own texts.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Try: embedinspect show "This is a text" "This is not a text"',
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"embedinspect {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Inspect embeddings: what an Embedding layer does, shown on your own texts."""
    if context.invoked_subcommand is None:
        help_text = context.get_help()
        if help_text:
            typer.echo(help_text)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    A mistake of the user's becomes one line on stderr; a mistake of ours keeps its traceback.
    """
    try:
        code = app(arguments, prog_name="embedinspect", standalone_mode=False)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        return code if isinstance(code, int) else OK
    except typer.TyperException as error:
        _say(_with_hint(error.format_message()))
        return USAGE
    except EmbedInspectError as error:
        _say(str(error))
        return error.exit_code
    except MemoryError as error:
        _say(f"not enough memory ({error}); expected less input at a time")
        return DATA
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone. What is still buffered has nowhere to go either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def _say(message: str) -> None:
    from embedinspect.texts import literal

    line = literal(" ".join(message.split("\n")))
    print(f"Error: {line}", file=sys.stderr)  # noqa: T201 (the one place for errors)


def _with_hint(message: str) -> str:
    """Add the closest choice to a message that lists choices; Typer does so for names only."""
    found = re.search(r": '([^']*)' is not one of (.*)\.$", message)
    if found:
        close = difflib.get_close_matches(found[1], re.findall(r"'([^']*)'", found[2]), n=1)
        if close:
            return f"{message} Did you mean {close[0]!r}?"
    return message


def _register() -> None:
    from embedinspect.commands import schema, show

    app.command()(show.show)
    app.command()(schema.schema)


_register()
