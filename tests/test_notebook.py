"""The tool in Python: its answers are the commands' own, and a notebook runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import embedinspect as ei

NOTEBOOK = Path(__file__).parents[1] / ".github" / "notebook.ipynb"
VECTORS = "sample:vectors"
# What is asked in Python, and on the command line.
SAME = {
    "info": (lambda s: s.info(), ["info", VECTORS]),
    "info with hubs": (lambda s: s.info(hubs=True), ["info", VECTORS, "--hubs"]),
    "rows": (lambda s: s.rows(["king", "#0"]), ["rows", VECTORS, "king", "#0"]),
    "neighbors": (
        lambda s: s.neighbors("king - man + woman", top=3, metric="dot"),
        ["neighbors", VECTORS, "king - man + woman", "--top", "3", "--metric", "dot"],
    ),
    "neighbors, corrected and cut": (
        lambda s: s.neighbors("king", top=3, csls=True, dims=4),
        ["neighbors", VECTORS, "king", "--top", "3", "--csls", "--dims", "4"],
    ),
    "axis": (
        lambda s: s.axis(low=["bad", "awful"], high="good", first=20),
        ["axis", VECTORS, "--low", "bad", "awful", "--high", "good", "--first", "20"],
    ),
    "axis of words": (
        lambda s: s.axis("king", low="bad", high="good"),
        ["axis", VECTORS, "king", "--low", "bad", "--high", "good"],
    ),
    "diff by distance": (
        lambda s: s.diff(VECTORS, neighbors=3, metric="euclidean"),
        ["diff", VECTORS, VECTORS, "--neighbors", "3", "--metric", "euclidean"],
    ),
    "diff": (
        lambda s: s.diff(VECTORS, ["king"], neighbors=3, dims=4),
        ["diff", VECTORS, VECTORS, "king", "--neighbors", "3", "--dims", "4"],
    ),
    "coverage": (lambda s: s.coverage("The King"), ["coverage", VECTORS, "The King"]),
    "decode": (lambda s: s.decode([1, 2]), ["decode", VECTORS, "1 2"]),
    "doctor": (lambda s: s.doctor("the king"), ["doctor", VECTORS, "the king"]),
    "map": (
        lambda s: s.map("king", axis=[("man", "woman")], metric="cosine"),
        ["map", VECTORS, "king", "--axis", "man", "woman", "--metric", "cosine"],
    ),
    "duplicates": (
        lambda s: s.duplicates(over=0.97, top=2),
        ["duplicates", VECTORS, "--over", "0.97", "--top", "2"],
    ),
    "duplicates by distance": (
        lambda s: s.duplicates(metric="euclidean", within=0.2),
        ["duplicates", VECTORS, "--within", "0.2"],
    ),
    "report": (lambda s: s.report("king"), ["report", VECTORS, "king"]),
    "show of a source": (
        lambda s: s.show("the king"),
        ["show", "--from", VECTORS, "the king", "--no-keras"],
    ),
    "show": (
        lambda s: ei.show(["This is", "-- a text"], num_words=4, mask_zero=True),
        ["show", "--num-words", "4", "--mask-zero", "--no-keras", "--", "This is", "-- a text"],
    ),
    "explain": (
        lambda s: ei.explain("num-words", "a b"),
        ["explain", "num-words", "a b", "--no-keras"],
    ),
    "topics": (lambda s: ei.explain(), ["explain"]),
}


@pytest.mark.parametrize("name", SAME)
def test_an_answer_in_python_is_the_document_of_the_command(run, name):
    ask, line = SAME[name]
    place = line.index("--") if "--" in line else len(line)
    code, out, _ = run(*line[:place], "--json", *line[place:])
    assert code == 0
    assert ask(ei.open(VECTORS)).to_dict() == json.loads(out)


@pytest.mark.parametrize("name", SAME)
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


def test_a_data_frame_has_the_columns_of_csv_and_every_digit(run):
    pandas = pytest.importorskip("pandas")
    frame = ei.open(VECTORS).rows(["king", "#0"]).to_pandas()
    lines = run("rows", VECTORS, "king", "#0", "--format", "csv")[1].decode().splitlines()
    assert list(frame.columns) == lines[0].split(",")
    assert frame["word"].tolist() == ["king", "the"]
    assert frame["dim_0"].dtype == np.float32
    assert isinstance(frame, pandas.DataFrame)
    vectors = ei.show("a b").to_pandas().filter(like="dim_").to_numpy()
    assert vectors.tolist() == np.float32(ei.show("a b").to_dict()["texts"][0]["output"]).tolist()


def test_mistakes_are_errors_with_the_line_of_the_command():
    vectors = ei.open(VECTORS)
    with pytest.raises(ei.UsageError, match="did you mean 'king'"):
        vectors.rows("kng")
    with pytest.raises(ei.UsageError, match="--method is 'x'; expected one of pca"):
        vectors.map(method="x")
    with pytest.raises(ei.DataError, match="no-such-file"):
        ei.open("no-such-file")


def test_the_import_alone_loads_nothing_heavy():
    code = (
        "import sys, embedinspect; embedinspect.__version__; dir(embedinspect); "
        "print(sorted({n.split('.')[0] for n in sys.modules} & "
        "{'numpy', 'rich', 'typer', 'jinja2', 'keras', 'typing', 're'}))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env={
        "PYTHONPATH": str(Path(ei.__file__).parents[1])})  # fmt: skip
    assert done.stdout == "[]\n", done.stderr


def test_every_name_is_there():
    for name in ei.__all__:
        assert getattr(ei, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ei.nothing


def test_the_notebook_runs_from_its_first_cell_to_its_last(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    assert len(outputs) >= 5
    assert all(out.output_type != "error" for out in outputs)
    assert not [out for out in outputs if out.get("name") == "stderr" and "Error" in out.text]
    assert sum("text/html" in out.get("data", {}) for out in outputs) >= 4
