"""Large tables are worked through in blocks: whatever their size, the answers are the same."""

from __future__ import annotations

import json
import math
from functools import partial

import numpy as np
import pytest

from embedinspect import exports, matrix
from embedinspect.analysis import (
    health,
    language_model,
    moments,
    near_pairs,
    nearest,
    projection,
    row_list,
    untrained,
)
from embedinspect.exports import arrays
from embedinspect.formats.contents import Contents
from embedinspect.notebook.matrix import Matrix
from embedinspect.source import Source, open_source
from embedinspect.stored_rows import StoredRows

PARTS = (
    arrays, health, language_model, matrix, moments, near_pairs, nearest, projection, row_list,
    untrained,
)  # fmt: skip
QUESTIONS = {
    "info": lambda opened: opened.info(),
    "neighbors": lambda opened: opened.neighbors(["#5"]),
    "neighbors by distance": lambda opened: opened.neighbors(["#5", "#6"], metric="euclidean"),
    "rows by norm": lambda opened: opened.rows(sort="norm", where=["row>3"]),
    "rows by distance from the mean": lambda opened: opened.rows(sort="outlier"),
    "duplicates": lambda opened: opened.duplicates(),
    "duplicates by distance": lambda opened: opened.duplicates(within=1.5),
    "map": lambda opened: opened.map(),
    "axis": lambda opened: opened.axis(low=["#1"], high=["#2"]),
    "doctor": lambda opened: opened.doctor(),
}


@pytest.fixture
def tiny_blocks(monkeypatch):
    """Return a function that makes all blocks a few rows long."""

    def a_few_rows(real, rows, numbers=0, start=0, stop=None):
        return real(rows, 3 * rows.shape[1], start, stop)

    def make() -> None:
        for module in PARTS:
            monkeypatch.setattr(module, "parts_of", partial(a_few_rows, matrix.parts_of))
        for module in (health, untrained, matrix, nearest):
            monkeypatch.setattr(module, "IN_CACHE", 40)
        monkeypatch.setattr(near_pairs, "BLOCK", 7)
        monkeypatch.setattr(near_pairs, "_NUMBERS_AT_ONCE", 40)
        monkeypatch.setattr(nearest, "_NUMBERS_AT_ONCE", 40)
        monkeypatch.setattr(nearest, "_NUMBERS_OF_ALL", 40)
        monkeypatch.setattr(moments, "_WORTH_FLOAT32", 2**10)
        monkeypatch.setattr(moments, "_ROWS_AT_ONCE", 20)
        monkeypatch.setattr(moments, "_CENTRED_AT_ONCE", 60 * 12)

    return make


@pytest.fixture
def table():
    rows = np.random.default_rng(0).standard_normal((700, 12)).astype(np.float32)
    rows[[10, 20, 690]] = 0
    rows[650] = rows[7]
    rows[40] *= 30
    rows[60, 3] = np.nan
    rows[61, 3] = np.inf
    return rows


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("stored", [False, True])
def test_a_question_has_one_answer_whatever_the_blocks(table, tiny_blocks, name, stored):
    rows = table.astype(np.float16)
    whole = StoredRows(rows, rows.shape) if stored else rows.astype(np.float32)
    expected = asked(whole, name)
    tiny_blocks()
    assert not differences(asked(whole, name), expected)


def source_of(rows):
    return Source("made", Contents("made", rows), matrix.EmbeddingMatrix(rows, "made"))


def asked(rows, name):
    return QUESTIONS[name](Matrix(source_of(rows), None, ())).to_dict()


def differences(one, other, path="") -> list[str]:
    """Return where two documents differ by more than rounding."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return [line for key in one for line in differences(one[key], other[key], f"{path}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for place, pair in pairs for line in differences(*pair, f"{path}/{place}")]
    if isinstance(one, float) and isinstance(other, float):
        return [] if math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-6) else [path]
    return [] if one == other else [f"{path}: {json.dumps(one)} is not {json.dumps(other)}"]


def test_rows_that_equal_an_earlier_one_are_found_among_those_of_one_hash(monkeypatch):
    rows = np.random.default_rng(0).integers(0, 3, (200, 2)).astype(np.float32)
    seen: dict[bytes, int] = {}
    expected = [
        (row, seen[key])
        for row, key in enumerate(map(bytes, rows))
        if seen.setdefault(key, row) != row
    ]
    among = np.arange(200)
    later, first = health._duplicates(rows, among)
    assert list(zip(later.tolist(), first.tolist(), strict=True)) == expected
    # Where two kinds of rows have one hash, the first of each is still found.
    monkeypatch.setattr(health, "_hashes", lambda rows: rows[:, 0].astype(np.uint64))
    assert [row for row, _ in expected[:20]] == health._duplicates(rows, among)[0].tolist()[:20]


@pytest.mark.parametrize("name", ["npy", "safetensors"])
def test_what_is_written_in_blocks_is_whole(tmp_path, table, tiny_blocks, name):
    tiny_blocks()
    stored = StoredRows(table.astype(np.float16), table.shape)
    path = str(tmp_path / f"x.{name}")
    exports.export(source_of(stored), path, None)
    assert np.array_equal(open_source(path).matrix.rows, np.asarray(stored), equal_nan=True)
