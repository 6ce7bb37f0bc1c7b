"""How a case is put together: from paths, or from what was read there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from embedinspect import samples
from embedinspect.analysis.doctor.case import Case
from embedinspect.errors import DataError, UsageError
from embedinspect.formats.vocabulary_file import FileOfWords, load
from embedinspect.lookup import Settings
from embedinspect.row_words import Words, has_capitals
from embedinspect.saved_vocabulary import rules_from_json
from embedinspect.source import Source, SourceOptions, open_source
from embedinspect.tokenizing.layer_vocabulary import LayerVocabulary
from embedinspect.tokenizing.lookup_layer import TEXT, LookupLayer
from embedinspect.tokenizing.subwords import SubwordVocabulary
from embedinspect.vocabulary import Tokenization, Vocabulary, fit
from embedinspect.wording import clipped_repr, plural

_LARGEST_ID = 2**31 - 2
_TEXT_SUFFIXES = frozenset({".txt", ".csv", ".tsv", ".jsonl"})


def open_case(
    path: str | None,
    options: SourceOptions,
    texts: Sequence[str],
    settings: Settings,
    *,
    padding_given: bool,
    filters_given: bool,
    reference: str | None = None,
) -> Case:
    """Read what there is to look at.

    Args:
        path: of the source, if there is one.
        options: of the source; its file of words is read leniently, as what is wrong with it is
            to be found.
        padding_given: whether the side of the padding was set, and is not just the default.
        filters_given: whether the filters were set, and are not just the default.
        reference: path of vectors by word.

    Raises:
        UsageError: options that contradict the source.
        DataError: a file that cannot be read.
    """
    source = words = None
    if path is not None:
        source = _open_model(path, replace(options, words=None, index_from=None))
        _refuse_mask(source, settings)
    if options.words is not None and (source is None or source.run is None):
        words = load(options.words, source.matrix.input_dim if source is not None else None)
    against = None
    if reference is not None:
        against = open_source(reference, SourceOptions(cache=options.cache))
    return make_case(
        settings,
        texts,
        source=source,
        words=words,
        words_path=options.words or "",
        index_from=options.index_from,
        padding_given=padding_given,
        filters_given=filters_given,
        reference=against,
    )


def _open_model(path: str, options: SourceOptions) -> Source:
    """Return the source; where its path looks like a text or like texts, the error says more."""
    try:
        return open_source(path, options)
    except DataError as error:
        if not (os.path.lexists(path) or samples.is_sample(path) or Path(path).suffix):
            raise DataError(f"{error}; a text without a source goes into --text") from None
        if Path(path).suffix in _TEXT_SUFFIXES or samples.is_sample(path):
            raise DataError(f"{error}; to check its texts: --file {path}") from None
        raise


def make_case(
    settings: Settings,
    texts: Sequence[str] = (),
    *,
    source: Source | None = None,
    words: FileOfWords | None = None,
    words_path: str = "",
    index_from: int | None = None,
    padding_given: bool = False,
    filters_given: bool = False,
    reference: Source | None = None,
) -> Case:
    """Put together what was read.

    Args:
        words: the words of --vocabulary; without them those of the source are used.
        words_path: of the file with these words.

    Raises:
        UsageError: options that contradict the source, its words or the reference.
    """
    case = Case(settings, source, index_from=index_from, padding_given=padding_given)
    if source is not None and source.run is not None:
        run = source.run
        case = replace(case, settings=run.lookup_settings, vocabulary=run.vocabulary)
        case = replace(case, padding_given=True)
    elif words is not None:
        case = _with_file_of_words(case, words, words_path)
    elif source is not None and source.lookup is not None and source.lookup.words is not None:
        case = _with_words_of_model(case, source, source.lookup, texts)
    elif source is not None and source.has_own_tokens and texts:
        case = _with_subwords(case, source)
    elif source is not None and source.words is not None and texts:
        vocabulary, moved = source.vocabulary_by_row()
        case = replace(case, vocabulary=vocabulary, moved=moved)
    case = _with_texts(case, settings, texts, filters_given=filters_given)
    if reference is not None:
        _refuse_reference(case, reference)
    return replace(case, reference=reference)


def _with_file_of_words(case: Case, words: FileOfWords, path: str) -> Case:
    shift = case.index_from or 0
    pairs = words.numbered(shift)
    index: dict[str, int] = {}
    for word, id_ in pairs:
        if 0 < id_ <= _LARGEST_ID:
            index.setdefault(word, id_)
    if words.tokenizer is not None:
        vocabulary = replace(rules_from_json(words.tokenizer, repr(path)), word_index=index)
    else:
        rules = Tokenization(lower=not has_capitals(index))
        vocabulary = Vocabulary(index, tokenization=rules)
    case = replace(case, pairs=pairs, listed=words.listed is not None, vocabulary=vocabulary)
    if case.source is None:
        return case
    matrix = case.source.matrix
    placed: list[str | None] = [None] * matrix.input_dim
    for word, id_ in pairs:
        if 0 <= id_ < len(placed) and placed[id_] is None:
            placed[id_] = word
    source = replace(
        case.source,
        matrix=replace(matrix, words=Words(placed)),
        words_from=f"{path}, {words.placing(shift)}",
    )
    moved = case.listed and source.row_0_is_a_word
    if moved:  # an array with its words: ids of texts stand one further down, as in `show`
        index = {word: id_ + 1 for word, id_ in pairs}
        vocabulary = replace(vocabulary, word_index=index)
    return replace(case, source=source, vocabulary=vocabulary, moved=moved)


def _with_words_of_model(
    case: Case, source: Source, lookup: LookupLayer, texts: Sequence[str]
) -> Case:
    """Return the case with all words of the lookup layer of the embedding, with or without a row.

    Raises:
        DataError: there are texts, and it cannot be known which ids the model gives them.
    """
    pairs: dict[str, int] = {}
    for id_, word in enumerate(lookup.words or ()):
        if word is not None:
            pairs.setdefault(word, id_)
    case = replace(
        case,
        source=replace(source, warnings=()),  # what they say is a finding
        pairs=list(pairs.items()),
    )
    if texts or source.no_ids is None:
        vocabulary, _ = source.vocabulary_by_row()
        case = replace(case, vocabulary=vocabulary)
    if lookup.class_name != TEXT:
        return case
    settings = replace(case.settings, padding="post", truncating="post")
    if isinstance(case.vocabulary, LayerVocabulary) and case.vocabulary.sequence_length is not None:
        settings = replace(settings, maxlen=case.vocabulary.sequence_length)
    return replace(case, settings=settings, padding_given=True)


def _with_subwords(case: Case, source: Source) -> Case:
    """Return the case with the tokenizer of a language model, and the length that it cuts to.

    Raises:
        DataError: it cannot be known which ids the model gives texts.
    """
    vocabulary, _ = source.vocabulary_by_row()
    assert isinstance(vocabulary, SubwordVocabulary)
    settings = replace(
        case.settings,
        maxlen=case.settings.maxlen or vocabulary.max_length,
        padding=vocabulary.fill.side,
        truncating=vocabulary.cut_side,
    )
    return replace(case, settings=settings, vocabulary=replace(vocabulary, max_length=None))


def _with_texts(
    case: Case, settings: Settings, texts: Sequence[str], *, filters_given: bool
) -> Case:
    """Return the case with the texts and their ids.

    Without a vocabulary and a source, their own words are counted.
    """
    if case.vocabulary is not None:
        vocabulary = case.vocabulary.adjusted(
            num_words=settings.num_words,
            oov_token=settings.oov_token,
            filters=settings.tokenization.filters if filters_given else None,
            origin="the vocabulary",
        )
        ids = [np.array(row, np.int32) for row in vocabulary.encode(texts)]
        return replace(case, vocabulary=vocabulary, ids=ids, texts=texts)
    case = replace(case, texts=texts)
    if not texts or case.source is not None:  # by which ids a model reads them is not known
        return case
    vocabulary, ids = fit(
        texts,
        num_words=settings.num_words,
        oov_token=settings.oov_token,
        tokenization=settings.tokenization,
        count_documents=False,
    )
    return replace(case, vocabulary=vocabulary, counted=True, ids=ids)


def _refuse_mask(source: Source, settings: Settings) -> None:
    layer = source.layer
    if layer is not None and layer.mask_zero is False and settings.mask_zero:
        raise UsageError(
            f"--mask-zero was given, but the layer {clipped_repr(layer.name)} of "
            f"{source.path!r} has mask_zero=False; leave it out"
        )


def _refuse_reference(case: Case, reference: Source) -> None:
    if case.source is None or case.source.words is None:
        raise UsageError(
            "--reference compares the rows of words; name their matrix as SOURCE, and its words "
            "with --vocabulary where it has none"
        )
    if reference.words is None:
        raise UsageError(
            f"--reference {reference.path!r} has no words; expected vectors by word, such as "
            "GloVe's"
        )
    width, own = reference.matrix.output_dim, case.source.matrix.output_dim
    if width != own:
        raise UsageError(
            f"--reference {reference.path!r} has {plural(width, 'dimension')}, "
            f"{case.source.path!r} has {own}; expected the vectors that the rows were made from"
        )
