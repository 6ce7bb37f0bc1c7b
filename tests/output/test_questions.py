"""What the commands that ask a matrix print: golden tables, and documents by their schemas."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from embedinspect.commands.schema import FOLDER
from embedinspect.output.screen import WIDEST_PROSE
from tests.builders import VECTORS, write_keras_file

QUESTIONS = {
    "info": ["info", "vectors.txt"],
    "info-keras": ["info", "model.keras", "--layer", "words"],
    "rows": ["rows", "vectors.txt", "king", "ice cream", "#0"],
    "neighbors": ["neighbors", "vectors.txt", "king", "king - man + woman", "--top", "4"],
    "neighbors-csls": [
        "neighbors",
        "vectors.txt",
        "king",
        "#5",
        "-n",
        "4",
        "--csls",
        "--dims",
        "4",
    ],
    "odd-one-out": ["neighbors", "vectors.txt", "bread", "apple", "car", "--odd-one-out"],
    "axis": ["axis", "vectors.txt", "--low", "bad awful", "--high", "good", "--top", "5"],
    "diff": ["diff", "vectors.txt", "moved.txt", "--top", "3", "--neighbors", "4"],
    "diff-wide": ["diff", "vectors.txt", "wide.txt", "--top", "3", "--neighbors", "4"],
    "coverage": ["coverage", "vectors.txt", "The Paris queen!", "a zebra's queen"],
    "coverage-write": ["coverage", "vectors.txt", "The queen", "--write", "m.npy", "--force"],
    "coverage-help": ["coverage", "vectors.txt", "The king's cafÃ© sells ice cream, Paris!"],
    "export": ["export", "vectors.txt", "projector", "--force"],
    "cache": ["cache"],
    "doctor": ["doctor", "model.keras", "--layer", "words"],
    "doctor-texts": [
        "doctor",
        "--text",
        "a b c",
        "--text",
        "d",
        "--input-dim",
        "4",
        "--maxlen",
        "2",
    ],
}
FOUND = {"doctor", "doctor-texts"}
WITHOUT_TABLES = {"coverage-write", "export", "cache", "doctor", "doctor-texts"}


@pytest.fixture
def ask(run, tmp_path, monkeypatch):
    """Run a question in a folder with small files; returns exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMBEDINSPECT_CACHE", "kept")
    monkeypatch.setattr("sys.stdin", None)
    shutil.copy(VECTORS, "vectors.txt")
    text = VECTORS.read_text().replace("king 0.92", "king -0.92").replace("car 0.04", "car 0.24")
    (tmp_path / "moved.txt").write_text(text)
    lines = VECTORS.read_text().splitlines()
    wide = [f"{line} 0.{place % 5}\n" for place, line in enumerate(lines)]
    (tmp_path / "wide.txt").write_text("".join(wide))
    rows = np.array([[0, 0], [0.5, 1], [np.nan, 1], [0.5, 1], [2, np.inf]], np.float32)
    layers = {"layers/embedding/vars/0": rows, "layers/dense/vars/0": rows[:2]}
    config = {
        "class_name": "Embedding",
        "config": {"name": "words", "input_dim": 5, "output_dim": 2},
    }
    write_keras_file(tmp_path / "model.keras", layers, config)

    def with_width(*arguments: str, width: int = 120):
        monkeypatch.setenv("COLUMNS", str(width))
        return run(*arguments)

    return with_width


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("name", list(QUESTIONS))
def test_tables(ask, golden, name, width):
    code, out, err = ask(*QUESTIONS[name], width=width)
    assert (code, err) == (3 if name in FOUND else 0, "")
    golden(f"{name}-{width}.txt", out.decode())


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_no_line_is_wider_than_the_screen(ask, name):
    for width in (40, 50, 70, 80, 120, 200):
        _, out, _ = ask(*QUESTIONS[name], width=width)
        assert max(map(cell_len, out.decode().splitlines())) <= width


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_sentences_are_never_wider_than_prose_may_be(ask, name):
    _, out, _ = ask(*QUESTIONS[name], width=200)
    sentences = [line for line in out.decode().splitlines() if re.match(r"[a-z ]{11} \S", line)]
    assert max(map(cell_len, sentences), default=0) <= WIDEST_PROSE


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_a_screen_that_has_only_ascii(ask, run_ascii, name):
    code, text = run_ascii(*QUESTIONS[name])
    assert code == (3 if name in FOUND else 0)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 120
    assert not [line for line in lines if re.search(r"\\u2[0-9a-f]{3}|\\xd7|\\xb7", line)]


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_markdown(ask, name):
    code, out, _ = ask(*QUESTIONS[name], "--format", "markdown")
    assert code == (3 if name in FOUND else 0)
    lines = out.decode().splitlines()
    tables = [line for line in lines if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    assert (len(tables) >= 3) == (name not in WITHOUT_TABLES)


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_html(ask, name):
    code, out, _ = ask(*QUESTIONS[name], "--format", "html")
    assert code == (3 if name in FOUND else 0)
    text = out.decode()
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>\n")
    assert "<h1" in text
    assert ">embedinspect</h1>" not in text  # its title says what was asked
    assert ("<table>" in text) == (name not in WITHOUT_TABLES)


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_documents(ask, name):
    command = QUESTIONS[name][0]
    schema = json.loads((FOLDER / f"{command}.json").read_text())
    Draft202012Validator.check_schema(schema)
    code, out, _ = ask(*QUESTIONS[name], "--json")
    assert code == (3 if name in FOUND else 0)
    document = json.loads(out, parse_constant=lambda literal: pytest.fail(literal))
    Draft202012Validator(schema).validate(document)
    lists = [key for key, value in document.items() if isinstance(value, list)]
    _, out, _ = ask(*QUESTIONS[name], "--format", "ndjson")
    lines = [json.loads(line) for line in out.decode().splitlines()]
    if command in {"info", "export"}:
        assert lines == [
            {k: v for k, v in document.items() if k not in {"schema_version", "version"}}
        ]
    else:
        assert lines == document[lists[-1]]
    _, out, _ = ask(*QUESTIONS[name], "--format", "csv")
    table = list(csv.reader(io.StringIO(out.decode())))
    assert len({len(row) for row in table}) == 1
    assert len(table) > 1 or command == "cache"


def test_vectors_have_every_digit(ask):
    _, out, _ = ask("rows", "vectors.txt", "king", "--json")
    [row] = json.loads(out)["rows"]
    assert (
        np.float32(row["vector"]).tolist()
        == np.float32([0.92, 0.81, 0.12, 0.05, 0.02, 0.31]).tolist()
    )
    assert b"0.92," in out
    _, out, _ = ask("rows", "vectors.txt", "king", "--format", "csv")
    assert out.decode().splitlines()[0] == "row,word,norm,dim_0,dim_1,dim_2,dim_3,dim_4,dim_5"
    assert ",0.92,0.81," in out.decode()
    _, out, _ = ask("rows", "model.keras", "--layer", "words", "2", "--json")
    assert json.loads(out)["rows"][0]["vector"] == [None, 1]


def test_words_are_shown_literally(ask, tmp_path):
    (tmp_path / "evil.txt").write_text("[red]x[/red] 1 2\n\x1b[2Jy 3 4\nz 5 6\n")
    code, out, _ = ask("neighbors", "evil.txt", "[red]x[/red]")
    assert code == 0
    assert b"\x1b" not in out
    assert b"\\x1b[2Jy" in out
    assert b"[red]x[/red]" in out


def test_many_questions_from_a_file_are_ndjson(ask, tmp_path):
    (tmp_path / "words").write_text("king\n\nking - man + woman\n")
    code, out, _ = ask("neighbors", "vectors.txt", "--file", "words", "--top", "1")
    assert code == 0
    assert [json.loads(line)["neighbors"][0]["word"] for line in out.decode().splitlines()] == [
        "prince",
        "queen",
    ]


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv", "markdown", "html"])
def test_a_question_without_an_answer_ends_as_it_does_alone(ask, form):
    arguments = ["neighbors", "vectors.txt", "king", "zebra", "queen", "--top", "1"]
    code, out, err = ask(*arguments, "--format", form)
    assert code == 2
    assert err.startswith("Error: 1 of 3 questions has no answer; the first: 'zebra' is not among")
    for expected in (b"prince", b"princess", b"zebra"):
        assert expected in out
    if form == "json":
        schema = json.loads((FOLDER / "neighbors.json").read_text())
        Draft202012Validator(schema).validate(json.loads(out))
    code, out, err = ask("neighbors", "vectors.txt", "zebra", "--format", form)
    assert (code, out) == (2, b"")


@pytest.mark.parametrize(
    ("metric", "says"), [("dot", "more is nearer"), ("euclidean", "less is nearer")]
)
def test_it_is_said_which_way_a_metric_counts(ask, metric, says):
    out = ask("neighbors", "vectors.txt", "king", "--metric", metric)[1].decode()
    assert f"{metric} ({says})" in out


@pytest.mark.parametrize("questions", ["zebra\n", "king\nzebra\n", "king\n-\n"])
def test_a_line_of_a_file_without_an_answer_is_bad_data(ask, tmp_path, questions):
    (tmp_path / "words").write_text(questions)
    code, out, err = ask("neighbors", "vectors.txt", "--file", "words", "--top", "1")
    assert code == 1
    *whole, last = [json.loads(line) for line in out.decode().splitlines()]
    assert [answer["error"] for answer in whole] == [None] * len(whole)
    assert last["error"] in err
    assert ("the first:" in err) == bool(whole)


@pytest.mark.parametrize("among", [["zebra"], ["king", "zebra"]])
@pytest.mark.parametrize(
    "command",
    [
        ["neighbors", "vectors.txt"],
        ["rows", "vectors.txt"],
        ["map", "vectors.txt"],
        ["diff", "vectors.txt", "vectors.txt"],
        ["axis", "vectors.txt", "--low", "man", "--high"],
    ],
    ids=lambda command: command[0],
)
def test_a_word_without_a_row_is_a_wrong_argument_alone_or_among_others(ask, command, among):
    code, _, err = ask(*command, *among)
    assert code == 2
    assert "'zebra'" in err


def test_a_row_without_a_direction_is_bad_data_alone_or_among_others(ask):
    for asked in (["king - king"], ["king", "king - king"]):
        assert ask("neighbors", "vectors.txt", *asked)[0] == 1


def test_signs_that_are_not_quoted_are_named(ask):
    code, _, err = ask("neighbors", "vectors.txt", "king", "-", "man", "+", "woman")
    assert code == 2
    assert 'in one quoted argument, such as "king - man + woman"' in err


def test_problems_go_to_stderr_alone(ask, tmp_path):
    (tmp_path / "bad.txt").write_text(VECTORS.read_text() + "short 1\n" * 7)
    code, out, err = ask("rows", "bad.txt", "king", "--json")
    assert code == 0
    assert json.loads(out)["source"]["problems"]["total"] == 7
    assert "7 problems (short lines: 7)" in err
    assert "and 2 more" in err
    code, out, err = ask("rows", "bad.txt", "king", "--strict")
    assert (code, out) == (1, b"")
    assert "line 27 has 1 number;" in err


def test_rows_that_stand_for_no_word_are_named(ask, tmp_path):
    given = ["coverage", "vectors.txt", "The zebra", "--oov-token", "<OOV>", "--write", "m.npy"]
    out = ask(*given)[1].decode()
    said = "row 0 is zeros, for the padding; row 1 ('<OOV>') and 1 word without a vector: zeros"
    assert said in " ".join(out.split())
    assert np.flatnonzero(~np.load(tmp_path / "m.npy").any(axis=1)).tolist() == [0, 1, 3]


def test_dims_cut_rows_and_scale_them_to_length_1(ask):
    lines = [line.rsplit(" ", 6) for line in VECTORS.read_text().splitlines()]
    rows = np.array([[float(number) for number in line[1:4]] for line in lines])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = rows @ rows[1]
    expected[1] = -2
    for metric in ("cosine", "dot", "euclidean"):
        options = ["--dims", "3", "--metric", metric, "--top", "25", "--json"]
        document = json.loads(ask("neighbors", "vectors.txt", "king", *options)[1])
        assert document["dims"] == 3
        found = document["answers"][0]["neighbors"]
        assert [each["row"] for each in found] == np.argsort(-expected)[:25].tolist()
        scores = np.sort(expected)[::-1][:25]
        scores = np.sqrt(2 - 2 * scores) if metric == "euclidean" else scores
        assert np.allclose([each["score"] for each in found], scores, atol=1e-6)


def test_fail_over_ends_with_3(ask):
    assert ask(*QUESTIONS["diff"], "--fail-over", "2")[0] == 0
    code, out, err = ask(*QUESTIONS["diff"], "--fail-over", "0.5")
    assert code == 3
    assert b"Moved" in out
    assert "1 row moved farther than 0.5: king" in err


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("overlap=0.97", "the overlap of neighbors is 0.962; expected 0.97 or more"),
        (
            "correlation=0.99",
            "the rank correlation of similarities is 0.938; expected 0.99 or more",
        ),
        ("cosine=0.96", "the mean cosine is 0.959; expected 0.96 or more"),
        ("overlap=0.9", None),
        ("correlation=0.9", None),
        ("cosine=0.95", None),
    ],
)
def test_fail_under_ends_with_3(ask, limit, says):
    code, out, err = ask(*QUESTIONS["diff"], "--fail-under", "cosine=-1", "--fail-under", limit)
    assert code == (0 if says is None else 3)
    assert b"Moved" in out
    assert err.startswith(says or "")
    assert len(err.splitlines()) == bool(says)


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_lines_leave_what_is_said_first_to_stderr(ask, tmp_path, form):
    rows = np.random.RandomState(0).standard_normal((9, 4)).astype(np.float32)
    np.save(tmp_path / "a.npy", rows)
    np.save(tmp_path / "b.npy", rows[::-1])
    code, out, err = ask("diff", "a.npy", "b.npy", "--format", form)
    assert code == 0
    assert err == (
        "B is A with 8 of its 9 rows in another order, number for number: rows 0, 1, 2, 3, 5, 6, 7 "
        "and 8\n"
    )
    assert b"order" not in out
    _, out, err = ask("diff", "a.npy", "b.npy")
    assert not err
    assert "Name their words with --words-a and --words-b" in out.decode()


@pytest.mark.parametrize(
    "gate", [["--fail-over", "1"], ["--fail-under", "overlap=0.1"], ["--fail-under", "cosine=0.1"]]
)
def test_no_gate_lets_pass_what_is_not_finite_on_one_side_alone(ask, tmp_path, gate):
    rows = np.random.RandomState(0).rand(40, 4).astype(np.float32)
    broken = rows.copy()
    broken[3:] = np.nan
    np.save(tmp_path / "a.npy", rows)
    np.save(tmp_path / "b.npy", broken)
    code, out, err = ask("diff", "a.npy", "b.npy", *gate)
    said = "37 rows are not finite in B alone: #3, #4, #5, #6, #7, and 32 more"
    assert (code, err) == (3, said + "\n")
    assert said in out.decode()
    document = json.loads(ask("diff", "b.npy", "a.npy", "--json")[1])
    counts = [document[f"not_finite{side}"] for side in ("", "_in_a_alone", "_in_b_alone")]
    assert counts == [37, 37, 0]
    assert ask("diff", "b.npy", "b.npy", *gate)[0] == 0
    assert ask("diff", "a.npy", "b.npy")[0] == 0


def test_rows_emptied_in_one_matrix_fail_the_cosine_and_have_an_empty_cell(ask, tmp_path):
    rows = np.random.RandomState(0).rand(40, 4).astype(np.float32)
    emptied = rows.copy()
    emptied[3:6] = 0
    np.save(tmp_path / "a.npy", rows)
    np.save(tmp_path / "b.npy", emptied)
    code, out, err = ask("diff", "a.npy", "b.npy", "--fail-under", "cosine=0.99")
    assert (code, err) == (3, "the mean cosine is 0.925; expected 0.99 or more\n")
    assert b"mean cosine 0.9250 over 40 rows, with 0 for 3 of them" in out
    assert b"nan" not in out + ask("diff", "a.npy", "b.npy", "--format", "csv")[1]


def test_shares_and_cosines_that_are_nearly_1_are_not_written_as_1(ask, tmp_path):
    stream = np.random.RandomState(0)
    rows = stream.standard_normal((400, 16)).astype(np.float32)
    np.save(tmp_path / "a.npy", rows)
    np.save(tmp_path / "b.npy", rows + 0.002 * stream.standard_normal(rows.shape))
    text = " ".join(ask("diff", "a.npy", "b.npy")[1].decode().split())
    assert "100% are the same" not in text
    assert "Neighbors changed most" in text
    assert "rank correlation 1.00 " not in text
    assert "mean cosine 1.0000 " not in text
    np.save(tmp_path / "c.npy", rows * -2)
    text = " ".join(ask("diff", "a.npy", "c.npy")[1].decode().split())
    assert "100% are the same" in text
    assert "Neighbors changed most" not in text
    assert "advice" not in text


def test_tensors_words_and_layers_of_two_sources_have_options_of_their_own(ask, tmp_path):
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.savez(tmp_path / "two.npz", before=rows, after=rows * 2 + 1)
    np.save(tmp_path / "one.npy", rows[1:])
    (tmp_path / "words").write_text("a\nb\nc\n")
    (tmp_path / "later").write_text("b\nc\n")
    code, out, _ = ask("diff", "two.npz", "two.npz", "--tensor-a", "before", "--tensor-b", "after")
    assert code == 0
    assert "A           two.npz, before\nB           two.npz, after\n" in out.decode()
    words = ["--words-a", "words", "--words-b", "later"]
    code, out, _ = ask("diff", "two.npz", "one.npy", "--tensor-a", "before", *words, "--json")
    document = json.loads(out)
    assert (document["shared"], document["only_a"], document["unmoved"]) == (2, 1, 2)
    code, _, err = ask("diff", "two.npz", "--tensor-b", "after")
    assert (code, err.count("\n")) == (2, 1)
    assert "--tensor-b is about B, and there is no B" in err


def test_matrices_are_compared_by_their_first_numbers(ask, tmp_path):
    rows = np.random.RandomState(0).rand(9, 6).astype(np.float32)
    changed = rows * 3
    changed[:, 4:] = 0
    np.save(tmp_path / "a.npy", rows)
    np.save(tmp_path / "b.npy", changed)
    document = json.loads(ask("diff", "a.npy", "b.npy", "--dims", "4", "--json")[1])
    assert document["dims_a"] == document["dims_b"] == document["a"]["output_dim"] == 4
    assert document["mean_distance"] < 1e-6
    assert json.loads(ask("diff", "a.npy", "b.npy", "--json")[1])["mean_distance"] > 0.5
    document = json.loads(ask("diff", "a.npy", "a.npy", "--dims-b", "3", "--json")[1])
    assert (document["a"]["output_dim"], document["b"]["output_dim"]) == (6, 3)
    cut = "B is A cut to its first 3 dimensions and with its rows scaled to length 1"
    assert document["relation"]["sentence"] == cut
    assert ask("diff", "a.npy", "a.npy", "--dims-b", "3", "--fail-under", "cosine=1")[0] == 2
    code, _, err = ask("diff", "a.npy", "b.npy", "--dims", "7")
    assert (code, err.count("\n")) == (2, 1)
    assert "--dims is 7, but 'a.npy' has rows of 6 numbers" in err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["info", "missing"], 1, "no such file"),
        (["rows", "vectors.txt"], 2, "no word given"),
        (["rows", "vectors.txt", "kingg"], 2, "did you mean 'king'"),
        (["rows", "model.keras", "x"], 2, "has no words"),
        (["neighbors", "vectors.txt"], 2, "no word given"),
        (["neighbors", "vectors.txt", "king", "--metric", "cosin"], 2, "did you mean 'cosine'"),
        (["neighbors", "vectors.txt", "king", "--csls", "--metric", "dot"], 2, "leave out one"),
        (["neighbors", "vectors.txt", "king", "--dims", "7"], 2, "expected 1 to 6"),
        (
            ["neighbors", "vectors.txt", "king", "man", "car", "--odd-one-out", "--metric", "dot"],
            2,
            "goes by the cosine alone; leave out --metric",
        ),
        (["info", "vectors.txt", "--json", "--format", "csv"], 2, "contradict"),
        (["diff", "vectors.txt"], 2, "is no run"),
        (["diff", "vectors.txt", "moved.txt", "--fail-under", "x=1"], 2, "'x=1'; expected one of"),
        (["diff", "vectors.txt", "moved.txt", "--fail-under", "cosine=2"], 2, "a number up to 1"),
        (["diff", "vectors.txt", "moved.txt", "--fail-under", "cosine=nan"], 2, "up to 1"),
        (
            ["diff", "vectors.txt", "moved.txt", "--fail-under", "overlap=1", "--neighbors", "0"],
            2,
            "leave out --neighbors 0",
        ),
        (["diff", "vectors.txt", "wide.txt", "--fail-over", "1"], 2, "--fail-over needs rows of"),
        (["diff", "vectors.txt", "wide.txt", "--fail-under", "cosine=1"], 2, "under cosine needs"),
        (["diff", "vectors.txt", "wide.txt", "--align"], 2, "--align turns rows of the same width"),
        (["coverage", "vectors.txt", "a", "--write", "m.txt"], 2, "ends in .npy"),
        (["coverage", "vectors.txt", "queen", "--write", "no/m.npy"], 1, "cannot write"),
        (["coverage", "model.keras", "a", "--layer", "words"], 2, "has no words"),
        (["export", "vectors.txt", "x.pdf"], 2, "is no form that is written"),
        (["export", "vectors.txt", "vectors.txt"], 2, "exists already"),
        (["show", "--from", "model.keras", "--layer", "words", "a"], 2, "has no words"),
        (["show", "--layer", "words", "a"], 2, "with --from"),
        (["show", "--from", "vectors.txt", "--matrix", "x", "a"], 2, "set by the source"),
    ],
)
def test_mistakes_are_one_line(ask, arguments, code, says):
    found, out, err = ask(*arguments)
    assert (found, out) == (code, b"")
    assert re.search(says, err)
    assert len(err.splitlines()) == 1
    assert err.startswith("Error: ")


def test_show_traces_texts_through_word_vectors(ask):
    code, out, err = ask("show", "--from", "vectors.txt", "the king", "--no-keras", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["texts"][0]["sequence"] == [1, 2]
    assert document["weights"][2]["vector"] == [0.92, 0.81, 0.12, 0.05, 0.02, 0.31]
    assert not any(document["weights"][0]["vector"])
    assert "its rows stand one further down" in err
    code, out, _ = ask("show", "--matrix", "vectors.txt", "a b", "--no-keras", "--json")
    assert code == 0
    assert json.loads(out)["weights"][1]["vector"] == [0.92, 0.81, 0.12, 0.05, 0.02, 0.31]


@pytest.mark.parametrize(
    ("question", "key", "words"),
    [
        (["axis", "vectors.txt", "--low", "bad", "--high", "good"], "places", 26),
        (["axis", "vectors.txt", "king", "car", "bad", "awful", "--low", "bad", "--high", "good"],
         "places", 4),
        (["diff", "vectors.txt", "moved.txt", "--neighbors", "0"], "moved", 26),
        (["diff", "vectors.txt", "moved.txt", "king", "car", "the", "--neighbors", "0"], "moved",
         3),
        (["coverage", "vectors.txt", "a b b c king"], "words", 4),
    ],
)  # fmt: skip
def test_top_leaves_the_same_rows_in_every_form(ask, question, key, words):
    without = json.loads(ask(*question, "--json")[1])[key]
    assert len(without) == words
    items = json.loads(ask(*question, "--top", "1", "--json")[1])[key]
    chosen = [item["word"] for item in items]
    assert len(chosen) in {1, 2}
    _, lines, _ = ask(*question, "--top", "1", "--format", "ndjson")
    assert [json.loads(line)["word"] for line in lines.splitlines()] == chosen
    _, table, _ = ask(*question, "--top", "1", "--format", "csv")
    assert [row["word"] for row in csv.DictReader(io.StringIO(table.decode()))] == chosen
    _, markdown, _ = ask(*question, "--top", "1", "--format", "markdown")
    cells = [line.split("|")[1].strip() for line in markdown.decode().splitlines() if "|" in line]
    assert [cell for cell in cells if cell in {item["word"] for item in without}] == chosen


@pytest.fixture
def odd_texts(tmp_path):
    words = ["two words", "cat", "two words", "#1", "dog"]
    rows = [[1, 2], [2, 1], [1, 1], [3, 1], [0, 0]]
    lines = [
        json.dumps({"text": word, "vector": row}) for word, row in zip(words, rows, strict=True)
    ]
    path = tmp_path / "odd.jsonl"
    path.write_text("\n".join(lines))
    return str(path)


def test_a_text_of_two_rows_says_which_was_taken(run, odd_texts):
    code, _, err = run("neighbors", odd_texts, "two words")
    assert code == 0
    assert err == (
        "Note: 'two words' is the text of 2 rows; row 0 was taken; ask for another by its number, "
        "such as '#2'\n"
    )
    assert run("neighbors", odd_texts, "#2")[2] == ""
    assert run("neighbors", odd_texts, "cat")[2] == ""


def test_a_text_that_looks_like_the_number_of_another_row_is_named(run, odd_texts):
    assert run("neighbors", odd_texts, "#1")[2] == (
        "Note: '#1' is taken as the word of row 3, not as row 1\n"
    )


def test_what_has_no_answer_is_not_left_out_of_one(run, tmp_path):
    np.save(tmp_path / "rows.npy", np.array([[1, 2], [np.nan, 1], [2, 1], [1, 1]], np.float32))
    out, err = run("neighbors", str(tmp_path / "rows.npy"), "#0", "#1", "#2")[1:]
    assert "from its own answer: #0, #2; and 1 row" in out.decode()
    assert "row 1 holds NaN or infinity, so nothing is near it; expected" in err


def test_a_row_that_is_alone_says_so(run, tmp_path):
    np.save(tmp_path / "row.npy", np.ones((1, 3), np.float32))
    out = run("neighbors", str(tmp_path / "row.npy"), "#0")[1].decode()
    assert "no neighbor no other row to compare with: #0" in out
    assert "cosine\n" not in out
