"""How far a long count has come, on stderr where that is a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


@contextmanager
def counting(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many are done; a bar on a terminal, nothing elsewhere."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8") as own,
        Progress(*columns, Remaining(), console=Console(file=own), transient=True) as bars,
    ):
        task = bars.add_task(description, total=total)
        yield lambda done: bars.update(task, completed=done)


@contextmanager
def adding_up(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many more are done, by any thread; a bar as `counting`."""
    done, lock = 0, Lock()
    with counting(description, total) as tell:

        def add(more: int) -> None:
            nonlocal done
            with lock:
                done += more
                tell(done)

        yield add
