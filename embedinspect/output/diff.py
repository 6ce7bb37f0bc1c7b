"""`diff`: what moved between two matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

from embedinspect.analysis.diff import Difference, Moved
from embedinspect.analysis.diff.matching import Repeats
from embedinspect.analysis.histogram import histogram as bins_of
from embedinspect.output import histogram
from embedinspect.output.digits import decimals_below_one, decimals_for, percent
from embedinspect.output.document import Document, about_source
from embedinspect.output.labels import row_tag, short, source_name, word_label
from embedinspect.output.limits import broken
from embedinspect.output.relations import (
    elsewhere_document,
    relation_document,
    seems_elsewhere,
    sentence,
    to_match_rows,
)
from embedinspect.output.top import DEFAULT, ends
from embedinspect.page import Column, Fact, Facts, Headline, Page, Paragraph, Table
from embedinspect.row_words import is_text
from embedinspect.wording import plural

_LONGEST_WORD = 20
_MOST_NAMED = 5
# So few distances are better read than counted in bins.
_FEW = 20

_BY = {"cosine": "by cosine", "dot": "by dot product", "euclidean": "by Euclidean distance"}


def page(difference: Difference, top: int | None = None, *, named: bool = False) -> Page:
    """Yield how one matrix comes of the other, where that is known, and then what moved."""
    known, seems = sentence(difference), seems_elsewhere(difference)
    first = known or seems
    if first is not None:
        yield Headline(first)
    mend = to_match_rows(difference)
    if mend is not None:
        yield Paragraph(mend)
    if known is not None and seems is not None:  # a page has one headline
        yield Paragraph(seems, "notable")
    yield from moved(difference, top, named=named)


def moved(difference: Difference, top: int | None = None, *, named: bool = False) -> Page:
    """Yield the rows that moved most and least, and what that comes to.

    Those whose neighbors changed most follow, where any did and it is not said yet.

    Args:
        top: how many of each; by default all where they were named.
        named: the words were asked for, so those that did not move are shown, too.
    """
    tables = _farthest(difference, top, named=named) if difference.same_width else []
    for title, rows in tables:
        yield _table(title, rows)
    if difference.same_width:
        yield from _distances_in_bins(difference)
    changed = difference.changed
    if len(changed) and (changed[0].overlap or 0) < 1:
        most = changed[: top or (len(changed) if named else DEFAULT)]
        said = {row.row_a for _, rows in tables for row in rows}
        rows = [row for row in most if named or (row.overlap or 0) < 1]
        if difference.apart or not said.issuperset(row.row_a for row in rows):
            yield _changed("Neighbors changed most", rows)
    yield Facts(list(_facts(difference)))


def sentences(difference: Difference) -> Iterator[str]:
    """Yield what is said first of how one matrix comes of the other."""
    yield from filter(None, [sentence(difference), seems_elsewhere(difference)])


def _farthest(
    difference: Difference, top: int | None, *, named: bool
) -> list[tuple[str, Sequence[Moved]]]:
    """Return the rows that moved most and least, with a title for each of the tables."""
    moved = difference.moved if named else difference.that_moved
    top = top or (len(moved) if named else DEFAULT)
    if len(moved) <= 2 * top:
        return [("Moved, the farthest first", moved)] if len(moved) else []
    return [("Moved most", moved[:top]), ("Moved least", moved[: -top - 1 : -1])]


def _distances_in_bins(difference: Difference) -> Page:
    """Yield how far the rows moved, where they are too many to be read one by one."""
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
    cosines = [_known(row.cosine) for row in moved]
    decimals = decimals_below_one((cosine for cosine in cosines if cosine is not None), 4)
    columns = [
        *_words(moved),
        Column("distance", distances, "number", decimals=decimals_for(distances, 4)),
        Column("cosine", cosines, "number", decimals=decimals),
        Column("length", _lengths(moved), rigid=True),
    ]
    if any(row.overlap is not None for row in moved):
        columns += _neighbors(moved)
    return Table(title, columns)


def _changed(title: str, rows: Sequence[Moved]) -> Table:
    shares = ["" if row.overlap is None else percent(row.overlap) for row in rows]
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
    yield from _left_out(difference)
    if difference.same_width:
        yield from _distances(difference)
    else:
        width_a, width_b = difference.pairs.widths
        yield Fact(
            "widths",
            f"{width_a} and {plural(width_b, 'dimension')}, so there are no distances between rows "
            "of A and B; neighbors and similarities are compared",
        )
    if difference.overlap is not None:
        yield Fact(
            "neighbors",
            f"of the nearest {difference.neighbors} {_BY[difference.metric]}, "
            f"{percent(difference.overlap)} are the same, mean over "
            f"{plural(difference.overlap_words, difference.by)}; with the rows of B shuffled, "
            f"{percent(difference.overlap_by_chance or 0)}",
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
    verb = "is" if len(unmoved) <= 1 else "are"
    count = f"{len(unmoved):,}" if len(unmoved) else "none"
    yield Fact(
        "unmoved",
        f"{count} of {plural(len(difference.order), 'row')} {verb} equal, number for number{names}",
    )
    if difference.aligned:
        yield from _turn(difference)
    turned = ", after that" if difference.aligned else ""
    yield Fact(
        "moved",
        f"mean distance {difference.mean_distance:.4g}, {_mean_cosine(difference)}{turned}",
    )


def _mean_cosine(difference: Difference) -> str:
    """Return the mean cosine and over how many rows it is taken."""
    mean, rows = difference.mean_cosine, len(difference.order)
    over = f" over {plural(rows, 'row')}"
    if isnan(mean):
        return f"mean{over}; no cosine, as every row is zero in both"
    decimals = decimals_below_one([mean], 4)
    zero, counted = difference.zero_in_one, difference.cosine_rows
    over += "" if counted == rows else f", the cosine over the {counted:,} not zero in both"
    if zero:
        which = f"{zero:,} of them, which is" if zero == 1 else f"{zero:,} of them, which are"
        over += f", with 0 for {which} zero in A or B alone"
    return f"mean cosine {mean:.{decimals}f}{over}"


def _left_out(difference: Difference) -> Iterator[Fact]:
    """Yield which rows are not compared, and which could not be."""
    repeated = ((difference.a, difference.repeats_a), (difference.b, difference.repeats_b))
    for label, (source, repeats) in zip("AB", repeated, strict=True):
        if repeats is not None:
            verb, such_as = ("has", ":") if repeats.count == 1 else ("have", ", such as")
            yield Fact(
                "repeated",
                f"{plural(repeats.count, 'row')} of {label} {verb} the word of an earlier row"
                f"{such_as} row {repeats.row:,} ({short(source.name_of(repeats.row))}, as row "
                f"{repeats.earlier:,}); only the first row of each word is compared",
                "notable",
            )
    both = difference.not_finite - len(difference.broken_a) - len(difference.broken_b)
    said = broken(difference)
    if both:
        said.append(f"{plural(both, 'row')} {'is' if both == 1 else 'are'} not finite in both")
    if said:
        yield Fact("left out", "; ".join(said), "wrong")


def _known(value: float) -> float | None:
    """Return a number, or None for NaN: it is an empty cell then."""
    return None if isnan(value) else value


def _alike(difference: Difference) -> Iterator[Fact]:
    similar = difference.similarities
    if similar.correlation is None:
        return
    of_all = "all pairs" if similar.all_pairs else f"{similar.pairs:,} pairs"
    decimals = decimals_below_one([similar.correlation], 2)
    floor = (
        ""
        if similar.floor is None
        else (f"; with the rows of B shuffled, at most {similar.floor:.2f} in 95 of 100 cases")
    )
    yield Fact(
        "alike",
        f"rank correlation {similar.correlation:.{decimals}f} between the cosines of {of_all} of "
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


def _count(repeats: Repeats | None) -> int:
    return 0 if repeats is None else repeats.count


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
        "repeated_a": _count(difference.repeats_a),
        "repeated_b": _count(difference.repeats_b),
        "unmoved": len(difference.unmoved),
        "not_finite": difference.not_finite,
        "not_finite_in_a_alone": len(difference.broken_a),
        "not_finite_in_b_alone": len(difference.broken_b),
        "relation": relation_document(difference),
        "elsewhere": elsewhere_document(difference),
        "mean_distance": difference.mean_distance,
        "mean_cosine": difference.mean_cosine,
        "mean_cosine_rows": difference.cosine_rows if difference.same_width else 0,
        "zero_in_one": difference.zero_in_one,
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
    moved = (
        {**vars(row), "distance": _known(row.distance), "cosine": _known(row.cosine)}
        for row in listed_rows
    )
    columns = (
        "word", "row_a", "row_b", "distance", "cosine", "length_a", "length_b", "overlap",
        "gained", "lost",
    )  # fmt: skip
    return Document("diff", head, {"moved": moved}, lines="moved", columns=columns)
