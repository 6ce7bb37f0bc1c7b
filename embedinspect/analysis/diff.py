"""Two matrices over the words they share: what moved, how far, and what became its neighbors."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from embedinspect.analysis.nearest import Searcher
from embedinspect.errors import DataError, UsageError
from embedinspect.matrix import norms_of
from embedinspect.row_words import Words
from embedinspect.source import Source
from embedinspect.wording import clipped_repr, listed, plural

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

MOST_COMPARED = 2000
_MOST_SPELLED = 20_000  # words that are compared with one that is misspelled
# Random directions in a few dimensions agree by chance; a trained pair moves as one.
_APART = 0.5


@dataclass(frozen=True)
class Moved:
    """A word that both matrices share, and how its row moved.

    Attributes:
        word: the word, or `#` and the row's number where rows are compared by number.
        row_a: its row in the first matrix.
        row_b: its row in the second matrix.
        distance: the Euclidean distance between the two rows.
        cosine: the cosine between them; NaN where one is zero.
        length_a: the length of its row in the first matrix.
        length_b: the length of its row in the second matrix.
        gained: words among the nearest k in the second matrix alone.
        lost: words among the nearest k in the first matrix alone.
        overlap: the share of the nearest k that both have; None where neighbors were not compared.
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
        by: what rows are matched by: `word`, or `row` where not both have words, or where both
            have the same words on the same rows and some rows have none; then these are compared,
            too.
        shared: how many rows are matched.
        only_a: how many rows of the first matrix have no partner.
        only_b: how many rows of the second matrix have none.
        moved: every matched row, the one that moved farthest first.
        unmoved: the names of matched rows that are equal, number for number.
        not_finite: how many matched rows could not be compared.
        mean_distance: the mean distance of all rows that were compared.
        mean_cosine: the mean cosine of those that have a direction in both matrices.
        aligned: whether the second matrix was turned onto the first.
        dimensions: how many dimensions both have.
        mean_cosine_aligned: the mean cosine after such a turn, as a hint; None where it was not
            tried.
        neighbors: the k of the nearest k that were compared; 0 for none.
        overlap: the mean share of the nearest k that both have, over the words it was computed for.
        overlap_words: how many words that are.
    """

    a: Source
    b: Source
    by: str
    shared: int
    only_a: int
    only_b: int
    moved: tuple[Moved, ...]
    unmoved: tuple[str, ...]
    not_finite: int
    mean_distance: float
    mean_cosine: float
    aligned: bool
    dimensions: int
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

    @property
    def always_fits(self) -> bool:
        """Whether so few rows were turned that unrelated ones would come close, too."""
        return self.aligned and self.shared - self.not_finite <= self.dimensions


def compare(
    a: Source, b: Source, *, align: bool = False, neighbors: int = 10, words: Sequence[str] = ()
) -> Difference:
    """Return how the rows of two matrices differ, matched by word, or by number without words.

    Args:
        align: turn the second matrix onto the first, by the orthogonal matrix that brings the
            matched rows closest (orthogonal Procrustes, Schoenemann 1966), before comparing. It
            turns or mirrors about the origin, and neither shifts nor scales: a shift would change
            every cosine.
        neighbors: how many nearest rows by cosine to compare, among the matched ones; 0 for none.
        words: compare these words alone, and the neighbors of each of them.

    Raises:
        DataError: the matrices differ in width, or share no word.
        UsageError: a word of `words` is not in both.
    """
    if a.matrix.output_dim != b.matrix.output_dim:
        raise DataError(
            f"{a.path!r} has output_dim {a.matrix.output_dim}, {b.path!r} has "
            f"{b.matrix.output_dim}; expected rows of the same width"
        )
    pairs = _match(a, b)
    shared = len(pairs.names)
    pairs = pairs.finite()
    if not pairs.names:
        raise DataError("no matched row is finite in both matrices; expected finite numbers")
    left, right = pairs.left, pairs.right
    hint = None if align else _cosine_after_turning(pairs)
    if align and not pairs.equal.all():
        right = _turned(right, left)
    distances, cosines = np.linalg.norm(left - right, axis=1), _cosines(left, right)
    chosen = _chosen(pairs, words)
    order = chosen[np.argsort(-distances[chosen], kind="stable")]
    k = max(0, min(neighbors, len(pairs.names) - 1))
    around = _neighbors(left, right, pairs.names, order if words else _spread_out(order), k)
    length_a, length_b = np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1)
    moved = tuple(
        Moved(
            pairs.names[i],
            int(pairs.rows_a[i]),
            int(pairs.rows_b[i]),
            float(distances[i]),
            float(cosines[i]),
            float(length_a[i]),
            float(length_b[i]),
            *around.get(i, ((), (), None)),
        )
        for i in order.tolist()
    )
    overlaps = [overlap for _, _, overlap in around.values()]
    with_direction = cosines[np.isfinite(cosines)]
    return Difference(
        a=a,
        b=b,
        by=pairs.by,
        shared=shared,
        only_a=_alone(a, pairs.by, shared),
        only_b=_alone(b, pairs.by, shared),
        moved=moved,
        unmoved=tuple(pairs.names[i] for i in np.flatnonzero(pairs.equal).tolist()),
        not_finite=shared - len(pairs.names),
        mean_distance=float(distances.mean()),
        mean_cosine=float(with_direction.mean()) if with_direction.size else float("nan"),
        aligned=align,
        dimensions=left.shape[1],
        mean_cosine_aligned=hint,
        neighbors=k,
        overlap=float(np.mean(overlaps)) if overlaps else None,
        overlap_words=len(overlaps),
    )


@dataclass(frozen=True)
class _Pairs:
    """The matched rows of two matrices, float64, with their numbers and names."""

    by: str
    names: list[str]
    rows_a: Rows
    rows_b: Rows
    left: Doubles
    right: Doubles

    @staticmethod
    def of(by: str, names: list[str], rows_a: Rows, rows_b: Rows, a: Source, b: Source) -> _Pairs:
        """Return the pairs with their rows of both matrices."""
        left, right = a.matrix.rows[rows_a], b.matrix.rows[rows_b]
        return _Pairs(by, names, rows_a, rows_b, left.astype(np.float64), right.astype(np.float64))

    def finite(self) -> _Pairs:
        """Return those that are finite in both matrices."""
        finite = np.isfinite(self.left).all(axis=1) & np.isfinite(self.right).all(axis=1)
        if finite.all():
            return self
        kept = np.flatnonzero(finite)
        return _Pairs(
            self.by,
            [self.names[i] for i in kept.tolist()],
            self.rows_a[kept],
            self.rows_b[kept],
            self.left[kept],
            self.right[kept],
        )

    @cached_property
    def equal(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which of them are equal, number for number."""
        equal: np.ndarray[Any, np.dtype[np.bool_]] = (self.left == self.right).all(axis=1)
        return equal


def _cosine_after_turning(pairs: _Pairs) -> float | None:
    """Return the mean cosine after a turn of B onto A; None where that would say nothing.

    As many rows as dimensions, or fewer, come close to unrelated ones, too.
    """
    if len(pairs.names) <= pairs.left.shape[1] or pairs.equal.all():
        return None
    cosines = _cosines(pairs.left, _turned(pairs.right, pairs.left))
    cosines = cosines[np.isfinite(cosines)]
    return float(cosines.mean()) if cosines.size else None


def _alone(source: Source, by: str, shared: int) -> int:
    """Return how many rows of a matrix are not shared."""
    named = source.words.index if by == "word" and source.words is not None else None
    return (source.matrix.input_dim if named is None else len(named)) - shared


def _match(a: Source, b: Source) -> _Pairs:
    """Match rows by their words where both have words, else by their numbers.

    Where both have the same words on the same rows, as two epochs of a run, rows without a word
    of their own are matched, too: the padding row and the reserved ones.
    """
    if a.words is not None and b.words is not None and not _same_rows(a.words, b.words):
        index = b.words.index
        both = [(word, row, index[word]) for word, row in a.words.index.items() if word in index]
        if not both:
            raise DataError(
                f"{a.path!r} and {b.path!r} share no word; expected matrices over the same "
                f"language, and the same case: the first has {_some(a)}, the second {_some(b)}"
            )
        names, rows_a, rows_b = zip(*both, strict=True)
        return _Pairs.of("word", list(names), np.array(rows_a), np.array(rows_b), a, b)
    if a.matrix.input_dim != b.matrix.input_dim:
        raise DataError(
            f"{a.path!r} has {plural(a.matrix.input_dim, 'row')}, {b.path!r} has "
            f"{b.matrix.input_dim:,}, and not both have words to match them by; expected as many "
            "rows, or words with --words"
        )
    named = a if a.words is not None else b
    rows = np.arange(a.matrix.input_dim)
    words: Iterable[str | None] = named.words if named.words is not None else [None] * len(rows)
    labels = [f"#{row}" if word is None else word for row, word in enumerate(words)]
    return _Pairs.of("row", labels, rows, rows, a, b)


def _same_rows(a: Words, b: Words) -> bool:
    """Return whether words cannot match all rows, but numbers can, as all words are the same."""
    return (
        len(a) == len(b)
        and len(a.index) < len(a)
        and all(first == second for first, second in zip(a, b, strict=True))
    )


def _some(source: Source) -> str:
    return listed(map(repr, list(source.words.index if source.words else ())[:4]))


def _chosen(pairs: _Pairs, words: Sequence[str]) -> Rows:
    """Return the places of the words; `#5` is row 5 of the first matrix.

    Raises:
        UsageError: a word is not among the pairs.
    """
    if not words:
        return np.arange(len(pairs.names))
    places: dict[str, int] = {}
    for place, (name, row) in enumerate(zip(pairs.names, pairs.rows_a.tolist(), strict=True)):
        places.setdefault(name, place)
        places.setdefault(f"#{row}", place)
    absent = [word for word in words if word not in places]
    if absent:
        close = difflib.get_close_matches(absent[0], pairs.names[:_MOST_SPELLED], n=1)
        hint = f"; did you mean {clipped_repr(close[0])}?" if close else ""
        raise UsageError(
            f"{listed(map(repr, absent))}: not among the {plural(len(pairs.names), 'row')} that "
            f"both have; expected a word of both, or a row such as #0{hint}"
        )
    return np.array(list(dict.fromkeys(places[word] for word in words)))


def _turned(source: Doubles, target: Doubles) -> Doubles:
    """Return the source turned or mirrored so that its rows come closest to those of the target.

    Where there are fewer rows than dimensions, only the two subspaces that they span matter: in
    these, the matrices are as small as the number of rows.
    """
    if len(source) < source.shape[1]:
        _, source_in_it = np.linalg.qr(source.T)
        axes_of_target, target_in_it = np.linalg.qr(target.T)
        turn = _procrustes(source_in_it.T, target_in_it.T)
        return np.asarray(source_in_it.T @ turn @ axes_of_target.T)
    return source @ _procrustes(source, target)


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
    left: Doubles, right: Doubles, names: list[str], queries: Rows, k: int
) -> dict[int, tuple[tuple[str, ...], tuple[str, ...], float]]:
    """Return for each query which neighbors it gained and lost, and the share that stayed."""
    if not k:
        return {}
    sides = []
    itself = [[row] for row in queries.tolist()]
    for side in (left, right):
        rows = side.astype(np.float32)
        searcher = Searcher(rows, norms_of(rows))
        nearest = searcher.nearest_of_many(side[queries], k, itself)
        sides.append([neighbors.rows.tolist() for neighbors in nearest])
    around = {}
    for row, before, after in zip(queries.tolist(), *sides, strict=True):
        gained = tuple(names[other] for other in after if other not in before)
        lost = tuple(names[other] for other in before if other not in after)
        around[row] = (gained, lost, len(set(before) & set(after)) / k)
    return around
