"""TextVectorization: its own ids, and our trace of how it cuts a text."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.errors import DataError
from embedinspect.lookup import Settings, look_up
from embedinspect.text_vectorization import vectorize
from embedinspect.tokenizing import rules
from tests.conftest import CLASSIC


def test_the_ids_are_those_of_the_layer():
    import keras

    texts = [*CLASSIC, "isn't it?", ""]
    vocabulary, ids = vectorize(texts, maxlen=6)
    lookup = look_up(
        texts,
        Settings(maxlen=6, padding="post", truncating="post"),
        vocabulary=vocabulary,
        ids=ids,
    )
    layer = keras.layers.TextVectorization(output_sequence_length=6)
    layer.adapt(texts)
    expected = np.asarray(layer(texts))
    assert (lookup.sequences == expected).all()
    assert [token.token for token in lookup.trace(2)] == ["isnt", "it"]
    assert lookup.filtered_characters(2) == {"'": 1, "?": 1}


@pytest.mark.parametrize(
    "text", ["\x1c a\x1db \u3000 c\u00a0d", "ÄÖ ÀÉ İ ß", "tab\tnew\nline\v\f\r end", "-- ! x_y"]
)
def test_our_rules_cut_as_the_layer_does(text):
    vocabulary, [ids] = vectorize([text], num_words=50)
    assert len(ids) == len(vocabulary.tokenization.tokens(text))
    assert 1 not in ids


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_its_strings_cannot_hold_is_refused(text):
    with pytest.raises(DataError, match="text 1 holds a NUL or a lone surrogate"):
        vectorize(["fine", text])


def test_texts_without_a_word_are_refused():
    with pytest.raises(DataError, match="no text holds a word"):
        vectorize(["!!", " "])


def test_a_text_that_the_layer_cuts_by_other_rules_is_named(monkeypatch):
    monkeypatch.setattr(rules, "_TO_LOWER", {})
    with pytest.raises(DataError, match="cuts text 1 by rules that are not known here"):
        vectorize(["fine", "Not Fine"])
