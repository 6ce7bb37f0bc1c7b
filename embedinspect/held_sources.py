"""Sources that stay open for a caller who asks several questions of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from embedinspect.source_options import SourceOptions

# Each a Source, by the path that a question names and the options it is opened with; None for any
# options.
Held = Mapping[tuple[str, SourceOptions | None], Any]

_HELD: ContextVar[Held | None] = ContextVar("held", default=None)


@contextmanager
def holding(held: Held) -> Iterator[None]:
    """Have these sources stand for what would be opened at their paths."""
    token = _HELD.set(held)
    try:
        yield
    finally:
        _HELD.reset(token)


def held_at(path: str, options: SourceOptions | None = None) -> Any | None:
    """Return the source that is held for a path and options; None where it has to be opened."""
    held = _HELD.get()
    if held is None:
        return None
    exact = None if options is None else held.get((path, replace(options, progress=None)))
    return held.get((path, None)) if exact is None else exact
