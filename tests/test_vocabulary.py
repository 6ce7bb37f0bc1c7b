"""Our tokenizer against Keras's own, on free input."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.errors import DataError, UsageError
from embedinspect.vocabulary import Tokenization, Vocabulary, fit, from_json

WORDS = st.sampled_from(["the", "fox", "Fox", "it's", "zu", "ß", "İ", "a-b", "!!", "\t", "of."])
TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=()), max_size=30),
        st.lists(WORDS, max_size=12).map(" ".join),
    ),
    max_size=5,
)
SETTINGS = st.fixed_dictionaries(
    {
        "num_words": st.one_of(st.none(), st.integers(1, 8)),
        "oov_token": st.one_of(st.none(), st.sampled_from(["<OOV>", "fox", "the", ""])),
        "filters": st.one_of(
            st.just(Tokenization().filters), st.text(max_size=4), st.just("ab -.")
        ),
        "lower": st.booleans(),
        "split": st.one_of(st.just(" "), st.text(min_size=1, max_size=2)),
        "char_level": st.booleans(),
    }
)


def keras_tokenizer(**settings):
    from tensorflow.keras.preprocessing.text import Tokenizer

    return Tokenizer(**settings)


def ours(texts, settings):
    rules = {name: settings[name] for name in ("filters", "lower", "split", "char_level")}
    return fit(
        texts,
        num_words=settings["num_words"],
        oov_token=settings["oov_token"],
        tokenization=Tokenization(**rules),
    )


@given(TEXTS, SETTINGS, TEXTS)
def test_equals_the_keras_tokenizer(texts, settings, others):
    oracle = keras_tokenizer(**settings)
    oracle.fit_on_texts(texts)
    vocabulary, ids = ours(texts, settings)
    assert vocabulary.word_index == oracle.word_index
    assert list(vocabulary.word_counts.items()) == list(oracle.word_counts.items())
    assert vocabulary.word_docs == dict(oracle.word_docs)
    assert vocabulary.document_count == oracle.document_count
    assert [row.tolist() for row in ids] == oracle.texts_to_sequences(texts)
    assert vocabulary.encode(texts) == oracle.texts_to_sequences(texts)
    assert vocabulary.encode(others) == oracle.texts_to_sequences(others)


@given(TEXTS, SETTINGS, TEXTS)
def test_reads_and_writes_the_keras_form(texts, settings, others):
    from keras.src.legacy.preprocessing.text import tokenizer_from_json

    oracle = keras_tokenizer(**settings)
    oracle.fit_on_texts(texts)
    vocabulary, _ = ours(texts, settings)
    assert from_json(oracle.to_json()).encode(others) == vocabulary.encode(others)
    assert from_json(vocabulary.to_json()) == vocabulary
    back = tokenizer_from_json(vocabulary.to_json())
    assert back.texts_to_sequences(others) == oracle.texts_to_sequences(others)
    assert json.loads(back.to_json()) == json.loads(vocabulary.to_json())


@given(TEXTS, SETTINGS)
def test_trace_accounts_for_every_token(texts, settings):
    vocabulary, _ = ours(texts, settings)
    for text in texts:
        traced = vocabulary.trace(text)
        assert [t.id for t in traced if t.id is not None] == vocabulary.encode([text])[0]
        found = [t.token for t in traced if t.status != "filtered"]
        assert found == vocabulary.tokenization.tokens(text)
        for token in traced:
            assert (token.status == "looked_up") == (token.reason is None)
            assert (token.id is None) == (token.status in {"dropped", "filtered"})


def test_trace_says_why():
    vocabulary, _ = fit(["a a b b c -- !"], num_words=3)
    assert [(t.token, t.status, t.rank) for t in vocabulary.trace("a c -- d")] == [
        ("a", "looked_up", 1),
        ("c", "dropped", 3),
        ("--", "filtered", None),
        ("d", "dropped", None),
    ]
    assert vocabulary.trace("c")[0].reason == "its rank 3 is not below num_words 3"
    assert vocabulary.trace("d")[0].reason == "not in the vocabulary"


def test_filtered_characters_are_counted():
    assert Tokenization().filtered_characters("so -- what?") == {"-": 2, "?": 1}
    assert Tokenization(char_level=True).filtered_characters("a-b") == {}


def test_documents_are_counted_on_request():
    assert fit(["a a", "a b"])[0].word_docs == {"a": 2, "b": 1}
    assert fit(["a a", "a b"], count_documents=False)[0].word_docs == {}


def test_an_empty_split_is_refused():
    with pytest.raises(UsageError, match="split is empty"):
        Tokenization(split="")


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
        ('{"config": {"word_index": {"a": 1}, "num_words": "x"}}', "num_words"),
        ('{"config": {"word_index": {"a": 1}, "oov_token": 3}}', "oov_token"),
        ('{"config": {"word_index": {"a": 1}, "split": ""}}', "split"),
    ],
)
def test_a_vocabulary_that_is_none_is_refused_in_one_line(text, says):
    with pytest.raises(DataError, match=says) as caught:
        from_json(text, "'v.json'")
    assert "\n" not in str(caught.value)


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
        assert isinstance(from_json(json.dumps({"config": config})), Vocabulary)
    except DataError as refusal:
        error = str(refusal)
    else:
        error = ""
    assert "\n" not in error
