"""The tool in Python: its answers are the commands' own, and a notebook runs."""

from __future__ import annotations

import inspect
import io
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import embedinspect as ei
from embedinspect.commands.calling import parameters
from embedinspect.commands.table import COMMANDS

VECTORS = "sample:vectors"
# What is asked in Python, and on the command line.
SAME = {
    "info": (lambda s: s.info(), ["info", VECTORS]),
    "rows": (lambda s: s.rows(["king", "#0"]), ["rows", VECTORS, "king", "#0"]),
    "rows in an order": (
        lambda s: s.rows(sort="-norm", where="row<9", top=3),
        ["rows", VECTORS, "--sort", "-norm", "--where", "row<9", "--top", "3"],
    ),
    "neighbors": (
        lambda s: s.neighbors("king - man + woman", top=3, metric="dot"),
        ["neighbors", VECTORS, "king - man + woman", "--top", "3", "--metric", "dot"],
    ),
    "neighbors of several": (
        lambda s: s.neighbors("king", "queen"),
        ["neighbors", VECTORS, "king", "queen"],
    ),
    "odd one out": (
        lambda s: s.neighbors(["king", "queen", "bread"], odd_one_out=True),
        ["neighbors", VECTORS, "king", "queen", "bread", "--odd-one-out"],
    ),
    "axis": (
        lambda s: s.axis(low=["bad", "awful"], high="good", first=20),
        ["axis", VECTORS, "--low", "bad", "awful", "--high", "good", "--first", "20"],
    ),
    "axis of words": (
        lambda s: s.axis("king", low="bad", high="good"),
        ["axis", VECTORS, "king", "--low", "bad", "--high", "good"],
    ),
    "diff": (
        lambda s: s.diff(VECTORS, ["king"], neighbors=3),
        ["diff", VECTORS, VECTORS, "king", "--neighbors", "3"],
    ),
    "diff of what is open": (lambda s: s.diff(s, top=2), ["diff", VECTORS, VECTORS, "--top", "2"]),
    "coverage": (lambda s: s.coverage("The King"), ["coverage", VECTORS, "The King"]),
    "decode": (lambda s: s.decode(np.array([1, 2])), ["decode", VECTORS, "1 2"]),
    "decode of several": (lambda s: s.decode([[1], [2]]), ["decode", VECTORS, "[[1], [2]]"]),
    "doctor": (lambda s: s.doctor("the king"), ["doctor", VECTORS, "the king"]),
    "doctor of texts": (
        lambda s: ei.doctor("one two", input_dim=2, fail_on="note"),
        ["doctor", "--text", "one two", "--input-dim", "2", "--fail-on", "note"],
    ),
    "map": (
        lambda s: s.map("king", axis=[("man", "woman")]),
        ["map", VECTORS, "king", "--axis", "man", "woman"],
    ),
    "duplicates": (
        lambda s: s.duplicates(over=0.97, top=2),
        ["duplicates", VECTORS, "--over", "0.97", "--top", "2"],
    ),
    "report": (lambda s: s.report("king"), ["report", VECTORS, "king", "--no-keras"]),
    "evaluate": (
        lambda s: s.evaluate("sample:analogies", kind="analogies", oov="wrong"),
        ["evaluate", VECTORS, "sample:analogies", "--as", "analogies", "--oov", "wrong"],
    ),
    "evaluate several": (
        lambda s: ei.evaluate([s, VECTORS], "sample:analogies"),
        ["evaluate", VECTORS, VECTORS, "--", "sample:analogies"],
    ),
    "show of a source": (
        lambda s: s.show("the king"),
        ["show", "--from", VECTORS, "the king", "--no-keras"],
    ),
    "show": (
        lambda s: ei.show(["This is", "-- a text"], num_words=4, mask_zero=True),
        ["show", "--num-words", "4", "--mask-zero", "--no-keras", "--", "This is", "-- a text"],
    ),
    "show of one-hot ids": (
        lambda s: ei.show("a b", one_hot=True, output_dim=2, seed=7),
        ["show", "a b", "--one-hot", "--output-dim", "2", "--seed", "7", "--no-keras"],
    ),
    "show of a file": (
        lambda s: ei.show(file="sample:classic", heat=True),
        ["show", "--file", "sample:classic", "--no-keras"],
    ),
    "explain": (
        lambda s: ei.explain("num-words", "a b", num_words=2),
        ["explain", "num-words", "a b", "--no-keras", "--num-words", "2"],
    ),
    "topics": (lambda s: ei.explain(), ["explain"]),
}  # fmt: skip
# What a command has for a shell alone, or asks of a source that is open already.
OF_THE_SHELL = {"format_name", "json", "output", "code", "fail_over", "text"}
OF_THE_SOURCE = {
    "path", "from_source", "a", "b", "epoch", "layer", "tensor", "vectors", "words_file",
    "index_from", "words_from", "strict", "no_cache",
}  # fmt: skip


def with_form(line: list[str], *form: str) -> list[str]:
    """Return a command line with a form before the words behind `--`."""
    place = line.index("--") if "--" in line else len(line)
    if line[0] == "evaluate":
        place = 1
    return [*line[:place], *form, *line[place:]]


def csv_frame(pandas, run, line):
    _, out, _ = run(*with_form(line, "--format", "csv"))
    return pandas.read_csv(io.BytesIO(out), keep_default_na=False, na_values=[""])


@pytest.mark.parametrize("name", SAME)
def test_an_answer_in_python_is_the_document_of_the_command(run, name):
    ask, line = SAME[name]
    code, out, _ = run(*with_form(line, "--json"))
    assert code in {0, 3}
    assert ask(ei.open(VECTORS)).to_dict() == json.loads(out)


@pytest.mark.parametrize("name", sorted(SAME.keys() - {"show of a file"}))
def test_an_answer_shows_itself_as_text_and_as_html(run, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "100")
    ask, line = SAME[name]
    answer = ask(ei.open(VECTORS))
    _, out, err = run(*line)
    notes = ["note", *err.split()] if err else []
    assert repr(answer).split() == [*out.decode().split(), *notes]
    html = answer._repr_html_()
    assert "<script" not in html
    assert answer.to_html().startswith("<!doctype html>")
    assert answer.to_markdown()


@pytest.mark.parametrize(
    "name", sorted(SAME.keys() - {"explain", "topics", "report", "show of one-hot ids"})
)
def test_a_data_frame_is_the_table_of_csv(run, name):
    pandas = pytest.importorskip("pandas")
    ask, line = SAME[name]
    frame, csv = ask(ei.open(VECTORS)).to_pandas(), csv_frame(pandas, run, line)
    assert list(frame.columns) == list(csv.columns)
    assert len(frame) == len(csv)
    for column in frame.select_dtypes("number"):
        np.testing.assert_allclose(frame[column], csv[column], rtol=1e-6)


def test_a_data_frame_has_every_digit():
    pytest.importorskip("pandas")
    answer = ei.show("a b")
    vectors = answer.to_pandas().filter(like="dim_").to_numpy()
    assert vectors.dtype == np.float32
    assert vectors.tolist() == np.float32(answer.to_dict()["texts"][0]["output"]).tolist()


@pytest.mark.parametrize("command", [c.name for c in COMMANDS if c.forms and c.name != "cache"])
def test_every_option_of_a_command_is_a_parameter_in_python(command):
    functions = [getattr(place, command, None) for place in (ei.Matrix, ei)]
    named = {name for f in functions if f for name in inspect.signature(f).parameters}
    names = {"no_keras": "keras"}
    wanted = {names.get(name, name) for name in parameters(command)}
    wanted -= OF_THE_SHELL if command == "doctor" else OF_THE_SHELL - {"text"}
    assert wanted - OF_THE_SOURCE - named == set()
    assert named - wanted - {"self", "more", "other", "sources"} - OF_THE_SOURCE == set()


def test_options_of_a_source_are_parameters_of_open():
    taken = set(inspect.signature(ei.open).parameters)
    names = {"no_cache": "cache", "words_file": "words", "path": "source"}
    assert {names.get(name, name) for name in OF_THE_SOURCE - {"a", "b", "from_source"}} == taken


def test_a_value_is_never_an_option():
    vectors = ei.open([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], words=["--top", "-n", "--"])
    answers = vectors.neighbors("--top", top=1).to_dict()["answers"]
    assert answers[0]["neighbors"][0]["word"] == "-n"
    assert vectors.rows("--", "-n").to_dict()["rows"][0]["row"] == 2
    assert vectors.axis(low="--top", high="--").to_dict()["low"] == ["--top"]
    assert ei.show("--json").to_dict()["texts"][0]["text"] == "--json"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.rows("kng"), "did you mean 'king'"),
        (lambda s: s.map(method="x"), "^method is 'x'; expected one of pca"),
        (lambda s: s.neighbors("king", top=0), "^top is 0; expected 1 or more"),
        (lambda s: s.neighbors("king", top="three"), "^top is 'three'; expected a whole number"),
        (lambda s: s.neighbors(), "no word given"),
        (lambda s: s.rows([5]), "words has 5; expected strings"),
        (lambda s: s.rows("king", sort="norm"), "^sort and where list rows"),
        (lambda s: s.map(axis=["man"]), "expected pairs of words"),
        (lambda s: s.decode([[1], []]), "sequence 1 is empty"),
        (lambda s: s.decode([0.5]), "0.5 is no id"),
        (lambda s: s.diff(), "is no run, so it has one matrix"),
        (lambda s: s.export("-"), "expected a file or folder"),
        (lambda s: s.show("a", backend="jax"), "backend .* keras=True"),
        (lambda s: ei.show(), "no text given"),
        (lambda s: ei.show("a", num_words=0), "^num_words is 0"),
        (lambda s: ei.explain("nothing of that kind"), "there is no topic"),
        (lambda s: ei.open(VECTORS, words=["a"]), "words is no path"),
        (lambda s: ei.open(VECTORS, epoch=1), "^epoch picks rows of a run"),
        (lambda s: ei.open(np.ones((2, 2)), layer="a"), "no options but words and index_from"),
        (lambda s: ei.open(None), "NoneType is nothing that can be opened"),
    ],
)
def test_a_mistake_is_one_line_that_names_what_python_has(ask, message):
    vectors = ei.open(VECTORS)
    with pytest.raises(ei.UsageError, match=message) as caught:
        ask(vectors)
    shown = caught.value._render_traceback_()
    assert shown == [f"UsageError: {caught.value}"]
    assert "\n" not in shown[0]


@pytest.mark.parametrize(
    ("numbers", "words", "message"),
    [
        ([1.0, 2.0], None, r"with the shape \(2,\) is no matrix"),
        ([["a"]], None, "is no matrix"),
        (np.ones((2, 2), complex), None, "expected real numbers"),
        ([[1.0], [1.0, 2.0]], None, "no array of numbers"),
        (np.ones((2, 0)), None, "is no matrix"),
        (np.ones((2, 2)), [1, 2], "expected a word"),
        (np.ones((2, 2)), {"a": -1}, "whole numbers from 0 on"),
    ],
)
def test_what_is_no_matrix_is_told(numbers, words, message):
    with pytest.raises(ei.DataError, match=message):
        ei.open(numbers, words=words)
    with pytest.raises(ei.DataError, match="no-such-file"):
        ei.open("no-such-file")


def test_an_array_answers_as_its_file_does(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    words = ["the", "a", "good", "film", "bad"]
    np.save("rows.npy", rows)
    Path("words.json").write_text(json.dumps(words))
    index = {word: np.int64(row) for row, word in enumerate(words)}
    for held in (ei.open(rows, words=words), ei.open(rows, words=np.array(words)),
                 ei.open(rows, words=index), ei.open(rows, words="words.json")):  # fmt: skip
        for ask, line in (
            (lambda s: s.neighbors("good"), ["neighbors", "rows.npy", "good"]),
            (lambda s: s.rows("bad", "#0"), ["rows", "rows.npy", "bad", "#0"]),
            (lambda s: s.info(), ["info", "rows.npy"]),
            (lambda s: s.coverage("a great film"), ["coverage", "rows.npy", "a great film"]),
            (lambda s: s.show("a bad film"), ["show", "a bad film", "--no-keras", "--from",
                                              "rows.npy"]),
            (lambda s: s.map(), ["map", "rows.npy"]),
        ):  # fmt: skip
            document = json.loads(run(*line, "--words", "words.json", "--json")[1])
            answer = ask(held).to_dict()
            for name in ("source", "settings"):  # where it comes from, which differs
                document.pop(name, None)
                answer.pop(name, None)
            assert answer == document
    assert held.doctor("a bad film").to_dict()["findings"] is not None
    rows[:] = 0  # what was opened is a copy
    assert held.rows("good").to_dict()["rows"][0]["norm"] > 0


def test_a_source_is_read_once_and_stays_as_it_was_opened(tmp_path):
    path = tmp_path / "rows.txt"
    path.write_text("king 1 0\nqueen 0 1\n")
    vectors = ei.open(path)
    path.write_text("something else\n")
    assert vectors.rows("queen").to_dict()["rows"][0]["vector"] == [0, 1]
    assert vectors.doctor().to_dict()["command"] == "doctor"


def test_the_words_of_a_file_are_those_that_doctor_looks_at(tmp_path, run):
    np.save(tmp_path / "rows.npy", np.eye(3))
    (tmp_path / "words.txt").write_text("a\nb\nc\nd\n")
    rows, words = str(tmp_path / "rows.npy"), str(tmp_path / "words.txt")
    with pytest.warns(ei.EmbedInspectWarning, match="the first word beyond it is 'd'"):
        answer = ei.open(rows, words=words).doctor().to_dict()
    assert answer["findings"]
    _, out, _ = run("doctor", rows, "--vocabulary", words, "--json")
    assert answer == json.loads(out)


def test_what_is_odd_is_a_warning_at_the_line_of_the_caller_once(tmp_path, capfd):
    path = tmp_path / "rows.txt"
    path.write_text("king 1 0\nqueen 0 1\nking 5 5\nbroken x y\n")
    with pytest.warns(ei.EmbedInspectWarning, match="has 2 problems") as told:
        vectors = ei.open(path)
    assert len(told) == 1
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vectors.rows("king")
    with pytest.raises(ei.DataError, match="leave out strict"):
        ei.open(path, strict=True)
    assert capfd.readouterr() == ("", "")


def test_notes_are_part_of_an_answer_and_nothing_is_printed(capfd):
    answer = ei.open(VECTORS).show("the king")
    assert len(answer.notes) == 1
    assert answer.notes[0].startswith("row 0 of sample:vectors is 'the'")
    assert "id 0 is the padding in Keras" in " ".join(repr(answer).split())
    assert capfd.readouterr() == ("", "")


def test_the_import_alone_loads_nothing_heavy():
    code = (
        "import sys, embedinspect; embedinspect.__version__; dir(embedinspect); "
        "print(sorted({n.split('.')[0] for n in sys.modules} & "
        "{'numpy', 'rich', 'typer', 'jinja2', 'keras', 'typing', 're'}))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env={
        "PYTHONPATH": str(Path(ei.__file__).parents[1])})  # fmt: skip
    assert done.stdout == "[]\n", done.stderr


def test_nothing_asks_keras_unless_it_is_told_to():
    code = (
        "import sys, embedinspect as ei; s = ei.open('sample:vectors'); s.info().to_dict(); "
        "repr(s.map()); ei.show('a b').to_dict(); ei.explain('num-words'); s.report(text='the'); "
        "print(sorted({n.split('.')[0] for n in sys.modules} & "
        "{'keras', 'tensorflow', 'jinja2'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_every_name_is_there_and_typed():
    import embedinspect.notebook as room

    assert set(ei.__all__) == {"__version__", *room.__all__}
    stub = Path(ei.__file__).with_suffix(".pyi").read_text()
    for name in room.__all__:
        assert getattr(ei, name) is getattr(room, name)
        assert f"import {name} as {name}" in stub
    assert Path(ei.__file__).with_name("py.typed").exists()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ei.nothing


def test_without_pandas_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ei.DataError, match="pip install pandas"):
        ei.open(VECTORS).info().to_pandas()
