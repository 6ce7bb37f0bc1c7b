"""fastText's own models, `.bin`: words, and a matrix of their rows and those of n-grams, mapped.

Format: `FastText::saveModel`, `Args::save`, `Dictionary::save` and `Matrix::save` of fastText;
files from before the magic number have neither version nor the fields that later versions added.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, Problems, ReadOptions
from embedinspect.formats.fasttext_words import Dictionary, read_words
from embedinspect.formats.ngrams import LONGEST_NGRAM, Scheme, SubwordVectors
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import plural

MAGIC = b"\xba\x16\x4f\x2f"
_VERSIONS = (11, 12)
_ARGUMENTS = struct.Struct("<12id")
_SUPERVISED = 3
_END = "</s>"
_SMALLEST_ENTRY = 10  # bytes of the dictionary
_CONVERT = (
    "in Python: model = fasttext.load_model({path}), and write model.words with "
    "model.get_word_vector(word)"
)


@dataclass(frozen=True)
class _Arguments:
    """What a model was trained with, as far as it matters for reading."""

    output_dim: int
    loss: int
    model: int
    scheme: Scheme

    @property
    def plausible(self) -> bool:
        """Whether a model can have been trained so."""
        scheme = self.scheme
        return (
            0 < self.output_dim <= 100_000
            and 1 <= self.model <= 3
            and 1 <= self.loss <= 4
            and scheme.buckets >= 0
            and 0 <= scheme.shortest <= LONGEST_NGRAM
            and 0 <= scheme.longest <= LONGEST_NGRAM
        )


def recognises(start: Start) -> bool:
    """Return whether a file is a model of fastText, of the form without a magic number, too."""
    if start.data.startswith(MAGIC):
        return True
    if len(start.data) < _ARGUMENTS.size + 20 or b"\0\0" not in start.data[:8]:
        return False
    fields = _ARGUMENTS.unpack_from(start.data)
    dim, window, epochs, _, negatives, word_ngrams, *_, sampling = fields
    words, labels = struct.unpack_from("<ii", start.data, _ARGUMENTS.size + 4)
    return (
        _arguments(fields).plausible
        and 0 < window <= 1000
        and 0 < epochs <= 10**6
        and 0 <= negatives <= 1000
        and 0 < word_ngrams <= 100
        and 0 <= sampling <= 1
        and words > 0
        and labels >= 0
        and 4 * dim * words < start.size
    )


def _arguments(fields: tuple[int, ...]) -> _Arguments:
    dim, *_, loss, model, buckets, shortest, longest, _, _ = fields
    return _Arguments(dim, loss, model, Scheme(shortest, longest, buckets))


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the words of a model, and their vectors, which are composed as they are looked at.

    `Contents.compose` gives the vectors of words that are not among them.

    Raises:
        DataError: the file is damaged, or quantized.
    """
    problems = Problems(repr(str(path)), options.strict)
    with path.open("rb") as file:
        data = mmap(file.fileno(), 0, access=ACCESS_READ)
    try:
        return _Model(path, data, problems).contents()
    except (struct.error, IndexError):
        raise DataError(f"{problems.path_label} ends early; expected a whole model") from None


class _Model:
    """A model as it is read, part by part.

    Attributes:
        at: the offset of what is read next.
    """

    def __init__(self, path: Path, data: mmap, problems: Problems) -> None:
        self.path, self.data, self.problems = path, data, problems
        self.label = problems.path_label
        self.at = 0
        self.old = data[: len(MAGIC)] != MAGIC

    def contents(self) -> Contents:
        version = 0
        if not self.old:
            _, version = self._unpack("<4si")
            if version not in _VERSIONS:
                raise DataError(
                    f"{self.label} is a fastText model of version {version}; expected "
                    f"{_VERSIONS[0]} or {_VERSIONS[1]}"
                )
        arguments = _arguments(self._unpack(_ARGUMENTS.format))
        if not arguments.plausible:
            raise DataError(f"{self.label} has a damaged header; expected a fastText model")
        dictionary = self._words()
        words = dictionary.words
        self._refuse_quantized()
        scheme = arguments.scheme
        if version == _VERSIONS[0] and arguments.model == _SUPERVISED:
            # Classifiers of that version have no n-grams of characters, whatever they say.
            scheme = Scheme(0, 0, scheme.buckets)
        matrix = self._matrix(len(words), arguments)
        # fastText gives the end of a sentence no n-grams, but did before the magic number.
        end = None if self.old else words.row_of(_END)
        vectors = SubwordVectors(
            words,
            matrix[: len(words)],
            matrix[len(words) :],
            scheme,
            dictionary.written,
            -1 if end is None else end,
        )
        return Contents(
            "fastText model",
            vectors.rows(),
            words,
            problems=self.problems,
            compose=vectors.of if scheme.has_any else None,
        )

    def _unpack(self, form: str) -> tuple[int, ...]:
        if self.at > len(self.data):
            raise IndexError("beyond the end")
        fields = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return fields

    def _words(self) -> Dictionary:
        """Return the words, without the labels of a classifier, which stand after them."""
        entries, words, labels = self._unpack("<iii")
        self._unpack("<q")
        (pruned,) = (0,) if self.old else self._unpack("<q")
        room = (len(self.data) - self.at) // _SMALLEST_ENTRY
        if words < 1 or labels < 0 or entries != words + labels or entries > room:
            raise DataError(
                f"{self.label} claims {plural(words, 'word')} and {plural(labels, 'label')}, "
                f"{entries:,} together; expected some words, and no more than the file can hold"
            )
        dictionary = read_words(self.data, self.at, words, labels, self.problems)
        self.at = dictionary.end + 8 * max(0, pruned)
        return dictionary

    def _refuse_quantized(self) -> None:
        if not self.old and self._unpack("<B") != (0,):
            path = repr(str(self.path))
            raise DataError(
                f"{self.label} is a quantized fastText model (.ftz); expected one that is not; "
                f"{_CONVERT.format(path=path)}"
            )

    def _matrix(self, words: int, arguments: _Arguments) -> FloatArray:
        """Return the rows of words, and those of n-grams after them, mapped.

        Raises:
            DataError: they are not as many as the header says, or the file has fewer.
        """
        rows, columns = self._unpack("<qq")
        expected = words + arguments.scheme.buckets
        if (rows, columns) != (expected, arguments.output_dim):
            raise DataError(
                f"{self.label} claims a matrix of {rows:,} x {columns:,}; expected {expected:,} x "
                f"{arguments.output_dim:,}, a row for each word and each bucket of n-grams"
            )
        if words * columns > MOST_VALUES:
            raise DataError(
                f"{self.label} has {words * columns:,} numbers; expected at most {MOST_VALUES:,}"
            )
        wanted, available = 4 * rows * columns, len(self.data) - self.at
        if wanted > available:
            raise DataError(
                f"{self.label} ends early: its matrix takes {wanted:,} bytes, of which it has "
                f"{available:,}; expected a whole model"
            )
        return np.memmap(self.path, "<f4", "r", self.at, (rows, columns))
