"""Commands to go on with: each that is printed runs, on the very source that it was printed for."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import embedinspect as ei
from embedinspect.commands.schema import FOLDER
from embedinspect.lessons import TOPICS, Request
from embedinspect.output import screen
from tests.builders import SAMPLE_TEXTS
from tests.training.builders import write_table

DRAWS = np.random.RandomState(0).standard_normal((60, 5)).astype(np.float32)
WORDS = [f"word {row}" for row in range(60)]
TABLE = "my table's.npz"
EXPLAIN = "embedinspect explain isotropy"
# What stands for what a line leaves open.
STAND_INS = {"MODEL": "model.npy", "FILE": "words.json", "TEXTS": "texts.txt",
             "imdb_word_index.json": "index.json", "TEXT": "the king"}  # fmt: skip
# Needs data that are loaded from elsewhere, or is done already.
NOT_HERE = {"embedinspect train imdb"}


def odd_rows():
    rows = DRAWS.copy()
    rows[3], rows[7], rows[9], rows[11, 2] = 0, rows[8], rows[9] * 90, np.nan
    return rows


# The rows of a source, and with which options it is asked about.
SOURCES = {
    "plain": (lambda: DRAWS, []),
    "odd": (odd_rows, []),
    "with words": (lambda: DRAWS, ["--words", "my words.txt", "--index-from", "0"]),
    "one row": (lambda: DRAWS[:1], []),
    "two rows": (lambda: DRAWS[:2], []),
    "equal rows": (lambda: np.ones((20, 3), np.float32), []),
    "one dimension": (lambda: DRAWS[:, :1], []),
    "only zeros": (lambda: np.zeros((9, 4), np.float32), []),
    "nothing finite": (lambda: np.full((3, 4), np.nan, np.float32), []),
}


def commands_in(text):
    """Return the commands below the label `next`; none of them is wrapped."""
    below = text.split("\nnext  ", 1)[1] if "\nnext  " in text else ""
    return re.findall(r"embedinspect .*", below.split("\n\n")[0])


def runs(run, line):
    program, *arguments = shlex.split(line)
    assert program == "embedinspect"
    code, out, err = run(*arguments)
    assert code in {0, 3}, (line, err)
    assert out, line


@pytest.fixture
def wide(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(screen, "WIDEST_PROSE", 300)  # so that no command is wrapped
    return tmp_path


@pytest.mark.parametrize("kind", SOURCES)
def test_what_info_suggests_runs(run, wide, kind):
    make, options = SOURCES[kind]
    np.savez(TABLE, other=DRAWS[:9], rows=make())
    Path("my words.txt").write_text("\n".join(WORDS))
    options = ["--tensor", "rows", *options]
    code, out, _ = run("info", TABLE, *options)
    assert code == 0
    *lines, last = commands_in(out.decode()) or [EXPLAIN]
    assert len(lines) <= 4
    if last != EXPLAIN:
        lines.append(last)
    for line in lines:
        assert shlex.split(line)[2 : 3 + len(options)] == [TABLE, *options]
        runs(run, line)


def test_info_suggests_what_its_numbers_are_about(run, wide):
    np.save("odd.npy", odd_rows())
    np.save("plain.npy", DRAWS)
    asked = {
        name: [shlex.split(line)[1] for line in commands_in(run("info", name)[1].decode())]
        for name in ("odd.npy", "plain.npy", "sample:vectors")
    }
    assert asked == {
        "odd.npy": ["doctor", "rows", "duplicates", "map", "explain"],
        "plain.npy": ["rows", "map", "info", "explain"],
        "sample:vectors": ["rows", "map", "evaluate", "info", "explain"],
    }
    assert "--sort outlier" in run("info", "odd.npy")[1].decode()
    for line in commands_in(run("info", "sample:vectors")[1].decode()):
        runs(run, line)


def test_the_end_that_lies_farther_from_the_median_is_listed(run, wide):
    for order, factor in (("norm", 0.01), ("-norm", 1.5)):
        rows = DRAWS / np.linalg.norm(DRAWS, axis=1, keepdims=True)
        rows[5] *= factor
        np.save("rows.npy", rows)
        assert f"rows.npy --sort {order}\n" in run("info", "rows.npy")[1].decode()


def test_what_is_suggested_for_a_file_whose_name_begins_as_an_option_runs(run, wide):
    np.save("-x.npy", DRAWS)
    lines = commands_in(run("info", "--", "-x.npy")[1].decode())
    assert shlex.split(lines[0])[2] == "./-x.npy"
    for line in lines:
        runs(run, line)


def test_nothing_is_suggested_for_rows_that_no_command_can_open():
    assert "next" not in repr(ei.open(DRAWS).info())


def test_what_train_suggests_runs_in_a_folder_with_a_space(run, wide):
    write_table(wide / "t.csv")
    small = ["--epochs", "1", "--output-dim", "4", "--units", "3"]
    code, out, err = run("train", "t.csv", "--out", "my run", *small)
    assert code == 0, err
    lines = commands_in(out.decode())
    assert [shlex.split(line)[1] for line in lines] == ["why", "rows", "train"]
    for line in lines:
        runs(run, line)
    for epoch in ("0", "1"):
        *lines, last = commands_in(run("info", "my run", "--epoch", epoch)[1].decode())
        assert last == EXPLAIN
        assert all(line.count(f"'my run' --epoch {epoch}") == 1 for line in lines)
        for line in lines:
            runs(run, line)


@pytest.mark.parametrize("name", ["out put.npy", "out put.txt", "out put.csv", "out put.vec"])
def test_what_export_suggests_runs(run, wide, name):
    out = run("export", "sample:vectors", name)[1].decode()
    runs(run, re.search(r"open it +(.*)", out)[1])


def test_what_coverage_suggests_runs(run, wide):
    out = run("coverage", "sample:vectors", "the king", "--write", "my matrix.npy")[1].decode()
    line = re.search(r"look at it +(.*) goes by these ids", out)[1]
    runs(run, line.replace("TEXT", "'the king'"))


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_what_a_lesson_suggests_runs_line_by_line(run, wide, topic):
    np.save("model.npy", DRAWS[:26])
    Path("words.json").write_text(json.dumps({f"w{row}": row for row in range(26)}))
    Path("index.json").write_text(json.dumps({"the": 1, "film": 11}))
    Path("texts.txt").write_text("the king\n")
    shutil.copy(SAMPLE_TEXTS / "reviews.csv", "reviews.csv")
    if topic.name == "oov":  # the file there is a vocabulary
        run("show", "the king", "--save-vocabulary", "words.json", "--force")
    for line in topic.run(Request()).next:
        if line in NOT_HERE:
            continue
        words = [STAND_INS.get(word, word) for word in shlex.split(line)]
        if words[1] == "train":
            words += ["--epochs", "1"]
        if words[1] == "explain":
            words.append("--no-keras")
        runs(run, shlex.join(words))


# -- hubs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("work", [10**11, 40_000])
def test_hubs_are_told_with_their_words(run, wide, monkeypatch, work):
    from embedinspect.commands import info

    monkeypatch.setattr(info, "_WORK", work)
    rows = DRAWS.copy()
    rows[5] = DRAWS.mean(axis=0) * 50
    np.save("rows.npy", rows + 2)
    Path("w.txt").write_text("\n".join(WORDS))
    given = ["info", "rows.npy", "--words", "w.txt", "--hubs"]
    document = json.loads(run(*given, "--json")[1])
    Draft202012Validator(json.loads((FOLDER / "info.json").read_text())).validate(document)
    hubs = document["hubs"]
    first = hubs["hubs"][0]
    assert first["word"] == WORDS[first["row"]]
    assert first["share"] == first["count"] / hubs["asked"]
    page = run(*given)[1].decode()
    assert f"{first['word']} (row {first['row']}) of {first['count']}, " in page
    assert ("a sample of 60" in page) == (hubs["asked"] < 60) == (work < 10**11)
    assert "info rows.npy --words w.txt --hubs" not in page  # it has just been asked
    assert json.loads(run(*given[:-1], "--json")[1])["hubs"] is None


def test_hubs_of_too_few_rows_are_refused(run, wide):
    np.save("rows.npy", DRAWS[:11])
    code, _, err = run("info", "rows.npy", "--hubs")
    assert code == 2
    assert "'rows.npy' has fewer than 12 rows with a direction; leave it out" in err
