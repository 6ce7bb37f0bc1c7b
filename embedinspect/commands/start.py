"""What `embedinspect` shows without a command: what it is, and what to type first."""

from __future__ import annotations

from itertools import groupby

from embedinspect import __version__
from embedinspect.commands.table import COMMANDS
from embedinspect.page import Glossary, Headline, Page, Paragraph

WHAT_IT_IS = "See what an embedding layer does, and what is inside the embeddings you have."
FIRST = (
    ('embedinspect show "This is a text"', "words, their ids, and their rows"),
    ("embedinspect explain", "common questions, answered by running"),
    ("embedinspect train sample:reviews", "a small classifier to look into"),
    ("embedinspect info sample:vectors", "what is in a matrix, this or yours"),
    ("embedinspect doctor sample:vectors", "what is wrong with it, or odd"),
)


def start_page() -> Page:
    """Yield the first screen, which fits 80 columns and 24 lines."""
    yield Headline(f"embedinspect {__version__}", WHAT_IT_IS)
    yield Glossary([("Type first", FIRST)])
    panels = groupby(COMMANDS, key=lambda command: command.panel)
    names = [(panel, ", ".join(command.name for command in commands)) for panel, commands in panels]
    yield Glossary([("All commands", names)])
    yield Paragraph(
        "embedinspect --help says what each of them answers; embedinspect help COMMAND shows one."
    )
