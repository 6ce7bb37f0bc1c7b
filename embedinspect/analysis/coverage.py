"""How much of a text collection the words of a matrix cover, and why the rest is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from embedinspect.analysis.spellings import REASONS, Phrase, Reason, Spellings
from embedinspect.errors import DataError, UsageError
from embedinspect.source import Source
from embedinspect.stored_rows import FloatArray
from embedinspect.tokenizing.subwords import SubwordVocabulary
from embedinspect.vocabulary import Tokenization, Vocabulary, fit
from embedinspect.wording import clipped_repr, plural


@dataclass(frozen=True)
class CoveredWord:
    """One word of the texts.

    Attributes:
        word: as the tokenizer cut it.
        id: its token id.
        occurrences: how often it stands in the texts.
        row: the row of the source whose vector it gets; None where it has none.
        source_word: the word of that row.
        reason: why it has none: the source has it in another `case`, with other `punctuation`,
            or in `parts`; or its characters were wrongly decoded (`encoding`), or the source has
            never seen it (`unseen`).
        instead: what the source has instead: the word in another case or punctuation, or its
            parts with spaces between them; of a wrongly decoded word, the right spelling.
    """

    word: str
    id: int
    occurrences: int
    row: int | None
    source_word: str | None = None
    reason: Reason | None = None
    instead: str | None = None


@dataclass(frozen=True)
class RankShare:
    """How many of the words of some ranks have a vector; rank 1 is the most frequent word.

    Attributes:
        first: the first rank.
        last: the last one, itself included.
        covered: how many of these words have a vector.
    """

    first: int
    last: int
    covered: int

    @property
    def words(self) -> int:
        """How many words have these ranks."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Coverage:
    """The record that `coverage` prints.

    Attributes:
        source: the source whose vectors they get.
        vocabulary: of the texts.
        words: every word of it whose id is used, the most frequent first.
        texts: how many texts there are.
        dropped: how many tokens of the texts have no id of their own in the vocabulary.
        reserved: ids that are no word's: padding, start, out of vocabulary.
        phrases: words side by side that are one word of the source, the most frequent first.
        rows_used: how many rows the texts use, special tokens included, where the words are tokens
            of a language model and the rows theirs; None for every other source.
    """

    source: Source
    vocabulary: Vocabulary
    words: tuple[CoveredWord, ...]
    texts: int
    dropped: int
    reserved: tuple[int, ...]
    phrases: tuple[Phrase, ...] = ()
    rows_used: int | None = None

    @property
    def covered(self) -> list[CoveredWord]:
        """The words that have a vector."""
        return [word for word in self.words if word.row is not None]

    @property
    def missing(self) -> list[CoveredWord]:
        """The words that have none."""
        return [word for word in self.words if word.row is None]

    @property
    def by_rank(self) -> list[RankShare]:
        """Coverage by frequency: of ranks 1 to 10, 11 to 100, and so on by powers of ten."""
        shares, first = [], 1
        while first <= len(self.words):
            last = min(len(self.words), 10 ** len(str(first)))
            covered = sum(word.row is not None for word in self.words[first - 1 : last])
            shares.append(RankShare(first, last, covered))
            first = last + 1
        return shares

    @cached_property
    def composed(self) -> dict[str, FloatArray]:
        """The vectors that the source composes of the parts of words without a row."""
        vectors = {word.word: self.source.composed(word.word) for word in self.missing}
        return {word: made.vector for word, made in vectors.items() if made is not None}

    @property
    def occurrences(self) -> int:
        """How often all words occur."""
        return sum(word.occurrences for word in self.words)

    @property
    def covered_occurrences(self) -> int:
        """How often words with a vector occur."""
        return sum(word.occurrences for word in self.covered)

    @property
    def reasons(self) -> dict[Reason, tuple[int, int]]:
        """For each reason how many words miss a vector, and how often they occur."""
        words: Counter[Reason] = Counter()
        uses: Counter[Reason] = Counter()
        for word in self.missing:
            assert word.reason is not None
            words[word.reason] += 1
            uses[word.reason] += word.occurrences
        return {reason: (words[reason], uses[reason]) for reason in REASONS if words[reason]}

    @property
    def input_dim(self) -> int:
        """Number of rows that a matrix for these texts needs: one for each id, and row 0."""
        limit = self.vocabulary.num_words
        return limit or max([*self.vocabulary.word_index.values(), 0]) + 1


def cover(
    source: Source,
    texts: Sequence[str],
    *,
    vocabulary: Vocabulary | None = None,
    num_words: int | None = None,
    oov_token: str | None = None,
    tokenization: Tokenization | None = None,
    any_case: bool = False,
) -> Coverage:
    """Return which words of the texts have a vector in the source.

    Args:
        vocabulary: of the texts, with the ids that rows follow; by default their words are counted.
        tokenization: how the texts are cut into words; by default as the lookup layer of a model
            cuts them, or else as the classic Tokenizer does.
        any_case: where a word has no vector, take that of the same word in other capitals.

    Raises:
        UsageError: the source has no words.
        DataError: it cannot be known how a model cuts texts.
    """
    if vocabulary is None and source.has_own_tokens:
        if any_case:
            raise UsageError(
                f"--any-case goes by words, and {source.path!r} has a tokenizer of its own; leave "
                "it out"
            )
        own, _ = source.vocabulary_by_row()
        filters = None if tokenization is None else tokenization.filters
        own.adjusted(
            num_words=num_words, oov_token=oov_token, filters=filters, origin=repr(source.path)
        )
        assert isinstance(own, SubwordVocabulary)
        return _cover_tokens(source, texts, own)
    if source.words is None:
        raise UsageError(f"{source.path!r} has no words; name a file of them with --words FILE")
    if vocabulary is None:
        vocabulary, ids = fit(
            texts,
            num_words=num_words,
            oov_token=oov_token,
            tokenization=tokenization or source.layer_tokenization(),
            count_documents=False,
        )
    else:
        ids = [np.array(row, np.int32) for row in vocabulary.encode(texts)]
    limit = vocabulary.num_words or 2**31
    flat = np.concatenate(ids) if ids else np.empty(0, np.int32)
    uses = np.bincount(flat) if flat.size else np.zeros(1, np.int64)
    tokens = [vocabulary.tokenization.tokens(text) for text in texts]
    reserved = {0, vocabulary.oov_id, vocabulary.start_id} - {None}
    starts = len(texts) if vocabulary.start_id is not None else 0
    unknown = int(uses[vocabulary.oov_id]) if (vocabulary.oov_id or 2**31) < len(uses) else 0
    spellings = Spellings(source.words.index)
    words = []
    for word, id_ in vocabulary.word_index.items():
        if id_ in reserved or id_ >= limit:
            continue
        count = int(uses[id_]) if id_ < len(uses) else 0
        words.append(_placed(word, id_, count, spellings, any_case=any_case))
    words.sort(key=lambda word: (-word.occurrences, word.id))
    return Coverage(
        source=source,
        vocabulary=vocabulary,
        words=tuple(words),
        texts=len(texts),
        dropped=sum(map(len, tokens)) + starts - len(flat) + unknown,
        reserved=tuple(sorted(id_ for id_ in reserved if id_ is not None)),
        phrases=tuple(spellings.phrases_in(tokens)),
    )


def _cover_tokens(source: Source, texts: Sequence[str], vocabulary: SubwordVocabulary) -> Coverage:
    """Return how often the texts hold each token of a language model, and what is in no token.

    Raises:
        DataError: a token has no row.
    """
    known, unknown, special = vocabulary.counted(texts)
    oov, rows = vocabulary.oov_id, source.matrix.input_dim
    used = known.keys() | special | ({oov} if unknown and not vocabulary.drops_unknown else set())
    for id_ in sorted(id_ for id_ in used if id_ is not None and id_ >= rows)[:1]:
        raise DataError(
            f"{source.path!r} has {plural(rows, 'row')}, and none for id {id_:,} "
            f"({clipped_repr(vocabulary.words.get(id_, ''))}) of the texts; "
            f"{vocabulary.more_rows(rows)}"
        )
    words = [
        CoveredWord(vocabulary.words[id_], id_, count, id_, vocabulary.words[id_])
        for id_, count in known.items()
    ]
    words += [
        CoveredWord(part, oov or 0, count, None, None, "unseen") for part, count in unknown.items()
    ]
    words.sort(key=lambda word: (-word.occurrences, word.id))
    return Coverage(
        source=source,
        vocabulary=vocabulary,
        words=tuple(words),
        texts=len(texts),
        dropped=unknown.total(),
        reserved=tuple(sorted(special)),
        rows_used=len(used),
    )


def _placed(
    word: str, id_: int, count: int, spellings: Spellings, *, any_case: bool
) -> CoveredWord:
    """Return a word of the texts with its row, or with the reason why it has none."""
    row = spellings.index.get(word)
    if row is not None:
        return CoveredWord(word, id_, count, row, word)
    cased = spellings.in_another_case(word) if any_case else None
    if cased is not None:
        return CoveredWord(word, id_, count, spellings.index[cased], cased)
    return CoveredWord(word, id_, count, None, None, *spellings.why_missing(word))
