"""Lists of numbers as one field of a text holds them: pandas, NumPy and DuckDB write such."""

from __future__ import annotations

import re

from embedinspect.errors import DataError
from embedinspect.formats.number_text import is_number
from embedinspect.wording import clipped_repr

_PAIRS = {"[": "]", "{": "}", "(": ")"}
_SEPARATOR = re.compile(r"\s*[,;]\s*|\s+")
_SCALAR = re.compile(
    r"np\.float(?:16|32|64)\(([^()]*)\)"
)  # as lists of NumPy's numbers are printed
_ELISION = "..."  # as NumPy prints arrays of more than a thousand numbers


def parts_of(field: str) -> list[str] | None:
    """Return the numbers of a list as they are written; None where a field is no list of numbers.

    Without brackets there must be white space between them, and a point in one: `0,5` may be one
    number, and `030 1234` none.

    >>> parts_of("[0.5, 1]"), parts_of("[ 0.5  1. ]"), parts_of("0.5 1"), parts_of("0.5")
    (['0.5', '1'], ['0.5', '1.'], ['0.5', '1'], None)
    """
    text = field.strip()
    is_closed = len(text) > 1 and _PAIRS.get(text[0]) == text[-1]
    if is_closed:
        text = text[1:-1].strip()
    if "np.float" in text:
        text = _SCALAR.sub(r"\1", text)
    parts = _SEPARATOR.split(text) if is_closed else text.split()
    if not is_closed and (len(parts) < 2 or "." not in text):
        return None
    return parts if all(is_number(part) or part == _ELISION for part in parts) else None


def numbers_of(field: str, place: str) -> list[str]:
    """Return the numbers of a list as they are written.

    Args:
        place: where the field is, for errors.

    Raises:
        DataError: it is no list of numbers, or not all of them are there.
    """
    parts = parts_of(field)
    if parts is None:
        raise DataError(
            f"{place} has {clipped_repr(field)} as its vector; expected a list of numbers"
        )
    if _ELISION in parts:
        raise DataError(
            f"{place} has a vector with '...' in place of numbers, as NumPy prints long arrays; "
            "expected all numbers: save the table where it was made as .parquet"
        )
    return parts
