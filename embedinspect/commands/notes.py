"""Notes to the user on stderr, which are no part of the result."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


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


def note_files(texts: Sequence[str], *, file_option: bool = True) -> None:
    """Say of each text that names a file that it is a text here.

    Args:
        file_option: whether the command has --file, which would read it.
    """
    from embedinspect.wording import clipped_repr

    for text in texts:
        if os.path.isfile(text):
            instead = f"; to read the file: --file {text}" if file_option else ", and is not read"
            note(f"Note: {clipped_repr(text)} is taken as a text{instead}")
        elif os.path.isdir(text):
            label = clipped_repr(text)
            note(f"Note: {label} is taken as a text; to open the folder: --from {text}")
