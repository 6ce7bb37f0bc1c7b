"""Texts traced through the tokenizer of a language model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.lookup import Lookup, Settings, look_up
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.sequences import Side
from embedinspect.source import Source
from embedinspect.tokenizing.subwords import SubwordVocabulary
from embedinspect.training.run_folder import Run
from embedinspect.wording import clipped_repr, plural

# How tokenizers mark that a piece goes on with a word, or begins one.
_MARKS = ("##", "Ġ", "▁")
_MOST_WORDS, _FEW_PIECES, _SHARE_OF_PIECES = 20_000, 5, 0.05
_MOST_POSITIONS = 2**20  # that a tokenizer's own padding may take for each text


@dataclass(frozen=True)
class Traced:
    """Texts that were traced, and what to know about them.

    Attributes:
        lookup: the texts, from tokens to vectors.
        notes: what was done to the rows, each a sentence.
        run: the run whose classifier can judge the texts; None where there is none.
        vocabulary_path: of the saved vocabulary that gave the ids; None where none did.
        unpredictable: why the classifier of a run cannot judge them; None where it can, and where
            there is no run.
    """

    lookup: Lookup
    notes: tuple[str, ...] = ()
    run: Run | None = None
    unpredictable: str | None = None
    vocabulary_path: str | None = None


def trace_subwords(
    texts: Sequence[str],
    vocabulary: SubwordVocabulary,
    matrix: EmbeddingMatrix,
    settings: Settings,
    *,
    padding: Side | None = None,
    truncating: Side | None = None,
) -> Traced:
    """Trace texts as the tokenizer of a language model cuts, limits and pads them.

    A `maxlen` in the settings counts the special tokens, as the tokenizer's own limit does, and is
    the number of positions, too.

    Args:
        padding: the side of the padding, if not that of the tokenizer.
        truncating: the side on which long texts are cut, if not that of the tokenizer.

    Raises:
        UsageError: settings that contradict the tokenizer.
        DataError: a text that the tokenizer cannot take, or an id without a row.
    """
    if settings.mask_zero and vocabulary.padding_id != 0:
        raise UsageError(
            f"--mask-zero takes id 0 for padding, and in {vocabulary.label} id 0 is "
            f"{clipped_repr(vocabulary.words.get(0, 'none'))}; leave it out"
        )
    vocabulary = replace(vocabulary, cut_side=truncating or vocabulary.cut_side)
    if settings.maxlen is not None:
        vocabulary = vocabulary.limited(settings.maxlen)
        vocabulary = replace(vocabulary, fill=replace(vocabulary.fill, length=None, multiple=1))
    ids = [np.array(row, np.int32) for row in vocabulary.encode(texts)]
    settings = replace(
        settings,
        maxlen=settings.maxlen or _width(vocabulary, max(map(len, ids), default=0)),
        padding=padding or vocabulary.fill.side,
        truncating=vocabulary.cut_side,
    )
    lookup = look_up(texts, settings, vocabulary=vocabulary, ids=ids, matrix=matrix)
    return Traced(lookup, tuple(_notes(lookup, vocabulary)))


def warn_of_subwords(source: Source) -> Iterator[str]:
    """Yield a warning where the words of a source are pieces, and no tokenizer cuts texts so."""
    words = [word for word in islice(source.words or (), _MOST_WORDS) if word is not None]
    pieces = [word for word in words if word.startswith(_MARKS) and word not in _MARKS]
    if len(pieces) > max(_FEW_PIECES, len(words) * _SHARE_OF_PIECES):
        yield (
            f"Warning: words of {source.path} such as {clipped_repr(pieces[0])} are pieces of a "
            "tokenizer, which is not at hand: texts are cut into whole words here, and a model "
            "gives them other ids; name the model's folder to trace them"
        )


def _width(vocabulary: SubwordVocabulary, longest: int) -> int:
    """Return to how many positions sequences are padded, of which the longest has so many.

    Raises:
        DataError: the tokenizer's own length is beyond measure.
    """
    width = vocabulary.width(longest)
    if width <= max(longest, _MOST_POSITIONS):
        return width
    raise DataError(
        f"{vocabulary.label} pads texts to {width:,} positions; expected at most "
        f"{_MOST_POSITIONS:,}; give a number of your own: --maxlen"
    )


def _notes(lookup: Lookup, vocabulary: SubwordVocabulary) -> Iterator[str]:
    """Yield what a reader of the ids must know of the tokenizer that gives them."""
    if lookup.padding_positions and vocabulary.fill.reason is not None:
        yield f"{vocabulary.label} {vocabulary.fill.reason}"
    if vocabulary.fill.length is not None:
        yield (
            f"{vocabulary.label} pads every text to {plural(vocabulary.fill.length, 'position')}; "
            "--maxlen gives another number"
        )
    if vocabulary.dropout:
        yield (
            f"{vocabulary.label} has a dropout of {vocabulary.dropout:g}, by which texts are cut "
            "at random in training; it is left out here"
        )
