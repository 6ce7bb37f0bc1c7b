"""Sources whose words are whole texts: tables cut them and name rows, JSON keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

SUBJECTS = ("The river", "A violinist from Vienna", "My grandmother", "The whole committee")
ENDS = (
    "crossed the valley before dawn",
    "found a letter in the attic",
    "opened both [b]windows[/b]",
)
TEXTS = [f"{subject} {end}, and nobody could say why." for subject in SUBJECTS for end in ENDS]


@pytest.fixture
def docs(tmp_path):
    rows = np.random.RandomState(0).standard_normal((len(TEXTS), 6)).round(3)
    rows[8] = rows[7]
    path = tmp_path / "docs.jsonl"
    lines = (
        json.dumps({"text": t, "embedding": row})
        for t, row in zip(TEXTS, rows.tolist(), strict=True)
    )
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def test_json_has_whole_texts_for_a_number_and_for_a_beginning(run, docs):
    code, out, _ = run("neighbors", docs, "#0", "A violinist from Vienna f", "--json", "-n", "11")
    assert code == 0
    first, second = json.loads(out)["answers"]
    assert first["question"] == "#0"
    assert first["terms"] == [{"word": TEXTS[0], "row": 0, "sign": 1}]
    assert second["terms"] == [{"word": TEXTS[4], "row": 4, "sign": 1}]
    assert {one["word"] for one in first["neighbors"]} == set(TEXTS[1:])


def test_tables_cut_texts_and_name_rows(run, docs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = run("neighbors", docs, "#4", "-n", "3")[1].decode()
    assert out.startswith(f"#4: {TEXTS[4][:30]}")
    assert all(len(line) <= 60 for line in out.splitlines())
    assert "A violinist from Vienna… (row 4)" in " ".join(out.split())
    monkeypatch.setenv("COLUMNS", "200")
    whole = run("neighbors", docs, "#4", "-n", "11")[1].decode()
    assert all(text in whole for text in TEXTS)


@pytest.mark.parametrize("asked", [["a"], ["a", "b"], ["a", "b", "--odd-one-out"]])
def test_a_long_word_is_whole_where_there_is_room_for_it(run, tmp_path, monkeypatch, asked):
    word = "electroencephalographically"
    path = tmp_path / "vectors.txt"
    path.write_text(f"a 1 0.5\n{word} 1 0.25\nb 0.25 1\n")
    asked = [word, *asked] if "--odd-one-out" in asked else asked
    monkeypatch.setenv("COLUMNS", "60")
    out = run("neighbors", str(path), *asked)[1].decode()
    table, *_ = out.split("\n\nmetric")
    assert word in table
    assert "…" not in table


def test_the_odd_one_out_of_rows_by_number_has_their_texts(run, docs):
    out = run("neighbors", docs, "#0", "#1", "My grandmother f", "--odd-one-out", "--json")[1]
    members = json.loads(out)["members"]
    assert {member["word"] for member in members} == {TEXTS[0], TEXTS[1], TEXTS[7]}


def test_an_axis_names_its_ends_by_text_and_row(run, docs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    ends = ("--low", "#1", "--high", "My grandmother crossed")
    out = run("axis", docs, *ends)[1].decode()
    assert "From The river found a lette… (row 1) to My grandmother crossed … (row 6)" in out
    document = json.loads(run("axis", docs, *ends, "--json")[1])
    assert (document["low"], document["high"]) == ([TEXTS[1]], [TEXTS[6]])
    placed = json.loads(run("map", docs, "--axis", *(ends[1], ends[3]), "--json")[1])
    assert placed["axes"][0] == {**placed["axes"][0], "low": [TEXTS[1]], "high": [TEXTS[6]]}


def test_duplicates_and_maps_tell_texts_apart_by_their_rows(run, docs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    out = " ".join(run("duplicates", docs)[1].decode().split())
    assert "(row 7), My grandmother opened both [b]windows[/… (row 8)" in out
    drawn = run("map", docs, "#4")[1].decode()
    assert "#4 A violinist from" in drawn
    assert json.loads(run("map", docs, "--json")[1])["points"][4]["word"] == TEXTS[4]


def test_texts_stand_in_a_page_and_a_picture(run, docs):
    page = run("map", docs, "#4", "--format", "html")[1].decode()
    assert '"texts": [0, 1, 2' in page or '"texts":[0,1,2' in page
    assert "#4 A violinist from" in page


def test_info_names_two_texts_whole_and_rare_rows_by_their_numbers(run, docs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = " ".join(run("info", docs)[1].decode().split())
    assert f"from the column 'text': '{TEXTS[0]}', '{TEXTS[1]}', … " in out


def test_diff_takes_the_beginning_of_a_text_and_names_rows(run, docs, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    lines = [json.loads(line) for line in Path(docs).read_text().splitlines()]
    lines[4]["embedding"][0] += 1
    other = tmp_path / "other.jsonl"
    other.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    out = run("diff", docs, str(other))[1].decode()
    assert "A violinist from Vi…    4     1.000" in out
    assert "The river crossed the v… (row 0), The river found a lette… (row 1)" in " ".join(
        out.split()
    )
    asked = run("diff", docs, str(other), "A violinist from Vienna f", "#1", "--json")[1]
    assert {row["word"] for row in json.loads(asked)["moved"]} == {TEXTS[4], TEXTS[1]}
    code, _, err = run("diff", docs, str(other), "A violinist")
    assert code == 2
    assert "several texts of" in err
