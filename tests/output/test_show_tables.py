"""What people see: golden files at several widths, and what must hold at every width."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import termios

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from embedinspect.lookup import Settings, look_up
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.output.screen import clip, open_screen
from embedinspect.output.show.tables import trace_lines
from embedinspect.page import Trace
from embedinspect.vocabulary import Vocabulary
from tests.conftest import CLASSIC, HERE

WEIGHTS = "tests/data/weights.txt"
HARDER = [
    "The quick brown fox saw the lazy dog, and the lazy dog saw the quick brown fox jump!",
    "In 東京 the café [bold]never[/bold] closes \x1b[31m",
    "",
    "... -- !",
    "The fox and the dog sign the internationalization committee's paper",
]
CASES = {
    "classic": [*CLASSIC, "--num-words", "10", "--maxlen", "6", "--matrix", WEIGHTS],
    "mask": [*CLASSIC, "--maxlen", "8", "--matrix", WEIGHTS, "--mask-zero", "--padding", "post"],
    "one-hot": [*CLASSIC, "--matrix", WEIGHTS, "--one-hot"],
    "dropped": [*CLASSIC, "so -- what?", "--num-words", "4", "--precision", "2"],
    "harder": [
        *HARDER,
        *["--num-words", "14", "--oov-token", "<OOV>", "--maxlen", "12", "--output-dim", "32"],
    ],
    "characters": ["a b", "--char-level", "--output-dim", "2", "--seed", "1"],
    "full": [*HARDER, "--maxlen", "14", "--output-dim", "6", "--full"],
}


def show(run, width: int, arguments: list[str], monkeypatch) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.chdir(HERE.parent)
    code, out, err = run("show", *arguments, "--no-keras")
    assert (code, err) == (0, "")
    return out.decode()


@pytest.mark.parametrize("width", [40, 60, 100, 160])
@pytest.mark.parametrize("case", CASES)
def test_golden(case, width, run, golden, monkeypatch):
    golden(f"show-{case}-{width}.txt", show(run, width, CASES[case], monkeypatch))


@pytest.mark.parametrize("width", range(60, 201, 7))
@pytest.mark.parametrize("case", sorted(set(CASES) - {"full"}))
def test_no_line_is_longer_than_the_screen(case, width, run, monkeypatch):
    lines = show(run, width, CASES[case], monkeypatch).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert not [line for line in lines if line != line.rstrip()]
    assert not [line for line in lines if "\x1b" in line]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("case", ["classic", "mask", "harder"])
def test_input_and_output_share_their_lines(case, width, run, monkeypatch):
    text = show(run, width, CASES[case], monkeypatch)
    [titles] = [line for line in text.splitlines() if line.startswith("Input token ids")]
    assert "Output tensor" in titles


def test_all_three_stand_side_by_side_where_they_fit(run, monkeypatch):
    def side_by_side(width):
        text = show(run, width, CASES["classic"], monkeypatch)
        return any("Output tensor" in x and "Embedding matrix" in x for x in text.splitlines())

    assert side_by_side(120)
    assert not side_by_side(80)


@pytest.mark.parametrize(("columns", "width"), [("0", 120), ("x", 120), ("1", 20), ("77", 77)])
def test_columns_that_are_no_width_are_ignored(columns, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    assert open_screen(io.StringIO()).width == width


def draw(lookup, width=120, **options) -> list[str]:
    screen = open_screen(io.StringIO(), width=width)
    return [line.plain for line in trace_lines(Trace(lookup, **options), screen)]


def test_a_row_reads_the_same_in_both_tables():
    lookup = look_up(CLASSIC, Settings(maxlen=6, seed=3))
    lines = draw(lookup, 60)
    half = lines.index("")  # between the texts
    below = next(i for i, line in enumerate(lines) if line.startswith("Embedding matrix"))
    rows = {line.split()[0]: line.split()[-4:-1] for line in lines[below + 3 :]}
    outputs = [line.split("→")[1].split() for line in lines[3:below] if "→" in line]
    assert half < below
    assert len(outputs) == 12
    for row, *values in outputs:
        assert values == rows[row]


def test_long_padding_folds_with_its_count():
    lines = draw(look_up(["a b"], Settings(maxlen=300)))
    assert any("0–297" in line and "· 298×" in line for line in lines)
    assert sum("→" in line for line in lines) == 3


def test_what_is_left_out_is_counted():
    texts = [f"w{i} w{i + 1} w{i + 2}" for i in range(50)]
    lines = draw(look_up(texts, Settings(output_dim=50)), 100)
    text = "\n".join(lines)
    assert "46 more texts" in text
    assert "more" in next(line for line in lines if "dim 0" in line)
    shown = sum(line.strip().split(" ")[0].isdigit() for line in lines if "×" in line)
    hidden = sum(int(line.split()[1]) for line in lines if line.strip().startswith("… "))
    assert shown + hidden == 53


def test_full_leaves_nothing_out():
    lookup = look_up(["w" + " w".join(map(str, range(40)))], Settings(output_dim=30))
    text = "\n".join(draw(lookup, 80, full=True))
    assert "…" not in text
    assert "more" not in text
    assert text.count("→") == 40
    assert "dim 29" in text


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[np.nan, np.inf, -np.inf]], ["nan", "inf", "-inf"]),
        ([[1e30, 0, -1e30]], ["1.00e+30", "0.00e+00", "-1.00e+30"]),
        ([[1e-9, 0, -1e-9]], ["1.00e-09", "0.00e+00", "-1.00e-09"]),
        ([[123.4, 0.001, -5]], ["123", "0", "-5"]),
        ([[0, 0, 0]], ["0.0", "0.0", "0.0"]),
    ],
)
def test_numbers_of_every_size_are_whole(values, expected):
    matrix = EmbeddingMatrix(np.array([*values, *values], np.float32), "test")
    for width in (60, 120):
        [line] = [x for x in draw(look_up(["a"], matrix=matrix), width) if "→" in x]
        assert line.split("→")[1].split()[1:4] == expected


@given(st.text(st.characters(exclude_categories=()), max_size=20), st.integers(60, 130))
def test_free_text_never_breaks_a_line(text, width):
    lookup = look_up(
        [text, text * 2], Settings(tokenization=look_up([text]).vocabulary.tokenization)
    )
    for line in draw(lookup, width):
        assert line.isprintable()
        assert cell_len(line) <= width


@given(st.text(max_size=40), st.integers(2, 20))
def test_clip_fits(text, width):
    assert cell_len(clip(text, width)) <= width
    if cell_len(text) <= width:
        assert clip(text, width) == text


def test_plain_signs_where_the_encoding_has_no_others(run, monkeypatch):
    screen = open_screen(io.TextIOWrapper(io.BytesIO(), encoding="ascii"), width=120)
    lookup = look_up(["a 東京"], Settings(maxlen=12))
    for line in trace_lines(Trace(lookup), screen):
        assert line.plain.isascii()


@pytest.mark.parametrize("case", CASES)
def test_a_screen_that_has_only_ascii(case, run_ascii, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(HERE.parent)
    code, text = run_ascii("show", *CASES[case], "--no-keras")
    assert code == 0
    assert "->" in text
    assert not re.search(r"\\u2[0-9a-f]{3}|\\xd7|\\xb7", text)  # signs of ours


def colours(run, monkeypatch, **environment) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return show(run, 120, CASES["classic"], monkeypatch)


def test_an_id_has_one_colour_everywhere(run, monkeypatch):
    text = colours(run, monkeypatch, FORCE_COLOR="1", TERM="xterm-256color")
    chips = re.findall(r"\x1b\[38;5;\d+;48;5;(\d+)m +(\d+) ", text)
    colour_of = {}
    for colour, id_ in chips:
        assert colour_of.setdefault(id_, colour) == colour
    assert set(colour_of) == set("012345")
    assert len(set(colour_of.values())) == 6


def test_colours_are_dealt_as_ids_first_appear(monkeypatch):
    # Ids 22 and 196 would share a hue if it were the id modulo six.
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    words = {f"w{id_}": id_ for id_ in range(1, 200)}
    lookup = look_up(["w22 w196 w5 w11 w17 w23"], vocabulary=Vocabulary(words))
    screen = open_screen(io.StringIO(), width=100)
    styles = {
        span.style
        for line in trace_lines(Trace(lookup), screen)
        for span in line.spans
        if " on #" in str(span.style)
    }
    assert len(styles) == 6


def test_the_width_of_a_pipe_is_that_of_the_terminal_behind_it(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    reader, writer = os.pipe()
    terminal, screen_end = pty.openpty()
    fcntl.ioctl(screen_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 83, 0, 0))
    with os.fdopen(reader), os.fdopen(writer, "w") as pipe, os.fdopen(screen_end, "w") as stderr:
        monkeypatch.setattr("sys.stderr", stderr)
        assert open_screen(pipe).width == 83
        monkeypatch.setattr("sys.stderr", io.StringIO())
        monkeypatch.setattr("sys.stdin", io.StringIO())
        assert open_screen(pipe).width == 120
    os.close(terminal)


def test_a_file_has_the_same_width_everywhere(monkeypatch, tmp_path):
    monkeypatch.delenv("COLUMNS", raising=False)
    with (tmp_path / "out").open("w") as file:
        assert open_screen(file).width == 120


def test_no_color_is_respected(run, monkeypatch):
    text = colours(run, monkeypatch, FORCE_COLOR="1", NO_COLOR="1", TERM="xterm-256color")
    assert ";5;" not in text
