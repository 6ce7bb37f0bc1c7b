"""Words as a form can hold them: what it cannot hold is escaped, and reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat

from embedinspect.source import Source

_MOST_CHANGED = 100
_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\v": "\\v", "\f": "\\f", "\x85": "\\x85"}
_ESCAPES |= {chr(code): f"\\x{code:02x}" for code in (*range(9), *range(14, 32), 127)}
_ESCAPES |= {"\u2028": "\\u2028", "\u2029": "\\u2029", "\ufeff": "\\ufeff"}
_TABLE = str.maketrans(_ESCAPES)


@dataclass
class Names:
    """The words of a source as a form writes them, in the order of the rows.

    A row without a word is written as # and its number, which reads back as a row without a word.

    Attributes:
        source: whose words they are.
        escape: turns a word into one that the form can hold.
        unique: whether two rows of the form may not have the same word, as of those of word2vec.
        changed: the first words that were changed, each with what was written instead.
    """

    source: Source
    escape: Callable[[str], str]
    unique: bool = False
    changed: list[tuple[str, str]] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        words = self.source.words
        none = repeat(None, self.source.matrix.input_dim)
        taken: set[str] = set()
        for row, word in enumerate(words if words is not None else none):
            if word is None:
                yield f"#{row}"
                continue
            written = self.escape(word)
            if self.unique:
                written = self._free(written, word, row, taken)
                taken.add(written)
            if written != word and len(self.changed) < _MOST_CHANGED:
                self.changed.append((word, written))
            yield written

    def _free(self, written: str, word: str, row: int, taken: set[str]) -> str:
        """Return what no other row has: as it is to be written, or else with a number after it."""
        candidate, number = written, 1
        while candidate in taken or self._is_another(candidate, word, row):
            number += 1
            candidate = f"{written}_{number}"
        return candidate

    def _is_another(self, candidate: str, word: str, row: int) -> bool:
        """Return whether what is to be written for a word is the name of another row."""
        words = self.source.words
        assert words is not None
        if candidate != word and candidate in words.index:
            return True
        digits = candidate.removeprefix("#")
        if candidate == digits or not (digits.isascii() and digits.isdecimal()):
            return False
        other = int(digits) if len(digits) < 18 else len(words)
        return other != row and other < len(words) and words[other] is None


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


def for_glove_alone(word: str) -> str:
    """Return a word for GloVe's form whose line cannot pass for numbers or for a comment."""
    from embedinspect.formats.number_text import are_numbers

    word = without_spaces(word)
    return f"_{word}" if are_numbers(f"{word} 0".encode(), whole=True) else word
