"""The words of a source, found again under another spelling, in parts, or as one with others."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from embedinspect.word_index import WordIndex

Reason = Literal["case", "punctuation", "parts", "encoding", "unseen"]
REASONS: tuple[Reason, ...] = ("case", "punctuation", "parts", "encoding", "unseen")

# Endings that the tokenizers of GloVe and of others split off (Penn Treebank's rules).
_ENDINGS = re.compile(r"(.+?)(n['’]t|['’](?:s|re|ve|ll|d|m)?)")
_JOINTS = re.compile(r"[-_/.'’]+")
_SEPARATORS = re.compile(r"[ _-]+")
_LONGEST_PHRASE = 4


@dataclass(frozen=True)
class Phrase:
    """Words that stand side by side in the texts, and are one word of the source.

    Attributes:
        words: as the tokenizer cut them.
        occurrences: how often they stand side by side.
        row: of the source.
        source_word: the word of that row.
    """

    words: tuple[str, ...]
    occurrences: int
    row: int
    source_word: str


class Spellings:
    """The words of a source, to be found again."""

    def __init__(self, index: Mapping[str, int]) -> None:
        self.index = index

    @cached_property
    def _folded(self) -> _FirstWords | dict[str, str]:
        """The first word of each spelling without capitals."""
        if isinstance(self.index, WordIndex):
            return _FirstWords(self.index, str.casefold)
        folded: dict[str, str] = {}
        for word in self.index:
            folded.setdefault(word.casefold(), word)
        return folded

    @cached_property
    def _bare(self) -> _FirstWords | dict[str, str]:
        """The first word of each spelling without capitals and punctuation."""
        if isinstance(self.index, WordIndex):
            return _FirstWords(self.index, _bare_or_none)
        bare: dict[str, str] = {}
        for word in self.index:
            spelling = _bare_or_none(word)
            if spelling is not None:
                bare.setdefault(spelling, word)
        return bare

    def in_another_case(self, word: str) -> str | None:
        """Return the word of the source that differs in capitals alone."""
        return self._folded.get(word.casefold())

    def why_missing(self, word: str) -> tuple[Reason, str | None]:
        """Return why the source does not have a word, and what it has instead.

        Of a wrongly decoded word that it does not have either, the right spelling is returned.
        """
        cased = self.in_another_case(word)
        if cased is not None:
            return "case", cased
        found: tuple[tuple[Reason, str | None], ...] = (
            ("encoding", self._decoded_rightly(word)),
            ("parts", self._in_parts(word.casefold())),
            ("punctuation", self._with_other_punctuation(word.casefold())),
        )
        lost: Reason = "encoding" if "\ufffd" in word else "unseen"
        return next((entry for entry in found if entry[1] is not None), (lost, None))

    def _decoded_rightly(self, word: str) -> str | None:
        """Return the right spelling of UTF-8 that was read as Windows-1252, on either side."""
        if word.isascii():
            return None
        spellings = _repaired(word)
        for spelling in spellings:
            if spelling.casefold() in self._folded:
                return self._folded[spelling.casefold()]
        if spellings:
            return spellings[0]
        data = word.encode("utf-8", "surrogatepass")
        broken = ("".join(map(_as_windows, data)).casefold(), data.decode("latin-1").casefold())
        return self._folded.get(broken[0]) or self._folded.get(broken[1])

    def _in_parts(self, word: str) -> str | None:
        """Return the words of the source that a word consists of, with spaces between them."""
        ending = _ENDINGS.fullmatch(word)
        if ending is not None:
            stem, rest = self._folded.get(ending[1]), self._folded.get(ending[2].replace("’", "'"))
            if stem is not None and rest is not None:
                return f"{stem} {rest}"
            if stem is not None and not ending[2].startswith("n"):  # "not" must not be lost
                return stem
        parts = [self._folded.get(part) for part in _JOINTS.split(word) if part]
        known = [part for part in parts if part is not None]
        return " ".join(known) if len(known) == len(parts) > 1 and ending is None else None

    def _with_other_punctuation(self, word: str) -> str | None:
        bare = bare_of(word)
        if not bare:
            return None
        return (self._folded.get(bare) if bare != word else None) or self._bare.get(bare)

    @cached_property
    def _phrases(self) -> dict[tuple[str, ...], str]:
        """The word of the source for each sequence of two to four words that it consists of."""
        phrases: dict[tuple[str, ...], str] = {}
        for word in self.index:
            if _SEPARATORS.search(word) is None:
                continue
            parts = tuple(_SEPARATORS.split(word.casefold()))
            if 1 < len(parts) <= _LONGEST_PHRASE and all(parts) and self._is_phrase(word, parts):
                phrases.setdefault(parts, word)
        return phrases

    def _is_phrase(self, word: str, parts: Sequence[str]) -> bool:
        """Return whether the words of a text would gain by it.

        `one-time` is no gain over `one` and `time`, which often stand side by side by chance.
        """
        return "-" not in word or any(part not in self._folded for part in parts)

    def phrases_in(self, texts: Iterable[Sequence[str]]) -> list[Phrase]:
        """Return the phrases of texts that are one word of the source, the most frequent first.

        Where phrases overlap, the longest counts, and of two that are as long the first.

        Args:
            texts: the words of each.
        """
        phrases = self._phrases
        if not phrases:
            return []
        starts = {parts[0] for parts in phrases}
        counts: Counter[tuple[str, ...]] = Counter()
        for text in texts:
            tokens = [word.casefold() for word in text]
            place = 0
            while place < len(tokens):
                length = self._phrase_at(tokens, place) if tokens[place] in starts else 1
                if length > 1:
                    counts[tuple(tokens[place : place + length])] += 1
                place += length
        together = [
            Phrase(words, count, self.index[phrases[words]], phrases[words])
            for words, count in counts.items()
        ]
        return sorted(together, key=lambda phrase: (-phrase.occurrences, phrase.words))

    def _phrase_at(self, words: Sequence[str], place: int) -> int:
        """Return how many words from a place on are one word of the source; 1 where none are."""
        for length in range(min(_LONGEST_PHRASE, len(words) - place), 1, -1):
            if tuple(words[place : place + length]) in self._phrases:
                return length
        return 1


class _FirstWords:
    """The first word of each spelling, where there are millions of words."""

    def __init__(self, index: WordIndex, spelling: Callable[[str], str | None]) -> None:
        self._words = index.words
        self._index = WordIndex(self._words, spelling)

    def __contains__(self, spelling: str) -> bool:
        return spelling in self._index

    def __getitem__(self, spelling: str) -> str:
        word = self._words[self._index[spelling]]
        assert word is not None
        return word

    def get(self, spelling: str) -> str | None:
        return self[spelling] if spelling in self._index else None


def _bare_or_none(word: str) -> str | None:
    """Return a word without capitals and punctuation; None where it has no punctuation."""
    folded = word.casefold()
    return None if folded.isalnum() else bare_of(folded)


def bare_of(word: str) -> str:
    """Return a word without its punctuation and symbols."""
    if word.isalnum():
        return word
    return "".join(c for c in word if unicodedata.category(c)[0] not in "PS")


def _repaired(word: str) -> list[str]:
    """Return what a word may be if its UTF-8 was read as Windows-1252, or as Latin-1.

    Tokenizers make the first of the two letters of `Ã©` small, and the second of some pairs, too.
    """
    repaired = []
    first_in_capitals = word.translate(_CAPITALS)
    for spelling in (word, first_in_capitals, first_in_capitals.replace("ÿ", "Ÿ"), word.upper()):
        try:
            decoded = b"".join(_BYTES[character] for character in spelling).decode("utf-8")
        except (UnicodeError, KeyError):
            continue
        if decoded != spelling and _of_one_script(decoded):
            repaired.append(decoded.lower() if word.islower() else decoded)
    return repaired


def _of_one_script(text: str) -> bool:
    """Return whether all letters of a text belong to one script, judged by their names."""
    return len({unicodedata.name(c, "?").split()[0] for c in text if c.isalpha()}) < 2


def _as_windows(byte: int) -> str:
    """Return a byte read as Windows-1252, and as Latin-1 where that has nothing."""
    return bytes([byte]).decode("cp1252", "ignore") or chr(byte)


_BYTES = {chr(byte): bytes([byte]) for byte in range(256)}
_BYTES |= {_as_windows(byte): bytes([byte]) for byte in range(256)}
# Letters that begin a character of two bytes, where a tokenizer has made them small.
_CAPITALS = {code: code - 32 for code in range(0xE2, 0xF5)}
