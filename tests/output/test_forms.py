"""The forms: every command gives each that its row names, and refuses the others in words."""

from __future__ import annotations

import pytest

from embedinspect.commands.table import COMMANDS
from embedinspect.errors import UsageError
from embedinspect.output.document import Document
from embedinspect.output.forms import (
    ALL,
    DESCRIPTIONS,
    Answer,
    Form,
    Target,
    choose_form,
    write_answer,
)
from embedinspect.page import Paragraph


def test_every_form_is_described():
    assert set(DESCRIPTIONS) == set(Form)


@pytest.mark.parametrize("form", ALL)
def test_every_form_is_written(form, capfdbinary):
    answer = Answer(
        page=lambda: [Paragraph("hello")],
        document=lambda: Document("test", {"word": "hello"}, columns=("word",)),
    )
    write_answer(answer, Target(form))
    assert b"hello" in capfdbinary.readouterr().out


def test_json_is_short_for_its_form():
    assert choose_form(None, json=True) is Form.JSON
    assert choose_form("json", json=True) is Form.JSON
    assert choose_form(None, json=False, otherwise=Form.NDJSON) is Form.NDJSON
    with pytest.raises(UsageError, match="--json and --format csv contradict"):
        choose_form("csv", json=True)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.forms], ids=lambda c: c.name)
def test_help_and_errors_name_the_forms_that_a_command_gives(run, command):
    _, out, _ = run(command.name, "--help")
    text = " ".join(out.decode().replace("│", " ").split())
    for form in ALL:
        assert (f"({form})" in text) == (form in command.forms)
    code, out, err = run(command.name, "--format", "jsn")
    assert (code, out) == (2, b"")
    assert f"expected one of {', '.join(command.forms)}; did you mean 'json'?" in err


def test_a_form_that_a_command_cannot_give_is_refused(run):
    code, out, err = run("explain", "--format", "csv")
    assert (code, out) == (2, b"")
    assert err == "Error: --format is 'csv'; expected one of table, json, ndjson, markdown, html\n"


def test_most_commands_give_all_forms():
    assert [command.name for command in COMMANDS if command.forms not in {ALL, ()}] == [
        "explain",
        "report",
    ]
