"""`axis`: words along a direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

from embedinspect.analysis.axis import Axis, Fit, Opinion, Place
from embedinspect.analysis.neighbors import note_on
from embedinspect.output.document import Document, about_source
from embedinspect.output.labels import asked_label, asked_word, note_facts, short, word_column
from embedinspect.output.top import DEFAULT, ends
from embedinspect.page import Column, Fact, Facts, Page, Table, Tables
from embedinspect.source import Source
from embedinspect.wording import listed, plural

_MOST_NAMED = 4


def page(axis: Axis, opinion: Opinion | None, top: int | None = None) -> Page:
    """Yield the words of the axis, and of the classifier's ranking where there is one.

    Words that were named, and others that are few, make one list; of many the ends are shown.

    Args:
        top: how many of each end; by default all where they were named.
    """
    places = axis.places
    low, high = (_asked(axis.source, words) for words in (axis.low, axis.high))
    most = top or (len(places) if axis.named else DEFAULT)
    whole = len(places) <= 2 * most
    if whole:
        yield _places(f"From {low} to {high}", places)
    else:
        yield Tables(
            [
                _places(f"Low: {low}", places[:most]),
                _places(f"High: {high}", places[: -most - 1 : -1]),
            ]
        )
    facts = [
        Fact(
            "axis",
            f"{plural(len(places), 'word')} on the line from the mean of {low} "
            f"(position 0) to the mean of {high} (position 1), "
            f"{axis.length:.4g} apart",
        )
    ]
    if axis.left_out:
        count = plural(len(axis.left_out), "row")
        are = "is" if len(axis.left_out) == 1 else "are"
        names = listed(map(short, axis.left_out), _MOST_NAMED)
        facts.append(Fact("left out", f"{count} that {are} not finite: {names}", "wrong"))
    if opinion is not None:
        yield Facts(facts)
        yield _rankings(opinion, None if whole else most)
        facts = list(_opinion(opinion))
    yield Facts([*facts, *note_facts(note_on(axis.source))])


def _places(title: str, places: Sequence[Place]) -> Table:
    return Table(
        title,
        [
            word_column([place.word for place in places]),
            Column("row", [place.row for place in places], "id"),
            Column(
                "position", [place.position for place in places], "number", decimals=3, signed=True
            ),
        ],
    )


def _rankings(opinion: Opinion, top: int | None) -> Tables:
    pairs = list(zip(opinion.words, opinion.probabilities, strict=True))
    if top is None:
        tables = [_chances("From low to high", pairs)]
    else:
        tables = [_chances("Lowest", pairs[:top]), _chances("Highest", pairs[: -top - 1 : -1])]
    return Tables(
        tables, heading=f"The classifier, on one-word texts: probability of {opinion.label}"
    )


def _chances(title: str, pairs: Sequence[tuple[str, float]]) -> Table:
    return Table(
        title,
        [
            word_column([word for word, _ in pairs]),
            Column("probability", [chance for _, chance in pairs], "number", decimals=3),
        ],
    )


def _opinion(opinion: Opinion) -> Iterator[Fact]:
    fit, label = opinion.fit, opinion.label
    if fit.r_squared is None:
        yield Fact(
            "fit",
            f"no R squared: {plural(fit.words, 'word')} and {fit.dimensions} weights, and no more "
            f"words than weights can always be fitted; rank more than {fit.dimensions} words",
        )
    else:
        untrained = "rows before training, for comparison"
        yield Fact("trained", _fit(fit, label, "rows after training"))
        yield Fact("untrained", _fit(opinion.fit_untrained, label, untrained))
    correlation = opinion.correlation
    yield Fact(
        "agreement",
        "correlation of that probability with the position on the axis: "
        + (
            "undefined, as one of them is constant" if isnan(correlation) else f"{correlation:+.3f}"
        ),
    )


def _fit(fit: Fit, label: str, rows: str) -> str:
    chance = fit.dimensions / fit.words
    return (
        f"a linear fit of the probability of {label} on the {rows}: R squared "
        f"{fit.r_squared:.3f} ({fit.words:,} words, {fit.dimensions} weights; chance alone gives "
        f"about {chance:.3f})"
    )


def _asked(source: Source, words: Sequence[str]) -> str:
    return listed((asked_label(source, word) for word in words), _MOST_NAMED)


def document(axis: Axis, opinion: Opinion | None, top: int | None = None) -> Document:
    """Return all words in their order; with `top`, those of the tables."""
    head = {
        "source": about_source(axis.source),
        "low": [asked_word(axis.source, word) for word in axis.low],
        "high": [asked_word(axis.source, word) for word in axis.high],
        "length": axis.length,
        "classifier": None if opinion is None else _classifier(opinion, top),
        "note": note_on(axis.source),
    }
    places = (dict(vars(place)) for place in ends(axis.places, top))
    return Document(
        "axis", head, {"places": places}, lines="places", columns=("word", "row", "position")
    )


def _classifier(opinion: Opinion, top: int | None) -> dict[str, object]:
    pairs = list(zip(opinion.words, opinion.probabilities, strict=True))
    return {
        "label": opinion.label,
        "words": [{"word": word, "probability": chance} for word, chance in ends(pairs, top)],
        "fit": dict(vars(opinion.fit)),
        "fit_untrained": dict(vars(opinion.fit_untrained)),
        "correlation": opinion.correlation,
    }
