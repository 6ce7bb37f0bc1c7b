"""Two matrices over the words they share: what moved, how far, and what became its neighbors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.analysis.nearest import Searcher
from embedinspect.errors import DataError, UsageError
from embedinspect.matrix import norms_of
from embedinspect.source import Source
from embedinspect.wording import listed

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

MOST_COMPARED = 2000
# Random directions in a few dimensions agree by chance; a trained pair moves as one.
_APART = 0.5


@dataclass(frozen=True)
class Moved:
    """One shared word: its row in both matrices.

    Attributes:
        word: or `#` and the row's number, where rows are compared by number.
        row_a: in the first matrix.
        row_b: in the second one.
        distance: Euclidean, between the two rows.
        cosine: between them; NaN where one is zero.
        length_a: of the row in the first matrix.
        length_b: in the second one.
        gained: words among the nearest k in the second matrix alone.
        lost: words among the nearest k in the first matrix alone.
        overlap: share of the nearest k that both have; None where neighbors were not compared.
    """

    word: str
    row_a: int
    row_b: int
    distance: float
    cosine: float
    length_a: float
    length_b: float
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    overlap: float | None = None


@dataclass(frozen=True)
class Difference:
    """The record that `diff` prints.

    Attributes:
        a: the first source.
        b: the second source.
        by: `word` or `row`: what rows are matched by.
        shared: how many rows are matched.
        only_a: rows of the first matrix without a partner.
        only_b: rows of the second one.
        moved: every matched row, the one that moved farthest first.
        unmoved: how many of them are equal, number for number.
        not_finite: how many could not be compared.
        mean_distance: of all compared rows.
        mean_cosine: of those with a direction in both.
        aligned: whether the second matrix was turned onto the first.
        mean_cosine_aligned: mean cosine after such a turn, as a hint; None where it was not tried.
        neighbors: the k of the neighbors that were compared; 0 for none.
        overlap: mean share of the nearest k that both have, over the words it was computed for.
        overlap_words: how many these are.
    """

    a: Source
    b: Source
    by: str
    shared: int
    only_a: int
    only_b: int
    moved: tuple[Moved, ...]
    unmoved: int
    not_finite: int
    mean_distance: float
    mean_cosine: float
    aligned: bool
    mean_cosine_aligned: float | None
    neighbors: int
    overlap: float | None
    overlap_words: int

    @property
    def trained_apart(self) -> bool:
        """Whether a turn would bring the two much closer: they do not share their axes."""
        return (
            not self.aligned
            and self.mean_cosine_aligned is not None
            and self.mean_cosine < _APART
            and self.mean_cosine_aligned > self.mean_cosine + 0.2
        )


def compare(
    a: Source, b: Source, *, align: bool = False, neighbors: int = 10, words: Sequence[str] = ()
) -> Difference:
    """Return how the rows of two matrices differ, matched by word, or by number without words.

    Args:
        align: turn the second matrix onto the first, by the orthogonal matrix that brings the
            matched rows closest (orthogonal Procrustes, Schoenemann 1966), before comparing.
        neighbors: compare as many nearest rows by cosine, among the matched ones; 0 for none.
        words: compare these alone, and the neighbors of all of them.

    Raises:
        DataError: matrices of different width, or no shared word.
        UsageError: a word of `words` that they do not share.
    """
    if a.matrix.output_dim != b.matrix.output_dim:
        raise DataError(
            f"{a.path!r} has output_dim {a.matrix.output_dim}, {b.path!r} has "
            f"{b.matrix.output_dim}; expected rows of the same width"
        )
    names, rows_a, rows_b, by = _match(a, b)
    left = a.matrix.rows[rows_a].astype(np.float64)
    right = b.matrix.rows[rows_b].astype(np.float64)
    finite = np.isfinite(left).all(axis=1) & np.isfinite(right).all(axis=1)
    not_finite = int((~finite).sum())
    keep = np.flatnonzero(finite)
    if not len(keep):
        raise DataError("no matched row is finite in both matrices; expected finite numbers")
    names = [names[i] for i in keep.tolist()]
    rows_a, rows_b, left, right = rows_a[keep], rows_b[keep], left[keep], right[keep]
    same = (left == right).all(axis=1)
    turned = None
    if len(names) > a.matrix.output_dim and not same.all():
        turned = right @ _procrustes(right, left)
    if align:
        right = turned if turned is not None else right
    cosines = _cosines(left, right)
    hint = None if align or turned is None else float(np.nanmean(_cosines(left, turned)))
    distances = np.linalg.norm(left - right, axis=1)
    chosen = _chosen(names, words)
    order = chosen[np.argsort(-distances[chosen], kind="stable")]
    k = min(neighbors, len(names) - 1)
    asked = order if words else _spread_out(order)
    around = _neighbors(left, right, names, asked, k) if k > 0 else {}
    length_a, length_b = np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1)
    moved = tuple(
        Moved(
            names[i],
            int(rows_a[i]),
            int(rows_b[i]),
            float(distances[i]),
            float(cosines[i]),
            float(length_a[i]),
            float(length_b[i]),
            *around.get(i, ((), (), None)),
        )
        for i in order.tolist()
    )
    overlaps = [found[2] for found in around.values()]
    with_direction = cosines[np.isfinite(cosines)]
    return Difference(
        a=a,
        b=b,
        by=by,
        shared=len(rows_a) + not_finite,
        only_a=_alone(a, by, len(rows_a) + not_finite),
        only_b=_alone(b, by, len(rows_a) + not_finite),
        moved=moved,
        unmoved=int(same.sum()),
        not_finite=not_finite,
        mean_distance=float(distances.mean()),
        mean_cosine=float(with_direction.mean()) if with_direction.size else float("nan"),
        aligned=align,
        mean_cosine_aligned=hint,
        neighbors=max(k, 0),
        overlap=float(np.mean(overlaps)) if overlaps else None,
        overlap_words=len(overlaps),
    )


def _alone(source: Source, by: str, shared: int) -> int:
    named = source.words.index if by == "word" and source.words is not None else None
    return (source.matrix.input_dim if named is None else len(named)) - shared


def _match(a: Source, b: Source) -> tuple[list[str], Rows, Rows, str]:
    if a.words is not None and b.words is not None:
        index = b.words.index
        both = [(word, row, index[word]) for word, row in a.words.index.items() if word in index]
        if not both:
            raise DataError(
                f"{a.path!r} and {b.path!r} share no word; expected matrices over the same "
                f"language, and the same case: the first has {_some(a)}, the second {_some(b)}"
            )
        names, left, right = zip(*both, strict=True)
        return list(names), np.array(left), np.array(right), "word"
    if a.matrix.input_dim != b.matrix.input_dim:
        raise DataError(
            f"{a.path!r} has {a.matrix.input_dim:,} rows, {b.path!r} has {b.matrix.input_dim:,}, "
            "and not both have words to match them by; expected as many rows, or words with "
            "--vocabulary"
        )
    known = a if a.words is not None else b
    rows = np.arange(a.matrix.input_dim)
    return [known.name_of(row) for row in rows.tolist()], rows, rows, "row"


def _some(source: Source) -> str:
    return listed(map(repr, list(source.words.index if source.words else ())[:4]))


def _chosen(names: list[str], words: Sequence[str]) -> Rows:
    if not words:
        return np.arange(len(names))
    places = {name: place for place, name in enumerate(names)}
    absent = [word for word in words if word not in places]
    if absent:
        raise UsageError(
            f"{listed(map(repr, absent))}: not among the {len(names):,} rows that both have; "
            "expected a word of both"
        )
    return np.array([places[word] for word in words])


def _procrustes(source: Doubles, target: Doubles) -> Doubles:
    """Return the orthogonal matrix R that brings source @ R closest to target."""
    left, _, right = np.linalg.svd(source.T @ target)
    return np.asarray(left @ right)


def _cosines(left: Doubles, right: Doubles) -> Doubles:
    with np.errstate(invalid="ignore", divide="ignore"):
        lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
        return np.asarray(np.einsum("ij,ij->i", left, right) / lengths)


def _spread_out(order: Rows) -> Rows:
    """Return all rows, or the ends of their order and a spread of those between."""
    if len(order) <= MOST_COMPARED:
        return order
    ends = MOST_COMPARED // 4
    between = np.linspace(ends, len(order) - ends - 1, MOST_COMPARED - 2 * ends).astype(np.int64)
    return np.concatenate([order[:ends], order[between], order[-ends:]])


def _neighbors(
    left: Doubles, right: Doubles, names: list[str], asked: Rows, k: int
) -> dict[int, tuple[tuple[str, ...], tuple[str, ...], float]]:
    sides = []
    itself = [[row] for row in asked.tolist()]
    for side in (left, right):
        rows = side.astype(np.float32)
        searcher = Searcher(rows, norms_of(rows))
        found = searcher.nearest_of_many(side[asked], k, itself)
        sides.append([nearest.rows.tolist() for nearest in found])
    around = {}
    for row, before, after in zip(asked.tolist(), *sides, strict=True):
        gained = tuple(names[other] for other in after if other not in before)
        lost = tuple(names[other] for other in before if other not in after)
        around[row] = (gained, lost, len(set(before) & set(after)) / k)
    return around
