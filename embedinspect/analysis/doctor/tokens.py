"""A table of tokens: rows that training hardly reached, new rows, and rows nearly alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from embedinspect.analysis import near_duplicates as pairs
from embedinspect.analysis import untrained
from embedinspect.analysis.doctor.case import Case
from embedinspect.analysis.doctor.finding import Check, Finding, Severity, share
from embedinspect.analysis.health import Rows
from embedinspect.wording import plural

_MANY = 0.5
_FEW_ALIKE = 0.01
_SAID = (
    "unused-rows", "vocabulary-length", "rows-beyond-vocabulary", "unmoved-rows",
    "rows-without-token",
)  # fmt: skip
_LIKE_NOISE = "tokens with such rows mean nothing to the model, and are alike to it"


def untrained_rows(case: Case) -> Iterator[Finding]:
    """Find rows that bear the marks of rows which training hardly reached."""
    yield from _short_cluster(case)
    yield from _as_drawn(case)
    yield from _at_the_mean(case)


def _short_cluster(case: Case) -> Iterator[Finding]:
    assert case.source is not None
    cluster = case.marks.short_cluster
    rows = case.unsaid(cluster.rows, *_SAID) if cluster is not None else np.empty(0, np.int64)
    if cluster is None or not rows.size:
        return
    total, reserve = case.source.matrix.input_dim, case.marks.in_reserve
    named = ""
    if reserve.size:
        among = np.intersect1d(reserve, rows).size
        named = f"; {among:,} of {plural(reserve.size, 'row')} in reserve are among them"
    yield Finding(
        kind="untrained-rows",
        severity=_severity(rows, total),
        what=f"{plural(rows.size, 'row stands', 'rows stand')} apart, short and all alike",
        evidence=(
            f"{_which(case, rows)}; {share(rows.size, total)} of {total:,} rows; median length "
            f"{cluster.length:.2f}, of all others {cluster.length_of_others:.2f}; median cosine to "
            f"the direction that they share {cluster.cosine:.2f}, of all others "
            f"{cluster.cosine_of_others:.2f}{named}"
        ),
        leads_to=f"so look rows that training hardly reached: {_LIKE_NOISE}",
        mend=_mend(rows, total),
        numbers={
            **_numbers(rows, total),
            "length": cluster.length,
            "length_of_others": cluster.length_of_others,
            "cosine": cluster.cosine,
            "cosine_of_others": cluster.cosine_of_others,
        },
        rows=rows,
    )


def _as_drawn(case: Case) -> Iterator[Finding]:
    assert case.source is not None
    drawn = case.marks.drawn
    rows = case.unsaid(drawn.rows, *_SAID) if drawn is not None else np.empty(0, np.int64)
    if drawn is None or not rows.size:
        return
    total = case.source.matrix.input_dim
    yield Finding(
        kind="rows-as-drawn",
        severity=_severity(rows, total),
        what=f"{plural(rows.size, 'row looks', 'rows look')} as before training",
        evidence=(
            f"{_which(case, rows)}; {share(rows.size, total)} of {total:,} rows; noise with the "
            f"deviation {drawn.deviation:.4g} of {drawn.initializer}"
        ),
        leads_to=_LIKE_NOISE,
        mend=_mend(rows, total),
        numbers={**_numbers(rows, total), "deviation": drawn.deviation},
        rows=rows,
    )


def _at_the_mean(case: Case) -> Iterator[Finding]:
    assert case.source is not None
    new = case.marks.at_the_mean
    rows = case.unsaid(new.rows, *_SAID) if new is not None else np.empty(0, np.int64)
    if new is None or not rows.size:
        return
    total = case.source.matrix.input_dim
    yield Finding(
        kind="rows-at-the-mean",
        severity="warning",
        what=f"{plural(rows.size, 'row lies', 'rows lie')} at the mean of all others",
        evidence=(
            f"{_which(case, rows)}; at most {new.distance:.2g} from it; the median distance of the "
            f"others is {new.distance_of_others:.2g}"
        ),
        leads_to=f"new rows are put there when a table is enlarged, and were not trained: "
        f"{_LIKE_NOISE}",
        mend="train with texts that hold these tokens",
        numbers={
            **_numbers(rows, total),
            "distance": new.distance,
            "distance_of_others": new.distance_of_others,
        },
        rows=rows,
    )


def rows_beyond(case: Case, tail: Rows) -> Finding | None:
    """Return the finding that the last rows lie beyond the vocabulary, and so were never trained.

    None where their numbers do not show it: the vocabulary may then be that of another model.
    """
    assert case.source is not None
    if not tail.size or np.setdiff1d(tail, case.marks.untrained).size:
        return None
    total = case.source.matrix.input_dim
    return Finding(
        kind="rows-beyond-vocabulary",
        severity="note",
        what=f"{plural(tail.size, 'row lies', 'rows lie')} beyond the vocabulary",
        evidence=(
            f"{_which(case, tail)}; {share(tail.size, total)} of {total:,} rows; no id reaches "
            "them, and their numbers are those of rows that were never trained"
        ),
        leads_to=(
            "tables are made larger than their vocabulary for speed; a rank or a search over all "
            "rows counts these, too"
        ),
        mend=None,
        numbers=_numbers(tail, total),
        rows=tail,
    )


def _alike_and_unsaid(case: Case) -> Rows:
    alike = case.marks.near_duplicates
    if alike is None:
        return np.empty(0, np.int64)
    return case.unsaid(alike.rows, "untrained-rows", "rows-at-the-mean", *_SAID)


def near_duplicates(case: Case) -> Iterator[Finding]:
    """Find rows that point almost as an earlier one does."""
    assert case.source is not None
    alike = case.marks.near_duplicates
    if alike is None:
        return
    rows = _alike_and_unsaid(case)
    if not rows.size:
        return
    total = case.source.matrix.input_dim
    kept = np.isin(alike.rows, rows)
    near, cosines = alike.near[kept], alike.cosines[kept]
    examples = [
        f"{case.row_label(row)} and {case.row_label(other)}: {cosine:.5f}"
        for row, other, cosine in zip(
            rows[:3].tolist(), near[:3].tolist(), cosines[:3].tolist(), strict=True
        )
    ]
    more = f"; {rows.size - 3:,} more" if rows.size > 3 else ""
    yield Finding(
        kind="near-duplicate-rows",
        severity="note" if rows.size <= total * _FEW_ALIKE else "warning",
        what=(
            f"{plural(rows.size, 'row points', 'rows point')} almost as an earlier one, with a "
            f"cosine above {pairs.COSINE}"
        ),
        evidence=f"{'; '.join(examples)}{more}",
        leads_to="the model hardly tells these words apart",
        mend=None if rows.size <= total * _FEW_ALIKE else "see where these rows come from",
        numbers={**_numbers(rows, total), "near": near[:100].tolist()},
        rows=rows,
    )


def _severity(rows: Rows, total: int) -> Severity:
    return "warning" if rows.size > total * _MANY else "note"


def _mend(rows: Rows, total: int) -> str | None:
    if rows.size <= total * _MANY:
        return None
    return "see that the weights were saved after training, and that the layer is trainable"


def _which(case: Case, rows: Rows) -> str:
    labels = ", ".join(case.row_label(row) for row in rows[:3].tolist())
    return labels + (f", and {rows.size - 3:,} more" if rows.size > 3 else "")


def _numbers(rows: Rows, total: int) -> dict[str, Any]:
    return {"rows": int(rows.size), "first": rows[:100].tolist(), "input_dim": total}


def _marks_tell(case: Case) -> bool:
    """Return whether there are numbers enough to tell one kind of rows from another.

    Not where all that the marks tell has been said of rows that no id reaches.
    """
    if case.source is None:
        return True
    matrix = case.source.matrix
    large = (
        matrix.input_dim >= untrained.FEWEST_ROWS
        and matrix.output_dim >= untrained.FEWEST_DIMENSIONS
    )
    marked = case.marks.untrained if large else np.empty(0, np.int64)
    return large and (not marked.size or bool(case.unsaid(marked, *_SAID).size))


def _cosines_tell(case: Case) -> bool:
    """Return whether cosines tell rows apart, and tell what has not been said."""
    if case.source is None:
        return True
    alike = case.marks.near_duplicates
    if alike is None:
        return False
    return bool(_alike_and_unsaid(case).size) or (alike.whole and not alike.rows.size)


CHECKS = (
    Check(
        "untrained rows",
        "no rows stand apart as if training had not reached them",
        ("matrix",),
        untrained_rows,
        concerns=_marks_tell,
    ),
    Check(
        "near duplicates",
        f"no two of the first {pairs.MOST_ROWS:,} rows have a cosine above {pairs.COSINE}",
        ("matrix",),
        near_duplicates,
        concerns=_cosines_tell,
    ),
)
