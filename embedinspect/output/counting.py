"""How far a long count has come, on stderr where that is a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from embedinspect.stages import listening


@contextmanager
def counting(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many are done; a bar on a terminal, nothing elsewhere.

    A stage of the work has a bar of its own while it lasts.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8") as own,
        Progress(*columns, Remaining(), console=Console(file=own), transient=True) as bars,
    ):
        task = bars.add_task(description, total=total)
        stages: dict[str, TaskID] = {}

        def show_stage(what: str, done: int, total: int) -> None:
            if what not in stages:
                stages[what] = bars.add_task(what, total=total)
            elif not bars.tasks[stages[what]].visible and done < total:  # it begins again
                bars.reset(stages[what], total=total, visible=True)
            bars.update(stages[what], completed=done, visible=done < total)

        with listening(show_stage):
            yield lambda done: bars.update(task, completed=done)
