"""The few elements that the pictures are made of, and what makes a file of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from embedinspect.wording import literal

FONT = "font-family=\"system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\""
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_GAP = 16


def text(
    x: float, y: float, content: str, name: str = "ink", anchor: str = "start", size: int = 13
) -> str:
    """Return a line of text; `name` is the class of its color, `anchor` its end that is at x."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{name}" text-anchor="{anchor}" '
        f'font-size="{size}">{escape(literal(content))}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, name: str, dashes: str = "") -> str:
    """Return a straight line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{name}"{dashed}/>'


def width_of(content: str, size: int = 13) -> float:
    """Return about how wide a text is: no font is asked, so it is on the safe side."""
    return sum(1.0 if ord(sign) > 0x2E7F else 0.6 for sign in literal(content)) * size


def picture(width: float, height: float, title: str, said: str, elements: Sequence[str]) -> str:
    """Return a picture; `said` is what is told to those who cannot see it."""
    name, described = escape(literal(title)), escape(literal(said))
    body = "\n".join(elements)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" aria-label="{name}" {FONT}>\n<title>{name}</title>\n<desc>{described}</desc>\n'
        f"{body}\n</svg>"
    )


def file_of(pictures: Sequence[str], *, themed: bool = True) -> str:
    """Return one SVG file of pictures below each other, on white, or on black where that is wanted.

    Args:
        themed: follow the reader's light or dark theme; otherwise it is light.
    """
    sizes = [tuple(map(float, match.groups())) for match in map(_SIZE.search, pictures) if match]
    width = max(size[0] for size in sizes)
    height = sum(size[1] for size in sizes) + _GAP * (len(sizes) + 1)
    style = (files("embedinspect.output.svg") / "file.css").read_text(encoding="utf-8")
    if not themed:
        style = style.split("@media")[0]
    placed, top = [], float(_GAP)
    for one, (own_width, own_height) in zip(pictures, sizes, strict=True):
        frame = f'<svg x="{_GAP}" y="{top:.0f}" width="{own_width:.0f}" height="{own_height:.0f}" '
        placed.append(one.replace("<svg ", frame, 1))
        top += own_height + _GAP
    whole = f"{width + 2 * _GAP:.0f}", f"{height:.0f}"
    body = "\n".join(placed)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole[0]}" height="{whole[1]}" '
        f'viewBox="0 0 {whole[0]} {whole[1]}">\n<style>{style}</style>\n'
        f'<rect class="paper" width="100%" height="100%"/>\n{body}\n</svg>\n'
    )
