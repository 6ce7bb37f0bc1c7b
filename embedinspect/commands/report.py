"""`embedinspect report`: one page on a source."""

from __future__ import annotations

from typing import Annotated

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, KerasGroup, SourceGroup, TextsGroup
from embedinspect.output.forms import Answer, write_answer


def report(
    asked: SourceGroup,
    keras: KerasGroup,
    form: FormGroup,
    words: option.Words = None,
    text: Annotated[
        list[str] | None,
        option.option(
            option.TEXTS,
            "Text that is traced, and that a classifier reads. May be given again.",
            "--text",
            metavar="TEXT",
        ),
    ] = None,
    file: option.File = None,
) -> None:
    """Write one page on a source: figures, training, map, neighbors, what is odd or wrong.

    With --output page.html it is a file for a browser that loads nothing from anywhere. Words
    behind SOURCE are marked in the map, and their neighbors are told. Texts are read by the
    classifier of a run or of a Keras model.

    \b
    Examples:
    embedinspect report runs/imdb --text "a wonderful film" --output imdb.html
    embedinspect report glove.6B.50d.txt king queen --output glove.html
    embedinspect report model.keras
    """
    chosen = form.choose()
    from embedinspect.analysis.report import report_on
    from embedinspect.output import report as output
    from embedinspect.output.stdout import waiting

    source = asked.source()
    texts = TextsGroup(text, file).read() if text or file else []
    with waiting(f"Looking at {source.path}"):
        whole = report_on(
            source,
            texts,
            words or (),
            ask_classifier=not keras.no_keras,
            backend=keras.backend,
        )
    answer = Answer(page=lambda: output.page(whole), document=lambda: output.document(whole))
    write_answer(answer, chosen)
