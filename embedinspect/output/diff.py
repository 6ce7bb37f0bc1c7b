"""`diff`: what moved between two matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embedinspect.analysis.diff import Difference, Moved
from embedinspect.analysis.histogram import histogram as bins_of
from embedinspect.output import histogram
from embedinspect.output.digits import decimals_for
from embedinspect.output.document import Document, about_source
from embedinspect.output.labels import short, source_name
from embedinspect.output.top import DEFAULT, ends
from embedinspect.page import Column, Fact, Facts, Page, Table
from embedinspect.wording import listed, plural

_LONGEST_WORD = 20
_MOST_NAMED = 5
# So few distances are better read than counted in bins.
_FEW = 20


def page(difference: Difference, top: int | None = None, *, named: bool = False) -> Page:
    """Yield the rows that moved most and least, and what that comes to.

    Args:
        top: how many of each; by default all where they were named.
        named: the words were asked for, so those that did not move are shown, too.
    """
    moved = difference.moved if named else _rows_that_moved(difference)
    top = top or (len(moved) if named else DEFAULT)
    if moved and len(moved) <= 2 * top:
        yield _table("Moved, the farthest first", moved)
    elif moved:
        yield _table("Moved most", moved[:top])
        yield _table("Moved least", moved[: -top - 1 : -1])
    far = _rows_that_moved(difference)
    still = len(difference.moved) - len(far)
    if len(far) > _FEW:
        yield histogram.table(
            "How far the rows moved" + (f", {still:,} unmoved left out" if still else ""),
            bins_of([row.distance for row in far]),
            lambda place: short(far[place].word),
            "rows",
        )
    yield Facts(list(_facts(difference)))


def _rows_that_moved(difference: Difference) -> Sequence[Moved]:
    return [row for row in difference.moved if row.distance > 0]


def _table(title: str, moved: Sequence[Moved]) -> Table:
    distances = [row.distance for row in moved]
    columns = [
        Column("word", [row.word for row in moved], most=_LONGEST_WORD),
        Column("distance", distances, "number", decimals=decimals_for(distances, 4)),
        Column("cosine", [row.cosine for row in moved], "number", decimals=4),
        Column("length", _lengths(moved), rigid=True),
    ]
    if any(row.overlap is not None for row in moved):
        for name in ("gained", "lost"):
            words = [", ".join(getattr(row, name)) for row in moved]
            columns.append(Column(f"neighbors {name}", words, optional=True))
    return Table(title, columns)


def _lengths(moved: Sequence[Moved]) -> list[str]:
    """Return the length of each row in both matrices, all with the same decimals."""
    decimals = decimals_for([length for row in moved for length in (row.length_a, row.length_b)])
    form = ".2e" if decimals is None else f".{decimals}f"
    return [f"{row.length_a:{form}} → {row.length_b:{form}}" for row in moved]


def _facts(difference: Difference) -> Iterator[Fact]:
    yield Fact("A", source_name(difference.a))
    yield Fact("B", source_name(difference.b))
    noun = "word" if difference.by == "word" else "row"
    yield Fact(
        "shared",
        f"{plural(difference.shared, noun)} in both, matched by {difference.by}; only in A "
        f"{difference.only_a:,}, only in B {difference.only_b:,}",
    )
    if difference.not_finite:
        yield Fact(
            "left out",
            f"{plural(difference.not_finite, 'row')} that are not finite in A or B",
            "wrong",
        )
    compared = difference.shared - difference.not_finite
    unmoved = difference.unmoved
    names = f": {listed(map(short, unmoved), _MOST_NAMED)}" if unmoved else ""
    equal = "is equal" if len(unmoved) == 1 else "are equal"
    yield Fact(
        "unmoved",
        f"{len(unmoved):,} of {plural(compared, 'row')} {equal}, number for number{names}",
    )
    if difference.aligned:
        yield from _turn(difference, compared)
    turned = ", after that" if difference.aligned else ""
    yield Fact(
        "moved",
        f"mean distance {difference.mean_distance:.4g}, mean cosine "
        f"{difference.mean_cosine:.4f}{turned}",
    )
    if difference.overlap is not None:
        yield Fact(
            "neighbors",
            f"of the nearest {difference.neighbors} by cosine, {difference.overlap:.0%} are the "
            f"same, mean over {plural(difference.overlap_words, 'word')}",
        )
    if difference.trained_apart:
        yield Fact(
            "advice",
            "the two look trained apart: turning B onto A lifts the mean cosine from "
            f"{difference.mean_cosine:.2f} to {difference.mean_cosine_aligned:.2f}; give --align, "
            "as distances mean nothing without it (neighbors do)",
            "notable",
        )


def _turn(difference: Difference, compared: int) -> Iterator[Fact]:
    yield Fact(
        "turned",
        "B onto A, by the turn about the origin (orthogonal Procrustes; it may mirror, but neither "
        f"shifts nor scales) that brings {plural(compared, 'row')} closest",
    )
    if difference.always_fits:
        yield Fact(
            "",
            f"there are no more rows than the {plural(difference.dimensions, 'dimension')}, and so "
            "few rows come close to unrelated ones, too: distances and cosines say little here",
            "notable",
        )


def document(difference: Difference, top: int | None = None, *, named: bool = False) -> Document:
    """Return every matched row; with `top`, those of the tables."""
    far = _rows_that_moved(difference)
    bins = bins_of([row.distance for row in far])
    head = {
        "a": about_source(difference.a),
        "b": about_source(difference.b),
        "by": difference.by,
        "shared": difference.shared,
        "only_a": difference.only_a,
        "only_b": difference.only_b,
        "unmoved": len(difference.unmoved),
        "not_finite": difference.not_finite,
        "mean_distance": difference.mean_distance,
        "mean_cosine": difference.mean_cosine,
        "aligned": difference.aligned,
        "mean_cosine_aligned": difference.mean_cosine_aligned,
        "trained_apart": difference.trained_apart,
        "neighbors": difference.neighbors,
        "overlap": difference.overlap,
        "overlap_words": difference.overlap_words,
        "histogram": histogram.document(bins, lambda place: far[place].word),
    }
    listed_rows: Sequence[Moved] = difference.moved
    if top is not None:
        listed_rows = ends(listed_rows if named else _rows_that_moved(difference), top)
    moved = (dict(vars(row)) for row in listed_rows)
    columns = (
        "word", "row_a", "row_b", "distance", "cosine", "length_a", "length_b", "overlap",
        "gained", "lost",
    )  # fmt: skip
    return Document("diff", head, {"moved": moved}, lines="moved", columns=columns)


def moved_beyond(difference: Difference, most: float) -> str | None:
    """Return what to say where rows moved farther than was allowed; None where none did."""
    beyond = [row.word for row in difference.moved if row.distance > most]
    if not beyond:
        return None
    return (
        f"{plural(len(beyond), 'row')} moved farther than {most:g}: {listed(beyond, _MOST_NAMED)}"
    )
