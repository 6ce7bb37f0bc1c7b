"""Points in two dimensions as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from embedinspect.output.labels import short
from embedinspect.output.svg.elements import BOLD, line, picture, text, width_of
from embedinspect.pictures import Scatter, Shade
from embedinspect.plots.colours import KINDS, hexadecimal, on_any
from embedinspect.plots.labels import Rectangle, Wanted, place
from embedinspect.plots.shading import colour_of
from embedinspect.wording import literal, plural

WIDTH = 800.0
# Of a flat map less is enough, so that it has no empty half.
LEAST_HEIGHT, MOST_HEIGHT = 260.0, 560.0
# Room at the sides, and above and below, where labels may stand.
EDGE, LEVEL, FOOT = 12.0, 24.0, 64.0
MOST_LABELS, SIZE = 90, 12
_DOT, _MARK = 1.8, 4.0
_STEPS = 9
_LEGEND = 140.0
# Around the letters of a label, in the color of the paper, so that no point runs into them.
_HALO = ' stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
LEGEND_WIDTH = 360.0


def scatter_svg(scatter: Scatter) -> str:
    """Return the points, as many labels as find room, the axes' names and the legend."""
    places, height = placed(scatter)
    return picture(
        WIDTH, height, scatter.title, _said(scatter), list(_elements(scatter, places, height))
    )


def _said(scatter: Scatter) -> str:
    count = plural(len(scatter.names), "point")
    named = ", ".join(short(scatter.names[place]) for place in scatter.labels[:10])
    return f"{count}; at the edge: {named}. {scatter.remark}"


def placed(scatter: Scatter) -> tuple[Any, float]:
    """Return where the points are, in pixels from the top left, (points, 2); and the height."""
    points = np.asarray(scatter.points, np.float64)
    every = points if scatter.before is None else np.concatenate([points, scatter.before])
    low, high = every.min(axis=0), every.max(axis=0)
    around = np.array([2 * EDGE, 2 * LEVEL + FOOT])
    extent = np.where(high > low, high - low, 1.0)
    scale = (np.array([WIDTH, MOST_HEIGHT]) - around) / extent
    height = MOST_HEIGHT
    if scatter.square:
        scale = np.repeat(scale.min(), 2)
        height = max(LEAST_HEIGHT, math.ceil(float(extent[1] * scale[1] + around[1])))
    middle = (low + high) / 2
    centre = np.array([WIDTH / 2, (height - FOOT) / 2])
    return centre + (points - middle) * scale * np.array([1, -1]), height


def _elements(scatter: Scatter, places: Any, height: float) -> Iterator[str]:
    yield '<g opacity="0.75">'
    for number, (x, y) in enumerate(places.tolist()):
        colour = hexadecimal(colour_of(scatter.shade, number))
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_DOT}" fill="{colour}"/>'
    yield "</g>"
    for number in scatter.marked:
        x, y = places[number]
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_MARK}" fill="none" class="line-ink" '
            'stroke-width="2"/>'
        )
    yield from _labels(scatter, places.tolist(), height - FOOT)
    yield from _foot(scatter, height - FOOT)


def _labels(scatter: Scatter, places: list[list[float]], bottom: float) -> Iterator[str]:
    wanted = list(dict.fromkeys([*scatter.marked, *scatter.labels[:MOST_LABELS]]))
    marked = set(scatter.marked)
    names = [short(literal(scatter.names[number])) for number in wanted]
    labels = []
    for number, name in zip(wanted, names, strict=True):
        x, y = places[number]
        reach = _MARK + (2 if number in marked else 0)
        dot = Rectangle(x - reach, y - reach, x + reach, y + reach)
        wide = width_of(name, SIZE) * (BOLD if number in marked else 1)
        labels.append(Wanted(dot, wide, SIZE + 2, needed=number in marked))
    bounds = Rectangle(0, 0, WIDTH, bottom)
    spots = place(labels, bounds, gap=(2, 1))
    for number, name, spot in zip(wanted, names, spots, strict=True):
        if spot is not None:
            x, y = places[number]
            left = spot.left >= x
            across = (spot.left + spot.right) / 2
            beside = spot.left >= x or spot.right <= x
            anchor = ("start" if left else "end") if beside else "middle"
            at = (spot.left + 1 if left else spot.right - 1) if beside else across
            colour = hexadecimal(colour_of(scatter.shade, number))
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            bold = ' font-weight="600"' if number in marked else ""
            yield text(at, spot.bottom - 3, name, "ink halo", anchor, SIZE, f"{bold}{_HALO}")


def legend_svg(shade: Shade) -> str:
    """Return the legend alone, for a picture whose points are drawn elsewhere."""
    said = f"{shade.name}, from {shade.low:.3g} to {shade.high:.3g}"
    if shade.categories:
        said = f"{shade.name}: {', '.join(shade.categories[:6])}"
    return picture(LEGEND_WIDTH, 48, "colors", said, list(_legend(shade, 4, LEGEND_WIDTH)))


def _foot(scatter: Scatter, top: float) -> Iterator[str]:
    top += 8
    yield line(0, top, WIDTH, top, "axis")
    across = f"across: {scatter.x_name}" if scatter.x_name else ""
    up = f"up: {scatter.y_name}" if scatter.y_name else ""
    yield text(0, top + 22, across, "aside")
    yield text(0, top + 42, up, "aside")
    if scatter.shade is not None:
        yield from _legend(scatter.shade, top + 12)


def _legend(shade: Shade, top: float, right: float = WIDTH) -> Iterator[str]:
    if shade.categories:
        for number, name in enumerate(shade.categories[:6]):
            x, y = right - 170 * (1 + number % 2), top + 10 + 14 * (number // 2)
            colour = hexadecimal(KINDS[number % len(KINDS)])
            yield f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{colour}"/>'
            yield text(x + 8, y, short(name, 22), "aside", size=SIZE)
        return
    high = f"{shade.high:.3g} {shade.high_name}".strip()
    low = f"{shade.low:.3g} {shade.low_name}".strip()
    end = right - width_of(high, SIZE) - 6
    for step in range(_STEPS):
        share = step / (_STEPS - 1)
        value = 2 * share - 1 if shade.middle is not None else share
        colour = hexadecimal(on_any(value, signed=shade.middle is not None))
        x = end - _LEGEND + step * _LEGEND / _STEPS
        size = f'width="{_LEGEND / _STEPS:.1f}" height="12" shape-rendering="crispEdges"'
        yield f'<rect x="{x:.1f}" y="{top}" {size} fill="{colour}"/>'
    yield text(end - _LEGEND - 6, top + 11, low, "aside", "end", SIZE)
    yield text(right, top + 11, high, "aside", "end", SIZE)
    yield text(right, top + 32, shade.name, "aside", "end", SIZE)
