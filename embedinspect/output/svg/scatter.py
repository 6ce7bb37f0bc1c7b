"""Points in two dimensions as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
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
_LEAST_HEIGHT, _MOST_HEIGHT = 120.0, 496.0
# Room at the sides, and above and below, where labels may stand; and what stands below it all.
EDGE, LEVEL, FOOT = 12.0, 24.0, 64.0
# Two times stand side by side, or one above the other where the map is flat.
_BETWEEN, _HEAD = 24.0, 28.0
_FLAT, _MOST_OF_FLAT = 1.5, 340.0
MOST_LABELS, SIZE = 90, 12
_DOT, _MARK = 1.8, 4.0
_FINE_DOT, _MANY = 1.2, 8000
# A label that would hide more points than this is left out.
_MOST_HIDDEN = 12
_STEPS = 9
_LEGEND = 140.0
# Around the letters of a label, in the color of the paper, so that no point runs into them.
_HALO = ' stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
LEGEND_WIDTH = 360.0


def scatter_svg(scatter: Scatter) -> str:
    """Return the points, as many labels as find room, the axes' names and the legend.

    Where the points were before stands beside it or above it, on the same axes.
    """
    panels = panels_of(scatter)
    bottom = max(panel.top + panel.height for panel in panels)
    elements = [element for panel in panels for element in _panel(scatter, panel)]
    elements += _foot(scatter, bottom)
    return picture(WIDTH, bottom + FOOT, scatter.title, _said(scatter), elements)


def _said(scatter: Scatter) -> str:
    count = plural(len(scatter.names), "point")
    named = ", ".join(short(scatter.label(place)) for place in scatter.labels[:10])
    return f"{count}; at the edge: {named}. {scatter.remark}"


@dataclass(frozen=True)
class Panel:
    """A part of the picture with the points at one time.

    Attributes:
        name: the time; empty where there is no other.
        places: of the points in the picture, in pixels from its top left: (points, 2).
    """

    name: str
    left: float
    top: float
    width: float
    height: float
    places: Any


def panels_of(scatter: Scatter) -> list[Panel]:
    """Return where the points are, one unit the same at all times."""
    times = [(scatter.after_name, np.asarray(scatter.points, np.float64))]
    if scatter.before is not None:
        times.insert(0, (scatter.before_name, np.asarray(scatter.before, np.float64)))
    two = len(times) == 2
    low, extent = _reach(np.concatenate([points for _, points in times]))
    above = two and scatter.square and extent[0] > _FLAT * extent[1]
    width = (WIDTH - _BETWEEN) / 2 if two and not above else WIDTH
    around = np.array([2 * EDGE, 2 * LEVEL])
    scale = (np.array([width, _MOST_OF_FLAT if above else _MOST_HEIGHT]) - around) / extent
    if scatter.square:
        scale = np.repeat(scale.min(), 2)
    panels = []
    left, top = 0.0, _HEAD if two else 0.0
    for name, points in times:
        if above:  # each is as high as its own points are apart
            own_low, own_extent = _reach(points)
            low[1], extent[1] = own_low[1], own_extent[1]
        height = max(_LEAST_HEIGHT, math.ceil(float(extent[1] * scale[1] + around[1])))
        centre = np.array([left + width / 2, top + height / 2])
        places = centre + (points - low - extent / 2) * scale * [1, -1]
        panels.append(Panel(name if two else "", left, top, width, height, places))
        if above:
            top += height + _BETWEEN + _HEAD
        else:
            left += width + _BETWEEN
    return panels


def _reach(points: Any) -> tuple[Any, Any]:
    """Return the low ends of both axes, and how far the points reach from there."""
    low, high = points.min(axis=0), points.max(axis=0)
    return low, np.where(high > low, high - low, 1.0)


def _panel(scatter: Scatter, panel: Panel) -> Iterator[str]:
    if panel.name:
        yield text(panel.left, panel.top - 8, panel.name, "ink", more=' font-weight="600"')
    yield from _dots(scatter, panel.places.tolist())
    for number in scatter.marked:
        x, y = panel.places[number]
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_MARK}" fill="none" class="line-ink" '
            'stroke-width="2"/>'
        )
    yield from _labels(scatter, panel)


def _dots(scatter: Scatter, places: list[list[float]]) -> Iterator[str]:
    """Yield the points, those of one color in one element: lines of no length with round ends."""
    paths: dict[str, list[str]] = {}
    for number, (x, y) in enumerate(places):
        colour = hexadecimal(colour_of(scatter.shade, number))
        paths.setdefault(colour, []).append(f"M{x:.1f} {y:.1f}h0")
    wide = 2 * (_DOT if len(places) <= _MANY else _FINE_DOT)
    yield f'<g opacity="0.75" fill="none" stroke-width="{wide}" stroke-linecap="round">'
    for colour, dots in paths.items():
        yield f'<path stroke="{colour}" d="{"".join(dots)}"/>'
    yield "</g>"


def _labels(scatter: Scatter, panel: Panel) -> Iterator[str]:
    wanted = list(dict.fromkeys([*scatter.marked, *scatter.labels]))
    marked = set(scatter.marked)
    names = [short(literal(scatter.label(number))) for number in wanted]
    labels = []
    for number, name in zip(wanted, names, strict=True):
        x, y = panel.places[number]
        reach = _MARK + (2 if number in marked else 0)
        dot = Rectangle(x - reach, y - reach, x + reach, y + reach)
        wide = width_of(name, SIZE) * (BOLD if number in marked else 1)
        labels.append(Wanted(dot, wide, SIZE + 2, needed=number in marked))
    right, bottom = panel.left + panel.width, panel.top + panel.height
    bounds = Rectangle(panel.left, panel.top, right, bottom)
    across, down = panel.places.T

    def hidden(spot: Rectangle) -> float:
        inside = (across > spot.left - _DOT) & (across < spot.right + _DOT)
        inside &= (down > spot.top - _DOT) & (down < spot.bottom + _DOT)
        return float(np.count_nonzero(inside))

    spots = place(labels, bounds, gap=(2, 1), hides=hidden, most_hidden=_MOST_HIDDEN)
    room = MOST_LABELS
    for number, name, spot in zip(wanted, names, spots, strict=True):
        if spot is not None and (room > 0 or number in marked):
            room -= 1
            x, y = panel.places[number]
            colour = hexadecimal(colour_of(scatter.shade, number))
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            yield _label(name, spot, x, bold=number in marked)


def _label(name: str, spot: Rectangle, x: float, *, bold: bool) -> str:
    """Return a label on its place beside, above or below a point at x."""
    at, anchor = (spot.left + spot.right) / 2, "middle"
    if spot.left >= x:
        at, anchor = spot.left + 1, "start"
    elif spot.right <= x:
        at, anchor = spot.right - 1, "end"
    weight = ' font-weight="600"' if bold else ""
    return text(at, spot.bottom - 3, name, "ink halo", anchor, SIZE, f"{weight}{_HALO}")


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
    yield text(end + 6, top + 11, high, "aside", size=SIZE)
    yield text(right, top + 32, shade.name, "aside", "end", SIZE)
