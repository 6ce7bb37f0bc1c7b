"""What `why` prints: golden tables, documents by their schema, and tables that add up."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from embedinspect.analysis import why
from embedinspect.analysis.why.records import ReadToken, Why
from embedinspect.commands.schema import FOLDER
from embedinspect.output.why.sentences import checks
from embedinspect.output.why.table import MOST_ROWS
from tests.analysis.classifiers import write_run

TEXT = "Not a good film: <b>dull</b>, [red]is it?"
LONG = " ".join(["the film is bad the story is dull it is not a good film"] * 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("why")
    write_run(folder / "run")
    write_run(folder / "long", maxlen=60)
    return folder


@pytest.fixture(scope="module")
def explained():
    """The explanations so far, by what was asked: they take longer than their printing."""
    return {}


@pytest.fixture
def ask(run, folder, explained, monkeypatch):
    """Run `why` in the folder of the runs; returns exit code, stdout, stderr."""
    explain = why.explain_answer

    def explain_once(source, texts, **options):
        asked = (source.path, *texts, *options.items(), *why.WITH_GRADIENTS)
        if asked not in explained:
            explained[asked] = explain(source, texts, **options)
        return explained[asked]

    monkeypatch.setattr(why, "explain_answer", explain_once)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.stdin", None)

    def with_width(*arguments: str, width: int = 120):
        monkeypatch.setenv("COLUMNS", str(width))
        return run("why", *arguments)

    return with_width


@pytest.mark.parametrize("width", [60, 100])
def test_tables(ask, golden, width):
    code, out, err = ask("run", TEXT, "a bad story", width=width)
    assert (code, err) == (0, "")
    golden(f"why-{width}.txt", out.decode())
    assert max(map(cell_len, out.decode().splitlines())) <= width


def test_a_screen_that_has_only_ascii(run_ascii, folder, monkeypatch):
    monkeypatch.chdir(folder)
    code, text = run_ascii("why", "run", TEXT)
    assert code == 0
    assert not re.search(r"\\u2[0-9a-f]{3}|\\xd7|\\xb7|\\xbd", text)


def rows_of(out: bytes) -> list[list[str]]:
    """Return the cells of the table of one text in Markdown."""
    lines = [line for line in out.decode().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_long_text_shows_what_matters_most_and_adds_up(ask):
    _, out, _ = ask("long", LONG, "--format", "markdown")
    head, _, *rows = rows_of(out)
    assert head[:2] == ["position", "token"]
    tokens = [row for row in rows if row[0] and row[1] != "(padding)"]
    assert len(tokens) == MOST_ROWS
    positions = [int(row[0]) for row in tokens]
    assert positions == sorted(positions)
    assert rows[-1][1] == "(26 others)"
    _, full, _ = ask("long", LONG, "--full", "--format", "markdown")
    whole = rows_of(full)[2:]
    assert len(whole) == 1 + 56
    shares = [abs(float(row[-1])) for row in whole[1:]]
    least = min(abs(float(row[-1])) for row in tokens)
    assert sum(share > least for share in shares) < MOST_ROWS
    total = sum(float(row[-1] or 0) for row in rows)
    assert abs(total - sum(float(row[-1] or 0) for row in whole)) < 0.02
    assert "26 tokens of 56, those with the least attribution" in out.decode()


@pytest.mark.parametrize("reading", ["change", "removed", "unknown", "attribution"])
def test_the_tokens_that_matter_most_by_a_reading_come_first(ask, reading):
    _, out, _ = ask("run", TEXT, "--sort", reading, "--json")
    [text] = json.loads(out)["texts"]
    offset = text["probability"] if reading in {"removed", "unknown"} else 0
    read = [token for token in text["tokens"] if token["position"] is not None]
    effects = [abs(token[reading] - offset) for token in read]
    assert effects == sorted(effects, reverse=True)
    _, out, _ = ask("run", TEXT, "--sort", reading, "--format", "markdown")
    tokens = [row[1] for row in rows_of(out)[3:]]
    assert [token.replace("\\", "") for token in tokens] == [token["token"] for token in read]


def test_documents(ask):
    schema = json.loads((FOLDER / "why.json").read_text())
    Draft202012Validator.check_schema(schema)
    code, out, _ = ask("run", TEXT, "", LONG, "--json")
    assert code == 0
    document = json.loads(out, parse_constant=lambda literal: pytest.fail(literal))
    Draft202012Validator(schema).validate(document)
    _, out, _ = ask("run", TEXT, "", LONG, "--format", "ndjson")
    assert [json.loads(line) for line in out.decode().splitlines()] == document["texts"]
    _, out, _ = ask("run", TEXT, "", LONG, "--format", "csv")
    head, *rows = csv.reader(io.StringIO(out.decode()))
    assert head == ["text", *document["texts"][0]["tokens"][0]]
    tokens = [token for text in document["texts"] for token in text["tokens"]]
    assert [row[1] for row in rows if row[0] != "1"] == [token["token"] for token in tokens]
    assert [row for row in rows if row[0] == "1"] == [
        ["1", "", "", "", "", "the text has no token", "", "", "", "", ""]
    ]
    assert {token["status"] for token in tokens} >= {"cut_off", "looked_up", "replaced"}


def test_a_reading_that_does_not_exist_is_no_order(ask, monkeypatch):
    monkeypatch.setattr("embedinspect.analysis.why.WITH_GRADIENTS", ())
    code, out, err = ask("run", "a film", "--sort", "attribution")
    assert (code, out) == (2, b"")
    assert "--sort is 'attribution', which does not exist for this model; expected one of" in err
    code, out, _ = ask("run", "a film")
    assert "attribution left out: Keras has no gradients on tensorflow" in out.decode()


def test_options_out_of_bounds_are_refused_before_keras_is_imported(ask):
    for arguments in (["--steps", "0"], ["--steps", "10001"], ["--baseline", "mean"]):
        code, out, err = ask("run", "a", *arguments)
        assert (code, out) == (2, b"")
        assert err.startswith(f"Error: {arguments[0]} is ")


@pytest.mark.parametrize("text", ["", "   "])
def test_of_a_text_without_a_token_it_is_said_that_nothing_is_read(ask, text):
    code, out, _ = ask("run", text)
    words = " ".join(out.decode().split())
    assert code == 0
    assert "an empty text" in words
    assert "No token of the text is read, so the answer says nothing about it" in words
    assert "9 positions of padding; there is no token to read, and the model's own" in words
    assert "attribution there is no token that could have a share" in words
    assert "No token" not in ask("run", "a bad story")[1].decode()


def test_of_a_text_without_a_token_a_program_is_told_that_nothing_is_read(ask):
    _, out, _ = ask("run", "", "a bad story", "--json")
    empty, other = json.loads(out)["texts"]
    assert (empty["nothing_read"], other["nothing_read"]) == (True, False)
    assert set(empty["matters_most"].values()) == {None}


def test_json_says_which_token_matters_most_by_each_reading(ask):
    _, out, _ = ask("run", "a bad story", "--json")
    [text] = json.loads(out)["texts"]
    story = [{"token": "story", "position": 8}]
    assert text["matters_most"] == {
        "change": [{"token": "bad", "position": 7}],
        "removed": story,
        "unknown": story,
        "attribution": story,
    }


def test_of_all_readings_is_said_only_what_holds_by_the_one_as_unknown_too():
    explanation = SimpleNamespace(unknown=(1, "<OOV>"))

    def matters(status="looked_up", **readings):
        token = ReadToken("good", 2, 0, status, change=0.2, removed=0.4, attribution=0.9)
        other = ReadToken("bad", 3, 1, "looked_up", change=0.1, removed=0.5, attribution=0.1)
        tokens = (replace(token, unknown=readings["good"]), replace(other, unknown=readings["bad"]))
        text = Why("", (0.5, 0.5), "b", "b", 0.5, 2, 0, tokens, None, None, None)
        [fact] = [fact for fact in checks(explanation, text, None, 0) if fact.label == "matters"]
        return fact.text

    assert matters(good=0.3, bad=0.5) == "'good' (position 0) the most, by all readings"
    assert matters(good=0.5, bad=0.3) == (
        "the readings differ in what matters most: 'good' (position 0) by change, by leaving it "
        "out and by attribution; 'bad' (position 1) by reading it as unknown"
    )
    assert matters(good=0.5, bad=0.5) == (
        "'good' (position 0) the most, by change, by leaving it out and by attribution"
    )
    assert matters("replaced", good=0.5, bad=0.3) == (
        "'good' (position 0) the most, by change, by leaving it out and by attribution"
    )


@pytest.mark.parametrize("width", [40, 60, 100])
def test_only_the_columns_that_a_screen_has_room_for_are_explained(ask, width):
    _, out, _ = ask("run", TEXT, width=width)
    *tables, explained, _ = out.decode().split("\n\n")
    names = {line[2:15].strip() for line in explained.splitlines()[1:]} - {""}
    head = next(line for line in tables[0].splitlines() if "attribution" in line)
    columns = ("probability", "change", "without it", "as unknown", "attribution")
    assert names == {name for name in columns if name in head}


def test_a_path_that_is_no_source_is_told_what_a_classifier_is_read_from(ask, folder):
    (folder / "empty").mkdir()
    for path in ("nosuch", "empty"):
        code, out, err = ask(path, "a film")
        assert (code, out) == (1, b"")
        assert err.endswith(
            "; expected a run of embedinspect train, or a model that Keras saved whole (.keras)\n"
        )
