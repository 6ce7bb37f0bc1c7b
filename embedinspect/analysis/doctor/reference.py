"""Rows against the vectors they should hold: the classic misalignment of GloVe and Keras."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from embedinspect.analysis.doctor.case import Case
from embedinspect.analysis.doctor.finding import Check, Finding, share
from embedinspect.analysis.health import Doubles, Rows
from embedinspect.stored_rows import FloatArray, Vectors
from embedinspect.wording import clipped_repr, plural

_MOST_WORDS = 20_000
_FARTHEST_SHIFT = 3
# Training turns rows only so far: one that began as the vector of its word stays nearer to it.
_SAME_DIRECTION = 0.8
_MANY = 0.5
_MOST_MISSING = 0.05


def misaligned_rows(case: Case) -> Iterator[Finding]:
    """Find rows that hold the vector of another word than their own."""
    assert case.source is not None
    assert case.reference is not None
    own, wanted, words = _shared(case)
    if not words:
        yield _nothing_shared(case)
        return
    rows = case.source.matrix.rows
    vectors = case.reference.matrix.rows[wanted]
    blank = ~rows[own].any(axis=1) & vectors.any(axis=1)
    right = (rows[own] == vectors).all(axis=1)
    places = _places(rows, vectors)
    elsewhere = ~right & (places >= 0) & vectors.any(axis=1)
    if elsewhere.sum() > right.sum():
        yield _misplaced(case, own, places, elsewhere, words)
        return
    if right.mean() > _MANY:
        yield from _changed(case, own, ~right & ~blank & ~elsewhere, vectors, words)
    else:
        yield from _by_direction(case, own, vectors, words, int(right.sum()))
    if elsewhere.any():
        yield replace(
            _elsewhere(own, places, elsewhere, words),
            kind="vectors-elsewhere",
            severity="warning",
            what=plural(
                int(elsewhere.sum()),
                "word has its vector in another row",
                "words have their vectors in other rows",
            ),
        )
    if blank.any():
        yield _blank(blank, own, words)


def _by_direction(
    case: Case, own: Rows, vectors: FloatArray, words: list[str], right: int
) -> Iterator[Finding]:
    """Find rows that were trained on, and are shifted, or were never made from these vectors."""
    assert case.source is not None
    rows = case.source.matrix.rows
    shifted = _shift_by_direction(rows, own, vectors)
    if shifted is not None:
        yield _turned(case, own, words, *shifted)
    elif _cosine(rows, own, vectors, 0) <= _SAME_DIRECTION:
        yield _unlike(case, right, len(words))


def _shared(case: Case) -> tuple[Rows, Rows, list[str]]:
    """Return the words of both, and their rows here and in the reference; the first of very many.

    Returns:
        Rows of the source, rows of the reference, words.
    """
    assert case.source is not None
    assert case.reference is not None
    assert case.source.words is not None
    assert case.reference.words is not None
    own, wanted, words = [], [], []
    index = case.reference.words.index
    for row, word in enumerate(case.source.words):
        reference_row = index.get(word) if word is not None else None
        if word is not None and reference_row is not None:
            own.append(row)
            wanted.append(reference_row)
            words.append(word)
            if len(words) == _MOST_WORDS:
                break
    return np.array(own, np.int64), np.array(wanted, np.int64), words


def _places(rows: Vectors, vectors: FloatArray) -> Rows:
    """Return for each vector the first row that equals it, bit for bit, or -1."""
    first: dict[bytes, int] = {}
    for row in range(len(rows) - 1, -1, -1):
        first[rows[row].tobytes()] = row
    return np.array([first.get(vector.tobytes(), -1) for vector in vectors], np.int64)


def _misplaced(case: Case, own: Rows, places: Rows, elsewhere: Any, words: list[str]) -> Finding:
    shift, hits = _most_common_shift(own, places, elsewhere)
    if hits > len(words) * _MANY:
        example = int(np.flatnonzero(elsewhere & (places - own == shift))[0])
        return _shifted(case, shift, hits, len(words), words[example], int(own[example]))
    return _elsewhere(own, places, elsewhere, words)


def _most_common_shift(own: Rows, places: Rows, elsewhere: Any) -> tuple[int, int]:
    """Return by how many rows most of these vectors are off, and how many of them are."""
    values, counts = np.unique((places - own)[elsewhere], return_counts=True)
    return int(values[counts.argmax()]), int(counts.max())


def _elsewhere(own: Rows, places: Rows, elsewhere: Any, words: list[str]) -> Finding:
    first, count, total = int(np.flatnonzero(elsewhere)[0]), int(elsewhere.sum()), len(words)
    return Finding(
        kind="rows-of-other-words",
        severity="error",
        what="rows hold the vectors of other words",
        evidence=(
            f"{count:,} of {total:,} shared words ({share(count, total)}) have their vector in "
            f"another row: that of {clipped_repr(words[first])} (row {own[first]:,}) is in row "
            f"{places[first]:,}"
        ),
        leads_to="each word is shown with the meaning of another: pretrained vectors do not help",
        mend=_ANEW,
        numbers={"shared": total, "elsewhere": count, "shift": None},
        rows=own[elsewhere],
    )


_ANEW = (
    "make the matrix anew by the ids of the words: embedinspect coverage VECTORS --vocabulary FILE "
    "--write matrix.npy"
)


def _shifted(case: Case, shift: int, hits: int, total: int, word: str, row: int) -> Finding:
    one = abs(shift) == 1
    return Finding(
        kind="shifted-rows",
        severity="error",
        what=f"the rows are shifted by {'one' if one else abs(shift)} against the vocabulary",
        evidence=(
            f"{hits:,} of {total:,} shared words ({share(hits, total)}) have their vector "
            f"{_place(shift)} their own: that of {clipped_repr(word)} (row "
            f"{row:,}) is in row {row + shift:,}"
        ),
        leads_to=(
            "each word is shown with the vector of its neighbor in the vocabulary; training runs "
            "without an error, and pretrained vectors seem to be of no use"
        ),
        mend=_shift_back(case, shift),
        numbers={"shared": total, "elsewhere": hits, "shift": shift},
    )


def _place(shift: int) -> str:
    """Return where a row is, seen from another one.

    >>> _place(-1), _place(3)
    ('in the row before', '3 rows after')
    """
    way = "before" if shift < 0 else "after"
    return f"in the row {way}" if abs(shift) == 1 else f"{abs(shift):,} rows {way}"


def _shift_back(case: Case, shift: int) -> str:
    first = (case.index_from or 0) + shift
    if case.listed and first >= 0:
        return f"--index-from {first}"
    if shift == -1:
        return "leave row 0 to the padding: matrix[id] = vector, with id from 1 on"
    return _ANEW


def _unit(vectors: FloatArray) -> Doubles:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))


def _cosine(rows: Vectors, own: Rows, vectors: FloatArray, shift: int) -> float:
    """Return the median cosine between the vectors and the rows `shift` further down."""
    places = own + shift
    inside = (places >= 0) & (places < len(rows))
    if not inside.any():
        return 0.0
    with np.errstate(invalid="ignore"):
        cosines = np.einsum("ij,ij->i", _unit(rows[places[inside]]), _unit(vectors[inside]))
    cosines = cosines[np.isfinite(cosines)]
    return float(np.median(cosines)) if cosines.size else 0.0


def _shift_by_direction(
    rows: Vectors, own: Rows, vectors: FloatArray
) -> tuple[int, float, float] | None:
    """Return the shift at which rows still point as their vectors do, though they were trained on.

    Returns:
        The shift, and the median cosine there and without a shift; None where there is no such.
    """
    if len(own) < 5:
        return None
    shifts = [shift for shift in range(-_FARTHEST_SHIFT, _FARTHEST_SHIFT + 1) if shift]
    best = max(shifts, key=lambda shift: _cosine(rows, own, vectors, shift))
    shifted, unshifted = (_cosine(rows, own, vectors, shift) for shift in (best, 0))
    if shifted > _SAME_DIRECTION and shifted > unshifted + 0.2:
        return best, shifted, unshifted
    return None


def _turned(
    case: Case, own: Rows, words: list[str], shift: int, shifted: float, unshifted: float
) -> Finding:
    """Return the finding for shifted rows that were trained on, known by their directions."""
    return replace(
        _shifted(case, shift, len(words), len(words), words[0], int(own[0])),
        evidence=(
            f"the rows were trained on, but {_place(shift)} their own they still point as the "
            f"vectors do: median cosine {shifted:.2f}, in their own rows {unshifted:.2f}, over "
            f"{plural(len(words), 'word')}"
        ),
        numbers={
            "shared": len(words), "elsewhere": None, "shift": shift, "cosine": shifted,
            "cosine_own": unshifted,
        },
    )  # fmt: skip


def _unlike(case: Case, right: int, total: int) -> Finding:
    assert case.reference is not None
    return Finding(
        kind="other-vectors",
        severity="warning",
        what="the rows are not those of the reference",
        evidence=(
            f"{right:,} of {total:,} shared words have their vector of "
            f"{case.reference.path!r}, and no shift of the rows makes them fit"
        ),
        leads_to="these rows were made from other vectors, or trained far away from them",
        mend="give the file of vectors that the rows were made from",
        numbers={"shared": total, "equal": right},
    )


def _changed(
    case: Case, own: Rows, differing: Any, vectors: FloatArray, words: list[str]
) -> Iterator[Finding]:
    """Find rows that point elsewhere than the vectors of their words, where most are equal."""
    assert case.source is not None
    assert case.reference is not None
    rows = case.source.matrix.rows[own[differing]]
    with np.errstate(invalid="ignore"):
        cosines = np.einsum("ij,ij->i", _unit(rows), _unit(vectors[differing]))
    away = np.flatnonzero(differing)[~(cosines > _SAME_DIRECTION)]
    if not away.size:
        return
    yield Finding(
        kind="rows-unlike-their-vectors",
        severity="warning" if away.size > len(words) * _MOST_MISSING else "note",
        what=(
            "1 row is unlike the vector of its word"
            if away.size == 1
            else f"{away.size:,} rows are unlike the vectors of their words"
        ),
        evidence=(
            f"{share(away.size, len(words))} of {len(words):,} shared words, such as "
            f"{clipped_repr(words[away[0]])} (row {own[away[0]]:,}); most others are equal to the "
            f"vectors of {case.reference.path!r}"
        ),
        leads_to="these rows were filled from elsewhere, or broken afterwards",
        mend=_ANEW,
        numbers={"shared": len(words), "unlike": int(away.size)},
        rows=own[away],
    )


def _nothing_shared(case: Case) -> Finding:
    assert case.reference is not None
    return Finding(
        kind="other-vectors",
        severity="warning",
        what="the vocabulary and the reference share no word",
        evidence=f"no word of the source is in {case.reference.path!r}",
        leads_to="no row could have been filled from that file",
        mend="see that both write words alike: in the same language, both in lower case",
        numbers={"shared": 0, "equal": 0},
    )


def _blank(blank: Any, own: Rows, words: list[str]) -> Finding:
    count, first = int(blank.sum()), words[int(np.flatnonzero(blank)[0])]
    return Finding(
        kind="words-left-without-vector",
        severity="warning" if count > len(words) * _MOST_MISSING else "note",
        what=f"{plural(count, 'word has', 'words have')} a vector in the reference, but zeros here",
        evidence=f"{share(count, len(words))} of {len(words):,} shared words, such as "
        f"{clipped_repr(first)}",
        leads_to="the model knows nothing about these words, though their vectors were at hand",
        mend=_ANEW,
        numbers={"shared": len(words), "blank": count},
        rows=own[blank],
    )


CHECKS = (
    Check(
        "misaligned rows",
        f"most rows are the vectors of their words, or near them (the first {_MOST_WORDS:,} words)",
        ("reference",),
        misaligned_rows,
    ),
)
