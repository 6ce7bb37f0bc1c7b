"""Ids back into words: what a sequence of ids says, and by which vocabulary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.vocabulary_file import is_imdb_index, load
from embedinspect.saved_vocabulary import from_json
from embedinspect.source import Source
from embedinspect.tokenizing.subwords import SubwordVocabulary
from embedinspect.training.imdb import INDEX_FROM, START, UNKNOWN
from embedinspect.wording import clipped_repr, plural

# Returns the text of ids, special tokens included.
Join = Callable[[Sequence[int]], str]
Status = Literal["word", "padding", "start", "unknown", "no word", "no row"]

_MOST_DIGITS = 18


@dataclass(frozen=True)
class Meaning:
    """An id, and the word that it stands for; None where it stands for none."""

    id: int
    word: str | None
    status: Status


@dataclass(frozen=True)
class IdWords:
    """What ids stand for.

    Attributes:
        path: of the source.
        rule: where ids and words come from, in words.
        words: the word of each id.
        reserved: the ids that stand for no word of a text, and for what they stand.
        rows: how many rows there are to look ids up in; None where only the words are known.
        warnings: what may be wrong with these ids, each a sentence.
        join: returns the text of ids, as the tokenizer of a language model joins its tokens; None
            where words have spaces between them.
    """

    path: str
    rule: str
    words: Mapping[int, str]
    reserved: Mapping[int, Status] = field(default_factory=dict)
    rows: int | None = None
    warnings: tuple[str, ...] = ()
    join: Join | None = None

    def meaning(self, id_: int) -> Meaning:
        """Return what an id stands for."""
        if id_ < 0 or (self.rows is not None and id_ >= self.rows):
            return Meaning(id_, None, "no row")
        word = self.words.get(id_)
        return Meaning(id_, word, self.reserved.get(id_, "no word" if word is None else "word"))


@dataclass(frozen=True)
class Decoding:
    """The record that `decode` prints: the meaning of each id of each sequence."""

    id_words: IdWords
    sequences: tuple[tuple[Meaning, ...], ...]


def decode(id_words: IdWords, sequences: Iterable[Sequence[int]]) -> Decoding:
    """Return what each id of the sequences stands for."""
    return Decoding(
        id_words, tuple(tuple(map(id_words.meaning, sequence)) for sequence in sequences)
    )


def sequences_in(arguments: Sequence[str]) -> list[list[int]]:
    """Return the sequences of ids in texts; single ids side by side are one sequence.

    Brackets and commas may stand in them, as Python and NumPy print ids.

    Raises:
        UsageError: something that is no id.

    >>> sequences_in(["1 14 22", "[[1, 5], [6]]"]), sequences_in(["1", "14"])
    ([[1, 14, 22], [1, 5], [6]], [[1, 14]])
    """
    sequences = [_ids(part) for text in arguments for part in re.split(r"[\[\]()]+", text)]
    sequences = [ids for ids in sequences if ids]
    if len(arguments) > 1 and all(len(ids) == 1 for ids in sequences):
        return [[ids[0] for ids in sequences]]
    return sequences


def _ids(text: str) -> list[int]:
    ids = []
    for item in re.split(r"[\s,;]+", text):
        digits = item.removeprefix("-")
        if not item:
            continue
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > _MOST_DIGITS:
            raise UsageError(
                f"{clipped_repr(item)} is no id; expected whole numbers, such as 1 14 22"
            )
        ids.append(int(item))
    return ids


def of_source(source: Source) -> IdWords:
    """Return what the ids of a source stand for: id i is row i.

    Raises:
        UsageError: the source has no words.
    """
    words = source.words
    if words is None:
        raise UsageError(
            f"{source.path!r} has no words, so its ids cannot be read; name a file of them with "
            "--words FILE"
        )
    warnings: tuple[str, ...] = ()
    if source.row_0_is_a_word:
        warnings = (
            f"ids are the numbers of rows here, and row 0 is {clipped_repr(str(words[0]))}; in "
            "sequences that are padded with 0, each word stands one higher",
        )
    reserved: dict[int, Status] = {}
    if source.row_0_is_padding and words[0] is None:
        reserved[0] = "padding"
    vocabulary, join = source.vocabulary, None
    if source.has_own_tokens:
        try:
            vocabulary, _ = source.vocabulary_by_row()
        except DataError as error:  # the tokens are known all the same
            warnings = (f"the text has a space between tokens: {error}",)
    if isinstance(vocabulary, SubwordVocabulary):
        join = vocabulary.join
        if vocabulary.fill.reason is None:
            reserved[vocabulary.padding_id] = "padding"
    if vocabulary is not None:
        reserved |= dict.fromkeys(vocabulary.unknown_ids, "unknown")
        if vocabulary.start_id is not None:
            reserved[vocabulary.start_id] = "start"
    named = {row: word for row, word in enumerate(words) if word is not None}
    return IdWords(
        source.path,
        f"id i is row i; words from {source.words_from}",
        named,
        reserved,
        source.matrix.input_dim,
        warnings,
        join,
    )


def of_file(path: str, index_from: int | None = None) -> IdWords:
    """Return what ids stand for by a file of words: a list, a mapping, or a saved tokenizer.

    Args:
        index_from: is added to the file's own ids, or places; 3 for Keras's IMDB index, whose data
            also have a start id and one for unknown words.

    Raises:
        DataError: the file cannot be read, or holds no words.
        UsageError: a negative `index_from`.
    """
    file = load(path)
    words = {id_: word for word, id_ in reversed(file.numbered(index_from or 0))}
    reserved: dict[int, Status] = {} if 0 in words else {0: "padding"}
    warnings: tuple[str, ...] = ()
    if file.tokenizer is not None:
        oov = from_json(file.tokenizer, repr(path)).oov_id
        reserved |= {} if oov is None else {oov + (index_from or 0): "unknown"}
    elif is_imdb_index(dict(file.pairs)):
        if index_from == INDEX_FROM:
            reserved |= {START: "start", UNKNOWN: "unknown"}
        elif index_from is None:
            warnings = (
                f"{path} looks like the index of Keras's IMDB data, whose ids stand 3 above it; to "
                "read reviews of load_data: --index-from 3",
            )
    return IdWords(path, f"{plural(len(words), 'word')}, {file.placing(index_from or 0)}", words,
                   reserved, None, warnings)  # fmt: skip


def of_what_is_no_matrix(path: str, error: DataError) -> IdWords:
    """Return what ids stand for by a file that is no matrix.

    Raises:
        DataError: it is no file of words either; the error is that of reading the matrix.
    """
    if not Path(path).is_file():
        raise error
    try:
        return of_file(path)
    except DataError:
        raise error from None
