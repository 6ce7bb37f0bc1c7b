"""A path becomes a source: one embedding matrix with its words, whatever it was read from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from embedinspect import row_names
from embedinspect.errors import DataError, UsageError
from embedinspect.formats import open_file
from embedinspect.formats.contents import Contents, Problems, ReadOptions
from embedinspect.held_sources import held_at
from embedinspect.matrix import EmbeddingMatrix, norms_of
from embedinspect.row_words import PADDING_NAMES, Words, has_capitals
from embedinspect.source_options import SourceOptions as SourceOptions
from embedinspect.source_options import where_words_are
from embedinspect.stored_rows import FloatArray
from embedinspect.training.run_state import is_run
from embedinspect.vocabulary import Tokenization, Vocabulary

if TYPE_CHECKING:
    from embedinspect.formats.keras_files import KerasFile
    from embedinspect.formats.keras_weights import KerasLayer
    from embedinspect.formats.model_tokens import ModelTokens
    from embedinspect.formats.ngrams import Composed
    from embedinspect.formats.vocabulary_file import PlacedWords
    from embedinspect.tokenizing.lookup_layer import LookupLayer
    from embedinspect.training.run_folder import Run


@dataclass(frozen=True)
class Source:
    """A matrix with its words, and all that is known of where it comes from.

    Attributes:
        path: as the user gave it.
        contents: what was read there.
        matrix: the rows, with their words where they are known.
        words_from: where the words come from, in words; None where there are none.
        warnings: what is odd about the source, each a sentence.
        vocabulary: with the rules of tokenizing, where the source or its file of words has them.
        lookup: the layer of a Keras model whose words the rows have.
        guessed: whether that is only a guess.
        no_ids: why it cannot be known which ids a text has here, as the end of a sentence that
            begins with the path; None where it can.
        run: of `train`, where the source is a run folder.
        epoch: which epoch of that run the rows are from.
    """

    path: str
    contents: Contents
    matrix: EmbeddingMatrix
    words_from: str | None = None
    warnings: tuple[str, ...] = ()
    vocabulary: Vocabulary | None = None
    lookup: LookupLayer | None = None
    guessed: bool = False
    no_ids: str | None = None
    run: Run | None = None
    epoch: int | None = None

    @property
    def kind(self) -> str:
        """The kind of file or folder, in words."""
        return self.contents.kind

    @property
    def dtype(self) -> str:
        """The type of the numbers as they are stored."""
        return self.contents.dtype

    @property
    def tensor(self) -> str | None:
        """Which layer or array of the file the matrix is, where they have names."""
        return self.contents.tensor

    @property
    def problems(self) -> Problems:
        """Lines of the file that were left out or mended."""
        return self.contents.problems

    @property
    def keras(self) -> KerasFile | None:
        """All that a Keras file holds; None for every other kind."""
        return self.contents.keras

    @property
    def layer(self) -> KerasLayer | None:
        """Which layer of a Keras file was read."""
        return self.contents.layer

    @property
    def tokens(self) -> ModelTokens | None:
        """What the files of a language model say of its tokens; None for every other source."""
        return self.contents.tokens

    @property
    def kept(self) -> Path | None:
        """Where the contents have just been cached for the next time."""
        return self.contents.kept

    @property
    def words(self) -> Words | None:
        """The word of each row, where they are known."""
        return self.matrix.words

    @property
    def row_0_is_padding(self) -> bool:
        """Whether row 0 belongs to the padding id, as in every Keras layer."""
        return self.run is not None or self.keras is not None

    @property
    def has_own_tokens(self) -> bool:
        """Whether the rows are those of a language model's own tokens, and not of other words."""
        return self.tokens is not None and self.words is self.contents.words

    @property
    def row_0_is_a_word(self) -> bool:
        """Whether row 0 has a word, so that ids stand one above the rows.

        Id 0 is the padding in Keras: a word must not have it, unless it is a name of the padding.
        """
        if self.has_own_tokens:  # their ids are the numbers of the rows
            return False
        first = self.words[0] if self.words is not None else None
        return first is not None and first not in PADDING_NAMES and not self.row_0_is_padding

    def lengths(self) -> FloatArray:
        """Return the length of each row, float32, shape (input_dim,)."""
        return self._lengths

    @cached_property
    def _lengths(self) -> FloatArray:
        return norms_of(self.matrix.rows) if self.contents.norms is None else self.contents.norms

    def name_of(self, row: int) -> str:
        """Return the word of a row, or its number after a # where it has none."""
        word = self.words[row] if self.words is not None else None
        return f"#{row}" if word is None else word

    def row_of(self, name: str) -> int | None:
        """Return the row that a name stands for: a word, a number after a #, or a beginning.

        Raises:
            UsageError: a row number beyond the matrix, or a beginning of several texts.
        """
        return row_names.row_of(name, self.words, self.matrix.input_dim, self.path)

    def rows_of(self, names: Iterable[str]) -> list[int]:
        """Return the row of each name.

        Raises:
            UsageError: a name without a row; it says which words are close.
        """
        rows = []
        for name in names:
            row = self.row_of(name)
            if row is None:
                raise UsageError(self.no_row(name))
            rows.append(row)
        return rows

    def places_of(self, names: Iterable[str]) -> list[int | Composed]:
        """Return the row of each name, or the vector that is composed for a word without one.

        Raises:
            UsageError: a name with neither; it says which words are close.
        """
        return [self.composed(name) or self.rows_of([name])[0] for name in names]

    def composed(self, name: str) -> Composed | None:
        """Return the vector of a word that has no row, made of its parts; None for any other."""
        compose = self.contents.compose
        return None if compose is None or self.row_of(name) is not None else compose(name)

    def no_row(self, name: str) -> str:
        """Return the message for a name that has no row."""
        return row_names.no_row(name, self.words, self.matrix.input_dim, self.path)

    def vocabulary_by_row(self) -> tuple[Vocabulary, bool]:
        """Return a vocabulary whose ids are rows, and whether the ids were moved by one.

        They are moved where row 0 is a word's: id 0 is the padding in Keras, so the rows must
        stand one further down, as `EmbeddingMatrix.with_padding_row` has them.

        Raises:
            UsageError: the source has no words.
            DataError: it cannot be known which ids its model gives a text.
        """
        if self.no_ids is not None:
            raise DataError(f"the ids of texts cannot be told: {self.path!r} {self.no_ids}")
        if self.tokens is not None and self.has_own_tokens:
            return self.tokens.subwords(repr(self.path)), False
        if self.vocabulary is not None:
            return self.vocabulary, False
        words = self.words
        if words is None:
            raise UsageError(f"{self.path!r} has no words; name {where_words_are(self.path)}")
        moved = self.row_0_is_a_word
        index = {word: row + moved for word, row in words.index.items()}
        if not moved:
            index = {word: row for word, row in index.items() if row}
        rules = Tokenization(lower=not has_capitals(words))
        # A list of words for a Keras layer names the row of unknown words, as its lookup layers do.
        unknown = "[UNK]" if self.keras is not None and "[UNK]" in index else None
        return Vocabulary(index, tokenization=rules, oov_token=unknown), moved

    def layer_tokenization(self) -> Tokenization | None:
        """Return how the lookup layer of a model cuts texts; None for a source without one.

        Raises:
            DataError: it cannot be known.
        """
        if self.lookup is None:
            return None
        vocabulary, _ = self.vocabulary_by_row()
        return vocabulary.tokenization


def open_source(path: str, options: SourceOptions | None = None) -> Source:
    """Return the embedding matrix at a path, with the words of its rows.

    Raises:
        UsageError: an option that does not fit the kind of source.
        DataError: what is there cannot be read, or is in no known format.
    """
    options = options or SourceOptions()
    held: Source | None = held_at(path, options)
    if held is not None:
        return held
    if is_run(Path(path)):
        return _open_run(path, options)
    if options.epoch is not None:
        raise UsageError(f"--epoch picks rows of a run, and {path!r} is none; leave it out")
    contents = open_file(
        path,
        ReadOptions(
            layer=options.layer,
            tensor=options.tensor,
            vectors=options.vectors,
            words=options.words,
            strict=options.strict,
            cache=options.cache,
            progress=options.progress,
        ),
    )
    matrix = EmbeddingMatrix(contents.rows, f"from {path}")
    source = Source(path, contents, matrix, warnings=contents.warnings)
    if options.words_from is not None:
        options.refuse_words_from(path, keras=source.keras is not None)
    if options.words is not None and contents.words_column != options.words:
        return _with_words(source, options.words, options.index_from)
    if options.index_from is not None:
        raise UsageError("--index-from shifts the words of --words; name that file, too")
    return _with_own_words(source, options.words_from)


def _with_words(source: Source, path: str, index_from: int | None) -> Source:
    """Return the source with the words of a file."""
    from embedinspect.formats.vocabulary_file import read_words

    return _placed(source, path, read_words(path, source.matrix.input_dim, index_from), index_from)


def _with_words_beside(source: Source, path: Path) -> Source:
    """Return the source with the words of the file that lies beside it."""
    from embedinspect.formats.vocabulary_file import read_words

    rows = source.matrix.input_dim
    placed = read_words(str(path), rows, labels=path.suffix != ".json")
    source = _placed(source, str(path), placed, None)
    if placed.reach >= rows:
        return source
    warning = f"{path} and {source.path} differ in length, so words may be on wrong rows"
    return replace(source, warnings=(*source.warnings, warning))


def _placed(source: Source, path: str, placed: PlacedWords, index_from: int | None) -> Source:
    """Return the source with words that were placed on its rows."""
    shifted = index_from is not None
    warnings = placed.warnings(path, keras=source.row_0_is_padding, shifted=shifted)
    return replace(
        source,
        matrix=replace(source.matrix, words=placed.words),
        words_from=f"{path}, {placed.placing}",
        warnings=(*source.warnings, *warnings),
        vocabulary=placed.vocabulary,
    )


def _with_own_words(source: Source, words_from: str | None) -> Source:
    """Return the source with the words that the file has, or that lie beside it.

    Args:
        words_from: the lookup layer of a model that the user names; None to find it.
    """
    words = source.contents.words
    if words is not None:
        if not words.named:  # every row is called by its number
            return source
        return replace(
            source,
            matrix=replace(source.matrix, words=words),
            words_from=source.contents.words_from or "the file itself",
        )
    if source.keras is not None:
        return with_words_of_model(source, words_from)
    beside = source.contents.words_beside
    return source if beside is None else _with_words_beside(source, beside)


def with_words_of_model(source: Source, words_from: str | None = None) -> Source:
    """Return the source of a Keras model with the words of a lookup layer, where it has one.

    Args:
        words_from: the lookup layer that the user names; None to find it.

    Raises:
        UsageError: no lookup layer has that name, or several could be meant.
    """
    assert source.keras is not None
    assert source.layer is not None
    of_rows = source.keras.words_of(source.layer, words_from, repr(source.path))
    rows = source.matrix.input_dim
    source = replace(
        source,
        lookup=of_rows.lookup,
        no_ids=of_rows.no_ids,
        warnings=(*source.warnings, *of_rows.warnings(rows)),
    )
    words = of_rows.words(rows)
    if of_rows.lookup is None or words is None:
        return source
    return replace(
        source,
        matrix=replace(source.matrix, words=Words(words)),
        words_from=of_rows.words_from,
        guessed=of_rows.how == "guess",
        vocabulary=of_rows.lookup.vocabulary if of_rows.no_ids is None else None,
    )


def _open_run(path: str, options: SourceOptions) -> Source:
    """Return the rows of a run after one of its epochs, with the words of its vocabulary."""
    from embedinspect.training.run_folder import open_embedding, open_run

    options.refuse_beside_run(path)
    run = open_run(path)
    matrix = open_embedding(run, options.epoch)
    words: list[str | None] = [None] * matrix.input_dim
    for word, id_ in run.vocabulary.word_index.items():
        if id_ < len(words):
            words[id_] = word
    return Source(
        path,
        Contents("run folder", matrix.rows, tensor="embedding"),
        replace(matrix, words=Words(words)),
        words_from="the vocabulary of the run, by its ids",
        vocabulary=run.vocabulary,
        run=run,
        epoch=run.epochs if options.epoch is None else options.epoch,
    )
