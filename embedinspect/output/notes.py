"""Notes to the user on stderr, which are no part of the result."""

from __future__ import annotations

import os
import sys


def note(message: str) -> None:
    """Write one line to stderr; where that cannot be written, the answer goes on without it."""
    from embedinspect.wording import literal

    if sys.stderr is None:
        return
    try:
        sys.stderr.write(literal(message) + "\n")
        sys.stderr.flush()
    except OSError:  # a full disk, or a reader that is gone; what is left in the buffer would fail
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (until the end)
