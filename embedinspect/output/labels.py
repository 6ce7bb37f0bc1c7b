"""What several pages call the same thing: words, rows, sources."""

from __future__ import annotations

from embedinspect.page import Fact
from embedinspect.source import Source

LONGEST_WORD = 24


def short(word: str, most: int = LONGEST_WORD) -> str:
    """Return a word for a sentence, its end cut where it is long.

    >>> short("internationalization", 10)
    'internati…'
    """
    return word if len(word) <= most else word[: most - 1] + "…"


def row_name(source: Source, row: int) -> str:
    """Return a row's word and number, or its number alone."""
    word = source.name_of(row)
    return word if word == f"#{row}" else f"{short(word)} (row {row})"


def source_name(source: Source) -> str:
    """Return the path of a source; of a run also the epoch whose rows they are."""
    if source.run is None:
        return source.path
    return f"{source.path}, {epoch_name(source)}"


def epoch_name(source: Source) -> str:
    """Return when a run had these rows."""
    return "before training" if source.epoch == 0 else f"after epoch {source.epoch}"


def note_facts(note: str | None) -> list[Fact]:
    """Return what is worth knowing as a fact, or nothing."""
    return [] if note is None else [Fact("note", note, "notable")]
