"""The command line: the Typer app, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import typer

from embedinspect import __version__
from embedinspect.commands.parsing import HELP_NAMES, message_of
from embedinspect.commands.registry import GroupParser
from embedinspect.errors import (
    DATA,
    FOUND,
    INTERRUPTED,
    OK,
    USAGE,
    EmbedInspectError,
    UsageError,
    os_reason,
)

app = typer.Typer(
    cls=GroupParser,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": list(HELP_NAMES)},
    epilog="embedinspect help COMMAND shows how a command is used. Options: -V, --version; "
    "--install-completion, --show-completion; -h, --help.",
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
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """See what an embedding layer does, and what is inside the embeddings you have."""
    if context.invoked_subcommand is None:
        from embedinspect.commands.start import start_page
        from embedinspect.output.terminal import print_page

        print_page(start_page())


def run(arguments: list[str] | None = None) -> int:
    """Run the command line, write out what is buffered, and return the exit code.

    A mistake of the user's becomes one line on stderr; a mistake of ours keeps its traceback.
    """
    try:
        code = _guarded(lambda: _run_app(arguments))
        if code in {OK, FOUND}:
            code = _guarded(_write_out) or code
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                with suppress(OSError):  # it is an error already, and nowhere else to say it
                    stream.flush()
    return code


def _run_app(arguments: list[str] | None) -> int:
    _check_completion()
    code = app(arguments, prog_name="embedinspect", standalone_mode=False)
    return code if isinstance(code, int) else OK


def _guarded(work: Callable[[], int]) -> int:
    """Return the exit code of some work: its own, or that of the error it ended with."""
    try:
        return work()
    except typer.TyperException as error:
        _say(message_of(error))
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


def _check_completion() -> None:
    """Find out whether the shell gave what Typer completes a command line from.

    Raises:
        UsageError: it did not, so this is no shell that asks.
    """
    if os.environ.get("_EMBEDINSPECT_COMPLETE") != "complete_bash":
        return
    if "COMP_WORDS" not in os.environ or not os.environ.get("COMP_CWORD", "").isdecimal():
        raise UsageError(
            "_EMBEDINSPECT_COMPLETE is set without COMP_WORDS and COMP_CWORD; expected all three, "
            "as bash sets them when it completes a command; unset it"
        )


def _write_out() -> int:
    """Write out what is buffered, which may fail as any other writing does."""
    from embedinspect.output.stdout import standard_output

    standard_output().flush()
    return OK


def _forget_stdout() -> None:
    """Let what is still buffered go nowhere: its reader has gone, or its disk is full."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _say(message: str) -> None:
    from embedinspect.wording import literal

    if sys.stderr is not None:
        line = literal(" ".join(message.split("\n")))
        with suppress(OSError):  # there is no other place to say it
            print(f"Error: {line}", file=sys.stderr)  # noqa: T201 (the one place for errors)
