"""Steps of the colors of heat, for pictures whose colors are classes of a style sheet."""

from __future__ import annotations

import math

from embedinspect.plots.colours import Rgb

HEAT_STEPS = 10
_DARK_INK: Rgb = (0, 0, 0)
_LIGHT_INK: Rgb = (255, 255, 255)


def heat_class(value: float, scale: float) -> str:
    """Return the class of the color of a number: n10 (blue) to h0 (neutral) to h10 (orange).

    >>> heat_class(-0.3, 0.3), heat_class(0.01, 0.3), heat_class(2, 0.3)
    ('n10', 'h0', 'h10')
    """
    if math.isnan(value):
        return "broken"
    share = max(-1.0, min(1.0, value / scale if scale else 0.0))
    return step_class(round(share * HEAT_STEPS))


def step_class(step: int) -> str:
    """Return the class of one step of the colors, from -10 to 10."""
    return f"h{step}" if step >= 0 else f"n{-step}"


def ink_on(colour: Rgb) -> Rgb:
    """Return black or white, whichever stands out more from a color (WCAG 2.2, contrast ratio).

    >>> ink_on((232, 138, 28)), ink_on((58, 58, 58))
    ((0, 0, 0), (255, 255, 255))
    """
    light = _luminance(colour)
    return _DARK_INK if (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) else _LIGHT_INK


def _luminance(colour: Rgb) -> float:
    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
