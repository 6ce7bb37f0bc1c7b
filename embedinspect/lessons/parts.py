"""What lessons are made of: words for sentences, values for tables, lines of code."""

from __future__ import annotations

import ast
import pprint
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from embedinspect.lookup import Lookup
from embedinspect.page import Column, Kind, Table, Value
from embedinspect.wording import literal

CODE_WIDTH = 60
MOST_ROWS = 14
PADDING = "·"
_LONGEST_WORD = 24

IMPORTS = ("import keras", "import numpy as np")


def word(text: str) -> str:
    """Return a token for a sentence: in quotes, control characters escaped, its end clipped.

    >>> word("cat")
    "'cat'"
    """
    clipped = literal(text)
    if len(clipped) > _LONGEST_WORD:
        clipped = clipped[: _LONGEST_WORD - 1] + "…"
    quote = '"' if "'" in clipped else "'"
    return quote + clipped + quote


def exact(number: Any) -> float:
    """Return a float32 as the float whose shortest digits are the same.

    >>> exact(np.float32(0.1))
    0.1
    """
    return float(str(np.float32(number)))


def dimensions(vectors: Iterable[Any], width: int) -> list[Column]:
    """Return a column for each dimension of the vectors; None leaves its line empty."""
    rows = list(vectors)
    return [
        column(f"dim {dim}", [None if row is None else exact(row[dim]) for row in rows])
        for dim in range(width)
    ]


def tokens_by_position(lookup: Lookup, text: int) -> list[str]:
    """Return the token at each position of one padded text; padding has its sign."""
    tokens = {token.position: token.token for token in lookup.trace(text)}
    return [tokens.get(position, PADDING) for position in range(lookup.maxlen)]


def ids_of(sequence: Iterable[Any]) -> tuple[int, ...]:
    """Return ids as plain numbers."""
    return tuple(int(id_) for id_ in sequence)


def assign(name: str, value: dict[Any, Any] | Sequence[Any]) -> list[str]:
    """Return the lines that give a dictionary or a list its name."""
    if isinstance(value, dict):
        return _filled(f"{name} = {{", [f"{key!r}: {value[key]!r}" for key in value], "}")
    return _filled(f"{name} = [", list(map(repr, value)), "]")


def array(name: str, values: np.ndarray[Any, Any]) -> list[str]:
    """Return the lines that give an array of ids its name."""
    dtype = "" if values.size else ', dtype="int32"'
    return _filled(f"{name} = np.array([", list(map(str, values.tolist())), f"]{dtype})")


def drawn(name: str, input_dim: int, output_dim: int) -> list[str]:
    """Return the lines that draw the same matrix as `matrix.draw` with seed 0."""
    return [
        f"{name} = np.random.RandomState(0).uniform(",
        f"    -0.05, 0.05, ({input_dim}, {output_dim}))",
    ]


def _filled(opening: str, items: Sequence[str], closing: str) -> list[str]:
    """Return the items between the two, on one line or as many to a line as fit."""
    line = opening + ", ".join(items) + closing
    if len(line) <= CODE_WIDTH:
        return [line]
    lines = [opening]
    for item in items:
        if len(lines) > 1 and len(lines[-1]) + len(item) + 2 <= CODE_WIDTH:
            lines[-1] += f" {item},"
        else:
            lines += [f"    {part}" for part in _parts(item)]
            lines[-1] += ","
    return [*lines, closing]


def _parts(item: str) -> list[str]:
    """Return a long list of ids, or a long text, as several lines of the same value."""
    room = CODE_WIDTH - 5
    if len(item) <= room:
        return [item]
    if item[0] == "[":
        return textwrap.wrap(item, room, break_long_words=False)
    if item[-1] in "'\"":  # a text, and no entry of a dictionary
        return pprint.pformat(ast.literal_eval(item), width=room).split("\n")
    return [item]


def yes(value: bool) -> str:
    """Return yes or no."""
    return "yes" if value else "no"


def share(part: int, whole: int) -> str:
    """Return a share in percent, and 0% of nothing."""
    return f"{part / whole:.0%}" if whole else "0%"


def table(title: str, columns: Sequence[Column]) -> Table:
    """Return a table of which a screen leaves out the middle rows where there are many."""
    return Table(title, columns, most=MOST_ROWS)


def column(name: str, values: Iterable[Value], kind: Kind | None = None) -> Column:
    """Return a column of the values.

    Args:
        kind: how they are written; by default a sequence, a number or a text, as the values are.
            Numbers that name something, such as token ids and rows, need the kind `id`.
    """
    listed = list(values)
    return Column(name, listed, kind or _kind(listed))


def _kind(values: Sequence[Value]) -> Kind:
    known = [value for value in values if value is not None and value != ""]
    if any(isinstance(value, tuple) for value in known):
        return "sequence"
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
    return "number" if numbers else "text"


def run_on(keras: Any) -> str:
    """Return the version and backend of Keras, such as `Keras 3.15.1 on tensorflow`."""
    return f"Keras {keras.version()} on {keras.config.backend()}"


def error_text(error: BaseException, most: int = 120) -> str:
    """Return an error as one line: its type, and the start of its message."""
    message = " ".join(str(error).split())
    if len(message) > most:
        message = message[: most - 1] + "…"
    return f"{type(error).__name__}: {message}"
