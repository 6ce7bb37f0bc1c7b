"""Coverage: which words have a vector, and why the others have none."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.analysis.coverage import cover
from embedinspect.errors import UsageError
from embedinspect.vocabulary import fit
from tests.builders import source_of

TEXTS = ["The Paris queen, the ice-cream!", "the zebra's queen"]


def test_coverage_says_what_is_missing_and_why(vectors):
    coverage = cover(vectors, TEXTS)
    reasons = {word.word: (word.reason, word.instead) for word in coverage.missing}
    assert reasons["paris"] == ("case", "Paris")
    assert reasons["zebra's"] == ("unseen", None)
    assert {word.word for word in coverage.covered} == {"the", "queen"}
    assert (coverage.occurrences, coverage.covered_occurrences) == (9, 5)
    assert coverage.reasons["case"] == (1, 1)


def test_the_vector_of_another_case_is_taken_on_request(vectors):
    coverage = cover(vectors, TEXTS, any_case=True)
    assert {word.source_word for word in coverage.covered} == {"the", "queen", "Paris"}


def test_punctuation_is_a_reason():
    source = source_of(np.eye(3), ["dont", "co-op", "x"])
    reasons = {word.word: word.instead for word in cover(source, ["don't coop"]).missing}
    assert reasons == {"don't": "dont", "coop": "co-op"}


def test_coverage_says_what_would_help():
    source = source_of(np.eye(6), ["king", "'s", "New_York", "new", "café", "x"])
    coverage = cover(source, ["The king's new york café", "cafÃ© in New York"])
    reasons = {word.word: (word.reason, word.instead) for word in coverage.missing}
    assert reasons["king's"] == ("parts", "king 's")
    assert reasons["cafã©"] == ("encoding", "café")
    assert reasons["york"] == ("unseen", None)
    assert list(coverage.reasons) == ["parts", "encoding", "unseen"]
    (phrase,) = coverage.phrases
    assert (phrase.words, phrase.occurrences) == (("new", "york"), 2)
    assert (phrase.row, phrase.source_word) == (2, "New_York")


def test_coverage_by_a_saved_vocabulary(vectors):
    vocabulary, _ = fit(["queen the king"], oov_token="?")
    coverage = cover(vectors, ["the unknown king"], vocabulary=vocabulary)
    assert [(word.word, word.id, word.occurrences) for word in coverage.words] == [
        ("the", 3, 1),
        ("king", 4, 1),
        ("queen", 2, 0),
    ]
    assert coverage.dropped == 1
    assert coverage.reserved == (0, 1)


def test_coverage_is_of_words():
    with pytest.raises(UsageError, match="no words"):
        cover(source_of(np.eye(2)), ["a"])
