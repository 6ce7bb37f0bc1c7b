"""`diff`: what moved between two matrices, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from embedinspect.analysis.diff import Difference, Moved
from embedinspect.output.document import Document, about
from embedinspect.output.grid import Block, Cell, Column
from embedinspect.output.screen import Screen, clip, labelled
from embedinspect.wording import listed, literal, plural

_LONGEST_WORD = 20
_MOST_NAMED = 5


def draw(found: Difference, top: int, screen: Screen, *, named: bool = False) -> Iterator[Text]:
    """Yield the rows that moved most and least, and what that comes to.

    Args:
        named: the words were asked for, so all of them are shown.
    """
    moved = found.moved if named else [one for one in found.moved if one.distance > 0]
    if moved and (named or len(moved) <= 2 * top):
        yield from _table("Moved, the farthest first", moved, found, screen)
        yield Text()
    elif moved:
        yield from _table("Moved most", moved[:top], found, screen)
        yield Text()
        yield from _table("Moved least", moved[: -top - 1 : -1], found, screen)
        yield Text()
    for label, sentence in _facts(found):
        yield from labelled(label, sentence, screen)


def _table(title: str, moved: Sequence[Moved], found: Difference, screen: Screen) -> Iterator[Text]:
    columns = [
        Column("word", [Cell(clip(literal(one.word), _LONGEST_WORD)) for one in moved]),
        Column("distance", [Cell(f"{one.distance:.4g}") for one in moved], right=True),
        Column("cosine", [Cell(f"{one.cosine:.4f}") for one in moved], right=True),
    ]
    lengths = [f"{one.length_a:.3g} → {one.length_b:.3g}" for one in moved]
    lengths = [length.replace("→", screen.glyphs.arrow) for length in lengths]
    columns.append(Column("length", [Cell(length) for length in lengths], right=True))
    block = Block(title, columns)
    room = (screen.width - block.width - 4) // 2
    if found.neighbors and room >= 12 and any(one.overlap is not None for one in moved):
        for name in ("gained", "lost"):
            texts = [_names(getattr(one, name), room, screen) for one in moved]
            header = f"neighbors {name}" if room >= 16 else name
            columns.append(Column(header, [Cell(text) for text in texts]))
    yield from Block(title, columns).lines(screen.glyphs.rule)


def _names(words: Sequence[str], room: int, screen: Screen) -> str:
    return clip(", ".join(map(literal, words)), room, screen.glyphs.more)


def _facts(found: Difference) -> Iterator[tuple[str, str]]:
    a, b = literal(_title(found, "a")), literal(_title(found, "b"))
    alone = f"; only in A {found.only_a:,}, only in B {found.only_b:,}"
    yield "A", a
    yield "B", b
    noun = "word" if found.by == "word" else "row"
    yield "shared", f"{plural(found.shared, noun)} in both, matched by {found.by}{alone}"
    if found.not_finite:
        yield "left out", f"{plural(found.not_finite, 'row')} that are not finite in A or B"
    compared = found.shared - found.not_finite
    yield "unmoved", f"{found.unmoved:,} of {compared:,} rows are equal, number for number"
    yield (
        "moved",
        f"mean distance {found.mean_distance:.4g}, mean cosine {found.mean_cosine:.4f}"
        + (", after turning B onto A (orthogonal Procrustes)" if found.aligned else ""),
    )
    if found.overlap is not None:
        yield (
            "neighbors",
            f"of the nearest {found.neighbors} by cosine, {found.overlap:.0%} are the same, mean "
            f"over {plural(found.overlap_words, 'word')}",
        )
    if found.trained_apart:
        yield (
            "advice",
            f"the two look trained apart: turning B onto A lifts the mean cosine from "
            f"{found.mean_cosine:.2f} to {found.mean_cosine_aligned:.2f}; give --align, as "
            "distances mean nothing without it (neighbors do)",
        )


def _title(found: Difference, side: str) -> str:
    source = found.a if side == "a" else found.b
    if source.run is not None:
        when = "before training" if source.epoch == 0 else f"after epoch {source.epoch}"
        return f"{source.path}, {when}"
    return source.path


def document(found: Difference) -> Document:
    """Return every matched row, for programs."""
    head = {
        "a": about(found.a),
        "b": about(found.b),
        "by": found.by,
        "shared": found.shared,
        "only_a": found.only_a,
        "only_b": found.only_b,
        "unmoved": found.unmoved,
        "not_finite": found.not_finite,
        "mean_distance": found.mean_distance,
        "mean_cosine": found.mean_cosine,
        "aligned": found.aligned,
        "mean_cosine_aligned": found.mean_cosine_aligned,
        "trained_apart": found.trained_apart,
        "neighbors": found.neighbors,
        "overlap": found.overlap,
        "overlap_words": found.overlap_words,
    }
    items = (dict(vars(one)) for one in found.moved)
    columns = (
        "word", "row_a", "row_b", "distance", "cosine", "length_a", "length_b", "overlap",
        "gained", "lost",
    )  # fmt: skip
    return Document("diff", head, items, "moved", columns)


def over(found: Difference, most: float) -> str:
    """Return what to say where rows moved farther than was allowed."""
    beyond = [one.word for one in found.moved if one.distance > most]
    return (
        f"{plural(len(beyond), 'row')} moved farther than {most:g}: "
        f"{listed(map(literal, beyond), _MOST_NAMED)}"
    )
