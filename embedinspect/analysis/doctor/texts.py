"""Texts and settings: how much of the texts reaches the layer, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from embedinspect.analysis.doctor.case import Case, Need
from embedinspect.analysis.doctor.finding import Check, Finding, share
from embedinspect.tokenizing.subwords import SubwordVocabulary
from embedinspect.wording import clipped_repr, listed, plural

# The classic IMDB recipe cuts 6.8 % of the tokens and has 10 % out of vocabulary, and is sound.
MOST_CUT = 0.10
MOST_UNKNOWN, SOME_UNKNOWN = 0.25, 0.05
FAR_ABOVE = 2


def unknown_words(case: Case) -> Iterator[Finding]:
    """Find a large share of tokens that are dropped, or replaced by the out-of-vocabulary id."""
    vocabulary, limit = case.vocabulary, case.limit
    assert vocabulary is not None
    total = case.tokens.total()
    index = vocabulary.word_index
    unknown = {word: count for word, count in case.tokens.items() if word not in index}
    beyond = {
        word: count for word, count in case.tokens.items() if limit and index.get(word, 0) >= limit
    }
    lost = sum(unknown.values()) + sum(beyond.values())
    if lost <= total * SOME_UNKNOWN:
        return
    oov = vocabulary.oov_token if vocabulary.oov_id is not None else None
    words = sorted((unknown | beyond).items(), key=lambda item: -item[1])
    most_used = listed((clipped_repr(word) for word, _ in words), 4)
    why = [
        f"{count:,} {reason}"
        for count, reason in (
            (sum(unknown.values()), "not in the vocabulary"),
            (sum(beyond.values()), f"not below num_words {limit}"),
        )
        if count
    ]
    become = f"become {clipped_repr(oov)}" if oov is not None else "are dropped"
    yield Finding(
        kind="unknown-words",
        severity="warning" if lost > total * MOST_UNKNOWN else "note",
        what=f"{share(lost, total)} of the tokens {become}",
        evidence=f"{lost:,} of {total:,} tokens ({', '.join(why)}); the most used: {most_used}",
        leads_to=(
            "the model reads the same id for all of them"
            if oov is not None
            else "the words beside them move together, as if they had not been there"
        ),
        mend=(
            "a model whose tokenizer was made from texts like these"
            if _has_subwords(case)
            else "a larger num_words, and the vocabulary of texts like these"
            if beyond and not unknown
            else "the vocabulary of texts like these, and the same lower-casing and filters"
        ),
        numbers={
            "tokens": total,
            "unknown": sum(unknown.values()),
            "beyond_num_words": sum(beyond.values()),
            "share": lost / total if total else 0.0,
            "replaced_by": oov,
        },
    )


def empty_texts(case: Case) -> Iterator[Finding]:
    """Find texts of which no id is left."""
    assert case.vocabulary is not None
    empty = np.flatnonzero(case.lengths == case.vocabulary.special_count)
    if not empty.size:
        return
    first = int(empty[0])
    yield Finding(
        kind="empty-texts",
        severity="warning",
        what=f"{plural(empty.size, 'text has', 'texts have')} no known word",
        evidence=(
            f"{empty.size:,} of {len(case.texts):,} texts ({share(empty.size, len(case.texts))}); "
            f"the first is text {first}: {clipped_repr(case.texts[first])}"
        ),
        leads_to=(
            "the model reads special tokens alone, or nothing"
            if _has_subwords(case)
            else "such a sequence is padding alone: with a mask GlobalAveragePooling1D gives NaN, "
            "and an LSTM run by cuDNN on a GPU stops with an error"
        ),
        mend=(
            "leave these texts out"
            if _has_subwords(case)
            else "leave these texts out, or give unknown words an id of their own: --oov-token"
            if case.counted
            else "leave these texts out, or make the vocabulary anew with an oov_token, and train "
            "with it"
        ),
        numbers={"texts": int(empty.size), "first": empty[:100].tolist()},
    )


def truncation(case: Case) -> Iterator[Finding]:
    """Find a share of ids that `maxlen` cuts off."""
    maxlen = case.maxlen
    assert maxlen is not None
    cut = np.maximum(case.lengths.astype(np.int64) - maxlen, 0)
    lost, total = int(cut.sum()), int(case.lengths.sum())
    if not lost:
        return
    side = "start" if case.settings.truncating == "pre" else "end"
    texts = int((cut > 0).sum())
    keeps = int(np.percentile(case.lengths, 95))
    much = lost > total * MOST_CUT
    yield Finding(
        kind="truncation",
        severity="warning" if much else "note",
        what=f"maxlen {maxlen:,} cuts off {share(lost, total)} of the ids",
        evidence=(
            f"{lost:,} of {total:,} ids, at the {side} of {texts:,} of {len(case.texts):,} texts; "
            f"the longest has {plural(int(case.lengths.max()), 'id')}, 95% have at most {keeps:,}"
        ),
        leads_to=f"the model never sees the {side} of these texts"
        + ("" if much else "; of little harm, unless that part matters"),
        mend=(
            f"maxlen={max(keeps, maxlen + 1)}, or truncating at the other side where that "
            "matters less"
            if much
            else None
        ),
        numbers={
            "maxlen": maxlen,
            "cut": lost,
            "ids": total,
            "share": lost / total,
            "texts": texts,
            "longest": int(case.lengths.max()),
            "length_95": keeps,
        },
    )


def maxlen_too_large(case: Case) -> Iterator[Finding]:
    """Find a `maxlen` far above what the texts need, and what it costs."""
    maxlen, longest = case.maxlen, int(case.lengths.max())
    assert maxlen is not None
    if maxlen < FAR_ABOVE * longest:
        return
    positions = maxlen * len(case.texts)
    padding = positions - int(case.lengths.sum())
    fixed = case.settings.maxlen is None or (
        case.source is not None and case.source.run is not None
    )
    yield Finding(
        kind="maxlen-too-large",
        severity="note" if fixed else "warning",
        what=f"maxlen {maxlen:,} is far above what these texts need",
        evidence=(
            f"the longest text has {plural(longest, 'id')}; {padding:,} of {positions:,} positions "
            f"are padding ({share(padding, positions)})"
        ),
        leads_to=(
            f"an LSTM takes one step for each position: {maxlen / longest:.1f} times the work"
            + ("" if case.mask_zero else ", and without a mask it reads all the padding")
            + ("; usual where these texts are shorter than the training texts" if fixed else "")
        ),
        mend=None if fixed else f"maxlen={longest}",
        numbers={
            "maxlen": maxlen,
            "longest": longest,
            "padding": padding,
            "positions": positions,
            "share": padding / positions,
        },
    )


def _can_be_unknown(case: Case) -> bool:
    """Return whether a token could be unknown: not where all of them have just been counted."""
    return not case.counted or case.limit is not None


def _has_subwords(case: Case) -> bool:
    return isinstance(case.vocabulary, SubwordVocabulary)


def _pads_to_maxlen(case: Case) -> bool:
    """Return whether maxlen is to how many positions texts are padded, and not just a limit."""
    return _has_ids(case) and not _has_subwords(case)


def _has_ids(case: Case) -> bool:
    if not (case.has("texts") and case.has("vocabulary")):
        return True
    return bool(case.lengths.any())


_ENCODED: tuple[Need, ...] = ("texts", "vocabulary")
CHECKS = (
    Check(
        "unknown words",
        "most tokens are known",
        _ENCODED,
        unknown_words,
        concerns=_can_be_unknown,
    ),
    Check("empty texts", "no text is empty", _ENCODED, empty_texts),
    Check("truncation", "nothing is cut off", (*_ENCODED, "maxlen"), truncation, concerns=_has_ids),
    Check(
        "maxlen",
        "maxlen is not far above what the texts need",
        (*_ENCODED, "maxlen"),
        maxlen_too_large,
        concerns=_pads_to_maxlen,
    ),
)
