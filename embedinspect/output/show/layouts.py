"""Ways to lay out the three tables of `show`, the most wanted first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from embedinspect.output.pictures.heat import Form, HeatLayout, elided_layouts, whole_layouts

# For each layout, the fewest dimensions for which it is worth while.
FEWEST_DIMENSIONS = {"beside": 4, "below": 3, "stacked": 1}
FEWEST_DRAWN = 16  # where lines are shared and dimensions are left out
# Dimensions that are written, None for those left out; or how they are drawn.
Vectors = Sequence[int | None] | HeatLayout


@dataclass(frozen=True)
class Density:
    """How much space a table takes for the same content."""

    position: str
    mask: tuple[str, str]
    token: int
    gap: int
    block_gap: int


DENSITIES = (
    Density("position", ("False", "True"), 24, 2, 3),
    Density("pos", ("False", "True"), 16, 2, 3),
    Density("pos", ("F", "T"), 8, 1, 2),
)
TIGHT = DENSITIES[-1]


def left_out(count: int, density: Density) -> str:
    """Return the heading of a column that stands for dimensions which are left out."""
    return f"+{count}" if density is TIGHT else f"{count} more"


def heat_ways(
    total: int, forms: Sequence[Form]
) -> Iterator[tuple[str, Density, Sequence[HeatLayout]]]:
    """Yield layout, density and how vectors may be drawn there, each time the roomiest first.

    Lines that are shared matter more than dimensions, and these more than room for each; below
    each other, dimensions are left out only where nothing else is possible.
    """
    shared = [(layout, density) for layout in ("beside", "below") for density in DENSITIES]
    stacked = [("stacked", density) for density in DENSITIES]
    whole = [[heat] for heat in whole_layouts(total, forms)]
    elided = list(elided_layouts(total, forms[-1]))
    enough = [heat for heat in elided if heat.drawn >= FEWEST_DRAWN]
    for ways, choices in (
        (shared, whole),
        (shared[-2:], [enough]),
        (stacked, whole),
        (stacked[-2:], [elided]),
    ):
        for heats in choices:
            for layout, density in ways:
                yield layout, density, heats
