"""Why a word is missing, and what the source has instead."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from embedinspect.analysis.spellings import Spellings


def why_missing(word, *words):
    return Spellings({w: row for row, w in enumerate(words)}).why_missing(word)


@pytest.mark.parametrize(
    ("word", "words", "reason", "instead"),
    [
        ("paris", ["Paris"], "case", "Paris"),
        ("don't", ["dont"], "punctuation", "dont"),
        ("coop", ["co-op"], "punctuation", "co-op"),
        ("king's", ["king"], "parts", "king"),
        ("king's", ["kings", "king", "'s"], "parts", "king 's"),
        ("king’s", ["King", "'s"], "parts", "King 's"),
        ("kings'", ["kings"], "parts", "kings"),
        ("don't", ["dont", "do", "n't"], "parts", "do n't"),
        ("don't", ["do"], "unseen", None),  # without the "not" it would be another word
        ("well-known", ["well", "known"], "parts", "well known"),
        ("well-known", ["well"], "unseen", None),
        ("zebra's", ["king", "'s"], "unseen", None),
        ("--", ["-"], "unseen", None),
    ],
)
def test_other_spellings(word, words, reason, instead):
    assert why_missing(word, *words) == (reason, instead)


@pytest.mark.parametrize(
    "word", ["café", "naïve", "Ünder", "groß", "привет", "日本", "it’s", "œuvre"]
)
@pytest.mark.parametrize("lower", [False, True])
def test_utf_8_that_was_read_as_another_encoding(word, lower):
    word = word.lower() if lower else word
    for encoding in ("cp1252", "latin-1"):
        try:
            broken = word.encode("utf-8").decode(encoding)
        except UnicodeDecodeError:  # Windows-1252 has no sign for five bytes
            continue
        broken = broken.lower() if lower else broken
        assert why_missing(broken, word) == ("encoding", word)
        reason, instead = why_missing(word, broken)  # the source was wrongly decoded
        assert (reason, instead) == ("encoding", broken)


def test_a_wrongly_decoded_word_that_is_unknown_all_the_same():
    assert why_missing("zÃ©bre", "king") == ("encoding", "zébre")
    assert why_missing("caf\ufffd", "king") == ("encoding", None)


@pytest.mark.parametrize(
    "word",
    ["môžem", "são", "où", "élève", "straße", "façade", "žôš", "Ærø", "naïve", "ñandú", "привет"],
)
def test_words_of_many_languages_are_not_wrongly_decoded(word):
    assert why_missing(word, "king") == ("unseen", None)


@given(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=5))
@example("\ud800", [])
def test_any_word_has_a_reason(word, words):
    reason, instead = why_missing(word, *words)
    assert (instead is None) or reason != "unseen"


def phrases(texts, *words):
    spellings = Spellings({w: row for row, w in enumerate(words)})
    return [
        (" ".join(phrase.words), phrase.occurrences, phrase.source_word)
        for phrase in spellings.phrases_in([text.split() for text in texts])
    ]


def test_words_side_by_side_that_are_one_word():
    texts = ["in new york and New York", "the new york times", "ice cream"]
    source = ["New_York", "new york times", "ice cream", "new", "york", "in"]
    assert phrases(texts, *source) == [
        ("new york", 2, "New_York"),
        ("ice cream", 1, "ice cream"),
        ("new york times", 1, "new york times"),
    ]


def test_a_hyphen_is_no_gain_where_the_parts_are_there():
    assert phrases(["one time co op"], "one-time", "one", "time", "co-op", "op") == [
        ("co op", 1, "co-op")
    ]


def test_a_source_without_such_words_has_no_phrases():
    assert phrases(["new york"], "new", "york", "_", "-", "a_") == []
