"""Texts and settings: what is cut off, unknown or empty, and padding that costs."""

from __future__ import annotations

from embedinspect.analysis.doctor import make_case
from embedinspect.lookup import Settings
from tests.analysis.builders import layer, model_of, words_by_id
from tests.analysis.doctor.findings import WORDS, findings_in, severities_in
from tests.conftest import CLASSIC

LSTM = layer("LSTM")


def case_of(texts, length=6, words=None):
    """Return the case of texts that are read by the ids of a model."""
    source = model_of(LSTM, length=length)
    return make_case(Settings(), texts, source=source, words=words or words_by_id(*WORDS))


def test_truncation():
    findings = findings_in(make_case(Settings(maxlen=4), CLASSIC))
    assert list(findings) == ["truncation"]
    assert findings["truncation"].severity == "warning"
    numbers = findings["truncation"].numbers
    assert (numbers["cut"], numbers["ids"], numbers["texts"], numbers["longest"]) == (1, 9, 1, 5)
    assert "at the start" in findings["truncation"].evidence


def test_a_little_truncation_is_only_noted():
    texts = [*CLASSIC, *CLASSIC, *CLASSIC[:1] * 3]
    findings = findings_in(make_case(Settings(maxlen=4, truncating="post"), texts))
    assert {kind: f.severity for kind, f in findings.items()} == {"truncation": "note"}
    assert "at the end" in findings["truncation"].evidence


def test_truncation_names_the_length_of_most_texts():
    texts = ["text"] * 90 + ["a text"] * 9 + [" ".join(["text"] * 40)]
    findings = findings_in(make_case(Settings(maxlen=4), texts))
    assert findings["truncation"].numbers["length_95"] == 2


def test_a_maxlen_far_above_the_texts():
    assert findings_in(make_case(Settings(maxlen=9), CLASSIC)) == {}
    findings = findings_in(make_case(Settings(maxlen=10), CLASSIC))
    assert {kind: f.severity for kind, f in findings.items()} == {"maxlen-too-large": "warning"}
    assert findings["maxlen-too-large"].numbers == {
        "maxlen": 10, "longest": 5, "padding": 11, "positions": 20, "share": 11 / 20,
    }  # fmt: skip


def test_a_maxlen_that_the_model_has_fixed():
    assert severities_in(case_of(CLASSIC, length=30)) == {"maxlen-too-large": "note"}


def test_unknown_words():
    findings = findings_in(case_of(["This is a brand new text"]))
    assert {kind: f.severity for kind, f in findings.items()} == {"unknown-words": "warning"}
    assert findings["unknown-words"].numbers == {
        "tokens": 6, "unknown": 2, "beyond_num_words": 0, "share": 2 / 6, "replaced_by": None,
    }  # fmt: skip
    assert "the most used: 'brand', 'new'" in findings["unknown-words"].evidence


def test_a_few_unknown_words_are_only_noted():
    assert severities_in(case_of([*CLASSIC, "a new text"])) == {"unknown-words": "note"}


def test_words_beyond_num_words():
    settings = Settings(num_words=4, oov_token="<unk>")
    numbers = findings_in(make_case(settings, CLASSIC))["unknown-words"].numbers
    assert (numbers["beyond_num_words"], numbers["replaced_by"]) == (5, "<unk>")


def test_texts_without_a_known_word():
    findings = findings_in(case_of([*CLASSIC, *CLASSIC, *CLASSIC, "nothing", "!!"]))
    assert {kind: f.severity for kind, f in findings.items()} == {"empty-texts": "warning"}
    finding = findings["empty-texts"]
    assert finding.numbers == {"texts": 2, "first": [6, 7]}
    assert "'nothing'" in finding.evidence
    assert "make the vocabulary anew" in finding.mend


def test_an_out_of_vocabulary_token_keeps_texts_from_being_empty():
    findings = findings_in(make_case(Settings(num_words=2), ["a a", "b"]))
    assert findings["empty-texts"].mend.endswith("--oov-token")
    settings = Settings(num_words=3, oov_token="<unk>")
    assert "empty-texts" not in findings_in(make_case(settings, ["a a", "b"]))
