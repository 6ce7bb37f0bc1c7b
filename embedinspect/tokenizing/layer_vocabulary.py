"""The words of one lookup layer of a Keras model, and the ids that it gives to any token."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from embedinspect.errors import DataError
from embedinspect.tokenizing.hashing import bucket
from embedinspect.tokenizing.rules import WholeNumbers, as_number, is_a_tensor_string
from embedinspect.vocabulary import Token, Vocabulary, refuse_settings
from embedinspect.wording import clipped_repr, plural


@dataclass(frozen=True)
class LayerVocabulary(Vocabulary):
    """The vocabulary of a lookup layer, which gives every token the id that the layer gives it.

    `word_index` holds what is known of the rows: the words, and the out-of-vocabulary token where
    no word is spelled like it.

    Attributes:
        layer: how sentences name the layer.
        table: the id of each token that the layer knows, its mask token among them.
        first_unknown: the first of the ids for tokens that it does not know.
        unknown_count: how many ids there are for these; 0 where the layer stops at such a token.
        salt: the key of the hash that spreads them over several ids, where there is one.
        spread: how whole numbers are spread: by the remainder, or by the hash as words are.
        sequence_length: to how many positions the layer pads and cuts; None for the longest text.
        ragged: whether the layer leaves each text as long as it is.
        token_for_text: whether each text is one token, whatever it holds.
    """

    layer: str = "the lookup layer"
    table: dict[str, int] = field(default_factory=dict)
    first_unknown: int = 1
    unknown_count: int = 1
    salt: tuple[int, int] | None = None
    spread: Literal["floormod", "farmhash"] = "farmhash"
    sequence_length: int | None = None
    ragged: bool = False
    token_for_text: bool = False

    @property
    def oov_id(self) -> int | None:
        """The first id of unknown tokens; None where the layer stops at one."""
        return self.first_unknown if self.unknown_count else None

    @property
    def unknown_ids(self) -> range:
        """The ids of tokens that are not in the vocabulary."""
        return range(self.first_unknown, self.first_unknown + self.unknown_count)

    @property
    def words(self) -> dict[int, str]:
        """The token of each id, unknown ones included."""
        unknown = dict.fromkeys(self.unknown_ids, self.oov_token or "")
        words = unknown | {id_: token for token, id_ in self.table.items()}
        return {id_: token for id_, token in words.items() if token}

    def encode(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of each text as the layer gives them, before it pads and cuts.

        Raises:
            DataError: a text at which the layer itself stops, or that it cannot take.
        """
        return [[self._id(token) for token in self._tokens(text)] for text in texts]

    def trace(self, text: str) -> list[Token]:
        """Return what becomes of every token of a text, deleted pieces included."""
        rules = self.tokenization
        pieces = rules.pieces(text)
        if len(pieces) == len(self._tokens(text)):
            return [self._trace_word(token) for token in pieces]
        deleted = set(rules.filters)
        return [
            Token(piece, None, None, "filtered", "all of it is deleted punctuation")
            if deleted.issuperset(piece)
            else self._trace_word(piece)
            for piece in pieces
        ]

    def adjusted(
        self,
        *,
        num_words: int | None = None,
        oov_token: str | None = None,
        filters: str | None = None,
        origin: str,
    ) -> LayerVocabulary:
        """Return the vocabulary itself: nothing of it can be set from outside.

        Raises:
            UsageError: something was to be set.
        """
        refuse_settings(f"{self.layer} of {origin}", num_words, oov_token, filters)
        return self

    def _tokens(self, text: str) -> list[str]:
        if not is_a_tensor_string(text):
            raise DataError(
                f"the text {clipped_repr(text)} holds a NUL or a lone surrogate, which "
                f"{self.layer} cannot take; remove it"
            )
        return self.tokenization.tokens(text)

    def _trace_word(self, word: str) -> Token:
        id_ = self._id(word)
        if word in self.table:
            return Token(word, id_, id_, "looked_up")
        return Token(word, id_, None, "replaced", "not in the vocabulary")

    def _id(self, token: str) -> int:
        id_ = self.table.get(token)
        if id_ is not None:
            return id_
        if isinstance(self.tokenization, WholeNumbers) and as_number(token) is None:
            raise DataError(
                f"{clipped_repr(token)} is no whole number, and {self.layer} of the model looks up "
                "whole numbers; give numbers with spaces between them"
            )
        if not self.unknown_count:
            raise DataError(
                f"{clipped_repr(token)} is not among the {plural(len(self.table), 'token')} of "
                f"{self.layer}, which has no id for others (num_oov_indices=0): the model stops "
                "with an error; expected only tokens that it knows"
            )
        if self.unknown_count == 1:
            return self.first_unknown
        if self.spread == "floormod":
            return self.first_unknown + int(token) % self.unknown_count
        return self.first_unknown + bucket(token, self.unknown_count, self.salt)
