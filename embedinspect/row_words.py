"""The words of a matrix: which row belongs to which word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count, islice
from typing import Any, Protocol

import numpy as np

from embedinspect.word_index import MANY_WORDS, WordIndex

# What lists of words call the row of the padding.
PADDING_NAMES = frozenset({"", "<pad>", "[pad]", "<padding>", "pad", "_pad_", "<PAD>", "[PAD]"})
_MOST_COMPARED = 20_000  # words that are compared with one that is misspelled
_SEEN_FOR_CASE = 20_000  # words that tell whether words are written with capitals
# What stands before each word in a block: the second, which is in no UTF-8, where words have lines.
LINE_MARK, ANY_MARK = b"\n", b"\xff"
_FEW_SEARCHES = 4  # through a list of words
_SEEN_FOR_TEXTS = 1000  # words that tell whether words are whole texts
# Tables cut longer words.
LONGEST_WORD = 24
_WORDS_AT_ONCE = 2**17  # that are decoded together: few of all are held
_MOST_SEARCHES = 32  # through a block of words; from then on an index is faster


class Bytes(Protocol):
    """The bytes that words are packed in: `bytes`, or a memory map of a file."""

    def find(self, sub: bytes, start: int = ..., /) -> int:
        """Return where `sub` begins at or after `start`, or -1."""

    def __getitem__(self, key: slice, /) -> bytes:
        """Return a slice of the bytes."""

    def __len__(self) -> int:
        """Return how many bytes there are."""


class Words:
    """The word of each row, None for a row without one. A word that repeats has its first row."""

    def __init__(self, words: Sequence[str | None]) -> None:
        self._words, self._searches = words, 0

    def __len__(self) -> int:
        return len(self._words)

    def __getitem__(self, row: int) -> str | None:
        return self._words[row]

    def __iter__(self) -> Iterator[str | None]:
        return iter(self._words)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The row of each word."""
        if len(self) >= MANY_WORDS:
            return WordIndex(self)
        index: dict[str, int] = {}
        for row, word in enumerate(self):
            if word is not None:
                index.setdefault(word, row)
        return index

    @property
    def named(self) -> int:
        """How many rows have a word."""
        return sum(word is not None for word in self)

    def row_of(self, word: str) -> int | None:
        """Return the row of a word, or None.

        The first few words are searched for; then an index of all words is built.
        """
        if "index" in self.__dict__ or self._searches >= _FEW_SEARCHES:
            return self.index.get(word)
        self._searches += 1
        try:
            return self._words.index(word)
        except ValueError:
            return None

    @cached_property
    def are_texts(self) -> bool:
        """Whether words are whole texts, such as sentences: at least half of the first 1,000."""
        first = [self[row] for row in range(min(len(self), _SEEN_FOR_TEXTS))]
        named = [word for word in first if word is not None]
        return bool(named) and 2 * sum(map(is_text, named)) >= len(named)

    def named_so(self, word: str) -> Iterator[int]:
        """Yield the rows that have this word, in their order."""
        return (row for row, each in enumerate(self) if each == word)

    def beginning_with(self, beginning: str) -> Iterator[int]:
        """Yield the rows whose words begin so, in their order."""
        for row, word in enumerate(self):
            if word is not None and word.startswith(beginning):
                yield row

    def close_to(self, word: str, most: int = 3) -> list[str]:
        """Return words that may have been meant: in another case, or else in another spelling.

        Only words that begin or end alike are compared by spelling, and no more than 20,000.
        """
        folded = word.casefold()
        same_but_case, alike = [], []
        for candidate in self:
            if candidate is None or abs(len(candidate) - len(word)) > 2:
                continue
            lowered = candidate.casefold()
            if lowered == folded:
                same_but_case.append(candidate)
            elif (
                lowered[:2] == folded[:2]
                or lowered[-3:] == folded[-3:]
                or (lowered[:1], lowered[-1:]) == (folded[:1], folded[-1:])
            ):
                alike.append(candidate)
        if same_but_case:
            return same_but_case[:most]
        import difflib

        return difflib.get_close_matches(word, islice(alike, _MOST_COMPARED), n=most)


class PackedWords(Words):
    """Words in one block of UTF-8, each after a mark, and where each of them ends.

    The mark is a line feed, or, where a word holds one, a byte that is never part of UTF-8. The
    block begins with it.

    The block can be a memory map: 400,000 words open at once, and only those that are needed are
    decoded. A row that is called by its number, such as `#5`, has no word.
    """

    def __init__(self, block: Bytes, ends: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        super().__init__(())
        self.block, self.ends = block, ends
        self._mark = block[0:1]

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, row: int) -> str | None:
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        row %= len(self)
        start = int(self.ends[row - 1]) if row else 0
        word = self.block[start + 1 : int(self.ends[row])].decode("utf-8", "replace")
        return named_or_none(word, row)

    def __iter__(self) -> Iterator[str | None]:
        for start in range(0, len(self), _WORDS_AT_ONCE):
            yield from self._words_from(start, min(start + _WORDS_AT_ONCE, len(self)))

    def _words_from(self, first: int, last: int) -> Iterator[str | None]:
        begin = int(self.ends[first - 1]) if first else 0
        block = self.block[begin : int(self.ends[last - 1])]
        if self._mark != LINE_MARK:
            texts = (word.decode("utf-8", "replace") for word in block.split(self._mark)[1:])
            return map(named_or_none, texts, count(first))
        text = block.decode("utf-8", "replace")
        words = text.split("\n")[1:]
        return iter(words) if "\n#" not in text else map(named_or_none, words, count(first))

    @property
    def named(self) -> int:
        """How many rows have a word."""
        if self.block.find(self._mark + b"#") < 0:
            return len(self)
        return sum(word is not None for word in self)

    def row_of(self, word: str) -> int | None:
        """Return the row of a word, or None.

        The first few words are searched for in the block; then an index of all words is built.
        """
        if "index" in self.__dict__ or self._searches >= _MOST_SEARCHES:
            return self.index.get(word)
        self._searches += 1
        packed = self._mark + word.encode("utf-8", "surrogatepass")
        if self._mark in packed[1:]:
            return None
        start = self.block.find(packed + self._mark)
        if start < 0:  # it may still be the last word
            start = len(self.block) - len(packed)
            if start < 0 or self.block[start : len(self.block)] != packed:
                return None
        row = self._row_at(start)
        return None if named_or_none(word, row) is None else row

    def _row_at(self, start: int) -> int:
        """Return the row whose word has its mark at a place of the block."""
        return int(np.searchsorted(self.ends, start, side="right")) if start else 0

    def named_so(self, word: str) -> Iterator[int]:
        """Yield the rows that have this word, in their order; they are searched in the block."""
        packed = self._mark + word.encode("utf-8", "surrogatepass")
        start = -1 if self._mark in packed[1:] else self.block.find(packed + self._mark)
        while start >= 0:
            yield self._row_at(start)
            start = self.block.find(packed + self._mark, start + 1)
        last = len(self) - 1  # no mark stands behind it
        if last >= 0 and self[last] == word:
            yield last

    def beginning_with(self, beginning: str) -> Iterator[int]:
        """Yield the rows whose words begin so, in their order; they are searched in the block."""
        packed = self._mark + beginning.encode("utf-8", "surrogatepass")
        start = -1 if self._mark in packed[1:] else self.block.find(packed)
        while start >= 0:
            row = self._row_at(start)
            if self[row] is not None:
                yield row
            start = self.block.find(packed, start + 1)


def is_text(word: str) -> bool:
    """Return whether a word is a text that tables cut: long, and with a space in it.

    Some scripts have no spaces, so of what is not ASCII the length alone tells.

    >>> is_text("ice cream"), is_text("The river crossed the valley"), is_text("山" * 30)
    (False, True, True)
    """
    return len(word) > LONGEST_WORD and (" " in word or not word.isascii())


def named_or_none(word: str, row: int) -> str | None:
    """Return the word of a row as it is written; None where that is only the row's number.

    >>> named_or_none("king", 5), named_or_none("#5", 5), named_or_none("#5", 6)
    ('king', None, '#5')
    """
    return None if word[:1] == "#" and word == f"#{row}" else word


def has_capitals(words: Iterable[str | None]) -> bool:
    """Return whether words are written with capitals, judged by the first 20,000.

    Names in brackets, such as `<OOV>` and `[UNK]`, do not count.

    >>> has_capitals(["the", "[UNK]"]), has_capitals(["the", "Paris"])
    (False, True)
    """
    return any(
        word is not None and word[:1] not in {"<", "["} and word != word.lower()
        for word in islice(words, _SEEN_FOR_CASE)
    )


def pack_lines(lines: bytes) -> PackedWords:
    """Return the words of UTF-8 in packed form, one a line; the last line may end or not."""
    block = LINE_MARK + lines.removesuffix(LINE_MARK)
    begins = np.flatnonzero(np.frombuffer(block, np.uint8) == LINE_MARK[0])
    return PackedWords(block, np.append(begins[1:], len(block)))


def pack(words: Sequence[bytes]) -> PackedWords:
    """Return the words in packed form; they must be UTF-8."""
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    block = LINE_MARK + LINE_MARK.join(words)
    if len(words) and block.count(LINE_MARK) > len(words):
        block = ANY_MARK + ANY_MARK.join(words)
    return PackedWords(block, np.cumsum(lengths + 1))
