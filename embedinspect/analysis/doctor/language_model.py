"""The table of a language model: its tokens, its rows, its output head and its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from embedinspect.analysis.doctor.case import Case
from embedinspect.analysis.doctor.finding import Check, Finding, share
from embedinspect.analysis.health import Rows
from embedinspect.analysis.language_model import LanguageModel, LikeUnused
from embedinspect.analysis.untrained import drawn_among
from embedinspect.wording import clipped_repr, listed, plural

_MULTIPLES = (1024, 512, 256, 128, 64, 32, 16, 8)
_MOST_NAMED = 8
_ALIKE = 0.01  # of the median distance between a row and the mean
# What a token that is there twice shows, and what that leads to.
_BY_SPACE = (
    "with a space before them and without",
    "a word has one row where it begins a text or follows a sign, and another where it follows a "
    "space",
)
_BY_PLACE = (
    "as they begin a word and inside one",
    "the same letters have one row at the beginning of a word, and another within it",
)
_SELDOM_SPACED = 0.9  # median cosine of pairs above which the space hardly matters


def _model_of(case: Case) -> LanguageModel:
    assert case.language_model is not None
    return case.language_model


def tokens_without_rows(case: Case) -> Iterator[Finding]:
    """Find tokens whose ids are beyond the matrix."""
    model = _model_of(case)
    beyond = sorted({**model.beyond, **{id_: t for t, id_ in model.special_beyond.items()}}.items())
    if not beyond:
        return
    special = sorted(model.special_beyond)
    also = f"; special ones: {listed(map(clipped_repr, special), 4)}" if special else ""
    yield Finding(
        kind="token-without-row",
        severity="error",
        what=f"{plural(len(beyond), 'token has', 'tokens have')} no row in the matrix",
        evidence=(
            f"the rows go from 0 to {model.rows - 1:,}, the ids to {beyond[-1][0]:,}: no row for "
            f"{listed((f'{clipped_repr(token)} (id {id_:,})' for id_, token in beyond), 3)}{also}"
        ),
        leads_to=(
            "PyTorch stops with IndexError (index out of range in self) at a text that holds one; "
            "on a GPU it is a device-side assertion, at some later line"
        ),
        mend="model.resize_token_embeddings(len(tokenizer)), and train; or the tokenizer that "
        "belongs to this model",
        numbers={
            "input_dim": model.rows,
            "tokens": len(beyond),
            "largest_id": beyond[-1][0],
            "first": [token for _, token in beyond[:100]],
            "special": special,
        },
    )


def vocab_size(case: Case) -> Iterator[Finding]:
    """Find a configuration that claims another number of rows."""
    model = _model_of(case)
    claimed = model.tokens.vocab_size
    assert claimed is not None
    if claimed == model.rows:
        return
    yield Finding(
        kind="vocab-size",
        severity="error",
        what="vocab_size in the configuration is not the number of rows",
        evidence=f"vocab_size is {claimed:,}; the matrix has {plural(model.rows, 'row')}",
        leads_to="loading the model fails, or gives it a new matrix that was never trained: a size "
        "mismatch",
        mend=f"vocab_size {model.rows} in the configuration, if the weights are the right ones",
        numbers={"vocab_size": claimed, "input_dim": model.rows},
    )


def output_head(case: Case) -> Iterator[Finding]:
    """Find a head that the configuration says is not there, or is not another matrix."""
    model = _model_of(case)
    head, tied = model.tokens.head, model.tokens.tied
    if head is None or tied is None or model.head_equals is None:
        return
    if tied and not model.head_equals:
        yield Finding(
            kind="head-not-tied",
            severity="warning",
            what="the configuration ties the output head to the input, but the file has another",
            evidence=f"tie_word_embeddings is true; {clipped_repr(head.name)} differs from the "
            "input embedding",
            leads_to="on loading, the head in the file is dropped without a word, and the input "
            "embedding predicts in its place",
            mend="tie_word_embeddings false in the configuration, if the head was trained apart",
            numbers={"tied": True, "head": head.name, "equal": False},
        )
    if not tied and model.head_equals:
        yield Finding(
            kind="head-equals-input",
            severity="note",
            what="input embedding and output head are not tied, but equal, number for number",
            evidence=f"tie_word_embeddings is false; {clipped_repr(head.name)} holds the same "
            "numbers",
            leads_to="the file is larger than it must be; once trained on, the two go apart",
            mend=None,
            numbers={"tied": False, "head": head.name, "equal": True},
        )


def rows_without_tokens(case: Case) -> Iterator[Finding]:
    """Find rows that no token has, such as those that fill a matrix up to a multiple."""
    model = _model_of(case)
    rows = model.without_token
    if not rows.size:
        return
    multiple = next((number for number in _MULTIPLES if model.rows % number == 0), None)
    at_end = rows[0] == model.rows - rows.size
    why = ""
    if at_end and multiple is not None and rows.size < multiple:
        why = f"; {model.rows:,} is a multiple of {multiple}"
    yield Finding(
        kind="rows-without-token",
        severity="note",
        what=f"{plural(rows.size, 'row is', 'rows are')} no token's",
        evidence=(
            f"{_which(case, rows)}{', at the end' if at_end else ''}; "
            f"{share(rows.size, model.rows)} of {model.rows:,} rows{why}"
        ),
        leads_to="no text reaches them, so they were not trained as inputs; a rank or a search "
        "over all rows counts them, and a model can predict them",
        mend=None,
        numbers=_numbers(rows, model.rows),
        rows=rows,
    )


def tokens_like_unused(case: Case) -> Iterator[Finding]:
    """Find tokens whose rows are as those of tokens that are known to be unused."""
    for mark in case.like_unused:
        if mark.rows.size:
            yield _like_unused(case, mark)


def _like_unused(case: Case, mark: LikeUnused) -> Finding:
    total, count = _model_of(case).rows, mark.rows.size
    by_length = mark.measure == "length"
    of_rows = "lengths" if by_length else "distances from their direction"
    return Finding(
        kind="tokens-like-unused" if by_length else "tokens-near-unused",
        severity="note",
        what=(
            f"{plural(count, 'token is', 'tokens are')} as "
            f"{'short' if by_length else 'near in direction'} as the unused ones"
        ),
        evidence=(
            f"{_which(case, mark.rows, _MOST_NAMED)}; {share(count, total)} of {total:,} rows; by "
            f"{of_rows} in {clipped_repr(mark.table)}: at most {mark.limit:.3g}, as nine in ten of "
            f"{plural(mark.unused.size, 'row')} known to be unused; the median of all rows is "
            f"{mark.median:.3g}"
        ),
        leads_to=(
            "training hardly reached them (glitch tokens): a model may not repeat them, and "
            "answers strangely to a text that holds one"
        ),
        mend=None,
        numbers={
            **_numbers(mark.rows, total),
            "values": mark.values[:100].tolist(),
            "limit": mark.limit,
            "median": mark.median,
            "unused": int(mark.unused.size),
            "table": mark.table,
        },
        rows=mark.rows,
    )


def new_rows(case: Case) -> Iterator[Finding]:
    """Find added tokens whose rows are as they were set when the matrix was enlarged."""
    yield from _new_rows_alike(case)
    yield from _new_rows_drawn(case)


def _new_rows_drawn(case: Case) -> Iterator[Finding]:
    assert case.source is not None
    said = ("rows-at-the-mean", "zero-rows", "rows-without-token", "rows-as-drawn")
    drawn = drawn_among(case.source.matrix.rows, case.unsaid(_added_rows(case), *said))
    if drawn is None:
        return
    yield Finding(
        kind="new-rows-drawn",
        severity="warning",
        what=f"{plural(drawn.rows.size, 'added token has a row', 'added tokens have rows')} as "
        "before training",
        evidence=(
            f"{_which(case, drawn.rows)}: noise with the deviation {drawn.deviation:.4g} of "
            f"{drawn.initializer}; most other rows have another"
        ),
        leads_to="they are as they were drawn when the matrix was enlarged: noise to the model",
        mend="train with texts that hold these tokens",
        numbers={**_numbers(drawn.rows, _model_of(case).rows), "deviation": drawn.deviation},
        rows=drawn.rows,
    )


def _new_rows_alike(case: Case) -> Iterator[Finding]:
    assert case.source is not None
    rows = case.unsaid(_added_rows(case), "rows-at-the-mean", "zero-rows", "rows-without-token")
    if rows.size < 2:
        return
    vectors = case.source.matrix.rows[rows].astype(np.float64)
    others = np.setdiff1d(np.arange(_model_of(case).rows), rows)[:4096]
    sample = case.source.matrix.rows[others].astype(np.float64)
    apart = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).max()
    usual = float(np.median(np.linalg.norm(sample - sample.mean(axis=0), axis=1)))
    if not apart < usual * _ALIKE:
        return
    yield Finding(
        kind="new-rows-alike",
        severity="warning",
        what=f"the rows of {plural(rows.size, 'added token')} are all alike",
        evidence=(
            f"{_which(case, rows)}; at most {apart:.2g} from their mean; the median distance of "
            f"other rows from theirs is {usual:.2g}"
        ),
        leads_to="they are as they were set when the matrix was enlarged: the model cannot tell "
        "these tokens apart",
        mend="train with texts that hold these tokens",
        numbers={**_numbers(rows, _model_of(case).rows), "distance": float(apart)},
        rows=rows,
    )


def _added_rows(case: Case) -> Rows:
    """Return the rows of the last tokens, where these are added ones."""
    model = _model_of(case)
    added = set(model.tokens.added.values())
    own = [id_ for id_ in model.tokens.ids.values() if id_ not in added]
    first = max(own, default=-1) + 1
    return np.array(sorted(id_ for id_ in added if first <= id_ < model.rows), np.int64)


def spaced_tokens(case: Case) -> Iterator[Finding]:
    """Find tokens that are there with and without a space before them, with rows far apart."""
    pairs, source = case.spaced_pairs, case.source
    if pairs is None or source is None or not pairs.median_cosine < _SELDOM_SPACED:
        return
    example = ", ".join(case.row_label(row) for row in (pairs.rows[0], pairs.spaced[0]))
    two, leads_to = _BY_SPACE if _model_of(case).tokens.space is not None else _BY_PLACE
    yield Finding(
        kind="spaced-tokens",
        severity="note",
        what=f"{plural(len(pairs.rows), 'token is', 'tokens are')} there twice, {two}",
        evidence=f"such as {example}; the median cosine of two such rows is "
        f"{pairs.median_cosine:.2f}",
        leads_to=leads_to,
        mend=None,
        numbers={"pairs": len(pairs.rows), "median_cosine": pairs.median_cosine},
    )


def _which(case: Case, rows: Rows, most: int = 3) -> str:
    return listed((case.row_label(row) for row in rows.tolist()), most)


def _numbers(rows: Rows, total: int) -> dict[str, Any]:
    return {"rows": int(rows.size), "first": rows[:100].tolist(), "input_dim": total}


def _is_one(case: Case) -> bool:
    return case.language_model is not None


def _has_tokens(case: Case) -> bool:
    return _is_one(case) and bool(_model_of(case).tokens.ids)


def _says_size(case: Case) -> bool:
    return _is_one(case) and _model_of(case).tokens.vocab_size is not None


def _has_head(case: Case) -> bool:
    return _is_one(case) and _model_of(case).head_equals is not None


def _has_added(case: Case) -> bool:
    return _is_one(case) and bool(_added_rows(case).size)


CHECKS = (
    Check(
        "rows of tokens",
        "every token has a row",
        ("matrix",),
        tokens_without_rows,
        concerns=_has_tokens,
    ),
    Check(
        "vocab_size",
        "vocab_size is the number of rows",
        ("matrix",),
        vocab_size,
        concerns=_says_size,
    ),
    Check(
        "output head",
        "the output head is as the configuration says",
        ("matrix",),
        output_head,
        concerns=_has_head,
    ),
    Check(
        "tokens of rows",
        "every row is a token's",
        ("matrix",),
        rows_without_tokens,
        concerns=_has_tokens,
    ),
)
# What is said only of rows that other checks are silent about.
LATE_CHECKS = (
    Check(
        "added tokens",
        "the rows of added tokens do not look untrained",
        ("matrix",),
        new_rows,
        concerns=_has_added,
    ),
    Check(
        "unused tokens",
        "no other token's row is as those of unused tokens",
        ("matrix",),
        tokens_like_unused,
        concerns=lambda case: _is_one(case) and bool(case.like_unused),
    ),
    Check(
        "tokens there twice",
        "tokens that are there twice, by their place in a word, have like rows",
        ("matrix",),
        spaced_tokens,
        concerns=lambda case: _is_one(case) and case.spaced_pairs is not None,
    ),
)
