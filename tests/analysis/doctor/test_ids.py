"""Ids and rows: each test makes one thing wrong with the ids of healthy words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.analysis.doctor import make_case
from embedinspect.formats.vocabulary_file import FileOfWords
from embedinspect.lookup import Settings
from tests.analysis.builders import layer, model_of, words_by_id, words_in_order
from tests.analysis.doctor.findings import WORDS, findings_in, severities_in
from tests.builders import source_of
from tests.conftest import CLASSIC

MODEL = model_of(layer("LSTM"))
ROWS = source_of(MODEL.matrix.rows)
IMDB = {"the": 1, "and": 2, "a": 3, "of": 4, "to": 5, "is": 6, "br": 7}


def case_of(words, texts=(), source=MODEL, index_from=None, **settings):
    return make_case(Settings(**settings), texts, source=source, words=words, index_from=index_from)


def test_input_dim_one_too_small():
    findings = findings_in(make_case(Settings(input_dim=5), CLASSIC))
    assert list(findings) == ["input-dim-one-too-small"]
    finding = findings["input-dim-one-too-small"]
    assert finding.severity == "error"
    assert finding.numbers == {
        "input_dim": 5, "largest_id": 5, "ids_without_row": 1, "word": "not", "occurrences": 1,
    }  # fmt: skip
    assert "input_dim=6" in finding.mend
    assert "zeros" in finding.leads_to
    assert "NaN" in finding.leads_to


def test_input_dim_large_enough():
    assert findings_in(make_case(Settings(input_dim=6), CLASSIC)) == {}


def test_input_dim_too_small_for_words_that_are_not_used():
    findings = findings_in(make_case(Settings(input_dim=5, num_words=4), CLASSIC))
    assert "input-dim-one-too-small" not in findings
    assert "unused-rows" in findings


def test_a_model_with_one_row_too_few():
    words = words_by_id(*WORDS, "new")
    findings = findings_in(case_of(words, CLASSIC))
    assert list(findings) == ["input-dim-one-too-small"]
    assert findings["input-dim-one-too-small"].numbers["occurrences"] == 0
    assert "--num-words 6" in findings["input-dim-one-too-small"].mend
    assert findings_in(case_of(words, CLASSIC, num_words=6)) == {}


def test_ids_without_a_row():
    words = words_by_id(*WORDS, "more", "and", "others")
    findings = findings_in(case_of(words, ["more and others and"]))
    assert list(findings) == ["id-without-row"]
    numbers = findings["id-without-row"].numbers
    assert (numbers["ids_without_row"], numbers["largest_id"]) == (3, 8)
    assert (numbers["word"], numbers["occurrences"]) == ("more", 4)


def test_negative_ids():
    findings = findings_in(case_of(words_by_id(*WORDS[:-1], **{"not": -2}), CLASSIC[:1]))
    assert findings.keys() == {"negative-id", "unused-rows"}
    assert findings["negative-id"].severity == "error"
    assert findings["negative-id"].numbers == {"words": 1, "lowest_id": -2, "word": "not"}
    assert "the last row" in findings["negative-id"].leads_to


def test_a_word_with_the_id_of_the_padding():
    ids = {word: id_ for id_, word in enumerate(WORDS)}
    findings = findings_in(case_of(words_by_id(**ids)))
    assert list(findings) == ["padding-id-is-a-word"]  # that the last row is left is no other fact
    assert findings["padding-id-is-a-word"].severity == "warning"
    assert findings["padding-id-is-a-word"].numbers["word"] == "this"


def test_a_name_of_the_padding_may_have_its_id():
    words = words_by_id(*WORDS)
    words.pairs.append(("<pad>", 0))
    assert findings_in(case_of(words)) == {}


def test_a_list_that_begins_with_the_first_word():
    words = words_in_order(*WORDS)
    findings = findings_in(case_of(words))
    assert list(findings) == ["padding-id-is-a-word"]
    finding = findings["padding-id-is-a-word"]
    assert "--index-from 1" in finding.mend
    assert "5 words for 6 rows" in finding.evidence
    assert findings_in(case_of(words, index_from=1)) == {}


@pytest.mark.parametrize("count", [3, 5])
def test_a_list_that_is_too_short(count):
    findings = findings_in(case_of(words_in_order(*WORDS[:count]), source=ROWS))
    assert list(findings) == ["vocabulary-length"]  # that no id reaches these rows is no other fact
    assert findings["vocabulary-length"].severity == "warning"
    assert findings["vocabulary-length"].numbers == {
        "words": count, "input_dim": 6, "missing": 6 - count,
    }  # fmt: skip


def test_a_list_that_is_too_long():
    findings = findings_in(case_of(words_in_order(*WORDS, "six", "seven"), source=ROWS))
    assert {kind: f.severity for kind, f in findings.items()} == {"id-without-row": "error"}
    assert findings["id-without-row"].numbers["largest_id"] == 6


def test_a_list_of_as_many_words_as_rows():
    assert findings_in(case_of(words_in_order(*WORDS, "six"), ["six text"], source=ROWS)) == {}


def test_two_words_of_one_id():
    words = words_by_id("this", "is", "a", **{"text": 3, "not": 5})
    findings = findings_in(case_of(words))
    assert findings.keys() == {"id-of-two-words", "unused-rows"}
    assert findings["id-of-two-words"].severity == "warning"
    assert findings["id-of-two-words"].numbers == {"ids": 1, "id": 3, "words": ["a", "text"]}


def test_rows_that_no_id_reaches():
    findings = findings_in(case_of(words_by_id(*WORDS), CLASSIC[:1], num_words=4))
    assert findings["unused-rows"].severity == "note"
    assert findings["unused-rows"].numbers == {"rows": 2, "input_dim": 6, "first": [4, 5]}
    assert "the words have 3 ids below num_words 4" in findings["unused-rows"].evidence


def test_a_matrix_that_few_ids_reach():
    source = source_of(np.random.RandomState(0).rand(40, 2))
    findings = findings_in(case_of(words_by_id(*WORDS), source=source))
    assert {kind: f.severity for kind, f in findings.items()} == {"unused-rows": "warning"}
    assert findings["unused-rows"].numbers["rows"] == 34


def imdb_case(index_from):
    words = words_by_id(**IMDB, **{f"word{n}": n for n in range(8, 17)})
    source = source_of(np.random.RandomState(0).rand(20, 2))
    return case_of(words, source=source, index_from=index_from)


@pytest.mark.parametrize("index_from", [None, 2])
def test_the_imdb_index_without_its_offset(index_from):
    findings = findings_in(imdb_case(index_from))
    assert list(findings) == ["imdb-offset"]
    assert findings["imdb-offset"].severity == "warning"
    assert findings["imdb-offset"].mend == "--index-from 3"


def test_the_imdb_index_with_its_offset():
    assert severities_in(imdb_case(3)) == {"unused-rows": "note"}


@pytest.mark.parametrize(("rows", "expected"), [(7, {}), (6, {"input-dim-one-too-small": "error"})])
def test_a_lookup_layer_with_more_words_than_rows(rows, expected):
    source = model_of(
        layer("LSTM"),
        rows=np.random.RandomState(0).rand(rows, 4),
        mask_zero=True,
        vocabularies={"ids": ["", "[UNK]", *WORDS]},
    )
    assert severities_in(make_case(Settings(), CLASSIC, source=source)) == expected


@given(
    rows=st.integers(1, 12),
    ids=st.dictionaries(st.text(max_size=3), st.integers(-5, 30), min_size=1, max_size=12),
    limit=st.none() | st.integers(1, 20),
    texts=st.lists(st.text(max_size=20), max_size=3),
)
def test_out_of_range_is_what_numpy_says(rows, ids, limit, texts):
    source = source_of(np.random.RandomState(0).rand(rows, 2))
    case = case_of(FileOfWords(None, list(ids.items())), texts, source=source, num_words=limit)
    kinds = findings_in(case).keys()
    used = [id_ for id_ in ids.values() if limit is None or id_ < limit]
    beyond = any(id_ >= rows for id_ in used)
    assert bool(kinds & {"id-without-row", "input-dim-one-too-small"}) == beyond
    assert ("negative-id" in kinds) == any(id_ < 0 for id_ in ids.values())
    for row in case.ids:
        assert set(row.tolist()) <= {id_ for id_ in used if id_ > 0}
