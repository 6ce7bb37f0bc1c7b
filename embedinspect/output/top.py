"""Which rows `--top` leaves: the same in every form of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

DEFAULT = 10  # of the tables; without --top the other forms leave nothing out

Item = TypeVar("Item")


def ends(items: Sequence[Item], top: int | None) -> Sequence[Item]:
    """Return the first and the last `top` items, each once; all of them without a `top`.

    >>> ends("abcdefg", 2), ends("abc", 2), ends("abc", None)
    (['a', 'b', 'f', 'g'], 'abc', 'abc')
    """
    if top is None or len(items) <= 2 * top:
        return items
    return [*items[:top], *items[-top:]]
