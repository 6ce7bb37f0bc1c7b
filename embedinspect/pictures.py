"""Pictures: parts of a page that are looked at, with the numbers that they are drawn from.

A picture is a value, as a table is one. The terminal, a page for a browser and an image file each
draw it in their own way; none of them computes anything of it but places on its own screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from embedinspect.row_words import is_text


@dataclass(frozen=True)
class Heat:
    """How vectors are drawn as cells of colour, blue below zero, orange above it.

    Attributes:
        scale: the number, and below zero its opposite, that has the full colour; what lies beyond
            has it, too. All vectors of a page share one.
        always: draw colours instead of numbers; otherwise only where not all numbers fit.
    """

    scale: float
    always: bool = False


@dataclass(frozen=True)
class Series:
    """One line of a picture of curves.

    Attributes:
        name: what it shows, as `validation`.
        values: one for each step; None where there is none.
    """

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Curves:
    """Lines over the same steps, on one scale.

    Attributes:
        title: what is measured, as `Loss`.
        series: the lines; the first two have colours of their own everywhere.
        x_name: what a step is.
        first: the number of the first step.
        best: the step that is marked; None for none.
        best_label: what is said of that step.
        remark: a sentence below the picture.
    """

    title: str
    series: Sequence[Series]
    x_name: str = "epoch"
    first: int = 1
    best: int | None = None
    best_label: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Shade:
    """What the colours of points stand for.

    Attributes:
        name: as `probability of positive`.
        values: one for each point; NaN for those that have none. Of categories, their numbers.
        low: the value with the full first colour.
        high: the value with the full last colour.
        middle: the value between blue and orange that is neutral; None where the scale has no
            middle and runs from pale to dark.
        low_name: what stands at the low end of the legend beside the number, as `negative`.
        high_name: what stands at the high end.
        categories: the names, where the colours tell kinds apart; `values` are places in them.
    """

    name: str
    values: Any
    low: float = 0.0
    high: float = 1.0
    middle: float | None = None
    low_name: str = ""
    high_name: str = ""
    categories: Sequence[str] = ()


@dataclass(frozen=True)
class Scatter:
    """Rows of a matrix as points in two dimensions.

    Attributes:
        title: above the picture.
        points: where they are, float64, shape (points, 2); one unit is the same on both axes where
            `square` says so.
        names: the word of each point, or `#` and the number of its row.
        rows: the row of each point.
        x_name: what the first axis is.
        y_name: what the second axis is.
        labels: places of the points that are to be labelled, the most wanted first; a label that
            would overlap another is left out.
        marked: places of the points that were asked for.
        shade: what their colours stand for; None where all have one.
        before: where the points were before, on the same axes; None where nothing moved.
        before_name: when that was.
        after_name: when they are where `points` says.
        square: both axes have the same unit.
        remark: a sentence below the picture: how much of the truth it shows.
    """

    title: str
    points: Any
    names: Sequence[str]
    rows: Sequence[int]
    x_name: str = ""
    y_name: str = ""
    labels: Sequence[int] = field(default=())
    marked: Sequence[int] = field(default=())
    shade: Shade | None = None
    before: Any = None
    before_name: str = ""
    after_name: str = ""
    square: bool = True
    remark: str = ""

    def label(self, place: int) -> str:
        """Return what stands beside a point: its name; of a text, which is cut, the row, too."""
        name = self.names[place]
        return f"#{self.rows[place]} {name}" if is_text(name) else name
