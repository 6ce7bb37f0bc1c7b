"""The layout of a text of word vectors, found out from its first lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_SAMPLE = 100
_NUMBER = re.compile(rb"[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|nan|inf|infinity)", re.I)
_HEADER = re.compile(rb"(\d{1,12})[ \t](\d{1,9})\s*")


@dataclass(frozen=True)
class Layout:
    """How the lines of a text of word vectors are laid out.

    Attributes:
        output_dim: how many numbers a row has.
        header: how many rows, and numbers in a row, the first line claims; None without such a
            line.
        separator: what stands between two fields.
    """

    output_dim: int
    header: tuple[int, int] | None
    separator: bytes


def layout_of(start: bytes, *, whole: bool) -> Layout | None:
    """Return the layout of a text, from its first bytes; None where these are no word vectors.

    Args:
        whole: whether the first bytes are the whole text; if not, its last line may be cut off.
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
        return None  # two columns of numbers, whose first line looks like a header
    usual = max(widths.values())
    output_dim = min(width for width, count in widths.items() if count == usual)
    if header and widths.get(int(header[2])):
        output_dim = int(header[2])
    if not any(_is_row(line, output_dim, separator) for line in body):
        return None
    claimed = (int(header[1]), int(header[2])) if header else None
    return Layout(output_dim, claimed, separator)


def _is_row(line: bytes, output_dim: int, separator: bytes) -> bool:
    """Return whether a line is a word and so many numbers."""
    fields = line.rstrip(separator).split(separator)
    return len(fields) > output_dim and all(map(is_number, fields[-output_dim:]))


def is_number(field: bytes) -> bool:
    """Return whether a field is a number that float() takes, in plain digits."""
    return _NUMBER.fullmatch(field) is not None
