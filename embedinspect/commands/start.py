"""What `embedinspect` shows without a command: what it is, and what to type first."""

from __future__ import annotations

from itertools import groupby

from embedinspect import __version__
from embedinspect.commands.table import COMMANDS
from embedinspect.page import Column, Fact, Facts, Headline, Page, Table

WHAT_IT_IS = "See what an embedding layer does, and what is inside the embeddings you have."
FIRST = (
    ('embedinspect show "This is a text"', "each word, its id, and the row it fetches"),
    ("embedinspect explain", "what people ask most, answered by running it"),
    ("embedinspect train sample:reviews", "a small classifier to look into, in seconds"),
    ("embedinspect info sample:vectors", "what is in a matrix: this one, or yours"),
    ("embedinspect doctor --from model.keras", "what is wrong with a model"),
)


def start_page() -> Page:
    """Yield the first screen, which fits 80 columns and 24 lines."""
    yield Headline(f"embedinspect {__version__}", WHAT_IT_IS)
    yield Table(
        "Type first",
        [
            Column("command", [command for command, _ in FIRST], rigid=True),
            Column("what you see", [what for _, what in FIRST], "prose"),
        ],
    )
    panels = groupby(COMMANDS, key=lambda command: command.panel)
    facts = [
        Fact(panel, ", ".join(command.name for command in commands)) for panel, commands in panels
    ]
    yield Facts(facts)
    yield Facts(
        [
            Fact("help", "embedinspect --help: all commands; embedinspect help COMMAND: one"),
            Fact("a SOURCE", "is a run folder, a Keras model, word vectors, or an array"),
        ]
    )
