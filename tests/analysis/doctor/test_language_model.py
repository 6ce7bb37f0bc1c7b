"""The table of a language model: each test breaks one thing in a healthy one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedinspect.analysis.doctor import diagnose, make_case
from embedinspect.analysis.language_model import language_model, never_used
from embedinspect.lookup import Settings
from embedinspect.source import open_source
from tests.analysis.builders import language_model_of as model_of
from tests.analysis.doctor.findings import findings_in, severities_in
from tests.analysis.test_untrained import decayed, trained

NAMES = tuple(f"w{row}" for row in range(1000))
MODELS = Path(__file__).parents[2] / "data" / "models"
NEVER_TRAINED = {"rows-as-drawn": "warning"}  # as all of these models are


def case_of(source):
    return make_case(Settings(), source=source)


def test_a_healthy_table_has_no_finding():
    source = model_of(
        trained(), vocab_size=1000, tied=True, special={"w0": 0}, added={"w998": 998, "w999": 999}
    )
    diagnosis = diagnose(case_of(source))
    assert diagnosis.findings == []
    assert {
        "every token has a row",
        "every row is a token's",
        "vocab_size is the number of rows",
    } <= {*diagnosis.in_order}


def test_tokens_and_special_tokens_beyond_the_rows():
    ids = {name: row for row, name in enumerate(NAMES)} | {"<extra>": 1000, "<pad>": 1003}
    finding = findings_in(case_of(model_of(trained(), ids=ids, special={"<pad>": 1003})))[
        "token-without-row"
    ]
    assert finding.severity == "error"
    assert finding.numbers["first"] == ["<extra>", "<pad>"]
    assert finding.numbers["special"] == ["<pad>"]
    assert "no row for '<extra>' (id 1,000), '<pad>' (id 1,003)" in finding.evidence


def test_a_vocab_size_that_is_not_the_number_of_rows():
    assert severities_in(case_of(model_of(trained(), vocab_size=1001))) == {"vocab-size": "error"}


@pytest.mark.parametrize(
    ("tied", "change", "found"),
    [
        (True, 1, {"head-not-tied": "warning"}),
        (True, 0, {}),
        (False, 1, {}),
        (False, 0, {"head-equals-input": "note"}),
        (None, 1, {}),
    ],
)
def test_a_head_that_is_not_as_the_configuration_says(tied, change, found):
    rows = trained()
    assert (
        severities_in(case_of(model_of(rows, head=rows + np.float32(change), tied=tied))) == found
    )


@pytest.mark.parametrize("filling", [np.zeros((40, 32)), decayed(40), None])
def test_rows_that_fill_the_matrix_up_to_a_multiple(filling):
    """Whatever they hold, that no token has them is the one thing that is said."""
    rows = trained(1024)
    if filling is not None:
        rows[984:] = filling
    names = [f"w{row}" for row in range(984)]
    findings = findings_in(case_of(model_of(rows, names, vocab_size=1024)))
    assert {kind: finding.severity for kind, finding in findings.items()} == {
        "rows-without-token": "note"
    }
    assert findings["rows-without-token"].numbers["first"] == list(range(984, 1024))
    assert "at the end" in findings["rows-without-token"].evidence
    assert "1,024 is a multiple of 1024" in findings["rows-without-token"].evidence


def glitched(count=30):
    """Rows in which w500 to w507 are as those of `[unused0]` and on, which stand first."""
    rows, names = trained(), list(NAMES)
    names[:count] = [f"[unused{number}]" for number in range(count)]
    rows[:count] = decayed(count)
    rows[500:508] = decayed(8, seed=1)
    return rows, names


@pytest.mark.parametrize("tied", [True, None])
def test_tokens_near_the_unused_ones_in_a_matrix_that_predicts_or_may_have(tied):
    rows, names = glitched()
    finding = findings_in(case_of(model_of(rows, names, tied=tied)))["tokens-near-unused"]
    assert finding.severity == "note"
    named = set(finding.numbers["first"])
    assert len(named & set(range(500, 508))) >= 6
    assert len(named) <= 12
    assert finding.numbers["unused"] == 30


def test_a_head_that_is_not_in_the_file_leaves_the_length_alone():
    rows, names = glitched()
    findings = findings_in(case_of(model_of(rows, names, tied=False)))
    assert "tokens-near-unused" not in findings
    assert findings["tokens-like-unused"].numbers["table"] == "embed"


def test_tokens_like_unused_ones_by_the_output_head_and_by_their_length():
    rows, names = glitched()
    findings = findings_in(case_of(model_of(trained(seed=5), names, head=rows, tied=False)))
    assert set(findings) == {"tokens-near-unused"}  # the input is sound here
    assert findings["tokens-near-unused"].numbers["table"] == "lm_head"
    findings = findings_in(case_of(model_of(rows, names, head=trained(seed=5), tied=False)))
    assert len(set(findings["tokens-like-unused"].numbers["first"]) & set(range(500, 508))) >= 6


def test_no_token_is_near_unused_ones_that_look_like_all_others():
    names = list(NAMES)
    names[:30] = [f"[unused{number}]" for number in range(30)]
    assert severities_in(case_of(model_of(trained(), names, tied=True))) == {}


@pytest.mark.parametrize("spread", [0, 1e-5])
def test_added_tokens_whose_rows_are_all_alike(spread):
    rows = trained()
    rows[990:] = rows[3] * 2 + np.random.RandomState(0).normal(0, 1, (10, 32)) * spread
    added = {name: row for row, name in enumerate(NAMES) if row >= 990}
    findings = findings_in(case_of(model_of(rows, added=added)))
    assert findings["new-rows-alike"].severity == "warning"
    assert findings["new-rows-alike"].numbers["first"] == list(range(990, 1000))


def test_new_rows_at_the_mean_are_said_once():
    rows = trained()
    rows[990:] = rows[:990].mean(axis=0) + np.random.RandomState(1).normal(0, 1e-6, (10, 32))
    added = {name: row for row, name in enumerate(NAMES) if row >= 990}
    assert severities_in(case_of(model_of(rows, added=added))) == {"rows-at-the-mean": "warning"}


def test_tokens_that_are_there_with_a_space_and_without():
    letters = [chr(97 + row // 26) + chr(97 + row % 26) for row in range(100)]
    names = [*letters, *("Ġ" + word for word in letters), *NAMES[200:]]
    findings = findings_in(case_of(model_of(trained(), names, space="Ġ")))
    assert {kind: finding.severity for kind, finding in findings.items()} == {
        "spaced-tokens": "note"
    }
    assert findings["spaced-tokens"].numbers["pairs"] == 100
    rows = trained()
    rows[100:200] = rows[:100] * 1.01
    assert "spaced-tokens" not in findings_in(case_of(model_of(rows, names, space="Ġ")))


def test_a_matrix_of_positions_is_no_table_of_tokens():
    source = model_of(trained(), role="position embedding", vocab_size=5)
    assert language_model(source) is None
    assert severities_in(case_of(source)) == {}


def test_bytes_that_no_text_holds():
    fallback = model_of(np.zeros((4, 2)), ["a", "<0xC0>", "<0x41>", "<0xFF>"], space="▁")
    assert never_used(fallback).tolist() == [1, 3]
    # GPT-2's letters for the bytes C0, 41, F5, and for a letter that is one in plain text, too.
    letters = model_of(np.zeros((4, 2)), ["À", "A", "õ", "Ġa"], space="Ġ")
    assert never_used(letters).tolist() == [0, 2]
    plain = model_of(np.zeros((3, 2)), ["À", "õ", "a"])
    assert never_used(plain).tolist() == []


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("llama-untied", {}),
        ("llama-padded", {"rows-without-token": "note"}),
        ("padded", {"rows-without-token": "note"}),
        ("resized-mean", {"rows-at-the-mean": "warning"}),
        ("resized-random", {}),
    ],
)
def test_models_that_transformers_has_resized(model, found):
    """Each by `resize_token_embeddings`: padded to a multiple, or with rows for new tokens."""
    source = open_source(str(MODELS / model))
    assert severities_in(case_of(source)) == NEVER_TRAINED | found


@pytest.mark.parametrize("count", [1, 12])
def test_new_rows_that_a_resize_has_drawn(count):
    """`mean_resizing=False` draws them as the model's initializer does, and too few for a group."""
    rows = trained(1000, 512)
    rows[1000 - count :] = np.random.RandomState(2).normal(0, 0.02, (count, 512))
    added = {name: row for row, name in enumerate(NAMES) if row >= 1000 - count}
    findings = findings_in(case_of(model_of(rows, added=added)))
    assert findings.keys() == {"new-rows-drawn"}
    assert findings["new-rows-drawn"].severity == "warning"
    assert "normal(0, 0.02), as for BERT" in findings["new-rows-drawn"].evidence
    assert severities_in(case_of(model_of(trained(1000, 512), added=added))) == {}


def test_the_configuration_is_checked_where_no_token_is_known():
    rows = trained()
    source = model_of(rows, [None] * 1000, head=rows + np.float32(1), tied=True, vocab_size=8)
    found = severities_in(case_of(source))
    assert found["vocab-size"] == "error"
    assert found["head-not-tied"] == "warning"
    assert "rows-without-token" not in found
    assert "every token has a row" not in diagnose(case_of(source)).in_order


def test_word_pieces_have_no_spaces():
    letters = [chr(97 + row // 26) + chr(97 + row % 26) for row in range(100)]
    names = [*letters, *("##" + word for word in letters), *NAMES[200:]]
    finding = findings_in(case_of(model_of(trained(), names, continues="##")))["spaced-tokens"]
    assert "as they begin a word and inside one" in finding.what
    assert "space" not in finding.leads_to


@pytest.mark.parametrize("broken", [np.nan, np.inf])
@pytest.mark.filterwarnings("error")
def test_a_broken_row_among_the_unused_hides_no_token_near_them(broken):
    rows, names = glitched()
    expected = findings_in(case_of(model_of(rows, names, tied=True)))["tokens-near-unused"]
    rows[29], rows[700, 3] = broken, broken
    finding = findings_in(case_of(model_of(rows, names, tied=True)))["tokens-near-unused"]
    assert finding.numbers["unused"] == expected.numbers["unused"]
    assert len(set(finding.numbers["first"]) & set(range(500, 508))) >= 6
