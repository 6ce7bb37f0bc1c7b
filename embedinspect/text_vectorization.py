"""Tokenizing by Keras's newer layer, `keras.layers.TextVectorization`, for comparison.

The ids are the layer's own. What became of each token is traced by our own version of its rules,
whose ids are compared with the layer's on every run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedinspect import keras_layer
from embedinspect.errors import DataError
from embedinspect.sequences import IntArray, pad
from embedinspect.tokenizing.rules import LayerTokenization, is_a_tensor_string
from embedinspect.vocabulary import Vocabulary

UNKNOWN = "[UNK]"


def vectorize(
    texts: Sequence[str],
    num_words: int | None = None,
    maxlen: int | None = None,
    backend: str | None = None,
) -> tuple[Vocabulary, list[IntArray]]:
    """Adapt the layer to the texts and encode them with it.

    Args:
        num_words: the layer's `max_tokens`, which counts padding and `[UNK]`, too.
        maxlen: the layer's `output_sequence_length`.

    Returns:
        The layer's vocabulary, and for each text its ids before padding and truncation.

    Raises:
        DataError: a text that TensorFlow's strings cannot hold, texts without a word, or a text
            that the layer cuts by other rules than ours.
        KerasUnavailable: Keras or TensorFlow cannot be imported.
    """
    rules = LayerTokenization()
    _check_texts(texts, rules)
    keras = keras_layer.load(backend)
    with keras_layer.quiet():
        layer = keras.layers.TextVectorization(max_tokens=num_words, output_sequence_length=maxlen)
        layer.adapt(list(texts))
        words = [str(word) for word in layer.get_vocabulary()]
        batch = keras.ops.convert_to_numpy(layer(list(texts))).astype(np.int32)
    vocabulary = Vocabulary(
        word_index={word: id_ for id_, word in enumerate(words) if id_},
        document_count=len(texts),
        oov_token=UNKNOWN,
        tokenization=rules,
        name="textvectorization",
    )
    ids = [np.array(row, np.int32) for row in vocabulary.encode(texts)]
    _compare(pad(ids, maxlen, "post", "post"), batch)
    return vocabulary, ids


def _check_texts(texts: Sequence[str], rules: LayerTokenization) -> None:
    for index, text in enumerate(texts):
        if not is_a_tensor_string(text):
            raise DataError(
                f"text {index} holds a NUL or a lone surrogate, which TextVectorization cannot "
                "take; remove it, or leave --tokenizer out"
            )
    if not any(rules.tokens(text) for text in texts):
        raise DataError(
            "no text holds a word, and TextVectorization cannot be adapted to nothing; expected "
            "one word or more; add one, or leave --tokenizer out"
        )


def _compare(ours: IntArray, layers: IntArray) -> None:
    """Raise an error if our ids, shape (texts, maxlen), are not those of the layer."""
    if ours.shape != layers.shape:
        first = 0
    elif (ours != layers).any():
        first = int(np.argwhere(ours != layers)[0][0])
    else:
        return
    raise DataError(
        f"TextVectorization cuts text {first} by rules that are not known here; expected its "
        "defaults (ASCII lower case, punctuation deleted, cut at white space); leave --tokenizer "
        "out"
    )
