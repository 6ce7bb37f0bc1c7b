"""What several pages call the same thing: words, rows, sources."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from embedinspect.page import Column, Fact
from embedinspect.row_words import LONGEST_WORD as LONGEST_WORD
from embedinspect.row_words import Words, is_text
from embedinspect.source import Source

LONGEST_TEXT = 100
_MOST_WORDS, _MOST_TEXTS = 8, 2


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


def word_label(source: Source, row: int, most: int = LONGEST_WORD) -> str:
    """Return what a row is called in a sentence: its word; of a text its beginning and number."""
    word = source.name_of(row)
    return word if len(word) <= most else f"{short(word, most)} (row {row})"


def row_tag(source: Source, row: int) -> str:
    """Return what a row is called where there is little room; of a text the number comes first."""
    word = source.name_of(row)
    return short(f"#{row} {word}" if is_text(word) else word)


def asked_label(source: Source, asked: str) -> str:
    """Return what a row that was asked for is called in a sentence; a word without one as asked."""
    row = source.row_of(asked)
    return short(asked) if row is None else word_label(source, row)


def asked_word(source: Source, asked: str) -> str:
    """Return the word of a row that was asked for by its number or by how a text begins."""
    row = source.row_of(asked)
    return asked if row is None else source.name_of(row)


def word_column(words: Sequence[str], name: str = "word") -> Column:
    """Return a column of words or texts, which are cut where there is no room for them."""
    return Column(name, words, most=LONGEST_TEXT)


def first_words(words: Words) -> str:
    """Return the first words side by side; of texts, which are long, two in quotes."""
    first = (word for word in islice(words, 40) if word)
    if words.are_texts:
        named = [f"'{short(word, LONGEST_TEXT)}'" for word in islice(first, _MOST_TEXTS)]
        return ", ".join(named) + ", …" * (words.named > len(named))
    named = [short(word) for word in islice(first, _MOST_WORDS)]
    return "  ".join(named) + "…" * (words.named > len(named))


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
