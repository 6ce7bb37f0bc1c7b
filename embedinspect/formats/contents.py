"""What is read from a file, and what was wrong in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from embedinspect.errors import DataError
from embedinspect.formats.tensors import Tensor
from embedinspect.row_words import Words
from embedinspect.stored_rows import FloatArray, Vectors

if TYPE_CHECKING:
    from embedinspect.formats.keras_files import KerasFile
    from embedinspect.formats.keras_weights import KerasLayer
    from embedinspect.formats.model_tokens import ModelTokens
    from embedinspect.formats.ngrams import Composed

# Told how many bytes of a file have been read, and how many there are.
Progress = Callable[[int, int], object]
_MOST_MESSAGES = 20
# The kinds of files that have columns, which --vectors and --words name.
_TABLES = {
    "Parquet table", "Arrow table", "JSON Lines", "JSON", "table with headings", "SQLite database",
}  # fmt: skip


@dataclass(frozen=True)
class ReadOptions:
    """What a user may say about a file.

    Attributes:
        layer: which layer of a Keras file to read, by its name or its path in the file.
        tensor: which array of a file with several arrays to read.
        vectors: which column of a table holds the vectors.
        words: which column of a table holds the words, if it has one of that name; else it is the
            path of a file, which is not the reader's concern.
        strict: whether the first wrong line is an error.
        cache: whether large texts are read from the cache, and kept there.
        progress: what a reader that takes long tells how far it is, from any thread.
    """

    layer: str | None = None
    tensor: str | None = None
    vectors: str | None = None
    words: str | None = None
    strict: bool = False
    cache: bool = True
    progress: Progress | None = None


@dataclass
class Problems:
    """Lines of a file that are wrong: the first ones in words, all of them counted by kind.

    Attributes:
        path_label: the path of the file, in quotes.
        strict: whether the first problem is an error.
        first: a message for each of the first problems.
        counts: how many problems there are of each kind.
    """

    path_label: str
    strict: bool = False
    first: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, message: str) -> None:
        """Record a problem.

        Raises:
            DataError: the problem itself, where the reading is strict.
        """
        if self.strict:
            raise DataError(
                f"{self.path_label} {message}; leave out --strict to read the file all the same"
            )
        self.counts[kind] += 1
        if len(self.first) < _MOST_MESSAGES:
            self.first.append(message)

    @property
    def total(self) -> int:
        """How many problems there are."""
        return self.counts.total()


@dataclass(frozen=True)
class Contents:
    """What a format's reader returns.

    Attributes:
        kind: the kind of file, in words.
        rows: the matrix, float32, shape (input_dim, output_dim).
        words: the word of each row, where the file itself has them.
        dtype: the type of the numbers as they are stored.
        problems: lines that were left out or mended.
        tensor: the name of the array or layer that was read, where the file has names.
        keras: all that a Keras file holds; None for every other kind.
        layer: the layer of a Keras file that was read.
        words_beside: the file beside this one that holds its words, where there is one.
        norms: the length of each row, where it is known already.
        warnings: what is odd about the file as a whole, each a sentence.
        kept: the folder in the cache where the contents have just been kept for the next time.
        words_from: where the words come from, in words, if not from the file itself.
        words_column: the column of a table that holds the words.
        tensors: all matrices of the file, where it can hold several with roles of their own.
        tokens: what the files of a language model say about its tokens.
        compose: returns the vector of a word that has no row, made of the word's parts; None where
            it has none of them.
    """

    kind: str
    rows: Vectors
    words: Words | None = None
    dtype: str = "float32"
    problems: Problems = field(default_factory=lambda: Problems(""))
    tensor: str | None = None
    keras: KerasFile | None = None
    layer: KerasLayer | None = None
    words_beside: Path | None = None
    norms: FloatArray | None = None
    warnings: tuple[str, ...] = ()
    kept: Path | None = None
    words_from: str | None = None
    words_column: str | None = None
    tensors: tuple[Tensor, ...] = ()
    tokens: ModelTokens | None = None
    compose: Callable[[str], Composed | None] | None = None

    @property
    def is_table(self) -> bool:
        """Whether the matrix is a column of a table, or several."""
        return self.kind in _TABLES
