"""What a lookup layer's config says of its words and rules, and what it does not."""

from __future__ import annotations

import re

import pytest

from embedinspect.errors import DataError, UsageError
from embedinspect.tokenizing.lookup_layer import LookupLayer


def lookup(class_name="TextVectorization", asset=None, **config):
    if asset is None:
        config.setdefault("vocabulary", ["a", "b"])
    return LookupLayer("words", "words", class_name, config, asset)


# -- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (lookup(), [None, "[UNK]", "a", "b"]),
        (lookup(vocabulary=["", "[UNK]", "a"]), [None, "[UNK]", "a"]),
        (lookup(vocabulary=["[UNK]", "a"]), [None, "[UNK]", "[UNK]", "a"]),
        (lookup("StringLookup"), ["[UNK]", "a", "b"]),
        (lookup("StringLookup", mask_token="m"), ["m", "[UNK]", "a", "b"]),
        (lookup("StringLookup", num_oov_indices=2), ["[UNK]", "[UNK]", "a", "b"]),
        (lookup("StringLookup", num_oov_indices=0, oov_token=None), ["a", "b"]),
        (lookup("StringLookup", vocabulary=["a", ""]), ["[UNK]", "a", None]),
        (lookup("IntegerLookup", vocabulary=[7, 5]), ["-1", "7", "5"]),
        (lookup("IntegerLookup", vocabulary=[0, -1, 7], mask_token=0), ["0", "-1", "7"]),
        (lookup(asset="\n[UNK]\na\nb"), [None, "[UNK]", "a", "b"]),
        (lookup("StringLookup", asset="[UNK]\na\n\n\n"), ["[UNK]", "a"]),
        (lookup("IntegerLookup", asset="-1\n7"), ["-1", "7"]),
    ],
)  # fmt: skip
def test_words_in_the_order_of_their_ids(layer, words):
    assert layer.words == words


def test_a_file_is_cut_into_lines_as_keras_cuts_it():
    """`load_assets` calls `splitlines`, so a word with a line separator becomes two."""
    assert lookup(asset="\n[UNK]\na\x85b\u2028c").words == [None, "[UNK]", "a", "b", "c"]


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (lookup("Hashing"), "makes categories"),
        (lookup(output_mode="multi_hot"), r"gives no ids \(its output_mode is 'multi_hot'\)"),
        (lookup(output_mode="tf_idf", idf_weights=[1.0, 2.0]), "gives no ids"),
        (lookup("StringLookup", invert=True), "turns ids into words"),
        (lookup(vocabulary=None), "has a vocabulary that the file does not hold"),
        (lookup(vocabulary=["a", 3]), "not in a form that is known"),
        (lookup("IntegerLookup", asset="-1\nx"), "not in a form that is known"),
        (lookup(vocabulary=["a", "a"]), "Keras itself refuses"),
        (lookup(vocabulary=["a", ""]), "Keras itself refuses"),
        (lookup(vocabulary=["a", "b"], max_tokens=3), "Keras itself refuses"),
        (lookup("StringLookup", vocabulary=[]), "Keras itself refuses"),
        (lookup("StringLookup", num_oov_indices=-1), "reserved tokens of a kind"),
        (lookup("StringLookup", mask_token=3), "reserved tokens of a kind"),
        (lookup("StringLookup", salt="pepper"), "reserved tokens of a kind"),
    ],
)
def test_words_that_cannot_be_known(layer, reason):
    assert layer.words is None
    assert re.search(reason, layer.no_words)


def test_a_vocabulary_without_its_config_has_words_but_no_rules():
    layer = LookupLayer("vec", "vec", "TextVectorization", None, "\n[UNK]\na")
    assert layer.words == [None, "[UNK]", "a"]
    assert layer.no_ids([None]) == "has rules that the file does not hold"


def test_the_sizes_an_embedding_may_have():
    assert lookup().sizes == {4}
    assert lookup(max_tokens=20).sizes == {4, 20}


# -- rules ---------------------------------------------------------------------------------------

OWN = {"class_name": "function", "config": "f", "registered_name": "f"}


@pytest.mark.parametrize(
    ("layer", "shapes", "reason"),
    [
        (lookup(standardize=OWN), [(None, 1)], "has a function of the model's own as standardize"),
        (lookup(split=OWN), [(None, 1)], "has a function of the model's own as split"),
        (lookup(ngrams=0), [(None, 1)], "has ngrams '0'"),
        (lookup(ngrams=[1, "x"]), [(None, 1)], "has ngrams \"[1, 'x']\""),
        (lookup(output_sequence_length="x"), [], "has output_sequence_length 'x'"),
        (lookup(split=None, ngrams=2), [(None,)], "does not split"),
        (lookup(split=None, output_sequence_length=2), [None], "does not split"),
        (lookup(split=None, output_sequence_length=2), [], "does not split"),
        (lookup(split=None), [(None, 5)], "takes 5 strings at once"),
        (lookup("StringLookup"), [(None, 1), (None, 5)], "takes 5 strings at once"),
    ],
)
def test_ids_that_cannot_be_known(layer, shapes, reason):
    assert layer.words is not None
    assert layer.no_ids(shapes).startswith(reason)


@pytest.mark.parametrize(
    ("layer", "text", "ids"),
    [
        (lookup(), "A b? c", [2, 3, 1]),
        (lookup(standardize=None), "A b", [1, 3]),
        (lookup(split="character"), "ab c", [2, 3, 1, 1]),
        (lookup(split=None, vocabulary=["a b"]), "A b", [2]),
        (lookup(split=None), "", [0]),
        (lookup(ngrams=[2], vocabulary=["a b"]), "a b c", [2, 1]),
        (lookup(ngrams=2, vocabulary=["a b"]), "a b", [1, 1, 2]),
        (lookup("StringLookup"), "b", [2]),
        (lookup("StringLookup"), "a b", [0]),
        (lookup("StringLookup", mask_token="m"), "m", [0]),
        (lookup("StringLookup", vocabulary=["a", "[UNK]"]), "[UNK]", [2]),
        (lookup("IntegerLookup", vocabulary=[7, 5]), "5 +7 -3", [2, 1, 0]),
        (lookup("IntegerLookup", vocabulary=[7], num_oov_indices=3), "7 -1 5", [3, 2, 2]),
    ],
)
def test_ids_by_the_rules(layer, text, ids):
    assert layer.no_ids([(None, 1)]) is None
    assert layer.vocabulary.encode([text]) == [ids]
    assert [token.id for token in layer.vocabulary.trace(text) if token.id is not None] == ids


def test_every_token_says_what_became_of_it():
    tokens = lookup().vocabulary.trace("A -- c")
    assert [(token.token, token.id, token.status) for token in tokens] == [
        ("a", 2, "looked_up"),
        ("--", None, "filtered"),
        ("c", 1, "replaced"),
    ]


def test_the_word_of_each_id():
    vocabulary = lookup("StringLookup", num_oov_indices=2).vocabulary
    assert vocabulary.words == {0: "[UNK]", 1: "[UNK]", 2: "a", 3: "b"}
    assert vocabulary.word_index == {"a": 2, "b": 3}
    assert list(vocabulary.unknown_ids) == [0, 1]
    assert lookup().vocabulary.words == {1: "[UNK]", 2: "a", 3: "b"}
    assert lookup().vocabulary.word_index == {"[UNK]": 1, "a": 2, "b": 3}


def test_texts_at_which_the_model_itself_stops():
    closed = lookup("StringLookup", num_oov_indices=0).vocabulary
    assert closed.encode(["a"]) == [[0]]
    with pytest.raises(DataError, match=r"'c' is not among the 2 tokens .* the model stops"):
        closed.encode(["c"])
    with pytest.raises(DataError, match="'x' is no whole number"):
        lookup("IntegerLookup", vocabulary=[7]).vocabulary.encode(["7 x"])
    with pytest.raises(DataError, match="holds a NUL or a lone surrogate"):
        lookup().vocabulary.encode(["a\0"])


@pytest.mark.parametrize(
    ("option", "settings"),
    [
        ("--num-words", {"num_words": 3}),
        ("--oov-token", {"oov_token": "[UNK]"}),
        ("--filters", {"filters": ""}),
    ],
)
def test_nothing_of_a_layer_can_be_set_from_outside(option, settings):
    vocabulary = lookup().vocabulary
    assert vocabulary.adjusted(origin="'m.keras'") is vocabulary
    with pytest.raises(UsageError, match=f"{option} is set by the TextVectorization layer 'words'"):
        vocabulary.adjusted(**settings, origin="'m.keras'")
