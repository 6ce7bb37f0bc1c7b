"""Vectors of words from their character n-grams, as fastText composes them.

Source: `Dictionary::computeSubwords`, `Dictionary::hash` and `FastText::getWordVector` of fastText
(Bojanowski et al. 2017). A word stands between < and >; its n-grams are of whole UTF-8 characters,
and each is hashed (FNV-1a, 32 bits, over signed bytes) into one of a number of buckets. The vector
of a word that the model knows is the mean of its own row and those of its n-grams; that of any
other is the mean of the rows of its n-grams.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.row_words import PackedWords
from embedinspect.stored_rows import FloatArray, StoredRows
from embedinspect.wording import listed

Ints = np.ndarray[Any, np.dtype[np.int64]]
LONGEST_NGRAM = 64  # characters; fastText's default is 6
_FNV_START, _FNV_PRIME = np.uint32(2166136261), np.uint32(16777619)
_MOST_NAMED = 8
_NGRAMS_AT_ONCE = 2**18
_WORDS_AT_ONCE = 2**11
_MOST_KEPT = 2**32  # bytes of vectors that were composed


@dataclass(frozen=True)
class Scheme:
    """How words are cut into n-grams.

    Attributes:
        shortest: how many characters an n-gram has at least.
        longest: and at most; 0 for no n-grams.
        buckets: how many rows of n-grams there are.
    """

    shortest: int
    longest: int
    buckets: int

    @property
    def has_any(self) -> bool:
        """Whether words have n-grams at all."""
        return self.buckets > 0 and self.longest >= max(1, self.shortest)

    def ngrams(self, word: str) -> list[str]:
        """Return the n-grams of a word, in fastText's order.

        >>> Scheme(3, 4, 100).ngrams("cat")
        ['<ca', '<cat', 'cat', 'cat>', 'at>']
        """
        bounded = f"<{word}>"
        return [
            bounded[start : start + size]
            for start in range(len(bounded))
            for size in range(self.shortest, self.longest + 1)
            if start + size <= len(bounded)
            and size > 0
            and not (size == 1 and start in (0, len(bounded) - 1))
        ]

    def buckets_of(self, bounded: bytes, sizes: Ints) -> tuple[Ints, Ints]:
        """Return the buckets of the n-grams of words, and how many of them each word has.

        Args:
            bounded: the words, each between < and >.
            sizes: how many bytes each has with these two.
        """
        if not self.has_any or not len(sizes):
            return np.zeros(0, np.int64), np.zeros(len(sizes), np.int64)
        text, ends = np.frombuffer(bounded, np.uint8), np.cumsum(sizes)
        # Where characters start, and past the last of them; bytes 10xxxxxx go on with one.
        places = np.append(np.flatnonzero((text & 0xC0) != 0x80), len(text))
        widths = np.diff(places)
        first = np.searchsorted(places, ends - sizes)  # of each word, in characters
        word_of = np.repeat(np.arange(len(sizes)), np.diff(np.append(first, len(widths))))
        last = np.append(first[1:], len(widths))[word_of]  # past the last of its word
        hashes = np.full(len(widths), _FNV_START, np.uint32)
        made = np.zeros((len(widths), self.longest - self._least + 1), np.uint32)
        there = np.zeros(made.shape, bool)
        start = np.arange(len(widths))
        for size in range(1, self.longest + 1):
            start = start[start + size <= last[start]]
            if not len(start):
                break
            end = start + size - 1
            hashes[start] = _hashed(hashes[start], text, places[end], widths[end])
            if size >= self._least:
                kept = start
                if size == 1:  # neither < nor > is an n-gram
                    kept = start[(start != first[word_of[start]]) & (end != last[start] - 1)]
                made[kept, size - self._least] = hashes[kept] % np.uint32(self.buckets)
                there[kept, size - self._least] = True
        counts = np.bincount(word_of, there.sum(axis=1), len(sizes))
        return made[there].astype(np.int64), counts.astype(np.int64)

    @property
    def _least(self) -> int:
        return max(1, self.shortest)


def _hashed(hashes: Any, text: Any, places: Ints, widths: Ints) -> Any:
    """Return hashes that go on with the character of one to four bytes (or more) at each place."""
    going_on = np.arange(len(hashes))
    for step in range(int(widths.max())):
        if step:
            going_on = going_on[widths[going_on] > step]
        byte = text[places[going_on] + step].view(np.int8).astype(np.int32).view(np.uint32)
        hashes[going_on] = (hashes[going_on] ^ byte) * _FNV_PRIME
    return hashes


@dataclass(frozen=True)
class Composed:
    """The vector of a word that has no row.

    Attributes:
        word: as it was asked for.
        vector: float32, shape (output_dim,).
        parts: the n-grams that it is the mean of.
    """

    word: str
    vector: FloatArray
    parts: tuple[str, ...]

    @property
    def how(self) -> str:
        """How the vector came about, as a sentence without its end."""
        noun = "n-gram" if len(self.parts) == 1 else "n-grams"
        return (
            f"not among the words; composed from {len(self.parts):,} character {noun}: "
            f"{listed(self.parts, _MOST_NAMED)}"
        )


class SubwordVectors:
    """The vectors of words that are composed from rows of words and rows of n-grams."""

    def __init__(
        self,
        words: PackedWords,
        of_words: Any,
        of_ngrams: Any,
        scheme: Scheme,
        written: Mapping[int, bytes] | None = None,
        bare: int = -1,
    ) -> None:
        """Keep what the vectors are composed from; nothing is read yet.

        Args:
            words: of the rows.
            of_words: a row for each word, shape (input_dim, output_dim), mapped perhaps.
            of_ngrams: a row for each bucket, shape (buckets, output_dim).
            scheme: how words are cut into n-grams.
            written: the bytes that words have in the file, where they are shown otherwise.
            bare: the row of a word that has no n-grams although others have; -1 for none.
        """
        self._words, self._of_words, self._of_ngrams = words, _Rows(of_words), _Rows(of_ngrams)
        self._scheme, self._written, self._bare = scheme, written or {}, bare
        self.shape = (int(of_words.shape[0]), int(of_words.shape[1]))
        # What is looked at once, is mostly looked at again: for lengths, then for a search.
        self._known = np.zeros(self.shape[0], bool)
        self._kept: FloatArray | None = None
        if 4 * self.shape[0] * self.shape[1] <= _MOST_KEPT:
            # It takes memory where it is written to. Two threads may write to it, to rows of their
            # own each, so it is there before either does.
            self._kept = np.empty(self.shape, np.float32)

    def rows(self) -> StoredRows:
        """Return the vectors of all words; each is composed when it is looked at."""
        return StoredRows(np.arange(self.shape[0]), self.shape, self._compose)

    def of(self, word: str) -> Composed | None:
        """Return the vector of a word that has no row; None where it has no n-grams."""
        text = word.encode("utf-8", "surrogatepass")
        if not self._scheme.has_any or len(text) > _NGRAMS_AT_ONCE // LONGEST_NGRAM:
            return None
        bounded = b"<" + text + b">"
        buckets, _ = self._scheme.buckets_of(bounded, np.array([len(bounded)]))
        if not len(buckets):
            return None
        total = np.zeros(self.shape[1], np.float32)
        for row in self._of_ngrams.taken(buckets):
            total += row
        parts = self._scheme.ngrams(word)
        return Composed(word, total / np.float32(len(buckets)), tuple(parts))

    def _compose(self, numbers: Ints) -> FloatArray:
        """Return the vectors of the words of some rows, float32."""
        if self._kept is None:
            vectors = np.empty((len(numbers), self.shape[1]), np.float32)
            for start, end in self._blocks(numbers):
                vectors[start:end] = self._block(numbers[start:end])
            return vectors
        new = numbers[~self._known[numbers]]
        for start, end in self._blocks(new):
            self._kept[new[start:end]] = self._block(new[start:end])
        self._known[new] = True
        return self._kept[numbers]

    def _blocks(self, numbers: Ints) -> Iterator[tuple[int, int]]:
        """Yield where blocks of words start and end that do not have too many n-grams each."""
        ends = self._words.ends
        sizes = ends[numbers] - np.where(numbers > 0, ends[numbers - 1], 0)
        most = np.cumsum(sizes + 2) * max(1, self._scheme.longest)
        start = 0
        while start < len(numbers):
            before = int(most[start - 1]) if start else 0
            end = int(np.searchsorted(most, before + _NGRAMS_AT_ONCE))
            end = min(max(end, start + 1), start + _WORDS_AT_ONCE)
            yield start, min(end, len(numbers))
            start = end

    def _block(self, numbers: Ints) -> FloatArray:
        """Return the vectors of some words: the rows are added in fastText's order."""
        total = self._of_words.taken(numbers)
        buckets, counts = self._scheme.buckets_of(*self._bounded(numbers))
        bare = numbers == self._bare
        buckets = buckets[~np.repeat(bare, counts)]
        counts[bare] = 0
        starts = np.cumsum(counts) - counts
        order = np.argsort(-counts, kind="stable")
        total, starts, falling = total[order], starts[order], -counts[order]
        for step in range(int(counts.max())):
            going_on = int(np.searchsorted(falling, -step))  # that have more n-grams than that
            total[:going_on] += self._of_ngrams.taken(buckets[starts[:going_on] + step])
        total /= (1 - falling)[:, None].astype(np.float32)
        vectors = np.empty_like(total)
        vectors[order] = total
        return vectors

    def _bounded(self, numbers: Ints) -> tuple[bytes, Ints]:
        """Return the words of some rows, each between < and >, and how many bytes each has so."""
        block, ends = self._words.block, self._words.ends
        starts = np.where(numbers > 0, ends[numbers - 1], 0)
        if not self._written and (np.diff(numbers) == 1).all():  # as they stand in the block
            text = block[int(starts[0]) : int(ends[numbers[-1]])].replace(b"\n", b"><")
            return text[1:] + b">", ends[numbers] - starts + 1
        words = [
            self._written.get(row) or block[start + 1 : end]
            for row, start, end in zip(
                numbers.tolist(), starts.tolist(), ends[numbers].tolist(), strict=True
            )
        ]
        sizes = np.fromiter(map(len, words), np.int64, len(words)) + 2
        return b"<" + b"><".join(words) + b">", sizes


class _Rows:
    """Rows of float32, taken as blocks of bytes, since a map of a file may lie at odd addresses."""

    def __init__(self, rows: Any) -> None:
        self._columns = int(rows.shape[1])
        plain = rows.dtype == np.float32 and rows.flags.c_contiguous and len(rows)
        self._rows = np.asarray(rows.view(f"V{4 * self._columns}")[:, 0] if plain else rows)
        self._plain = bool(plain)

    def taken(self, numbers: Ints) -> FloatArray:
        """Return some rows, a copy."""
        taken = self._rows[numbers]
        if self._plain:
            taken = taken.view("<f4").reshape(-1, self._columns)
        return np.ascontiguousarray(taken, np.float32)
