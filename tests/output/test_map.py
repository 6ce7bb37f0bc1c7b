"""Maps on a terminal: golden pictures, points where they belong, labels that can be told."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rich.cells import cell_len
from rich.console import Console

from embedinspect.commands.schema import FOLDER
from embedinspect.output.pictures import scatter_cells
from embedinspect.output.pictures.numbers import numbers
from embedinspect.output.pictures.scatter import scatter_lines
from embedinspect.output.screen import ASCII, UNICODE, Screen
from embedinspect.pictures import Scatter, Shade
from embedinspect.plots.scales import round_ticks
from tests.builders import VECTORS

MAPS = {
    "map": ["map", "vectors.txt", "king", "queen"],
    "map-axes": ["map", "vectors.txt", "--axis", "bad awful", "good", "--axis", "man", "woman"],
    "map-norm": ["map", "vectors.txt", "--axis", "bad", "good", "--color-by", "norm"],
    "map-kinds": ["map", "vectors.txt", "--color-by", "kinds.csv:kind", "--first", "20"],
}


@pytest.fixture
def ask(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(VECTORS, "vectors.txt")
    (tmp_path / "kinds.csv").write_text("word,kind\nking,person\nqueen,person\nbread,food\n")

    def with_width(*arguments: str, width: int = 120):
        monkeypatch.setenv("COLUMNS", str(width))
        return run(*arguments)

    return with_width


def on(width: int = 100, *, colours: bool = False, ascii_only: bool = False) -> Screen:
    file = io.StringIO()
    system = "truecolor" if colours else None
    console = Console(file=file, width=width, color_system=system, force_terminal=colours)
    encoding = "ascii" if ascii_only else "utf-8"
    return Screen(console, width, ASCII if ascii_only else UNICODE, encoding)


def lines_of(scatter: Scatter, screen: Screen) -> list[str]:
    return [line.plain for line in scatter_lines(scatter, screen)]


def scatter_of(points, **settings) -> Scatter:
    points = np.asarray(points, np.float64)
    names = [f"w{place}" for place in range(len(points))]
    defaults = {"labels": range(len(points)), "x_name": "x", "y_name": "y"}
    return Scatter("Title", points, names, range(len(points)), **{**defaults, **settings})


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("name", list(MAPS))
def test_pictures(ask, golden, name, width):
    code, out, err = ask(*MAPS[name], width=width)
    assert (code, err) == (0, "")
    golden(f"{name}-{width}.txt", out.decode())


@pytest.mark.parametrize("name", list(MAPS))
def test_no_line_is_wider_than_the_screen(ask, name):
    for width in (40, 50, 70, 80, 120, 200):
        _, out, _ = ask(*MAPS[name], width=width)
        assert max(map(cell_len, out.decode().splitlines())) <= width


@pytest.mark.parametrize("name", list(MAPS))
def test_a_screen_that_has_only_ascii(ask, run_ascii, name):
    code, text = run_ascii(*MAPS[name])
    assert code == 0
    assert not re.search(r"\\u|\\x", text)


@pytest.mark.parametrize("name", list(MAPS))
def test_documents(ask, name):
    schema = json.loads((FOLDER / "map.json").read_text())
    Draft202012Validator.check_schema(schema)
    _, out, _ = ask(*MAPS[name], "--json")
    document = json.loads(out, parse_constant=lambda literal: pytest.fail(literal))
    Draft202012Validator(schema).validate(document)
    _, out, _ = ask(*MAPS[name], "--format", "ndjson")
    assert [json.loads(line) for line in out.decode().splitlines()] == document["points"]
    _, out, _ = ask(*MAPS[name], "--format", "csv")
    table = list(csv.DictReader(io.StringIO(out.decode())))
    assert [float(row["x"]) for row in table] == [point["x"] for point in document["points"]]
    _, out, _ = ask(*MAPS[name], "--format", "markdown")
    assert "of the spread" in out.decode()
    assert len([line for line in out.decode().splitlines() if line.startswith("| ")]) == 1 + len(
        document["points"]
    )


def test_what_colours_stand_for_is_in_the_document(ask):
    document = json.loads(ask(*MAPS["map-kinds"], "--json")[1])
    values = {point["word"]: point["value"] for point in document["points"]}
    assert (values["king"], values["bread"], values["man"]) == ("person", "food", None)
    assert document["shade"]["categories"] == ["person", "food"]


def test_words_are_shown_literally(ask, tmp_path):
    (tmp_path / "evil.txt").write_text("[red]x[/red] 1 2\n\x1b[2Jy 3 4\nz 5 9\n日本 7 2\n")
    code, out, _ = ask("map", "evil.txt")
    assert code == 0
    assert b"\x1b" not in out
    assert "[red]x[/red]" in out.decode()
    assert "\\x1b[2Jy" in out.decode()
    assert "日本" in out.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--axis", "bad"], 2, "expected --axis LOW HIGH"),
        (["--axis", "bad", "--json"], 2, "expected --axis LOW HIGH"),
        (["--axis=bad"], 2, "expected --axis LOW HIGH"),
        (["--seed", "1"], 2, "pca has no random numbers"),
        (["--before", "0"], 2, "is none"),
        (["--first", "0"], 2, "1 or more"),
        (["--method", "tsn"], 2, "did you mean 'tsne'"),
        (["kingg"], 2, "did you mean 'king'"),
    ],
)
def test_mistakes_are_one_line(ask, arguments, code, says):
    found, out, err = ask("map", "vectors.txt", *arguments)
    assert (found, out) == (code, b"")
    assert says in err
    assert len(err.splitlines()) == 1


# -- the picture itself ---------------------------------------------------------------------------


def dots_in(lines: list[str]) -> list[tuple[int, int]]:
    """Return the column and row of each braille dot in lines of a picture, from the lower left."""
    found = []
    bits = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
    for number, line in enumerate(lines):
        for column, sign in enumerate(line):
            code = ord(sign) - 0x2800
            if 0 < code < 256:
                found += [
                    (2 * column + x, 4 * (len(lines) - number) - 1 - y)
                    for bit, (x, y) in enumerate(bits)
                    if code >> bit & 1
                ]
    return found


@given(
    points=st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=2, max_size=30),
    width=st.sampled_from([20, 60, 100]),
    square=st.booleans(),
)
def test_dots_stand_where_their_points_are(points, width, square):
    scatter = scatter_of(points, labels=(), square=square)
    lines = lines_of(scatter, on(width))
    rule = next(place for place, line in enumerate(lines) if set(line.strip()) == {"─"})
    gutter = 0 if square else 6
    dots = np.array(dots_in([line[gutter:] for line in lines[1:rule]]))
    array = scatter.points
    assert len(dots) <= len(array)
    size, span = np.ptp(array, axis=0), np.ptp(dots, axis=0)
    steps = np.where(span > 0, size / np.maximum(span, 1), 0)
    if square and (span > 5).all():  # one unit is as long across as it is up, but for rounding
        assert abs(steps[0] / steps[1] - 1) < 2 / span.min()
    drawn = {
        tuple(np.rint((point - array.min(axis=0)) / np.where(steps > 0, steps, 1)).astype(int))
        for point in array
    }
    seen = {tuple(dot - dots.min(axis=0)) for dot in dots}
    for dot in seen:  # each is one dot away from a point at most
        assert min(max(abs(dot[0] - x), abs(dot[1] - y)) for x, y in drawn) <= 1
    for x, y in drawn:
        assert min(max(abs(dot[0] - x), abs(dot[1] - y)) for dot in seen) <= 1


@given(
    points=st.lists(
        st.tuples(st.floats(-9, 9, width=16), st.floats(-9, 9, width=16)), min_size=2, max_size=40
    ),
    width=st.sampled_from([30, 60, 100]),
)
def test_each_label_touches_the_sign_of_its_point(points, width):
    scatter = scatter_of(points, marked=(0,))
    for line in lines_of(scatter, on(width)):
        if re.match(r"[◆•] (asked for|labelled)|─|Title|across", line):
            continue
        for label in re.finditer(r"w\d+", line):
            before, behind = line[: label.start()][-1:], line[label.end() :][:1]
            assert before in {"•", "◆"} or behind in {"•", "◆"} or label.group() == "w0"


def test_a_word_that_was_asked_for_is_labelled_in_the_thick_of_it():
    points = np.random.RandomState(0).standard_normal((5000, 2))
    points[77] = [0, 0]
    text = "\n".join(lines_of(scatter_of(points, marked=(77,)), on(100)))
    assert "◆w77" in text or "w77◆" in text
    assert "◆ asked for   •" in text


def test_asked_words_without_room_are_counted():
    text = "\n".join(lines_of(scatter_of([[0, 0]] * 9 + [[1, 1]], marked=range(9)), on(60)))
    assert re.search(r"asked for \(5 without room for a label\)", text)


def test_numbers_of_the_axis_stand_at_their_points():
    lines = lines_of(scatter_of([[0, 0], [1, 0.2], [2, 0]], labels=()), on(100))
    rule = next(place for place, line in enumerate(lines) if set(line) == {"─"})
    where = {float(m.group()): m.start() for m in re.finditer(r"-?\d\.?\d*", lines[rule + 1])}
    ends = [line for line in lines[1:rule] if line.strip()]
    columns = [place for line in ends for place, sign in enumerate(line) if sign != " "]
    assert abs(where[0] - min(columns)) <= 1
    assert abs(where[2] - max(columns)) <= 1


def test_before_and_after_share_their_axes():
    points = [[0, 0], [4, 1], [9, 2]]
    scatter = scatter_of(
        points, before=np.array([[4.0, 1], [4, 1], [9, 2]]), before_name="then", after_name="now"
    )
    wide, narrow = lines_of(scatter, on(130)), lines_of(scatter, on(90))
    assert wide[1].split() == ["then", "now"]
    assert [line for line in narrow if line in {"then", "now"}] == ["then", "now"]
    then, now = narrow.index("then"), narrow.index("now")
    before, after = narrow[then + 1 : now], narrow[now + 1 : now + now - then]
    assert before[-1] == after[-1]  # the same numbers below

    def place(lines):
        return next((n, line.index("•w2")) for n, line in enumerate(lines) if "•w2" in line)

    assert place(before) == place(after)


SHADES = {
    "no middle": Shade("norm", np.array([0.0, 5, 10]), 0, 10),
    "middle": Shade("chance", np.array([0.0, 0.5, 1]), 0, 1, 0.5, "bad", "good"),
    "kinds": Shade("kind", np.array([0.0, 1, np.nan]), categories=("verb", "noun")),
}


@pytest.mark.parametrize("name", list(SHADES))
def test_colours_read_without_colour(name):
    scatter = scatter_of([[0, 0], [5, 1], [9, 2]], labels=(), shade=SHADES[name])
    coloured = "\n".join(lines_of(scatter, on(100, colours=True)))
    plain = lines_of(scatter, on(100))
    signs = [line.strip() for line in plain[1:] if line.strip() in set("-·+#abc?")]
    assert len(signs) == 3
    legend = "\n".join(plain[-6:])
    assert all(sign in legend for sign in signs)
    assert not re.search("[⠀-⣿]", legend)
    assert re.search("[⠁-⣿]", coloured)
    expected = {"no middle": "#+·", "middle": "+·-", "kinds": "?ba"}[name]
    assert "".join(signs) == expected
    for word in {"middle": ("good", "bad"), "kinds": ("verb", "noun", "no value")}.get(name, ()):
        assert word in legend
        assert word in coloured


def test_a_label_has_what_its_colour_would_say():
    scatter = scatter_of([[0, 0], [5, 1], [9, 2]], shade=SHADES["kinds"])
    text = "\n".join(lines_of(scatter, on(100)))
    assert re.findall(r"w\d\(.\)", text) == ["w2(?)", "w1(b)", "w0(a)"]
    assert "(" not in "\n".join(lines_of(scatter, on(100, colours=True))[:12])


def test_signs_stand_between_the_numbers_that_the_legend_says():
    for shade in (SHADES["no middle"], SHADES["middle"], Shade("x", [0], -4, 8, 1)):
        signs = scatter_cells.ends_of_signs(shade)
        for value in np.linspace(shade.low, shade.high, 97).tolist():
            sign = scatter_cells.sign_of(shade, scatter_cells.level_of(shade, value))
            low, high = next((low, high) for one, low, high in signs if one == sign)
            assert low - 1e-9 <= value <= high + 1e-9


def test_the_colour_of_a_cell_is_that_of_its_mean():
    shade = Shade("x", np.array([0.0, 1.0, 1.0, 0.0]), 0, 1, 0.5)
    scatter = scatter_of([[0, 0], [0, 0], [9, 2], [18, 0]], labels=(), shade=shade)
    lines = [*scatter_lines(scatter, on(100, colours=True))]
    styles = {
        (line.plain[span.start], str(span.style))
        for line in lines[1:12]
        for span in line.spans
        if line.plain[span.start : span.end].strip()
    }
    assert {style for _, style in styles} == {"#808080", "#e88a1c", "#3385e6"}


def test_crowds_read_without_braille():
    points = [[0, 0]] + [[5, 0]] * 3 + [[9, 0]] * 9 + [[0, 3]] * 5
    text = lines_of(scatter_of(points, labels=()), on(60, ascii_only=True))
    picture = "".join("".join(line.split()) for line in text[1:12])
    assert sorted(picture) == sorted(".:#+")
    assert ". 1, : 2 to 3, + 4 to 7, # 8 or more" in " ".join(text)


def test_the_console_of_linux_has_no_braille(monkeypatch):
    monkeypatch.setenv("TERM", "linux")
    assert not scatter_cells.Look.of(on(60)).braille


def test_one_point_and_none_are_drawn():
    assert "•w0" in "\n".join(lines_of(scatter_of([[3, 3]]), on(60)))
    assert lines_of(scatter_of(np.zeros((0, 2))), on(60)) == ["Title"]


def test_numbers_of_a_picture_have_all_that_is_drawn():
    shade = SHADES["kinds"]
    scatter = scatter_of([[1, 2], [3, 4], [5, 6]], shade=shade, marked=(2,), before_name="then")
    table = numbers(replace(scatter, before=scatter.points + 1))
    assert [column.name for column in table.columns] == [
        "row", "word", "x", "y", "x then", "y then", "kind",
    ]  # fmt: skip
    assert table.rows[0] == (2, "w2", 5, 6, 6, 7, "")
    assert table.rows[1] == (0, "w0", 1, 2, 2, 3, "verb")


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 20))
def test_ticks_are_round_and_within(low, size, most):
    ticks, decimals = round_ticks(low, low + size, most)
    assert len(ticks) <= most
    assert all(low - size / 1e6 <= tick <= low + size * (1 + 1e-6) for tick in ticks)
    for first, second in pairwise(ticks):
        mantissa = f"{second - first:.0e}"[0]
        assert mantissa in "125"
    assert all(abs(tick - round(tick, decimals)) < 1e-9 for tick in ticks)
