"""Curves on a terminal: where the lines run, what their names are, and what is said below."""

from __future__ import annotations

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from embedinspect.output.pictures.curves import LINES, curves_lines
from embedinspect.output.screen import open_screen
from embedinspect.pictures import Curves, Series

FALLING = Curves(
    "Loss",
    [
        Series("training", [0.7, 0.4, 0.2, 0.1, 0.05, 0.02]),
        Series("validation", [0.69, 0.5, 0.35, 0.4, 0.5, 0.6]),
    ],
    best=3,
    best_label="lowest validation loss: 3",
    remark="The validation loss is lowest after epoch 3.",
)


def drawn(curves: Curves, width: int = 100, encoding: str = "utf-8") -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return [line.plain.rstrip() for line in curves_lines(curves, open_screen(file, width))]


@pytest.mark.parametrize(("name", "width"), [("curves-60.txt", 60), ("curves-100.txt", 100)])
def test_the_picture_of_a_training(golden, name, width):
    golden(name, "\n".join(drawn(FALLING, width)) + "\n")


def test_the_picture_of_a_training_in_ascii(golden):
    golden("curves-ascii.txt", "\n".join(drawn(FALLING, 80, "ascii")) + "\n")


def test_in_signs_every_value_stands_on_the_line_of_its_height():
    lines = drawn(Curves("Loss", [Series("training", [1.0, 0.0])]), 60, "ascii")
    body = [line.split("|", 1)[1] for line in lines[1 : 1 + LINES]]
    assert body[0].startswith(".")
    assert body[-1].split(" training")[0].rstrip().endswith(".")
    assert all(line.strip(" .").replace("training 0", "") == "" for line in body)


@given(st.floats(0, 1), st.sampled_from(["utf-8", "ascii"]))
def test_a_name_stands_on_the_line_of_the_last_value(share, encoding):
    lines = drawn(Curves("Loss", [Series("a", [0.0, 1.0, share])]), 60, encoding)
    named = next(line for line in lines if " a " in line)
    assert named.split(" a ")[0].split("│" if encoding == "utf-8" else "|")[1][-1] != " "


@pytest.mark.parametrize("steps", [2, 50, 1000])
def test_the_first_line_is_dotted_and_the_second_one_solid_however_many_steps(steps):
    levels = [Series("training", [0.0] * steps), Series("validation", [1.0] * steps)]
    lines = drawn(Curves("Loss", levels))
    solid, dotted = (
        next(line for line in lines if name in line).split("│")[1].split(f" {name}")[0]
        for name in ("validation", "training")
    )
    assert len(set(solid)) == 1
    assert len(set(dotted)) > 1


def test_names_at_the_ends_of_lines_have_lines_of_their_own():
    curves = Curves("Loss", [Series(name, [1.0, 0.5]) for name in ("a", "b", "c")])
    ends = [line for line in drawn(curves) if line.endswith((" a 0.5", " b 0.5", " c 0.5"))]
    assert len(ends) == 3


NUMBERS = st.one_of(st.none(), st.floats(-1e9, 1e9), st.just(math.nan))


@given(
    st.lists(st.lists(NUMBERS, min_size=1, max_size=50), min_size=1, max_size=3),
    st.integers(20, 200),
    st.sampled_from(["utf-8", "ascii"]),
)
def test_no_line_is_longer_than_the_screen_whatever_the_numbers(series, width, encoding):
    curves = Curves(
        "Loss", [Series(f"line {n}", values) for n, values in enumerate(series)], best=1
    )
    assert all(cell_len(line) <= width for line in drawn(curves, width, encoding))
