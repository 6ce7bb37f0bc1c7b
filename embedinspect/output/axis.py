"""`axis`: words along a direction, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from embedinspect.analysis.axis import Axis, Fit, Opinion, Place
from embedinspect.analysis.neighbors import note_on
from embedinspect.output.document import Document, about
from embedinspect.output.grid import Block, Cell, Column, beside
from embedinspect.output.screen import Screen, clip, labelled
from embedinspect.wording import listed, literal, plural

_LONGEST_WORD = 24


def draw(axis: Axis, opinion: Opinion | None, top: int, screen: Screen) -> Iterator[Text]:
    """Yield the ends of the axis, and of the classifier's ranking where there is one."""
    places = axis.places
    ends = min(top, len(places) // 2) or min(top, len(places))
    low, high = places[:ends], tuple(reversed(places[-ends:]))
    blocks = [
        _block(f"Low: {_words(axis.low)}", low, screen),
        _block(f"High: {_words(axis.high)}", high, screen),
    ]
    yield from _beside(blocks, screen)
    yield Text()
    yield from labelled(
        "axis",
        f"{plural(len(places), 'word')} on the line from the mean of {_words(axis.low)} "
        f"(position 0) to the mean of {_words(axis.high)} (position 1), {axis.length:.4g} apart",
        screen,
    )
    if opinion is not None:
        yield Text()
        yield from _opinion(opinion, ends, screen)
    note = note_on(axis.source)
    if note is not None:
        yield from labelled("note", note, screen)


def _beside(blocks: Sequence[Block], screen: Screen) -> Iterator[Text]:
    if sum(block.width for block in blocks) + 3 <= screen.width:
        yield from beside(blocks, 3, screen.glyphs.rule)
        return
    for number, block in enumerate(blocks):
        if number:
            yield Text()
        yield from block.lines(screen.glyphs.rule)


def _block(title: str, places: Sequence[Place], screen: Screen) -> Block:
    words = [Cell(clip(literal(place.word), _LONGEST_WORD)) for place in places]
    return Block(
        clip(title, max(20, screen.width - 2), screen.glyphs.more),
        [
            Column("word", words),
            Column("row", [Cell(str(place.row)) for place in places], right=True),
            Column("position", [Cell(f"{place.position:+.3f}") for place in places], right=True),
        ],
    )


def _opinion(opinion: Opinion, ends: int, screen: Screen) -> Iterator[Text]:
    label = literal(opinion.label)
    pairs = list(zip(opinion.words, opinion.probabilities, strict=True))
    title = f"The classifier, on one-word texts: probability of {label}"
    yield Text(clip(title, screen.width, screen.glyphs.more), style="bold")
    yield from _beside(
        [_chances("Lowest", pairs[:ends]), _chances("Highest", pairs[: -ends - 1 : -1])], screen
    )
    yield Text()
    for name, fit in (("trained", opinion.fit), ("untrained", opinion.fit_untrained)):
        yield from labelled(name, _spoken(name, fit, label), screen)
    yield from labelled(
        "agreement",
        f"correlation of that probability with the position on the axis: "
        f"{opinion.correlation:+.3f}",
        screen,
    )


def _spoken(name: str, fit: Fit, label: str) -> str:
    rows = "rows after training" if name == "trained" else "rows before training, for comparison"
    sentence = (
        f"a linear fit of the probability of {label} on the {rows}: R squared "
        f"{fit.r_squared:.3f} ({fit.words:,} words, {fit.dimensions} weights"
    )
    chance = fit.dimensions / fit.words
    return f"{sentence}; chance alone gives about {min(1.0, chance):.3f})"


def _chances(title: str, pairs: Sequence[tuple[str, float]]) -> Block:
    return Block(
        title,
        [
            Column("word", [Cell(clip(literal(word), _LONGEST_WORD)) for word, _ in pairs]),
            Column("probability", [Cell(f"{chance:.3f}") for _, chance in pairs], right=True),
        ],
    )


def _words(words: Sequence[str]) -> str:
    return listed(map(literal, words), 4)


def document(axis: Axis, opinion: Opinion | None) -> Document:
    """Return all words in their order, for programs."""
    head = {
        "source": about(axis.source),
        "low": list(axis.low),
        "high": list(axis.high),
        "length": axis.length,
        "classifier": None
        if opinion is None
        else {
            "label": opinion.label,
            "words": [
                {"word": word, "probability": chance}
                for word, chance in zip(opinion.words, opinion.probabilities, strict=True)
            ],
            "fit": dict(vars(opinion.fit)),
            "fit_untrained": dict(vars(opinion.fit_untrained)),
            "correlation": opinion.correlation,
        },
        "note": note_on(axis.source),
    }
    items = (dict(vars(place)) for place in axis.places)
    return Document("axis", head, items, "places", ("word", "row", "position"))
