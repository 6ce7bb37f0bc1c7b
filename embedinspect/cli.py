"""The command line: the Typer app, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import difflib
import errno
import os
import re
import sys
from itertools import pairwise
from typing import Annotated

import typer

from embedinspect import __version__
from embedinspect.errors import DATA, INTERRUPTED, OK, USAGE, EmbedInspectError, os_reason

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
        _say(_mended(error, sys.argv[1:] if arguments is None else arguments))
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
        _forget_stdout()
        return OK
    except SystemExit as end:
        # Typer and rich turn a closed pipe into this, with 1; completion ends with 0.
        _forget_stdout()
        return OK if end.code in {None, 0, 1} else USAGE
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF}:
            raise
        _forget_stdout()
        _say(f"cannot write the output: {os_reason(error)}; expected a place with room for it")
        return DATA


def _forget_stdout() -> None:
    """Let what is still buffered go nowhere: its reader has gone, or its disk is full."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _say(message: str) -> None:
    from embedinspect.wording import literal

    line = literal(" ".join(message.split("\n")))
    print(f"Error: {line}", file=sys.stderr)  # noqa: T201 (the one place for errors)


def _mended(error: typer.TyperException, arguments: list[str]) -> str:
    """Return the message of a usage error: what came, what was expected, the closest choice."""
    message = error.format_message()
    found = re.search(r"'([^']*)' is not one of (.*)\.$", message)
    if found:
        option = message.split(":")[0].removeprefix("Invalid value for ").strip("'")
        choices = re.findall(r"'([^']*)'", found[2])
        close = difflib.get_close_matches(found[1], choices, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"{option} is {found[1]!r}; expected one of {', '.join(choices)}{hint}"
    found = re.search(r"Invalid value for '([^' ]*)'.*: Input should be (.*)$", message)
    if found:
        return f"{found[1]}{_given(found[1], arguments)}; expected {found[2]}"
    found = re.match(r"No such command '(.*)'\.$", message)
    if found and (topic := _topic_of(found[1])):
        return f"there is no command {found[1]!r}; did you mean: embedinspect explain {topic}?"
    if re.match(r"No such option: \S+ (?!\(Possible)", message):
        return f"{message}; a text that starts with a dash goes behind --"
    return message


def _topic_of(name: str) -> str | None:
    """Return the topic of `explain` that a name leads to, if any."""
    from embedinspect import lessons

    try:
        return lessons.find(name).name
    except EmbedInspectError:
        return None


def _given(option: str, arguments: list[str]) -> str:
    """Return ` is '...'` with what was given for the option, where it can be found."""
    for argument, after in pairwise([*arguments, ""]):
        if argument == option:
            return f" is {after!r}"
        if argument.startswith(f"{option}="):
            return f" is {argument.removeprefix(option + '=')!r}"
    return ""


def _register() -> None:
    from embedinspect.commands import (
        axis,
        cache,
        coverage,
        diff,
        doctor,
        explain,
        export,
        info,
        neighbors,
        rows,
        schema,
        show,
        train,
    )

    for command in (
        show.show,
        train.train,
        explain.explain,
        doctor.doctor,
        info.info,
        rows.rows,
        neighbors.neighbors,
        axis.axis,
        diff.diff,
        coverage.coverage,
        export.export,
        cache.cache,
        schema.schema,
    ):
        app.command(cls=axis.Ends if command is axis.axis else None)(command)


_register()
