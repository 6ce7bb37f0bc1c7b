"""An SVG as pixels, drawn by resvg, which needs no browser."""

from __future__ import annotations

from importlib.util import find_spec

from embedinspect.errors import DataError
from embedinspect.output.svg.elements import FONT

# Pixels to a unit: sharp on a slide, and where a page is printed.
SCALE = 2
_PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    f'<text x="2" y="15" {FONT} font-size="14">{{}}</text></svg>'
)


def check_package() -> None:
    """Find out whether the package that draws is there; nothing of it is imported.

    Raises:
        DataError: it is not.
    """
    if find_spec("resvg_py") is None:
        raise DataError(
            "a PNG needs the package resvg-py, which is not installed; "
            "pip install 'embedinspect[png]' brings it, and .svg needs nothing"
        )


def png_of(svg: str) -> bytes:
    """Return an SVG as a PNG file, two pixels to each unit.

    Raises:
        DataError: the package that draws it is missing, or no font is, so that no text would show.
    """
    check_package()
    import resvg_py

    if resvg_py.svg_to_bytes(_PROBE.format("E")) == resvg_py.svg_to_bytes(_PROBE.format("")):
        raise DataError(
            "a PNG needs a font, and none is installed here, so that no text would show; install "
            "one, such as DejaVu Sans (Debian: fonts-dejavu-core), or write .svg"
        )
    return bytes(resvg_py.svg_to_bytes(svg, zoom=SCALE))
