"""Rows that are matched with the wrong ones: told of where they are, and never by chance."""

from __future__ import annotations

import json
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from embedinspect.analysis.diff import Elsewhere, compare, rows_elsewhere
from embedinspect.analysis.diff.matching import match
from embedinspect.analysis.diff.measuring import measure
from embedinspect.commands.schema import FOLDER
from embedinspect.output import diff
from embedinspect.output.relations import seems_elsewhere, sentence
from embedinspect.page import Headline, Paragraph
from tests.builders import source_of

SEEDS = st.integers(0, 2**31 - 1)
ROWS, WIDTHS = st.integers(1, 150), st.integers(1, 12)
CHANGES = {
    "a row was changed": lambda rows: np.vstack([rows[:1] + 1, rows[1:]]),
    "float16": lambda rows: rows.astype(np.float16),
    "3 decimals": lambda rows: np.round(rows, 3),
    "a factor": lambda rows: rows * 3 + 1e-4,
    "noise": lambda rows: rows + 0.02 * np.random.RandomState(5).standard_normal(rows.shape),
}


def elsewhere(a: np.ndarray, b: np.ndarray) -> Elsewhere | None:
    pairs = match(*(source_of(np.asarray(rows, np.float32)) for rows in (a, b)))
    measures, *_ = measure(pairs)
    return rows_elsewhere.rows_elsewhere(pairs, measures)


@pytest.mark.parametrize("change", CHANGES)
@given(seed=SEEDS, count=st.integers(30, 200), width=st.integers(8, 40))
def test_rows_in_another_order_are_found_though_they_were_changed(change, seed, count, width):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((count, width)).astype(np.float32)
    order = stream.permutation(count)
    found = elsewhere(rows, CHANGES[change](rows[order]))
    assert found.looked_at == min(64, found.candidates)
    assert len(found.places) > 0.8 * found.looked_at
    wrong = [(of_b, of_a) for of_b, of_a in found.places if order[of_b] != of_a]
    assert not wrong
    assert found.cosine > 0.98
    assert elsewhere(rows, CHANGES[change](rows)) is None


def unrelated(stream: np.random.RandomState, count: int, width: int) -> np.ndarray:
    return stream.standard_normal((2, count, width))


def along_a_line(stream: np.random.RandomState, count: int, width: int) -> np.ndarray:
    return stream.standard_normal(width) + stream.standard_normal((2, count, 1)) * np.ones(width)


def of_few_values(stream: np.random.RandomState, count: int, width: int) -> np.ndarray:
    return stream.randint(-2, 3, (2, count, width)).astype(float)


def many_duplicates(stream: np.random.RandomState, count: int, width: int) -> np.ndarray:
    values = stream.standard_normal((max(1, count // 2), width))
    return values[stream.randint(0, len(values), (2, count))]


def trained_on(stream: np.random.RandomState, count: int, width: int) -> np.ndarray:
    rows = stream.standard_normal((count, width))
    far = 10.0 ** stream.uniform(-3, 1)
    return np.array([rows, rows + far * stream.standard_normal(rows.shape)])


def of_twins(stream: np.random.RandomState, count: int, width: int) -> np.ndarray:
    one, other = trained_on(stream, count, width)
    one[::2][: count // 2] = one[1::2] + 1e-3 * stream.standard_normal(one[1::2].shape)
    return np.array([one, other])


@pytest.mark.parametrize(
    "kind", [unrelated, along_a_line, of_few_values, many_duplicates, trained_on, of_twins]
)
@given(seed=SEEDS, count=ROWS, width=WIDTHS)
def test_it_is_never_said_by_chance(kind, seed, count, width):
    one, other = kind(np.random.RandomState(seed), count, width)
    assert elsewhere(one, other) is None


@pytest.mark.parametrize("seed", range(150))
def test_chance_is_what_the_first_matrix_itself_has(seed):
    # Of so many values, 37 of 100 are there once, so that as many rows are found by chance.
    stream = np.random.RandomState(seed)
    values = stream.standard_normal((1000, 5))
    one, other = values[stream.randint(0, 1000, (2, 1000))]
    assert elsewhere(one, other) is None


def test_rows_that_are_all_one_row_of_a_are_in_no_order():
    rows = np.random.RandomState(0).standard_normal((100, 9))
    assert elsewhere(rows, np.tile(rows[7], (100, 1))) is None


@pytest.mark.parametrize("numbers", [1, 700])
def test_rows_are_found_in_blocks_as_at_once(monkeypatch, numbers):
    stream = np.random.RandomState(0)
    rows = stream.standard_normal((300, 6))
    rows[[3, 200]] = 0
    rows[250] *= 1e10
    shuffled = rows[stream.permutation(300)] * 1.5
    shuffled[0] += 1
    at_once = elsewhere(rows, shuffled)
    assert len(at_once.places) > 55
    monkeypatch.setattr(rows_elsewhere, "_NUMBERS_AT_ONCE", numbers)
    assert elsewhere(rows, shuffled) == at_once


def test_some_rows_among_many_that_were_only_rounded_are_found():
    rows = np.random.RandomState(0).standard_normal((400, 8)).astype(np.float32)
    made = rows.copy()
    made[20:60] = rows[20:60][::-1]
    found = elsewhere(rows, made.astype(np.float16))
    assert (found.candidates, found.looked_at, len(found.places)) == (40, 40, 40)


def test_it_is_not_asked_where_a_relation_says_all():
    rows = np.random.RandomState(0).standard_normal((40, 8)).astype(np.float32)
    shuffled = compare(source_of(rows), source_of(rows[::-1]), neighbors=0)
    assert (shuffled.relation.kind, shuffled.elsewhere) == ("row_order", None)
    some = rows.copy()
    some[:12] = rows[:12][::-1] * 2
    both = compare(source_of(rows), source_of(some), neighbors=0)
    assert (both.relation.kind, len(both.elsewhere.places)) == ("but_for_rows", 12)
    first, second = islice(diff.page(both), 2)
    assert first == Headline(sentence(both))
    assert second == Paragraph(seems_elsewhere(both), "notable")


def test_what_seems_so_is_said_with_what_was_looked_at_and_how_to_mend_it():
    rows = np.random.RandomState(0).standard_normal((40, 8)).astype(np.float32)
    made = rows[::-1].astype(np.float16)
    words = [f"w{row}" for row in range(40)]
    numbered = compare(source_of(rows), source_of(made), neighbors=0)
    assert seems_elsewhere(numbered) == (
        "B seems to have rows of A in another order: of the 40 rows whose direction differs, 40 "
        "have a cosine of at least 0.9999 with another row of A, such as row 0 with "
        "row 39; name their words with --words-a and --words-b, so that they are matched by word"
    )
    assert not numbered.trained_apart
    one_named = compare(source_of(rows), source_of(made, words), neighbors=0)
    assert "name their words with --words-a, so that" in seems_elsewhere(one_named)
    named = compare(source_of(rows, words), source_of(made, words), neighbors=0)
    assert seems_elsewhere(named) == (
        "B seems to have rows of A under other words: of the 40 words whose direction differs, 40 "
        "have a cosine of at least 0.9999 with the row of another word in A, such as w0 with w39; "
        "check that the words of A and B belong to these rows"
    )
    many = np.random.RandomState(0).standard_normal((1000, 8))
    text = seems_elsewhere(compare(source_of(many), source_of(many[::-1] * 1.5 + 1e-3)))
    assert "of the 1,000 rows whose direction differs, 64 were looked at, and all of these" in text


def test_programs_are_told_of_it_by_the_schema(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.RandomState(0).standard_normal((40, 8)).astype(np.float32)
    np.save("a.npy", rows)
    np.save("b.npy", rows[::-1].astype(np.float16))
    code, out, _ = run("diff", "a.npy", "b.npy", "--json")
    assert code == 0
    document = json.loads(out)
    Draft202012Validator(json.loads((FOLDER / "diff.json").read_text())).validate(document)
    told = document["elsewhere"]
    assert (told["candidates"], told["looked_at"], told["found"]) == (40, 40, 40)
    assert told["which"][1] == {"word_b": "#1", "row_b": 1, "word_a": "#38", "row_a": 38}
    assert document["relation"] is None


def test_copies_of_rows_that_stay_in_their_places_are_no_other_order():
    rows = np.random.RandomState(0).standard_normal((2000, 32)).astype(np.float32)
    copied = rows.copy()
    copied[1000:] = rows[:1000]
    assert compare(source_of(rows), source_of(copied), neighbors=0).elsewhere is None
    copied[:1000] = rows[1000:] + np.float32(1e-4)
    assert compare(source_of(rows), source_of(copied), neighbors=0).elsewhere is not None
