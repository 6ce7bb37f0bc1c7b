"""Where results go: stdout as UTF-8 bytes for programs, a spinner on stderr for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


def write_utf8(parts: Iterable[str]) -> None:
    """Write the parts to stdout as UTF-8, whatever the terminal's encoding is.

    A lone surrogate, which UTF-8 cannot hold, is written as an escape.
    """
    sys.stdout.flush()
    for part in parts:
        sys.stdout.buffer.write(part.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


@contextmanager
def waiting(message: str) -> Iterator[None]:
    """Show on stderr what is being waited for, if that is a terminal.

    The spinner has its own copy of the file descriptor: the block may redirect the real one.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8") as own,
        Console(file=own).status(message, spinner="line"),
    ):
        yield
