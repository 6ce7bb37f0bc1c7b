"""Rows: broken numbers, rows that are alike, rows that training forgot or spoiled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from embedinspect.analysis.doctor.case import Case
from embedinspect.analysis.doctor.finding import Check, Finding, share
from embedinspect.analysis.health import Rows
from embedinspect.row_words import PADDING_NAMES
from embedinspect.wording import listed, plural

_MOST_ZERO = _MOST_UNMOVED = 0.5
_FEW_DUPLICATES = 0.01
# The classic IMDB recipe, without a mask, leaves its padding row 5.4 times as long as the others.
_LONGER, _DRIFTED = 5.0, 15.0


def not_finite(case: Case) -> Iterator[Finding]:
    """Find rows with NaN, and rows with infinite numbers."""
    for kind, rows, word in (
        ("nan-rows", case.health.nan_rows, "NaN"),
        ("infinite-rows", case.health.infinite_rows, "infinite numbers"),
    ):
        if rows.size:
            yield Finding(
                kind=kind,
                severity="error",
                what=f"{plural(rows.size, 'row holds', 'rows hold')} {word}",
                evidence=_which(case, rows),
                leads_to="a text with such a word gets NaN, and a batch with it ruins training",
                mend=(
                    "go back to the weights before the loss became NaN; a lower learning rate or "
                    "clipnorm=1.0 keeps it from coming back"
                ),
                numbers=_numbers(rows),
                rows=rows,
            )


def _zero_rows(case: Case) -> Rows:
    """Return the rows of zeros, other than the padding row."""
    assert case.source is not None
    rows, words = case.health.zero_rows, case.source.words
    if case.language_model is not None and words is not None:  # whose padding has any row
        return np.array([row for row in rows.tolist() if words[row] not in PADDING_NAMES], np.int64)
    row_0_is_a_word = words is not None and words[0] is not None
    return rows if row_0_is_a_word and not case.source.row_0_is_padding else rows[rows != 0]


def _zero_rows_unsaid(case: Case) -> Rows:
    said = ("words-left-without-vector", "rows-beyond-vocabulary", "rows-without-token")
    return case.unsaid(_zero_rows(case), *said)


def zero_rows(case: Case) -> Iterator[Finding]:
    """Find rows of zeros that no other finding explains."""
    assert case.source is not None
    rows = _zero_rows_unsaid(case)
    if not rows.size:
        return
    total = case.source.matrix.input_dim
    many = rows.size > total * _MOST_ZERO
    yield Finding(
        kind="zero-rows",
        severity="warning" if many else "note",
        what=f"{plural(rows.size, 'row is', 'rows are')} all zeros",
        evidence=f"{_which(case, rows)}; {share(rows.size, total)} of {total:,} rows",
        leads_to=(
            "words without a vector are all the same to the model, and have no direction: their "
            "cosine is undefined"
            + ("" if many else "; usual for words that had none to begin with")
        ),
        mend=(
            "see what is missing and why: embedinspect coverage VECTORS --file TEXTS"
            if many
            else "put the rows in their right places first, then see which words have zeros"
            if case.misplaced
            else None
        ),
        numbers=_numbers(rows) | {"input_dim": total},
        rows=rows,
    )


def duplicate_rows(case: Case) -> Iterator[Finding]:
    """Find rows that equal an earlier one, number for number."""
    assert case.source is not None
    rows, first = case.health.duplicate_rows, case.health.duplicate_of
    if not rows.size:
        return
    total = case.source.matrix.input_dim
    pairs = [
        f"{case.row_label(row)} equals {case.row_label(other)}"
        for row, other in zip(rows[:3].tolist(), first[:3].tolist(), strict=True)
    ]
    more = f", and {rows.size - 3:,} more" if rows.size > 3 else ""
    yield Finding(
        kind="duplicate-rows",
        severity="note" if rows.size <= total * _FEW_DUPLICATES else "warning",
        what=f"{plural(rows.size, 'row equals', 'rows equal')} an earlier one, number for number",
        evidence=f"{'; '.join(pairs)}{more}; {share(rows.size, total)} of {total:,} rows",
        leads_to="the model cannot tell these words apart",
        mend="see that each row was filled from the vector of its own word",
        numbers=_numbers(rows) | {"same_as": first[:100].tolist(), "input_dim": total},
        rows=rows,
    )


def _lengths_compare(case: Case) -> bool:
    """Return whether there is a padding row, and a length that it could be compared with."""
    if case.source is None or case.behind is None:
        return True
    finite = np.isfinite(case.source.lengths())
    return bool(finite[0] and finite[1:].any())


def padding_row(case: Case) -> Iterator[Finding]:
    """Find a padding row far longer than the others."""
    assert case.source is not None
    lengths = case.source.lengths()
    others = lengths[1:][np.isfinite(lengths[1:])]
    middle, own = float(np.median(others)), float(lengths[0])
    if not own > _LONGER * middle > 0:
        return
    yield Finding(
        kind="padding-row-drifted",
        severity="warning" if own > _DRIFTED * middle else "note",
        what="the padding row has drifted far from the others",
        evidence=(
            f"row 0 is {own:.4g} long, the median of the others {middle:.4g}: "
            f"{own / middle:.1f} times"
        ),
        leads_to=(
            "without a mask the padding is trained like a word, the most frequent one, and pulls "
            "at every average and every state"
        ),
        mend="mask_zero=True in the Embedding layer",
        numbers={"norm": own, "median_norm": middle, "ratio": own / middle},
    )


def unmoved_rows(case: Case) -> Iterator[Finding]:
    """Find rows that training left as they were drawn, though their ids may be looked up."""
    assert case.health.unmoved_rows is not None
    assert case.source is not None
    rows = case.unsaid(case.health.unmoved_rows, "unused-rows")
    if case.mask_zero:  # no gradient reaches the padding's row
        rows = rows[rows != 0]
    if not rows.size:
        return
    total = case.source.matrix.input_dim
    many = rows.size > total * _MOST_UNMOVED
    yield Finding(
        kind="unmoved-rows",
        severity="warning" if many else "note",
        what=f"training never touched {plural(rows.size, 'row')}",
        evidence=(
            f"{_which(case, rows)}: equal to the rows before training, number for number; "
            f"{share(rows.size, total)} of {total:,} rows"
        ),
        leads_to=(
            "these words are noise to the model, as they were drawn"
            if many
            else "they are noise, as they were drawn; usual for ids that no training text holds"
        ),
        mend=(
            "see that the layer is trainable, and that its ids occur in the training texts"
            if many
            else None
        ),
        numbers=_numbers(rows) | {"input_dim": total},
        rows=rows,
    )


def _which(case: Case, rows: Rows) -> str:
    return listed((case.row_label(row) for row in rows[:8].tolist()), 4) + (
        f" of {rows.size:,} such rows" if rows.size > 8 else ""
    )


def _numbers(rows: Rows) -> dict[str, Any]:
    """Return how many rows there are, and the first hundred of them."""
    return {"rows": int(rows.size), "first": rows[:100].tolist()}


CHECKS = (
    Check("NaN", "every number is finite", ("matrix",), not_finite),
    Check(
        "zero rows",
        "no row but the padding's is all zeros",
        ("matrix",),
        zero_rows,
        concerns=lambda case: (
            not case.has("matrix")
            or not _zero_rows(case).size
            or bool(_zero_rows_unsaid(case).size)
        ),
    ),
    Check("duplicate rows", "no two rows are equal, zeros aside", ("matrix",), duplicate_rows),
    Check(
        "padding row",
        "row 0 is not far longer than the others",
        ("layers",),
        padding_row,
        concerns=_lengths_compare,
    ),
    Check(
        "unmoved rows",
        "training moved every row that an id reaches",
        ("run",),
        unmoved_rows,
    ),
)
