"""Rows against the vectors of their words: in the wrong row, trained on, or others altogether."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.analysis.doctor import diagnose, make_case
from embedinspect.lookup import Settings
from tests.analysis.builders import words_by_id, words_in_order
from tests.analysis.doctor.findings import findings_in, severities_in
from tests.builders import source_of

IN_ORDER = "most rows are the vectors of their words, or near them (the first 20,000 words)"


@pytest.fixture
def by_id(vectors):
    """The vectors of the sample in the rows of their ids; row 0 is zeros."""
    rows = np.zeros((vectors.matrix.input_dim + 1, vectors.matrix.output_dim), np.float32)
    rows[1:] = vectors.matrix.rows
    return rows


@pytest.fixture
def case_with(vectors):
    """Make a case of these rows, with the words of the sample by their ids."""

    def make(rows, words=None):
        words = words_by_id(*(list(vectors.words) if words is None else words))
        return make_case(Settings(), source=source_of(rows), words=words, reference=vectors)

    return make


def without_vector(rows, *places):
    rows = rows.copy()
    rows[list(places)] = 0
    return rows


def test_rows_that_hold_the_vectors_of_their_words(case_with, by_id):
    diagnosis = diagnose(case_with(by_id))
    assert diagnosis.findings == []
    assert IN_ORDER in diagnosis.in_order


def test_a_list_of_words_at_the_wrong_row(vectors):
    source, words = source_of(vectors.matrix.rows), words_in_order(*vectors.words)
    case = make_case(Settings(), source=source, words=words, reference=vectors)
    assert findings_in(case) == {}
    case = make_case(Settings(), source=source, words=words, reference=vectors, index_from=2)
    findings = findings_in(case)
    assert findings.keys() == {"shifted-rows", "id-without-row", "unused-rows"}
    assert findings["shifted-rows"].severity == "error"
    assert findings["shifted-rows"].numbers["shift"] == -2
    assert findings["shifted-rows"].mend == "--index-from 0"


@pytest.mark.parametrize(
    ("shift", "where"), [(-1, "in the row before"), (1, "in the row after"), (2, "2 rows after")]
)
def test_the_classic_glove_misalignment(case_with, by_id, shift, where):
    finding = findings_in(case_with(np.roll(by_id, shift, axis=0)))["shifted-rows"]
    assert finding.severity == "error"
    assert finding.numbers["shift"] == shift
    assert f"have their vector {where} their own" in finding.evidence
    assert ("leave row 0 to the padding" in finding.mend) == (shift == -1)


def test_rows_in_the_wrong_place_are_not_named_by_their_words(case_with, by_id, vectors):
    rows = without_vector(by_id, 3)
    case = make_case(Settings(), source=source_of(rows, [None, *vectors.words]))
    assert findings_in(case)["zero-rows"].evidence.startswith("row 3 ('")
    finding = findings_in(case_with(np.roll(rows, -1, axis=0)))["zero-rows"]
    assert finding.evidence.startswith("row 2, row 26; ")
    assert "in their right places first" in finding.mend


def test_shifted_rows_that_were_trained_on(case_with, by_id):
    trained = by_id + np.random.RandomState(0).normal(0, 0.02, by_id.shape)
    findings = findings_in(case_with(np.roll(trained, -1, axis=0)))
    assert list(findings) == ["shifted-rows"]
    assert findings["shifted-rows"].severity == "error"
    assert findings["shifted-rows"].numbers["shift"] == -1
    assert findings["shifted-rows"].numbers["cosine"] > 0.9
    assert findings_in(case_with(trained)) == {}


def test_rows_of_other_words(case_with, by_id):
    order = np.array([0, *np.random.RandomState(1).permutation(np.arange(1, len(by_id)))])
    findings = findings_in(case_with(by_id[order]))
    assert {kind: f.severity for kind, f in findings.items()} == {"rows-of-other-words": "error"}
    elsewhere = int((order != np.arange(len(by_id))).sum())
    assert findings["rows-of-other-words"].numbers["elsewhere"] == elsewhere


def test_rows_of_another_file(case_with, by_id):
    random = np.random.RandomState(0).normal(0, 1, by_id.shape)
    assert severities_in(case_with(random)) == {"other-vectors": "warning"}


def test_words_that_the_reference_does_not_have(case_with, by_id):
    words = [f"x{number}" for number in range(1, len(by_id))]
    findings = findings_in(case_with(by_id, words))
    assert {kind: f.severity for kind, f in findings.items()} == {"other-vectors": "warning"}
    assert "share no word" in findings["other-vectors"].what


def test_words_left_without_their_vector(case_with, by_id):
    findings = findings_in(case_with(without_vector(by_id, 3, 8, 11)))
    assert list(findings) == ["words-left-without-vector"]  # that they are zeros is the same fact
    assert findings["words-left-without-vector"].severity == "warning"
    assert findings["words-left-without-vector"].numbers == {"shared": 26, "blank": 3}


def test_one_word_left_without_its_vector_is_only_noted(case_with, by_id):
    case = case_with(without_vector(by_id, 3))
    assert severities_in(case) == {"words-left-without-vector": "note"}
    assert IN_ORDER not in diagnose(case).in_order


def test_two_words_whose_rows_are_exchanged_among_sound_ones(case_with, by_id):
    rows = by_id.copy()
    rows[[3, 4]] = rows[[4, 3]]
    case = case_with(rows)
    assert severities_in(case) == {"vectors-elsewhere": "warning"}
    assert diagnose(case).findings[0].numbers["elsewhere"] == 2
    assert IN_ORDER not in diagnose(case).in_order


@pytest.mark.parametrize(("count", "severity"), [(1, "note"), (5, "warning")])
def test_rows_unlike_the_vectors_of_their_words_among_sound_ones(case_with, by_id, count, severity):
    rows = by_id.copy()
    rows[3 : 3 + count] = np.random.RandomState(0).normal(0, 1, (count, rows.shape[1]))
    case = case_with(rows)
    assert severities_in(case) == {"rows-unlike-their-vectors": severity}
    assert IN_ORDER not in diagnose(case).in_order
