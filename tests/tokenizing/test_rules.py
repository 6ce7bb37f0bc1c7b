"""How a text is standardized and cut, against the TextVectorization layer itself."""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedinspect.tokenizing.rules import LayerTokenization, WholeNumbers, as_number

SETTINGS = list(
    itertools.product(
        ["lower_and_strip_punctuation", "lower", "strip_punctuation", None],
        ["whitespace", "character", None],
        [None, (1, 2), (3,)],
    )
)
# Letters of many scripts, with every kind of white space and punctuation between them.
WORDS = st.sampled_from(
    [
        "It",
        "isn't",
        "KING",
        "a",
        "naïve",
        "İ",
        "ẞ",
        "Привет",
        "Σς",
        "世界",
        "नमस्ते",
        "e\u0301",
        "👩‍💻",
        "[UNK]",
    ]
)
BETWEEN = st.sampled_from(
    [
        " ",
        "  ",
        "\t",
        "\r\n",
        "\v",
        "\f",
        "\x1c",
        "\x85",
        "\u00a0",
        "\u3000",
        "\u2028",
        "-",
        "--",
        "...",
        "'",
        "«",
        "。",
    ]
)
TEXTS = st.lists(WORDS | BETWEEN, min_size=1, max_size=12).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30
)


@settings(max_examples=60)
@given(st.sampled_from(SETTINGS), TEXTS)
@example(("strip_punctuation", None, None), "-")
def test_tokens_are_those_of_the_layer(rules, text):
    import keras
    import tensorflow as tf

    standardize, split, ngrams = rules
    layer = keras.layers.TextVectorization(standardize=standardize, split=split, ngrams=ngrams)
    theirs = []
    with suppress(tf.errors.InvalidArgumentError):  # TensorFlow has no table of no words
        layer.adapt([[text]])
        words = layer.get_vocabulary()
        theirs = [words[id_] for id_ in layer([[text]]).numpy()[0]] if len(words) > 2 else []
    ours = LayerTokenization(standardize=standardize, cut=split, ngrams=ngrams).tokens(text)
    assert [token for token in ours if token not in {"", "[UNK]"}] == [
        token for token in theirs if token not in {"", "[UNK]"}
    ]


def test_pieces_show_what_is_deleted():
    rules = LayerTokenization()
    assert rules.pieces("So -- isn't it?") == ["so", "--", "isnt", "it"]
    assert rules.filtered_characters("So -- isn't it?") == Counter({"-": 2, "'": 1, "?": 1})
    assert LayerTokenization(standardize="lower").filtered_characters("a-b") == Counter()
    assert LayerTokenization(cut="character").pieces("a-b") == ["a", "b"]


LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("token", "number"),
    [("12", "12"), ("+3", "3"), ("-007", "-7"), ("-0", "0"), (str(LARGEST), str(LARGEST))],
)
def test_a_whole_number_has_one_spelling(token, number):
    assert as_number(token) == number


@pytest.mark.parametrize("token", [str(LARGEST + 1), "1" * 30, "1.0", "٣", "", "-", "+-1"])
def test_what_is_no_whole_number_of_64_bits(token):
    assert as_number(token) is None


def test_what_is_no_number_stays_as_it_is():
    assert WholeNumbers().tokens("12 +3 x -007") == ["12", "3", "x", "-7"]
    assert WholeNumbers().pieces("12 +3") == ["12", "3"]
