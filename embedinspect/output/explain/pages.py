"""`explain` for people: the list of topics, and a lesson in the order in which it is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from embedinspect.lessons.lesson import Experiment, KerasPart, Topic
from embedinspect.output.explain.tables import draw_tables, shown
from embedinspect.output.screen import Screen, labelled

TRY = 'embedinspect explain num-words "the cat saw the dog" "the dog slept"'
MOST_CODE, HEAD, TAIL = 36, 24, 8
GAP = 2


def draw_topics(topics: Sequence[Topic], screen: Screen) -> Iterator[Text]:
    """Yield the topics in their groups, a line each, and what else may be asked."""
    yield from _paragraph("Each topic answers a question by running it.", screen)
    width = max(len(topic.name) for topic in topics) + GAP
    group = ""
    for topic in topics:
        if topic.group != group:
            group = topic.group
            yield Text()
            yield Text(group, style="bold")
        room = max(20, screen.width - width - GAP)
        for number, part in enumerate(
            Text(shown(topic.summary, screen)).wrap(screen.console, room)
        ):
            name = topic.name if not number else ""
            yield Text(" " * GAP + name.ljust(width) + part.plain)
    yield Text()
    yield from _paragraph(
        "Names from code lead to their topic too: input_length, get_weights, nb_epoch. Texts "
        "behind the topic take the place of the lesson's own:",
        screen,
    )
    yield Text(TRY) if len(TRY) <= screen.width else Text("embedinspect explain TOPIC TEXT ...")


def draw_experiment(topic: Topic, experiment: Experiment, screen: Screen) -> Iterator[Text]:
    """Yield the question, the words it needs, and what was found without Keras."""
    for line in Text(topic.question).wrap(screen.console, screen.width):
        yield Text(line.plain, style="bold")
    yield from _paragraph(experiment.intro, screen)
    yield Text()
    if experiment.tables:
        yield from draw_tables(experiment.tables, screen)
        yield Text()
        yield from _findings("what to see", experiment.findings, screen)
        yield Text()


def draw_keras(part: KerasPart, screen: Screen) -> Iterator[Text]:
    """Yield what Keras itself gave."""
    if part.tables:
        yield from draw_tables(part.tables, screen)
        yield Text()
    *findings, last = part.findings
    ran_on = f" ({part.ran_on})" if part.ran_on else ""
    yield from _findings("in Keras", [*findings, last + ran_on], screen)
    yield Text()


def draw_left_out(screen: Screen) -> Iterator[Text]:
    """Yield the line that stands where Keras's part would."""
    yield from _paragraph("Keras was left out (--no-keras), and the tables that it gives.", screen)
    yield Text()


def draw_ending(experiment: Experiment, screen: Screen) -> Iterator[Text]:
    """Yield the rule, where to go next, and the lines of Keras."""
    yield from labelled("rule", shown(experiment.rule, screen), screen)
    for number, command in enumerate(experiment.next):
        yield from labelled("" if number else "next", shown(command, screen), screen)
    yield Text()
    yield Text("The same in Keras", style="bold")
    code = list(experiment.code)
    if len(code) > MOST_CODE:
        left_out = f"# ... {len(code) - HEAD - TAIL:,} lines left out; --json has them all"
        code = [*code[:HEAD], left_out, *code[-TAIL:]]
    for line in code:
        yield Text(shown(line, screen))


def _findings(label: str, findings: Sequence[str], screen: Screen) -> Iterator[Text]:
    for number, finding in enumerate(findings):
        yield from labelled("" if number else label, shown(finding, screen), screen)


def _paragraph(text: str, screen: Screen) -> Iterator[Text]:
    for part in Text(shown(text, screen)).wrap(screen.console, screen.width):
        yield Text(part.plain)
