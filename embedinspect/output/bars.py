"""Bars of blocks: an amount from the left, a probability from one half to either side."""

from __future__ import annotations

import math
from collections.abc import Sequence

from embedinspect.output.grid import Cell
from embedinspect.output.screen import STYLES, Screen
from embedinspect.plots.bars import bar_shares
from embedinspect.plots.colours import BLUE, ORANGE

SHORTEST_BAR = 4
LONGEST_BAR = 32
# Room for `0 1/2 1` above it.
SHORTEST_LEAN = 7
LONGEST_LEAN = 33
# A probability that reads as one half leans to no side.
_DECIMALS = 3


def bars(
    amounts: Sequence[float | None], width: int, screen: Screen, *, logarithmic: bool = False
) -> list[str]:
    """Return a bar for each amount, the largest of them `width` cells long.

    Nothing is drawn for 0, for what is below it, and for what is no finite number; the smallest
    amount above 0 is still seen.

    Args:
        logarithmic: a length stands for the logarithm of the amount + 1.
    """
    shares = bar_shares(amounts, logarithmic=logarithmic)
    return [_bar(share, width, screen) if share else "" for share in shares]


def _bar(share: float, width: int, screen: Screen) -> str:
    parts = screen.bar_parts
    whole, rest = divmod(max(1, round(share * width * len(parts))), len(parts))
    return parts[-1] * whole + (parts[rest - 1] if rest else "")


def lean_scale(width: int, screen: Screen) -> str:
    """Return the heading of bars that lean: 0 at the left, one half in the middle, 1 at the right.

    >>> from embedinspect.output.screen import open_screen
    >>> lean_scale(9, open_screen())
    '0   ½   1'
    """
    side = _side(width)
    half = screen.signs.half
    before = side - (len(half) - 1) // 2 - 1
    return "0" + " " * before + half + " " * (2 * side - before - len(half) - 1) + "1"


def lean(probability: float | None, width: int, screen: Screen) -> Cell:
    """Return a probability as a bar from one half: to the left below it, to the right above it."""
    side = _side(width)
    signs = screen.signs
    empty, middle = signs.padding * side, signs.middle
    grey = STYLES["aside"]
    if probability is None or not math.isfinite(probability):
        return Cell()
    share = min(1.0, max(0.0, probability))
    distance = abs(share - 0.5)
    parts = 2 if len(screen.bar_parts) > 1 else 1  # of a cell: no block grows from the right but ▐
    drawn = round(side * parts * 2 * distance)
    if round(share, _DECIMALS) != 0.5:
        drawn = max(drawn, 1)
    whole, rest = divmod(drawn, parts)
    length = whole + rest
    if share < 0.5:
        bar = ("▐" if rest else "") + signs.bar * whole
        text = empty[length:] + bar + middle + empty
        start = side - length
    else:
        bar = signs.bar * whole + ("▌" if rest else "")
        text = empty + middle + bar + empty[length:]
        start = side + 1
    tint = screen.tint(BLUE if share < 0.5 else ORANGE)
    return Cell(text, grey, ((start, start + length, tint),) if length else ())


def _side(width: int) -> int:
    """Return the cells on either side of the middle one."""
    return (width - 1) // 2
