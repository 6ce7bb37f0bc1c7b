"""The subwords of a language model: a text becomes ids by the model's own tokenizer."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path

from embedinspect.errors import DataError, UsageError
from embedinspect.tokenizing import tokenizer_file
from embedinspect.tokenizing.subword_settings import Padding, is_model2vec, is_static, padding_of
from embedinspect.tokenizing.tokenizer_file import ModelTokenizer, Piece, Side
from embedinspect.vocabulary import Token, Tokenization, Vocabulary, refuse_settings
from embedinspect.wording import plural

_TO_CONVERT = (
    "python -c \"from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('{0}')"
    ".save_pretrained('{0}')\""
)


@dataclass(frozen=True)
class Subword(Token):
    """One token of a text, with its part of the text.

    Of a token that replaces something unknown, `token` is the part of the text that is replaced.

    Attributes:
        piece: the token as the tokenizer names it, such as `##able` or `Ġking`.
        start: where its part of the text begins, in characters.
        end: where that part ends.
        text: that part.
        special: whether the tokenizer put it around the text, so that it has no part of it.
    """

    piece: str = ""
    start: int = 0
    end: int = 0
    text: str = ""
    special: bool = False


def is_special(token: Token) -> bool:
    """Return whether a tokenizer put a token around the text."""
    return isinstance(token, Subword) and token.special


@dataclass(frozen=True)
class SubwordTokenization(Tokenization):
    """How the tokenizer of a language model cuts a text.

    The attributes that every tokenization has say nothing here.

    Attributes:
        tokenizer: of the model.
    """

    filters: str = ""
    lower: bool = False
    tokenizer: ModelTokenizer | None = None

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text, without special ones around it.

        Of what is unknown, the part of the text is returned.
        """
        return [part for part, _ in self._parts(text)]

    def pieces(self, text: str) -> list[str]:
        """Return the same: what is removed is known as characters only."""
        return self.tokens(text)

    def filtered_characters(self, text: str) -> Counter[str]:
        """Return how often the text holds each character that is in no piece, spaces aside.

        A mark that is joined with the letter before it is in that letter's piece, though the
        tokenizer does not count it there; it is told by the ids, which differ without it.
        """
        assert self.tokenizer is not None
        left = [i for i in self.tokenizer.uncovered(text) if not text[i].isspace()]
        for mark in {text[i] for i in left if _may_be_joined(text[i])}:
            places = {i for i in left if text[i] == mark}
            without = "".join(c for i, c in enumerate(text) if i not in places)
            [(ids, _), (others, _)] = self.tokenizer.ids_of([text, without])
            if ids != others:
                left = [i for i in left if i not in places]
        return Counter(text[i] for i in left)

    def _parts(self, text: str) -> Iterator[tuple[str, Piece]]:
        assert self.tokenizer is not None
        for piece in self.tokenizer.pieces(text):
            if not piece.special:
                part = text[piece.start : piece.end]
                name = self.tokenizer.names.get(piece.id, "")
                unknown = name == self.tokenizer.unknown and part and part != name
                yield (part if unknown else name), piece


@dataclass(frozen=True)
class SubwordVocabulary(Vocabulary):
    """The tokens of a language model, which cuts texts by rules of its own.

    Attributes:
        tokenizer: which gives the ids.
        fill: by what the shorter of several texts are filled up.
        max_length: to how many tokens a text is cut, special ones included; None for no limit.
        cut_side: on which side it is cut.
        drops_unknown: whether the model leaves out what is in no token.
    """

    tokenizer: ModelTokenizer | None = None
    fill: Padding = field(default_factory=lambda: Padding(0))
    max_length: int | None = None
    cut_side: Side = "post"
    drops_unknown: bool = False

    @property
    def label(self) -> str:
        """The path of the tokenizer, in quotes."""
        return self._tokenizer.label

    @property
    def path(self) -> str:
        """The path of the tokenizer."""
        return self._tokenizer.path

    @property
    def kind(self) -> str:
        """The kind of the tokenizer, such as `WordPiece`."""
        return self._tokenizer.kind

    @property
    def padding_id(self) -> int:
        """The id that fills up the shorter of several texts; no other id stands for padding."""
        return self.fill.id

    @property
    def words(self) -> dict[int, str]:
        """The token of each id."""
        return self._tokenizer.names

    @property
    def special_count(self) -> int:
        """How many special tokens stand around every text."""
        return self._tokenizer.special_count

    @property
    def dropout(self) -> float | None:
        """How often, in training, two pieces are left apart by chance; nothing of it here."""
        return self._tokenizer.dropout

    @property
    def _tokenizer(self) -> ModelTokenizer:
        assert self.tokenizer is not None
        return self.tokenizer

    def encode(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of each text, cut to `max_length`, before padding.

        Raises:
            DataError: a text that the tokenizer cannot take, or at which it stops.
        """
        all_ids = self._tokenizer.ids_of(texts, self.max_length, self.cut_side)
        unknown = self.oov_id if self.drops_unknown else None
        if unknown is None:
            return [ids for ids, _ in all_ids]
        return [[id_ for id_ in ids if id_ != unknown] for ids, _ in all_ids]

    def trace(self, text: str) -> list[Token]:
        """Return what becomes of every token of a text, as `Subword`s; raises as `encode`."""
        kept = self._tokenizer.pieces(text, self.max_length, self.cut_side)
        tokens = [self._token(text, piece) for piece in kept]
        if self.max_length is None or len(kept) < self.max_length:
            return list(tokens)
        side = "start" if self.cut_side == "pre" else "end"
        reason = f"cut at the {side} to {plural(self.max_length, 'token')}"
        lost = [
            replace(self._token(text, piece), status="cut_off", reason=reason)
            for piece in self._lost(text, kept)
        ]
        place = self._place_of_lost(tokens)
        return [*tokens[:place], *lost, *tokens[place:]]

    def whole_length(self, text: str) -> int:
        """Return how many tokens a text has, whatever `max_length` is; raises as `encode`."""
        return sum(len(ids) for ids, _ in self._tokenizer.ids_of([text]))

    def counted(self, texts: Iterable[str]) -> tuple[Counter[int], Counter[str], set[int]]:
        """Count the tokens of whole texts, whatever `max_length` is; raises as `encode`.

        Returns:
            How often each id stands for a part of a text, how often each part is in no token but
            the unknown one, and the ids of the special tokens around the texts.
        """
        known: Counter[int] = Counter()
        unknown: Counter[str] = Counter()
        special: set[int] = set()
        texts = list(texts)
        for text, (ids, mask) in zip(texts, self._tokenizer.ids_of(texts), strict=True):
            special.update(compress(ids, mask))
            own = [id_ for id_, is_special in zip(ids, mask, strict=True) if not is_special]
            if self.oov_id in own:
                tokens = [self._token(text, piece) for piece in self._tokenizer.pieces(text)]
                unknown.update(token.token for token in tokens if token.rank is None)
                own = [
                    token.rank for token in tokens if token.rank is not None and not token.special
                ]
            known.update(own)
        return known, unknown, special

    def join(self, ids: Sequence[int]) -> str:
        """Return the text of ids, as the tokenizer joins their tokens; special tokens stay.

        Raises:
            DataError: the tokenizer stops at them.
        """
        return self._tokenizer.decode(ids)

    def _lost(self, text: str, kept: Sequence[Piece]) -> Sequence[Piece]:
        """Return the pieces that the cut leaves out."""
        whole = [piece for piece in self._tokenizer.pieces(text) if not piece.special]
        count = len(whole) - sum(not piece.special for piece in kept)
        if count <= 0:
            return []
        return whole[:count] if self.cut_side == "pre" else whole[-count:]

    def _place_of_lost(self, tokens: Sequence[Subword]) -> int:
        """Return where the pieces that were cut off would stand among the tokens that are left."""
        own = [place for place, token in enumerate(tokens) if not token.special]
        if not own:
            return (len(tokens) + 1) // 2  # between [CLS] and [SEP]
        return own[0] if self.cut_side == "pre" else own[-1] + 1

    def _token(self, text: str, piece: Piece) -> Subword:
        name = self.words.get(piece.id, "")
        part = text[piece.start : piece.end]
        place = (name, piece.start, piece.end, part, piece.special)
        unknown = name == self.oov_token and not piece.special and part != name
        if not unknown:
            return Subword(name, piece.id, piece.id, "looked_up", None, None, *place)
        reason = "not in the vocabulary"
        if self.drops_unknown:
            return Subword(part or name, None, None, "dropped", reason, None, *place)
        return Subword(part or name, piece.id, None, "replaced", reason, None, *place)

    def adjusted(
        self,
        *,
        num_words: int | None = None,
        oov_token: str | None = None,
        filters: str | None = None,
        origin: str,
    ) -> SubwordVocabulary:
        """Return the vocabulary itself: nothing of it can be set from outside.

        Raises:
            UsageError: something was to be set.
        """
        refuse_settings(f"the tokenizer of {origin}", num_words, oov_token, filters)
        return self

    def limited(self, max_length: int) -> SubwordVocabulary:
        """Return the vocabulary with texts cut to so many tokens, special ones included.

        Raises:
            UsageError: the special tokens alone are more.
        """
        if max_length < self.special_count:
            raise UsageError(
                f"--maxlen is {max_length}, but {self.label} puts {self.special_count} special "
                f"tokens around every text; expected {self.special_count} or more"
            )
        return replace(self, max_length=max_length)

    def width(self, longest: int) -> int:
        """Return to how many positions sequences are padded, of which the longest has so many."""
        width = max(longest, self.fill.length or 0)
        return -(-width // self.fill.multiple) * self.fill.multiple

    def more_rows(self, rows: int) -> str:
        """Return how a matrix comes to have rows for all of these tokens."""
        return (
            "give the tokenizer that belongs to this model, or enlarge its table: "
            f"model.resize_token_embeddings({max(self.words, default=0) + 1})"
        )


def read_subwords(folder: Path) -> SubwordVocabulary:
    """Return the tokens of the model in a folder, with the rules by which its texts are cut.

    Raises:
        DataError: there is no `tokenizer.json`, or it cannot be read; or the library `tokenizers`
            is missing.
    """
    path = folder / tokenizer_file.NAME
    if not path.is_file():
        raise DataError(
            f"the ids of texts cannot be told: {str(folder)!r} has no {tokenizer_file.NAME}; "
            f"expected one; to make it: {_TO_CONVERT.format(folder)}"
        )
    static, model2vec = is_static(folder), is_model2vec(folder)
    tokenizer = tokenizer_file.load(path, special_tokens=not static)
    fill = padding_of(tokenizer, folder)
    if static:  # such a model sums up rows, and has no use for padding
        fill = replace(fill, length=None, multiple=1)
    return SubwordVocabulary(
        tokenizer.ids,
        oov_token=tokenizer.unknown,
        tokenization=SubwordTokenization(tokenizer=tokenizer),
        name=tokenizer.kind.lower(),
        tokenizer=tokenizer,
        fill=fill,
        max_length=tokenizer.max_length or None,
        cut_side=tokenizer.cut_side,
        drops_unknown=model2vec,
    )


def _may_be_joined(character: str) -> bool:
    """Return whether Unicode can join a character with the one before it."""
    return unicodedata.category(character).startswith("M") or (
        "\u1160" <= character <= "\u11ff" or character in "\uff9e\uff9f"
    )
