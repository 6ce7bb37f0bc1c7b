"""How long the rules of a tokenizer may make a text, told before they are applied."""

from __future__ import annotations

import json
from typing import Any


def growth(part: Any) -> float:
    """Return how many times as long a part of the tokenizer may make a text, at most.

    Its rules may be nested, and each replaces what the one before it has made.
    """
    times = 1.0
    pending = [] if part is None else [json.loads(part.__getstate__())]
    while pending:
        rule = pending.pop()
        if isinstance(rule, dict):
            times = min(times * _growth_of(rule), 1e30)
            pending += rule.values()
        elif isinstance(rule, list):
            pending += rule
    return times


def _growth_of(rule: dict[str, Any]) -> float:
    if rule.get("type") == "Prepend":
        return 1.0 + len(str(rule.get("prepend", "")))
    if rule.get("type") != "Replace":
        return 1.0
    length, pattern = len(str(rule.get("content", ""))), rule.get("pattern")
    string = pattern.get("String") if isinstance(pattern, dict) else None
    if isinstance(string, str) and string:
        return max(1.0, length / len(string))
    return 1.0 + length  # an expression may match nothing at all, between any two characters
