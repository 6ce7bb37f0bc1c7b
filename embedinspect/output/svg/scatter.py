"""Points in two dimensions as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from embedinspect.output.labels import short
from embedinspect.output.svg.elements import line, picture, text, width_of
from embedinspect.pictures import Scatter, Shade
from embedinspect.plots.colours import KINDS, hexadecimal, on_any
from embedinspect.plots.labels import Rectangle, Wanted, place
from embedinspect.plots.shading import colour_of
from embedinspect.wording import plural

WIDTH, HEIGHT = 800.0, 560.0
EDGE, FOOT = 12.0, 64.0
MOST_LABELS, SIZE = 90, 12
_DOT, _MARK = 1.8, 4.0
_STEPS = 9
_LEGEND = 140.0
LEGEND_WIDTH = 360.0


def scatter_svg(scatter: Scatter) -> str:
    """Return the points, as many labels as find room, the axes' names and the legend."""
    return picture(WIDTH, HEIGHT, scatter.title, _said(scatter), list(_elements(scatter)))


def _said(scatter: Scatter) -> str:
    count = plural(len(scatter.names), "point")
    named = ", ".join(short(scatter.names[place]) for place in scatter.labels[:10])
    return f"{count}; at the edge: {named}. {scatter.remark}"


def places_of(scatter: Scatter) -> Any:
    """Return where the points are in the picture, in pixels from its top left: (points, 2)."""
    points = np.asarray(scatter.points, np.float64)
    every = points if scatter.before is None else np.concatenate([points, scatter.before])
    low, high = every.min(axis=0), every.max(axis=0)
    room = np.array([WIDTH - 2 * EDGE, HEIGHT - FOOT - 2 * EDGE])
    extent = np.where(high > low, high - low, 1.0)
    scale = room / extent
    if scatter.square:
        scale = np.repeat(scale.min(), 2)
    middle = (low + high) / 2
    centre = np.array([WIDTH / 2, (HEIGHT - FOOT) / 2])
    return centre + (points - middle) * scale * np.array([1, -1])


def _elements(scatter: Scatter) -> Iterator[str]:
    places = places_of(scatter)
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
    yield from _labels(scatter, places.tolist())
    yield from _foot(scatter)


def _labels(scatter: Scatter, places: list[list[float]]) -> Iterator[str]:
    wanted = list(dict.fromkeys([*scatter.marked, *scatter.labels[:MOST_LABELS]]))
    marked = set(scatter.marked)
    names = [short(scatter.names[number]) for number in wanted]
    labels = []
    for number, name in zip(wanted, names, strict=True):
        x, y = places[number]
        dot = Rectangle(x - _MARK, y - _MARK, x + _MARK, y + _MARK)
        labels.append(Wanted(dot, width_of(name, SIZE), SIZE + 2, needed=number in marked))
    bounds = Rectangle(0, 0, WIDTH, HEIGHT - FOOT)
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
            yield text(at, spot.bottom - 3, name, "ink", anchor, SIZE)


def legend_svg(shade: Shade) -> str:
    """Return the legend alone, for a picture whose points are drawn elsewhere."""
    said = f"{shade.name}, from {shade.low:.3g} to {shade.high:.3g}"
    if shade.categories:
        said = f"{shade.name}: {', '.join(shade.categories[:6])}"
    return picture(LEGEND_WIDTH, 48, "colors", said, list(_legend(shade, 4, LEGEND_WIDTH)))


def _foot(scatter: Scatter) -> Iterator[str]:
    top = HEIGHT - FOOT + 8
    yield line(EDGE, top, WIDTH - EDGE, top, "axis")
    across = f"across: {scatter.x_name}" if scatter.x_name else ""
    up = f"up: {scatter.y_name}" if scatter.y_name else ""
    yield text(EDGE, top + 22, across, "aside")
    yield text(EDGE, top + 42, up, "aside")
    if scatter.shade is not None:
        yield from _legend(scatter.shade, top + 12)


def _legend(shade: Shade, top: float, right: float = WIDTH - EDGE) -> Iterator[str]:
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
        size = f'width="{_LEGEND / _STEPS:.1f}" height="12"'
        yield f'<rect x="{x:.1f}" y="{top}" {size} fill="{colour}"/>'
    yield text(end - _LEGEND - 6, top + 11, low, "aside", "end", SIZE)
    yield text(right, top + 11, high, "aside", "end", SIZE)
    yield text(right, top + 32, shade.name, "aside", "end", SIZE)
