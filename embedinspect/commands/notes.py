"""Notes to the user on stderr, which are no part of the result."""

from __future__ import annotations

import os
from collections.abc import Sequence

from embedinspect.output.notes import note

__all__ = ["note", "note_files"]


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
