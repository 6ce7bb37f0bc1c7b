"""`explain` for programs: one JSON document, every number in it exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from embedinspect import __version__
from embedinspect.lessons.lesson import Lesson, Topic
from embedinspect.output.jsontext import SCHEMA_VERSION, dumps
from embedinspect.page import Table


def topics_document(topics: Sequence[Topic]) -> str:
    """Return all topics; the schema is `embedinspect schema explain`."""
    lines = [
        {
            "topic": topic.name,
            "group": topic.group,
            "summary": topic.summary,
            "question": topic.question,
            "takes_texts": topic.takes_texts,
            "takes": list(topic.takes),
            "aliases": list(topic.aliases),
        }
        for topic in topics
    ]
    return _document({}, "topics", lines)


def lesson_document(lesson: Lesson, *, left_out: bool = False) -> str:
    """Return a lesson that has been run, each of its tables on a line.

    Args:
        left_out: Keras was left out, so its tables may be missing.
    """
    topic, experiment, keras = lesson.topic, lesson.experiment, lesson.keras
    head = {
        "topic": topic.name,
        "group": topic.group,
        "question": topic.question,
        "texts": None if experiment.texts is None else list(experiment.texts),
        "intro": experiment.intro,
        "findings": [*experiment.findings, *(keras.findings if keras else [])],
        "rule": experiment.rule,
        "code": list(experiment.code),
        "numbers": {name: _plain(value) for name, value in lesson.numbers.items()},
        "next": list(experiment.next),
        "keras": (keras.ran_on or None) if keras else None,
        "keras_left_out": left_out and topic.run_keras is not None,
    }
    tables = [_table(table, False) for table in experiment.tables]
    tables += [_table(table, True) for table in keras.tables] if keras else []
    return _document(head, "experiment", tables)


def _document(head: dict[str, Any], name: str, lines: Sequence[object]) -> str:
    start = {"schema_version": SCHEMA_VERSION, "command": "explain", "version": __version__, **head}
    parts = [f"  {dumps(key)}: {dumps(value)},\n" for key, value in start.items()]
    listed = ",".join(f"\n    {dumps(line)}" for line in lines)
    return (
        "{\n" + "".join(parts) + f"  {dumps(name)}: [{listed}" + ("\n  " * bool(lines)) + "]\n}\n"
    )


def _table(table: Table, by_keras: bool) -> dict[str, object]:
    return {
        "title": table.title,
        "by_keras": by_keras,
        "columns": [column.name for column in table.columns],
        "rows": [[_plain(value) for value in row] for row in table.rows],
    }


def _plain(value: Any) -> Any:
    """Return plain JSON values; a float32 keeps its shortest digits."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.dtype != np.float32 else _floats(value)
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _floats(values: Any) -> Any:
    return [_floats(one) for one in values] if np.ndim(values) else _plain(float(str(values)))
