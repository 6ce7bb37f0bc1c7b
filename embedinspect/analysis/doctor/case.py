"""What `doctor` looks at: settings, and whatever there is of matrix, words, model and texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from embedinspect.analysis.doctor.marks import Marks
from embedinspect.analysis.health import Health, Rows, examine
from embedinspect.analysis.language_model import (
    LanguageModel,
    LikeUnused,
    SpacedPairs,
    known_unused,
    language_model,
    like_unused,
    spaced_pairs,
)
from embedinspect.formats.keras_graph import Behind, Node, Reader, behind
from embedinspect.lookup import Settings
from embedinspect.matrix import but_for
from embedinspect.sequences import IntArray
from embedinspect.source import Source
from embedinspect.vocabulary import Vocabulary
from embedinspect.wording import clipped_repr

if TYPE_CHECKING:
    from embedinspect.analysis.doctor.finding import Finding

# The kinds of findings after which a row cannot be named by its word.
MISPLACED = frozenset({"shifted-rows", "rows-of-other-words"})

# A piece of evidence:
#   matrix         a source
#   rows           how many rows there are
#   words          of the rows, or of the ids
#   ids            of words, from elsewhere than from the rows themselves
#   file of words  a vocabulary that gives words ids of their own
#   list of words  a vocabulary that has them in order
#   vocabulary     by which texts become ids
#   texts          of the user
#   maxlen         positions in each sequence
#   padding        on which side of a text it is added
#   mask           whether the embedding layer makes one, where that decides what id 0 may be
#   layers         behind the embedding layer
#   known layers   none of them is of a kind that may do anything
#   config         of a model
#   Keras version  that a file was written by
#   run            with rows from before training and after it
#   reference      the vectors that rows were made from
Need = Literal[
    "matrix", "rows", "words", "ids", "file of words", "list of words", "vocabulary", "texts",
    "maxlen", "padding", "mask", "layers", "known layers", "config", "Keras version", "run",
    "reference",
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What is known; None or empty where it is not.

    Attributes:
        settings: how texts are tokenized, padded and cut.
        source: matrix, words and model.
        pairs: words and their ids as --vocabulary or a lookup layer of the model has them,
            `index_from` added; in a list, a word's place is its id. Ids may be negative, or have
            no row.
        listed: whether that file lists words in order, and so says nothing of ids.
        index_from: what was added to these ids; None where the option was not given.
        vocabulary: by which the texts are encoded.
        counted: whether it was counted from the texts themselves.
        moved: whether its ids stand one above the rows of the source, under a row for the padding.
        texts: the user's texts.
        ids: the ids of each text, before padding.
        reference: vectors by word, which the matrix should hold.
        padding_given: whether the side of the padding is known, and not just the default.
        findings: of the checks before, so that no fact is told twice.
    """

    settings: Settings
    source: Source | None = None
    pairs: Sequence[tuple[str, int]] = ()
    listed: bool = False
    index_from: int | None = None
    vocabulary: Vocabulary | None = None
    counted: bool = False
    moved: bool = False
    texts: Sequence[str] = ()
    ids: Sequence[IntArray] = field(default=())
    reference: Source | None = None
    padding_given: bool = False
    findings: list[Finding] = field(default_factory=list)

    def has(self, need: Need) -> bool:
        """Return whether what a check needs is known."""
        source = self.source
        keras = source.keras if source is not None else None
        layer = source.layer if source is not None else None
        run = source.run if source is not None else None
        known: dict[Need, bool] = {
            "matrix": source is not None,
            "rows": self.rows is not None,
            "words": self.vocabulary is not None or (source is not None and bool(source.words)),
            "ids": bool(self.pairs)
            or (self.vocabulary is not None and (source is None or run is not None)),
            "file of words": bool(self.pairs),
            "list of words": bool(self.pairs) and self.listed,
            "vocabulary": self.vocabulary is not None,
            "texts": bool(self.texts),
            "maxlen": self.maxlen is not None,
            "padding": self.padding_given or source is None,
            "mask": (layer is not None and layer.mask_zero is not None)
            or self.mask_zero
            or ("[UNK]", 0) not in self.pairs,
            "layers": self.behind is not None,
            "known layers": self.behind is not None and not self.behind.unknown,
            "config": keras is not None and keras.config is not None,
            "Keras version": version_of(keras.version if keras is not None else None) is not None,
            "run": run is not None and source is not None and source.epoch != 0,
            "reference": self.reference is not None,
        }
        return known[need]

    def kinds(self) -> set[str]:
        """Return the kinds of what the checks before have found."""
        return {finding.kind for finding in self.findings}

    def unsaid(self, rows: Rows, *kinds: str) -> Rows:
        """Return those of some rows that no finding of these kinds has named already."""
        return but_for(rows, *(one.rows for one in self.findings if one.kind in kinds))

    @property
    def rows(self) -> int | None:
        """Number of rows that ids can be looked up in."""
        if self.source is not None:
            return self.source.matrix.input_dim + self.moved
        return self.settings.input_dim

    @property
    def limit(self) -> int | None:
        """`num_words`: ids from this one on are not used."""
        return self.settings.num_words or (self.vocabulary.num_words if self.vocabulary else None)

    @property
    def misplaced(self) -> bool:
        """Whether rows were found to hold the vectors of other words than their own."""
        return not self.kinds().isdisjoint(MISPLACED)

    @cached_property
    def health(self) -> Health:
        """What the matrix is like."""
        assert self.source is not None
        return examine(self.source)

    @cached_property
    def language_model(self) -> LanguageModel | None:
        """What can be said of the matrix as a table of tokens; None where it is none."""
        return None if self.source is None else language_model(self.source)

    @cached_property
    def like_unused(self) -> list[LikeUnused]:
        """The tokens that are as those which are known to be unused, by each mark."""
        assert self.source is not None
        assert self.language_model is not None
        unused = known_unused(self.source, self.language_model)
        return like_unused(self.source, self.language_model, unused)

    @cached_property
    def spaced_pairs(self) -> SpacedPairs | None:
        """The tokens that are there with a space before them and without."""
        return None if self.source is None else spaced_pairs(self.source)

    @cached_property
    def marks(self) -> Marks:
        """What the numbers of the matrix tell about its rows."""
        assert self.source is not None
        return Marks(self.source)

    @cached_property
    def behind(self) -> Behind | None:
        """What lies behind the embedding layer, where the model is known."""
        source = self.source
        if source is None:
            return None
        if source.run is not None:
            node = Node("lstm", "LSTM", {})
            return Behind(
                (Reader(node, self.settings.mask_zero),), (), (), source.run.settings.maxlen
            )
        if source.keras is None or source.layer is None or source.keras.config is None:
            return None
        mask_zero = bool(source.layer.mask_zero)
        return behind(source.keras.config, source.layer.name, mask_zero=mask_zero)

    @property
    def maxlen(self) -> int | None:
        """Number of positions in each sequence, where it is known."""
        if self.settings.maxlen is not None:
            return self.settings.maxlen
        return self.behind.input_length if self.behind is not None else None

    @property
    def mask_zero(self) -> bool:
        """Whether the embedding layer makes a mask."""
        layer = self.source.layer if self.source is not None else None
        if layer is not None and layer.mask_zero is not None:
            return layer.mask_zero
        return self.settings.mask_zero

    @cached_property
    def tokens(self) -> Counter[str]:
        """How often each token stands in the texts."""
        assert self.vocabulary is not None
        counts: Counter[str] = Counter()
        for text in self.texts:
            counts.update(self.vocabulary.tokenization.tokens(text))
        return counts

    @cached_property
    def lengths(self) -> IntArray:
        """How many ids each text has."""
        return np.array([len(ids) for ids in self.ids], np.int32)

    @cached_property
    def word_ids(self) -> list[tuple[int, str]]:
        """Each id that is used, with its word, in the order of ids."""
        if self.pairs:
            word_ids = [(id_ + self.moved, word) for word, id_ in self.pairs]
        elif self.vocabulary is not None:
            word_ids = [(id_, word) for word, id_ in self.vocabulary.word_index.items()]
        else:
            words = self.source.words if self.source is not None else None
            word_ids = [(row, word) for row, word in enumerate(words or ()) if word is not None]
        limit = self.limit
        return sorted(pair for pair in word_ids if limit is None or pair[0] < limit)

    def row_label(self, row: int) -> str:
        """Return the number of a row, with its word if it holds the vector of that word."""
        assert self.source is not None
        words = None if self.misplaced else self.source.words
        word = words[row] if words is not None else None
        return f"row {row:,}" + (f" ({clipped_repr(word)})" if word is not None else "")


def version_of(text: str | None) -> tuple[int, ...] | None:
    """Return the numbers of a version, or None where there are none.

    >>> version_of("3.15.1"), version_of("3.16.dev"), version_of(None)
    ((3, 15, 1), (3, 16, 0), None)
    """
    numbers = re.match(r"(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", text or "")
    return None if numbers is None else tuple(int(part or 0) for part in numbers.groups())
