"""Rows by themselves: broken ones, equal ones, and a padding row that drifted."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.analysis.doctor import make_case
from embedinspect.lookup import Settings
from tests.analysis.builders import layer, model_of, words_by_id
from tests.analysis.doctor.findings import WORDS, findings_in, severities_in
from tests.builders import source_of


def case_with(changes):
    """Return the case of 300 healthy rows, some of which hold other numbers, or another row's."""
    rows = np.random.RandomState(0).rand(300, 4)
    for row, numbers in changes.items():
        rows[row] = rows[numbers] if isinstance(numbers, int) else numbers
    return make_case(Settings(), source=source_of(rows, [f"w{row}" for row in range(300)]))


def test_healthy_rows():
    assert findings_in(case_with({})) == {}


@pytest.mark.parametrize(
    ("changes", "kind", "severity"),
    [
        ({7: np.nan}, "nan-rows", "error"),
        ({7: np.inf}, "infinite-rows", "error"),
        ({7: 0.0}, "zero-rows", "note"),
        (dict.fromkeys(range(5, 200), 0.0), "zero-rows", "warning"),
        ({7: 3}, "duplicate-rows", "note"),
        (dict.fromkeys(range(4, 9), 3), "duplicate-rows", "warning"),
    ],
)
def test_broken_rows(changes, kind, severity):
    findings = findings_in(case_with(changes))
    assert list(findings) == [kind]
    assert findings[kind].severity == severity
    assert findings[kind].numbers["rows"] == len(changes)
    assert findings[kind].numbers["first"] == list(changes)[:100]
    assert f"row {min(changes)} ('w{min(changes)}')" in findings[kind].evidence


def test_rows_that_are_broken_in_two_ways():
    case = case_with({7: np.nan, 8: -np.inf})
    assert severities_in(case) == {"nan-rows": "error", "infinite-rows": "error"}


def case_of_padding_row(times):
    """Return the case of a model whose padding row is that many times as long as the others."""
    rows = np.random.RandomState(0).rand(6, 4)
    median = np.median(np.linalg.norm(rows[1:], axis=1))
    rows[0] = times * median / 2  # four equal numbers: twice as long as each
    source = model_of(layer("LSTM"), rows=rows)
    return make_case(Settings(), source=source, words=words_by_id(*WORDS))


def test_a_padding_row_that_is_a_little_longer():
    assert findings_in(case_of_padding_row(3)) == {}


@pytest.mark.parametrize(("times", "severity"), [(8, "note"), (40, "warning")])
def test_a_padding_row_that_drifted(times, severity):
    findings = findings_in(case_of_padding_row(times))
    assert list(findings) == ["padding-row-drifted"]
    assert findings["padding-row-drifted"].severity == severity
    assert findings["padding-row-drifted"].numbers["ratio"] == pytest.approx(times)
