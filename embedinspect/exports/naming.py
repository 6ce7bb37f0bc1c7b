"""Words as a form can hold them: what it cannot hold is escaped, and reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from embedinspect.source import Source

_MOST_CHANGED = 100
_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\v": "\\v", "\f": "\\f", "\x85": "\\x85"}
_ESCAPES |= {chr(code): f"\\x{code:02x}" for code in (*range(9), *range(14, 32), 127)}
_ESCAPES |= {"\u2028": "\\u2028", "\u2029": "\\u2029"}
_TABLE = str.maketrans(_ESCAPES)


@dataclass
class Names:
    """The words of a source as a form writes them, in the order of the rows.

    A row without a word is written as # and its number.

    Attributes:
        source: whose words they are.
        escape: turns a word into one that the form can hold.
        changed: the first words that were changed, each with what was written instead.
    """

    source: Source
    escape: Callable[[str], str]
    changed: list[tuple[str, str]] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        words = self.source.words
        none = [None] * self.source.matrix.input_dim
        for row, word in enumerate(words if words is not None else none):
            if word is None:
                yield f"#{row}"
                continue
            written = self.escape(word)
            if written != word and len(self.changed) < _MOST_CHANGED:
                self.changed.append((word, written))
            yield written


def for_lines(word: str) -> str:
    """Return a word that fits on one line: control characters and line separators are escaped.

    So are lone surrogates, which UTF-8 cannot hold. An empty word becomes `(empty)`.
    """
    if not word:
        return "(empty)"
    if word.isascii() and word.isprintable():
        return word
    return word.translate(_TABLE).encode("utf-8", "backslashreplace").decode("utf-8")


def without_spaces(word: str) -> str:
    """Return a word for forms in which a space ends a word: spaces become underscores."""
    return for_lines(word).replace(" ", "_")


def for_glove(word: str) -> str:
    """Return a word for GloVe's form, with spaces inside unless a part would pass for a number."""
    from embedinspect.formats.text_layout import is_number

    word = for_lines(word)
    parts = word.split(" ")
    if len(parts) > 1 and (
        not parts[0] or not parts[-1] or any(is_number(part.encode()) for part in parts[1:])
    ):
        return word.replace(" ", "_")
    return word
