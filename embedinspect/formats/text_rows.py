"""The rows in a block of lines of a text of word vectors.

Lines that are as they should be are parsed all at once: every byte that stands between two fields
is found, and the numbers are one array of strings, which becomes one of float32. Any other line is
parsed by the rule itself, in `_by_the_rule`, which says what is wrong with it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

from embedinspect.formats.text_layout import Layout, is_number
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, plural

Places = np.ndarray[Any, np.dtype[np.int64]]
Offsets = np.ndarray[Any, np.dtype[np.int32]]
Codes = np.ndarray[Any, np.dtype[np.uint8]]
_FEED, _POINT, _ZERO, _NINE = b"\n.09"


class Part(NamedTuple):
    """Words and rows of some of the lines, and what is wrong with others.

    Attributes:
        words: of the rows, as they are in the text.
        rows: float32, shape (len(words), output_dim).
        problems: the kind of each, the place of its line in the block, and what is wrong with it.
    """

    words: list[bytes]
    rows: FloatArray
    problems: list[tuple[str, int, str]]


def parse_block(block: bytes, layout: Layout) -> Part:
    """Return the rows in a block of whole lines, of which the last ends with a line feed, too.

    It keeps nothing, and most of it runs without Python's lock, so that several threads can parse
    a block each.
    """
    plain = _with_plain_ends(block, layout.separator)
    if plain is None:
        return _all_by_the_rule(block, layout)
    gaps, ends = _gaps(plain, layout.separator)
    wrong = _irregular(gaps, ends, layout.output_dim)
    if not len(wrong):
        return _all_at_once(plain, gaps, layout) or _all_by_the_rule(block, layout)
    regular, irregular = _taken_apart(plain, gaps[ends], wrong)
    fast = _all_at_once(regular, _gaps(regular, layout.separator)[0], layout)
    if fast is None:
        return _all_by_the_rule(block, layout)
    places = np.delete(np.arange(len(ends)), wrong)
    return _merged(fast, places, *_by_the_rule(irregular, layout))


def _with_plain_ends(block: bytes, separator: bytes) -> bytes | None:
    """Return the block with nothing but line feeds at the ends of lines; None where these vary."""
    if b"\r" in block:
        lines = block.count(b"\n")
        if block.count(b"\r\n") != lines or block.count(b"\r") != lines:
            return None
        block = block.replace(b"\r\n", b"\n")
    if block[: block.index(b"\n")].endswith(separator):  # as word2vec.c and fastText end lines
        block = block.replace(separator + b"\n", b"\n")
    return block


def _gaps(block: bytes, separator: bytes) -> tuple[Places, Places]:
    """Return where separators and line feeds are in a block, and which of them are line feeds."""
    codes = np.frombuffer(block, np.uint8)
    gaps = np.flatnonzero((codes == separator[0]) | (codes == _FEED))
    return gaps, np.flatnonzero(codes[gaps] == _FEED)


def _irregular(gaps: Places, ends: Places, output_dim: int) -> Places:
    """Return the places of lines that are not one word, which is not empty, and the numbers."""
    begins = np.concatenate([[0], gaps[ends[:-1]] + 1])
    first_gaps = gaps[np.concatenate([[0], ends[:-1] + 1])]
    are_wrong = np.diff(ends, prepend=-1) != output_dim + 1
    return np.flatnonzero(are_wrong | (first_gaps == begins))


def _taken_apart(
    block: bytes, ends: Places, wrong: Places
) -> tuple[bytes, list[tuple[int, bytes]]]:
    """Return the block without its irregular lines, and these with their places in it.

    Args:
        ends: where the line feeds are.
        wrong: the places of the irregular lines.
    """
    regular, irregular, begin = [], [], 0
    for place in wrong.tolist():
        start, end = int(ends[place - 1]) + 1 if place else 0, int(ends[place])
        regular.append(block[begin:start])
        irregular.append((place, block[start:end]))
        begin = end + 1
    regular.append(block[begin:])
    return b"".join(regular), irregular


def _all_at_once(block: bytes, gaps: Places, layout: Layout) -> Part | None:
    """Return the rows of regular lines; None where something is no number after all."""
    width = layout.output_dim + 1
    offsets = np.zeros(len(gaps) + 1, np.int32)
    offsets[1:] = gaps + 1
    fields = bytearray(block)
    codes = np.frombuffer(fields, np.uint8)
    words = _words_taken(codes, offsets[:-1:width], gaps[::width])
    # In an array of strings, each begins where the one before it ends. What stands between two of
    # them has to go, or to become a part of the first: as a zero after a decimal fraction, where
    # it changes nothing. After `5`, `1e5` and `nan` it would, and `.` it would make a number.
    points, letters = np.count_nonzero(codes == _POINT), codes.max(initial=_NINE) > _NINE
    are_fractions = points == len(words) * layout.output_dim and not letters
    if are_fractions and (codes[gaps - 1] >= _ZERO).all():
        codes[gaps] = _ZERO
    else:
        codes[gaps] = _FEED
        fields = fields.translate(None, b"\n")
        offsets[1:] -= np.arange(1, len(gaps) + 1, dtype=np.int32)
    texts = pa.Array.from_buffers(
        pa.string(), len(gaps), [None, pa.py_buffer(offsets), pa.py_buffer(fields)]
    )
    try:
        # The system's allocator gives memory back; pyarrow's own would keep a block's share.
        numbers = compute.cast(texts, pa.float32(), memory_pool=pa.system_memory_pool())
    except pa.ArrowInvalid:
        return None
    rows = numbers.to_numpy(zero_copy_only=False).reshape(-1, width)[:, 1:]
    if not np.isfinite(rows).all() and not _are_written(block, rows):
        return None
    return Part(words, rows, [])


def _words_taken(codes: Codes, begins: Offsets, ends: Places) -> list[bytes]:
    """Return the words of lines, and write zeros over them, which are numbers."""
    lengths = ends - begins
    within = np.cumsum(lengths)
    places = np.arange(within[-1] if len(within) else 0)
    places += np.repeat(begins - (within - lengths), lengths)
    offsets = np.concatenate([[0], within]).astype(np.int32)
    taken = pa.py_buffer(codes[places].tobytes())
    codes[places] = _ZERO
    words = pa.Array.from_buffers(pa.binary(), len(lengths), [None, pa.py_buffer(offsets), taken])
    listed: list[bytes] = words.to_pylist()
    return listed


def _are_written(block: bytes, rows: FloatArray) -> bool:
    """Return whether what is not finite is written so in the text.

    An infinity may be a number that is too large, and pyarrow takes `nan(1)` for a number.
    """
    if np.isnan(rows).any() and re.search(rb"nan\(", block, re.I):
        return False
    infinite = int(np.isinf(rows).sum())
    return not infinite or len(re.findall(rb"[ \t][+-]?inf", block, re.I)) >= infinite


def _merged(regular: Part, places: Places, other_places: Places, others: Part) -> Part:
    """Return the rows of regular and of other lines in the order of the text.

    Args:
        places: of the regular lines in the block.
        other_places: of those other lines that are rows.
    """
    order = np.argsort(np.concatenate([places, other_places]), kind="stable")
    words = [*regular.words, *others.words]
    rows = np.concatenate([regular.rows, others.rows])[order]
    return Part([words[i] for i in order.tolist()], rows, others.problems)


def _all_by_the_rule(block: bytes, layout: Layout) -> Part:
    return _by_the_rule(list(enumerate(block.split(b"\n")[:-1])), layout)[1]


def _by_the_rule(lines: list[tuple[int, bytes]], layout: Layout) -> tuple[Places, Part]:
    """Parse lines by the rule itself.

    Returns the places of those that are rows, and the rows.

    Args:
        lines: each with its place in the block.
    """
    places, words, rows = [], [], []
    problems: list[tuple[str, int, str]] = []
    output_dim, separator = layout.output_dim, layout.separator
    for place, raw in lines:
        line = raw.removesuffix(b"\r").rstrip(separator)
        fields = line.split(separator)
        wrong = _wrong(fields, output_dim)
        if wrong is not None:
            if line:
                problems.append((wrong[0], place, wrong[1]))
            continue
        row = _row(fields[-output_dim:])
        if row is None:
            too_large = "has a number that float32 cannot hold (up to 3.4e38)"
            problems.append(("numbers", place, too_large))
            continue
        places.append(place)
        words.append(separator.join(fields[:-output_dim]))
        rows.append(row)
    stacked = np.stack(rows) if rows else np.empty((0, output_dim), np.float32)
    return np.array(places, np.int64), Part(words, stacked, problems)


def _row(numbers: list[bytes]) -> FloatArray | None:
    """Return the numbers of a row; None where one is too large for float32."""
    values = pa.array([number.decode() for number in numbers])
    row: FloatArray = values.cast(pa.float32()).to_numpy(zero_copy_only=False)
    written = sum(number.lower().lstrip(b"+-").startswith(b"inf") for number in numbers)
    return row if int(np.isinf(row).sum()) == written else None


def _wrong(fields: list[bytes], output_dim: int) -> tuple[str, str] | None:
    """Return what is wrong with a line, its kind and then in words; None for a row."""
    if len(fields) <= output_dim:
        return "short lines", f"has {plural(len(fields) - 1, 'number')}; expected {output_dim}"
    for place, field in enumerate(fields[-output_dim:], len(fields) - output_dim):
        if not is_number(field):
            quoted = clipped_repr(field.decode("utf-8", "backslashreplace"))
            return "numbers", f"has {quoted} as field {place + 1}; expected a number"
    extra = fields[1:-output_dim]
    if any(map(is_number, extra)):
        return "long lines", f"has {plural(len(fields) - 1, 'number')}; expected {output_dim}"
    return None
