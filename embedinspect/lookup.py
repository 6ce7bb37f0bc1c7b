"""The lookup: texts become ids, ids a padded sequence, and each id fetches its row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from embedinspect import matrix as matrices
from embedinspect import sequences as padded
from embedinspect import vocabulary as vocabularies
from embedinspect.errors import DataError, UsageError
from embedinspect.matrix import MOST_VALUES, EmbeddingMatrix, parts_of
from embedinspect.sequences import IntArray, Side
from embedinspect.stored_rows import FloatArray
from embedinspect.vocabulary import Token, Tokenization, Vocabulary
from embedinspect.wording import plural

DEFAULT_OUTPUT_DIM = 3
_NUMBERS_AT_ONCE = 2**24


@dataclass(frozen=True)
class Settings:
    """What a user may set for a lookup; None where it follows from the texts or the matrix."""

    num_words: int | None = None
    oov_token: str | None = None
    tokenization: Tokenization = field(default_factory=Tokenization)
    maxlen: int | None = None
    padding: Side = "pre"
    truncating: Side = "pre"
    mask_zero: bool = False
    input_dim: int | None = None
    output_dim: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Lookup:
    """The record that `show` prints.

    Attributes:
        texts: as they came.
        vocabulary: token <-> id.
        ids: for each text its ids before padding, int32.
        sequences: the padded ids, int32, shape (texts, maxlen).
        matrix: the embedding matrix, shape (input_dim, output_dim).
        settings: how they were looked up.
    """

    texts: Sequence[str]
    vocabulary: Vocabulary
    ids: Sequence[IntArray]
    sequences: IntArray
    matrix: EmbeddingMatrix
    settings: Settings

    @property
    def maxlen(self) -> int:
        """Number of positions in each padded sequence."""
        return int(self.sequences.shape[1])

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """The shape of the output tensor: (texts, maxlen, output_dim)."""
        return len(self.texts), self.maxlen, self.matrix.output_dim

    @cached_property
    def words(self) -> dict[int, str]:
        """The word of each id."""
        return self.vocabulary.words

    @cached_property
    def uses(self) -> IntArray:
        """How often each row was looked up, padding included; shape (input_dim,)."""
        counts = np.bincount(self.sequences.ravel(), minlength=self.matrix.input_dim)
        return counts.astype(np.int32)

    @property
    def empty_texts(self) -> list[int]:
        """Indices of the texts that are left without an id."""
        return [index for index, ids in enumerate(self.ids) if not len(ids)]

    @property
    def padding_positions(self) -> int:
        """How many positions of all sequences are padding."""
        return int(self.sequences.size) - sum(min(len(ids), self.maxlen) for ids in self.ids)

    def output(self, text: int) -> FloatArray:
        """Return the output tensor of one text, shape (maxlen, output_dim)."""
        rows: FloatArray = self.matrix.rows[self.sequences[text]]
        return rows

    def mask(self, text: int) -> list[bool] | None:
        """Return the mask of one text; None without `mask_zero`."""
        if not self.settings.mask_zero:
            return None
        mask: list[bool] = padded.mask(self.sequences[text]).tolist()
        return mask

    def trace(self, text: int) -> list[Token]:
        """Return what became of every token of one text, in reading order."""
        settings = self.settings
        positions = iter(
            padded.placement(
                len(self.ids[text]), self.maxlen, settings.padding, settings.truncating
            )
        )
        return [
            token
            if token.id is None or token.status == "cut_off"
            else self._placed(token, next(positions))
            for token in self.vocabulary.trace(self.texts[text])
        ]

    def _placed(self, token: Token, position: int | None) -> Token:
        """Return the token with its position, or cut off where it has none."""
        if position is not None:
            return replace(token, position=position)
        side = "start" if self.settings.truncating == "pre" else "end"
        return replace(token, status="cut_off", reason=f"cut at the {side} to maxlen {self.maxlen}")

    def filtered_characters(self, text: int) -> Counter[str]:
        """Return how often each character of one text was removed by the filters."""
        return self.vocabulary.tokenization.filtered_characters(self.texts[text])


@dataclass(frozen=True)
class OneHot:
    """The lookup done as a product of one-hot ids and the matrix.

    Attributes:
        shape: of the one-hot ids, (texts, maxlen, input_dim).
        largest_difference: between numbers of the product and of the lookup; NaN where 0 times a
            number that is not finite spoils the product.
        equal: whether every number of the product equals that of the lookup.
    """

    shape: tuple[int, int, int]
    largest_difference: float
    equal: bool


def look_up(
    texts: Sequence[str],
    settings: Settings | None = None,
    *,
    vocabulary: Vocabulary | None = None,
    ids: Sequence[IntArray] | None = None,
    matrix: EmbeddingMatrix | None = None,
    count_documents: bool = False,
) -> Lookup:
    """Trace the texts through vocabulary, sequences and matrix.

    Args:
        vocabulary: a saved vocabulary; without it the words of the texts are counted.
        ids: the ids of each text in that vocabulary, where they are known already.
        matrix: the rows; without it they are drawn.
        count_documents: also count the texts that hold each word, for a vocabulary to be saved.

    Raises:
        UsageError: the settings do not go together.
        DataError: the matrix has no row for an id of the texts.

    >>> look_up(["This is a text"], Settings(maxlen=6)).sequences.tolist()
    [[0, 0, 1, 2, 3, 4]]
    """
    settings = settings or Settings()
    if vocabulary is None:
        vocabulary, ids = vocabularies.fit(
            texts,
            num_words=settings.num_words,
            oov_token=settings.oov_token,
            tokenization=settings.tokenization,
            count_documents=count_documents,
        )
    elif ids is None:
        ids = [np.array(row, np.int32) for row in vocabulary.encode(texts)]
    assert ids is not None
    if len(texts) * (settings.maxlen or 0) > MOST_VALUES:
        raise UsageError(
            f"--maxlen {settings.maxlen} times {plural(len(texts), 'text')} is more than "
            f"{MOST_VALUES:,} positions; give a smaller --maxlen"
        )
    sequences = padded.pad(
        ids, settings.maxlen, settings.padding, settings.truncating, vocabulary.padding_id
    )
    largest = int(sequences.max()) if sequences.size else 0
    if matrix is None:
        input_dim = settings.input_dim or vocabulary.num_words or _rows_needed(vocabulary)
        _check_rows(vocabulary, largest, input_dim, settings)
        matrix = matrices.draw(input_dim, settings.output_dim or DEFAULT_OUTPUT_DIM, settings.seed)
    else:
        _check_matrix(matrix, vocabulary, largest, settings)
    return Lookup(texts, vocabulary, ids, sequences, matrix, settings)


def one_hot(lookup: Lookup) -> OneHot:
    """Multiply the one-hot ids by the matrix, and compare the product with the lookup.

    Only a part of the positions is made one-hot at a time, so memory stays bounded.
    """
    rows, ids = lookup.matrix.rows, lookup.sequences.ravel()
    width = lookup.matrix.output_dim
    step = max(1, 2**22 // lookup.matrix.input_dim)
    largest, equal = 0.0, True
    for start in range(0, len(ids), step):
        part = ids[start : start + step]
        vectors = np.zeros((len(part), len(rows)), np.float32)
        vectors[np.arange(len(part)), part] = 1
        with np.errstate(invalid="ignore", over="ignore"):
            product = np.zeros((len(part), width), np.float32)
            for first, block in parts_of(rows, _NUMBERS_AT_ONCE):
                product += vectors[:, first : first + len(block)] @ block
            difference = np.abs(product - rows[part])
        equal = equal and not difference.any()
        largest = float(np.maximum(largest, difference.max()))
    shape = (len(lookup.texts), lookup.maxlen, lookup.matrix.input_dim)
    return OneHot(shape, largest, equal)


def _rows_needed(vocabulary: Vocabulary) -> int:
    """Return `len(word_index) + 1`, or more where a saved index has gaps."""
    return max(len(vocabulary.word_index), *vocabulary.word_index.values(), 0) + 1


def _check_rows(vocabulary: Vocabulary, largest: int, input_dim: int, settings: Settings) -> None:
    """Refuse settings under which an id of the texts has no row."""
    if largest < input_dim:
        return
    id_label = _id_label(vocabulary, largest)
    if settings.input_dim:
        raise UsageError(
            f"--input-dim {input_dim} has rows 0 to {input_dim - 1}, but the texts hold "
            f"{id_label}; give --input-dim {largest + 1} or more, or --num-words {input_dim}"
        )
    raise UsageError(
        f"num_words {input_dim} has rows 0 to {input_dim - 1}, but the texts hold {id_label}; "
        f"give --num-words {largest + 1} or more, or another --oov-token"
    )


def _check_matrix(
    matrix: EmbeddingMatrix, vocabulary: Vocabulary, largest: int, settings: Settings
) -> None:
    """Refuse a matrix that an option contradicts, or that has too few rows."""
    for option, wanted, actual in (
        ("--input-dim", settings.input_dim, matrix.input_dim),
        ("--output-dim", settings.output_dim, matrix.output_dim),
    ):
        if wanted is not None and wanted != actual:
            raise UsageError(
                f"{option} is {wanted}, but the matrix {matrix.origin} has shape "
                f"({matrix.input_dim}, {matrix.output_dim}); leave {option} out"
            )
    if largest >= matrix.input_dim:
        raise DataError(
            f"the matrix {matrix.origin} has {plural(matrix.input_dim, 'row')}, but the texts need "
            f"{largest + 1:,}: they hold {_id_label(vocabulary, largest)}; "
            f"{vocabulary.more_rows(matrix.input_dim)}"
        )


def _id_label(vocabulary: Vocabulary, id_: int) -> str:
    word = vocabulary.words.get(id_)
    return f"id {id_:,}" + (f" ({word!r})" if word is not None else "")


__all__ = ["Lookup", "OneHot", "Settings", "look_up", "one_hot"]
