"""Words as a file format can hold them: what it cannot is escaped, and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from embedinspect.source import Source

_KEPT = 100
_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\v": "\\v", "\f": "\\f", "\x85": "\\x85"}
_ESCAPES |= {chr(code): f"\\x{code:02x}" for code in (*range(9), *range(14, 32), 127)}
_ESCAPES |= {"\u2028": "\\u2028", "\u2029": "\\u2029"}
_TABLE = str.maketrans(_ESCAPES)


@dataclass
class Names:
    """The words of a source as a format writes them.

    Attributes:
        source: whose words they are; a row without one is called `#` and its number.
        escape: makes of a word what the format can hold.
        changed: the first words that were changed, and what became of them.
        count: how many were changed.
    """

    source: Source
    escape: Callable[[str], str]
    changed: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0

    def __iter__(self) -> Iterator[str]:
        words = self.source.words
        known = iter(words) if words is not None else iter([None] * self.source.matrix.input_dim)
        for row, word in enumerate(known):
            if word is None:
                yield f"#{row}"
                continue
            written = self.escape(word)
            if written != word:
                self.count += 1
                if len(self.changed) < _KEPT:
                    self.changed.append((word, written))
            yield written


def for_lines(word: str) -> str:
    """Return a word that stands on one line: controls and line separators are escaped.

    A lone surrogate, which UTF-8 cannot hold, is escaped, too; an empty word becomes `(empty)`.
    """
    if not word:
        return "(empty)"
    if word.isascii() and word.isprintable():
        return word
    return word.translate(_TABLE).encode("utf-8", "backslashreplace").decode("utf-8")


def without_spaces(word: str) -> str:
    """Return a word for formats in which a space ends it: spaces become underscores."""
    return for_lines(word).replace(" ", "_")


def for_glove(word: str) -> str:
    """Return a word that may hold spaces inside, unless a part of it would pass for a number."""
    from embedinspect.formats.text_layout import is_number

    word = for_lines(word)
    parts = word.split(" ")
    if len(parts) > 1 and (
        not parts[0] or not parts[-1] or any(is_number(part.encode()) for part in parts[1:])
    ):
        return word.replace(" ", "_")
    return word
