"""`map`: the rows in two dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from embedinspect.analysis.map import AXIS, NEAREST, PCA, MapAxis, RowMap, ends
from embedinspect.analysis.neighbors import note_on
from embedinspect.output.document import Document, about_source
from embedinspect.output.labels import asked_label, asked_word, note_facts, source_name, word_label
from embedinspect.page import Fact, Facts, Page
from embedinspect.pictures import Scatter, Shade
from embedinspect.source import Source
from embedinspect.wording import listed, plural

_ORDINALS = ("first", "second")
_FEWEST_WITH_ENDS = 20


def page(row_map: RowMap) -> Page:
    """Yield the picture, and what to know of it."""
    yield picture(row_map)
    facts = [*_ends(row_map), Fact("rows", _rows(row_map)), Fact("method", _method(row_map))]
    if row_map.metric == "cosine":
        facts.append(Fact("metric", "cosine: each row is scaled to length 1 before it is drawn"))
    facts += [Fact("note", note, "notable") for note in _notes(row_map)]
    yield Facts([*facts, *note_facts(note_on(row_map.source))])


def _ends(row_map: RowMap) -> Iterator[Fact]:
    """Yield which words lie at the ends of the first axis, where it is a direction."""
    if row_map.method.name not in {PCA, AXIS} or len(row_map.names) < _FEWEST_WITH_ENDS:
        return
    source = row_map.source
    left, right = (", ".join(word_label(source, row) for row in rows) for rows in ends(row_map))
    yield Fact("ends", f"across, from {left} on the left to {right} on the right")


def picture(row_map: RowMap) -> Scatter:
    """Return the rows as a picture, with the sentence that says how much of the truth it shows."""
    x, y = (_axis_name(row_map, place) for place in (0, 1))
    source = row_map.source
    then = row_map.before_epoch
    return Scatter(
        title=_title(row_map),
        points=row_map.points,
        names=row_map.names,
        rows=row_map.rows.tolist(),
        x_name=x,
        y_name=y,
        labels=row_map.labels,
        marked=row_map.marked,
        shade=row_map.shade,
        before=row_map.before,
        before_name="" if then is None else _when(then),
        after_name="" if then is None else _when(source.epoch or 0),
        square=row_map.same_unit,
        remark=" ".join(_honesty(row_map)),
    )


def _when(epoch: int) -> str:
    return "before training" if epoch == 0 else f"after epoch {epoch}"


def _title(row_map: RowMap) -> str:
    what = "word" if row_map.source.words is not None else "row"
    added = len(row_map.rows) - row_map.fitted
    first = "the first " if row_map.left_out.beyond or added else ""
    more = f" and {added:,} more" if added else ""
    of = f"{first}{plural(row_map.fitted, what)}{more} of {source_name(row_map.source)}"
    seen = {
        PCA: "seen along the two directions of greatest spread (PCA)",
        AXIS: "seen along chosen directions",
    }.get(row_map.method.name, f"laid out by {row_map.method.name}")
    return f"{of[0].upper()}{of[1:]}, {seen}"


def _axis_name(row_map: RowMap, place: int) -> str:
    axis = row_map.axes[place]
    if axis.low:
        low, high = (_asked(row_map.source, words) for words in (axis.low, axis.high))
        return f"from {low} (0) to {high} (1)"
    if axis.share is None:
        return ""
    if row_map.method.name == AXIS:
        return "greatest spread at a right angle to it"
    return f"{_ORDINALS[place]} direction" if axis.share else "no further direction of spread"


def _asked(source: Source, words: tuple[str, ...]) -> str:
    return listed((asked_label(source, word) for word in words), 3)


def _honesty(row_map: RowMap) -> Iterator[str]:
    """Yield how much of the rows the picture shows, in sentences."""
    if row_map.seen is not None:
        x, y = (axis.share or 0.0 for axis in row_map.axes)
        these = "These two directions" if row_map.angle is None else "The plane of these axes"
        held = f"{x:.1%} and {y:.1%}" if row_map.angle is None else f"{row_map.seen:.1%}"
        hold = "hold" if row_map.angle is None else "holds"
        yield (
            f"{these} {hold} {held} of the spread of these rows; {1 - row_map.seen:.1%} is not "
            "seen."
        )
    if row_map.before_seen is not None and row_map.before_epoch is not None:
        when = _when(row_map.before_epoch)
        yield f"{when.capitalize()} they held {row_map.before_seen:.1%}."
    if row_map.kept is not None:
        chance = NEAREST / (len(row_map.rows) - 1)
        yield (
            f"Of a row's {NEAREST} nearest rows, {row_map.kept:.0%} are among its {NEAREST} "
            f"nearest points here; by chance it would be {chance:.1%}."
        )
    if row_map.seen is None:
        yield "Distances and directions mean nothing here; what is near is often near in the rows."


def _rows(row_map: RowMap) -> str:
    """Return which rows are drawn, and how many are not, by the reason."""
    out, total = row_map.left_out, row_map.source.matrix.input_dim
    parts = [
        f"{out.beyond:,} behind the first ones (--first N draws more)" * bool(out.beyond),
        f"{out.without_word:,} without a word" * bool(out.without_word),
        f"{out.zeros:,} of zeros alone" * bool(out.zeros),
        f"{out.not_finite:,} with NaN or infinity" * bool(out.not_finite),
    ]
    drawn = f"{len(row_map.rows):,} of {total:,} drawn"
    reasons = listed(part for part in parts if part)
    added = len(row_map.rows) - row_map.fitted
    if added:
        drawn += f", {added:,} of them as named"
        drawn += " (the spread is that of the others)" * (row_map.seen is not None)
    return f"{drawn}{'; left out: ' + reasons if reasons else ''}"


def _method(row_map: RowMap) -> str:
    method = row_map.method
    if method.library is None:
        return (
            "exact, without random numbers; a direction of spread points where its largest number "
            "is positive"
        )
    settings = ", ".join(f"{name} {_setting(value)}" for name, value in method.settings.items())
    return f"{method.name}, by {method.library} {method.version}: {settings}"


def _setting(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _notes(row_map: RowMap) -> Iterator[str]:
    if row_map.angle is not None and min(row_map.angle, 180 - row_map.angle) < 0.5:
        yield "the two axes are one direction, so the points lie on a line"
    elif row_map.angle is not None and abs(row_map.angle - 90) >= 0.5:
        yield (
            f"the two axes stand at {row_map.angle:.0f} degrees to each other in the matrix, and "
            "at a right angle only here"
        )
    if row_map.undecided:
        yield (
            "several directions have the same spread, so this picture is one of many that are as "
            "good"
        )


def document(row_map: RowMap) -> Document:
    """Return all points with every digit."""
    method, shade = row_map.method, row_map.shade
    head = {
        "source": about_source(row_map.source),
        "method": {
            "name": method.name,
            "library": method.library,
            "version": method.version,
            "settings": dict(method.settings),
        },
        "metric": row_map.metric,
        "axes": [_axis(row_map.source, axis) for axis in row_map.axes],
        "seen": row_map.seen,
        "undecided": row_map.undecided,
        "angle": row_map.angle,
        "neighbors_kept": row_map.kept,
        "neighbors_kept_rows": row_map.kept_rows,
        "before_epoch": row_map.before_epoch,
        "before_seen": row_map.before_seen,
        "color_by": row_map.color_by,
        "shade": None
        if shade is None
        else {
            "name": shade.name,
            "low": shade.low,
            "high": shade.high,
            "categories": list(shade.categories),
        },
        "left_out": dict(vars(row_map.left_out)),
        "note": note_on(row_map.source),
    }
    return Document(
        "map",
        head,
        {"points": _points(row_map)},
        lines="points",
        columns=("row", "word", "x", "y", "before_x", "before_y", "value", "marked"),
    )


def _axis(source: Source, axis: MapAxis) -> dict[str, object]:
    low, high = ([asked_word(source, word) for word in words] for words in (axis.low, axis.high))
    return {"low": low, "high": high, "share": axis.share}


def _points(row_map: RowMap) -> Iterator[dict[str, object]]:
    marked, shade, before = set(row_map.marked), row_map.shade, row_map.before
    words = row_map.source.words
    for place, (row, (x, y)) in enumerate(
        zip(row_map.rows.tolist(), row_map.points.tolist(), strict=True)
    ):
        yield {
            "row": row,
            "word": None if words is None else words[row],
            "x": x,
            "y": y,
            "before_x": None if before is None else float(before[place, 0]),
            "before_y": None if before is None else float(before[place, 1]),
            "value": _value(shade, place),
            "marked": place in marked,
        }


def _value(shade: Shade | None, place: int) -> float | str | None:
    """Return what the colour of a point stands for: a number, or the name of a kind."""
    if shade is None or isnan(shade.values[place]):
        return None
    value = float(shade.values[place])
    return shade.categories[int(value)] if shade.categories else value
