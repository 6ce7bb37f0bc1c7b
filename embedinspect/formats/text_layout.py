"""How the lines of a text of word vectors are made, found out from the first of them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_SAMPLE = 100
_NUMBER = re.compile(rb"[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|nan|inf|infinity)", re.I)
_HEADER = re.compile(rb"(\d{1,12})[ \t](\d{1,9})\s*")


@dataclass(frozen=True)
class Layout:
    """How the lines of a file are made.

    Attributes:
        output_dim: numbers in a row.
        header: rows and numbers in a row, as the first line claims them; None without one.
        separator: between the fields.
    """

    output_dim: int
    header: tuple[int, int] | None
    separator: bytes


def layout_of(start: bytes, *, whole: bool) -> Layout | None:
    """Return how a file's lines are made, from its first bytes; None for no word vectors.

    Args:
        whole: whether the first bytes are all there is; else the last line is taken for cut off.
    """
    lines = start.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    lines = [line.rstrip(b"\r") for line in (lines if whole else lines[:-1] or lines)]
    lines = [line for line in lines if line.strip()][:_SAMPLE]
    if not lines:
        return None
    header = _HEADER.fullmatch(lines[0])
    body = lines[1:] if header else lines
    separator = b"\t" if body and b"\t" in body[0] and b" " not in body[0] else b" "
    widths = Counter(
        len(fields) - 1
        for fields in (line.rstrip(separator).split(separator) for line in body)
        if len(fields) > 1 and all(map(is_number, fields[-1:]))
    )
    if not widths:
        return None
    if len(body) < len(lines) and all(
        all(map(is_number, line.split())) and len(line.split()) == 2 for line in body
    ):
        return None  # two columns of numbers, the first pair of which looks like a header
    most = max(widths.values())
    output_dim = min(width for width, count in widths.items() if count == most)
    if header and widths.get(int(header[2])):
        output_dim = int(header[2])
    if not any(_is_row(line, output_dim, separator) for line in body):
        return None
    claimed = (int(header[1]), int(header[2])) if header else None
    return Layout(output_dim, claimed, separator)


def _is_row(line: bytes, output_dim: int, separator: bytes) -> bool:
    fields = line.rstrip(separator).split(separator)
    return len(fields) > output_dim and all(map(is_number, fields[-output_dim:]))


def is_number(field: bytes) -> bool:
    """Return whether a field is a number as float() takes it, in plain digits."""
    return _NUMBER.fullmatch(field) is not None
