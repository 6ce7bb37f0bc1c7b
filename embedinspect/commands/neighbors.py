"""`embedinspect neighbors`: what is near what."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from embedinspect.commands import asking
from embedinspect.commands import options as option
from embedinspect.errors import UsageError


@asking.of_a_source
def neighbors(
    asked: asking.Asked,
    words: option.Words = None,
    file: option.File = None,
    top: option.Top = 10,
    metric: option.Metric = "cosine",
    odd_one_out: Annotated[
        bool,
        typer.Option(
            "--odd-one-out",
            help="Show which of the words fits the others least.",
            rich_help_panel="Question",
        ),
    ] = False,
) -> None:
    """Show the nearest rows of words, or of a sum of words in one quoted argument.

    Every row is compared. What is asked for is left out of its own answer. Questions also come
    from a file, one a line (--file -, or standard input), and then as ndjson unless --format says
    otherwise.

    \b
    Examples:
    embedinspect neighbors glove.6B.50d.txt king
    embedinspect neighbors glove.6B.50d.txt "king - man + woman" --top 3
    embedinspect neighbors glove.6B.50d.txt breakfast cereal dinner car --odd-one-out
    embedinspect neighbors glove.6B.50d.txt --file words.txt > neighbors.ndjson
    """
    asked_in_file = bool(file) or (not words and sys.stdin is not None and not sys.stdin.isatty())
    if not words and not asked_in_file:
        raise UsageError("no word given; expected words, a sum in quotes, or --file")
    form = asked.form("ndjson" if asked_in_file else "table")
    from embedinspect.analysis import neighbors as analysis
    from embedinspect.output import neighbors as output
    from embedinspect.texts import collect_texts

    lines = collect_texts(words or [], file or []) if asked_in_file else list(words or [])
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise UsageError("no question given; expected one word or sum of words a line")
    opened = asked.open()
    if odd_one_out:
        group = analysis.odd_one_out(opened, lines)
        asking.answer(
            form,
            lambda: output.document_odd(group),
            lambda screen: output.draw_odd(group, screen),
        )
        return
    parsed = [analysis.parse(opened, text) for text in lines]
    found = analysis.ask(opened, parsed, top=top, metric=metric)
    asking.answer(form, lambda: output.document(found), lambda screen: output.draw(found, screen))
