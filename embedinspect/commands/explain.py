"""`embedinspect explain`: the answers people look for, each shown by running it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
from annotated_types import Interval

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, KerasGroup
from embedinspect.commands.notes import note, note_files
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, Target, write_answer

if TYPE_CHECKING:
    from embedinspect.lessons import KerasPart, Request, Topic

Size = Annotated[int, Interval(ge=1, le=10**6)]


def _size(help_text: str) -> Any:
    return option.option(option.SIZES, help_text, metavar="N", show_default=False)


def explain(
    keras: KerasGroup,
    form: FormGroup,
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPIC",
            help="A topic, a name from code, or a question in quotes; without one, a list.",
        ),
    ] = None,
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Your texts, in place of the lesson's own."),
    ] = None,
    file: option.File = None,
    encoding: option.Encoding = "utf-8",
    num_words: Annotated[Size | None, _size("num_words of the lesson num-words.")] = None,
    maxlen: Annotated[
        Size | None, _size("maxlen of the lessons truncating, shapes, input-length.")
    ] = None,
    input_dim: Annotated[
        Size | None, _size("Number of rows in the lessons shapes and parameters.")
    ] = None,
    output_dim: Annotated[
        Size | None, _size("Numbers in each row, in the lessons shapes, parameters, cosine.")
    ] = None,
    units: Annotated[
        Size | None, _size("Units of the LSTM in the lessons shapes and parameters.")
    ] = None,
) -> None:
    """Answer a question about embedding layers by running it, on your texts or its own.

    \b
    Examples:
    embedinspect explain
    embedinspect explain num-words "the cat saw the dog" "a bird"
    embedinspect explain get_weights
    embedinspect explain "why is my output not zero"
    embedinspect explain imdb "1 14 22 16"
    embedinspect explain parameters --input-dim 20000 --units 64
    """
    chosen = form.choose()
    asked = {
        "num_words": num_words,
        "maxlen": maxlen,
        "input_dim": input_dim,
        "output_dim": output_dim,
        "units": units,
    }
    sizes = {name: size for name, size in asked.items() if size is not None}
    if keras.no_keras and keras.backend is not None:
        raise UsageError("--no-keras and --backend do not go together; leave out one of the two")
    if topic is None:
        if sizes or keras.backend or keras.no_keras or file:
            raise UsageError("expected a topic with these options; embedinspect explain lists them")
        _list(chosen)
        return
    from embedinspect import lessons

    lesson = lessons.find(topic)
    if lessons.is_question(topic):
        note(f"Note: the topic is {lesson.name}; embedinspect explain lists them all")
    own = _texts(texts or [], file or [], encoding)
    request = lessons.Request(own or None, lessons.sizes_in(topic, lesson) | sizes)
    lessons.check(lesson, request, keras.backend)
    note_files(texts or [])
    _teach(lesson, request, keras, chosen)


def _texts(arguments: list[str], files: list[str], encoding: str) -> list[str]:
    """Return the reader's texts; standard input is read where it is named, as `--file -`.

    Without texts a lesson has its own, so that nothing is waited for.
    """
    if not arguments and not files:
        return []
    from embedinspect.texts import collect_texts

    return collect_texts(arguments, files, encoding)


def _list(target: Target) -> None:
    from embedinspect import lessons
    from embedinspect.output import explain as output

    answer = Answer(
        title="How does this work in Keras, and why does it not?",
        page=lambda: output.topics_page(lessons.TOPICS),
        document=lambda: output.topics_document(lessons.TOPICS),
    )
    write_answer(answer, target)


def _teach(topic: Topic, request: Request, keras: KerasGroup, target: Target) -> None:
    """Run the lesson and print it: what needs no Keras at once."""
    from embedinspect.lessons import Lesson
    from embedinspect.output import explain as output

    experiment = topic.run(request)
    if len(experiment.texts or ()) < len(request.texts or ()):
        note(f"Note: of {len(request.texts or ())} texts this lesson uses the first alone.")
    needs_keras = topic.run_keras is not None and not keras.no_keras

    @cache
    def ask_keras() -> KerasPart:
        from embedinspect.output.stdout import waiting

        assert topic.run_keras is not None
        with waiting("Keras runs the rest of the lesson"):
            return topic.run_keras(request, keras.backend)

    answer = Answer(
        page=lambda: output.lesson_page(
            topic,
            experiment,
            ask_keras if needs_keras else None,
            left_out=topic.run_keras is not None,
        ),
        document=lambda: output.lesson_document(
            Lesson(topic, experiment, ask_keras() if needs_keras else None),
            left_out=keras.no_keras,
        ),
    )
    write_answer(answer, target)
