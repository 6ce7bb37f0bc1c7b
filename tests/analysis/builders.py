"""Models, runs and files of words that are made in memory, as if they had been read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from embedinspect.formats.keras_files import KerasFile
from embedinspect.formats.keras_lookups import lookups_in
from embedinspect.formats.keras_weights import KerasLayer, entries
from embedinspect.formats.model_tokens import ModelTokens
from embedinspect.formats.tensors import Tensor
from embedinspect.formats.vocabulary_file import FileOfWords
from embedinspect.source import Source, with_words_of_model
from embedinspect.training.run_folder import Run
from embedinspect.training.settings import TrainSettings
from embedinspect.vocabulary import Vocabulary
from tests.builders import source_of

SOUND_KERAS = "3.15.1"


def layer(class_name: str, name: str | None = None, **config: Any) -> dict[str, Any]:
    """Return a layer as the config of a model has it; it is named by its class if not otherwise."""
    return {
        "class_name": class_name,
        "config": {"name": name or class_name.lower(), **config},
    }


def model_of(
    *layers: dict[str, Any],
    rows: ArrayLike | None = None,
    words: Sequence[str | None] | None = None,
    length: int | None = 6,
    mask_zero: bool = False,
    version: str = SOUND_KERAS,
    vocabularies: dict[str, list[str]] | None = None,
) -> Source:
    """Return a Sequential model with an Embedding layer `words` in front of these layers.

    Args:
        rows: of the embedding; six random ones of four numbers by default.
        words: of these rows, where the model has no vocabulary.
        length: positions of its input.
        version: of the Keras that wrote its file.
        vocabularies: of the TextVectorization layers in front of the embedding, by name.
    """
    matrix = np.random.RandomState(0).rand(6, 4) if rows is None else np.asarray(rows)
    first = layer("InputLayer", batch_shape=[None, length])
    embedding = layer("Embedding", "words", mask_zero=mask_zero)
    lookups = [
        layer("TextVectorization", name, vocabulary=vocabulary)
        for name, vocabulary in (vocabularies or {}).items()
    ]
    config = {
        "class_name": "Sequential",
        "config": {"layers": [first, *lookups, embedding, *layers]},
    }
    shape = (matrix.shape[0], matrix.shape[1])
    weight = KerasLayer(
        "words",
        "words/vars/0",
        "Embedding",
        shape,
        "float32",
        True,
        mask_zero=mask_zero,
        names=("words",),
    )
    keras = KerasFile(
        "keras", version, config, (weight,), lookups_in(config, entries(config), {}, lambda _: ())
    )
    source = source_of(matrix, words)
    source = replace(source, contents=replace(source.contents, keras=keras, layer=weight))
    return with_words_of_model(source) if vocabularies else source


def words_by_id(*words: str, **ids: int) -> FileOfWords:
    """Return a file of words and ids: those of `words` begin at 1, others have the ids given."""
    return FileOfWords(None, [*((word, id_) for id_, word in enumerate(words, 1)), *ids.items()])


def words_in_order(*words: str | None) -> FileOfWords:
    """Return a file that lists these words, one a line."""
    return FileOfWords(list(words), [])


def run_of(
    vocabulary: Vocabulary,
    *,
    rows: ArrayLike | None = None,
    epochs: int = 2,
    epoch: int | None = None,
    **settings: Any,
) -> Source:
    """Return a run of that many epochs, opened after one of them, the last by default."""
    run = Run(
        Path("run"),
        TrainSettings(**settings),
        vocabulary,
        {"label_names": ["negative", "positive"]},
        history=({},) * epochs,
    )
    matrix = np.random.RandomState(0).rand(run.settings.num_words, 4) if rows is None else rows
    words: list[str | None] = [None] * len(np.asarray(matrix))
    for word, id_ in vocabulary.word_index.items():
        if id_ < len(words):
            words[id_] = word
    return replace(
        source_of(matrix, words),
        vocabulary=vocabulary,
        run=run,
        epoch=epochs if epoch is None else epoch,
    )


def language_model_of(rows, names=None, *, role="input embedding", head=None, **known):
    """Return a source as the folder of a language model gives it.

    Args:
        names: the token of each row; None for a row without one. By default `w0`, `w1` and so on.
        role: of the matrix.
        head: the rows of an output head.
        known: what else the files say, by the attributes of `ModelTokens`.
    """
    names = [f"w{row}" for row in range(len(rows))] if names is None else names
    known.setdefault("ids", {name: row for row, name in enumerate(names) if name is not None})
    tensors = [Tensor("embed", np.shape(rows), "F32", lambda: rows, role)]
    if head is not None:
        tensors.append(Tensor("lm_head", head.shape, "F32", lambda: head, "output head"))
    tokens = ModelTokens(head=tensors[-1] if head is not None else None, **known)
    source = source_of(rows, [*names, *[None] * (len(rows) - len(names))])
    contents = replace(source.contents, tokens=tokens, tensors=tuple(tensors), tensor="embed")
    return replace(source, contents=contents)
