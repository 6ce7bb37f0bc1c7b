"""What the screen can do: its width, its colours, the signs that it can encode."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import IO

from rich.cells import cell_len, get_character_cell_size
from rich.console import Console
from rich.text import Text

WIDTH_WITHOUT_TERMINAL = 120
NARROWEST = 20
LABEL_WIDTH = 12


@dataclass(frozen=True)
class Glyphs:
    """The few signs that are not ASCII, or their stand-ins."""

    arrow: str = "→"
    padding: str = "·"
    more: str = "…"
    times: str = "×"
    dash: str = "–"
    rule: str = "─"
    encoding: str = "utf-8"


ASCII = Glyphs("->", ".", "..", "x", "-", "-", "ascii")


@dataclass(frozen=True)
class Screen:
    """Where tables are printed: a rich console, its width in cells, and its signs."""

    console: Console
    width: int
    glyphs: Glyphs

    def line(self, text: Text) -> None:
        """Print one line whole, without trailing spaces; the terminal wraps what is too long."""
        text.rstrip()
        self.console.print(text, soft_wrap=True, highlight=False, markup=False, emoji=False)

    def paragraph(self, text: str, style: str = "") -> None:
        """Print a sentence, wrapped between words at the screen's width."""
        for part in Text(text).wrap(self.console, self.width):
            self.line(Text(part.plain, style=style))


def open_screen(file: IO[str] | None = None, width: int | None = None) -> Screen:
    """Return the screen for stdout: its width, its colours, and signs that it can encode.

    The width is that of the terminal, or `COLUMNS`, or 120 where there is neither.
    """
    file = file or sys.stdout
    terminal = file.isatty() if hasattr(file, "isatty") else False
    if width is None:
        asked = os.environ.get("COLUMNS", "")
        if asked.isdecimal() and int(asked) > 0:
            width = int(asked)
        elif not terminal:
            width = WIDTH_WITHOUT_TERMINAL
    console = Console(file=file, width=width, legacy_windows=False)
    if console.width < NARROWEST:
        console = Console(file=file, width=NARROWEST, legacy_windows=False)
    encoding = getattr(file, "encoding", None) or "utf-8"
    glyphs = replace(Glyphs(), encoding=encoding)
    try:
        "".join(vars(glyphs).values()).encode(encoding)
    except UnicodeEncodeError:
        glyphs = replace(ASCII, encoding=encoding)
    return Screen(console, console.width, glyphs)


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


def labelled(label: str, sentence: str, screen: Screen, *, clipped: bool = False) -> list[Text]:
    """Return the sentence behind its label, wrapped below itself, or clipped to a line or two."""
    room = max(20, screen.width - LABEL_WIDTH)
    if clipped:  # wrapping may leave a line short, so leave room for that
        lines = 1 if room >= 80 else 2
        sentence = clip(sentence, room * lines - 12 * (lines - 1), screen.glyphs.more)
    parts = list(Text(sentence).wrap(screen.console, room))
    found = []
    for number, part in enumerate(parts):
        line = Text((label if not number else "").ljust(LABEL_WIDTH), style="bold")
        line.append_text(Text(part.plain, style="not bold"))
        found.append(line)
    return found
