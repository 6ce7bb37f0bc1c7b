"""`axis`: words along a direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embedinspect.analysis.axis import Axis, Fit, Opinion, Place
from embedinspect.analysis.neighbors import note_on
from embedinspect.output.document import Document, about_source
from embedinspect.output.labels import LONGEST_WORD, note_facts, short
from embedinspect.page import Column, Fact, Facts, Page, Table, Tables
from embedinspect.wording import listed, plural


def page(axis: Axis, opinion: Opinion | None, top: int) -> Page:
    """Yield the ends of the axis, and of the classifier's ranking where there is one."""
    places = axis.places
    ends = min(top, len(places) // 2) or min(top, len(places))
    yield Tables(
        [
            _places(f"Low: {_words(axis.low)}", places[:ends]),
            _places(f"High: {_words(axis.high)}", tuple(reversed(places[-ends:]))),
        ]
    )
    facts = [
        Fact(
            "axis",
            f"{plural(len(places), 'word')} on the line from the mean of {_words(axis.low)} "
            f"(position 0) to the mean of {_words(axis.high)} (position 1), "
            f"{axis.length:.4g} apart",
        )
    ]
    if opinion is not None:
        yield Facts(facts)
        yield _rankings(opinion, ends)
        facts = list(_opinion(opinion))
    yield Facts([*facts, *note_facts(note_on(axis.source))])


def _places(title: str, places: Sequence[Place]) -> Table:
    return Table(
        title,
        [
            Column("word", [place.word for place in places], most=LONGEST_WORD),
            Column("row", [place.row for place in places], "id"),
            Column(
                "position", [place.position for place in places], "number", decimals=3, signed=True
            ),
        ],
    )


def _rankings(opinion: Opinion, ends: int) -> Tables:
    pairs = list(zip(opinion.words, opinion.probabilities, strict=True))
    return Tables(
        [_chances("Lowest", pairs[:ends]), _chances("Highest", pairs[: -ends - 1 : -1])],
        heading=f"The classifier, on one-word texts: probability of {opinion.label}",
    )


def _chances(title: str, pairs: Sequence[tuple[str, float]]) -> Table:
    return Table(
        title,
        [
            Column("word", [word for word, _ in pairs], most=LONGEST_WORD),
            Column("probability", [chance for _, chance in pairs], "number", decimals=3),
        ],
    )


def _opinion(opinion: Opinion) -> Iterator[Fact]:
    yield Fact("trained", _fit(opinion.fit, opinion.label, "rows after training"))
    untrained = "rows before training, for comparison"
    yield Fact("untrained", _fit(opinion.fit_untrained, opinion.label, untrained))
    yield Fact(
        "agreement",
        "correlation of that probability with the position on the axis: "
        f"{opinion.correlation:+.3f}",
    )


def _fit(fit: Fit, label: str, rows: str) -> str:
    chance = min(1.0, fit.dimensions / fit.words)
    return (
        f"a linear fit of the probability of {label} on the {rows}: R squared "
        f"{fit.r_squared:.3f} ({fit.words:,} words, {fit.dimensions} weights; chance alone gives "
        f"about {chance:.3f})"
    )


def _words(words: Sequence[str]) -> str:
    return listed(map(short, words), 4)


def document(axis: Axis, opinion: Opinion | None) -> Document:
    """Return all words in their order."""
    head = {
        "source": about_source(axis.source),
        "low": list(axis.low),
        "high": list(axis.high),
        "length": axis.length,
        "classifier": None if opinion is None else _classifier(opinion),
        "note": note_on(axis.source),
    }
    places = (dict(vars(place)) for place in axis.places)
    return Document(
        "axis", head, {"places": places}, lines="places", columns=("word", "row", "position")
    )


def _classifier(opinion: Opinion) -> dict[str, object]:
    return {
        "label": opinion.label,
        "words": [
            {"word": word, "probability": chance}
            for word, chance in zip(opinion.words, opinion.probabilities, strict=True)
        ],
        "fit": dict(vars(opinion.fit)),
        "fit_untrained": dict(vars(opinion.fit_untrained)),
        "correlation": opinion.correlation,
    }
