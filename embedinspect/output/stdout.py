"""Where results go: stdout as UTF-8 bytes for programs, a spinner on stderr for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from embedinspect.errors import DataError


def standard_output() -> TextIO:
    """Return stdout.

    Raises:
        DataError: whoever started the process has closed it, as `>&-` does.
    """
    if sys.stdout is None:
        raise DataError(
            "cannot write the output: stdout is closed; expected a terminal, a pipe or a file"
        )
    return sys.stdout


def write_utf8(parts: Iterable[str]) -> None:
    """Write the parts to stdout as UTF-8, whatever the terminal's encoding is.

    A lone surrogate, which UTF-8 cannot hold, is written as an escape.
    """
    stdout = standard_output()
    stdout.flush()
    for part in parts:
        stdout.buffer.write(part.encode("utf-8", "backslashreplace"))
    stdout.buffer.flush()


@contextmanager
def waiting(message: str) -> Iterator[None]:
    """Show on stderr what is being waited for, if that is a terminal.

    The spinner has its own copy of the file descriptor: the block may redirect the real one.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.text import Text

    from embedinspect.wording import literal

    # A text, and no string: rich would read markup out of a path such as `[/b].txt`.
    text = Text(literal(message))
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8") as own,
        Console(file=own).status(text, spinner="line"),
    ):
        yield
