"""How one matrix comes of another: made so and told so; nearly so, and nothing is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from embedinspect.analysis.diff import compare, relations, row_order
from embedinspect.analysis.diff.relation_checks import shortest_between
from embedinspect.analysis.diff.rounding import Written, round_bfloat16, round_float16
from embedinspect.output.relations import relation_document, sentence
from embedinspect.source import Source
from tests.builders import source_of

SEEDS = st.integers(0, 2**31 - 1)
ROWS, WIDTHS = st.integers(8, 40), st.integers(3, 12)
# Where numbers are drawn by a seed, each example is one of a kind, and compares several times.
SOME = settings(max_examples=25)


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    """Rows of any usual kind: of one size or of many, some of zeros, some twice."""
    stream = np.random.RandomState(draw(SEEDS))
    rows = stream.standard_normal((draw(ROWS), draw(WIDTHS)))
    if draw(st.booleans()):
        rows *= 10.0 ** stream.randint(-4, 5, (len(rows), 1))
    if draw(st.booleans()):
        rows[stream.randint(0, len(rows), 2)] = 0
    if draw(st.booleans()):
        rows[-1] = rows[0]
    return rows.astype(np.float32)


def stored_as(rows: np.ndarray, dtype: str) -> Source:
    source = source_of(rows)
    return replace(source, contents=replace(source.contents, dtype=dtype))


def said(a: np.ndarray | Source, b: np.ndarray | Source) -> str | None:
    sources = (one if isinstance(one, Source) else source_of(one) for one in (a, b))
    return sentence(compare(*sources, neighbors=0))


@SOME
@given(matrices(), st.sampled_from(["float16", "bfloat16"]))
def test_rounding_to_a_type_is_found_in_both_directions(rows, dtype):
    import ml_dtypes

    half = np.float16 if dtype == "float16" else ml_dtypes.bfloat16
    with np.errstate(over="ignore"):
        rounded = rows.astype(half).astype(np.float32)
    assume(np.isfinite(rounded).all() and (rounded != rows).any())
    assert said(rows, rounded) == f"B is A rounded to {dtype}"
    assert said(rounded, rows) == f"A is B rounded to {dtype}"
    assert said(rounded, rounded) == "B is A, number for number"
    place = np.argmax(np.abs(rounded))
    rounded.flat[place] *= 1.01
    assert said(rows, rounded) in {None, *but_for(rows, rounded)}


def but_for(a: np.ndarray, b: np.ndarray) -> set[str | None]:
    """Return what is said where only some rows differ, whatever they are otherwise."""
    different = np.flatnonzero((a != b).any(axis=1))
    return {said(a, b)} if len(different) <= len(a) / 2 else set()


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_bfloat16_is_rounded_as_ml_dtypes_rounds(numbers):
    import ml_dtypes

    rows = np.array(numbers, np.float32)
    expected = rows.astype(ml_dtypes.bfloat16).astype(np.float32)
    assert np.array_equal(round_bfloat16(rows), expected)


def near_ties(seed: int) -> np.ndarray:
    """Return rows of which many numbers stand half-way between two of bfloat16, or nearly."""
    stream = np.random.RandomState(seed)
    bits = stream.standard_normal((30, 6)).astype(np.float32).view(np.uint32)
    low = stream.choice([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], bits.shape).astype(np.uint32)
    return (bits & np.uint32(0xFFFF0000) | low).view(np.float32)


@SOME
@given(SEEDS)
def test_other_ways_to_round_to_bfloat16_are_told_of(seed):
    rows = near_ties(seed)
    step = np.spacing(np.abs(rows)).astype(np.float64) * 2**16
    below = np.floor(np.abs(rows) / step)
    up = np.abs(rows) / step - below >= 0.5
    sign = np.sign(rows)
    truncated = (sign * below * step).astype(np.float32)
    away = (sign * (below + up) * step).astype(np.float32)
    assert said(rows, truncated) == "B is A truncated to bfloat16"
    assert said(truncated, rows) == "A is B truncated to bfloat16"
    assert said(rows, away) == "B is A rounded to bfloat16, ties away from zero"
    assert said(rows, round_bfloat16(rows)) == "B is A rounded to bfloat16"
    wide = np.hstack([rows, rows])
    cut = "B is A cut to its first 6 dimensions"
    assert said(wide, truncated) == f"{cut}, truncated to bfloat16"
    assert said(wide, away) == f"{cut}, rounded to bfloat16, ties away from zero"
    for made in (truncated, away):
        made[3, 2] *= 1.01
        assert said(rows, made) is None


@SOME
@given(matrices(), st.integers(0, 6))
def test_numbers_written_with_some_decimals_are_told_of(rows, decimals):
    written = np.array([[float(f"{number:.{decimals}f}") for number in row] for row in rows])
    written = written.astype(np.float32)
    assume((written != rows).any())
    assume(not Written(decimals=max(0, decimals - 1)).holds(rows, written) or not decimals)
    text = said(rows, written)
    how = {0: "whole numbers", 1: "1 decimal"}.get(decimals, f"{decimals} decimals")
    other = " significant digit" if decimals else "but for"  # that may be as true
    assert text == f"B is A rounded to {how}" or other in text


@SOME
@given(SEEDS, st.integers(2, 6))
def test_numbers_written_with_some_digits_are_told_of(seed, digits):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((30, 5)) * 10.0 ** stream.randint(-6, 6, (30, 1))
    rows = rows.astype(np.float32)
    written = np.array([[float(f"{number:.{digits}g}") for number in row] for row in rows])
    assert said(rows, written) == f"B is A rounded to {digits} significant digits"
    written[3, 2] *= 1.3
    assert said(rows, written) is None


@SOME
@given(matrices(), st.sampled_from([2.0, -1.0, 0.1, 3.0, 1e-3, 0.7, -12.5]), st.booleans())
def test_a_multiple_is_told_of_with_its_factor(rows, factor, in_float64):
    made = (rows * (factor if in_float64 else np.float32(factor))).astype(np.float32)
    assert said(rows, made) == f"B is A times {factor:g}"
    made[np.unravel_index(np.argmax(np.abs(made)), made.shape)] *= np.float32(1 + 2e-6)
    assert said(rows, made) is None or "times" not in said(rows, made)


@SOME
@given(SEEDS)
def test_a_multiple_of_doubles_is_told_of_though_both_were_rounded(seed):
    rows = np.random.RandomState(seed).standard_normal((20, 5))
    a, b = (stored_as(each, "float64") for each in (rows, rows * 3))
    assert said(a, b) == "B is A times 3"


@SOME
@given(SEEDS, st.sampled_from(["float16", "bfloat16"]))
def test_a_multiple_in_half_precision_is_told_of(seed, dtype):
    import ml_dtypes

    rows = np.random.RandomState(seed).standard_normal((30, 5)).astype(np.float32)
    half = np.float16 if dtype == "float16" else ml_dtypes.bfloat16
    made = stored_as((rows * 3).astype(half).astype(np.float32), dtype)
    text = said(rows, made)
    assert text.startswith("B is A times ")
    assert text.endswith(f", rounded to {dtype}")
    assert abs(float(text.split()[4].rstrip(",")) / 3 - 1) < 0.003


@SOME
@given(matrices(), st.booleans())
def test_rows_of_length_1_are_told_of(rows, in_float64):
    some = rows.any(axis=1, keepdims=True)
    wide = rows.astype(np.float64 if in_float64 else np.float32)
    made = np.where(some, wide / np.where(some, np.linalg.norm(wide, axis=1, keepdims=True), 1), 0)
    made = made.astype(np.float32)
    assert said(rows, made) == "B is A with its rows scaled to length 1"
    assert said(made, rows) == "A is B with its rows scaled to length 1"
    row = int(np.flatnonzero(some[:, 0])[0])
    made[row] = rows[row] * np.float32(0.37)
    assert said(rows, made) == "B is A with its rows scaled, each by a factor of its own"
    made[row, 0] += np.float32(0.001)
    assert said(rows, made) is None


@SOME
@given(SEEDS, ROWS, WIDTHS)
def test_one_vector_more_in_every_row_is_told_of(seed, count, width):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((count, width)).astype(np.float32)
    made = rows - rows.mean(axis=0)
    assert said(rows, made) == "B is A with one vector added to every row"
    made[2, 1] += np.float32(1e-4)
    assert said(rows, made) is None


@SOME
@given(matrices(), SEEDS)
def test_other_columns_are_told_of(rows, seed):
    stream = np.random.RandomState(seed)
    order = stream.permutation(rows.shape[1])
    signs = stream.choice(np.float32([-1, 1]), rows.shape[1])
    made = rows[:, order] * signs
    relation = compare(source_of(rows), source_of(made), neighbors=0).relation
    assume(relation.kind not in {"equal", "scaled"})
    assert relation.kind == "columns"
    assert relation.flipped_columns == (signs < 0).sum()
    assert relation.moved_columns <= (order != np.arange(len(order))).sum()
    made[-1, 0] += 1 + abs(made[-1, 0])
    assert compare(source_of(rows), source_of(made), neighbors=0).relation is None


def test_columns_in_another_order_in_words():
    rows = np.random.RandomState(0).standard_normal((9, 4)).astype(np.float32)
    order = [0, 2, 1, 3]
    assert said(rows, rows[:, order]) == "B is A with its columns in another order"
    flipped = rows * np.float32([1, -1, 1, -1])
    assert said(rows, flipped) == "B is A with the sign of 2 columns changed"
    assert said(rows, flipped[:, order]) == (
        "B is A with its columns in another order and the sign of 2 columns changed"
    )


@SOME
@given(SEEDS, st.integers(2, 10), st.floats(1, 4))
def test_a_turn_is_told_of_by_rows_that_it_was_not_found_on(seed, width, more):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((int(2 * width * more), width)).astype(np.float32)
    turn = np.linalg.qr(stream.standard_normal((width, width)))[0].astype(np.float32)
    made = rows @ turn
    text = said(rows, made)
    assert text.startswith("B is A turned or mirrored about the origin, to within ")
    assert float(text.split("within ")[1].split()[0]) < 1e-5
    noise = stream.standard_normal(made.shape)
    assert said(rows, made + 1e-4 * noise) is None
    one_off = made.copy()
    one_off[-1] = -made[-1]
    assert said(rows, one_off) is None
    assert said(rows[: 2 * width - 1], made[: 2 * width - 1]) is None
    assert said(rows, made * 1.01) is None


@SOME
@given(SEEDS, st.integers(1, 30), st.integers(2, 30))
def test_unrelated_rows_are_not_related_however_few_there_are(seed, count, width):
    stream = np.random.RandomState(seed)
    left, right = stream.standard_normal((2, count, width)).astype(np.float32)
    for each in (left, right):
        each /= np.linalg.norm(each, axis=1, keepdims=True)
    assert said(left, right) is None
    if width > 1:
        assert said(left, right[:, : width - 1]) is None


@SOME
@given(SEEDS, st.integers(1, 9))
def test_rows_that_are_new_are_named(seed, count):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((20, 3)).astype(np.float32)
    made = rows.copy()
    made[5 : 5 + count] += stream.rand(count, 3).astype(np.float32) + 1
    which = "row 5" if count == 1 else f"rows 5 to {4 + count}"
    rest = f"the other {20 - count} are equal, number for number"
    assert said(rows, made) == f"B is A but for {which}; {rest}"
    made[0] += 1
    assert said(rows, made).startswith("B is A but for rows 0 and 5")
    made[5 : 5 + count] = rows[5 : 5 + count]
    made[[3, 7]] += 1
    assert said(rows, made).startswith("B is A but for rows 0, 3 and 7; ")
    made[:] += stream.rand(20, 3).astype(np.float32)
    assert said(rows, made) is None


def test_words_whose_rows_are_new_are_named():
    rows = np.random.RandomState(0).rand(6, 3)
    made = rows.copy()
    made[[1, 4]] = 3, 2, 1
    difference = compare(source_of(rows, "abcdef"), source_of(made, "abcdef"), neighbors=0)
    assert sentence(difference) == (
        "B is A but for 2 rows, b, e; the other 4 are equal, number for number"
    )


@SOME
@given(SEEDS, st.integers(1, 5), WIDTHS)
def test_first_dimensions_are_told_of(seed, more, width):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((20, width + more)).astype(np.float32)
    first = rows[:, :width]
    cut = f"cut to its first {width} dimensions"
    assert said(rows, first) == f"B is A {cut}"
    assert said(first, rows) == f"A is B {cut}"
    units = first / np.linalg.norm(first, axis=1, keepdims=True)
    assert said(rows, units) == f"B is A {cut} and with its rows scaled to length 1"
    assert said(rows, round_bfloat16(first)) == f"B is A {cut}, rounded to bfloat16"
    assert said(rows, first * 2) == f"B is A {cut}, times 2"
    assert said(rows, rows[:, more:]) is None


@SOME
@given(SEEDS, st.sampled_from([127, 7]), st.sampled_from(["row", "block", "matrix"]))
def test_quantized_numbers_are_told_of(seed, steps, each):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((20, 64)).astype(np.float32)
    parts = rows.reshape(-1, 32) if each == "block" else rows
    largest = np.abs(parts).max(axis=None if each == "matrix" else 1, keepdims=True)
    step = (largest / np.float32(steps)).astype(np.float32)
    made = (np.rint(parts / step) * step).reshape(rows.shape)
    within = {"row": "in each row", "block": "in every 32 numbers", "matrix": "in the whole matrix"}
    text = said(rows, made)
    assert text == (
        f"B is A quantized: {within[each]}, whole numbers from -{steps} to {steps} times a step"
    )
    made[3, 5] += 0.2 * step.max()
    assert said(rows, made) is None
    whole = np.rint(rows * 100)
    text = said(rows, whole)
    assert text.startswith("B is A times ")
    assert text.endswith(", rounded to whole numbers")
    own = np.rint(rows * (120 / np.abs(rows).max(axis=1, keepdims=True)))
    assert said(rows, own) == (
        "B is A with its rows scaled, each by a factor of its own, rounded to whole numbers"
    )


@SOME
@given(matrices(), SEEDS)
def test_rows_in_another_order_are_told_of(rows, seed):
    order = np.random.RandomState(seed).permutation(len(rows))
    made = rows[order]
    relation = compare(source_of(rows), source_of(made), neighbors=0).relation
    moved = int((rows != made).any(axis=1).sum())
    assert (relation.kind, relation.rows) == (("row_order", moved) if moved else ("equal", None))


def test_rows_in_another_order_in_words(monkeypatch):
    monkeypatch.setattr(row_order, "_NUMBERS_AT_ONCE", 20)
    rows = np.random.RandomState(0).standard_normal((40, 4)).astype(np.float32)
    rows[5] = 0
    made = rows[::-1].copy()
    assert said(rows, made) == "B is A with its rows in another order, number for number"
    made[np.flatnonzero(~made.any(axis=1))] = -0.0
    assert said(rows, made) == "B is A with its rows in another order, number for number"
    some = rows.copy()
    some[[3, 7, 30]] = rows[[7, 30, 3]]
    assert said(rows, some) == (
        "B is A with 3 of its 40 rows in another order, number for number: rows 3, 7 and 30"
    )
    some[10:30] = rows[10:30][::-1]
    assert said(rows, some) == (
        "B is A with 23 of its 40 rows in another order, number for number: rows 3, 7, 10, 11, 12, "
        "13, 14, 15, and 15 more"
    )
    made[0, 0], made[0, 1] = made[0, 1], made[0, 0]  # of the same length
    assert said(rows, made) is None
    twice = rows.copy()
    twice[[3, 7]] = rows[7]
    assert said(rows, twice) == "B is A but for row 3; the other 39 are equal, number for number"


def test_rows_of_zeros_are_no_scaled_rows():
    rows = np.random.RandomState(0).standard_normal((40, 3)).astype(np.float32)
    zeroed = rows.copy()
    zeroed[5:] = 0
    assert said(rows, zeroed) == (
        "B is A with zeros in place of rows 5 to 39; the other 5 are equal, number for number"
    )
    assert said(zeroed, rows) == (
        "A is B with zeros in place of rows 5 to 39; the other 5 are equal, number for number"
    )
    assert said(rows, 0 * rows) == "B is A with zeros in place of every row"
    zeroed[:5] = rows[:5] * [[2], [3], [4], [5], [6]]
    assert said(rows, zeroed) is None
    scaled = rows * np.linspace(2, 3, 40, dtype=np.float32)[:, None]
    assert said(rows, scaled) == "B is A with its rows scaled, each by a factor of its own"
    rows[7] = 0
    scaled[7] = 0
    assert said(rows, scaled) == "B is A with its rows scaled, each by a factor of its own"


def test_rows_under_other_words_are_not_said_to_be_the_same_word_by_word():
    rows = np.random.RandomState(0).standard_normal((6, 3)).astype(np.float32)
    a = source_of(rows, "abcdef")

    def with_words(order: list[int], words: str) -> str | None:
        return sentence(compare(a, source_of(rows[order], words), neighbors=0))

    same = [0, 1, 2, 3, 4, 5]
    exchanged, reverse = [0, 3, 2, 1, 4, 5], same[::-1]
    assert with_words(reverse, "fedcba") == "Word by word, B is A, number for number"
    assert with_words(exchanged, "abcdef") == (
        "B is A with 2 of its 6 rows under other words, number for number: b and d"
    )
    assert with_words(reverse, "abcdef") == (
        "B is A with its rows under other words, number for number"
    )
    assert with_words(exchanged, "cbadef") == (
        "B is A with 4 of its 6 rows under other words, number for number: a, b, c and d"
    )
    assert with_words(same, "adcbef") == (
        "B is A row by row, number for number, with 2 of its 6 words in another order: b and d"
    )
    assert with_words(same, "fedcba") == (
        "B is A row by row, number for number, with its words in another order"
    )
    fewer = source_of(rows[:4], "dcba")
    assert sentence(compare(a, fewer, neighbors=0)) == (
        "In the 4 words that both have, B is A row by row, number for number, with its words in "
        "another order"
    )
    longer = compare(
        fewer, source_of(np.vstack([rows[4:], rows[4:], rows[2:4]]), "xyzvab"), neighbors=0
    )
    assert not longer.relation.only_words  # rows of these numbers are not in A


def test_rows_that_differ_are_listed_for_programs_up_to_a_number():
    rows = np.random.RandomState(0).standard_normal((3000, 2)).astype(np.float32)
    some = rows.copy()
    some[[3, 7, 30]] = rows[[7, 30, 3]]
    which = relation_document(compare(source_of(rows), source_of(some), neighbors=0))["which"]
    assert which == [  # the rows of A that they are
        {"word": "#3", "row_a": 7, "row_b": 3},
        {"word": "#7", "row_a": 30, "row_b": 7},
        {"word": "#30", "row_a": 3, "row_b": 30},
    ]
    many = relation_document(compare(source_of(rows), source_of(rows[::-1]), neighbors=0))
    assert [row["row_a"] for row in many["which"]] == list(range(2999, 1999, -1))
    assert (many["rows"], len(many["which"])) == (3000, 1000)
    doubled = relation_document(compare(source_of(rows), source_of(rows * 2), neighbors=0))
    assert doubled["which"] is None


@pytest.fixture(scope="module")
def related():
    """Rows, and by the words for it, others that come of them in one way each."""
    rows = np.random.RandomState(0).standard_normal((90, 4)).astype(np.float32)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    made = {
        "rounded to float16": round_float16(rows),
        "times 2": rows * 2,
        "with its rows scaled to length 1": units,
        "with its columns in another order": rows[:, ::-1],
        "with one vector added to every row": rows + np.float32([1, 2, 3, 4]),
        "rounded to 2 decimals": np.round(rows.astype(np.float64), 2).astype(np.float32),
        "turned": rows @ np.linalg.qr(rows[:4])[0],
        "quantized": np.rint(rows / np.abs(rows).max(axis=1, keepdims=True) * 127)
        * (np.abs(rows).max(axis=1, keepdims=True) / np.float32(127)),
        "cut to its first 2 dimensions": rows[:, :2],
    }
    return rows, {how: other.astype(np.float32) for how, other in made.items()}


@pytest.fixture
def found_on_few_rows(monkeypatch):
    """A relation is found on one row, and checked on ten rows at a time."""
    monkeypatch.setattr(relations, "_TRIED", 1)
    monkeypatch.setattr(relations, "_NUMBERS_AT_ONCE", 40)


@pytest.mark.usefixtures("found_on_few_rows")
def test_a_relation_is_told_of_that_holds_in_all_rows(related):
    rows, made = related
    for how, other in made.items():
        assert said(rows, other).startswith(f"B is A {how}")


@pytest.mark.usefixtures("found_on_few_rows")
@pytest.mark.parametrize("row", range(0, 90, 7))
def test_a_relation_is_checked_on_rows_that_it_was_not_found_on(related, row):
    rows, made = related
    for how, other in made.items():
        broken = other.copy()
        broken[row, 1] += 0.37 * (abs(broken[row, 1]) + 1)
        assert said(rows, broken) is None, how


def test_a_sentence_says_of_which_rows_it_is():
    rows = np.random.RandomState(0).standard_normal((6, 3)).astype(np.float32)
    a, b = source_of(rows, "abcdef"), source_of(rows[[2, 1, 0]] * 2, "cba")
    assert sentence(compare(a, b)) == "In the 3 words that both have, word by word, B is A times 2"
    holed = rows.copy()
    holed[1] = np.nan
    text = sentence(compare(source_of(rows), source_of(holed)))
    assert text == "In the 5 rows that are finite in both, B is A, number for number"
    cut = compare(source_of(rows), source_of(rows * 3), dims=(2, 2))
    assert sentence(cut).startswith("Cut to 2 dimensions and scaled to length 1, B is A")
    twice = compare(source_of(rows, "abcdea"), source_of(rows, "abcdea"))
    assert sentence(twice) == "B is A, number for number"


def test_rounding_alone_moves_rows_by_a_share_that_is_said():
    rows = np.random.RandomState(0).standard_normal((40, 5)).astype(np.float32)
    up = np.nextafter(rows, np.float32(9))
    down = np.nextafter(rows, np.float32(-9))
    made = np.where(np.random.RandomState(1).rand(40, 5) < 0.5, up, down)
    assert said(rows, made).startswith("B is A, to within ")
    assert said(rows, made + 1e-5 * rows[::-1]) is None


@pytest.mark.parametrize("rows", [np.zeros((5, 3)), np.ones((5, 3)), np.ones((1, 1))])
def test_rows_that_tell_too_little_are_not_said_to_be_multiples(rows):
    text = said(rows, rows * 0 + 2)
    zeros = "A is B with zeros in place of every row"
    assert text in {None, "B is A times 2", "B is A with one vector added to every row", zeros}
    assert said(np.float32([[1.5]]), np.float32([[2.7]])) is None
    assert said(np.float32([[1, 0], [0, 0]]), np.float32([[2.7, 0], [0, 0]])) == (
        "B is A but for row 0; the other is equal, number for number"
    )
    assert shortest_between(-0.30001, -0.29999) == -0.3
