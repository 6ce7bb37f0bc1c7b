"""Vectors as cells on a terminal: blue below zero, orange above it, or a sign and its strength.

A number takes two columns. Where not all numbers of a vector fit, it takes one, then half of one
(a block whose two halves have colors of their own), before dimensions are left out in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rich.text import Text

from embedinspect.output.grid import Cell, Span
from embedinspect.output.screen import STYLES, Screen
from embedinspect.pictures import Heat
from embedinspect.plots.colours import BLUE, ORANGE, diverging, hexadecimal
from embedinspect.stored_rows import FloatArray

# Screens of few colors have five levels on either side of zero, from these shares of the scale on.
_LEVELS = (0.125, 0.375, 0.625, 0.875)
# Of 256 colors those that stay blue and orange on the way to neutral, as the nearest ones do not.
_BLUES = {True: (237, 24, 25, 32, 33), False: (255, 153, 111, 69, 33)}
_ORANGES = {True: (237, 94, 130, 172, 208), False: (255, 223, 215, 214, 208)}
# Of 16 no two blues can be relied on: a block is as full as a number is large.
_SHADES = " ░▒▓█"
_LEGEND_STEPS = 5  # on either side of zero
LEFT_OUT = "+{}"
_BELOW_A_GROUP = (6, 4, 2)  # dimensions, where there is no room for more


@dataclass(frozen=True)
class Form:
    """How much room numbers take: `characters` for each `numbers` of them, a gap every `group`."""

    characters: int
    numbers: int
    group: int
    name: str

    def width(self, part: range) -> int:
        """Return the columns that the dimensions of a part take."""
        return self.place(part, part.stop - 1) + self.characters

    def place(self, part: range, dimension: int) -> int:
        """Return the column at which a dimension's cell begins."""
        gaps = dimension // self.group - part.start // self.group
        return (dimension - part.start) // self.numbers * self.characters + gaps


WIDE = Form(2, 1, 8, "two columns a number")
NARROW = Form(1, 1, 8, "one column a number")
HALF = Form(1, 2, 16, "half a column a number")


@dataclass(frozen=True)
class HeatLayout:
    """Which dimensions are drawn, and in which form.

    Attributes:
        parts: one, or two where those between them are left out.
        left_out: how many these are.
    """

    form: Form
    parts: Sequence[range]
    left_out: int = 0

    @property
    def drawn(self) -> int:
        """How many dimensions are drawn."""
        return sum(map(len, self.parts))

    def width(self, gap: int) -> int:
        """Return the columns that the parts take, with `gap` between them and the count."""
        widths = [self.form.width(part) for part in self.parts]
        if self.left_out:
            widths.append(len(LEFT_OUT.format(self.left_out)))
        return sum(widths) + gap * (len(widths) - 1)


def whole_layouts(total: int, forms: Sequence[Form]) -> Iterator[HeatLayout]:
    """Yield how all dimensions may be drawn, the roomiest first."""
    for form in forms:
        yield HeatLayout(form, (range(total),))


def elided_layouts(total: int, form: Form) -> Iterator[HeatLayout]:
    """Yield how the first and last dimensions may be drawn, the most of them first."""
    last = range((total - 1) // form.group * form.group, total)
    groups = range(last.start - form.group, 0, -form.group)
    few = [(form.group, 4), (form.group, 2), (6, 2), (4, 2), (2, 2), (2, 1), (1, 1)]
    for head, tail in [*((head, len(last)) for head in groups), *few]:
        first, end = range(head), range(total - min(tail, len(last)), total)
        if first.stop < end.start:
            yield HeatLayout(form, (first, end), end.start - first.stop)
    if total > 1:
        yield HeatLayout(form, (range(1),), total - 1)


def layout_for(total: int, forms: Sequence[Form], room: int, gap: int) -> HeatLayout:
    """Return the roomiest layout that fits, or else the narrowest."""
    layouts = [*whole_layouts(total, forms), *elided_layouts(total, forms[-1])]
    return next((one for one in layouts if one.width(gap) <= room), layouts[-1])


def bands(total: int, form: Form, room: int) -> list[range]:
    """Return all dimensions in parts below each other, each as wide as the room, if it has any."""
    sizes = [*range(total + form.group - total % form.group, 0, -form.group), *_BELOW_A_GROUP]
    least = len(str(total - 1))
    size = next((n for n in sizes if max(least, form.width(range(n))) <= room), form.numbers)
    return [range(first, min(total, first + size)) for first in range(0, total, size)]


@dataclass(frozen=True)
class Brush:
    """How numbers are drawn on one screen, on one scale.

    Attributes:
        scale: the number with the full color.
        broken: whether there is NaN or infinity among the numbers, which has a sign of its own.
    """

    screen: Screen
    scale: float
    broken: bool = False

    @staticmethod
    def of(heat: Heat, values: FloatArray, screen: Screen) -> Brush:
        """Return the brush for all vectors of a page."""
        return Brush(screen, heat.scale, not np.isfinite(values).all())

    @property
    def filled(self) -> bool:
        """Whether a cell is filled with the color of its number."""
        return self.screen.colours and self.screen.console.color_system != "standard"

    @property
    def shaded(self) -> bool:
        """Whether a cell's sign is as full as its number is large, in one of two colors."""
        return self.screen.colours and not self.filled and not self.screen.signs.stand_ins

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms in which numbers can be drawn, the roomiest first."""
        if self.filled and not self.broken and not self.screen.signs.stand_ins:
            return WIDE, NARROW, HALF
        return (WIDE, NARROW) if self.filled or self.shaded else (WIDE,)

    def cell(self, vector: FloatArray, part: range, form: Form) -> Cell:
        """Return a part of a vector as one line of cells."""
        pieces: list[tuple[str, str]] = []
        for dimension in range(part.start, part.stop, form.numbers):
            if dimension != part.start and dimension % form.group == 0:
                pieces.append((" ", ""))
            if form.numbers == 1:
                pieces.append(self._sign(float(vector[dimension]), form.characters))
            else:
                pieces.append(self._halves(vector[dimension : min(dimension + 2, part.stop)]))
        return _joined(pieces)

    def colour(self, value: float) -> str:
        """Return the color of a number, as styles have it."""
        if self.screen.console.color_system == "256":
            colours = (_BLUES if value < 0 else _ORANGES)[self.screen.dark]
            return f"color({colours[_level(value / self.scale)]})"
        return hexadecimal(diverging(value / self.scale, dark=self.screen.dark))

    def _halves(self, values: FloatArray) -> tuple[str, str]:
        first, *second = [self.colour(float(value)) for value in values]
        return "▌", f"{first} on {second[0]}" if second else first

    def _sign(self, value: float, characters: int) -> tuple[str, str]:
        """Return what stands for one number, and its style."""
        if math.isnan(value):
            return "na"[:characters], STYLES["wrong"]
        side = "-" if value < 0 else "+"
        if math.isinf(value):
            style = f"bold #000000 on {self.colour(value)}" if self.filled else STYLES["wrong"]
            return f"{side}i"[-characters:], style
        if self.filled:
            return " " * characters, f"on {self.colour(value)}"
        size = abs(value) / self.scale
        if self.shaded:
            if not _level(size):
                return self.screen.signs.padding * characters, STYLES["aside"]
            shade = _SHADES[_level(size)] * characters
            return shade, self.screen.tint(BLUE if value < 0 else ORANGE)
        tenths = int(size * 10 + 1e-6) if size < 1 else 10  # the float32 of 0.3 is a tenth of 3
        if not tenths:
            return f" {self.screen.signs.padding}", STYLES["aside"]
        return f"{side}{tenths if tenths < 10 else '*'}", ""

    def legend(self, form: Form) -> Iterator[Text]:
        """Yield the lines that say what the cells stand for."""
        texts = [form.name, *self._exceptions(form)]
        strip = Text()
        if self.filled or self.shaded:
            texts.insert(0, "beyond: full color" if self.filled else "beyond: full blocks")
            steps = np.arange(-_LEGEND_STEPS, _LEGEND_STEPS + 1) / _LEGEND_STEPS * self.scale
            strip = Text(f"-{self.scale:g} ")
            for step in steps.tolist():
                strip.append(*self._sign(step, 1 if self.screen.width < 60 else 2))
            strip.append(f" +{self.scale:g}  ")
        else:
            tenth = self.scale / 10
            texts.insert(
                0,
                f"sign and tenths of {self.scale:g}: +7 is {7 * tenth:g} to {8 * tenth:g}, "
                f"* is {self.scale:g} and beyond, {self.screen.signs.padding} below {tenth:g}",
            )
        sentence = "; ".join(texts)
        beside = strip.cell_len + len(sentence) <= self.screen.width
        if beside:
            yield strip + Text(sentence)
            return
        if strip:
            yield strip
        yield from map(Text, self.screen.wrap(sentence, self.screen.prose_width))

    def _exceptions(self, form: Form) -> Iterator[str]:
        if self.broken:
            narrow = form.characters == 1
            yield "n: not a number" if narrow else "na: not a number"
            yield "i: infinite" if narrow else "+i, -i: infinite"


def _level(share: float) -> int:
    """Return which of the levels from 0 to 4 a share of the scale has, whatever its sign."""
    return sum(abs(share) >= least for least in _LEVELS)


def heading(part: range, form: Form) -> str:
    """Return the numbers of the dimensions above their cells, those of groups and the last one."""
    width = form.width(part)
    first, last = str(part.start), str(part.stop - 1)
    line = list(" " * width)
    named = f"dim {first}"
    room = width if part.start == 0 else width - len(last) - 1
    _write(line, 0, named if len(named) <= room else first)
    _write(line, width - len(last), last)
    for dimension in range(part.start + 1, part.stop):
        if dimension % form.group == 0:
            _write(line, form.place(part, dimension), str(dimension))
    return "".join(line)


def _write(line: list[str], place: int, label: str) -> None:
    """Write a label where there is room for it and for a space on either side."""
    end = place + len(label)
    around = line[max(0, place - 1) : end + 1]
    if place >= 0 and (end <= len(line) or place == 0) and not "".join(around).strip():
        line[place:end] = label


def _joined(pieces: Sequence[tuple[str, str]]) -> Cell:
    """Return pieces of text as one cell, neighbors of the same style as one span."""
    text, spans = "", list[Span]()
    for piece, style in pieces:
        if spans and spans[-1][2] == style and spans[-1][1] == len(text):
            spans[-1] = (spans[-1][0], len(text) + len(piece), style)
        elif style:
            spans.append((len(text), len(text) + len(piece), style))
        text += piece
    return Cell(text, "", spans)
