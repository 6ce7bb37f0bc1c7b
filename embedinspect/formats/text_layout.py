"""The layout of a text of word vectors, found out from its first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from embedinspect.formats.beginning import Start
from embedinspect.formats.number_text import are_numbers, first_lines
from embedinspect.formats.strangers import is_no_text

_SAMPLE, _SAMPLE_BYTES, _FEWEST = 100, 2**19, 3
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


def recognises(start: Start) -> bool:
    """Return whether a file is a text of words and their vectors."""
    if b"\0" in start.data or is_no_text(start.data):
        return False
    return layout_of(start.data, whole=start.whole) is not None


def layout_of(start: bytes, *, whole: bool) -> Layout | None:
    """Return the layout of a text, from its first bytes; None where these are no word vectors.

    A text whose every field is a number holds word vectors only if a header says so: the words of
    node2vec, for example, are numbers.

    Args:
        whole: whether the first bytes are the whole text; if not, its last line may be cut off.
    """
    lines = [line.rstrip(b"\r") for line in first_lines(start, whole=whole) if line.strip()]
    if not lines:
        return None
    header = _HEADER.fullmatch(lines[0])
    body = _sample(lines[1:] if header else lines)
    separator = b"\t" if body and b"\t" in body[0] and b" " not in body[0] else b" "
    claimed = (int(header[1]), int(header[2])) if header else None
    if claimed and _is_confirmed(claimed, body, separator, start, whole=whole):
        return Layout(claimed[1], claimed, separator)
    if are_numbers(start, whole=whole):
        return None
    output_dim = _output_dim(body, separator)
    return Layout(output_dim, claimed, separator) if output_dim else None


def _sample(lines: Sequence[bytes]) -> list[bytes]:
    """Return the first lines, fewer of them where they are long."""
    sample: list[bytes] = []
    size = 0
    for line in lines[:_SAMPLE]:
        size += len(line)
        if len(sample) >= _FEWEST and size > _SAMPLE_BYTES:
            break
        sample.append(line)
    return sample


def _is_confirmed(
    header: tuple[int, int], body: Sequence[bytes], separator: bytes, start: bytes, *, whole: bool
) -> bool:
    """Return whether the lines after a header are what it claims.

    Where all words are numbers, too, they may be a text of numbers all the same, so that the
    number of the lines has to be right.
    """
    rows, output_dim = header
    if not body or not output_dim or 2 * _fitting(body, output_dim, separator) < len(body):
        return False
    if not all(is_number(line.split(separator, 1)[0]) for line in body):
        return True
    count = sum(1 for line in start.split(b"\n") if line.strip()) - 1
    return count == rows if whole else count <= rows + 1  # the last may be cut off


def _output_dim(lines: Sequence[bytes], separator: bytes) -> int | None:
    """Return how many numbers most lines have after their word; None where no line has any."""
    rows = [line.rstrip(separator).split(separator) for line in lines]
    rows = [fields for fields in rows if len(fields) > 1 and is_number(fields[-1])]
    by_fields = _most_common(len(fields) - 1 for fields in rows)
    # Where most words hold spaces, the numbers at the end of the line tell more.
    by_numbers = _most_common(min(_numbers_at_end(fields), len(fields) - 1) for fields in rows)
    widths = [width for width in (by_fields, by_numbers) if width]
    best = max(widths, key=lambda width: _fitting(lines, width, separator), default=0)
    return best if best and _fitting(lines, best, separator) else None


def _most_common(widths: Iterable[int]) -> int:
    """Return the most common of some numbers, the smallest if there are several; 0 for none."""
    counts = Counter(widths)
    return min((width for width in counts if counts[width] == max(counts.values())), default=0)


def _numbers_at_end(fields: Sequence[bytes]) -> int:
    count = 0
    while count < len(fields) and is_number(fields[-1 - count]):
        count += 1
    return count


def _fitting(lines: Sequence[bytes], output_dim: int, separator: bytes) -> int:
    """Return how many lines are a word and so many numbers."""
    rows = (line.rstrip(separator).split(separator) for line in lines)
    return sum(
        len(fields) > output_dim and all(map(is_number, fields[-output_dim:])) for fields in rows
    )


def is_number(field: bytes) -> bool:
    """Return whether a field is a number that float() takes, in plain digits."""
    return _NUMBER.fullmatch(field) is not None
