"""The JSON objects that Keras writes, read within bounds."""

from __future__ import annotations

import json
from typing import Any

from embedinspect.errors import DataError

_MOST_BRACKETS, _MOST_COMMAS = 2**20, 2**24  # a list takes a hundred bytes of memory


def parsed(text: str, label: str) -> dict[str, Any]:
    """Return the JSON object in a text.

    Raises:
        DataError: there is none.
    """
    if text.count("[") + text.count("{") > _MOST_BRACKETS or text.count(",") > _MOST_COMMAS:
        raise DataError(f"{label} has too many parts to be a model; expected what Keras writes")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise DataError(f"{label} is not a JSON object; expected the file that Keras writes")
    return value
