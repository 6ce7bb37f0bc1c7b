"""What became of all tokens of a lookup: counts, and a few examples of each kind of loss."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from embedinspect.lookup import Lookup, TracedToken

STATUSES = ("looked_up", "replaced", "dropped", "cut_off", "filtered")
_TEXTS_WITH_EXAMPLES = 5


@dataclass(frozen=True)
class TokenCounts:
    """How many tokens met which end.

    Attributes:
        by_status: tokens of each status; `filtered` counts pieces of which nothing is left.
        filtered_characters: how often each character was removed by the filters.
        examples: for each status that lost tokens, (text, its tokens of that status), from the
            first texts that lost any.
    """

    by_status: dict[str, int]
    filtered_characters: dict[str, int]
    examples: dict[str, list[tuple[int, list[TracedToken]]]]

    @property
    def total(self) -> int:
        """Tokens of all texts, removed pieces not counted."""
        return sum(self.by_status.values()) - self.by_status["filtered"]


def count_tokens(lookup: Lookup) -> TokenCounts:
    """Count what became of the tokens of every text.

    Texts are traced token by token only where that is needed: for examples, and where the
    out-of-vocabulary token stands in a text as a word of its own.
    """
    by_status: Counter[str] = Counter(dict.fromkeys(STATUSES, 0))
    characters: Counter[str] = Counter()
    examples: dict[str, list[tuple[int, list[TracedToken]]]] = {}
    vocabulary = lookup.vocabulary
    starts = vocabulary.start_id is not None
    cut_start = lookup.settings.truncating == "pre"
    for index, text in enumerate(lookup.texts):
        removed = lookup.filtered_characters(index)
        characters.update(removed)
        ids = lookup.ids[index]
        tokens = vocabulary.tokenization.tokens(text)
        cut = max(0, len(ids) - lookup.maxlen)
        kept = ids[cut:] if cut_start else ids[: len(ids) - cut]
        oov = vocabulary.oov_id
        replaced = 0 if oov is None else int(np.count_nonzero(kept == oov))
        counts = {
            "looked_up": len(kept) - replaced,
            "replaced": replaced,
            "dropped": len(tokens) + starts - len(ids),
            "cut_off": cut,
            "filtered": 0,
        }
        if removed:
            counts["filtered"] = len(vocabulary.tokenization.pieces(text)) - len(tokens)
        wanted = [
            status
            for status in STATUSES[1:]
            if counts[status] and len(examples.get(status, ())) < _TEXTS_WITH_EXAMPLES
        ]
        ambiguous = replaced and vocabulary.oov_token in tokens
        if wanted or ambiguous:
            traced = lookup.trace(index)
            counts = dict(Counter(token.status for token in traced))
            for status in wanted:
                found = [token for token in traced if token.status == status]
                if found:
                    examples.setdefault(status, []).append((index, found))
        by_status.update(counts)
    return TokenCounts(dict(by_status), dict(characters), examples)
