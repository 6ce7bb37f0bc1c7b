"""Points as cells of a terminal: dots of braille, or signs that stand for numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.cells import get_character_cell_size
from rich.text import Text

from embedinspect.output.screen import Screen
from embedinspect.pictures import Scatter, Shade
from embedinspect.plots.colours import KINDS, NEUTRAL_ON_ANY, hexadecimal, on_any
from embedinspect.plots.shading import position

# A cell has two dots across and four down; it is about twice as high as it is wide.
ACROSS, DOWN = 2, 4
STEPS = 8  # of colour, from grey to the full one
# The bits of braille's dots, by their row and column.
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_BRAILLE = 0x2800
LOW, MIDDLE, HIGH = "-", "·", "+"
PALE, HALF, FULL = "·", "+", "#"
# How many points a cell holds, where there is no braille.
CROWDS = ((1, "."), (2, ":"), (4, "+"), (8, "#"))
LETTERS = "abcdefgh"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Frame:
    """Which part of the plane is drawn, on how many cells.

    Attributes:
        columns: of the picture.
        lines: of the picture.
        left: how many columns stand empty on either side, for labels.
        low: the least x and the least y.
        steps: from one dot to the next, across and up.
    """

    columns: int
    lines: int
    left: int
    low: tuple[float, float]
    steps: tuple[float, float]

    def dots(self, points: Array) -> tuple[Array, Array]:
        """Return the column and the row of each point's dot, counted from the upper left."""
        across = np.rint((points[:, 0] - self.low[0]) / self.steps[0]).astype(np.int64)
        up = np.rint((points[:, 1] - self.low[1]) / self.steps[1]).astype(np.int64)
        column = np.clip(across + ACROSS * self.left, 0, ACROSS * self.columns - 1)
        return column, np.clip(DOWN * self.lines - 1 - up, 0, DOWN * self.lines - 1)

    def cells(self, points: Array) -> tuple[Array, Array]:
        """Return the column and the line of each point's cell."""
        column, row = self.dots(points)
        return column // ACROSS, row // DOWN

    def column_of(self, x: float) -> int:
        """Return the column of a number on the x axis."""
        return int(self.cells(np.array([[x, self.low[1]]]))[0][0])

    def line_of(self, y: float) -> int:
        """Return the line of a number on the y axis."""
        return int(self.cells(np.array([[self.low[0], y]]))[1][0])


@dataclass
class Canvas:
    """Cells, each with a sign and a style; a wide character leaves the cell behind it empty."""

    columns: int
    lines: int
    signs: list[list[str]] = field(init=False)
    styles: list[list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.signs = [[" "] * self.columns for _ in range(self.lines)]
        self.styles = [[""] * self.columns for _ in range(self.lines)]

    def write(self, column: int, line: int, text: str, style: str = "") -> None:
        """Put a text on one line."""
        for character in text:
            width = get_character_cell_size(character)
            if not width:  # it joins the one before
                self.signs[line][column - 1] += character
                continue
            for place in range(column, column + width):
                self.signs[line][place] = "" if place > column else character
                self.styles[line][place] = style
            column += width

    def texts(self) -> Iterator[Text]:
        """Yield the lines."""
        for signs, styles in zip(self.signs, self.styles, strict=True):
            text = Text()
            start = 0
            for place in range(1, len(signs) + 1):
                if place == len(signs) or styles[place] != styles[start]:
                    text.append("".join(signs[start:place]), styles[start])
                    start = place
            yield text


@dataclass(frozen=True)
class Look:
    """How points are drawn on a screen.

    Attributes:
        colours: whether there are any.
        braille: whether dots can be drawn.
        labelled: the sign of a point that has a label.
        marked: the sign of a point that was asked for.
    """

    colours: bool
    braille: bool
    labelled: str
    marked: str

    @staticmethod
    def of(screen: Screen) -> Look:
        """Return how a screen can draw points."""
        colours = screen.console.color_system is not None and not screen.console.no_color
        try:
            "⣿•◆".encode(screen.encoding)
            # The console of Linux has a font of few signs, whatever its encoding.
            braille = not screen.signs.stand_ins and os.environ.get("TERM") != "linux"
        except (UnicodeEncodeError, LookupError):
            braille = False
        return Look(colours, braille, *("•◆" if braille else "*@"))

    def signs(self, shade: Shade | None) -> bool:
        """Return whether a cell's sign stands for its number, as no colour can."""
        return shade is not None and not self.colours


def draw(
    canvas: Canvas, scatter: Scatter, frame: Frame, points: Array, look: Look, screen: Screen
) -> Array:
    """Draw points, and return how many there are in each cell, shape (lines, columns)."""
    columns, lines = frame.cells(points)
    size = frame.lines * frame.columns
    cells = lines * frame.columns + columns
    counts = np.bincount(cells, minlength=size)
    levels = None if scatter.shade is None else _levels(scatter.shade, cells, size)
    dots = _dots(frame, points)
    for cell in np.flatnonzero(counts).tolist():
        line, column = divmod(cell, frame.columns)
        level = None if levels is None or levels[cell] == _NONE else int(levels[cell])
        if look.signs(scatter.shade):
            sign = screen.text(sign_of(scatter.shade, level))
        elif look.braille:
            sign = chr(_BRAILLE + int(dots[cell]))
        else:
            sign = next(sign for least, sign in reversed(CROWDS) if counts[cell] >= least)
        canvas.write(column, line, sign, style_of(scatter.shade, level, look))
    return counts.reshape(frame.lines, frame.columns)


def _dots(frame: Frame, points: Array) -> Array:
    """Return the braille dots of each cell, as bits."""
    column, row = frame.dots(points)
    cells = row // DOWN * frame.columns + column // ACROSS
    dots = np.zeros(frame.lines * frame.columns, np.int64)
    np.bitwise_or.at(dots, cells, _BITS[row % DOWN, column % ACROSS])
    return dots


_NONE = -99


def _levels(shade: Shade, cells: Array, size: int) -> Array:
    """Return the level of the mean number in each cell; of kinds, the most frequent one."""
    values = np.asarray(shade.values, np.float64)
    given = np.isfinite(values)
    if shade.categories:
        kinds = len(shade.categories)
        pairs = cells[given] * kinds + values[given].astype(np.int64)
        table = np.bincount(pairs, minlength=size * kinds).reshape(size, kinds)
        return np.where(table.any(axis=1), table.argmax(axis=1), _NONE)
    counts = np.bincount(cells[given], minlength=size)
    sums = np.bincount(cells[given], values[given], minlength=size)
    levels = np.full(size, _NONE)
    some = counts > 0
    levels[some] = [level_of(shade, mean) for mean in (sums[some] / counts[some]).tolist()]
    return levels


def level_of(shade: Shade, value: float) -> int:
    """Return the step of colour of a number: below 0 for blue, and 0 for grey."""
    if shade.categories:
        return int(value)
    least = 0.0 if shade.middle is None else -1.0
    share: float = min(1.0, max(least, position(shade, value)))
    return round(STEPS * share)


def level_of_point(shade: Shade | None, place: int) -> int | None:
    """Return the step of colour of one point; None where it has no number."""
    if shade is None or not np.isfinite(shade.values[place]):
        return None
    return level_of(shade, float(shade.values[place]))


def style_of(shade: Shade | None, level: int | None, look: Look) -> str:
    """Return the style of a level."""
    if not look.colours:
        return ""
    if shade is None or level is None:
        return hexadecimal(NEUTRAL_ON_ANY)
    if shade.categories:
        return hexadecimal(KINDS[level % len(KINDS)])
    return hexadecimal(on_any(level / STEPS, signed=shade.middle is not None))


def sign_of(shade: Shade | None, level: int | None) -> str:
    """Return the sign of a level, where there are no colours."""
    if shade is None or level is None:
        return "?"
    if shade.categories:
        return LETTERS[level % len(LETTERS)]
    if shade.middle is None:
        return (PALE, HALF, FULL)[min(2, 3 * level // STEPS)]
    third = STEPS / 3
    return LOW if level < -third else HIGH if level > third else MIDDLE


def ends_of_signs(shade: Shade) -> Sequence[tuple[str, float, float]]:
    """Return each sign with the numbers between which it stands, where there are no colours."""
    levels = range(0 if shade.middle is None else -STEPS, STEPS + 1)
    bounds: dict[str, list[float]] = {}
    for level in levels:
        sign = sign_of(shade, level)
        low, high = (_number_at(shade, level - 0.5), _number_at(shade, level + 0.5))
        bounds.setdefault(sign, [low, high])[1] = high
    return [(sign, low, high) for sign, (low, high) in bounds.items()]


def _number_at(shade: Shade, level: float) -> float:
    if shade.middle is None:
        return shade.low + (shade.high - shade.low) * level / STEPS
    end = shade.low if level < 0 else shade.high
    return shade.middle + (end - shade.middle) * abs(level) / STEPS
