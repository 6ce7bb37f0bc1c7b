"""What lessons are made of: words for sentences, values for tables, lines of code."""

from __future__ import annotations

import pprint
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from embedinspect.lessons.record import Column, Value
from embedinspect.lookup import Lookup
from embedinspect.texts import literal

CODE_WIDTH = 60
PADDING = "·"
_LONGEST_WORD = 24

IMPORTS = ("import keras", "import numpy as np", "")


def word(text: str) -> str:
    """Return a token as a sentence shows it: in quotes, its controls escaped, its end clipped.

    >>> word("cat")
    "'cat'"
    """
    shown = literal(text)
    return f"'{shown if len(shown) <= _LONGEST_WORD else shown[: _LONGEST_WORD - 1] + '…'}'"


def exact(number: Any) -> float:
    """Return a float32 as the float whose shortest digits are the same.

    >>> exact(np.float32(0.1))
    0.1
    """
    return float(str(np.float32(number)))


def dimensions(vectors: Iterable[Any], width: int) -> list[Column]:
    """Return a column for each dimension of the vectors; None leaves its line empty."""
    found = list(vectors)
    return [
        Column(f"dim {d}", [None if vector is None else exact(vector[d]) for vector in found])
        for d in range(width)
    ]


def tokens_by_position(lookup: Lookup, text: int) -> list[str]:
    """Return the token at each position of one padded text; padding has its sign."""
    tokens = {token.position: token.token for token in lookup.trace(text)}
    return [tokens.get(position, PADDING) for position in range(lookup.maxlen)]


def ids_of(sequence: Iterable[Any]) -> tuple[int, ...]:
    """Return ids as plain numbers."""
    return tuple(int(id_) for id_ in sequence)


def assign(name: str, value: Any) -> list[str]:
    """Return the lines that give a plain value its name."""
    return _assigned(name, pprint.pformat(value, CODE_WIDTH - len(name) - 4, sort_dicts=False))


def array(name: str, values: np.ndarray[Any, Any] | Sequence[Sequence[int]]) -> list[str]:
    """Return the lines that give an array of numbers its name."""
    plain = values.tolist() if isinstance(values, np.ndarray) else [list(row) for row in values]
    shown = pprint.pformat(plain, CODE_WIDTH - len(name) - 13, compact=True)
    kind = "" if np.size(plain) else ', dtype="int32"'
    opening = f"{name} = np.array("
    indent = " " * len(opening)
    lines = [indent + line for line in shown.split("\n")]
    lines[0] = opening + lines[0].lstrip()
    lines[-1] += kind + ")"
    return lines


def drawn(name: str, input_dim: int, output_dim: int) -> list[str]:
    """Return the lines that draw the same matrix as `matrix.draw` with seed 0."""
    return [
        f"{name} = np.random.RandomState(0).uniform(",
        f"    -0.05, 0.05, ({input_dim}, {output_dim}))",
    ]


def _assigned(name: str, shown: str) -> list[str]:
    first, *rest = shown.split("\n")
    indent = " " * (len(name) + 3)
    return [f"{name} = {first}", *[indent + line for line in rest]]


def yes(value: bool) -> str:
    """Return yes or no."""
    return "yes" if value else "no"


def share(part: int, whole: int) -> str:
    """Return a share in percent, and 0% of nothing."""
    return f"{part / whole:.0%}" if whole else "0%"


def column(name: str, values: Iterable[Value], *, prose: bool = False) -> Column:
    """Return a column of the values."""
    return Column(name, list(values), prose)


def run_on(keras: Any) -> str:
    """Return which Keras it was, such as `Keras 3.15.1 on tensorflow`."""
    return f"Keras {keras.version()} on {keras.config.backend()}"


def error_text(error: BaseException, most: int = 120) -> str:
    """Return an error as one line: its type, and the start of what it says."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said if len(said) <= most else said[: most - 1] + '…'}"
