"""Saved tokenizers: what Keras writes is read, what it reads is written, the rest is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.errors import DataError
from embedinspect.saved_vocabulary import from_json, read_vocabulary
from tests.tokenizers import SETTINGS, TEXTS, fit_with, keras_tokenizer


@given(TEXTS, SETTINGS, TEXTS)
def test_reads_and_writes_the_keras_form(texts, settings, others):
    from keras.src.legacy.preprocessing.text import tokenizer_from_json

    oracle = keras_tokenizer(texts, settings)
    vocabulary, _ = fit_with(texts, settings)
    assert from_json(oracle.to_json()).encode(others) == vocabulary.encode(others)
    assert from_json(vocabulary.to_json()) == vocabulary
    back = tokenizer_from_json(vocabulary.to_json())
    assert back.texts_to_sequences(others) == oracle.texts_to_sequences(others)
    assert json.loads(back.to_json()) == json.loads(vocabulary.to_json())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not a saved tokenizer|not JSON"),
        ("{}", "has no config"),
        ("[]", "not a saved tokenizer"),
        ('{"config": 1}', "not a saved tokenizer"),
        ('{"config": {}}', "has no word_index"),
        ('{"config": {"word_index": "[]"}}', "not a saved tokenizer"),
        ('{"config": {"word_index": {"a": 0}}}', "id below 1"),
        ('{"config": {"word_index": {"a": true}}}', "no whole number"),
        ('{"config": {"word_index": {"a": 1.5}}}', "no whole number"),
        ('{"config": {"word_index": {"a": 3000000000}}}', "beyond"),
        (
            '{"config": {"word_index": {"a": 1}, "word_counts": {"a": -1}}}',
            "word_counts has a number",
        ),
        ('{"config": {"word_index": {"a": 1}, "word_docs": {"a": Infinity}}}', "no whole number"),
        ('{"config": {"word_index": {"a": ' + "1" * 5000 + "}}}", "not a saved tokenizer"),
        ('{"config": {"word_index": {"a": 1}, "num_words": 2.0}}', "num_words"),
        ('{"config": {"word_index": {"a": 1}, "num_words": "x"}}', "num_words"),
        ('{"config": {"word_index": {"a": 1}, "oov_token": 3}}', "oov_token"),
        ('{"config": {"word_index": {"a": 1}, "split": ""}}', "split"),
    ],
)
def test_a_vocabulary_that_is_none_is_refused_in_one_line(text, says):
    with pytest.raises(DataError, match=says) as caught:
        from_json(text, "'v.json'")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "number", [float("inf"), float("nan"), 1.0, True, -1, 2**63, "x", None, []]
)
def test_a_count_of_texts_that_is_no_number_is_refused(number):
    config = {"word_index": {"a": 1}, "document_count": number}
    with pytest.raises(DataError, match="is not a saved tokenizer"):
        from_json(json.dumps({"config": config}))


@given(
    st.sampled_from(["num_words", "oov_token", "word_index", "filters", "split", "document_count"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ),
)
def test_strange_values_are_refused_or_read(key, value):
    config = {"word_index": {"a": 1}, key: value}
    try:
        vocabulary = from_json(json.dumps({"config": config}))
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert from_json(vocabulary.to_json()) == vocabulary


def test_a_file_is_named_in_errors(tmp_path):
    path = tmp_path / "v.json"
    with pytest.raises(DataError, match=r"cannot read '.*v.json'.*expected a saved vocabulary"):
        read_vocabulary(str(path))
    path.write_text("{}")
    with pytest.raises(DataError, match=r"v.json' has no config"):
        read_vocabulary(str(path))
    vocabulary, _ = fit_with(
        ["a b"],
        {
            "num_words": 2,
            "oov_token": "?",
            "filters": "",
            "lower": True,
            "split": " ",
            "char_level": False,
        },
    )
    path.write_text(vocabulary.to_json())
    assert read_vocabulary(str(path)) == vocabulary
