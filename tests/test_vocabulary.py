"""Our tokenizer against Keras's own, on free input."""

from __future__ import annotations

import pytest
from hypothesis import given

from embedinspect.errors import UsageError
from embedinspect.vocabulary import Token, Tokenization, Vocabulary, fit
from tests.tokenizers import SETTINGS, TEXTS, fit_with, keras_tokenizer


@given(TEXTS, SETTINGS, TEXTS)
def test_equals_the_keras_tokenizer(texts, settings, others):
    oracle = keras_tokenizer(texts, settings)
    vocabulary, ids = fit_with(texts, settings)
    assert vocabulary.word_index == oracle.word_index
    assert list(vocabulary.word_counts.items()) == list(oracle.word_counts.items())
    assert vocabulary.word_docs == dict(oracle.word_docs)
    assert vocabulary.document_count == oracle.document_count
    assert [row.tolist() for row in ids] == oracle.texts_to_sequences(texts)
    assert vocabulary.encode(texts) == oracle.texts_to_sequences(texts)
    assert vocabulary.encode(others) == oracle.texts_to_sequences(others)


@given(TEXTS, SETTINGS)
def test_trace_accounts_for_every_token(texts, settings):
    vocabulary, _ = fit_with(texts, settings)
    for text in texts:
        traced = vocabulary.trace(text)
        assert [t.id for t in traced if t.id is not None] == vocabulary.encode([text])[0]
        words = [t.token for t in traced if t.status != "filtered"]
        assert words == vocabulary.tokenization.tokens(text)
        for token in traced:
            assert (token.status == "looked_up") == (token.reason is None)
            assert (token.id is None) == (token.status in {"dropped", "filtered"})


def test_trace_says_why():
    vocabulary, _ = fit(["a a b b c -- !"], num_words=3)
    assert vocabulary.trace("a c -- d") == [
        Token("a", 1, 1, "looked_up"),
        Token("c", None, 3, "dropped", "its rank 3 is not below num_words 3"),
        Token("--", None, None, "filtered", "all of it is in filters"),
        Token("d", None, None, "dropped", "not in the vocabulary"),
    ]


def test_filtered_characters_are_counted():
    assert Tokenization().filtered_characters("so -- what?") == {"-": 2, "?": 1}
    assert Tokenization(char_level=True).filtered_characters("a-b") == {}


def test_documents_are_counted_on_request():
    assert fit(["a a", "a b"])[0].word_docs == {"a": 2, "b": 1}
    assert fit(["a a", "a b"], count_documents=False)[0].word_docs == {}


def test_an_empty_split_is_refused():
    with pytest.raises(UsageError, match="split is empty"):
        Tokenization(split="")


def test_a_vocabulary_is_adjusted_without_being_changed():
    saved = Vocabulary({"<UNK>": 1, "a": 2, "b": 3}, num_words=9)
    assert saved.adjusted(origin="it") == saved
    adjusted = saved.adjusted(num_words=3, oov_token="<UNK>", filters="ab", origin="it")
    assert adjusted.encode(["a b x"]) == [[1]]
    assert adjusted.word_index == saved.word_index
    assert saved.encode(["a b x"]) == [[2, 3]]


def test_an_out_of_vocabulary_token_must_have_an_id():
    with pytest.raises(UsageError, match=r"'\?' is not among the words of it.*such as '<UNK>'"):
        Vocabulary({"<UNK>": 1, "a": 2}).adjusted(oov_token="?", origin="it")
    with pytest.raises(UsageError, match="none has such a name; leave it out"):
        Vocabulary({"a": 1}).adjusted(oov_token="?", origin="it")
