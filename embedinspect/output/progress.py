"""The progress of training on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from embedinspect.training.fit import Progress

SECONDS_BETWEEN_LINES = 10.0
NARROW = 95  # columns of a screen


@contextmanager
def reporting() -> Iterator[Callable[[Progress], None]]:
    """Give a function that shows progress, on a copy of stderr that stays when it is redirected."""
    try:
        copy = os.dup(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):  # there is no stderr
        yield lambda _: None
        return
    with os.fdopen(copy, "w", encoding=sys.stderr.encoding, errors="backslashreplace") as own:
        if not own.isatty():
            yield _lines(own.write, own.flush)
            return
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars
        from rich.table import Column

        console = Console(file=own)
        is_narrow = console.width < NARROW  # the bar is left out, rather than cut words short
        columns = (
            TextColumn("{task.description}"),
            *(() if is_narrow else (BarColumn(),)),
            TextColumn("{task.fields[numbers]}", table_column=Column(no_wrap=not is_narrow)),
            TextColumn("{task.fields[stage]}", table_column=Column(min_width=23, no_wrap=True)),
        )
        with Bars(*columns, console=console) as bars:
            tasks: dict[int, object] = {}

            def show(progress: Progress) -> None:
                if progress.epoch not in tasks:
                    tasks[progress.epoch] = bars.add_task("", numbers="", stage="")
                bars.update(
                    tasks[progress.epoch],  # type: ignore[arg-type]
                    total=progress.of_reviews,
                    completed=progress.reviews,
                    description=f"epoch {progress.epoch} of {progress.epochs}",
                    numbers=numbers(progress),
                    stage=stage(progress),
                )

            yield show


def numbers(progress: Progress) -> str:
    """Return loss, accuracy and speed of an epoch so far."""
    speed = progress.reviews / max(progress.seconds, 1e-9)
    return f"loss {progress.loss:.4f}  accuracy {progress.accuracy:.4f}  {speed:,.0f} reviews/s"


def stage(progress: Progress) -> str:
    """Return how long an epoch still takes, or whether it is saved: until then Ctrl-C loses it."""
    if progress.saved:
        return "saved"
    if progress.reviews >= progress.of_reviews:
        return "being saved"
    left = progress.seconds / progress.reviews * (progress.of_reviews - progress.reviews)
    return f"{left:,.0f} s left of this epoch"


def _lines(
    write: Callable[[str], object], flush: Callable[[], object]
) -> Callable[[Progress], None]:
    last = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal last
        if not progress.saved and time.monotonic() - last < SECONDS_BETWEEN_LINES:
            return
        last = time.monotonic()
        write(
            f"epoch {progress.epoch} of {progress.epochs}: {progress.reviews:,} of "
            f"{progress.of_reviews:,} reviews  {numbers(progress)}  {stage(progress)}\n"
        )
        flush()

    return show
