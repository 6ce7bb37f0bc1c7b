"""The few elements that the pictures are made of, and what makes a file of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from embedinspect.plots.colours import diverging, hexadecimal
from embedinspect.plots.heat import HEAT_STEPS, ink_on, step_class
from embedinspect.wording import literal

# Names, too, since what draws PNG may not know which font stands for sans-serif.
FONT = (
    "font-family=\"system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', 'Liberation Sans', 'Noto Sans', "
    'Arial, sans-serif"'
)
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_WIDE, _SIGNS, _NARROW = frozenset("mMwW@%…"), frozenset("+=<>~^#×|&"), frozenset(".,:;'!ijlIftr ·")
# How much wider bold letters are.
BOLD = 1.12
_GAP = 20
_TITLE, _REMARK = 16, 13
_NARROWEST = 360.0
_MOST_LINES = 4


@dataclass(frozen=True)
class Figure:
    """A picture with what stands above and below it in a file; a page writes these itself."""

    title: str
    svg: str
    remark: str = ""


def text(
    x: float,
    y: float,
    content: str,
    name: str = "ink",
    anchor: str = "start",
    size: int = 13,
    more: str = "",
) -> str:
    """Return a line of text; `name` is the class of its color, `anchor` its end that is at x."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{name}" text-anchor="{anchor}" '
        f'font-size="{size}"{more}>{escape(literal(content))}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, name: str, dashes: str = "") -> str:
    """Return a straight line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{name}"{dashed}/>'


def rectangle(x: float, y: float, width: float, height: float, name: str) -> str:
    """Return a filled rectangle."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{name}"/>'
    )


def width_of(content: str, size: int = 13) -> float:
    """Return about how wide a text is: no font is asked, so it is as in a wide one, DejaVu Sans."""
    return sum(map(_share, literal(content))) * size


def _share(sign: str) -> float:
    """Return how wide a sign is, as a share of the size of its font."""
    if ord(sign) > 0x2E7F or sign in _WIDE:
        return 1.0
    if sign in _NARROW:
        return 0.42
    return 0.86 if sign in _SIGNS else 0.76 if sign.isupper() else 0.65


def lines_of(content: str, width: float, size: int, most: int = _MOST_LINES) -> list[str]:
    """Return a text as lines of at most that width, broken between words where there are any."""
    lines: list[str] = []
    for word in literal(content).split(" "):
        if lines and width_of(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for sign in word:  # a word may be wider than a line
            if width_of(lines[-1] + sign, size) > width and lines[-1]:
                lines.append("")
            lines[-1] += sign
    if len(lines) > most:
        return [*lines[: most - 1], lines[most - 1][:-1] + "…"]
    return lines


def picture(width: float, height: float, title: str, said: str, elements: Sequence[str]) -> str:
    """Return a picture; `said` is what is told to those who cannot see it."""
    name, described = escape(literal(title)), escape(literal(said))
    body = "\n".join(elements)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" aria-label="{name}" {FONT}>\n<title>{name}</title>\n<desc>{described}</desc>\n'
        f"{body}\n</svg>"
    )


def file_of(figures: Sequence[Figure], *, themed: bool = True) -> str:
    """Return one SVG file of pictures below each other, each with its title and its remark.

    Args:
        themed: follow the reader's light or dark theme; otherwise it is light.
    """
    sizes = [
        tuple(map(float, match.groups()))
        for match in (_SIZE.search(figure.svg) for figure in figures)
        if match
    ]
    width = max(_NARROWEST, *(size[0] for size in sizes))
    placed, top = [], float(_GAP)
    for figure, (own_width, own_height) in zip(figures, sizes, strict=True):
        for words in lines_of(figure.title, width / BOLD, _TITLE) if figure.title else []:
            placed.append(text(_GAP, top + _TITLE, words, size=_TITLE, more=' font-weight="600"'))
            top += _TITLE + 8
        frame = f'<svg x="{_GAP}" y="{top:.0f}" width="{own_width:.0f}" height="{own_height:.0f}" '
        placed.append(figure.svg.replace("<svg ", frame, 1))
        top += own_height
        for words in lines_of(figure.remark, width, _REMARK) if figure.remark else []:
            placed.append(text(_GAP, top + _REMARK, words, "aside", size=_REMARK))
            top += _REMARK + 5
        top += _GAP
    whole = f"{width + 2 * _GAP:.0f}", f"{top:.0f}"
    body = "\n".join(placed)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole[0]}" height="{whole[1]}" '
        f'viewBox="0 0 {whole[0]} {whole[1]}" {FONT}>\n<style>{_style(themed=themed)}</style>\n'
        f'<rect class="paper" width="100%" height="100%"/>\n{body}\n</svg>\n'
    )


def _style(*, themed: bool) -> str:
    """Return the rules of a file: in light colors, and in dark ones where that is wanted."""
    kept = (files("embedinspect.output.svg") / "file.css").read_text(encoding="utf-8")
    light, dark = kept.split("/* dark */\n")
    style = light + "".join(_heat_rules(dark=False))
    if themed:
        dark += "".join(_heat_rules(dark=True))
        style += f"@media (prefers-color-scheme: dark) {{\n{dark}}}\n"
    return style


def _heat_rules(*, dark: bool) -> Iterator[str]:
    """Yield the color of each step of heat, and of the ink that stands out from it."""
    for step in range(-HEAT_STEPS, HEAT_STEPS + 1):
        colour = diverging(step / HEAT_STEPS, dark=dark)
        name = step_class(step)
        yield f".{name} {{ fill: {hexadecimal(colour)}; }} "
        yield f".on-{name} {{ fill: {hexadecimal(ink_on(colour))}; }}\n"
