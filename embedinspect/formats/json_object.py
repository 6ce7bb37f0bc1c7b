"""JSON files of strangers: one object, neither too large nor too deep to be held in memory."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

from embedinspect.errors import DataError
from embedinspect.texts import read_bytes
from embedinspect.wording import clipped_repr

# The largest tokenizer.json in use, of 262,000 tokens and 515,000 merges, has 33 MB.
LARGEST_JSON = 2**26
MOST_PARTS = 2**22  # lists, objects and their keys, each of some 100 bytes in memory


def read_object(path: Path, expected: str, most: int = LARGEST_JSON) -> dict[str, Any]:
    """Return the JSON object in a file.

    Args:
        expected: what the file should be, for errors.
        most: how many bytes it may have.

    Raises:
        DataError: the file cannot be read, is too large, or holds no such object.
    """
    data = read_bytes(str(path), expected, most)
    label = repr(str(path))
    parts = data.count(b"[") + data.count(b"{") + data.count(b":")
    if parts > MOST_PARTS:
        raise DataError(
            f"{label} has {parts:,} brackets and colons; expected {expected}, with at most "
            f"{MOST_PARTS:,}"
        )
    try:
        value = _parsed(data)
    except RecursionError:
        raise DataError(f"{label} nests too deep; expected {expected}") from None
    except ValueError as error:
        reason = clipped_repr(str(error), 80)
        raise DataError(f"{label} is damaged JSON ({reason}); expected {expected}") from None
    if not isinstance(value, dict):
        raise DataError(f"{label} holds no JSON object; expected {expected}")
    return value


def _parsed(data: bytes) -> Any:
    """Return what JSON says, in half the time: no cycles can arise that need to be looked for."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return json.loads(data)
    finally:
        if collects:
            gc.enable()


def object_if_there(folder: Path, name: str, expected: str) -> dict[str, Any]:
    """Return the JSON object in a file of a folder; an empty one where there is no such file.

    Raises:
        DataError: what `read_object` raises.
    """
    path = folder / name
    return read_object(path, expected) if path.exists() else {}


def value_of(parent: dict[str, Any], key: str, kind: type[Any]) -> Any:
    """Return a value of an object where it is of that kind; else an empty one of that kind."""
    value = parent.get(key)
    return value if isinstance(value, kind) else kind()
