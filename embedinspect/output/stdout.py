"""Where results go: stdout as UTF-8 bytes for programs, a spinner on stderr for people."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from embedinspect.errors import DataError
from embedinspect.stages import listening

_SECONDS_UNTOLD, _SECONDS_BETWEEN = 2.0, 0.2


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
def waiting(message: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show on stderr what is being waited for, if that is a terminal.

    It gives a function to tell how many bytes of how many are read, which are shown once it takes
    long; None where nobody would see them. So is how far the stages of the work are. The spinner
    has its own copy of the file descriptor: the block may redirect the real one.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.text import Text

    from embedinspect.wording import literal

    # A text, and no string: rich would read markup out of a path such as `[/b].txt`.
    text = Text(literal(message))
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8") as own,
        Console(file=own).status(text, spinner="line") as status,
    ):
        start = last = time.monotonic()
        stage, reached, begun = "", 0, start

        def show(now: float, told: str) -> None:
            nonlocal last
            last = now
            status.update(Text(literal(f"{message}: {told}")))

        def due(now: float) -> bool:
            return now - start > _SECONDS_UNTOLD and now - last > _SECONDS_BETWEEN

        def tell(done: int, size: int) -> None:
            now = time.monotonic()
            if due(now):
                show(now, how_far(done, size, now - start))

        def tell_of_stage(what: str, done: int, total: int) -> None:
            nonlocal stage, reached, begun
            now = time.monotonic()
            if what != stage or done < reached:
                stage, begun = what, now
            reached = done
            if due(now):
                show(now, f"{what}, {done:,} of {total:,} rows{_left(done, total, now - begun)}")

        with listening(tell_of_stage):
            yield tell


def how_far(done: int, size: int, seconds: float) -> str:
    """Return how far a reading is, and how long it will take if it goes on as it has.

    >>> how_far(300_000_000, 1_200_000_000, 5)
    '300 of 1,200 MB, 15 s left'
    >>> how_far(1_200_000_000, 1_200_000_000, 20)
    '1,200 of 1,200 MB'
    """
    return f"{done / 1e6:,.0f} of {size / 1e6:,.0f} MB{_left(done, size, seconds)}"


def _left(done: int, size: int, seconds: float) -> str:
    """Return how long work will take if it goes on as it has, after a comma."""
    left = math.ceil(seconds * (size - done) / done) if done else 0
    if left <= 0:
        return ""
    if left < 120:
        return f", {left} s left"
    hours = left / 3600
    return f", {round(left / 60):,} min left" if hours < 2 else f", {round(hours):,} h left"
