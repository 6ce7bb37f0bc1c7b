"""What a pickle is read as: plain values, names, and calls that are written down but never made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_HASH_PRIME = 2**61 - 1  # the hash of a smaller int is the int itself


@dataclass(frozen=True, slots=True)
class Global:
    """A function or a class that a pickle names: the name alone, such as `torch.FloatStorage`."""

    name: str


class Record:
    """What a call or an object of a class would be: written down, never made.

    Attributes:
        name: of the function or class.
        arguments: of the call.
        state: what was to be the object's state; None where there was none.
    """

    __slots__ = ("arguments", "name", "state")

    def __init__(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None

    @property
    def attributes(self) -> dict[Any, Any]:
        """The state where it is a dictionary, as that of an object usually is; or else none."""
        return self.state if isinstance(self.state, dict) else {}


# What a name stands for where it is called; None to write the call down.
Meaning = Callable[[tuple[Any, ...]], Any] | None


@dataclass(frozen=True)
class Rules:
    """What a kind of pickle may hold.

    Attributes:
        admitted: the names of globals, and what a call of them stands for.
        way_out: how to convert a file that names others, as the end of a sentence.
        persistent: returns what a persistent id stands for; None where there may be none.
    """

    admitted: Mapping[str, Meaning]
    way_out: str
    persistent: Callable[[Any], Any] | None = None


def an_ordered_dict(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """Return the dictionary that `collections.OrderedDict` would be, from pairs if there are any.

    Raises:
        ValueError: the arguments are others.
    """
    if not arguments:
        return {}
    [pairs] = arguments
    if not isinstance(pairs, list):
        raise ValueError("an OrderedDict of something else than pairs")
    return {as_key(key): value for key, value in map(tuple, pairs)}


def a_default_dict(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """Return an empty dictionary, whatever its missing values were to be."""
    return {}


def no_bytes(arguments: tuple[Any, ...]) -> bytes:
    """Return the bytes of `bytes()`, as Python 3 pickles those of length 0.

    Raises:
        ValueError: there are arguments.
    """
    if arguments:
        raise ValueError("bytes that are made of something else")
    return b""


def encoded(arguments: tuple[Any, ...]) -> bytes:
    """Return the bytes that `_codecs.encode(text, 'latin1')` gives, as Python 3 pickles bytes.

    Raises:
        ValueError: the arguments are others.
    """
    text, encoding = arguments
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes that are encoded in another way")
    return text.encode("latin1")


def as_key(value: Any) -> Any:
    """Return a value that may be a key: its hash takes no time, and it cannot be made to collide.

    The hash of a nested tuple may take for ever, and that of a number can be chosen.

    Raises:
        ValueError: it is another.
    """
    if type(value) in (str, bytes, bool) or value is None:
        return value
    if type(value) is int and abs(value) < _HASH_PRIME:
        return value
    raise ValueError(f"a key of the kind {type(value).__name__}")
