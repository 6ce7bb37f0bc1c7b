"""How a classifier reads a text, as SVG: its tokens in a row, colored by what each changed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from embedinspect.output.labels import short
from embedinspect.output.svg.elements import picture, text, width_of
from embedinspect.output.svg.table import gradient
from embedinspect.page import Reading
from embedinspect.plots.heat import heat_class
from embedinspect.wording import literal, plural

WIDTH = 720.0
MOST_TOKENS = 400
_SIZE, _LINE, _HEIGHT, _PAD, _GAP = 13, 44.0, 22.0, 6.0, 5.0
_LEGEND = 150.0


def reading_svg(reading: Reading) -> str:
    """Return the tokens, at most 400, each on its color, with the probability after it below."""
    changes = [abs(change) for change in reading.changes if math.isfinite(change)]
    most = max(changes, default=0.0) or 1.0
    elements: list[str] = []
    x, y = 0.0, 4.0
    for place, token in list(enumerate(reading.tokens))[:MOST_TOKENS]:
        name = short(literal(token))
        wide = max(width_of(name, _SIZE), width_of("0.000", 10)) + 2 * _PAD
        if x and x + wide > WIDTH:
            x, y = 0.0, y + _LINE
        elements += _chip(reading, place, name, most, (x, y, wide))
        x += wide + _GAP
    y += _LINE
    left_out = len(reading.tokens) - MOST_TOKENS
    if left_out > 0:
        elements.append(text(0, y + 11, f"{plural(left_out, 'token')} more", "aside", size=12))
        y += 22
    said = "what a token changed of the probability; below it the probability after it"
    low, high = f"-{most:.3g}", f"+{most:.3g}: {said}"
    left = width_of(low, 12) + 6
    elements += [text(0, y + 11, low, "aside", size=12), *gradient(left, y)]
    elements.append(text(left + _LEGEND + 8, y + 11, high, "aside", size=12))
    return picture(WIDTH, y + 22, reading.title, reading.outcome, elements)


def _chip(
    reading: Reading, place: int, name: str, most: float, at: tuple[float, float, float]
) -> Iterator[str]:
    x, y, wide = at
    change, probability = reading.changes[place], reading.probabilities[place]
    colour = heat_class(change, most)
    yield (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{_HEIGHT:.0f}" rx="4" '
        f'class="{colour}"/>'
    )
    middle = x + wide / 2
    yield text(middle, y + 16, name, f"on-{colour}", "middle", _SIZE)
    if math.isfinite(probability):
        yield text(middle, y + _HEIGHT + 12, f"{probability:.3f}", "aside", "middle", 10)
