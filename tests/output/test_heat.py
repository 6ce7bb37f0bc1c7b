"""Heat: every cell has the color of its number, every dimension is drawn once or counted."""

from __future__ import annotations

import io
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

from embedinspect.lookup import Settings, look_up
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.output.fitting import table_lines
from embedinspect.output.pictures import heat as cells
from embedinspect.output.pictures.heat import HALF, NARROW, WIDE, Brush, elided_layouts, heading
from embedinspect.output.screen import ASCII, UNICODE, Screen
from embedinspect.output.show.page import Witnesses, show_page
from embedinspect.output.show.tables import trace_lines
from embedinspect.page import Column, Table, Trace
from embedinspect.pictures import Heat
from embedinspect.plots.colours import diverging
from tests.conftest import HERE

TEXTS = ["a wonderful film and a dull mess", "internationalization, 東京"]
WEIGHTS = "tests/data/weights.txt"
VECTORS = arrays(np.float32, st.integers(1, 70), elements=st.floats(-4, 4, width=32))


def a_screen(width: int = 100, colours: str | None = "truecolor", signs=UNICODE) -> Screen:
    console = Console(
        file=io.StringIO(),
        width=width,
        color_system=colours,
        force_terminal=colours is not None,
        legacy_windows=False,
        no_color=False,
    )
    return Screen(console, width, signs)


def a_table(values, always: bool = False, **settings) -> Table:
    names = [f"word{number}" for number in range(len(values))]
    vectors = Column("", np.asarray(values, np.float32), "vector", heat=Heat(2.0, always))
    return Table("Rows", [Column("word", names), vectors], **settings)


def drawn_in(line: Text, form: cells.Form) -> list[tuple[int, ...]]:
    """Return the color of each number of one line of cells, from left to right."""
    colours: list[tuple[int, ...]] = []
    for start, end, style in sorted((span.start, span.end, str(span.style)) for span in line.spans):
        found = [tuple(map(int, bytes.fromhex(code))) for code in re.findall("#(......)", style)]
        sign = line.plain[start]
        if style.startswith("on #") or sign == "▌":  # others are ids
            colours += found * ((end - start) // form.characters)
    return colours


@pytest.mark.parametrize("form", [WIDE, NARROW, HALF])
@pytest.mark.parametrize("background_code", ["", "15;0", "0;15"])
@settings(max_examples=25)
@given(vector=VECTORS)
def test_every_cell_has_the_color_of_its_number(form, background_code, vector):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLORFGBG", background_code)
        brush = Brush(a_screen(), 2.0)
        cell = brush.cell(vector, range(len(vector)), form)
    line = Text(cell.text)
    for start, end, style in cell.spans:
        line.stylize(style, start, end)
    dark = background_code != "0;15"
    assert drawn_in(line, form) == [diverging(float(v) / 2.0, dark=dark) for v in vector]
    assert len(cell.text) == form.width(range(len(vector)))


@pytest.mark.parametrize("width", [60, 80, 100, 104, 140])
def test_every_cell_of_show_has_the_color_of_its_number_on_one_scale(width, monkeypatch):
    monkeypatch.delenv("COLORFGBG", raising=False)
    lookup = look_up(TEXTS, Settings(output_dim=32, maxlen=8, seed=1))
    [trace] = [part for part in show_page(lookup, Witnesses(), heat=True) if type(part) is Trace]
    assert trace.heat is not None
    lines = list(trace_lines(trace, a_screen(width)))
    scale = trace.heat.scale
    expected = {
        id_: [diverging(float(v) / scale) for v in lookup.matrix.rows[id_]]
        for id_ in range(lookup.matrix.input_dim)
    }
    assert sum("beyond" in line.plain for line in lines) == 1
    [form] = [one for one in (WIDE, NARROW, HALF) if one.name in lines[-1].plain]
    checked = []
    for line in lines:
        colours = drawn_in(line, form)
        if colours and f"+{scale:g}" not in line.plain:
            after = line.plain.split("→")[-1].split("False")[-1]
            id_ = int(re.search(r"\d+", after)[0])
            assert colours == expected[id_]
            checked.append(id_)
    assert len(checked) == lookup.sequences.size + lookup.matrix.input_dim


@pytest.mark.parametrize("colours", ["truecolor", "256", "standard", None])
@pytest.mark.parametrize("signs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@settings(max_examples=12)
@given(
    width=st.integers(20, 200),
    total=st.integers(1, 400),
    full=st.booleans(),
    broken=st.booleans(),
)
def test_no_line_is_longer_than_the_screen(colours, signs, width, total, full, broken):
    values = np.linspace(-3, 3, 2 * total, dtype=np.float32).reshape(2, total)
    if broken:
        values[0, 0], values[1, -1] = np.nan, -np.inf
    screen = a_screen(width, colours, signs)
    for line in table_lines(a_table(values, always=True, full=full), screen):
        assert cell_len(line.plain.rstrip()) <= width
        assert signs is UNICODE or line.plain.isascii()


@pytest.mark.parametrize("colours", ["truecolor", "256", "standard", None])
@pytest.mark.parametrize("width", [60, 104, 200])
@pytest.mark.parametrize(("dims", "mask"), [(1, True), (9, False), (32, True), (384, False)])
def test_no_line_of_show_is_longer_than_the_screen(colours, width, dims, mask):
    lookup = look_up(TEXTS, Settings(output_dim=dims, maxlen=12, mask_zero=mask))
    for full in (False, True):
        for line in trace_lines(
            Trace(lookup, full, heat=Heat(0.05, True)), a_screen(width, colours)
        ):
            assert cell_len(line.plain) <= width


@given(st.integers(1, 400), st.sampled_from([WIDE, NARROW, HALF]))
def test_what_is_left_out_is_counted(total, form):
    layouts = list(elided_layouts(total, form))
    for layout in layouts:
        assert layout.left_out + layout.drawn == total
        assert layout.parts[0].start == 0
        assert len(layout.parts) == 1 or layout.parts[1].stop == total
    counts = [layout.drawn for layout in layouts]
    assert counts == sorted(counts, reverse=True)


@given(st.integers(0, 20), st.integers(1, 400), st.sampled_from([WIDE, NARROW, HALF]))
def test_the_number_of_a_dimension_stands_above_its_cell(first, count, form):
    part = range(first * 16, first * 16 + count)
    header = heading(part, form)
    for label in re.finditer(r"(dim )?(\d+)", header):
        dimension = int(label[2])
        cell = form.place(part, dimension)
        assert dimension in part
        assert label.start() <= cell < label.end() + form.characters
    assert str(part.start) in header


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize("colours", ["truecolor", "standard", None])
def test_full_draws_every_dimension_once(width, colours):
    values = np.ones((1, 300), np.float32) * 1.1
    screen = a_screen(width, colours)
    text = [line.plain for line in table_lines(a_table(values, True, full=True), screen)]
    headers = [line for line in text if "dim" in line]
    firsts = [int(re.findall(r"dim (\d+)", line)[0]) for line in headers]
    assert len(headers) > 1
    assert firsts[0] == 0
    assert firsts == sorted(set(firsts))
    if colours is None:
        assert sum(line.count("+5") for line in text if "word0" in line) == 300


@given(st.floats(-4, 4, width=32))
def test_without_color_a_cell_says_sign_and_tenths(value):
    text = Brush(a_screen(colours=None), 2.0).cell(np.array([value]), range(1), WIDE).text
    size = abs(value) / 2
    if size < 0.1 - 1e-6:
        assert text == " ·"
    elif size >= 1:
        assert text == ("-*" if value < 0 else "+*")
    elif not math.isclose(size * 10, round(size * 10), abs_tol=1e-5):
        assert text == f"{'-' if value < 0 else '+'}{math.floor(size * 10)}"


def test_seven_tenths_read_as_seven_whatever_float32_makes_of_them():
    brush = Brush(a_screen(colours=None), 0.3)
    numbers = np.array([0.21, -0.27, 0.03, 0.3], np.float32)
    assert brush.cell(numbers, range(4), WIDE).text == "+7-9+1+*"


@pytest.mark.parametrize("colours", ["truecolor", "256", "standard", None])
def test_what_is_no_number_has_a_sign_and_the_legend_says_so(colours):
    values = [[0.5, math.nan, math.inf, -math.inf]]
    *_, row, _, legend = table_lines(a_table(values, True), a_screen(200, colours))
    assert "na+i-i" in row.plain
    assert "na: not a number; +i, -i: infinite" in legend.plain
    *_, whole = table_lines(a_table([[0.5, 1]], True), a_screen(120, colours))
    assert "infinite" not in whole.plain


def test_of_256_colors_blue_stays_blue_and_orange_orange():
    brush = Brush(a_screen(colours="256"), 1.0)
    for value in (0.2, 0.5, 0.7, 1.0):
        for sign in (-1, 1):
            colour = Style.parse(f"on {brush.colour(sign * value)}").bgcolor
            assert colour is not None
            red, _, blue = colour.get_truecolor()
            assert (blue > red) == (sign < 0)


def test_sixteen_colors_have_blocks_as_full_as_numbers_are_large():
    brush = Brush(a_screen(colours="standard"), 1.0)
    cell = brush.cell(np.array([-1, -0.7, -0.4, -0.2, 0, 0.2, 1]), range(7), NARROW)
    assert cell.text == "█▓▒░·░█"
    assert [style for *_, style in cell.spans] == ["bright_blue", "bright_black", "yellow"]


def drawn(values, screen: Screen, **settings) -> bool:
    return any("number" in line.plain for line in table_lines(a_table(values, **settings), screen))


def test_vectors_are_drawn_only_where_numbers_do_not_fit_and_there_are_colors():
    wide, few = np.ones((2, 32)), np.ones((2, 3))
    assert drawn(wide, a_screen())
    assert not drawn(wide, a_screen(colours=None))
    assert not drawn(few, a_screen())
    assert not drawn(wide, a_screen(), full=True)
    assert drawn(few, a_screen(), always=True)
    assert drawn(few, a_screen(colours=None), always=True)


def test_show_draws_only_where_numbers_do_not_fit_and_there_are_colors():
    def draws(dims: int, screen: Screen, wanted: bool | None = None, **how) -> bool:
        lookup = look_up(["a b"], Settings(output_dim=dims))
        [trace] = [
            part
            for part in show_page(lookup, Witnesses(), heat=wanted, **how)
            if isinstance(part, Trace)
        ]
        return any("a number" in line.plain for line in trace_lines(trace, screen))

    assert draws(32, a_screen())
    assert not draws(32, a_screen(), False)
    assert not draws(32, a_screen(colours=None))
    assert not draws(32, a_screen(), full=True)
    assert not draws(3, a_screen())
    assert draws(3, a_screen(), True)


@pytest.mark.parametrize("width", [104, 120])
def test_32_dimensions_fit_where_26_were_left_out(width):
    lookup = look_up(TEXTS, Settings(output_dim=32, maxlen=8))
    lines = [x.plain for x in trace_lines(Trace(lookup, heat=Heat(0.05)), a_screen(width))]
    for line in lines:
        if "dim 0" in line:
            assert re.search(r"dim 0 +8 +16 +24 +31", line)
    assert any("Input" in line and "Output" in line for line in lines)
    assert "two columns a number" in lines[-1]


@pytest.mark.parametrize("form", ["json", "ndjson", "csv", "markdown"])
@pytest.mark.parametrize("command", [["show", "a b", "--no-keras"], ["rows", WEIGHTS, "#0"]])
def test_heat_is_refused_where_nothing_is_drawn(command, form, run, monkeypatch):
    monkeypatch.chdir(HERE.parent)
    code, out, err = run(*command, "--heat", "--format", form)
    assert (code, out) == (2, b"")
    assert "--heat" in err
    assert run(*command, "--no-heat", "--format", form)[0] == 0


def test_decimals_that_are_asked_for_are_written(run, monkeypatch):
    monkeypatch.chdir(HERE.parent)
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, _, err = run("rows", "sample:vectors", "king", "--heat", "--precision", "2")
    assert code == 2
    assert "--precision" in err
    wide = ["show", "a b", "--output-dim", "64", "--no-keras"]
    assert b"a number" in run(*wide)[1]
    assert b"a number" not in run(*wide, "--precision", "2")[1]


CASES = {
    "show-heat": ["show", *TEXTS, "--output-dim", "32", "--maxlen", "9", "--no-keras", "--heat"],
    "rows-heat": ["rows", "sample:vectors", "king", "queen", "man", "woman", "#0", "--heat"],
}


@pytest.mark.parametrize("width", [60, 104])
@pytest.mark.parametrize("case", CASES)
def test_golden_without_colors(case, width, run, golden, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    code, out, err = run(*CASES[case])
    assert (code, err) == (0, "")
    golden(f"{case}-plain-{width}.txt", out.decode())


@pytest.mark.parametrize("case", CASES)
def test_golden_with_colors(case, command, golden):
    # In a process of its own: rich keeps the codes of a style, whatever terminal comes next.
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    done = command(*CASES[case], COLUMNS="104", COLORFGBG="", **terminal)
    assert (done.returncode, done.stderr) == (0, "")
    golden(f"{case}-color-104.txt", done.stdout)


@pytest.mark.parametrize("case", CASES)
def test_a_screen_that_has_only_ascii(case, run_ascii, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    code, text = run_ascii(*CASES[case])
    assert code == 0
    assert "sign and tenths" in text


def test_a_page_without_rows_that_are_numbers_is_drawn():
    matrix = EmbeddingMatrix(np.full((3, 4), np.nan, np.float32), "test")
    lookup = look_up(["a"], matrix=matrix)
    [trace] = [part for part in show_page(lookup, Witnesses(), heat=True) if type(part) is Trace]
    text = "\n".join(line.plain for line in trace_lines(trace, a_screen()))
    assert "nananana" in text
