"""Lists of rows: their order, and which of them meet a condition, against plain NumPy."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import embedinspect
from embedinspect.analysis.health import examine
from embedinspect.analysis.row_list import list_rows
from embedinspect.errors import UsageError
from embedinspect.source import open_source
from tests.builders import source_of

SCHEMAS = Path(embedinspect.__file__).parent / "output" / "schemas"


def drawn(seed: int = 0, count: int = 40, width: int = 5):
    return np.random.RandomState(seed).standard_normal((count, width)).astype(np.float32)


@given(st.integers(0, 1000), st.sampled_from(["norm", "-norm"]))
def test_rows_are_sorted_by_their_norms(seed, sort):
    rows = drawn(seed)
    listed = list_rows(source_of(rows), sort)
    norms = np.linalg.norm(rows.astype(np.float64), axis=1)[listed.rows]
    steps = np.diff(norms if sort == "norm" else -norms)
    assert (steps > -1e-6).all()
    assert sorted(listed.rows.tolist()) == list(range(len(rows)))
    assert np.allclose(listed.values, norms)


def test_the_first_outliers_are_the_rows_that_info_finds_far_from_all_others():
    rows = drawn(count=300)
    rows[[7, 250]] *= 40
    source = source_of(rows)
    listed, health = list_rows(source, "outlier"), examine(source)
    assert listed.rows[:2].tolist() == health.far_rows.tolist()
    assert np.allclose(listed.values[:2], health.far_distances)


def test_rows_without_such_a_number_are_counted_and_left_out():
    rows = drawn()
    rows[3, 0] = np.nan
    for sort in ("norm", "outlier"):
        listed = list_rows(source_of(rows), sort)
        assert (listed.not_finite, len(listed.rows), 3 in listed.rows) == (1, 39, False)


def test_conditions_are_met_by_all_rows_of_the_list_and_by_no_other():
    source = open_source("sample:vectors")
    norms = np.linalg.norm(source.matrix.rows.astype(np.float64), axis=1)
    listed = list_rows(source, None, ["norm>0.9", "row<20"])
    assert listed.rows.tolist() == [row for row in range(20) if norms[row] > 0.9]
    words = [source.words[row] for row in list_rows(source, None, ["word=b*"]).rows]
    assert words == [word for word in source.words if word.startswith("b")]
    assert list_rows(source, None, ["row = #4"]).rows.tolist() == [4]


@pytest.mark.parametrize(
    ("sort", "where", "says"),
    [
        (None, ["x"], "expected a condition on norm, row or word"),
        (None, ["norm>long"], "expected a number behind >"),
        (None, ["word>b"], "expected word=PATTERN"),
        ("moved", [], "--sort moved is for runs of train"),
        ("frequency", [], "does not say how often its words occur"),
    ],
)
def test_a_list_that_cannot_be_made_is_refused_in_words(sort, where, says):
    with pytest.raises(UsageError, match=says):
        list_rows(open_source("sample:vectors"), sort, where)


def test_without_top_programs_get_all_rows_of_the_list_and_with_it_the_first(run):
    code, out, _ = run("rows", "sample:vectors", "--sort", "-norm", "--json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads((SCHEMAS / "rows.json").read_text()))
    assert code == 0
    assert len(document["rows"]) == 26
    assert document["rows"][0]["word"] == "queen"
    lines = run("rows", "sample:vectors", "--sort", "-norm", "--top", "2", "-f", "csv")[1]
    assert lines.decode().splitlines()[0].startswith("row,word,norm,value,dim_0")
    assert len(lines.decode().splitlines()) == 3


def test_words_and_lists_do_not_go_together(run):
    for arguments, says in (
        (("king", "--sort", "norm"), "--sort and --where list rows, and words were named"),
        (("king", "--top", "2"), "--top counts the rows of a list"),
        ((), "or a list by --sort or --where"),
    ):
        code, _, err = run("rows", "sample:vectors", *arguments)
        assert code == 2
        assert says in err


def test_the_documents_of_lists_and_duplicates_are_as_their_schemas_say(run):
    document = json.loads(run("duplicates", "sample:vectors", "--over", "0.97", "--json")[1])
    jsonschema.validate(document, json.loads((SCHEMAS / "duplicates.json").read_text()))
    report = json.loads(run("report", "sample:vectors", "king", "--json")[1])
    jsonschema.validate(report, json.loads((SCHEMAS / "report.json").read_text()))
    for name in ("info", "doctor", "map", "neighbors"):
        jsonschema.validate(report[name], json.loads((SCHEMAS / f"{name}.json").read_text()))
