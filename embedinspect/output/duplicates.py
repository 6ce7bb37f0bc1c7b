"""`duplicates`: rows that are there twice, or nearly."""

from __future__ import annotations

from collections.abc import Iterator

from embedinspect.analysis.duplicates import Duplicates, Group
from embedinspect.output.document import Document, about_source
from embedinspect.output.labels import word_label
from embedinspect.output.top import DEFAULT
from embedinspect.page import Column, Fact, Facts, Page, Table
from embedinspect.source import Source
from embedinspect.wording import listed, plural

_MOST_NAMED = 8
_NEAR_1 = 1e-5  # five digits do not tell a cosine nearer to 1 from it
_LONGEST = 40  # of a text; more than elsewhere, as it shows what is there twice


def page(duplicates: Duplicates, top: int | None = None) -> Page:
    """Yield the groups, the one with the closest pair first, and what was compared."""
    most = top or DEFAULT
    if duplicates.groups:
        yield _table(duplicates, most)
    yield Facts(list(_facts(duplicates)))


def _table(duplicates: Duplicates, most: int) -> Table:
    groups, by_cosine = duplicates.groups[:most], duplicates.metric == "cosine"
    return Table(
        "Rows that are there twice, or nearly",
        [
            Column("rows", [len(group.rows) for group in groups], "number"),
            Column("closest", [_closest(group, by_cosine) for group in groups], rigid=True),
            Column("which", [_names(duplicates.source, group) for group in groups], "prose"),
        ],
        more=len(duplicates.groups) - len(groups),
    )


def _closest(group: Group, by_cosine: bool) -> str:
    """Return the score of the closest pair; of a cosine near 1, how far it is from it."""
    if group.equal:
        return "equal"
    if not by_cosine:
        return f"{group.closest:.5g}"
    if group.closest == 1:
        return "1"
    short_of_1 = 1 - group.closest
    return f"{group.closest:.5f}" if short_of_1 >= _NEAR_1 else f"1 - {_power(short_of_1)}"


def _power(number: float) -> str:
    """Return a small number with two digits, as `5.2e-7`."""
    digits, exponent = f"{number:.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def _names(source: Source, group: Group) -> str:
    return listed((word_label(source, row, _LONGEST) for row in group.rows), _MOST_NAMED)


def _facts(duplicates: Duplicates) -> Iterator[Fact]:
    groups = duplicates.groups
    compared = f"{plural(duplicates.compared, 'row')}, each with each"
    if duplicates.beyond:
        compared += f"; {duplicates.beyond:,} behind the first ones were not looked at"
    yield Fact("compared", compared)
    if duplicates.compared < 2:
        yield Fact("found", "nothing: it takes two rows to compare", "notable")
    elif not groups:
        yield Fact("found", f"no pair {_threshold(duplicates)}", "confirmed")
    else:
        rows = sum(len(group.rows) for group in groups)
        yield Fact(
            "found",
            f"{plural(duplicates.pairs, 'pair')} {_threshold(duplicates)}: "
            f"{plural(rows, 'row')} in {plural(len(groups), 'group')} (a group is linked "
            "by such pairs; its ends may be farther apart)",
            "notable",
        )
    copies = sum(group.copies for group in groups)
    equal = "is equal" if copies == 1 else "are equal"
    if duplicates.compared > 1:
        yield Fact(
            "equal",
            f"{plural(copies, 'row')} {equal} to an earlier one, number for number"
            if copies
            else "no two of these rows are equal, number for number",
        )
    left_out = [
        f"{duplicates.zero_rows:,} of zeros" * bool(duplicates.zero_rows),
        f"{duplicates.not_finite:,} with NaN or infinity" * bool(duplicates.not_finite),
    ]
    if duplicates.metric == "euclidean":
        left_out[0] = ""  # they have distances
    if any(left_out):
        what = "direction" if duplicates.metric == "cosine" else "place"
        yield Fact("left out", f"rows without a {what}: {listed(filter(None, left_out))}")


def _threshold(duplicates: Duplicates) -> str:
    if duplicates.metric == "euclidean":
        return f"within a distance of {duplicates.threshold:g}"
    return f"with a cosine of {duplicates.threshold:g} or more"


def document(duplicates: Duplicates, top: int | None = None) -> Document:
    """Return every group with its rows; with `top`, those of the table."""
    by_cosine = duplicates.metric == "cosine"
    head = {
        "source": about_source(duplicates.source),
        "metric": duplicates.metric,
        "over": duplicates.threshold if by_cosine else None,
        "within": None if by_cosine else duplicates.threshold,
        "compared": duplicates.compared,
        "pairs": duplicates.pairs,
        "zero_rows": duplicates.zero_rows,
        "not_finite": duplicates.not_finite,
        "beyond": duplicates.beyond,
    }
    groups = duplicates.groups if top is None else duplicates.groups[:top]
    items = (
        {
            "closest": group.closest,
            "equal": group.equal,
            "copies": group.copies,
            "rows": list(_rows(duplicates, group)),
        }
        for group in groups
    )
    lines = (
        {"group": number, "equal": group.equal, **row}
        for number, group in enumerate(groups)
        for row in _rows(duplicates, group)
    )
    return Document(
        "duplicates",
        head,
        {"groups": items},
        lines="groups",
        columns=("group", "row", "word", "nearest", "cosine", "distance", "equal"),
        rows=lines,
    )


def _rows(duplicates: Duplicates, group: Group) -> Iterator[dict[str, object]]:
    words, by_cosine = duplicates.source.words, duplicates.metric == "cosine"
    for row, nearest, score in zip(group.rows, group.nearest, group.scores, strict=True):
        yield {
            "row": row,
            "word": words[row] if words is not None else None,
            "nearest": nearest,
            "cosine": score if by_cosine else None,
            "distance": None if by_cosine else score,
        }
