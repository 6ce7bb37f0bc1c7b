"""Bars: longer for more, nothing for nothing, to the side on which a probability lies."""

from __future__ import annotations

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.output.bars import bars, lean, lean_scale
from embedinspect.output.fitting import table_lines
from embedinspect.output.screen import Screen, open_screen
from embedinspect.page import Column, Table

AMOUNTS = st.lists(st.one_of(st.none(), st.floats()), max_size=8)
BLOCKS = " ▏▎▍▌▋▊▉█"


def fine() -> Screen:
    return open_screen(io.StringIO(), 80)


def plain() -> Screen:
    return open_screen(io.TextIOWrapper(io.BytesIO(), encoding="ascii"), 80)


def eighths(bar: str) -> int:
    return sum(map(BLOCKS.index, bar))


def test_by_logarithm_a_bar_of_5_is_far_shorter_than_one_of_3121_but_seen():
    few, many = bars([5, 3121], 32, fine(), logarithmic=True)
    assert eighths(many) == 32 * 8
    assert eighths(few) == round(math.log1p(5) / math.log1p(3121) * 32 * 8)
    few, many = bars([5, 3121], 32, fine())
    assert (eighths(few), eighths(many)) == (1, 32 * 8)


@given(AMOUNTS, st.integers(4, 40), st.booleans())
def test_no_bar_is_too_long_and_more_is_never_shorter(amounts, width, logarithmic):
    drawn = bars(amounts, width, fine(), logarithmic=logarithmic)
    for amount, bar in zip(amounts, drawn, strict=True):
        seen = amount is not None and math.isfinite(amount) and amount > 0
        assert bool(bar) == seen
        assert len(bar) <= width
    pairs = [(a, eighths(bar)) for a, bar in zip(amounts, drawn, strict=True) if bar]
    assert [length for _, length in sorted(pairs)] == sorted(length for _, length in pairs)


def test_the_console_of_linux_and_ascii_have_bars_of_their_own(monkeypatch):
    assert bars([3, 8], 4, plain()) == ["##", "####"]
    monkeypatch.setenv("TERM", "linux")
    assert bars([3, 8], 4, fine()) == ["█▌", "████"]


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.0, "████│····"),
        (0.3, "··▐█│····"),
        (0.49, "···▐│····"),
        (0.5, "····│····"),
        (0.5004, "····│····"),
        (0.51, "····│▌···"),
        (1.0, "····│████"),
    ],
)
def test_a_probability_leans_from_one_half(probability, expected):
    assert lean(probability, 9, fine()).text == expected


def test_a_lean_reads_in_ascii():
    assert lean_scale(9, plain()) == "0  1/2  1"
    assert lean(0.2, 9, plain()).text == "..##|...."
    assert lean(0.8, 10, plain()).text == "....|##.."


@given(st.floats(0, 1), st.integers(7, 40))
def test_the_side_is_that_of_the_probability_and_has_its_colour(probability, width):
    cell = lean(probability, width, fine())
    side = (width - 1) // 2
    assert len(cell.text) == 2 * side + 1 == len(lean_scale(width, fine()))
    assert cell.text[side] == "│"
    assert lean_scale(width, fine())[side] == "½"
    left, right = cell.text[:side].strip("·"), cell.text[side + 1 :].strip("·")
    assert not (left and right)
    if round(probability, 3) != 0.5:
        assert bool(left) == (probability < 0.5)
        [(start, end, style)] = cell.spans
        assert cell.text[start:end] == left + right
        assert style == ("#3385e6" if left else "#e88a1c")


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_what_is_no_probability_draws_nothing(missing):
    assert lean(missing, 9, fine()).text == ""


def test_bars_give_way_before_a_table_does():
    chances = [0.25, 0.75]
    table = Table(
        "Steps",
        [
            Column("token", ["wonderful", "film"]),
            Column("p", chances, "lean"),
            Column("probability", chances, "number"),
        ],
    )

    def drawn(width: int) -> list[str]:
        return [line.plain for line in table_lines(table, open_screen(io.StringIO(), width))]

    assert drawn(60)[1].split() == ["token", "0", "½", "1", "probability"]
    assert "│" in drawn(30)[3]
    assert [line.split() for line in drawn(24)[3:]] == [["wonderful", "0.250"], ["film", "0.750"]]
