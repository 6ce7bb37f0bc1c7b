"""How far long work over many rows has come, told to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

# Told what is being done, how many rows are done, and how many there are; from any thread.
Listener = Callable[[str, int, int], object]

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell a listener how far the stages are that begin within."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def stage(what: str, total: int) -> Callable[[int], None]:
    """Begin a stage of some work; return a function that is told how many more rows are done.

    It may be told from any thread. Where nobody listens it does nothing.

    Args:
        what: is done to the rows, as the end of a sentence: "their lengths".
        total: how many rows there are to do.

    >>> with listening(print):
    ...     more = stage("their lengths", 10)
    ...     more(4)
    ...     more(6)
    their lengths 4 10
    their lengths 10 10
    """
    listener = _LISTENER.get()
    if listener is None:
        return _nobody_listens
    done, lock = 0, Lock()

    def more(count: int) -> None:
        nonlocal done
        with lock:
            done += count
            listener(what, done, total)

    return more


def _nobody_listens(_: int) -> None:
    pass
