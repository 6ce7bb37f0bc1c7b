"""`embedinspect neighbors`: what is near what."""

from __future__ import annotations

import sys
from typing import Annotated

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, Form, write_answer

Questions = Annotated[
    list[str] | None,
    option.option(
        option.QUESTION,
        "Read questions from a file, one a line; - is standard input.",
        "--file",
        metavar="PATH",
    ),
]


def neighbors(
    asked: SourceGroup,
    form: FormGroup,
    words: option.Words = None,
    file: Questions = None,
    top: option.TopNeighbors = 10,
    metric: option.Metric = "cosine",
    odd_one_out: Annotated[
        bool,
        option.flag(
            option.QUESTION, "Show which of the words fits the others least.", "--odd-one-out"
        ),
    ] = False,
) -> None:
    """Show the nearest rows of words, or of a sum of words in one quoted argument.

    Every row is compared. What is asked for is left out of its own answer. Questions can come from
    a file, one a line, or from standard input; their answers are ndjson unless --format says
    otherwise.

    \b
    Examples:
    embedinspect neighbors sample:vectors king
    embedinspect neighbors glove.6B.50d.txt "king - man + woman" -n 3
    embedinspect neighbors glove.6B.50d.txt breakfast cereal dinner car --odd-one-out
    embedinspect neighbors glove.6B.50d.txt --file words.txt > neighbors.ndjson
    """
    from_file = bool(file) or (not words and sys.stdin is not None and not sys.stdin.isatty())
    if not words and not from_file:
        raise UsageError("no word given; expected words, a sum in quotes, or --file")
    chosen = form.choose(Form.NDJSON if from_file else Form.TABLE)
    from embedinspect.analysis import neighbors as analysis
    from embedinspect.output import neighbors as output
    from embedinspect.texts import collect_texts

    lines = collect_texts(words or [], file or []) if from_file else list(words or [])
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise UsageError("no question given; expected one word or sum of words a line")
    source = asked.source()
    if odd_one_out:
        group = analysis.odd_one_out(source, lines)
        answer = Answer(
            page=lambda: output.odd_page(group), document=lambda: output.odd_document(group)
        )
    else:
        questions = [analysis.parse(source, line) for line in lines]
        neighborhood = analysis.ask(source, questions, top=top, metric=metric)
        answer = Answer(
            page=lambda: output.page(neighborhood),
            document=lambda: output.document(neighborhood),
        )
    write_answer(answer, chosen)
