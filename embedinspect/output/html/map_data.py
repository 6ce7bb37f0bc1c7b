"""What the script of a page draws a map from, as plain values."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedinspect.pictures import Scatter
from embedinspect.plots.colours import hexadecimal
from embedinspect.plots.shading import colour_of
from embedinspect.row_words import is_text
from embedinspect.wording import literal

_DIGITS = 4


def map_data(scatter: Scatter) -> dict[str, Any]:
    """Return points, words, colors and what is said of each point.

    Places are rounded to a ten-thousandth of the picture, finer than a pixel.
    """
    points = np.asarray(scatter.points, np.float64)
    before = None if scatter.before is None else np.asarray(scatter.before, np.float64)
    every = points if before is None else np.concatenate([points, before])
    low, high = every.min(axis=0), every.max(axis=0)
    extent = np.where(high > low, high - low, 1.0)
    if scatter.square:
        extent = np.repeat(extent.max(), 2)
    middle = (low + high) / 2

    def placed(values: Any) -> list[list[float]]:
        rounded: list[list[float]] = np.round((values - middle) / extent, _DIGITS).tolist()
        return rounded

    colours = [hexadecimal(colour_of(scatter.shade, place)) for place in range(len(points))]
    palette = sorted(set(colours))
    number = {colour: place for place, colour in enumerate(palette)}
    return {
        "points": placed(points),
        "before": None if before is None else placed(before),
        "names": [literal(name) for name in scatter.names],
        "texts": [place for place, name in enumerate(scatter.names) if is_text(name)],
        "rows": [int(row) for row in scatter.rows],
        "palette": palette,
        "colours": [number[colour] for colour in colours],
        "values": _values(scatter),
        "shade": "" if scatter.shade is None else literal(scatter.shade.name),
        "labels": [int(place) for place in scatter.labels],
        "marked": [int(place) for place in scatter.marked],
    }


def _values(scatter: Scatter) -> list[str] | None:
    shade = scatter.shade
    if shade is None:
        return None
    told = []
    for value in np.asarray(shade.values, np.float64).tolist():
        if value != value:
            told.append("")
        elif shade.categories:
            told.append(literal(shade.categories[int(value)]))
        else:
            told.append(f"{value:.4g}")
    return told
