"""What the screen can do: its width, its colours, the signs that it can print.

Every text goes through `Screen.text` before it is laid out, so that no sign that the screen lacks
and no control character gets past it.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from dataclasses import dataclass, field, replace
from typing import IO

from rich.cells import cell_len, get_character_cell_size
from rich.console import Console
from rich.text import Text

from embedinspect.output.stdout import standard_output
from embedinspect.page import Meaning
from embedinspect.plots.colours import BLUE, Rgb, hexadecimal
from embedinspect.wording import literal

WIDTH_WITHOUT_TERMINAL = 120
NARROWEST = 20
WIDEST_PROSE = 100

# One colour for each meaning, the same in all commands. Named colours follow the terminal's theme,
# so they can be read on dark and light backgrounds.
STYLES: dict[Meaning, str] = {
    "plain": "",
    "confirmed": "green",
    "wrong": "bold red",
    "doubtful": "bold yellow",
    "notable": "bold cyan",
    "aside": "bright_black",
}


@dataclass(frozen=True)
class Signs:
    """The few signs that are not ASCII, or what stands for them.

    Attributes:
        steps: bars from low to high, for small curves.
        blocks: the last cell of a bar, from nearly empty to full.
        half: one half, above a scale.
        middle: what stands in the middle of a scale.
        stand_ins: what to write for each sign, where the screen lacks it.
    """

    arrow: str = "→"
    padding: str = "·"
    more: str = "…"
    times: str = "×"
    dash: str = "–"
    rule: str = "─"
    bar: str = "█"
    steps: str = "▁▂▃▄▅▆▇█"
    blocks: str = "▏▎▍▌▋▊▉█"
    half: str = "½"
    middle: str = "│"
    stand_ins: dict[int, str] = field(default_factory=dict)


UNICODE = Signs()
ASCII = Signs("->", ".", "..", "x", "-", "-", "#", "_.-=+*%@", "#", "1/2", "|")
# Of blocks the console of Linux has these, whatever its encoding.
_FEW_BLOCKS = "▌█"
_NAMES = ("arrow", "padding", "more", "times", "dash", "rule", "bar")
ASCII = replace(
    ASCII,
    stand_ins={ord(getattr(UNICODE, name)): getattr(ASCII, name) for name in _NAMES}
    | dict(zip(map(ord, UNICODE.steps[:-1]), ASCII.steps[:-1], strict=True)),
)


@dataclass(frozen=True)
class Screen:
    """Where a page is printed: a rich console, its width in cells, its signs and encoding."""

    console: Console
    width: int
    signs: Signs
    encoding: str = "utf-8"

    @property
    def colours(self) -> bool:
        """Whether anything is seen of a color."""
        return self.console.color_system is not None and not self.console.no_color

    @property
    def dark(self) -> bool:
        """Whether the background is dark, as far as `COLORFGBG` tells; else most are."""
        background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
        return background not in {"7", *map(str, range(9, 16))}

    @property
    def bar_parts(self) -> str:
        """The last cell of a bar, from nearly empty to full."""
        few = len(self.signs.blocks) > 1 and os.environ.get("TERM") == "linux"
        return _FEW_BLOCKS if few else self.signs.blocks

    def tint(self, colour: Rgb) -> str:
        """Return the style of signs in one of the two colors of pictures."""
        if self.console.color_system != "standard":
            return hexadecimal(colour)
        return "bright_blue" if colour == BLUE else "yellow"

    @property
    def prose_width(self) -> int:
        """Cells that a line of sentences may take: longer lines are hard to read."""
        return min(self.width, WIDEST_PROSE)

    def text(self, text: str) -> str:
        """Return a text as this screen can print it: signs it lacks replaced, controls escaped."""
        if self.signs.stand_ins:
            text = text.translate(self.signs.stand_ins)
        return literal(text, self.encoding)

    def wrap(self, text: str, width: int) -> list[str]:
        """Return the lines of a text that `text` has made printable, broken between words."""
        return [part.plain for part in Text(text).wrap(self.console, width)]

    def clip(self, text: str, width: int) -> str:
        """Return as much of a printable text as fits, with the sign for more at its end."""
        return clip(text, width, self.signs.more)

    def line(self, text: Text) -> None:
        """Print one line whole, without trailing spaces; the terminal wraps what is too long.

        Spaces that are filled with a color are no trailing ones.
        """
        filled = [span.end for span in text.spans if self.colours and "on " in str(span.style)]
        end = max([*filled, len(text.plain.rstrip())])
        if end < len(text):
            text.right_crop(len(text) - end)
        self.console.print(text, soft_wrap=True, highlight=False, markup=False, emoji=False)


def open_screen(file: IO[str] | None = None, width: int | None = None) -> Screen:
    """Return the screen for stdout: its width, its colours, and signs that it can encode.

    The width is that of the terminal, or `COLUMNS`. Where stdout is a pipe it is that of the
    terminal at the other end of stderr or stdin (as for `| less`), else 120.
    """
    file = file or standard_output()
    width = max(NARROWEST, width or columns_wanted() or _width_of(file) or WIDTH_WITHOUT_TERMINAL)
    console = Console(file=file, width=width, legacy_windows=False)
    encoding = getattr(file, "encoding", None) or "utf-8"
    try:
        _every_sign(UNICODE).encode(encoding)
        signs = UNICODE
    except (UnicodeEncodeError, LookupError):
        signs = ASCII
    return Screen(console, width, signs, encoding)


def _every_sign(signs: Signs) -> str:
    return "".join(text for text in vars(signs).values() if isinstance(text, str))


def plain_screen() -> Screen:
    """Return the screen of a text file: UTF-8 without colors, as wide as `COLUMNS` says, or 120."""
    width = max(NARROWEST, columns_wanted() or WIDTH_WITHOUT_TERMINAL)
    console = Console(
        file=io.StringIO(),
        width=width,
        legacy_windows=False,
        force_terminal=False,
        color_system=None,
    )
    return Screen(console, width, UNICODE)


def columns_wanted() -> int | None:
    """Return the width that the variable `COLUMNS` asks for; None where it names none."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) or None if columns.isascii() and columns.isdecimal() else None


def _width_of(file: IO[str]) -> int | None:
    """Return the width of the terminal that a stream, or the user behind its pipe, is at."""
    streams = [file, sys.stderr, sys.stdin] if _is_pipe(file) else [file]
    for stream in streams:
        try:
            width = os.get_terminal_size(stream.fileno()).columns
        except (AttributeError, OSError, ValueError):
            continue
        if width > 0:
            return width
    return None


def _is_pipe(file: IO[str]) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(file.fileno()).st_mode)
    except (AttributeError, OSError, ValueError):
        return False


def clip(text: str, width: int, more: str = "…") -> str:
    """Return the text, or as much of its start as fits `width` cells with the sign for more.

    >>> clip("internationalization", 10)
    'internati…'
    """
    if len(text) <= width // 2 or cell_len(text) <= width:
        return text
    kept, used, room = [], 0, width - cell_len(more)
    for character in text:
        used += get_character_cell_size(character)
        if used > room:
            break
        kept.append(character)
    return "".join(kept) + more


def clip_start(text: str, width: int, more: str = "…") -> str:
    """Return the text, or as much of its end as fits `width` cells behind the sign for more.

    >>> clip_start("path/to/vectors.txt", 12)
    '…vectors.txt'
    """
    if cell_len(text) <= width:
        return text
    kept, used, room = [], 0, width - cell_len(more)
    for character in reversed(text):
        used += get_character_cell_size(character)
        if used > room:
            break
        kept.append(character)
    return more + "".join(reversed(kept))
