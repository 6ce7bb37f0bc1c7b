"""What reading a file gives, and what was wrong in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from embedinspect.errors import DataError
from embedinspect.matrix import FloatArray
from embedinspect.row_words import Words

if TYPE_CHECKING:
    from embedinspect.formats.keras_files import KerasFile, KerasLayer

_KEPT = 20


@dataclass(frozen=True)
class ReadOptions:
    """What a user may say about a file.

    Attributes:
        layer: of a Keras file, by name or by its path in the file.
        tensor: of a file with several arrays.
        strict: stop at the first line that is wrong.
        cache: keep what was read of a large text, and use what was kept.
    """

    layer: str | None = None
    tensor: str | None = None
    strict: bool = False
    cache: bool = True


@dataclass
class Problems:
    """Lines of a file that are wrong: the first ones in words, all of them counted by kind."""

    path_label: str
    strict: bool = False
    first: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, message: str) -> None:
        """Take down one problem.

        Raises:
            DataError: where the reading is strict.
        """
        if self.strict:
            raise DataError(f"{self.path_label} {message}; leave out --strict to go on without it")
        self.counts[kind] += 1
        if len(self.first) < _KEPT:
            self.first.append(message)

    @property
    def total(self) -> int:
        """How many problems there are."""
        return self.counts.total()


@dataclass(frozen=True)
class Contents:
    """What a format's reader returns.

    Attributes:
        kind: of the file, in words.
        rows: float32, shape (input_dim, output_dim).
        words: of the rows, where the file has them.
        dtype: of the numbers as they are stored.
        problems: lines that were left out or mended.
        tensor: which array or layer of the file it is, where it has names.
        keras: what else a Keras file holds.
        layer: which of its layers was read.
        words_beside: file that lies beside this one and holds its words, where there is one.
        norms: length of each row, where it is known already.
        kept: where what was read has just been kept for the next time.
    """

    kind: str
    rows: FloatArray
    words: Words | None = None
    dtype: str = "float32"
    problems: Problems = field(default_factory=lambda: Problems(""))
    tensor: str | None = None
    keras: KerasFile | None = None
    layer: KerasLayer | None = None
    words_beside: Path | None = None
    norms: FloatArray | None = None
    kept: Path | None = None
