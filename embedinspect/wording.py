"""The wording of messages: counts, lists, and text from strangers made harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

_LITERAL = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"}
# Control, format, surrogate, private and unassigned characters, line and paragraph separators:
# they move the cursor, hide or reorder text, or have no known width. And spaces other than the
# plain one, which would pass for it.
_ESCAPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Return `1 text`, `2 texts`, `1,000 texts`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def up_to(last: int) -> str:
    """Return which whole numbers there are from 0 to the last.

    >>> up_to(0), up_to(1), up_to(1999)
    ('0', '0 or 1', '0 to 1,999')
    """
    return ("0", "0 or 1")[last] if last < 2 else f"0 to {last:,}"


def listed(items: Iterable[str], most: int = 8, total: int | None = None) -> str:
    """Return the first items, separated by commas, and how many more there are beyond `most`.

    Args:
        total: how many there are, where only the first are given.
    """
    items = list(items)
    rest = (len(items) if total is None else total) - most
    return ", ".join(items[:most]) + (f", and {rest:,} more" if rest > 0 else "")


def with_and(items: Sequence[str]) -> str:
    """Return all items, the last behind an "and".

    >>> with_and(["3"]), with_and(["3", "7"]), with_and(["3", "7", "20"])
    ('3', '3 and 7', '3, 7 and 20')
    """
    return " and ".join([", ".join(items[:-1]), *items[-1:]] if len(items) > 1 else items)


def literal(text: str, encoding: str = "utf-8") -> str:
    """Return the text with an escape for every character that could disturb a screen.

    >>> literal("a\\x1b[1mb")
    'a\\\\x1b[1mb'
    """
    if text.isascii() and text.isprintable():
        return text
    escaped = "".join(_literal(character) for character in text)
    return escaped.encode(encoding, "backslashreplace").decode(encoding)


def _literal(character: str) -> str:
    if character == " " or unicodedata.category(character) not in _ESCAPED:
        return character
    if character in _LITERAL:
        return _LITERAL[character]
    code = ord(character)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def clipped_repr(text: str, most: int = 40) -> str:
    """Return the text in quotes for a message, cut off after `most` characters."""
    return repr(text if len(text) <= most else text[: most - 3] + "...")
