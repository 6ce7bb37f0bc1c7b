"""Notes to the user on stderr, which are no part of the result."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_HEARD: ContextVar[list[str] | None] = ContextVar("heard", default=None)


@contextmanager
def hearing() -> Iterator[list[str]]:
    """Give a list that notes are put into, and keep them off stderr: for use from Python."""
    heard: list[str] = []
    token = _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.reset(token)


def note(message: str) -> None:
    """Write one line to stderr; where that cannot be written, the answer goes on without it."""
    from embedinspect.wording import literal

    heard = _HEARD.get()
    if heard is not None:
        heard.append(message)
        return
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(literal(message) + "\n")
        sys.stderr.flush()
    except OSError:  # a full disk, or a reader that is gone; what is left in the buffer would fail
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (until the end)
