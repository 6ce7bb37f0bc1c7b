"""What `doctor` looks at: settings, and whatever of matrix, words, model and texts there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from embedinspect.analysis.health import Health, examine
from embedinspect.errors import UsageError
from embedinspect.formats.keras_files import KerasFile
from embedinspect.formats.keras_graph import Behind, Node, Reader, behind
from embedinspect.formats.vocabulary_file import load
from embedinspect.lookup import Settings
from embedinspect.row_words import Words, has_capitals
from embedinspect.saved_vocabulary import from_json
from embedinspect.sequences import IntArray
from embedinspect.source import Source, SourceOptions, lookup_layer, open_source
from embedinspect.vocabulary import Tokenization, Vocabulary, fit
from embedinspect.wording import clipped_repr

Need = Literal[
    "matrix", "rows", "words", "file of words", "list of words", "texts", "sequences",
    "maxlen", "model", "keras", "run", "reference",
]  # fmt: skip
_LARGEST_ID = 2**31 - 2


@dataclass(frozen=True)
class Case:
    """What is known; None or empty where it is not.

    Attributes:
        settings: of tokenizing and of the sequences.
        source: matrix, words and model.
        pairs: words and their ids as --vocabulary has them, or a lookup layer of the model,
            `index_from` added; of a list, the item. Ids may be negative, or have no row.
        listed: whether that file lists words in order, and says nothing of ids.
        index_from: what was added to these ids; None where nothing was asked for.
        vocabulary: by which the texts are encoded.
        counted: whether it was counted from the texts themselves.
        moved: whether its ids stand one above the rows of the source, under a row for the padding.
        texts: of the user.
        ids: of each text, before padding.
        reference: vectors by word, which the matrix should hold.
        padding_said: whether the side of the padding was said, and is no default.
        misplaced: whether rows were found to hold the vectors of other words than their own.
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
    padding_said: bool = False
    misplaced: bool = False

    def has(self, need: Need) -> bool:
        """Return whether what a check needs is known."""
        source = self.source
        return {
            "matrix": source is not None,
            "rows": self.rows is not None,
            "words": self.vocabulary is not None or (source is not None and bool(source.words)),
            "file of words": bool(self.pairs),
            "list of words": bool(self.pairs) and self.listed,
            "texts": bool(self.texts) and self.vocabulary is not None,
            "sequences": bool(self.texts) or self.behind is not None,
            "maxlen": self.maxlen is not None,
            "model": self.behind is not None,
            "keras": source is not None and source.keras is not None,
            "run": source is not None and source.run is not None and source.epoch != 0,
            "reference": self.reference is not None,
        }[need]

    @property
    def rows(self) -> int | None:
        """How many rows ids can be looked up in."""
        if self.source is not None:
            return self.source.matrix.input_dim + self.moved
        return self.settings.input_dim

    @property
    def limit(self) -> int | None:
        """`num_words`: ids from this one on are not used."""
        return self.settings.num_words or (self.vocabulary.num_words if self.vocabulary else None)

    @cached_property
    def health(self) -> Health:
        """What the matrix is like."""
        assert self.source is not None
        return examine(self.source)

    @cached_property
    def behind(self) -> Behind | None:
        """What lies behind the embedding layer, where the model is known."""
        source = self.source
        if source is None:
            return None
        if source.run is not None:
            node = Node("lstm", "LSTM", {})
            return Behind((Reader(node, self.settings.mask_zero),), (), source.run.settings.maxlen)
        if source.keras is None or source.layer is None or source.keras.config is None:
            return None
        mask_zero = bool(source.layer.mask_zero)
        return behind(source.keras.config, source.layer.name, mask_zero=mask_zero)

    @property
    def maxlen(self) -> int | None:
        """Positions of each sequence, where they are known."""
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
        """The id of each word that is used, with the word, in the order of ids."""
        if self.pairs:
            found = [(id_ + self.moved, word) for word, id_ in self.pairs]
        elif self.vocabulary is not None:
            found = [(id_, word) for word, id_ in self.vocabulary.word_index.items()]
        else:
            words = self.source.words if self.source is not None else None
            found = [(row, word) for row, word in enumerate(words or ()) if word is not None]
        limit = self.limit
        return sorted(pair for pair in found if limit is None or pair[0] < limit)

    def name(self, row: int) -> str:
        """Return a row with its word, if it holds the vector of that word."""
        assert self.source is not None
        words = self.source.words if not self.misplaced else None
        word = words[row] if words is not None else None
        return f"row {row:,}" + (f" ({clipped_repr(word)})" if word is not None else "")


def open_case(
    path: str | None,
    options: SourceOptions,
    texts: Sequence[str],
    settings: Settings,
    *,
    padding_said: bool,
    filters_said: bool,
    reference: str | None = None,
) -> Case:
    """Return what there is to look at.

    Args:
        path: of the source, if there is one.
        options: of the source; its file of words is read leniently, as what is wrong with it is
            to be found.
        reference: path of vectors by word.

    Raises:
        UsageError: options that contradict the source.
        DataError: what cannot be read.
    """
    source = None
    if path is not None:
        source = open_source(path, replace(options, vocabulary=None, index_from=None))
        layer = source.layer
        if layer is not None and layer.mask_zero is False and settings.mask_zero:
            raise UsageError(
                f"--mask-zero was given, but the layer {clipped_repr(layer.name)} of --from has "
                "mask_zero=False; leave it out"
            )
    case = Case(settings, source, index_from=options.index_from, padding_said=padding_said)
    if source is not None and source.run is not None:
        case = replace(
            case,
            settings=source.run.lookup_settings,
            vocabulary=source.run.vocabulary,
            padding_said=True,
        )
    elif options.vocabulary is not None:
        case = _with_file_of_words(case, options.vocabulary)
    elif source is not None and source.keras is not None and source.keras.vocabularies:
        case = _with_words_of_model(case, source.keras)
    elif source is not None and source.words is not None and texts:
        vocabulary, moved = source.vocabulary_by_row()
        case = replace(case, vocabulary=vocabulary, moved=moved)
    if source is not None and source.keras is not None and not padding_said:
        case = replace(case, **_padding_of(case))
    if case.vocabulary is None and texts:
        vocabulary, ids = fit(
            texts,
            num_words=settings.num_words,
            oov_token=settings.oov_token,
            tokenization=settings.tokenization,
            count_documents=False,
        )
        case = replace(case, vocabulary=vocabulary, counted=True, ids=ids, texts=texts)
    elif case.vocabulary is not None and not case.counted:
        known = case.vocabulary.adjusted(
            num_words=settings.num_words,
            oov_token=settings.oov_token,
            filters=settings.tokenization.filters if filters_said else None,
            origin="the vocabulary",
        )
        ids = [np.array(row, np.int32) for row in known.encode(texts)]
        case = replace(case, vocabulary=known, ids=ids, texts=texts)
    if reference is not None:
        against = open_source(reference, SourceOptions(cache=options.cache))
        _refuse_reference(case, against)
        case = replace(case, reference=against)
    return case


def _padding_of(case: Case) -> dict[str, Any]:
    """Return the side of the padding where the model pads by itself, as TextVectorization does."""
    assert case.source is not None
    assert case.source.keras is not None
    from embedinspect.formats.keras_files import objects

    classes = {name for name, _ in objects(case.source.keras.config or {})}
    if "TextVectorization" not in classes:
        return {}
    return {"settings": replace(case.settings, padding="post"), "padding_said": True}


def _with_words_of_model(case: Case, keras: KerasFile) -> Case:
    """Return the case with the words of the model's own lookup layer, those without a row, too."""
    assert case.source is not None
    layer = lookup_layer(keras, case.source.matrix.input_dim)
    assert layer is not None
    words = keras.vocabularies[layer]
    pairs = [(word, id_) for id_, word in enumerate(words) if word]
    index = {word: id_ for word, id_ in pairs if id_}
    vocabulary, _ = case.source.vocabulary_by_row()
    return replace(
        case,
        source=replace(case.source, warnings=()),  # what they say is a finding
        pairs=pairs,
        vocabulary=replace(vocabulary, word_index=index),
    )


def _with_file_of_words(case: Case, path: str) -> Case:
    shift = case.index_from or 0
    if shift < 0:
        raise UsageError(f"--index-from is {shift}; expected 0 or more")
    source = case.source
    loaded = load(path, source.matrix.input_dim if source is not None else None)
    if loaded.listed is not None:
        items = enumerate(loaded.listed)
        pairs = [(word, number + shift) for number, word in items if word is not None]
    else:
        pairs = [(word, id_ + shift) for word, id_ in loaded.pairs]
    index: dict[str, int] = {}
    for word, id_ in pairs:
        if 0 < id_ <= _LARGEST_ID:
            index.setdefault(word, id_)
    if loaded.tokenizer is not None:
        vocabulary = replace(_rules_of(loaded.tokenizer, path), word_index=index)
    else:
        rules = Tokenization(lower=not has_capitals(index))
        vocabulary = Vocabulary(index, tokenization=rules)
    case = replace(case, pairs=pairs, listed=loaded.listed is not None, vocabulary=vocabulary)
    if source is None:
        return case
    placed: list[str | None] = [None] * source.matrix.input_dim
    for word, id_ in pairs:
        if 0 <= id_ < len(placed) and placed[id_] is None:
            placed[id_] = word
    words_from = f"{path}, item i names row i" if case.listed else f"{path}, by their own ids"
    words_from += f" + {shift}" if shift else ""
    matrix = replace(source.matrix, words=Words(placed))
    source = replace(source, matrix=matrix, words_from=words_from)
    moved = case.listed and source.row_0_is_a_word
    if moved:  # an array with its words: ids of texts stand one further down, as in `show`
        index = {word: id_ + 1 for word, id_ in pairs}
        vocabulary = replace(vocabulary, word_index=index)
    return replace(case, source=source, vocabulary=vocabulary, moved=moved)


def _rules_of(tokenizer: str, path: str) -> Vocabulary:
    """Return a saved tokenizer without its words, whose ids may be anything here."""
    import json

    saved = json.loads(tokenizer)
    empty = {"word_index": "{}", "word_counts": "{}", "word_docs": "{}"}
    return from_json(json.dumps({"config": saved["config"] | empty}), repr(path))


def _refuse_reference(case: Case, against: Source) -> None:
    if case.source is None or case.source.words is None:
        raise UsageError(
            "--reference compares the rows of words; name a source with --from, and its words with "
            "--vocabulary where it has none"
        )
    if against.words is None:
        raise UsageError(
            f"--reference {against.path!r} has no words; expected vectors by word, such as GloVe's"
        )
    width, own = against.matrix.output_dim, case.source.matrix.output_dim
    if width != own:
        raise UsageError(
            f"--reference {against.path!r} has {width} dimensions, {case.source.path!r} has {own}; "
            "expected the vectors that the rows were made from"
        )
