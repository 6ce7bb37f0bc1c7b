"""Words and their ids, by the rules of Keras's classic Tokenizer.

The rules are those of `tensorflow.keras.preprocessing.text.Tokenizer`, against which the tests
compare every one of them:

- the text is lower-cased, each character of `filters` becomes `split`, the text is cut at
  `split`, and empty tokens are left out; at character level every character is a token and
  `filters` are not applied;
- ids start at 1, by count, the highest first; of equal counts the word seen first comes first;
- `oov_token` takes id 1 and shifts all others by one;
- `num_words` n applies when a text is encoded: ids from n on are left out, or replaced by the id
  of `oov_token`; the word index stays complete.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from embedinspect.errors import UsageError

Status = Literal["looked_up", "replaced", "dropped", "cut_off", "filtered"]

DEFAULT_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_OOV_NAMES = ("<unk>", "<UNK>", "<oov>", "<OOV>", "[UNK]", "unk", "UNK")


@dataclass(frozen=True)
class Tokenization:
    """How a text is cut into tokens.

    Attributes:
        filters: characters that become `split`.
        lower: whether texts are lower-cased first.
        split: what separates tokens.
        char_level: whether every character is a token.
    """

    filters: str = DEFAULT_FILTERS
    lower: bool = True
    split: str = " "
    char_level: bool = False

    def __post_init__(self) -> None:
        if not self.split and not self.char_level:
            raise UsageError("the split is empty; expected one character or more between tokens")
        object.__setattr__(self, "_table", str.maketrans({c: self.split for c in self.filters}))

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text.

        >>> Tokenization().tokens("This is, not: a text!")
        ['this', 'is', 'not', 'a', 'text']
        """
        if self.lower:
            text = text.lower()
        if self.char_level:
            return list(text)
        table: dict[int, str] = self._table  # type: ignore[attr-defined]
        return [token for token in text.translate(table).split(self.split) if token]

    def pieces(self, text: str) -> list[str]:
        """Return the tokens, and between them the pieces that `filters` removed altogether.

        A piece stands between two separators of the text as it was written. Where `split` is
        longer than one character, such pieces cannot be told apart safely and are left out.

        >>> Tokenization().pieces("so -- what?")
        ['so', '--', 'what']
        """
        if self.char_level or len(self.split) != 1:
            return self.tokens(text)
        if self.lower:
            text = text.lower()
        table: dict[int, str] = self._table  # type: ignore[attr-defined]
        pieces: list[str] = []
        for piece in text.split(self.split):
            tokens = [token for token in piece.translate(table).split(self.split) if token]
            if tokens:
                pieces.extend(tokens)
            elif piece.strip():
                pieces.append(piece)
        return pieces

    def filtered_characters(self, text: str) -> Counter[str]:
        """Return how often the text holds each character that `filters` remove."""
        if self.char_level:
            return Counter()
        counts = Counter(text.lower() if self.lower else text)
        filters = dict.fromkeys(self.filters)
        return Counter({c: counts[c] for c in filters if c != self.split and counts[c]})


@dataclass(frozen=True)
class Token:
    """One token of a text, and what became of it.

    Attributes:
        token: as it was cut from the text.
        id: its token id; None where it has none.
        rank: its id in the complete word index; None where it is not in there.
        status: `looked_up`, `replaced` (by the out-of-vocabulary token), `dropped`, `filtered`, or
            `cut_off` (by maxlen).
        reason: why, in words; None for a token that is looked up.
        position: where it stands in the padded sequence; None where it does not, and before
            padding.
    """

    token: str
    id: int | None
    rank: int | None
    status: Status
    reason: str | None = None
    position: int | None = None


@dataclass(frozen=True)
class Vocabulary:
    """Words, their counts and ids.

    Attributes:
        word_index: the id of each word, complete whatever `num_words` is.
        word_counts: how often each word occurs, in the order in which words were first seen.
        word_docs: in how many texts each word occurs.
        document_count: how many texts were counted.
        num_words: ids from this one on are not used; None for no limit.
        oov_token: stands for words without an id; None to drop them.
        tokenization: how texts are cut into tokens.
        name: of the tokenizer: `classic`, or `textvectorization`.
        start_token: stands before every text, as in Keras's IMDB data; None for no such token.
    """

    word_index: dict[str, int]
    word_counts: dict[str, int] = field(default_factory=dict)
    word_docs: dict[str, int] = field(default_factory=dict)
    document_count: int = 0
    num_words: int | None = None
    oov_token: str | None = None
    tokenization: Tokenization = field(default_factory=Tokenization)
    name: str = "classic"
    start_token: str | None = None

    @property
    def oov_id(self) -> int | None:
        """The id of the out-of-vocabulary token; None where there is none."""
        return None if self.oov_token is None else self.word_index.get(self.oov_token)

    @property
    def padding_id(self) -> int:
        """The id that fills up the shorter of several texts: 0, as everywhere in Keras."""
        return 0

    @property
    def unknown_ids(self) -> Sequence[int]:
        """The ids that stand for words without an id of their own: one, or none."""
        return () if self.oov_id is None else (self.oov_id,)

    @property
    def start_id(self) -> int | None:
        """The id of the start token; None where there is none."""
        return None if self.start_token is None else self.word_index.get(self.start_token)

    @property
    def special_count(self) -> int:
        """How many tokens stand around every text that are none of its own."""
        return int(self.start_id is not None)

    @property
    def words(self) -> dict[int, str]:
        """The word of each id; where two words claim an id, the later one."""
        return {id_: word for word, id_ in self.word_index.items()}

    def encode(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of each text, as `Tokenizer.texts_to_sequences` does."""
        limit, oov, known = self.num_words, self.oov_id, self.word_index.get
        start = self.start_id
        sequences: list[list[int]] = []
        for text in texts:
            ids: list[int] = [] if start is None else [start]
            for token in self.tokenization.tokens(text):
                rank = known(token)
                if rank is None or (limit and rank >= limit):
                    if oov is not None:
                        ids.append(oov)
                else:
                    ids.append(rank)
            sequences.append(ids)
        return sequences

    def trace(self, text: str) -> list[Token]:
        """Return what becomes of every token of a text, removed pieces included."""
        tokens: list[Token] = []
        if self.start_token is not None and self.start_id is not None:
            tokens.append(Token(self.start_token, self.start_id, self.start_id, "looked_up"))
        filters = set() if self.tokenization.char_level else set(self.tokenization.filters)
        for piece in self.tokenization.pieces(text):
            # No token holds a filter character, so a piece made of nothing else was removed.
            if filters and all(character in filters for character in piece):
                tokens.append(Token(piece, None, None, "filtered", "all of it is in filters"))
            else:
                tokens.append(self._trace_word(piece))
        return tokens

    def _trace_word(self, word: str) -> Token:
        rank = self.word_index.get(word)
        if rank is None:
            reason = "not in the vocabulary"
        elif self.num_words and rank >= self.num_words:
            reason = f"its rank {rank} is not below num_words {self.num_words}"
        else:
            return Token(word, rank, rank, "looked_up")
        oov = self.oov_id
        return Token(word, oov, rank, "dropped" if oov is None else "replaced", reason)

    def adjusted(
        self,
        *,
        num_words: int | None = None,
        oov_token: str | None = None,
        filters: str | None = None,
        origin: str,
    ) -> Vocabulary:
        """Return the vocabulary with what a user sets besides; None leaves a setting as it is.

        Args:
            origin: how errors name where the words are from.

        Raises:
            UsageError: an out-of-vocabulary token that is not among the words, so has no id.
        """
        if oov_token is not None and oov_token not in self.word_index:
            raise UsageError(self._not_a_word(oov_token, origin))
        rules = self.tokenization
        return replace(
            self,
            num_words=num_words or self.num_words,
            oov_token=oov_token or self.oov_token,
            tokenization=rules if filters is None else replace(rules, filters=filters),
        )

    def more_rows(self, rows: int) -> str:
        """Return how a matrix of so many rows comes to have one for each id."""
        return f"give a matrix with more rows, or --num-words {rows}"

    def _not_a_word(self, oov_token: str, origin: str) -> str:
        """Return the message for an out-of-vocabulary token that has no id."""
        alike = next((name for name in _OOV_NAMES if name in self.word_index), None)
        hint = (
            f"such as {alike!r}"
            if alike is not None
            else "and none has such a name; leave it out, or make the vocabulary anew with an "
            "oov_token"
        )
        return (
            f"--oov-token {oov_token!r} is not among the words of {origin}; expected one of them, "
            f"{hint}"
        )

    def to_json(self) -> str:
        """Return the form that `Tokenizer.to_json` writes and `tokenizer_from_json` reads."""
        index_word = self.words
        docs = {self.word_index[word]: n for word, n in self.word_docs.items()}
        config = {
            "num_words": self.num_words,
            "filters": self.tokenization.filters,
            "lower": self.tokenization.lower,
            "split": self.tokenization.split,
            "char_level": self.tokenization.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            "word_counts": json.dumps(self.word_counts),
            "word_docs": json.dumps(self.word_docs),
            "index_docs": json.dumps(docs),
            "index_word": json.dumps(index_word),
            "word_index": json.dumps(self.word_index),
        }
        return json.dumps({"class_name": "Tokenizer", "config": config})


def refuse_settings(
    set_by: str, num_words: int | None, oov_token: str | None, filters: str | None
) -> None:
    """Refuse what a user sets besides, where the vocabulary is a model's own.

    Args:
        set_by: what sets these things, and where it is from.

    Raises:
        UsageError: something is set.
    """
    for option, value in (
        ("--num-words", num_words),
        ("--oov-token", oov_token),
        ("--filters", filters),
    ):
        if value is not None:
            raise UsageError(f"{option} is set by {set_by}; leave it out")


def fit(
    texts: Sequence[str],
    *,
    num_words: int | None = None,
    oov_token: str | None = None,
    tokenization: Tokenization | None = None,
    count_documents: bool = True,
) -> tuple[Vocabulary, list[np.ndarray[Any, np.dtype[np.int32]]]]:
    """Count the words of the texts, and encode the texts in the same pass.

    Tokenizing is most of the work, so it is done once: each word gets a provisional id when it is
    first seen, which its id by count replaces at the end.

    Args:
        count_documents: also count the texts that hold each word (`word_docs`). Only a saved
            vocabulary needs it, and it takes a third of the time.

    Returns:
        The vocabulary, and for each text an int32 array of its ids, equal to `Vocabulary.encode`.
    """
    tokenization = tokenization or Tokenization()
    seen: defaultdict[str, int] = defaultdict()
    seen.default_factory = seen.__len__
    provisional, lengths = array("i"), array("q", [0])
    documents: Counter[str] = Counter()
    for text in texts:
        tokens = tokenization.tokens(text)
        provisional.extend(map(seen.__getitem__, tokens))
        lengths.append(len(tokens))
        if count_documents:
            documents.update(set(tokens))
    words = list(seen)
    flat = np.frombuffer(provisional, dtype=np.int32) if provisional else np.empty(0, np.int32)
    counts = np.bincount(flat, minlength=len(words))
    order = np.argsort(-counts, kind="stable")
    first = 1 if oov_token is None else 2
    rank = np.empty(len(words), np.int32)
    rank[order] = np.arange(first, len(words) + first, dtype=np.int32)

    word_index = {} if oov_token is None else {oov_token: 1}
    word_index.update((words[i], r) for r, i in enumerate(order.tolist(), first))
    vocabulary = Vocabulary(
        word_index=word_index,
        word_counts=dict(zip(words, counts.tolist(), strict=True)),
        word_docs=dict(documents),
        document_count=len(texts),
        num_words=num_words,
        oov_token=oov_token,
        tokenization=tokenization,
    )
    ids, ends = rank[flat], np.cumsum(np.frombuffer(lengths, dtype=np.int64))
    if num_words:
        over = ids >= num_words
        if vocabulary.oov_id is not None:
            ids = np.where(over, np.int32(vocabulary.oov_id), ids)
        else:
            kept = np.concatenate(([0], np.cumsum(~over)))
            ids, ends = ids[~over], kept[ends]
    bounds = ends.tolist()
    return vocabulary, [ids[start:end] for start, end in pairwise(bounds)]
