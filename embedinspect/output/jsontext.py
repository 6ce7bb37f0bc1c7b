"""JSON that is exact, safe to print, and can be written piece by piece."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache

from embedinspect.matrix import FloatArray
from embedinspect.output.digits import vector_json

SCHEMA_VERSION = 1
_CACHED_NUMBERS = 2**21

RowText = Callable[[int], str]


def dumps(value: object) -> str:
    """Return the value as JSON on one line.

    Characters that are not printable (controls, bidirectional overrides, lone surrogates) are
    escaped: that is the same string to a parser, and harmless on a terminal.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if text.isprintable() else json.dumps(value, allow_nan=False)


def cached_rows(rows: FloatArray, write: Callable[[FloatArray], str] = vector_json) -> RowText:
    """Return a function from a row's number to its text; a row is formatted once, mostly.

    The cache is bounded in numbers, so that a large matrix does not fill the memory.
    """

    cache = lru_cache(maxsize=max(1, _CACHED_NUMBERS // max(1, rows.shape[1])))
    text: RowText = cache(lambda id_: write(rows[id_]))
    return text
