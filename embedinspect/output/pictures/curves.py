"""Curves on a terminal: two dots by four to a cell where there is braille, else one sign a cell.

The first line is dotted and the second one solid, so that they are told apart without colors.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from rich.text import Text

from embedinspect.output.screen import STYLES, Screen
from embedinspect.pictures import Curves
from embedinspect.plots.colours import BLUE, ORANGE, hexadecimal
from embedinspect.plots.scales import round_ticks

LINES = 12
WIDEST = 72
NARROWEST = 10
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_ACROSS, _DOWN = 2, 4  # dots in a cell
_BRAILLE = 0x2800
_COLOURS = (hexadecimal(BLUE), hexadecimal(ORANGE))
# Of each line by its number, where there is no braille.
_SIGNS = ".o*+"
_ON, _OFF = 2, 2  # dots of the dotted line, and those between them


@dataclass(frozen=True)
class _Frame:
    """Where values lie: from `low` to `high`, over so many columns of a terminal.

    A place in cells is that of the cell which holds its dot, so that a number beside an axis stands
    on the line of the dots with that value.
    """

    low: float
    high: float
    columns: int
    steps: int

    def column(self, step: int, dots: int = 1) -> int:
        """Return the column of a step, counted from 0, in cells or in dots."""
        last = self.columns * _ACROSS - 1
        return round(step / max(1, self.steps - 1) * last) * dots // _ACROSS

    def line(self, value: float, dots: int = 1) -> int:
        """Return the line of a value from the top, in cells or in dots."""
        last = LINES * _DOWN - 1
        return round((self.high - value) / (self.high - self.low) * last) * dots // _DOWN


def curves_lines(curves: Curves, screen: Screen) -> Iterator[Text]:
    """Yield the lines of the picture: axes with round numbers, and a name at the end of each."""
    for part in screen.wrap(screen.text(curves.title), screen.width):
        yield Text(part, style="bold")
    values = [float(v) for s in curves.series for v in s.values if _finite(v) and v is not None]
    if not values:
        yield Text("no numbers to draw", style=STYLES["aside"])
        return
    low, high = min(values), max(values)
    room = (high - low) * 0.02 or abs(high) * 0.05 or 0.05
    low, high = low - room, high + room
    ticks, decimals = round_ticks(low, high, LINES // 2)
    plain = decimals <= 6 and max(abs(low), abs(high)) < 1e6
    labels = [f"{tick:.{decimals}f}" if plain else f"{tick:.3g}" for tick in ticks]
    names = [screen.text(f"{one.name} {_last(one.values)}") for one in curves.series]
    left = max(map(len, labels)) + 2
    columns = min(WIDEST, screen.width - left - max(map(cell_len, names)) - 1)
    beside = columns >= NARROWEST
    if not beside:  # the names go below
        columns = max(4, screen.width - left)
    steps = max(len(series.values) for series in curves.series)
    frame = _Frame(low, high, columns, steps)
    yield from _drawn(curves, frame, screen, left, (ticks, labels), names if beside else [])
    yield from _axis(curves, frame, screen, left)
    if not beside:
        for place, name in enumerate(names):
            sign = _SIGNS[place % 4] if not _braille(screen) else (":", "|")[place % 2]
            yield Text(screen.clip(f"{sign} {name}", screen.width), style=_COLOURS[place % 2])
    for part in screen.wrap(screen.text(curves.remark), screen.prose_width):
        if part:
            yield Text(part)


def _drawn(
    curves: Curves,
    frame: _Frame,
    screen: Screen,
    left: int,
    ticks: tuple[Sequence[float], Sequence[str]],
    names: Sequence[str],
) -> Iterator[Text]:
    cells = (_braille_cells if _braille(screen) else _sign_cells)(curves, frame)
    label_of = {frame.line(tick): label for tick, label in zip(*ticks, strict=True)}
    name_of = _name_lines(curves, frame, names)
    bar = "|" if screen.signs.stand_ins else "│"
    for number, line in enumerate(cells):
        text = Text(label_of.get(number, "").rjust(left - 2) + f" {bar}")
        text.stylize(STYLES["aside"])
        for sign, style in line:
            text.append(sign, style)
        if number in name_of:
            place = name_of[number]
            text.append(f" {names[place]}", _COLOURS[place % 2])
        yield text


def _axis(curves: Curves, frame: _Frame, screen: Screen, left: int) -> Iterator[Text]:
    plain = bool(screen.signs.stand_ins)
    corner = "+" if plain else "└"
    yield Text(" " * (left - 1) + corner + screen.signs.rule * frame.columns, style=STYLES["aside"])
    first, last = curves.first, curves.first + frame.steps - 1
    numbers = [" "] * (frame.columns + len(str(last)))
    ticks, _ = round_ticks(first, last, max(2, frame.columns // 8))
    end = -1
    for step in sorted({first, *(int(tick) for tick in ticks if tick == int(tick)), last}):
        at, name = frame.column(step - first), str(step)
        begin = max(0, at - (len(name) - 1) // 2)
        crowds_last = step != last and begin + len(name) >= frame.column(last - first)
        if begin > end and not crowds_last:
            numbers[begin : begin + len(name)] = name
            end = begin + len(name)
    x_name = screen.text(curves.x_name)
    line = " " * left + "".join(numbers).rstrip() + f"  {x_name}"
    yield Text(screen.clip(line, screen.width), style=STYLES["aside"])
    if curves.best is not None:
        mark = "^" if plain else "▲"
        column = frame.column(curves.best - curves.first)
        label = screen.text(curves.best_label)
        before = column - 1 - cell_len(label)
        if left + column + 2 + cell_len(label) <= screen.width or before < 0:
            line = " " * (left + column) + f"{mark} {label}"
        else:
            line = " " * (left + before) + f"{label} {mark}"
        yield Text(screen.clip(line, screen.width), style="bold")


def _name_lines(curves: Curves, frame: _Frame, names: Sequence[str]) -> dict[int, int]:
    """Return the line of the name of each series, moved where two would share one."""
    wanted = []
    for place in range(len(names)):
        known = [value for value in curves.series[place].values if _finite(value)]
        if known and known[-1] is not None:
            wanted.append((frame.line(known[-1]), place))
    taken: dict[int, int] = {}
    for line, place in sorted(wanted):
        while line in taken and line < LINES - 1:
            line += 1
        while line in taken:
            line -= 1
        taken[line] = place
    return taken


Cells = list[list[tuple[str, str]]]


def _braille_cells(curves: Curves, frame: _Frame) -> Cells:
    dots = [[0] * frame.columns for _ in range(LINES)]
    colours = [[""] * frame.columns for _ in range(LINES)]
    for place, series in enumerate(curves.series):
        # Many steps share a dot, which counts once: else it would fill the gaps of a dotted line.
        points = (point for point, _ in groupby(_points(series.values, frame, _ACROSS, _DOWN)))
        for count, (x, y) in enumerate(points):
            if place % 2 == 0 and len(curves.series) > 1 and count % (_ON + _OFF) >= _ON:
                continue
            dots[y // _DOWN][x // _ACROSS] |= _DOTS[y % _DOWN][x % _ACROSS]
            colours[y // _DOWN][x // _ACROSS] = _COLOURS[place % 2]
    return [
        [
            (chr(_BRAILLE + bits) if bits else " ", colour)
            for bits, colour in zip(line, styles, strict=True)
        ]
        for line, styles in zip(dots, colours, strict=True)
    ]


def _sign_cells(curves: Curves, frame: _Frame) -> Cells:
    cells = [[(" ", "")] * frame.columns for _ in range(LINES)]
    for place, series in enumerate(curves.series):
        for x, y in _points(series.values, frame, 1, 1):
            cells[y][x] = (_SIGNS[place % 4], _COLOURS[place % 2])
    return cells


def _points(
    values: Sequence[float | None], frame: _Frame, across: int, down: int
) -> Iterator[tuple[int, int]]:
    """Yield the dots of a line from left to right, its points joined where both are known."""
    last: tuple[int, int] | None = None
    for step, value in enumerate(values):
        if value is None or not math.isfinite(value):
            last = None
            continue
        point = frame.column(step, across), frame.line(value, down)
        if last is None:
            yield point
        else:
            count = max(abs(point[0] - last[0]), abs(point[1] - last[1]), 1)
            for part in range(1, count + 1):
                share = part / count
                yield (
                    round(last[0] + (point[0] - last[0]) * share),
                    round(last[1] + (point[1] - last[1]) * share),
                )
        last = point


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _braille(screen: Screen) -> bool:
    """Return whether dots can be drawn: the console of Linux has a font of few signs."""
    return not screen.signs.stand_ins and os.environ.get("TERM") != "linux"


def _last(values: Sequence[float | None]) -> str:
    known = [value for value in values if _finite(value)]
    return f"{known[-1]:.4g}" if known else ""
