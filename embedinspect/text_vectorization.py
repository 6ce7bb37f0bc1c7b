"""Tokenizing by Keras's newer layer, `keras.layers.TextVectorization`, for comparison.

The ids are the layer's own. What became of each token is traced by our reading of its rules,
which is checked against the layer on every run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedinspect import keras_layer
from embedinspect.errors import DataError
from embedinspect.sequences import IntArray, pad
from embedinspect.vocabulary import Tokenization, Vocabulary

UNKNOWN = "[UNK]"
PUNCTUATION = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
_UPPER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_STANDARDIZED = _UPPER | dict.fromkeys(map(ord, PUNCTUATION))
_WHITE_SPACE = dict.fromkeys(map(ord, "\t\n\v\f\r"), " ")


class StandardizedSplit(Tokenization):
    """How the layer cuts a text by default.

    ASCII letters become lower case, ASCII punctuation (the apostrophe too) is deleted, and the
    text is cut at ASCII white space.
    """

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text.

        >>> StandardizedSplit().tokens("This isn't a text!")
        ['this', 'isnt', 'a', 'text']
        """
        return _split(text.translate(_STANDARDIZED))

    def pieces(self, text: str) -> list[str]:
        """Return the tokens, and as they were written the pieces of which nothing is left."""
        return [piece.translate(_STANDARDIZED) or piece for piece in _split(text)]


def _split(text: str) -> list[str]:
    return [piece for piece in text.translate(_WHITE_SPACE).split(" ") if piece]


def vectorize(
    texts: Sequence[str],
    num_words: int | None = None,
    maxlen: int | None = None,
    backend: str | None = None,
) -> tuple[Vocabulary, list[IntArray]]:
    """Adapt the layer to the texts and encode them with it.

    Args:
        num_words: the layer's `max_tokens`, which counts padding and `[UNK]` too.
        maxlen: the layer's `output_sequence_length`.

    Returns:
        The layer's vocabulary, and for each text its ids before padding and truncation.

    Raises:
        DataError: a text that TensorFlow's strings cannot hold, or that the layer cuts in a way
            which our reading of its rules does not explain.
        KerasUnavailable: Keras or TensorFlow cannot be imported.
    """
    for index, text in enumerate(texts):
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise DataError(
                f"text {index} holds a NUL or a lone surrogate, which TextVectorization cannot "
                "take; remove it, or leave --tokenizer out"
            )
    rules = StandardizedSplit(filters=PUNCTUATION)
    if not any(rules.tokens(text) for text in texts):
        raise DataError(
            "no text holds a word, and TextVectorization cannot be adapted to none; expected one "
            "or more, or leave --tokenizer out"
        )
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
    ours = pad(ids, maxlen, "post", "post")
    if ours.shape != batch.shape or (ours != batch).any():
        differ = [
            i
            for i in range(len(texts))
            if ours.shape[1:] != batch.shape[1:] or (ours[i] != batch[i]).any()
        ]
        raise DataError(
            f"TextVectorization cuts text {differ[0]} by rules that are not known here; expected "
            "its defaults (ASCII lower case, punctuation deleted, cut at white space)"
        )
    return vocabulary, ids
