"""The words of a source as a test looks them up: by their own case or by none, the first N rows."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from embedinspect.errors import UsageError
from embedinspect.formats.token_words import byte_level
from embedinspect.matrix import finite_among
from embedinspect.source import Source
from embedinspect.source_options import where_words_are
from embedinspect.word_index import MANY_WORDS, WordIndex

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

# What begins a token that begins a word: byte-level BPE, and SentencePiece.
_MARKS = ("Ġ", "▁")


class WordRows:
    """Which row a word of a test has.

    Without regard to case, words are upper-cased and of those that are then equal the first row
    counts, which is the most frequent one in files of word vectors: the rule of gensim's
    `KeyedVectors.evaluate_word_analogies` and of the original `compute-accuracy` of word2vec. A
    space may stand as an underscore in the source. Tokens of a language model that begin a word
    (`Ġking`, `▁king`) are words without their mark, and win over the same letters within a word.

    Rows of zeros or with NaN or infinity have no direction: their words are not there.
    """

    def __init__(self, source: Source, *, case: bool = False, restrict: int | None = None) -> None:
        """Look at the first `restrict` rows, by default at all of them.

        Raises:
            UsageError: the source has no words.
        """
        if source.words is None:
            raise UsageError(
                f"{source.path!r} has no words, and a test is made of words; name "
                f"{where_words_are(source.path)}"
            )
        self.source, self.case = source, case
        self.count = min(source.matrix.input_dim, restrict or source.matrix.input_dim)
        self._marked = source.has_own_tokens
        self._build()

    def _build(self) -> None:
        if self.count >= MANY_WORDS and not self._marked:
            self._build_by_hashes()
            return
        names = list(zip(range(self.count), self.source.words or ()))  # noqa: B905 (the first N)
        sound = self._sound()
        index: dict[str, int] = {}
        folded: dict[int, str] = {}
        without: set[str] = set()
        marked = [item for item in names if self._is_marked(item[1])]
        for row, word in [*marked, *names] if marked else names:
            if word is None:
                continue
            key = self.fold(word)
            if not sound[row]:
                without.add(key)
                continue
            folded[row] = key
            index.setdefault(key, row)
        self._index: Mapping[str, int] = index
        self._without: Container[str] = without - index.keys()
        self.candidates: Rows = np.fromiter(sorted(folded), np.int64, len(folded))
        self.group: Rows = np.full(self.count, -1, np.int64)
        self.group[self.candidates] = [index[folded[row]] for row in self.candidates.tolist()]

    def _build_by_hashes(self) -> None:
        """Do the same where there are millions of words, without a dictionary of them."""
        assert self.source.words is not None
        words, first = self.source.words, np.arange(len(self.source.words)) < self.count
        sound = np.zeros(len(words), np.bool_)
        sound[: self.count] = self._sound()
        index = WordIndex(words, self.fold, sound)
        self._index, self._without = index, WordIndex(words, self.fold, first & ~sound)
        group = index.first_rows()[: self.count]
        self.candidates, self.group = np.flatnonzero(group >= 0), group

    def _is_marked(self, word: str | None) -> bool:
        return self._marked and word is not None and word[:1] in _MARKS and len(word) > 1

    def _sound(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        lengths = self.source.lengths()[: self.count]
        sound = np.asarray(np.isfinite(lengths) & (lengths > 0))
        beyond = np.flatnonzero(~np.isfinite(lengths))  # the numbers themselves can be finite
        sound[beyond] = finite_among(self.source.matrix.rows, beyond)
        return sound

    def fold(self, word: str) -> str:
        """Return what a word is looked up by."""
        if self._is_marked(word):
            word = word[1:]
        return word if self.case else word.upper()

    def row_of(self, word: str) -> int | None:
        """Return the row of a word, or None."""
        return next((self._index[key] for key in self._keys(word) if key in self._index), None)

    def _keys(self, word: str) -> Iterable[str]:
        yield self.fold(word)
        if " " in word:
            yield self.fold(word.replace(" ", "_"))
        if self._marked and not word.isascii():
            yield self.fold(byte_level(word))

    def has_no_direction(self, word: str) -> bool:
        """Return whether a word's only rows are zero or not finite."""
        keys = list(self._keys(word))
        return any(key in self._without and key not in self._index for key in keys)

    @cached_property
    def members(self) -> dict[int, tuple[int, ...]]:
        """The rows of each word that has several: those that differ in case alone."""
        others = self.candidates[self.group[self.candidates] != self.candidates]
        members: dict[int, list[int]] = {}
        for row, first in zip(others.tolist(), self.group[others].tolist(), strict=True):
            members.setdefault(first, [first]).append(row)
        return {first: tuple(sorted(members[first])) for first in sorted(members)}

    @property
    def different(self) -> int:
        """How many words differ by more than case: how many rows are the first of theirs."""
        return int((self.group[self.candidates] == self.candidates).sum())

    def rows_like(self, row: int) -> tuple[int, ...]:
        """Return all rows of the word of a row."""
        return self.members.get(row, (row,))

    def vectors_of(self, words: Iterable[str]) -> Vectors:
        """Return vectors of length 1 for those of the words that have one.

        A word without a row is composed of its parts where the source can do that, as fastText.
        """
        place: dict[str, int] = {}
        vectors: list[Doubles] = []
        composed = 0
        for word in dict.fromkeys(words):
            row = self.row_of(word)
            vector = None
            if row is not None:
                vector = self.source.matrix.rows[row].astype(np.float64)
            else:
                parts = self.source.composed(word)
                if parts is not None:
                    vector, composed = np.asarray(parts.vector, np.float64), composed + 1
            length = 0.0 if vector is None else float(np.sqrt(np.vecdot(vector, vector)))
            if vector is not None and 0 < length < np.inf:
                place[word] = len(vectors)
                vectors.append(vector / length)
        width = self.source.matrix.output_dim
        return Vectors(place, np.array(vectors).reshape(len(vectors), width), composed)


class Vectors:
    """Words and their vectors of length 1; `composed` of them have no row of their own."""

    def __init__(self, place: dict[str, int], units: Doubles, composed: int) -> None:
        self.place, self.units, self.composed = place, units, composed

    def __contains__(self, word: str) -> bool:
        return word in self.place

    def of(self, words: Iterable[str]) -> Doubles:
        """Return the vectors of words that are all there, shape (words, dimensions)."""
        return self.units[[self.place[word] for word in words]]
