"""What `info` says of a language model's table: golden pages, and documents by their schema."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from scipy.stats import spearmanr

from embedinspect.analysis.language_model import examine_tokens
from embedinspect.analysis.ranks import lengths_by_rank
from embedinspect.commands.schema import FOLDER
from embedinspect.output import language_model
from tests.analysis.builders import language_model_of
from tests.analysis.test_untrained import decayed, trained
from tests.builders import source_of

MODELS = Path(__file__).parents[1] / "data" / "models"
SCHEMA = json.loads((FOLDER / "info.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("model", "width"), [("bert", 100), ("llama-untied", 60), ("llama-padded", 100)]
)
def test_pages(run, golden, monkeypatch, model, width):
    monkeypatch.chdir(MODELS)
    monkeypatch.setenv("COLUMNS", str(width))
    code, out, err = run("info", model)
    assert (code, err) == (0, "")
    golden(f"info-{model}-{width}.txt", out.decode())


@pytest.mark.parametrize("model", ["bert", "llama-untied", "t5-sharded", "gpt2-f16"])
def test_documents(run, model):
    code, out, _ = run("info", str(MODELS / model), "--json")
    document = json.loads(out)
    Draft202012Validator(SCHEMA).validate(document)
    expected = json.loads((MODELS / f"{model}.json").read_text(encoding="utf-8"))
    assert code == 0
    assert document["tokens"]["ids"] == len(set(expected.values()))
    assert [t["role"] for t in document["tensors"]].count("input embedding") == 1


def told(source):
    """Return what is told of tokens and rows, by the label of each fact."""
    health = examine_tokens(source)
    return {fact.label: fact for fact in language_model.facts(source, health)}


def test_tokens_that_are_as_unused_ones_are_named():
    rows, names = trained(), [f"w{row}" for row in range(1000)]
    names[:30] = [f"[unused{number}]" for number in range(30)]
    rows[:30], rows[500:505] = decayed(30), decayed(5, seed=1)
    fact = told(language_model_of(rows, names, tied=True))["glitches"]
    assert "w500 (row 500)" in fact.text
    assert "by direction in 'embed'" in fact.text
    rows[500:505] = trained(5)
    assert told(language_model_of(rows, names, tied=True))["glitches"].meaning == "confirmed"


def test_tokens_that_the_file_calls_unused_are_among_the_unused():
    health = examine_tokens(language_model_of(trained(), unused={"w7": 7, "w2000": 2000}))
    assert health.unused.tolist() == [7]


def test_a_token_without_a_row_is_wrong():
    facts = told(language_model_of(trained(), ids={"w0": 0, "more": 1000}, vocab_size=1001))
    assert facts["tokens"].meaning == "wrong"
    assert "'more' 1,000" in facts[""].text


def test_the_lengths_by_rank_are_those_of_scipy():
    rows = trained()[np.argsort(-np.linalg.norm(trained(), axis=1))]
    rows[[5, 7]] = rows[6]  # a tie
    rows[9], rows[11] = 0, np.nan
    words = [None if row % 50 == 3 else f"w{row}" for row in range(1000)]
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1).astype(np.float32)
    counted = [row for row in range(1000) if row % 50 != 3 and row not in {9, 11}]
    by_rank = lengths_by_rank(source_of(rows, words))
    expected = spearmanr(lengths[counted], counted).statistic
    assert by_rank.correlation == pytest.approx(expected, abs=1e-12)
    assert by_rank.medians[0] == pytest.approx(np.median(lengths[counted[:98]]))
    assert lengths_by_rank(source_of(rows[:99], words[:99])) is None
    assert lengths_by_rank(source_of(np.ones((200, 2)), words[4:204])).correlation is None


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("duckdb-lists.parquet", "vector"),
        ("pandas-numbers.feather", "6 columns, 0 to 5"),
        ("polars.ndjson", "vector"),
        ("pandas-lists.csv", "embedding"),
    ],
)
def test_the_vectors_of_a_table_are_a_column(run, name, column):
    _, out, _ = run("info", str(MODELS.parent / "tables" / name))
    assert f"\ncolumn      {column}\n" in out.decode()
