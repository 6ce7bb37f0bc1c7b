"""What the readers of word vectors mend: words that are no plain UTF-8, and words that repeat."""

from __future__ import annotations

import numpy as np

from embedinspect.formats.contents import Problems
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr


def as_lines(words: list[bytes], problems: Problems) -> list[bytes]:
    """Return the words as UTF-8 without line feeds; what cannot be is written as an escape."""
    if _all_are_lines(words):
        return words
    lines = []
    for row, word in enumerate(words):
        try:
            word.decode("utf-8")
        except UnicodeDecodeError as error:
            reason = f"is not UTF-8 (byte 0x{word[error.start]:02x})"
            kind = "not UTF-8"
        else:
            if b"\n" not in word:
                lines.append(word)
                continue
            reason = "holds a line feed"
            kind = "line feeds"
        escaped = word.decode("utf-8", "backslashreplace").replace("\n", "\\n")
        problems.add(kind, f"row {row}: the word {clipped_repr(escaped)} {reason}")
        lines.append(escaped.encode())
    return lines


def _all_are_lines(words: list[bytes]) -> bool:
    joined = b"\n".join(words)
    try:
        joined.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return joined.count(b"\n") == max(0, len(words) - 1)


def without_repeats(
    rows: FloatArray, words: list[bytes], problems: Problems
) -> tuple[FloatArray, list[bytes]]:
    """Return rows and words without those rows whose word an earlier row has."""
    if len(set(words)) == len(words):
        return rows, words
    first: dict[bytes, int] = {}
    repeats = []
    for row, word in enumerate(words):
        if first.setdefault(word, row) != row:
            repeats.append(row)
            problems.add(
                "duplicate words",
                f"row {row}: the word {clipped_repr(word.decode())} is already in row "
                f"{first[word]}; the later row is left out",
            )
    return np.delete(rows, repeats, axis=0), list(first)
