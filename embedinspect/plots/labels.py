"""Places for labels beside their points, so that no label hides another, or another's point.

It is greedy: each label, the most wanted first, takes the best place that is still free, and one
that finds none is left out. The unit is the caller's: cells of a terminal, or pixels.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Side = Literal["right", "left", "above", "below"]
SIDES: tuple[Side, ...] = ("right", "left", "above", "below")


@dataclass(frozen=True)
class Rectangle:
    """A part of the picture; `right` and `bottom` are beyond it. The y axis points down."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Rectangle, gap: tuple[float, float] = (0, 0)) -> bool:
        """Return whether two rectangles share more than an edge, or are closer than a gap.

        >>> Rectangle(0, 0, 4, 1).overlaps(Rectangle(4, 0, 6, 1))
        False
        >>> Rectangle(0, 0, 4, 1).overlaps(Rectangle(4, 0, 6, 1), gap=(1, 0))
        True
        """
        across, down = gap
        return (
            self.left < other.right + across
            and other.left < self.right + across
            and self.top < other.bottom + down
            and other.top < self.bottom + down
        )

    def within(self, other: Rectangle) -> bool:
        """Return whether it lies inside another, edges included."""
        return (
            other.left <= self.left
            and other.top <= self.top
            and self.right <= other.right
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True)
class Wanted:
    """A label that is to be placed.

    Attributes:
        mark: where its point is drawn.
        width: of the label.
        height: of the label.
        needed: it may hide whatever is no label and no labelled point, and stand on any side.
    """

    mark: Rectangle
    width: float
    height: float
    needed: bool = False


def place(
    labels: Sequence[Wanted],
    bounds: Rectangle,
    *,
    gap: tuple[float, float] = (0, 0),
    sides: Sequence[Side] = SIDES,
    whole: bool = False,
    hides: Callable[[Rectangle], float] | None = None,
    most_hidden: float = 0.0,
) -> list[Rectangle | None]:
    """Return the place of each label, beside its mark; None for those without room.

    No two places overlap, none overlaps the mark of another label that has a place or is needed,
    and all lie within the bounds. Labels of one and the same mark may stand on two sides of it.

    Args:
        labels: the most wanted first.
        gap: room between a label and what belongs to another, across and down.
        sides: of the mark on which a label may stand, the best first. A label that is needed takes
            another where none of these is free.
        whole: places are whole numbers, as cells are.
        hides: returns how much of the picture a label would hide at a place; the place that hides
            least is taken.
        most_hidden: a label that would hide more is left out, unless it is needed.
    """
    height = max((max(one.height, one.mark.bottom - one.mark.top) for one in labels), default=1)
    texts, marks = _Taken(height, gap), _Taken(height, gap)
    for label in labels:
        if label.needed:  # no other label may take the place beside it that it needs
            marks.add(label.mark, label.mark)

    def best(label: Wanted, on: Sequence[Side]) -> Rectangle | None:
        least, taken = math.inf, None
        for spot in _spots(label, on, whole):
            hidden = 0.0 if hides is None else hides(spot)
            if hidden >= least or (hidden > most_hidden and not label.needed):
                continue
            if (
                spot.within(bounds)
                and not texts.any_at(spot)
                and not marks.any_at(spot, label.mark)
            ):
                least, taken = hidden, spot
        return taken

    places: list[Rectangle | None] = []
    for label in labels:
        covered = texts.any_at(label.mark, label.mark)
        spot = None if covered else best(label, sides)
        if spot is None and label.needed and not covered:
            spot = best(label, [side for side in SIDES if side not in sides])
        places.append(spot)
        if spot is not None:
            texts.add(spot, label.mark)
            marks.add(label.mark, label.mark)
    return places


def _spots(label: Wanted, sides: Sequence[Side], whole: bool) -> Iterator[Rectangle]:
    mark, width, height = label.mark, label.width, label.height
    across = (mark.left + mark.right - width) / 2
    down = (mark.top + mark.bottom - height) / 2
    if whole:
        across, down = math.floor(across), math.floor(down)
    for side in sides:
        left, top = {
            "right": (mark.right, down),
            "left": (mark.left - width, down),
            "above": (across, mark.top - height),
            "below": (across, mark.bottom),
        }[side]
        yield Rectangle(left, top, left + width, top + height)


class _Taken:
    """Rectangles that are taken, each with the mark that it belongs to, by bands of the picture."""

    def __init__(self, height: float, gap: tuple[float, float]) -> None:
        self._height, self._gap = height or 1, gap
        self._bands: defaultdict[int, list[tuple[Rectangle, Rectangle]]] = defaultdict(list)

    def _bands_of(self, spot: Rectangle) -> range:
        down = self._gap[1]
        first = math.floor((spot.top - down) / self._height)
        return range(first, math.floor((spot.bottom + down) / self._height) + 1)

    def add(self, spot: Rectangle, mark: Rectangle) -> None:
        for band in self._bands_of(spot):
            self._bands[band].append((spot, mark))

    def any_at(self, spot: Rectangle, own: Rectangle | None = None) -> bool:
        """Return whether one of them is closer to a spot than the gap, or lies on it.

        Args:
            own: a mark; what belongs to it may be closer, but not lie on the spot.
        """
        return any(
            other.overlaps(spot, (0, 0) if mark == own else self._gap)
            for band in self._bands_of(spot)
            for other, mark in self._bands.get(band, ())
        )
