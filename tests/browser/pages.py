"""Pages for tests: one that has every part, and words that would be markup if they could."""

from __future__ import annotations

import numpy as np

from embedinspect.lookup import Settings, look_up
from embedinspect.page import (
    Code,
    Column,
    Fact,
    Facts,
    Glossary,
    Headline,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Part,
    Problem,
    Reading,
    Section,
    Table,
    Tables,
    Trace,
)
from embedinspect.pictures import Curves, Heat, Scatter, Series, Shade

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "</style></title></textarea>",
    "<!--<script>",
    "]]>",
    "{{7*7}}{% raw %}${7*7}",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)",
    "&lt;b&gt;&amp;&#60;",
    "javascript:alert(1)",
    "a\u2028b\u2029c",
    "\u202egnp.exe",
    "\u2066abc\u2069",
    "lone \ud800 surrogate",
    "null \0 and \x1b[31m",
    "*" * 300,
)


def heat_table() -> Table:
    """Return a table with a vector of many dimensions, and one of few, both in colours."""
    values = np.linspace(-1, 1, 3 * 64, dtype=np.float32).reshape(3, 64)
    return Table(
        "Vectors",
        [
            Column("word", ["a", "b", "c"]),
            Column("norm", [1.5, 2.5, 0.25], "number"),
            Column("", [1, 2, 3], "bar"),
            Column("p", [0.1, 0.5, 0.9], "lean"),
            Column("", values, "vector", heat=Heat(1.0)),
        ],
    )


def small_heat_table() -> Table:
    """Return a table with a vector of few dimensions in colours."""
    values = np.linspace(-1, 1, 18, dtype=np.float32).reshape(3, 6)
    return Table("Few", [Column("", values, "vector", heat=Heat(1.0))])


def curves(title: str = "Loss", name: str = "training") -> Curves:
    """Return two lines over the same steps."""
    series = [Series(name, [0.7, 0.5, 0.4]), Series("validation", [0.7, 0.6, None])]
    return Curves(title, series, best=2, best_label="best: epoch 2", remark="It is so.")


def scatter(*words: str, title: str = "Map") -> Scatter:
    """Return a map of some words that moved, and of 40 more."""
    names = [*words, *(f"word{number}" for number in range(40))]
    angles = np.linspace(0, 6, len(names))
    points = np.stack([np.cos(angles) * angles, np.sin(angles)], axis=1)
    shade = Shade("probability", np.linspace(0, 1, len(names)), middle=0.5)
    return Scatter(
        title,
        points,
        names,
        range(len(names)),
        "first",
        "second",
        labels=range(len(names)),
        marked=[0],
        shade=shade,
        before=points * 0.5,
        before_name="before",
        after_name="after",
        remark="It shows 80%.",
    )


def reading(title: str = "Text 0", *words: str) -> Reading:
    """Return how a classifier reads some words."""
    tokens = ["(start)", *words, "good", "bad"]
    probabilities = [0.5 + 0.4 * (-1) ** number for number in range(len(tokens))]
    changes = [0.0, *np.diff(probabilities).tolist()]
    columns = [Column("token", tokens), Column("probability", probabilities, "number")]
    return Reading(title, tokens, probabilities, changes, "positive, 0.9", Table(title, columns))


def every_part(text: str = "text") -> list[Part]:
    """Return a page with every part, each with the text wherever it has one from a stranger."""
    words = Table(text, [Column(text, [text, "b"]), Column("n", [1234567, -2], "number")])
    facts = [
        Fact("confirmed", text, "confirmed"),
        Fact("", "goes on"),
        Fact("wrong", text, "wrong"),
        Fact("doubtful", text, "doubtful"),
        Fact(text, text, "notable"),
        Fact("aside", text, "aside"),
    ]
    return [
        Headline(text, text),
        KeyFigures([KeyFigure("accuracy", "87.3%", text), KeyFigure(text, text, "", "wrong")]),
        Paragraph(text, "aside"),
        Section("Tables", text),
        words,
        heat_table(),
        small_heat_table(),
        Tables([words, words], heading=text),
        Section("Sentences"),
        Facts(facts),
        Glossary([(text, [(text, text), ("name", "meaning")])]),
        Problem(1, "error", "wrong", text, [Fact("evidence", text)]),
        Problem(2, "warning", "doubtful", text, [Fact("remedy", text)]),
        Code(text, [text, "print(1)"]),
        Section("Pictures"),
        Trace(look_up([text, "a b a"], Settings(mask_zero=True, output_dim=5)), heat=Heat(0.05)),
        reading(text, text),
        curves(text, text),
        scatter(text, title=text),
    ]
