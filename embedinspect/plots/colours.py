"""The colours of pictures: from blue through neutral to orange, told apart by nearly everyone.

Blue and orange differ for all common kinds of colour blindness, and both stand out from dark and
light backgrounds.
"""

from __future__ import annotations

Rgb = tuple[int, int, int]

BLUE: Rgb = (51, 133, 230)
ORANGE: Rgb = (232, 138, 28)
NEUTRAL_ON_DARK: Rgb = (58, 58, 58)
NEUTRAL_ON_LIGHT: Rgb = (236, 236, 236)


def diverging(value: float, *, dark: bool = True) -> Rgb:
    """Return the colour of a value from -1 (blue) through 0 (neutral) to 1 (orange).

    Values beyond have the colour of the end.

    >>> diverging(-3), diverging(0), diverging(1)
    ((51, 133, 230), (58, 58, 58), (232, 138, 28))
    """
    neutral = NEUTRAL_ON_DARK if dark else NEUTRAL_ON_LIGHT
    end = BLUE if value < 0 else ORANGE
    share = min(1.0, abs(value))
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(neutral, end, strict=True))
    return red, green, blue


def hexadecimal(colour: Rgb) -> str:
    """Return a colour as it is written in CSS.

    >>> hexadecimal(BLUE)
    '#3385e6'
    """
    return "#{:02x}{:02x}{:02x}".format(*colour)
