"""The style sheet of a page: the kept file, and a class for each step of the colors of heat."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from embedinspect.plots.colours import diverging, hexadecimal
from embedinspect.plots.heat import HEAT_STEPS, ink_on, step_class


@lru_cache
def kept_file(name: str) -> str:
    """Return the text of a template, a style sheet or a script that stands beside this module."""
    return (files("embedinspect.output.html") / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def stylesheet() -> str:
    """Return the style sheet; all of its rules are about what stands in an element `.ei`."""
    return (
        f"{kept_file('page.css')}\n{_heat_classes(dark=False)}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n{_heat_classes(dark=True)}\n}}\n"
    )


@lru_cache(maxsize=1)
def stylesheet_in_another() -> str:
    """Return the style sheet for a place in another page, whose own rules it is to outweigh.

    A notebook has rules for all tables, such as stripes in the colors of its own theme.
    """
    return stylesheet().replace(".ei ", ".ei.ei.ei ")


def _heat_classes(*, dark: bool) -> str:
    """Return rules for cells, whose ink stands out from their color, and for strips."""
    lines = []
    for step in range(-HEAT_STEPS, HEAT_STEPS + 1):
        colour = diverging(step / HEAT_STEPS, dark=dark)
        paint, ink = hexadecimal(colour), hexadecimal(ink_on(colour))
        lines.append(f".ei .{step_class(step)}{{background:{paint};color:{ink};stroke:{paint}}}")
    return "\n".join(lines)
