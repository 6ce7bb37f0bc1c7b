"""A page as Markdown: read back by a parser, it says what the page says and nothing else."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from embedinspect.lookup import Settings, look_up
from embedinspect.output.markdown import escaped, markdown_lines
from embedinspect.page import (
    Code,
    Column,
    Fact,
    Facts,
    Glossary,
    Headline,
    Paragraph,
    Problem,
    Table,
    Tables,
    Trace,
)
from embedinspect.wording import literal

PARSER = MarkdownIt("commonmark").enable("table")
HOSTILE = "a|b <img src=x onerror=alert(1)> **c** `d` [e](f) \\| # &amp; ~~g~~ \x1b[31m \u202e"


def written(*parts) -> str:
    return "".join(markdown_lines(parts))


def inline_texts(markdown: str) -> list[str]:
    """Return the text of each line of inline content, as a reader of the rendered page sees it."""
    return [
        "".join(child.content for child in token.children or ())
        for token in PARSER.parse(markdown)
        if token.type == "inline"
    ]


def test_every_part_can_be_written():
    table = Table("Title", [Column("word", ["a"]), Column("n", [1.5], "number")])
    text = written(
        Headline("Head", "Intro"),
        Paragraph("Some words."),
        table,
        Tables([table, table], heading="Two"),
        Facts([Fact("label", "sentence"), Fact("", "goes on")]),
        Glossary([("Group", [("name", "meaning")])]),
        Problem(1, "error", "wrong", "It is wrong.", [Fact("evidence", "numbers")]),
        Code("Lines", ["x = '```'", "print(x)"]),
        Trace(look_up(["a b a"], Settings(maxlen=4, mask_zero=True))),
    )
    html = PARSER.render(text)
    assert html.count("<table>") == 5
    assert "<h2>Head</h2>" in html
    assert "x = '```'" in html
    assert "<li><strong>label</strong>: sentence\ngoes on</li>" in html
    assert "· padding" in html


@pytest.mark.parametrize("part", ["cell", "heading", "title", "fact", "label", "headline"])
def test_text_of_strangers_stays_text(part):
    where = {
        "cell": Table("t", [Column("c", [HOSTILE])]),
        "heading": Table("t", [Column(HOSTILE, ["v"])]),
        "title": Table(HOSTILE, [Column("c", ["v"])]),
        "fact": Facts([Fact("label", HOSTILE)]),
        "label": Facts([Fact(HOSTILE, "sentence")]),
        "headline": Headline(HOSTILE),
    }[part]
    text = written(where)
    assert "\x1b" not in text
    assert "\u202e" not in text
    html = PARSER.render(text)
    assert "<img" not in html
    assert any(literal(HOSTILE) in line for line in inline_texts(text))


@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=30))
def test_any_cell_reads_back(text):
    rendered = inline_texts(written(Table("t", [Column("c", ["x" + text + "x"])])))
    assert "x" + literal(text) + "x" in rendered


def test_a_table_is_whole_however_wide_it_is():
    values = np.arange(600, dtype=np.float32).reshape(2, 300)
    text = written(Table("Rows", [Column("word", ["a", "b"]), Column("", values, "vector")]))
    [header, *_] = [line for line in text.splitlines() if line.startswith("| word")]
    assert header.count("|") == 302
    assert "dim 299" in header


def test_bars_are_left_to_the_numbers_beside_them():
    text = written(Table("t", [Column("rows", [1, 2], "number"), Column("", [1, 2], "bar")]))
    assert re.findall(r"^\|.*", text, re.M)[0] == "| rows |"


def test_an_escape_shows_the_sign_itself():
    assert escaped("1 * 2 | 3") == "1 \\* 2 \\| 3"
