"""What became of all tokens of a lookup: counts, and a few examples of each kind of loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from embedinspect.lookup import Lookup
from embedinspect.tokenizing.subwords import SubwordVocabulary, is_special
from embedinspect.vocabulary import Status, Token

STATUSES: tuple[Status, ...] = get_args(Status)
_TEXTS_WITH_EXAMPLES = 5


@dataclass(frozen=True)
class TokenCounts:
    """How many tokens met which end.

    Attributes:
        by_status: tokens of each status; `filtered` counts pieces of which nothing is left.
        filtered_characters: how often each character was removed by the filters.
        special: how often a tokenizer put each of its special tokens around a text.
        examples: for each status that lost tokens, (text, its tokens of that status), from the
            first texts that lost any.
    """

    by_status: dict[str, int]
    filtered_characters: dict[str, int]
    examples: dict[str, list[tuple[int, list[Token]]]]
    special: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Number of tokens in all texts, removed pieces not counted."""
        return sum(self.by_status.values()) - self.by_status["filtered"]


def count_tokens(lookup: Lookup) -> TokenCounts:
    """Count what became of the tokens of every text.

    Texts are traced token by token only where that is needed: for examples, and where the
    out-of-vocabulary token stands in a text as a word of its own.
    """
    by_status: Counter[str] = Counter(dict.fromkeys(STATUSES, 0))
    characters: Counter[str] = Counter()
    examples: dict[str, list[tuple[int, list[Token]]]] = {}
    subwords = isinstance(lookup.vocabulary, SubwordVocabulary)
    for text in range(len(lookup.texts)):
        removed = lookup.filtered_characters(text)
        characters.update(removed)
        if subwords:
            counts, certain = _counts_of_subwords(lookup, text)
        else:
            counts, certain = _counts(lookup, text, filtered=bool(removed))
        if not certain or _wanted(counts, examples):
            traced = lookup.trace(text)
            counts = dict(Counter(token.status for token in traced))
            for status in _wanted(counts, examples):
                tokens = [token for token in traced if token.status == status]
                examples.setdefault(status, []).append((text, tokens))
        by_status.update(counts)
    return TokenCounts(dict(by_status), dict(characters), examples, _special(lookup))


def _wanted(
    counts: Mapping[str, int], examples: Mapping[str, list[tuple[int, list[Token]]]]
) -> list[Status]:
    """Return the kinds of loss that a text has and of which there are too few examples yet."""
    return [
        status
        for status in STATUSES[1:]
        if counts.get(status) and len(examples.get(status, ())) < _TEXTS_WITH_EXAMPLES
    ]


def _special(lookup: Lookup) -> dict[str, int]:
    """Return how often each special token stands around the texts: around each of them the same."""
    if not isinstance(lookup.vocabulary, SubwordVocabulary) or not lookup.texts:
        return {}
    counts = Counter(token.token for token in lookup.trace(0) if is_special(token))
    return {token: count * len(lookup.texts) for token, count in counts.items()}


def _counts_of_subwords(lookup: Lookup, text: int) -> tuple[dict[str, int], bool]:
    """Return the same for a text that the tokenizer of a language model has cut.

    That is certain where nothing is unknown.
    """
    vocabulary, ids = lookup.vocabulary, lookup.ids[text]
    assert isinstance(vocabulary, SubwordVocabulary)
    counts = {"looked_up": len(ids)}
    if vocabulary.max_length is not None and len(ids) >= vocabulary.max_length:
        counts["cut_off"] = vocabulary.whole_length(lookup.texts[text]) - len(ids)
    return counts, not (vocabulary.drops_unknown or vocabulary.oov_id in ids)


def _counts(lookup: Lookup, text: int, *, filtered: bool) -> tuple[dict[str, int], bool]:
    """Return how many tokens of a text have each status, and whether that is certain.

    It is not where the text holds the out-of-vocabulary token as a word: its id is looked up
    there, and elsewhere it replaces another word's.

    Args:
        filtered: whether the filters removed any character of the text.
    """
    vocabulary, ids = lookup.vocabulary, lookup.ids[text]
    tokens = vocabulary.tokenization.tokens(lookup.texts[text])
    cut = max(0, len(ids) - lookup.maxlen)
    kept = ids[cut:] if lookup.settings.truncating == "pre" else ids[: len(ids) - cut]
    replaced = int(np.isin(kept, vocabulary.unknown_ids).sum()) if len(kept) else 0
    starts = vocabulary.start_id is not None
    pieces = len(vocabulary.tokenization.pieces(lookup.texts[text])) if filtered else len(tokens)
    counts = {
        "looked_up": len(kept) - replaced,
        "replaced": replaced,
        "dropped": len(tokens) + starts - len(ids),
        "cut_off": cut,
        "filtered": pieces - len(tokens),
    }
    return counts, not (replaced and vocabulary.oov_token in tokens)
