"""Curves on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from embedinspect.output.screen import Screen
from embedinspect.pictures import Curves


def curves_lines(curves: Curves, screen: Screen) -> Iterator[Text]:
    """Yield the lines of the picture."""
    yield Text(screen.text(curves.title), style="bold")
