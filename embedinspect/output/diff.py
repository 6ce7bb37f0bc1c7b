"""`diff`: what moved between two matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embedinspect.analysis.diff import Difference, Moved
from embedinspect.analysis.histogram import histogram as bins_of
from embedinspect.output import histogram
from embedinspect.output.digits import decimals_for
from embedinspect.output.document import Document, about_source
from embedinspect.output.labels import row_tag, source_name, word_label
from embedinspect.output.relations import sentence
from embedinspect.output.top import DEFAULT, ends
from embedinspect.page import Column, Fact, Facts, Headline, Page, Table
from embedinspect.row_words import is_text
from embedinspect.wording import plural

_LONGEST_WORD = 20
_MOST_NAMED = 5
# So few distances are better read than counted in bins.
_FEW = 20

_BY = {"cosine": "by cosine", "dot": "by dot product", "euclidean": "by Euclidean distance"}


def page(difference: Difference, top: int | None = None, *, named: bool = False) -> Page:
    """Yield how one matrix comes of the other, where that is known, and then what moved."""
    relation = sentence(difference)
    if relation is not None:
        yield Headline(relation)
    yield from moved(difference, top, named=named)


def moved(difference: Difference, top: int | None = None, *, named: bool = False) -> Page:
    """Yield the rows that moved most and least, and what that comes to.

    Where rows differ in width, those whose neighbors changed most stand for them.

    Args:
        top: how many of each; by default all where they were named.
        named: the words were asked for, so those that did not move are shown, too.
    """
    if difference.same_width:
        yield from _moved(difference, top, named=named)
    if difference.apart and difference.around:
        changed = difference.changed
        most = top or (len(changed) if named else DEFAULT)
        yield _changed("Neighbors changed most", changed[:most])
    yield Facts(list(_facts(difference)))


def _moved(difference: Difference, top: int | None, *, named: bool) -> Page:
    """Yield the tables of distances."""
    moved = difference.moved if named else difference.that_moved
    top = top or (len(moved) if named else DEFAULT)
    if moved and len(moved) <= 2 * top:
        yield _table("Moved, the farthest first", moved)
    elif moved:
        yield _table("Moved most", moved[:top])
        yield _table("Moved least", moved[: -top - 1 : -1])
    far = difference.that_moved
    still = len(difference.moved) - len(far)
    if len(far) > _FEW:
        yield histogram.table(
            "How far the rows moved" + (f", {still:,} unmoved left out" if still else ""),
            bins_of(difference.distances),
            lambda place: row_tag(difference.pairs.named, far[place].row_a),
            "rows",
        )


def _table(title: str, moved: Sequence[Moved]) -> Table:
    distances = [row.distance for row in moved]
    columns = [
        *_words(moved),
        Column("distance", distances, "number", decimals=decimals_for(distances, 4)),
        Column("cosine", [row.cosine for row in moved], "number", decimals=4),
        Column("length", _lengths(moved), rigid=True),
    ]
    if any(row.overlap is not None for row in moved):
        columns += _neighbors(moved)
    return Table(title, columns)


def _changed(title: str, rows: Sequence[Moved]) -> Table:
    shares = ["" if row.overlap is None else f"{row.overlap:.0%}" for row in rows]
    columns = [
        *_words(rows),
        Column("same neighbors", shares, rigid=True),
    ]
    return Table(title, columns + _neighbors(rows))


def _words(rows: Sequence[Moved]) -> list[Column]:
    """Return the column of words; texts, which are cut there, have their rows beside them."""
    words = Column("word", [row.word for row in rows], most=_LONGEST_WORD)
    if not any(is_text(row.word) for row in rows):
        return [words]
    return [words, Column("row", [row.row_a for row in rows], "id")]


def _neighbors(rows: Sequence[Moved]) -> list[Column]:
    """Return the columns of what became of the neighbors."""
    return [
        Column(f"neighbors {name}", [", ".join(getattr(row, name)) for row in rows], optional=True)
        for name in ("gained", "lost")
    ]


def _lengths(moved: Sequence[Moved]) -> list[str]:
    """Return the length of each row in both matrices, all with the same decimals."""
    decimals = decimals_for([length for row in moved for length in (row.length_a, row.length_b)])
    form = ".2e" if decimals is None else f".{decimals}f"
    return [f"{row.length_a:{form}} → {row.length_b:{form}}" for row in moved]


def _facts(difference: Difference) -> Iterator[Fact]:
    yield from _names(difference)
    yield Fact(
        "shared",
        f"{plural(difference.shared, difference.by)} in both, matched by {difference.by}; only in "
        f"A {difference.only_a:,}, only in B {difference.only_b:,}",
    )
    if difference.not_finite:
        yield Fact(
            "left out",
            f"{plural(difference.not_finite, 'row')} that are not finite in A or B",
            "wrong",
        )
    if difference.same_width:
        yield from _distances(difference)
    else:
        width_a, width_b = difference.pairs.widths
        yield Fact(
            "widths",
            f"{width_a} and {plural(width_b, 'dimension')}, so that no row can be laid upon its "
            "partner; what is compared needs no common axes",
        )
    if difference.overlap is not None:
        yield Fact(
            "neighbors",
            f"of the nearest {difference.neighbors} {_BY[difference.metric]}, "
            f"{difference.overlap:.0%} are the same, mean over "
            f"{plural(difference.overlap_words, difference.by)}; with the rows of B shuffled, "
            f"{_share(difference.overlap_by_chance)}",
        )
    yield from _alike(difference)
    if difference.trained_apart:
        yield Fact(
            "advice",
            "the two look trained apart: turning B onto A lifts the mean cosine from "
            f"{difference.mean_cosine:.2f} to {difference.mean_cosine_aligned:.2f}; give --align, "
            "as distances mean nothing without it (neighbors do)",
            "notable",
        )


def _names(difference: Difference) -> Iterator[Fact]:
    """Yield what is compared; two tensors of one file are told apart by their names."""
    same = difference.a.path == difference.b.path
    both = zip("AB", (difference.a, difference.b), difference.dims, strict=True)
    for label, source, dims in both:
        tensor = f", {source.tensor}" if same and source.run is None and source.tensor else ""
        cut = "" if dims is None else f", its rows cut to {plural(dims, 'number')}, of length 1"
        yield Fact(label, source_name(source) + tensor + cut)


def _distances(difference: Difference) -> Iterator[Fact]:
    """Yield what is said of rows that can be laid upon each other."""
    unmoved = difference.unmoved
    pairs = difference.pairs
    first = [
        word_label(pairs.named, pairs.row_a(place)) for place in unmoved[:_MOST_NAMED].tolist()
    ]
    rest = len(unmoved) - len(first)
    names = f": {', '.join(first)}" if first else ""
    names += f", and {rest:,} more" if rest else ""
    equal = "is equal" if len(unmoved) == 1 else "are equal"
    yield Fact(
        "unmoved",
        f"{len(unmoved):,} of {plural(len(difference.pairs), 'row')} {equal}, number for number"
        f"{names}",
    )
    if difference.aligned:
        yield from _turn(difference)
    turned = ", after that" if difference.aligned else ""
    yield Fact(
        "moved",
        f"mean distance {difference.mean_distance:.4g}, mean cosine "
        f"{difference.mean_cosine:.4f}{turned}",
    )


def _share(share: float | None) -> str:
    """Return a share in percent, a small one with a digit more."""
    if share is None:
        return ""
    if share < 0.001:
        return "less than 0.1%"
    return f"{share:.0%}" if share >= 0.095 else f"{share:.1%}"


def _alike(difference: Difference) -> Iterator[Fact]:
    similar = difference.similarities
    if similar.correlation is None:
        return
    of_all = "all pairs" if similar.all_pairs else f"{similar.pairs:,} pairs"
    floor = (
        ""
        if similar.floor is None
        else (f"; with the rows of B shuffled, at most {similar.floor:.2f} in 95 of 100 cases")
    )
    yield Fact(
        "alike",
        f"rank correlation {similar.correlation:.2f} between the cosines of {of_all} of "
        f"{plural(similar.rows, 'row')} in A and those in B{floor}",
    )


def _turn(difference: Difference) -> Iterator[Fact]:
    yield Fact(
        "turned",
        "B onto A, by the turn about the origin (orthogonal Procrustes; it may mirror, but neither "
        f"shifts nor scales) that brings {plural(len(difference.pairs), 'row')} closest",
    )
    if difference.always_fits:
        yield Fact(
            "",
            f"there are no more rows than the {plural(difference.dimensions, 'dimension')}, and so "
            "few rows come close to unrelated ones, too: distances and cosines say little here",
            "notable",
        )


def _relation(difference: Difference) -> dict[str, object] | None:
    """Return how one matrix comes of the other, for programs."""
    if difference.relation is None:
        return None
    return {"sentence": sentence(difference), **vars(difference.relation)}


def document(difference: Difference, top: int | None = None, *, named: bool = False) -> Document:
    """Return every matched row; with `top`, those of the tables."""
    far = difference.that_moved
    bins = bins_of(difference.distances)
    similar = difference.similarities
    head = {
        "a": about_source(difference.a),
        "b": about_source(difference.b),
        "dims_a": difference.dims[0],
        "dims_b": difference.dims[1],
        "metric": difference.metric,
        "by": difference.by,
        "shared": difference.shared,
        "only_a": difference.only_a,
        "only_b": difference.only_b,
        "unmoved": len(difference.unmoved),
        "not_finite": difference.not_finite,
        "relation": _relation(difference),
        "mean_distance": difference.mean_distance,
        "mean_cosine": difference.mean_cosine,
        "aligned": difference.aligned,
        "mean_cosine_aligned": difference.mean_cosine_aligned,
        "trained_apart": difference.trained_apart,
        "neighbors": difference.neighbors,
        "overlap": difference.overlap,
        "overlap_words": difference.overlap_words,
        "overlap_by_chance": difference.overlap_by_chance,
        "similarities": dict(vars(similar)),
        "histogram": histogram.document(bins, lambda place: far[place].word),
    }
    listed_rows: Sequence[Moved] = difference.moved
    if top is not None:
        listed_rows = ends(listed_rows if named else difference.that_moved, top)
    apart = {} if difference.same_width else {"distance": None, "cosine": None}
    moved = ({**vars(row), **apart} for row in listed_rows)
    columns = (
        "word", "row_a", "row_b", "distance", "cosine", "length_a", "length_b", "overlap",
        "gained", "lost",
    )  # fmt: skip
    return Document("diff", head, {"moved": moved}, lines="moved", columns=columns)
