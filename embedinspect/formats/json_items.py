"""The items of a JSON text, one after another: of JSON Lines, of a list, or of an object.

No more than one item is held in memory beside the text, so that a small file stays small.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from embedinspect.errors import DataError
from embedinspect.formats.packed import PackedFile
from embedinspect.wording import clipped_repr

_BLOCK = 2**22
_LONGEST_ITEM = 2**24  # bytes; a million numbers have about that
_LARGEST_TEXT = 2**29  # of a list or an object, which is read whole
_MOST_BRACKETS, _MOST_BRACKETS_IN_LINE = 2**22, 2**18
_SPACE = re.compile(r"[ \t\n\r]*")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Item:
    """An item of a JSON text.

    Attributes:
        place: where it is, in words: `line 3` or `item 3`.
        key: its name, where it is a part of an object.
        value: what it is.
        text: as it is written.
    """

    place: str
    key: str | None
    value: Any
    text: str


def items_of(file: PackedFile, label: str, *, lines: bool = False) -> Iterator[Item]:
    """Yield the items of a text: its lines, where the first is JSON by itself, or its parts.

    Args:
        label: how errors name the file.
        lines: whether the text is JSON Lines by its name, whatever its first line is.

    Raises:
        DataError: the text is no JSON, nests too deep, or is too large.
    """
    start = file.read(_BLOCK).removeprefix(_BOM)
    while b"\n" not in start.strip() and len(start) <= _LONGEST_ITEM:
        data = file.read(_BLOCK)
        if not data:
            break
        start += data
    first, _, rest = start.lstrip().partition(b"\n")
    if len(first) <= _LONGEST_ITEM and (_is_one_of_lines(first, rest) or lines):
        yield from _lines(file, start, label)
    else:
        yield from _parts(_whole(file, start, label), label)


def _is_one_of_lines(first: bytes, rest: bytes) -> bool:
    """Return whether the first line of a text is JSON by itself, or damaged before such a line.

    In one value, what begins a line stands behind a bracket, a comma or a colon.
    """
    second = rest.lstrip()[:1]
    if not second:
        return False
    begins_anew = second in {b"{", b"["} and not first.rstrip().endswith((b"[", b"{", b",", b":"))
    return begins_anew or _is_json(first)


def _is_json(line: bytes) -> bool:
    """Return whether a line is JSON by itself."""
    if _brackets(line) > _MOST_BRACKETS_IN_LINE:
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _brackets(text: bytes) -> int:
    """Return how many lists and objects begin in a text, of which each takes a hundred bytes."""
    return text.count(b"[") + text.count(b"{")


def _lines(file: PackedFile, start: bytes, label: str) -> Iterator[Item]:
    """Yield the values of JSON Lines; blank lines are left out."""
    number, rest = 0, start
    while rest:
        lines = rest.split(b"\n")
        data = file.read(_BLOCK)
        rest = lines.pop() + data if data else b""
        for line in lines:
            number += 1
            if line.strip():
                yield _line(line, number, label)
        if len(rest) > _LONGEST_ITEM + _BLOCK:
            raise DataError(
                f"{label} line {number + 1} has more than {_LONGEST_ITEM:,} bytes; expected one "
                "object a line"
            )


def _line(line: bytes, number: int, label: str) -> Item:
    """Return the value in one line."""
    place = f"line {number}"
    if len(line) > _LONGEST_ITEM or _brackets(line) > _MOST_BRACKETS_IN_LINE:
        raise DataError(f"{label} {place} is too large; expected an object with a list of numbers")
    try:
        text = line.decode("utf-8")
        return Item(place, None, json.loads(text), text)
    except (ValueError, RecursionError) as error:
        raise _damaged(error, label, place) from None


def _damaged(error: Exception, label: str, place: str) -> DataError:
    if isinstance(error, RecursionError):
        return DataError(f"{label} {place} nests too deep; expected an object of plain values")
    reason = clipped_repr(str(error), 80)
    if isinstance(error, json.JSONDecodeError):  # which counts lines from the beginning of the item
        where = f"column {error.colno}" if place.startswith("line") else f"line {error.lineno}"
        reason = f"{error.msg}: {where}"
    return DataError(
        f"{label} {place} is damaged JSON ({reason}); expected a value such as "
        '{"word": "king", "vector": [0.5, 1]}'
    )


def _whole(file: PackedFile, start: bytes, label: str) -> str:
    """Return a text as a whole.

    Raises:
        DataError: it is too large, or would take much more memory than its size.
    """
    blocks, size = [start], len(start)
    while data := file.read(_BLOCK):
        blocks.append(data)
        size += len(data)
        if size > _LARGEST_TEXT:
            raise DataError(
                f"{label} is JSON of more than {_LARGEST_TEXT:,} bytes; expected JSON Lines, one "
                "object a line, which can be read in parts"
            )
    whole = b"".join(blocks)
    if _brackets(whole) > _MOST_BRACKETS or _longest_list(whole) > _LONGEST_ITEM:
        raise DataError(
            f"{label} has too many parts, or too long ones; expected a list of objects, each with "
            "a list of numbers"
        )
    try:
        return whole.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{label} is not UTF-8 (byte 0x{whole[error.start]:02x} at offset {error.start}); "
            "expected JSON, which is"
        ) from None


def _longest_list(text: bytes) -> int:
    """Return the most bytes before the next end of a list."""
    longest = start = 0
    while (end := text.find(b"]", start)) >= 0:
        longest, start = max(longest, end - start), end + 1
    return max(longest, len(text) - start)


def _parts(text: str, label: str) -> Iterator[Item]:
    """Yield the parts of a list or of an object.

    An object whose first value is no list is one item as a whole.
    """
    decoder = json.JSONDecoder()
    place = _after_space(text, 0)
    closer = {"[": "]", "{": "}"}.get(text[place : place + 1])
    number, first = 0, place
    try:
        if closer is None:
            raise ValueError("neither a list nor an object")
        place = _after_space(text, place + 1)
        while number or text[place : place + 1] != closer:
            number += 1
            key = None
            if closer == "}":
                key, place = decoder.raw_decode(text, place)
                place = _after_space(text, _after(text, place, ":"))
            value, end = decoder.raw_decode(text, place)
            if number == 1 and closer == "}" and not isinstance(value, list):
                yield Item("item 1", None, json.loads(text), text[first:])
                return
            yield Item(f"item {number}", key, value, text[place:end])
            place = _after_space(text, end)
            if text[place : place + 1] == closer:
                break
            place = _after_space(text, _after(text, place, ","))
        if _after_space(text, place + 1) != len(text):
            raise ValueError("more follows after its end")
    except (ValueError, RecursionError) as error:
        raise _damaged(error, label, f"item {max(1, number)}") from None


def _after_space(text: str, place: int) -> int:
    """Return where white space that begins in a place ends."""
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _after(text: str, place: int, mark: str) -> int:
    """Return the place after a mark that stands here, perhaps after white space.

    Raises:
        ValueError: it does not stand here.
    """
    place = _after_space(text, place)
    if text[place : place + 1] != mark:
        raise ValueError(f"no {mark!r} where one is expected")
    return place + 1
