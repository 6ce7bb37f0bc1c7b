"""A table in any width: numbers whole, nothing left out without a word, no line too long."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from embedinspect.output.fitting import table_lines, tables_lines
from embedinspect.output.screen import open_screen
from embedinspect.output.sketch import elided_dimensions
from embedinspect.page import Column, Table


def lines(table: Table, width: int) -> list[str]:
    screen = open_screen(io.StringIO(), width)
    return [line.plain.rstrip() for line in table_lines(table, screen)]


def a_table(**settings) -> Table:
    return Table(
        "Some rows",
        [
            Column("word", ["king", "internationalization"]),
            Column("row", [1, 20_000], "id"),
            Column("count", [1, 20_000], "number"),
            Column("distance", [0.5, 12.25], "number"),
            Column("neighbors gained", ["the, good", "a, b, c"], optional=True),
        ],
        **settings,
    )


def test_ids_are_plain_and_amounts_have_separators():
    assert lines(a_table(), 100)[-1].split()[:4] == [
        "internationalization",
        "20000",
        "20,000",
        "12.2",
    ]


def test_numbers_in_one_column_have_the_same_decimals():
    cells = [line.split()[3] for line in lines(a_table(), 100)[3:]]
    assert cells == ["0.5", "12.2"]
    signed = Table("x", [Column("p", [-1.0, 0.25], "number", decimals=2, signed=True)])
    assert [line.strip() for line in lines(signed, 40)[3:]] == ["-1.00", "+0.25"]


def test_a_column_without_room_is_named():
    narrow = lines(a_table(), 36)
    assert narrow[-1] == "… no room for: neighbors gained"
    assert "gained" not in "".join(narrow[:-1])
    assert "gained" in "".join(lines(a_table(), 100))


def test_words_are_cut_before_a_column_is_left_out():
    cut = lines(a_table(), 60)
    assert "intern" in cut[-1]
    assert "…" in cut[-1]
    assert not cut[-1].startswith("…")


def test_headings_wrap_before_a_table_of_numbers_is_given_up():
    table = Table(
        "Epochs",
        [
            Column("epoch", [1], "id"),
            *(Column(f"validation {name}", [0.5], "number") for name in ("loss", "accuracy")),
        ],
    )
    wrapped = lines(table, 32)
    assert wrapped[1].split() == ["validation", "validation"]
    assert wrapped[2].split() == ["epoch", "loss", "accuracy"]


def test_rows_left_out_in_the_middle_are_counted():
    table = Table("Many", [Column("id", list(range(50)), "id")], most=14)
    text = lines(table, 40)
    assert text[0] == "Many, 37 rows left out"
    assert len(text) == 3 + 14
    assert text[-1].strip() == "49"
    assert lines(Table("Few", [Column("id", [1], "id")], more=1200), 40)[-1] == "… 1,200 more"


def test_dimensions_left_out_are_counted():
    table = Table(
        "Rows", [Column("word", ["a"]), Column("", np.ones((1, 32), np.float32), "vector")]
    )
    header = lines(table, 80)[1].split()
    shown = header.count("dim")
    [hidden] = [int(part) for part, after in pairwise(header) if after == "more"]
    assert shown + hidden == 32
    assert header[-2:] == ["dim", "31"]
    assert "more" not in lines(table, 600)[1]


@pytest.mark.parametrize("width", [40, 60, 100])
def test_full_vectors_turn_over_where_the_screen_is_too_narrow(width):
    values = np.arange(64, dtype=np.float32).reshape(2, 32)
    table = Table("Rows", [Column("word", ["a", "b"]), Column("", values, "vector")], full=True)
    text = lines(table, width)
    assert text[1].split() == ["a", "b"]
    assert text[-1].split() == ["dim", "31", "31.0", "63.0"]
    assert len(text) == 3 + 32


def test_a_table_that_no_width_holds_becomes_lines_of_heading_and_value():
    table = Table("Wide", [Column(f"number{n}", [10**9], "number") for n in range(5)])
    text = lines(table, 40)
    assert "number0: 1,000,000,000" in text
    assert "number4: 1,000,000,000" in text


def test_tables_stand_side_by_side_where_there_is_room():
    def titles(width: int) -> list[str]:
        screen = open_screen(io.StringIO(), width)
        text = [line.plain for line in tables_lines([a_table(), a_table(), a_table()], screen)]
        return [line for line in text if "Some rows" in line]

    assert [line.count("Some rows") for line in titles(400)] == [3]
    assert [line.count("Some rows") for line in titles(170)] == [2, 1]
    assert [line.count("Some rows") for line in titles(60)] == [1, 1, 1]


@given(st.integers(1, 400), st.integers(1, 400))
def test_elided_dimensions_are_the_first_and_the_last(total, room):
    dimensions = elided_dimensions(total, room)
    shown = [dimension for dimension in dimensions if dimension is not None]
    assert shown == sorted(set(shown))
    assert len(shown) == min(room, total)
    assert (None in dimensions) == (room < total)
    assert 0 in shown


TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)
CELLS = {
    "text": TEXTS,
    "prose": TEXTS,
    "path": TEXTS,
    "sequence": st.lists(st.integers(0, 10**6), max_size=20).map(tuple),
    "id": st.integers(0, 10**6),
    "number": st.one_of(st.integers(-(10**6), 10**6), st.floats(width=32)),
    "bar": st.one_of(st.none(), st.floats(), st.integers(0, 1000)),
    "lean": st.one_of(st.none(), st.floats(width=32)),
}


@given(st.data(), st.integers(20, 200))
def test_free_values_never_break_a_line(data, width):
    count = data.draw(st.integers(0, 4))
    kinds = data.draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=5))
    columns = [
        Column(
            data.draw(TEXTS),
            data.draw(st.lists(CELLS[kind], min_size=count, max_size=count)),
            kind,
            optional=data.draw(st.booleans()),
        )
        for kind in kinds
    ]
    for line in lines(Table(data.draw(TEXTS), columns), width):
        assert line.isprintable()
        assert cell_len(line) <= width
