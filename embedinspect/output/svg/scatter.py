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
LEAST_HEIGHT, MOST_HEIGHT = 196.0, 496.0
# Room at the sides, and above and below, where labels may stand; and what stands below it all.
EDGE, LEVEL, FOOT = 12.0, 24.0, 64.0
# Two times stand side by side, or one above the other where the map is flat.
_BETWEEN, _HEAD = 24.0, 22.0
_FLAT, _MOST_OF_FLAT = 1.5, 340.0
MOST_LABELS, SIZE = 90, 12
_DOT, _MARK = 1.8, 4.0
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
    named = ", ".join(short(scatter.names[place]) for place in scatter.labels[:10])
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
    times = [(scatter.after_name, scatter.points)]
    if scatter.before is not None:
        times.insert(0, (scatter.before_name, scatter.before))
    two = len(times) == 2
    every = np.concatenate([np.asarray(points, np.float64) for _, points in times])
    low, high = every.min(axis=0), every.max(axis=0)
    extent = np.where(high > low, high - low, 1.0)
    above = two and scatter.square and extent[0] > _FLAT * extent[1]
    width = (WIDTH - _BETWEEN) / 2 if two and not above else WIDTH
    most = _MOST_OF_FLAT if above else MOST_HEIGHT
    around = np.array([2 * EDGE, 2 * LEVEL])
    scale = (np.array([width, most]) - around) / extent
    height = most
    if scatter.square:
        scale = np.repeat(scale.min(), 2)
        height = max(LEAST_HEIGHT, math.ceil(float(extent[1] * scale[1] + around[1])))
    head = _HEAD if two else 0.0
    panels = []
    for number, (name, points) in enumerate(times):
        left = 0.0 if above else number * (width + _BETWEEN)
        top = head + (number * (height + head + _BETWEEN) if above else 0.0)
        centre = np.array([left + width / 2, top + height / 2])
        places = centre + (np.asarray(points, np.float64) - (low + high) / 2) * scale * [1, -1]
        panels.append(Panel(name if two else "", left, top, width, height, places))
    return panels


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
    yield f'<g opacity="0.75" fill="none" stroke-width="{2 * _DOT}" stroke-linecap="round">'
    for colour, dots in paths.items():
        yield f'<path stroke="{colour}" d="{"".join(dots)}"/>'
    yield "</g>"


def _labels(scatter: Scatter, panel: Panel) -> Iterator[str]:
    wanted = list(dict.fromkeys([*scatter.marked, *scatter.labels]))
    marked = set(scatter.marked)
    names = [short(literal(scatter.names[number])) for number in wanted]
    labels = []
    for number, name in zip(wanted, names, strict=True):
        x, y = panel.places[number]
        reach = _MARK + (2 if number in marked else 0)
        dot = Rectangle(x - reach, y - reach, x + reach, y + reach)
        wide = width_of(name, SIZE) * (BOLD if number in marked else 1)
        labels.append(Wanted(dot, wide, SIZE + 2, needed=number in marked))
    right, bottom = panel.left + panel.width, panel.top + panel.height
    bounds = Rectangle(panel.left, panel.top, right, bottom)
    hides = _Crowd(panel.places).hidden_by
    spots = place(labels, bounds, gap=(2, 1), hides=hides, most_hidden=_MOST_HIDDEN)
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


class _Crowd:
    """How many points lie where, counted in cells of a few pixels."""

    _CELL = 6

    def __init__(self, places: Any) -> None:
        cells = np.maximum(np.floor(places / self._CELL).astype(np.int64), 0)
        counts = np.zeros(cells.max(axis=0) + 2, np.int64)
        np.add.at(counts, (cells[:, 0] + 1, cells[:, 1] + 1), 1)
        self._sums = counts.cumsum(axis=0).cumsum(axis=1)

    def hidden_by(self, spot: Rectangle) -> float:
        """Return about how many points lie in a rectangle."""
        edges = np.array([[spot.left, spot.top], [spot.right, spot.bottom]]) / self._CELL
        (left, top), (right, bottom) = np.clip(
            np.round(edges).astype(np.int64), 0, np.array(self._sums.shape) - 1
        ).tolist()
        sums = self._sums
        inside = sums[right, bottom] - sums[left, bottom] - sums[right, top] + sums[left, top]
        return float(inside)


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
