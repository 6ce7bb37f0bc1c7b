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
# Of signs on a background that is not known.
NEUTRAL_ON_ANY: Rgb = (128, 128, 128)
# Of kinds (after Okabe & Ito 2008, those that stand out from dark and light).
KINDS: tuple[Rgb, ...] = (
    BLUE,
    ORANGE,
    (0, 158, 115),
    (204, 102, 160),
    (213, 94, 0),
    (86, 180, 200),
)


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


def on_any(value: float, *, signed: bool) -> Rgb:
    """Return the colour of a sign on a background that may be dark or light.

    Args:
        value: from -1 (blue) through 0 (grey) to 1 (orange) where it is `signed`; else from 0
            (grey) to 1 (orange).

    >>> on_any(0, signed=True), on_any(1, signed=False)
    ((128, 128, 128), (232, 138, 28))
    """
    end = BLUE if signed and value < 0 else ORANGE
    share = min(1.0, abs(value)) if signed else min(1.0, max(0.0, value))
    pairs = zip(NEUTRAL_ON_ANY, end, strict=True)
    red, green, blue = (round(a + (b - a) * share) for a, b in pairs)
    return red, green, blue


def hexadecimal(colour: Rgb) -> str:
    """Return a colour as it is written in CSS.

    >>> hexadecimal(BLUE)
    '#3385e6'
    """
    return "#{:02x}{:02x}{:02x}".format(*colour)
