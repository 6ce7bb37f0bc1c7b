"""Where millions of words are, found by hashes: a dictionary of them would fill the memory."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from embedinspect.stages import stage

# From so many words on, an index is one of hashes: a dictionary of as many takes 300 MB.
MANY_WORDS = 2**21
_AT_ONCE = 2**16  # words between two reports of how far the work is

Rows = np.ndarray[Any, np.dtype[np.int64]]
Key = Callable[[str], str | None]


class WordsOfRows(Protocol):
    """The word of each row, None for a row without one."""

    def __iter__(self) -> Iterator[str | None]:
        """Return the words in the order of the rows."""

    def __getitem__(self, row: int, /) -> str | None:
        """Return the word of a row."""

    def __len__(self) -> int:
        """Return how many rows there are."""


class WordIndex(Mapping[str, int]):
    """The first row of each key, where a key is made of a word: the word itself, say, in capitals.

    It holds twelve bytes for each row. What has the hash of a key is compared with the key itself.

    Attributes:
        words: of the rows.

    >>> index = WordIndex(["The", None, "the", "cat"], str.lower)
    >>> index["the"], index.get("The"), list(index), index.first_rows().tolist()
    (0, None, ['the', 'cat'], [0, -1, 0, 3])
    """

    def __init__(
        self, words: WordsOfRows, key: Key | None = None, among: Iterable[Any] | None = None
    ) -> None:
        """Look at all words once.

        Args:
            key: returns what a word is looked up by, or None for a word that is left out.
            among: of each row whether it takes part; by default all do.
        """
        self.words, self._key = words, key or _itself
        count = len(words)
        hashes = np.zeros(count, np.int64)
        taken = np.zeros(count, np.bool_)
        looked_at = stage("their words", count)
        wanted = np.ones(count, np.bool_) if among is None else np.asarray(among, np.bool_)
        for row, (word, part) in enumerate(zip(words, wanted.tolist(), strict=True)):
            if part and word is not None:
                made = self._key(word)
                if made is not None:
                    hashes[row], taken[row] = hash(made), True
            if not row % _AT_ONCE:
                looked_at(min(_AT_ONCE, count - row))
        rows = np.flatnonzero(taken)
        order = np.argsort(hashes[rows], kind="stable")
        self._rows = rows[order].astype(np.int32)
        self._hashes = hashes[self._rows]

    def key_of(self, row: int) -> str | None:
        """Return the key of a row."""
        word = self.words[row]
        return None if word is None else self._key(word)

    def __getitem__(self, key: str) -> int:
        wanted = hash(key)
        place = int(np.searchsorted(self._hashes, wanted))
        while place < len(self._hashes) and self._hashes[place] == wanted:
            row = int(self._rows[place])
            if self.key_of(row) == key:
                return row
            place += 1
        raise KeyError(key)

    @cached_property
    def _first(self) -> np.ndarray[Any, np.dtype[np.int32]]:
        """For each row the first one that has its key; -1 where it has none."""
        first = np.full(len(self.words), -1, np.int32)
        first[self._rows] = self._rows
        for place in (np.flatnonzero(self._hashes[1:] == self._hashes[:-1]) + 1).tolist():
            row = int(self._rows[place])
            before, key = int(first[self._rows[place - 1]]), self.key_of(row)
            if key is not None:
                first[row] = before if self.key_of(before) == key else self[key]
        return first

    def first_rows(self) -> Rows:
        """Return for each row the first one that has its key; -1 where it has none."""
        return self._first.astype(np.int64)

    def shared_with(self, other: WordIndex) -> tuple[Rows, Rows]:
        """Return the rows of this index and those of the other that have the same key.

        Each key has its first rows, and they ascend in this index. Both are laid beside each other
        by their hashes, which takes a fraction of the time of a search for each key.
        """
        found = self._same_hash(other)
        found[self._first != np.arange(len(found))] = -1
        words = iter(self.words)
        looked_at = stage("which words they share", len(found))
        for start in range(0, len(found), _AT_ONCE):
            part = found[start : start + _AT_ONCE]
            for place, (row, word) in enumerate(zip(part.tolist(), words)):  # noqa: B905 (a part)
                if row < 0 or word is None:
                    continue
                key = self._key(word)
                if key is not None and key != other.key_of(row):
                    part[place] = other.get(key, -1)
            looked_at(len(part))
        rows = np.flatnonzero(found >= 0)
        return rows, found[rows].astype(np.int64)

    def _same_hash(self, other: WordIndex) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Return for each row the first of the other index that has its hash; -1 without one."""
        found = np.full(len(self.words), -1, np.int32)
        if len(other._hashes):
            places = np.searchsorted(other._hashes, self._hashes)
            np.minimum(places, len(other._hashes) - 1, out=places)
            same = other._hashes[places] == self._hashes
            found[self._rows[same]] = other._rows[places[same]]
        return found

    def __len__(self) -> int:
        return int((self._first[self._rows] == self._rows).sum())

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self.items())

    def items(self) -> ItemsView[str, int]:
        """Return keys and rows, in the order of the rows."""
        return _Items(self)

    def _pairs(self) -> Iterator[tuple[str, int]]:
        for row, word in enumerate(self.words):
            if word is not None and self._first[row] == row:
                key = self._key(word)
                if key is not None:
                    yield key, row


class _Items(ItemsView[str, int]):
    """Keys and rows without a search for each."""

    def __init__(self, index: WordIndex) -> None:
        super().__init__(index)
        self._index = index

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return self._index._pairs()


def _itself(word: str) -> str:
    return word
