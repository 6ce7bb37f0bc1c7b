"""The color of each point of a map, on a background that may be dark or light."""

from __future__ import annotations

import math

from embedinspect.pictures import Shade
from embedinspect.plots.colours import BLUE, KINDS, NEUTRAL_ON_ANY, Rgb, on_any


def colour_of(shade: Shade | None, place: int) -> Rgb:
    """Return the color of a point; grey where its value is not known."""
    if shade is None:
        return BLUE
    value = float(shade.values[place])
    if math.isnan(value):
        return NEUTRAL_ON_ANY
    if shade.categories:
        return KINDS[int(value) % len(KINDS)]
    return on_any(position(shade, value), signed=shade.middle is not None)


def position(shade: Shade, value: float) -> float:
    """Return where a value lies: from -1 over 0 at the middle to 1, or from 0 to 1 without one.

    >>> position(Shade("p", [], 0, 1, middle=0.5), 0.75)
    0.5
    >>> position(Shade("norm", [], 2, 4), 3)
    0.5
    """
    if shade.middle is None:
        return (value - shade.low) / (shade.high - shade.low) if shade.high > shade.low else 0.0
    reach = shade.high - shade.middle if value >= shade.middle else shade.middle - shade.low
    return (value - shade.middle) / reach if reach else 0.0
