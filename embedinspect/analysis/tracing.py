"""With which vocabulary, settings and rows the texts of `show` are traced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from embedinspect.analysis.subword_tracing import Traced as Traced
from embedinspect.analysis.subword_tracing import trace_subwords, warn_of_subwords
from embedinspect.errors import UsageError
from embedinspect.formats import open_file
from embedinspect.formats.contents import Contents
from embedinspect.formats.vocabulary_file import VOCABULARY_SUFFIX
from embedinspect.lookup import Lookup, Settings, look_up
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.saved_vocabulary import read_vocabulary
from embedinspect.sequences import Side
from embedinspect.source import Source
from embedinspect.text_vectorization import vectorize
from embedinspect.tokenizing.layer_vocabulary import LayerVocabulary
from embedinspect.tokenizing.lookup_layer import TEXT
from embedinspect.tokenizing.rules import LayerTokenization
from embedinspect.tokenizing.subwords import SubwordVocabulary
from embedinspect.training.run_folder import Run
from embedinspect.vocabulary import Vocabulary
from embedinspect.wording import clipped_repr


def trace(
    texts: Sequence[str],
    settings: Settings,
    *,
    vocabulary_path: str | None = None,
    matrix_path: str | None = None,
    filters: str | None = None,
    count_documents: bool = False,
) -> Traced:
    """Trace texts by the classic Tokenizer's rules.

    Args:
        vocabulary_path: of a saved vocabulary; without it the words of the texts are counted.
        matrix_path: of the rows; without it they are drawn.
        filters: the filters where they were given; None where they are just the default.
        count_documents: also count the texts that hold each word, for a vocabulary to be saved.

    Raises:
        UsageError: settings that contradict the vocabulary or the matrix, or each other.
        DataError: a file that cannot be read, or a matrix without a row for an id of the texts.
    """
    contents = None if matrix_path is None else open_file(matrix_path)
    beside = None if contents is None else _vocabulary_beside(contents)
    notes: list[str] = []
    if beside is not None and vocabulary_path is None:
        notes.append(f"the ids are those of {beside}, which lies beside {matrix_path}")
        vocabulary_path = beside
    vocabulary = _saved(vocabulary_path, settings, filters)
    lookup = look_up(
        texts,
        settings,
        vocabulary=vocabulary,
        matrix=_matrix_of(contents, matrix_path),
        count_documents=count_documents,
    )
    if contents is not None and matrix_path is not None:
        notes += _other_ids(lookup, contents, matrix_path, beside)
    return Traced(lookup, tuple(notes), vocabulary_path=vocabulary_path)


def trace_by_text_vectorization(
    texts: Sequence[str],
    settings: Settings,
    *,
    matrix_path: str | None = None,
    backend: str | None = None,
) -> Traced:
    """Trace texts by Keras's TextVectorization, which pads and cuts at the end.

    Raises:
        UsageError: settings that contradict the matrix.
        DataError: texts that the layer cannot take, or a matrix that does not fit.
        KerasUnavailable: Keras or TensorFlow cannot be imported.
    """
    settings = replace(settings, padding="post", truncating="post")
    contents = None if matrix_path is None else open_file(matrix_path)
    matrix = _matrix_of(contents, matrix_path)
    vocabulary, ids = vectorize(texts, settings.num_words, settings.maxlen, backend)
    lookup = look_up(texts, settings, vocabulary=vocabulary, ids=ids, matrix=matrix)
    if contents is None or matrix_path is None:
        return Traced(lookup)
    return Traced(lookup, tuple(_other_ids(lookup, contents, matrix_path)))


def trace_by_source(
    texts: Sequence[str],
    source: Source,
    settings: Settings,
    *,
    filters: str | None = None,
    tokenizer: str | None = None,
    padding: Side | None = None,
    truncating: Side | None = None,
) -> Traced:
    """Trace texts through the words and rows of a source; a run brings its settings, too.

    Args:
        padding: the side of the padding where it was given; a language model has one of its own.
        truncating: the side on which long texts are cut, likewise.
        filters: the filters where they were given; None to use the source's own.
        tokenizer: `classic` or `textvectorization` where it was given: by whose rules the texts
            are cut for a source that has only words. A model has rules of its own.

    Raises:
        UsageError: an option that the source contradicts, or a source without words.
        DataError: it cannot be known which ids a model gives the texts.
    """
    if source.run is not None:
        return _trace_by_run(texts, source, source.run)
    words, moved = source.vocabulary_by_row()
    if tokenizer is not None:
        words = _cut_by(tokenizer, words, source)
        if tokenizer == "textvectorization":
            settings = replace(settings, padding="post", truncating="post")
    vocabulary = words.adjusted(
        num_words=settings.num_words,
        oov_token=settings.oov_token,
        filters=filters,
        origin=repr(source.path),
    )
    if isinstance(vocabulary, SubwordVocabulary):
        return trace_subwords(
            texts, vocabulary, source.matrix, settings, padding=padding, truncating=truncating
        )
    pieces = (*warn_of_subwords(source), *_composing(source))
    if moved:
        matrix = source.matrix.with_padding_row()
        note = (
            f"row 0 of {source.path} is {source.name_of(0)!r}, and id 0 is the padding in Keras: "
            "its rows stand one further down here, under a row of zeros"
        )
        lookup = look_up(texts, settings, vocabulary=vocabulary, matrix=matrix)
        return Traced(lookup, (note, *pieces))
    if source.layer is not None and source.layer.mask_zero:
        settings = replace(settings, mask_zero=True)
    notes = (*_other_rules(vocabulary, source), *pieces)
    if isinstance(vocabulary, LayerVocabulary):
        settings = _padded_by(vocabulary, settings, source.path)
        notes = tuple(_layer_notes(vocabulary, source.path))
    return Traced(look_up(texts, settings, vocabulary=vocabulary, matrix=source.matrix), notes)


def _cut_by(tokenizer: str, words: Vocabulary, source: Source) -> Vocabulary:
    """Return the vocabulary with the rules of a tokenizer.

    Raises:
        UsageError: the source has other rules of its own.
    """
    if source.vocabulary is not None or isinstance(words, SubwordVocabulary):
        if words.name != tokenizer:
            raise UsageError(
                f"--tokenizer is {tokenizer}, but {source.path!r} has rules of its own "
                f"({words.name}); leave it out"
            )
        return words
    if tokenizer == "classic":
        return words
    if words.tokenization.lower:
        return replace(words, tokenization=LayerTokenization(), name=tokenizer)
    # Words with capitals would not be found if texts were lower-cased.
    return replace(
        words, tokenization=LayerTokenization(standardize="strip_punctuation"), name=tokenizer
    )


def _padded_by(vocabulary: LayerVocabulary, settings: Settings, path: str) -> Settings:
    """Return the settings with the length and the sides of a layer, which pads and cuts at the end.

    Raises:
        UsageError: another length was asked for.
    """
    length = vocabulary.sequence_length
    if settings.maxlen not in {None, length}:
        has = "the longest text" if length is None else f"{length} positions"
        raise UsageError(
            f"--maxlen is {settings.maxlen}, but {vocabulary.layer} of {path!r} pads to {has}; "
            "leave it out"
        )
    return replace(settings, maxlen=length, padding="post", truncating="post")


def _other_rules(vocabulary: Vocabulary, source: Source) -> Iterator[str]:
    """Yield that a model cuts texts by rules of its own, where the words are those of a file."""
    layers = source.keras.lookups.layers if source.keras is not None else ()
    own = [layer for layer in layers if layer.class_name == TEXT]
    if own and not isinstance(vocabulary, LayerVocabulary):
        yield (
            f"the words are those of --words, so texts are cut by --tokenizer {vocabulary.name}; "
            f"{own[0].label} of {source.path} has rules of its own"
        )


def _composing(source: Source) -> Iterator[str]:
    """Yield that a source composes vectors, which a matrix of rows cannot hold."""
    if source.contents.compose is not None:
        yield (
            f"{source.path} composes a vector for a word without a row (embedinspect rows shows "
            "it), but no row of a matrix is it: such words are left out here"
        )


def _layer_notes(vocabulary: LayerVocabulary, path: str) -> Iterator[str]:
    """Yield what a reader of the ids must know of the layer that gives them."""
    if vocabulary.token_for_text:
        yield f"{vocabulary.layer} of {path} looks up whole strings: each text is one token"
    if vocabulary.ragged:
        yield f"{vocabulary.layer} of {path} adds no padding: each text is as long as its ids"


def _trace_by_run(texts: Sequence[str], source: Source, run: Run) -> Traced:
    lookup = look_up(texts, run.lookup_settings, vocabulary=run.vocabulary, matrix=source.matrix)
    if source.epoch == run.epochs:
        return Traced(lookup, run=run)
    # Of an earlier epoch only the rows of the embedding are kept.
    reason = (
        f"no predictions: only the rows of epoch {source.epoch} are kept, the rest of the "
        f"classifier is that of epoch {run.epochs}"
    )
    return Traced(lookup, unpredictable=reason)


def _matrix_of(contents: Contents | None, path: str | None) -> EmbeddingMatrix | None:
    return None if contents is None else EmbeddingMatrix(contents.rows, f"from {path}")


def _vocabulary_beside(contents: Contents) -> str | None:
    """Return the path of the saved vocabulary that lies beside a matrix, if one does."""
    beside = contents.words_beside
    if beside is None or not beside.name.endswith(VOCABULARY_SUFFIX):
        return None
    return str(beside)


def _other_ids(
    lookup: Lookup, contents: Contents, path: str, beside: str | None = None
) -> Iterator[str]:
    """Yield a warning where the rows of a file are known to be those of other ids.

    Args:
        beside: the saved vocabulary that lies beside the file.
    """
    if beside is not None:
        own = read_vocabulary(beside).word_index
        index = lookup.vocabulary.word_index
        word = next((word for word, id_ in index.items() if own.get(word) != id_), None)
        if word is not None:
            yield (
                f"Warning: the ids here are not those of {beside}, which lies beside {path}: "
                f"{clipped_repr(word)} has id {index[word]} here and {own.get(word, 'none')} "
                "there, so its vector is that of another word"
            )
    elif contents.words is not None or contents.words_beside is not None:
        whose = "words of its own" if contents.words is not None else str(contents.words_beside)
        yield (
            f"Warning: {path} has {whose}, and the ids here are others: each word is shown with "
            f"the row of its id, whatever that row's word is; show --from {path} goes by the words"
        )


def _saved(path: str | None, settings: Settings, filters: str | None) -> Vocabulary | None:
    """Return the saved vocabulary, with the `num_words` of the settings if there is one.

    Raises:
        UsageError: an option that the saved vocabulary contradicts.
    """
    if path is None:
        return None
    saved = read_vocabulary(path)
    rules = saved.tokenization
    for option, wanted, has in (
        ("--oov-token", settings.oov_token, saved.oov_token),
        ("--filters", filters, rules.filters),
        ("--char-level", settings.tokenization.char_level or None, rules.char_level),
    ):
        if wanted is not None and wanted != has:
            raise UsageError(
                f"{option} is {wanted!r}, but {path!r} was saved with {has!r}; leave it out"
            )
    return saved.adjusted(num_words=settings.num_words, origin=repr(path))
