"""Texts from tables: which files are tables, which column is read, and what is said of it."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.errors import DataError, UsageError
from embedinspect.text_tables import LABEL_COLUMNS, TEXT_COLUMNS, TextFile, read_text_file
from embedinspect.texts import read_texts
from embedinspect.training.labelled import open_table
from tests.builders import SAMPLE_TEXTS

CSV = 'text,label\n"good, very good",yes\nbad,no\n,no\n'
TEXTS = ["good, very good", "bad", ""]


@pytest.fixture
def file(tmp_path):
    """Write a file; returns its path."""

    def write(name, contents):
        (tmp_path / name).write_text(contents, "utf-8")
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("reviews.csv", CSV),
        ("REVIEWS.CSV", "\ufeff" + CSV),
        ("reviews.txt", CSV),
        ("reviews", CSV.replace("\n", "\r\n")),
        ("reviews.tsv", CSV.replace(",", "\t").replace("\t very", ", very")),
        ("reviews.jsonl", "\n".join(json.dumps({"label": 1, "text": text}) for text in TEXTS)),
        ("reviews.txt", "\n".join(json.dumps({"y": 1, "Text": text}) for text in TEXTS)),
        ("unlabelled.csv", 'id,Text\n1,"good, very good"\n2,bad\n3,\n'),
    ],
)
def test_a_table_gives_its_column_of_texts(file, name, contents):
    read = read_text_file(file(name, contents))
    assert read.texts == TEXTS
    assert read.column.lower() == "text"


@pytest.mark.parametrize(
    "contents",
    [
        "one text\nanother, with a comma\n",
        "text\nlabel\n",
        "a text, label and all\n",
        "review,text\nx,y\n",  # no labels
        '{"text": "an object, but without a label"}\n',
        "{not JSON}\n",
        '"an open quote, label\n',
        "\n\n",
    ],
)
def test_other_files_have_one_text_a_line(file, contents):
    path = file("texts.txt", contents)
    assert read_text_file(path) == TextFile(read_texts(path))


@given(st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8")), min_size=1))
def test_a_file_that_does_not_begin_as_a_table_has_one_text_a_line(tmp_path_factory, lines):
    names = {field.strip('"\r\t ').lower() for field in lines[0].replace("\t", ",").split(",")}
    path = tmp_path_factory.mktemp("texts") / "texts.txt"
    path.write_bytes(("\n".join(lines) + "\n").encode())
    if not (names & set(TEXT_COLUMNS) and names & set(LABEL_COLUMNS)):
        assert read_text_file(str(path)) == TextFile(read_texts(str(path)))


def test_standard_input_is_a_table_by_its_header(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
    assert read_text_file("-").texts == TEXTS


def test_a_column_is_named(file):
    path = file("table.csv", "title,plot\na b,c d\n")
    assert read_text_file(path, text_column="plot") == TextFile(["c d"], "plot")
    with pytest.raises(UsageError, match="no column named 'x'; it has 'title', 'plot'"):
        read_text_file(path, text_column="x")
    with pytest.raises(UsageError, match=r"usual name .*; choose one with --text-column, or"):
        read_text_file(path)


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ("text,label\na,1\nb,0,9\n", "line 3 has 3 fields; expected 2"),
        ("text,label\n", "a header, but no row under it"),
        ('{"text": "a", "label": 1}\n[1]\n', "line 2 is not a JSON object"),
    ],
)
def test_a_mistake_in_a_table_is_named(file, contents, says):
    with pytest.raises(DataError, match=says):
        read_text_file(file("table.csv", contents))


def test_the_texts_are_those_that_train_reads(file):
    path = str(SAMPLE_TEXTS / "reviews.csv")
    texts = read_text_file(path).texts
    data = open_table(path, None, None, seed=0)
    assert len(texts) == len(data.train) + len(data.test) == 200
    assert set(data.vocabulary.word_index) <= {
        token for text in texts for token in data.vocabulary.tokenization.tokens(text)
    } | {data.vocabulary.oov_token}


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "--no-keras"],
        ["coverage", "sample:vectors"],
        ["doctor"],
    ],
)
def test_commands_read_the_column_and_say_so(run, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.csv").write_text("text,label\na good film,cheerful\na bad film,gloomy\n")
    code, out, err = run(*arguments, "--file", "reviews.csv", "--json")
    assert code == 0
    assert err == "Note: reviews.csv is a table: 2 texts, column 'text'\n"
    assert b"gloomy" not in out
    assert b"label" not in out
    texts = json.loads(out)["texts"]
    assert (len(texts) if isinstance(texts, list) else texts) == 2
