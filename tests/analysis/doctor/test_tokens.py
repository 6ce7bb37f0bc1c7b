"""A table of tokens: each test puts rows of one kind into a healthy one."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.analysis.doctor import diagnose, make_case
from embedinspect.lookup import Settings
from tests.analysis.builders import layer, model_of, words_in_order
from tests.analysis.doctor.findings import findings_in, severities_in
from tests.analysis.test_untrained import decayed, trained
from tests.builders import source_of

NAMES = [f"w{row}" for row in range(1000)]
UNTRAINED = "no rows stand apart as if training had not reached them"


def case_with(rows, words=NAMES):
    return make_case(Settings(), source=source_of(rows), words=words_in_order(*words))


def test_a_healthy_table():
    diagnosis = diagnose(case_with(trained()))
    assert diagnosis.findings == []
    assert UNTRAINED in diagnosis.in_order
    assert any("cosine above 0.999" in told for told in diagnosis.in_order)


def test_rows_in_reserve_that_were_never_trained():
    rows, words = trained(), list(NAMES)
    rows[10:110] = decayed(100)
    words[10:90] = [f"[unused{number}]" for number in range(80)]
    finding = findings_in(case_with(rows, words))["untrained-rows"]
    assert finding.severity == "note"
    assert finding.mend is None
    assert finding.numbers["first"] == list(range(10, 110))
    assert "80 of 80 rows in reserve are among them" in finding.evidence
    assert "row 10 ('[unused0]'), row 11 ('[unused1]')" in finding.evidence


def test_most_rows_as_they_were_drawn():
    rows = np.random.RandomState(0).uniform(-0.05, 0.05, (1000, 32))
    findings = findings_in(case_with(rows))
    assert {kind: f.severity for kind, f in findings.items()} == {"rows-as-drawn": "warning"}
    assert "saved after training" in findings["rows-as-drawn"].mend
    assert findings["rows-as-drawn"].numbers["rows"] > 990


def test_new_rows_at_the_mean_are_no_near_duplicates_too():
    rows = trained()
    rows[990:] = rows[:990].mean(axis=0) + np.random.RandomState(1).normal(0, 1e-6, (10, 32))
    assert severities_in(case_with(rows)) == {"rows-at-the-mean": "warning"}


@pytest.mark.parametrize(("count", "severity"), [(3, "note"), (60, "warning")])
def test_rows_nearly_alike(count, severity):
    rows = trained()
    rows[500 : 500 + count] = rows[:count] * 1.5
    findings = findings_in(case_with(rows))
    assert {kind: f.severity for kind, f in findings.items()} == {"near-duplicate-rows": severity}
    finding = findings["near-duplicate-rows"]
    assert finding.numbers["near"][:3] == [0, 1, 2]
    assert finding.evidence.startswith("row 500 ('w500') and row 0 ('w0'): 1.00000")


@pytest.mark.parametrize("filling", [np.zeros((40, 32)), decayed(40)])
def test_rows_beyond_the_vocabulary(filling):
    """A list of words, and the ids of a tokenizer, are both shorter than a table on purpose."""
    rows = trained()
    rows[960:] = filling
    findings = findings_in(case_with(rows, NAMES[:960]))
    kinds = {kind: finding.severity for kind, finding in findings.items()}
    assert kinds == {"rows-beyond-vocabulary": "note"}  # what they hold is the same fact
    assert findings["rows-beyond-vocabulary"].numbers["first"] == list(range(960, 1000))


def test_rows_beyond_the_vocabulary_that_were_trained_are_doubtful():
    assert severities_in(case_with(trained(), NAMES[:960])) == {"vocabulary-length": "warning"}


def test_an_all_negative_row_is_sound():
    rows = trained()
    rows[[3, 77]] = -np.abs(rows[[3, 77]])
    assert findings_in(case_with(rows)) == {}


def test_rows_that_the_vocabulary_leaves_out_are_named_once():
    rows = trained()
    rows[960:] = decayed(40)
    source = model_of(layer("LSTM"), rows=rows, words=[None, *NAMES[1:960], *[None] * 40])
    assert severities_in(make_case(Settings(), source=source)) == {"rows-beyond-vocabulary": "note"}
