"""`explain`: the list of topics, and a lesson in the order in which it is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from embedinspect.lessons import Experiment, KerasPart, Lesson, Topic
from embedinspect.output.document import Document
from embedinspect.page import Code, Fact, Facts, Glossary, Headline, Page, Paragraph, Table, Tables

TRY = 'embedinspect explain num-words "the cat saw the dog"'
MOST_CODE = 36
LEFT_OUT = "Keras was left out (--no-keras), and the tables that it gives."


def topics_page(topics: Sequence[Topic]) -> Page:
    """Yield the topics in their groups, a line each, and what else may be asked."""
    yield Paragraph("Each topic answers a question by running it.")
    groups = groupby(topics, key=lambda topic: topic.group)
    yield Glossary(
        [(group, [(topic.name, topic.summary) for topic in members]) for group, members in groups]
    )
    yield Paragraph(
        "Names from code lead to their topic too: input_length, get_weights, nb_epoch. Texts "
        "behind the topic take the place of the lesson's own:"
    )
    yield Code("", [TRY])


def lesson_page(
    topic: Topic,
    experiment: Experiment,
    ask_keras: Callable[[], KerasPart] | None,
    *,
    left_out: bool,
) -> Page:
    """Yield a lesson: what needs no Keras first, then what Keras itself says, then the rule.

    Args:
        ask_keras: runs the part that needs Keras; None for no such part.
        left_out: there is such a part, and it was not wanted.
    """
    yield Headline(topic.question, experiment.intro)
    if experiment.tables:
        yield Tables(experiment.tables)
        yield Facts(_sentences("what to see", experiment.findings))
    if ask_keras is not None:
        yield from _keras(ask_keras())
    elif left_out:
        yield Paragraph(LEFT_OUT, "aside")
    yield Facts([Fact("rule", experiment.rule), *_sentences("next", experiment.next)])
    library = "Keras" if any("keras" in line for line in experiment.code) else "NumPy"
    yield Code(f"The same in {library}", experiment.code, most=MOST_CODE)


def _keras(part: KerasPart) -> Iterator[Tables | Facts]:
    if part.tables:
        yield Tables(part.tables)
    *findings, last = part.findings
    ran_on = f" ({part.ran_on})" if part.ran_on else ""
    yield Facts(_sentences("in Keras", [*findings, last + ran_on]))


def _sentences(label: str, sentences: Sequence[str]) -> list[Fact]:
    """Return the sentences below each other, the first behind the label."""
    return [Fact("" if number else label, text) for number, text in enumerate(sentences)]


def topics_document(topics: Sequence[Topic]) -> Document:
    """Return all topics."""
    items = [
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
    return Document("explain", {}, {"topics": items}, lines="topics")


def lesson_document(lesson: Lesson, *, left_out: bool = False) -> Document:
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
        "numbers": lesson.numbers,
        "next": list(experiment.next),
        "keras": (keras.ran_on or None) if keras else None,
        "keras_left_out": left_out and topic.run_keras is not None,
    }
    tables = [_table(table, by_keras=False) for table in experiment.tables]
    tables += [_table(table, by_keras=True) for table in keras.tables] if keras else []
    return Document("explain", head, {"experiment": tables}, lines="experiment")


def _table(table: Table, *, by_keras: bool) -> dict[str, Any]:
    return {
        "title": table.title,
        "by_keras": by_keras,
        "columns": [column.name for column in table.columns],
        "rows": table.rows,
    }
