"""The pictures of a page as one SVG."""

from __future__ import annotations

from collections.abc import Iterator

from embedinspect.errors import DataError
from embedinspect.output.svg.elements import file_of
from embedinspect.page import Page, Part
from embedinspect.pictures import Curves, Scatter


def page_svg(page: Page, *, themed: bool = True) -> str:
    """Return the pictures of a page below each other.

    Args:
        themed: follow the reader's light or dark theme; otherwise it is light.

    Raises:
        DataError: the page has none.
    """
    pictures = [picture for part in page for picture in part_svgs(part)]
    if not pictures:
        raise DataError(
            "this answer has no picture; map, why, show --heat, rows --heat, info RUN and report "
            "have some; expected one of these, or a file that ends in .html, .md or .txt"
        )
    return file_of(pictures, themed=themed)


def part_svgs(part: Part) -> Iterator[str]:
    """Yield the pictures of one part of a page, each a complete SVG element."""
    match part:
        case Curves():
            from embedinspect.output.svg.curves import curves_svg

            yield curves_svg(part)
        case Scatter():
            from embedinspect.output.svg.scatter import scatter_svg

            yield scatter_svg(part)
        case _:
            return
