"""Every lesson: its lines of Keras find the numbers that it found; it holds on any texts."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.lessons import TOPICS, Lesson, Request, Topic

TEXTS = [topic for topic in TOPICS if topic.takes_texts]
DIFFICULT = [
    [""],
    ["?!..."],
    ["one"],
    ["[bold]red[/x] \x1b[31m", "", "a\tb c"],
    ["the same word the same word", "another", "?"],
]


def named(topics):
    return {"argvalues": topics, "ids": [topic.name for topic in topics]}


def run_code(lesson: Lesson, monkeypatch, tmp_path) -> None:
    """Run the lines as they are printed, and compare what they leave with the lesson's numbers."""
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    exec(compile("\n".join(lesson.experiment.code), "the lesson's code", "exec"), space)
    assert lesson.numbers or not lesson.experiment.code[0].startswith("import")
    for name, expected in lesson.numbers.items():
        assert same(space[name], expected), (name, space[name], expected)


def same(found: object, expected: object) -> bool:
    if isinstance(expected, np.ndarray | float):
        found = np.asarray(found)
        return found.shape == np.shape(expected) and np.allclose(found, expected, atol=1e-4)
    if isinstance(expected, dict):
        return {k: tuple(v) for k, v in found.items()} == {k: tuple(v) for k, v in expected.items()}
    if isinstance(expected, str | int):
        return found == expected
    return [
        list(one) if isinstance(one, tuple) else one
        for one in list(np.ndarray.tolist(found) if isinstance(found, np.ndarray) else found)
    ] == [list(one) if isinstance(one, tuple) else one for one in expected]


@pytest.mark.parametrize("topic", **named(TOPICS))
def test_the_lines_of_keras_find_the_same_numbers(topic: Topic, monkeypatch, tmp_path):
    request = Request()
    part = topic.run_keras(request, None) if topic.name == "tokenizer" else None
    run_code(Lesson(topic, topic.run(request), part), monkeypatch, tmp_path)


@pytest.mark.parametrize("texts", DIFFICULT, ids=map(repr, DIFFICULT))
@pytest.mark.parametrize("topic", **named(TEXTS))
def test_on_difficult_texts_too(topic: Topic, texts, monkeypatch, tmp_path):
    request = Request(texts)
    part = topic.run_keras(request, None) if topic.name == "tokenizer" else None
    run_code(Lesson(topic, topic.run(request), part), monkeypatch, tmp_path)
