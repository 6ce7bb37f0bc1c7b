"""`embedinspect explain`: the answers people look for, each shown by running it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from embedinspect.commands import asking
from embedinspect.commands import options as option
from embedinspect.errors import UsageError

if TYPE_CHECKING:
    from embedinspect.lessons import KerasPart, Request, Topic

SIZES = "Sizes"


def _size(help_text: str) -> object:
    return typer.Option(help=help_text, min=1, max=10**6, rich_help_panel=SIZES, show_default=False)


def explain(
    topic: Annotated[
        str | None,
        typer.Argument(metavar="TOPIC", help="A topic, or a name from code; none lists them."),
    ] = None,
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Your texts; else the lesson has its own."),
    ] = None,
    num_words: Annotated[int | None, _size("For num-words.")] = None,
    maxlen: Annotated[int | None, _size("For truncating, shapes, input-length.")] = None,
    input_dim: Annotated[int | None, _size("For shapes and parameters.")] = None,
    output_dim: Annotated[int | None, _size("For shapes and parameters.")] = None,
    units: Annotated[int | None, _size("Of the LSTM, for shapes and parameters.")] = None,
    no_keras: Annotated[
        bool,
        typer.Option(
            "--no-keras", help="Leave out what only Keras can show.", rich_help_panel=option.KERAS
        ),
    ] = False,
    backend: option.Backend = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON.", rich_help_panel=option.OUTPUT)
    ] = False,
) -> None:
    """Answer a question about embedding layers by running it, on your texts or its own.

    \b
    Examples:
    embedinspect explain
    embedinspect explain num-words "the cat saw the dog" "a bird"
    embedinspect explain get_weights
    embedinspect explain parameters --input-dim 20000 --units 64
    """
    given = {
        "num_words": num_words,
        "maxlen": maxlen,
        "input_dim": input_dim,
        "output_dim": output_dim,
        "units": units,
    }
    sizes = {name: value for name, value in given.items() if value is not None}
    if no_keras and backend is not None:
        raise UsageError("--no-keras and --backend do not go together; leave out one of the two")
    from embedinspect import lessons

    if topic is None:
        if sizes or backend or no_keras:
            raise UsageError("expected a topic with these options; embedinspect explain lists them")
        _list(json)
        return
    found = lessons.find(topic)
    request = lessons.Request(texts or None, lessons.sizes_in(topic, found) | sizes)
    lessons.check(found, request, backend)
    asking.note_files(texts or [], option=False)
    _teach(found, request, no_keras, backend, json)


def _list(json: bool) -> None:
    from embedinspect import lessons

    if json:
        from embedinspect.output.explain.documents import topics_document
        from embedinspect.output.stdout import write_utf8

        write_utf8([topics_document(lessons.TOPICS)])
        return
    from embedinspect.output.explain.pages import draw_topics
    from embedinspect.output.screen import open_screen

    screen = open_screen()
    for line in draw_topics(lessons.TOPICS, screen):
        screen.line(line)


def _teach(topic: Topic, request: Request, no_keras: bool, backend: str | None, json: bool) -> None:
    """Run the lesson and print it: what needs no Keras at once."""
    from embedinspect.lessons import Lesson

    experiment = topic.run(request)
    given, used = request.texts or [], experiment.texts or []
    if len(used) < len(given):
        asking.note(f"Note: of {len(given)} texts this lesson uses the first alone.")
    needs_keras = topic.run_keras is not None and not no_keras
    if json:
        from embedinspect.output.explain.documents import lesson_document
        from embedinspect.output.stdout import write_utf8

        part = _ask_keras(topic, request, backend) if needs_keras else None
        write_utf8([lesson_document(Lesson(topic, experiment, part), left_out=no_keras)])
        return
    from embedinspect.output.explain import pages
    from embedinspect.output.screen import open_screen

    screen = open_screen()
    for line in pages.draw_experiment(topic, experiment, screen):
        screen.line(line)
    sys.stdout.flush()
    if needs_keras:
        for line in pages.draw_keras(_ask_keras(topic, request, backend), screen):
            screen.line(line)
    elif topic.run_keras is not None:
        for line in pages.draw_left_out(screen):
            screen.line(line)
    for line in pages.draw_ending(experiment, screen):
        screen.line(line)


def _ask_keras(topic: Topic, request: Request, backend: str | None) -> KerasPart:
    from embedinspect.output.stdout import waiting

    assert topic.run_keras is not None
    with waiting("Keras runs the rest of the lesson"):
        return topic.run_keras(request, backend)
