"""Answers in files: the suffix says the form, and no file is half-written or written over data."""

from __future__ import annotations

import errno
import json
import os
import sys

import pytest

from embedinspect.commands.table import COMMANDS
from embedinspect.errors import DataError
from embedinspect.output.document import Document
from embedinspect.output.files import SUFFIXES, write_file
from embedinspect.output.forms import ALL, Answer, Form
from embedinspect.page import Paragraph

ROWS = ("rows", "sample:vectors", "good")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("suffix", [s for s, form in SUFFIXES.items() if form in ALL])
def test_a_file_has_what_stdout_would_have(run, here, suffix):
    form = SUFFIXES[suffix]
    code, out, err = run(*ROWS, "--output", f"answer{suffix}")
    assert (code, out) == (0, b"")
    assert err.startswith(f"wrote answer{suffix} (")
    assert err.count("\n") == 1
    assert (here / f"answer{suffix}").read_bytes() == run(*ROWS, "--format", form)[1]
    assert os.listdir(here) == [f"answer{suffix}"]


# A line of every command that answers without being trained or asked for a file of its own.
LINES = (
    ("info", "sample:vectors"),
    ("rows", "sample:vectors", "king"),
    ("neighbors", "sample:vectors", "king - man + woman"),
    ("axis", "sample:vectors", "--low", "bad", "--high", "good"),
    ("map", "sample:vectors", "king"),
    ("coverage", "sample:vectors", "the king zebra"),
    ("decode", "sample:vectors", "1 2"),
    ("diff", "sample:vectors", "sample:vectors", "king"),
    ("doctor", "sample:vectors", "the king"),
    ("report", "sample:vectors"),
    ("show", "a b", "--no-keras"),
    ("explain", "num-words", "--no-keras"),
    ("cache",),
)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_the_files_of_every_command_have_what_stdout_would_have(run, here, line):
    forms = next(command.forms for command in COMMANDS if command.name == line[0])
    for form in forms:
        suffix = next(suffix for suffix, one in SUFFIXES.items() if one == form)
        code, out, _ = run(*line, "-o", f"x{suffix}")
        assert (code, out) == (0, b"")
        assert (here / f"x{suffix}").read_bytes() == run(*line, "--format", form)[1]


def test_every_command_with_files_is_among_those_lines():
    of_their_own = {"train", "export", "why", "evaluate"}
    named = {command.name for command in COMMANDS if command.forms} - of_their_own
    assert {line[0] for line in LINES} >= named - {"duplicates"}


def test_a_full_disk_is_said_and_leaves_the_older_file(run, here, monkeypatch):
    (here / "x.html").write_text("old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    code, out, err = run(*ROWS, "-o", "x.html")
    assert (code, out) == (1, b"")
    assert "no space left" in err
    assert err.count("\n") == 1
    assert os.listdir(here) == ["x.html"]
    assert (here / "x.html").read_text() == "old"


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_pictures_are_files_of_their_kind(run, here, suffix):
    if suffix == ".png":
        pytest.importorskip("resvg_py")
    assert run(*ROWS, "-o", f"x{suffix}")[0] == 0
    start = b"<svg " if suffix == ".svg" else b"\x89PNG"
    assert (here / f"x{suffix}").read_bytes().startswith(start)


def test_a_missing_package_for_pixels_is_said_in_one_line(run, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    code, _, err = run(*ROWS, "-o", "x.png")
    assert code == 1
    assert "pip install 'embedinspect[png]'" in err
    assert os.listdir(here) == []


def test_no_color_is_written_to_a_text_even_where_the_environment_asks_for_it(
    run, here, monkeypatch
):
    plain = run(*ROWS)[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    run(*ROWS, "-o", "answer.txt")
    assert (here / "answer.txt").read_bytes() == plain


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-o", "x.xls"), "expected a name that ends in .html, .svg, .png, .md, .json"),
        (("-o", "x"), "suffix says no form"),
        (("-o", ".html"), "suffix says no form"),
        (("-o", "-"), "leave it out for standard output"),
        (("-o", "no/x.html"), "there is no folder 'no'"),
        (("-o", "folder.html"), "a folder"),
        (("-o", "x.csv", "--json"), "written as csv and --json asks for another"),
        (("-o", "x.html", "--format", "csv"), "--format csv asks for another"),
        (("-o", "x.svg", "--format", "html"), "--format html asks for another"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(run, here, arguments, says):
    (here / "folder.html").mkdir()
    code, out, err = run(*ROWS, *arguments)
    assert (code, out) == (2, b"")
    assert says in err
    assert err.count("\n") == 1
    assert os.listdir(here) == ["folder.html"]


def test_the_form_may_be_said_twice(run, here):
    assert run(*ROWS, "-o", "x.md", "--format", "markdown")[0] == 0
    assert run(*ROWS, "-o", "x.json", "--json")[0] == 0
    assert json.loads((here / "x.json").read_text())["command"] == "rows"


def test_a_form_that_the_command_lacks_is_none_of_its_files_either(run, here):
    code, _, err = run("explain", "-o", "x.csv")
    assert code == 2
    assert ".csv" not in err.replace("'x.csv'", "")


def test_an_answer_without_a_picture_leaves_the_file_as_it_was(run, here):
    (here / "x.svg").write_text("old")
    code, _, err = run("decode", "sample:vectors", "1", "-o", "x.svg")
    assert code == 1
    assert "no picture" in err
    assert os.listdir(here) == ["x.svg"]
    assert (here / "x.svg").read_text() == "old"


def test_an_older_answer_is_replaced(run, here):
    (here / "x.txt").write_text("old")
    assert run(*ROWS, "-o", "x.txt")[0] == 0
    assert "good" in (here / "x.txt").read_text()


@pytest.mark.parametrize("path", ["vectors.txt", "link.txt", "folder/../vectors.txt"])
def test_no_answer_is_written_over_what_it_is_made_from(run, here, path):
    (here / "folder").mkdir()
    (here / "vectors.txt").write_text("a 1 2\nb 3 4\n")
    (here / "link.txt").symlink_to("vectors.txt")
    code, _, err = run("info", "vectors.txt", "-o", path)
    assert code == 2
    assert "belongs to what is read" in err
    assert (here / "vectors.txt").read_text() == "a 1 2\nb 3 4\n"


def test_data_in_a_folder_that_is_read_are_kept_and_pages_there_replaced(run, here):
    (here / "words").mkdir()
    (here / "words" / "kinds.csv").write_text("word,kind\na,b\n")
    (here / "words" / "page.html").write_text("old")
    (here / "vectors.txt").write_text("a 1 2\nb 3 4\n")
    command = ("map", "vectors.txt", "--color-by", "words/kinds.csv:kind", "-o")
    assert run(*command, "words/kinds.csv")[0] == 2
    assert run(*command, "words/page.html")[0] == 0
    assert "<!doctype html>" in (here / "words" / "page.html").read_text()
    assert run("show", "words", "--no-keras", "-o", "words/kinds.csv")[0] == 2


def test_an_error_amid_the_answer_leaves_no_file(here):
    def page():
        yield Paragraph("so far")
        raise DataError("and no further")

    answer = Answer(page=page, document=lambda: Document("test", {}))
    with pytest.raises(DataError, match="and no further"):
        write_file(answer, Form.TABLE, "x.txt")
    assert os.listdir(here) == []


def test_every_command_but_train_and_those_without_forms_writes_files(run):
    for command in COMMANDS:
        text = run(command.name, "--help")[1].decode()
        assert ("--output " in text) == (bool(command.forms) and command.name != "train")


def test_train_says_what_its_own_option_is(run):
    code, _, err = run("train", "sample:reviews", "--output", "x.html")
    assert code == 2
    assert "--out names the run folder" in err


def test_without_its_package_a_png_is_refused_before_anything_is_read(run, here, monkeypatch):
    monkeypatch.setattr("embedinspect.output.svg.png.find_spec", lambda name: None)
    code, _, err = run("map", "no such source", "-o", "x.png")
    assert code == 1
    assert "pip install 'embedinspect[png]'" in err


def test_without_a_font_no_png_is_written_whose_text_does_not_show(run, here, monkeypatch):
    resvg = pytest.importorskip("resvg_py")
    monkeypatch.setattr(resvg, "svg_to_bytes", lambda svg, **settings: b"blank")
    code, _, err = run("map", "sample:vectors", "-o", "x.png")
    assert code == 1
    assert "needs a font" in err
    assert os.listdir(here) == []
