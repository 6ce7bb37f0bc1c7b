"""Points in two dimensions, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from embedinspect.output.screen import Screen
from embedinspect.pictures import Scatter


def scatter_lines(scatter: Scatter, screen: Screen) -> Iterator[Text]:
    """Yield the lines of the picture."""
    yield Text(screen.text(scatter.title), style="bold")
