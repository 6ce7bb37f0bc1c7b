"""Which row of one matrix goes with which of another: by their words, or by their numbers."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.row_words import Words
from embedinspect.source import Source
from embedinspect.stored_rows import FloatArray, StoredRows, Vectors
from embedinspect.word_index import MANY_WORDS, WordIndex
from embedinspect.wording import clipped_repr, listed, plural

Rows = np.ndarray[Any, np.dtype[np.int64]]
Index = Mapping[str, int]

_MOST_SPELLED = 20_000  # words that are compared with one that is misspelled


@dataclass(frozen=True)
class Repeats:
    """Rows of a source whose word an earlier row has: only the first row of a word is matched.

    Attributes:
        count: how many rows.
        row: the first of them.
        earlier: the first row that has its word.
    """

    count: int
    row: int
    earlier: int


@dataclass(frozen=True)
class Unmatched:
    """What is left out of a source whose rows are matched by word.

    Attributes:
        words: how many words the other source lacks.
        repeats: the rows that an earlier row of the same word hides; None where there are none.
    """

    words: int = 0
    repeats: Repeats | None = None


@dataclass(frozen=True)
class Pairs:
    """The matched rows of two matrices. The place of a pair is its number among the pairs.

    Attributes:
        a: the first source.
        b: the second source.
        by: what they are matched by: `word` or `row`.
        rows_a: for each pair, its row in the first matrix, ascending; None where every row is
            matched with the row of its own number, which then takes no memory.
        rows_b: the same of the second matrix.
        unmatched_a: what is left out of the first matrix; `unmatched_b` of the second.
    """

    a: Source
    b: Source
    by: str
    rows_a: Rows | None = None
    rows_b: Rows | None = None
    unmatched_a: Unmatched = Unmatched()
    unmatched_b: Unmatched = Unmatched()

    def __len__(self) -> int:
        return self.a.matrix.input_dim if self.rows_a is None else len(self.rows_a)

    def row_a(self, place: int) -> int:
        """Return the row of a pair in the first matrix."""
        return place if self.rows_a is None else int(self.rows_a[place])

    def row_b(self, place: int) -> int:
        """Return the row of a pair in the second matrix."""
        return place if self.rows_b is None else int(self.rows_b[place])

    @property
    def same_rows(self) -> bool:
        """Whether every row is matched with the row of its own number."""
        if self.rows_a is None or self.rows_b is None:
            return True
        return bool((self.rows_a == self.rows_b).all())

    def name(self, place: int) -> str:
        """Return the word of a pair, or `#` and the number of its row where it has none."""
        return self.named.name_of(self.row_a(place))

    @property
    def named(self) -> Source:
        """The source that has the names; where only one has words, rows are matched by number."""
        return self.a if self.a.words is not None else self.b

    @cached_property
    def left(self) -> Vectors:
        """The rows of the first matrix, pair by pair; they are read where they are looked at."""
        return _taken(self.a.matrix.rows, self.rows_a)

    @cached_property
    def right(self) -> Vectors:
        """The rows of the second matrix, pair by pair."""
        return _taken(self.b.matrix.rows, self.rows_b)

    @property
    def widths(self) -> tuple[int, int]:
        """How many numbers a row has in each matrix."""
        return self.a.matrix.output_dim, self.b.matrix.output_dim

    def only(self, kept: np.ndarray[Any, np.dtype[np.bool_]]) -> Pairs:
        """Return the pairs for which `kept` is true."""
        if kept.all():
            return self
        places = np.flatnonzero(kept)
        return replace(
            self,
            rows_a=places if self.rows_a is None else self.rows_a[places],
            rows_b=places if self.rows_b is None else self.rows_b[places],
        )

    def places_of(self, words: Sequence[str]) -> Rows:
        """Return the place of each word, once.

        Raises:
            UsageError: a word, or a row such as `#5`, is not among the pairs, or it is the
                beginning of several texts.
        """
        places = {word: self._place_of(word) for word in words}
        absent = [word for word, place in places.items() if place is None]
        if absent:
            known = [self.name(place) for place in range(min(len(self), _MOST_SPELLED))]
            # A row number that is spelled alike is another row.
            numbered = absent[0].startswith("#")
            close = [] if numbered else difflib.get_close_matches(absent[0], known, n=1)
            hint = f"; did you mean {clipped_repr(close[0])}?" if close else ""
            raise UsageError(
                f"{listed(map(repr, absent))}: not among the {plural(len(self), 'row')} that "
                f"both have; expected a word of both, or a row such as #0{hint}"
            )
        return np.array(list(dict.fromkeys(places.values())), np.int64)

    def _place_of(self, word: str) -> int | None:
        words = self.named.words
        row = words.row_of(word) if words is not None else None
        if row is None and words is not None and not word.startswith("#"):
            row = self.named.row_of(word)  # a text may begin so
        if row is None:
            number = word.removeprefix("#")
            if number == word or not (number.isascii() and number.isdecimal()):
                return None
            row = int(number) if len(number) < 18 else self.a.matrix.input_dim
        if self.rows_a is None:
            return row if row < len(self) else None
        place = int(np.searchsorted(self.rows_a, row))
        return place if place < len(self) and self.rows_a[place] == row else None


class _Chosen:
    """Rows of a matrix in an order of their own, as an array that is not there yet."""

    def __init__(self, rows: Vectors, numbers: Rows) -> None:
        self._rows, self._numbers = rows, numbers

    def __getitem__(self, key: Any) -> FloatArray:
        return self._rows[self._numbers[key]]


def _taken(rows: Vectors, numbers: Rows | None) -> Vectors:
    """Return rows by their numbers, all of them without."""
    if numbers is None:
        return rows
    shape = (len(numbers), rows.shape[1])
    return StoredRows(_Chosen(rows, numbers), shape, lambda part: part)


def match(a: Source, b: Source) -> Pairs:
    """Return the pairs of rows: by their words where both have words, else by their numbers.

    Where both have the same words on the same rows, as two epochs of a run, rows without a word
    of their own are matched, too: the padding row and the reserved ones.

    Raises:
        DataError: they share no word, or have no words and not as many rows.
    """
    if a.words is not None and b.words is not None:
        if _same_words(a.words, b.words):
            return Pairs(a, b, "word" if _each_its_own(a.words) else "row")
        rows_a, rows_b, unmatched_a, unmatched_b = _by_word(a.words, b.words)
        if not len(rows_a):
            raise DataError(
                f"{a.path!r} and {b.path!r} share no word; expected matrices over the same "
                f"language, and the same case: the first has {_some(a)}, the second {_some(b)}"
            )
        return Pairs(a, b, "word", rows_a, rows_b, unmatched_a, unmatched_b)
    if a.matrix.input_dim != b.matrix.input_dim:
        raise DataError(
            f"{a.path!r} has {plural(a.matrix.input_dim, 'row')}, {b.path!r} has "
            f"{b.matrix.input_dim:,}, and {_lacking(a, b)}"
        )
    return Pairs(a, b, "row")


def _by_word(a: Words, b: Words) -> tuple[Rows, Rows, Unmatched, Unmatched]:
    """Return the rows of the words that both have, and what is left out of either."""
    index_a: Index
    index_b: Index
    if min(len(a), len(b)) >= MANY_WORDS:
        index_a, index_b = WordIndex(a), WordIndex(b)  # not kept: they take as much as the words
        rows_a, rows_b = index_a.shared_with(index_b)
    else:
        index_a, index_b = a.index, b.index
        both = ((row, index_b[word]) for word, row in index_a.items() if word in index_b)
        numbers = np.fromiter(chain.from_iterable(both), np.int64).reshape(-1, 2)
        rows_a, rows_b = (np.ascontiguousarray(column) for column in numbers.T)
    matched = len(rows_a)
    return rows_a, rows_b, _unmatched(a, index_a, matched), _unmatched(b, index_b, matched)


def _unmatched(words: Words, index: Index, matched: int) -> Unmatched:
    count = words.named - len(index)
    repeats = Repeats(count, *_first_repeat(words, index)) if count else None
    return Unmatched(len(index) - matched, repeats)


def _first_repeat(words: Words, index: Index) -> tuple[int, int]:
    """Return the first row whose word an earlier row has, and that row; there must be one."""
    if isinstance(index, WordIndex):
        first = index.first_rows()
        row = int(np.flatnonzero((first >= 0) & (first != np.arange(len(first))))[0])
        return row, int(first[row])
    return next(
        (row, index[word])
        for row, word in enumerate(words)
        if word is not None and index[word] != row
    )


def _lacking(a: Source, b: Source) -> str:
    """Return which of two sources has no words, and how it gets them."""
    if a.words is None and b.words is None:
        which, options = "neither has", "--words-a and --words-b"
    else:
        label = "A" if a.words is None else "B"
        which, options = f"{label} has no", f"--words-{label.lower()}"
    return f"{which} words to match them by; expected as many rows, or words with {options}"


def _same_words(a: Words, b: Words) -> bool:
    """Return whether both have the same words on the same rows."""
    return len(a) == len(b) and all(first == second for first, second in zip(a, b, strict=True))


def _each_its_own(words: Words) -> bool:
    """Return whether every row has a word, and no two have the same."""
    hashes = np.fromiter(_hashes(words), np.int64)
    return len(hashes) == len(words) and len(np.unique(hashes)) == len(hashes)


def _hashes(words: Words) -> Iterator[int]:
    """Yield a number for each word, equal for equal words, up to the first row without one."""
    for word in words:
        if word is None:
            return
        yield hash(word)


def _some(source: Source) -> str:
    return listed(map(repr, list(source.words.index if source.words else ())[:4]))
