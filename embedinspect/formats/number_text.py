"""A matrix as a text: one row a line, every field a number."""

from __future__ import annotations

import re
from array import array
from pathlib import Path

import numpy as np

from embedinspect.errors import DataError
from embedinspect.matrix import MOST_VALUES, FloatArray
from embedinspect.wording import clipped_repr, plural

# What float() takes, without what only Python writes (1_000) and without the digits of other
# scripts. Each digit can be matched in one way only, so that a long field that is no number does
# not take quadratic time.
_NUMBER = re.compile(
    r"[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|nan|inf|infinity)", re.A | re.I
)
_SEPARATORS = re.compile(r"\s*[,;]\s*|\s+")
_TOO_LARGE = (2 - 2**-24) * 2.0**127  # from here on the nearest float32 is infinity
_LONGEST_LINE = 2**26
_SAMPLE_LINES, _SAMPLE_FIELDS = 20, 400  # that tell numbers from words


def are_numbers(start: bytes, *, whole: bool) -> bool:
    """Return whether most lines in the first bytes of a text hold only numbers.

    A text of numbers in which one field is something else still counts, so that the error can name
    that field. Among word vectors, few words are numbers.

    Args:
        whole: whether the first bytes are the whole text; if not, its last line may be cut off.
    """
    lines = start.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    lines_of_numbers = seen = 0
    for line in lines if whole or len(lines) < 2 else lines[:-1]:
        text = line.decode("utf-8", "replace").strip()
        fields = _SEPARATORS.split(text, _SAMPLE_FIELDS)[:_SAMPLE_FIELDS]
        if text and not _is_comment(text, fields):
            seen += 1
            lines_of_numbers += all(map(_NUMBER.fullmatch, fields))
        if seen == _SAMPLE_LINES:
            break
    return 2 * lines_of_numbers >= seen


def _is_comment(text: str, fields: list[str]) -> bool:
    """Return whether a line begins with `#`, and not as the row of a word such as `#5` does."""
    is_row = len(fields) > 1 and text[1:2].strip() and all(map(_NUMBER.fullmatch, fields[1:]))
    return text.startswith("#") and not is_row


def read_numbers(path: Path) -> FloatArray:
    """Return the rows of a text file, float32, shape (rows, columns).

    Fields are separated by white space, commas or semicolons. Blank lines and lines that start
    with `#` are skipped. Each number becomes the nearest float32.

    Raises:
        DataError: a field is no number, or a row has another length; the error names the line.
    """
    label = repr(str(path))
    values = array("f")
    width = 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
            fields = _fields(line, number, label)
            if not fields:
                continue
            if width and len(fields) != width:
                raise DataError(
                    f"{label} line {number} has {plural(len(fields), 'number')}; expected {width}, "
                    "as in the rows before it"
                )
            width = len(fields)
            values.extend(_numbers(fields, number, label))
            if len(values) > MOST_VALUES:
                raise DataError(f"{label} has more than {MOST_VALUES:,} numbers; expected fewer")
    if not width:
        raise DataError(f"{label} holds no numbers; expected one row of numbers a line")
    return np.frombuffer(values, np.float32).reshape(-1, width)


def _fields(line: bytes, number: int, label: str) -> list[str]:
    """Return the fields of a line; none for a comment or a blank line."""
    if len(line) >= _LONGEST_LINE:  # readline has cut it, and the rest would pass for another row
        raise DataError(
            f"{label} line {number} has {_LONGEST_LINE:,} bytes or more; expected one row a line; "
            "save rows this long as .npy"
        )
    if b"\r" in line.rstrip():
        raise DataError(
            f"{label} line {number} has a carriage return inside; expected lines that end in "
            "\\n or \\r\\n; save it with such line endings"
        )
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{label} line {number} is not UTF-8 (byte 0x{line[error.start]:02x}); expected a text "
            "whose every field is a number, or .npy or .npz"
        ) from None
    if not text or text.startswith("#"):
        return []
    return _SEPARATORS.split(text)


def _numbers(fields: list[str], number: int, label: str) -> list[float]:
    values = []
    for place, field in enumerate(fields, 1):
        if not _NUMBER.fullmatch(field):
            raise DataError(
                f"{label} line {number} has {clipped_repr(field)} as field {place}; expected a "
                "number, as in every field of a text of numbers"
            )
        value = float(field)
        if abs(value) >= _TOO_LARGE and not field.lower().lstrip("+-").startswith("inf"):
            raise DataError(
                f"{label} line {number} has {clipped_repr(field)} as field {place}; expected a "
                "number that float32 can hold, up to 3.4e38"
            )
        values.append(value)
    return values
