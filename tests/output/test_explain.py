"""`explain` on the screen and as JSON: what people see, at every width, and what programs get."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from functools import cache
from unittest.mock import patch

import jsonschema
import pytest
from rich.cells import cell_len

from embedinspect.commands.schema import FOLDER
from embedinspect.lessons import TOPICS, Lesson, Request
from embedinspect.output.document import json_parts
from embedinspect.output.explain import lesson_document, lesson_page
from embedinspect.output.screen import open_screen
from embedinspect.output.terminal import print_page
from tests.conftest import HERE, environment
from tests.lessons.test_lessons import DIFFICULT, OF_TEXTS, by_keras, by_name

SCHEMA = json.loads((FOLDER / "explain.json").read_text(encoding="utf-8"))
WIDTHS = (40, 60, 100, 200)
# What backends answer is asked in tests/lessons; here it is only drawn.
ANSWERS = {
    "tensorflow": ["error: InvalidArgumentError", "row 4, silently, the last row", "no row"],
    "jax": ["a row of NaN", "row 4, silently, the last row", "a row of NaN"],
}


@cache
def experiment(topic, *texts):
    """Return what a lesson finds on texts, or on its own; the widths of a screen share it."""
    return topic.run(Request(list(texts) or None))


def keras_part(topic):
    """Return what Keras gives for a lesson's own texts, or None where it is not asked."""
    if topic.run_keras is None:
        return None
    with patch("embedinspect.lessons.layer.ask_backends", return_value=ANSWERS):
        return by_keras(topic)


def page(topic, width, texts=(), part=None, encoding="utf-8") -> list[str]:
    """Return the lines of a lesson before its code, and those of its code."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    ask_keras = None if part is None else lambda: part
    parts = lesson_page(topic, experiment(topic, *texts), ask_keras, left_out=False)
    print_page(parts, open_screen(file, width))
    file.flush()
    return file.buffer.getvalue().decode(encoding).splitlines()


def lesson_json(topic, of_numpy, part=None) -> dict:
    return read("".join(json_parts(lesson_document(Lesson(topic, of_numpy, part)))))


def before_code(lines: list[str]) -> list[str]:
    return lines[: next(n for n, line in enumerate(lines) if line.startswith("The same in "))]


@pytest.mark.parametrize("topic", TOPICS, ids=by_name)
def test_no_line_is_wider_than_the_screen(topic):
    for width in WIDTHS:
        lines = page(topic, width, part=keras_part(topic))
        assert max(map(cell_len, before_code(lines))) <= width, width
        if width >= 60:
            assert max(map(cell_len, lines)) <= width, width


@pytest.mark.parametrize("topic", TOPICS, ids=by_name)
def test_a_lesson_is_short(topic):
    assert len(page(topic, 100, part=keras_part(topic))) <= 60


@pytest.mark.parametrize("texts", [*DIFFICULT, ["word " * 500] * 30], ids=range(len(DIFFICULT) + 1))
@pytest.mark.parametrize("topic", OF_TEXTS, ids=by_name)
def test_texts_are_shown_literally_and_fit(topic, texts):
    for width in WIDTHS:
        lines = page(topic, width, texts)
        text = "\n".join(lines)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert max(map(cell_len, before_code(lines))) <= width
        assert len(lines) < 100 * max(1, 100 / width)
    if any("[bold]" in text for text in texts) and topic.name in {"num-words", "padding"}:
        assert "[bold]" in text


@pytest.mark.parametrize("topic", TOPICS, ids=by_name)
def test_a_screen_without_the_signs_has_stand_ins(topic):
    text = "\n".join(page(topic, 100, part=keras_part(topic), encoding="ascii"))
    assert "\\x" not in text
    assert "\\u" not in text


@pytest.mark.parametrize("width", [60, 100])
def test_golden(width, golden, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    for name, arguments in {
        "topics": [],
        "num-words": ["num-words", "the cat saw the dog", "the dog saw a bird"],
        "pretrained": ["GloVe"],
    }.items():
        code, out, err = run("explain", *arguments)
        assert (code, err) == (0, "")
        golden(f"explain-{name}-{width}.txt", out.decode())


def test_a_screen_that_has_only_ascii(run_ascii):
    for arguments in ([], ["num-words"], ["padding"], ["one-hot"]):
        code, text = run_ascii(
            "explain", *arguments, "--no-keras" if arguments else "--format=table"
        )
        assert code == 0
        assert "\\u" not in text


# -- JSON --------------------------------------------------------------------------------------


def no_literal(name: str):
    raise AssertionError(f"{name} is not JSON")


def read(text: str) -> dict:
    found = json.loads(text, parse_constant=no_literal)
    jsonschema.validate(found, SCHEMA, jsonschema.Draft202012Validator)
    return found


@pytest.mark.parametrize("topic", TOPICS, ids=by_name)
def test_every_lesson_as_json(topic):
    of_numpy, part = experiment(topic), keras_part(topic)
    found = lesson_json(topic, of_numpy, part)
    assert found["code"] == list(of_numpy.code)
    tables = [*of_numpy.tables, *(part.tables if part else [])]
    assert [len(t["rows"]) for t in found["experiment"]] == [len(t.rows) for t in tables]
    assert all(len(t["columns"]) == len(row) for t in found["experiment"] for row in t["rows"])
    assert sum(t["by_keras"] for t in found["experiment"]) == (len(part.tables) if part else 0)


@pytest.mark.parametrize("texts", DIFFICULT, ids=range(len(DIFFICULT)))
def test_difficult_texts_as_json(texts):
    for topic in OF_TEXTS:
        found = lesson_json(topic, experiment(topic, *texts))
        assert found["texts"] == list(experiment(topic, *texts).texts)
        assert set(texts) & set(found["texts"])


def test_numbers_are_exact(run):
    _, out, _ = run("explain", "lookup", "a", "--json")
    found = read(out.decode())
    table = found["experiment"][0]
    assert table["rows"][0][4:] == found["numbers"]["output"][0][0]
    assert table["rows"][0][4] == 0.004488318


def test_the_topics_as_json(run):
    code, out, _ = run("explain", "--json")
    assert code == 0
    assert [topic["topic"] for topic in read(out.decode())["topics"]] == [t.name for t in TOPICS]


# -- the command -------------------------------------------------------------------------------


def test_texts_that_a_lesson_has_no_use_for_are_said(run):
    code, out, err = run("explain", "mask-zero", "one", "two", "three")
    assert code == 0
    assert b"two" not in out
    assert err == "Note: of 3 texts this lesson uses the first alone.\n"
    assert run("explain", "padding", "one", "two", "three")[2] == ""


def test_texts_come_from_files_and_standard_input_too(run, tmp_path, monkeypatch):
    path = tmp_path / "texts.txt"
    path.write_text("zebra zebra\nzebra cat\n")
    arguments = run("explain", "lookup", "zebra zebra", "zebra cat")
    assert run("explain", "lookup", "--file", str(path)) == arguments
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    assert run("explain", "lookup", "--file", "-") == arguments
    code, _, err = run("explain", "projector", "--file", str(path))
    assert code == 2
    assert "the lesson projector takes no texts, but got 'zebra zebra'" in err


def test_a_question_in_plain_words_names_the_topic(run):
    code, out, err = run("explain", "why is my output not zero", "--no-keras")
    assert code == 0
    assert out.startswith(b"Does mask_zero make the output zero?")
    assert err == "Note: the topic is mask-zero; embedinspect explain lists them all\n"


def test_a_size_within_the_code_that_was_given(run):
    for arguments in (["num_words=3"], ["num_words=9", "--num-words", "3"]):
        code, out, _ = run("explain", *arguments)
        assert code == 0
        assert b"gets num_words=3." in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["pading"], "did you mean padding"),
        (["projector", "a text"], "takes no texts"),
        (["lookup", "--units", "3"], "the lesson lookup, which takes no sizes"),
        (["shapes", "--num-words", "3"], "expected --maxlen, --input-dim, --output-dim, --units"),
        (["--units", "3"], "expected a topic"),
        (["vectors", "--no-keras", "--backend", "jax"], "--no-keras and --backend"),
        (["lookup", "--backend", "tensorflow"], "runs without Keras"),
        (["shapes", "--maxlen", "0"], "--maxlen is '0'; expected"),
    ],
)
def test_usage_errors_are_one_line_and_2(run, arguments, says):
    code, out, err = run("explain", *arguments)
    assert (code, out) == (2, b"")
    assert says in err
    assert err.count("\n") == 1


def test_keras_can_be_left_out(run):
    code, out, err = run("explain", "mask-lost", "--no-keras")
    assert (code, err) == (0, "")
    assert b"Keras was left out" in out
    assert b"Layers behind" not in out
    _, out, _ = run("explain", "mask-lost", "--no-keras", "--json")
    assert read(out.decode())["keras_left_out"] is True


def test_a_lesson_with_keras_is_whole(run):
    code, out, err = run("explain", "Flatten")
    assert (code, err) == (0, "")
    text = out.decode()
    assert text.index("Mean of the vectors") < text.index("Layers behind") < text.index("rule")


def test_the_first_part_of_every_lesson_needs_numpy_alone():
    code = (
        "import sys\nfrom embedinspect.lessons import TOPICS, Request\n"
        "for topic in TOPICS: topic.run(Request())\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment(PYTHONPATH=str(HERE.parent)),
    )
    assert not {"keras", "tensorflow", "rich", "typer"} & set(done.stdout.split())
