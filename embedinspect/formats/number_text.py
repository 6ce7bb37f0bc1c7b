"""A matrix as a text: one row a line, every field a number."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.beginning import Start, first_bytes
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.strangers import is_no_text
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, plural

# What float() takes, without what only Python writes (1_000) and without the digits of other
# scripts. Each digit can be matched in one way only, so that a long field that is no number does
# not take quadratic time.
_NUMBER = re.compile(
    r"[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|nan|inf|infinity)", re.A | re.I
)
_SEPARATORS = re.compile(r"\s*[,;]\s*|\s+")
_DECIMAL_COMMA = re.compile(r"(?<![^\s;])[+-]?\d*,\d+(?![^\s;])")
_OTHER_SEPARATOR = re.compile(r"\d\s*;|\d\s+[+\-.\d]")
TOO_LARGE = (2 - 2**-24) * 2.0**127  # from here on the nearest float32 is infinity
_LONGEST_LINE = 2**26
_MOST_LINES = 1000  # that are looked at to tell what a text is
_SAMPLE_LINES, _SAMPLE_FIELDS = 20, 400  # that tell numbers from words


def recognises(start: Start) -> bool:
    """Return whether a file may be a text of numbers; what else it is, is found when it is read."""
    return b"\0" not in start.data and not is_no_text(start.data) and not start.packed


def read(path: Path, _: ReadOptions) -> Contents:
    """Return the numbers of a text; raises what `read_numbers` raises."""
    warnings = doubts(first_bytes(str(path)).data, str(path))
    return Contents("text of numbers", read_numbers(path), dtype="text", warnings=warnings)


def are_numbers(start: bytes, *, whole: bool) -> bool:
    """Return whether most lines in the first bytes of a text hold only numbers.

    A text of numbers in which one field is something else still counts, so that the error can name
    that field. Among word vectors, few words are numbers.

    Args:
        whole: whether the first bytes are the whole text; if not, its last line may be cut off.
    """
    lines_of_numbers = seen = 0
    for line in first_lines(start, whole=whole):
        text = line.decode("utf-8", "replace").strip()
        fields = _SEPARATORS.split(text, _SAMPLE_FIELDS)[:_SAMPLE_FIELDS]
        if text and not _is_comment(text, fields):
            seen += 1
            lines_of_numbers += all(map(_NUMBER.fullmatch, fields))
        if seen == _SAMPLE_LINES:
            break
    return 2 * lines_of_numbers >= seen


def first_lines(start: bytes, *, whole: bool) -> list[bytes]:
    """Return the first lines of a text without a byte order mark, a thousand at most.

    Args:
        whole: whether `start` is the whole text; if not, its last line may be cut off, and is only
            returned where there is no other.
    """
    lines = start.removeprefix(b"\xef\xbb\xbf").split(b"\n", _MOST_LINES)
    is_cut = len(lines) > _MOST_LINES or (not whole and len(lines) > 1)
    return lines[:-1] if is_cut else lines


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
            values.extend(parsed(fields, number, label))
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
    fields = _SEPARATORS.split(text)
    if "," in text or ";" in text:
        _check_separators(text, fields, number, label)
    return fields


def _check_separators(text: str, fields: list[str], number: int, label: str) -> None:
    """Refuse a line with commas in its numbers, or with commas between a word and its numbers.

    Raises:
        DataError: the line is such a one.
    """
    decimal = _DECIMAL_COMMA.search(text)
    if decimal is not None and _OTHER_SEPARATOR.search(text):
        raise DataError(
            f"{label} line {number} has {clipped_repr(decimal[0])}, with a comma in the number; "
            "expected a point, as in 0.5; replace the commas"
        )
    word, *numbers = fields
    if numbers and word and not is_number(word) and all(map(is_number, numbers)):
        mark = ";" if ";" in text else ","
        raise DataError(
            f"{label} line {number} has {mark!r} between the word {clipped_repr(word)} and its "
            f"numbers; expected spaces, or a first line that names the columns, as word{mark}dim_0"
        )


def doubts(start: bytes, path: str) -> tuple[str, ...]:
    """Return how else the first lines of a text of numbers could be meant, each as a sentence."""
    lines = start.decode("utf-8-sig", "replace").splitlines()[: _SAMPLE_LINES + 1]
    rows = [_SEPARATORS.split(line.strip()) for line in lines if line.strip()[:1] not in {"", "#"}]
    if len(rows) == 1 and len(rows[0]) == 2 and all(map(str.isdecimal, rows[0])):
        return (
            f"{path} has one line, {' '.join(rows[0])}: it is read as a row, but it may be the "
            "header of word vectors whose rows are missing",
        )
    if len(rows) < 2:
        return ()
    below = rows[1:]
    if counts_columns(rows[0]) and not any(all(map(str.isdecimal, row)) for row in below):
        return (
            f"line 1 of {path} counts the columns: it is read as row 0; if it names them, remove "
            "it from the file",
        )
    first = [row[0] for row in rows]
    if (
        len(set(first)) == len(first)
        and all(map(str.isdecimal, first))
        and not any(all(map(str.isdecimal, row[1:])) for row in rows)
    ):
        return (
            f"the first column of {path} is whole numbers, each once: it is read as dimension 0; "
            "if these are ids or words, put the number of rows and of dimensions before them as a "
            "line of its own",
        )
    return ()


def counts_columns(fields: Sequence[str]) -> bool:
    """Return whether fields are 0, 1, 2 and so on, or 1, 2, 3 and so on."""
    return len(fields) > 1 and list(fields) in (
        [str(number) for number in range(len(fields))],
        [str(number + 1) for number in range(len(fields))],
    )


def is_number(field: str) -> bool:
    """Return whether a field is a number as plain texts have it, such as -0.5, 1e-3 or nan."""
    return _NUMBER.fullmatch(field) is not None


def parsed(
    fields: Sequence[str], number: int, label: str, columns: Sequence[int] | None = None
) -> list[float]:
    """Return the numbers of a line; as float32 each is the nearest to what was written.

    Args:
        number: of the line, for errors.
        label: of the file, for errors.
        columns: the place of each field in its line, where there are others besides.

    Raises:
        DataError: a field is no number, or one that float32 cannot hold.
    """
    values = []
    for place, field in enumerate(fields):
        column = (place if columns is None else columns[place]) + 1
        if not _NUMBER.fullmatch(field):
            raise DataError(
                f"{label} line {number} has {clipped_repr(field)} as field {column}; expected a "
                "number, as in every field of a text of numbers"
            )
        value = float(field)
        if abs(value) >= TOO_LARGE and not field.lower().lstrip("+-").startswith("inf"):
            raise DataError(
                f"{label} line {number} has {clipped_repr(field)} as field {column}; expected a "
                "number that float32 can hold, up to 3.4e38"
            )
        values.append(value)
    return rounded_once(fields, values)


def rounded_once(fields: Sequence[str], values: list[float]) -> list[float]:
    """Return numbers that become the nearest float32 although float64 has rounded them before.

    That matters where a float64 lies in the middle between two float32, and what was written did
    not: the float64 is moved to the side where it was.
    """
    doubles = np.array(values)
    with np.errstate(over="ignore"):
        below = np.nextafter(doubles, -np.inf).astype(np.float32)
        above = np.nextafter(doubles, np.inf).astype(np.float32)
    for place in np.flatnonzero((below != above) & np.isfinite(doubles)).tolist():
        written, value = Decimal(fields[place]), Decimal(values[place])
        if written != value:
            values[place] = math.nextafter(
                values[place], math.inf if written > value else -math.inf
            )
    return values
