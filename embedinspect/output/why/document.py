"""What `why` gives to programs: every text with all of its tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from embedinspect.analysis.why.records import (
    SORTS,
    Explanation,
    ReadToken,
    SortName,
    Why,
    by_effect,
)
from embedinspect.output.document import Document, about_source
from embedinspect.page import Value

_OF_TOKENS = (
    "token", "id", "position", "status", "reason", "probability", "change", "removed", "unknown",
    "attribution",
)  # fmt: skip


def document(explanation: Explanation, sort: SortName | None = None) -> Document:
    """Return every text with all of its tokens, in reading order, or those that matter first."""
    unknown = explanation.unknown
    head = {
        "source": about_source(explanation.source),
        "layers": list(explanation.layers),
        "labels": list(explanation.labels),
        "masks_padding": explanation.masks,
        "keras": {"version": explanation.version, "backend": explanation.backend},
        "unknown": None if unknown is None else {"id": unknown[0], "token": unknown[1]},
        "no_steps": explanation.no_steps,
        "no_unknown": explanation.no_unknown,
        "no_attributions": explanation.no_attributions,
        "notes": list(explanation.notes),
    }
    texts = (_text(why, sort) for why in explanation.whys)
    return Document(
        "why",
        head,
        {"texts": texts},
        lines="texts",
        columns=("text", *_OF_TOKENS),
        rows=_lines(explanation, sort),
    )


def _text(why: Why, sort: SortName | None) -> dict[str, Any]:
    return {
        "text": why.text,
        "label": why.label,
        "probabilities": list(why.probabilities),
        "asked": why.asked,
        "probability": why.probability,
        "positions": why.positions,
        "padding": why.padding,
        "nothing_read": why.nothing_read,
        "steps": None if why.steps is None else dict(vars(why.steps)),
        "without": None if why.without is None else dict(vars(why.without)),
        "turn": None if why.turn is None else dict(vars(why.turn)),
        "attributions": None if why.attributions is None else dict(vars(why.attributions)),
        "matters_most": _matters_most(why),
        "tokens": [_token(token) for token in _ordered(why, sort)],
    }


def _matters_most(why: Why) -> dict[str, Any]:
    """Return the tokens that matter most by each reading; None where the text has no such one."""
    most: dict[str, Any] = dict.fromkeys(SORTS)
    most |= dict.fromkeys(why.readings, ())
    for by, tokens in why.matters_most(why.readings).items():
        most[by] = [{"token": token.token, "position": token.position} for token in tokens]
    return most


def _ordered(why: Why, sort: SortName | None) -> list[ReadToken]:
    """Return all tokens; where they are sorted, those that are not read come last."""
    if sort is None:
        return list(why.tokens)
    read = why.read
    others = [token for token in why.tokens if token.position is None]
    return [*(read[place] for place in by_effect(why, sort)), *others]


def _token(token: ReadToken) -> dict[str, Value]:
    return {name: getattr(token, name) for name in _OF_TOKENS}


def _lines(explanation: Explanation, sort: SortName | None) -> Iterator[dict[str, Any]]:
    for number, why in enumerate(explanation.whys):
        for token in _ordered(why, sort):
            yield {"text": number, **_token(token)}
        if not why.tokens:  # a line for each text, as programs count on it
            yield {"text": number, "reason": "the text has no token"}
