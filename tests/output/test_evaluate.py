"""What `evaluate` prints: golden tables, documents by their schema, and how A B -- FILE is read."""

from __future__ import annotations

import csv
import io
import json
import shutil

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from embedinspect.commands.schema import FOLDER
from tests.builders import SAMPLE_TEXTS, VECTORS, write_keras_file

WEAT = {"praise": {"X": ["king", "man", "boy"], "Y": ["queen", "woman", "girl"],
        "A": ["good", "great"], "B": ["bad", "awful"]}}  # fmt: skip
QUESTIONS = {
    "evaluate": ["evaluate", "vectors.txt", "analogies.txt"],
    "evaluate-kinds": [
        "evaluate", "vectors.txt", "pairs.csv", "odd.txt", "categories.tsv", "weat.json",
    ],
    "evaluate-sources": ["evaluate", "vectors.txt", "moved.txt", "--", "analogies.txt"],
}  # fmt: skip


@pytest.fixture
def ask(run, tmp_path, monkeypatch):
    """Run a question in a folder with small files; returns exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    for name in ("vectors.txt", "analogies.txt", "pairs.csv"):
        shutil.copy(SAMPLE_TEXTS / name, name)
    draw = np.random.default_rng(0)
    lines = [line.rsplit(maxsplit=6) for line in VECTORS.read_text().splitlines()]
    moved = [[word, *np.round(draw.standard_normal(6), 2)] for word, *_ in lines]
    (tmp_path / "moved.txt").write_text("".join(" ".join(map(str, line)) + "\n" for line in moved))
    (tmp_path / "odd.txt").write_text(": food\nbread cheese apple | car\nking queen man | ship\n")
    words = {"food": ["bread", "apple", "cheese"], "travel": ["car", "ship", "train"]}
    (tmp_path / "categories.tsv").write_text(
        "".join(f"{word}\t{name}\n" for name, group in words.items() for word in group)
    )
    (tmp_path / "weat.json").write_text(json.dumps(WEAT))

    def with_width(*arguments: str, width: int = 120):
        monkeypatch.setenv("COLUMNS", str(width))
        return run(*arguments)

    return with_width


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("name", list(QUESTIONS))
def test_tables(ask, golden, name, width):
    code, out, err = ask(*QUESTIONS[name], width=width)
    assert (code, err) == (0, "")
    golden(f"{name}-{width}.txt", out.decode())


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_no_line_is_wider_than_the_screen(ask, run_ascii, name):
    for width in (40, 60, 80, 120, 200):
        _, out, _ = ask(*QUESTIONS[name], width=width)
        assert max(map(cell_len, out.decode().splitlines())) <= width
    code, text = run_ascii(*QUESTIONS[name])
    assert code == 0
    assert "\\u" not in text


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_documents_are_by_the_schema_and_say_the_same_in_every_form(ask, name):
    schema = json.loads((FOLDER / "evaluate.json").read_text())
    Draft202012Validator.check_schema(schema)
    document = json.loads(ask(*_with(QUESTIONS[name], "--json"))[1])
    Draft202012Validator(schema).validate(document)
    lines = ask(*_with(QUESTIONS[name], "--format", "ndjson"))[1].decode().splitlines()
    assert [json.loads(line) for line in lines] == document["results"]
    table = ask(*_with(QUESTIONS[name], "--format", "csv"))[1].decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["section"] for row in rows] == [item["section"] for item in document["results"]]
    assert set(rows[0]) == set(document["results"][0])
    assert ask(*_with(QUESTIONS[name], "--format", "markdown"))[0] == 0


def _with(arguments, *options):
    return [arguments[0], *options, *arguments[1:]]


def test_sources_stand_before_the_dashes_wherever_options_stand(ask):
    documents = [
        json.loads(ask("evaluate", *arguments)[1])
        for arguments in (
            ["--json", "vectors.txt", "moved.txt", "--", "pairs.csv"],
            ["vectors.txt", "moved.txt", "--json", "--", "pairs.csv"],
            ["vectors.txt", "--json", "moved.txt", "--", "pairs.csv"],
        )
    ]
    assert documents[0] == documents[1] == documents[2]
    assert [source["path"] for source in documents[0]["sources"]] == ["vectors.txt", "moved.txt"]
    assert [file["path"] for file in documents[0]["files"]] == ["pairs.csv"]
    assert documents[0]["comparisons"][0]["more_than_chance"] is True
    one = json.loads(ask("evaluate", "--json", "vectors.txt", "--", "pairs.csv")[1])
    assert one == json.loads(ask("evaluate", "--json", "vectors.txt", "pairs.csv")[1])
    assert not one["comparisons"]


def test_a_file_behind_the_dashes_may_begin_with_a_dash(ask, tmp_path):
    shutil.copy("pairs.csv", "-pairs.csv")
    assert ask("evaluate", "vectors.txt", "--", "-pairs.csv")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["vectors.txt"], 2, "FILE is missing; expected: embedinspect evaluate [OPTIONS] SOURCE"),
        (["vectors.txt", "--"], 2, "no file stands behind --; several sources stand before --"),
        (["vectors.txt", "moved.txt", "pairs.csv"], 1, "; several sources stand before --, as in"),
        (["vectors.txt", "missing.txt"], 1, "cannot read 'missing.txt': no such file"),
        (["vectors.txt", "."], 1, "cannot read '.': is a directory"),
        (["vectors.txt", "pairs.csv", "--as", "analogies"], 1, "expected analogies: four words"),
        (["vectors.txt", "pairs.csv", "--as", "analogy"], 2, "did you mean 'analogies'"),
        (["vectors.txt", "pairs.csv", "--oov", "drop"], 2, "expected one of skip, wrong"),
        (["vectors.txt", "pairs.csv", "--top", "0"], 2, "--top is '0'; expected 1 or more"),
        (["vectors.txt", "pairs.csv", "--restrict", "0"], 2, "expected 1 or more"),
        (["model.keras", "pairs.csv"], 2, "has no words, and a test is made of words"),
        (["vectors.txt", "sample:pears"], 2, "did you mean sample:pairs?"),
    ],
)
def test_mistakes_are_one_line(ask, tmp_path, arguments, code, says):
    rows = {"layers/embedding/vars/0": np.ones((3, 2), np.float32)}
    write_keras_file(tmp_path / "model.keras", rows)
    came, out, err = ask("evaluate", *arguments)
    assert (came, out) == (code, b"")
    assert says in err
    assert err.count("\n") == 1


def test_words_of_a_test_are_shown_literally(ask, tmp_path):
    (tmp_path / "evil.txt").write_text(": [red]x\x1b[2J\nking \x1b[1m [b]q king\n")
    code, out, _ = ask("evaluate", "vectors.txt", "evil.txt")
    assert code == 0
    assert b"\x1b" not in out
    assert b"[red]x" in out


def test_lines_that_were_left_out_are_said(ask, tmp_path):
    (tmp_path / "some.csv").write_text(
        "king,queen,8\nking,man,3\nman,boy,4\ngood,bad,x\nbad,x,2\ncar,ship,5\n"
    )
    out = ask("evaluate", "vectors.txt", "some.csv")[1].decode()
    assert "left out    1 line: line 4 has no number in column 3: 'x'" in out
    assert "1 word without a vector (x)" in out
    assert ask("evaluate", "vectors.txt", "some.csv", "--strict")[0] == 1


def test_a_run_and_a_model_folder_are_judged_by_their_words(ask, tmp_path, monkeypatch):
    folder = SAMPLE_TEXTS.parent / "tests" / "data" / "models"
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    (tmp_path / "of.csv").write_text("the,of,1\nand,the,2\nof,and,3\n")
    codes = {name: ask("evaluate", str(folder / name), "of.csv")[0] for name in names}
    assert 0 in codes.values()


def test_a_small_p_is_not_written_as_zero(ask, tmp_path):
    words = [f"w{number}" for number in range(44)]
    rows = np.eye(4)[np.repeat([0, 1, 0, 1], [20, 20, 2, 2])] + 0.01
    text = "".join(
        f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, rows, strict=True)
    )
    (tmp_path / "apart.txt").write_text(text)
    sets = {"X": words[:20], "Y": words[20:40], "A": words[40:42], "B": words[42:]}
    (tmp_path / "sets.json").write_text(json.dumps(sets))
    out = ask("evaluate", "apart.txt", "sets.json")[1].decode()
    assert "1.00e-05" in out
    assert "in 100,000 ways that are drawn" in out


def test_where_nothing_can_be_judged_it_is_said_and_what_the_file_was_taken_for(run):
    code, _, err = run("evaluate", "sample:vectors", "sample:reviews")
    assert code == 0
    assert "nothing is judged" in err
    assert "'sample:reviews' was taken for categories" in err
    assert "nothing is judged" not in run("evaluate", "sample:vectors", "sample:analogies")[2]


@pytest.mark.parametrize(
    ("text", "judged"),
    [("king queen 3\nman woman 3\nboy girl 3\n", 3), ("zz king 1\nzq queen 2\nxx man 3\n", 0)],
)
def test_why_pairs_have_no_correlation_is_said(run, tmp_path, text, judged):
    path = tmp_path / "p.tsv"
    path.write_text(text.replace(" ", "\t"))
    code, out, _ = run("evaluate", "sample:vectors", str(path))
    assert code == 0
    assert f"value       none, as {judged} pairs can be judged" in out.decode()


def test_what_oov_wrong_makes_of_a_pair_is_said(run, tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("king\tqueen\t3\nman\twoman\t2\nzz\tgirl\t1\n")
    out = run("evaluate", "sample:vectors", str(path))[1]
    assert "--oov wrong gives it the similarity 0" in out.decode()
