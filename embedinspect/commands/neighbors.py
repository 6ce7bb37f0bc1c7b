"""`embedinspect neighbors`: what is near what."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from embedinspect.commands import asking
from embedinspect.commands import options as option
from embedinspect.errors import UsageError


def neighbors(
    source: option.SourcePath,
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
    epoch: option.SourceEpoch = None,
    layer: option.Layer = None,
    tensor: option.Tensor = None,
    vocabulary: option.SourceWords = None,
    index_from: option.IndexFrom = None,
    strict: option.Strict = False,
    no_cache: option.NoCache = False,
    format_name: option.FormatName = None,
    json: option.Json = False,
) -> None:
    """Show the nearest rows of words, or of a sum of words in one quoted argument.

    Every row is compared. What is asked for is left out of its own answer. Questions also come
    from a file, one a line (--file -, or standard input), and then as ndjson unless --format says
    otherwise.

    Examples:

    \b
    embedinspect neighbors glove.6B.50d.txt king
    embedinspect neighbors glove.6B.50d.txt "king - man + woman" --top 3
    embedinspect neighbors glove.6B.50d.txt breakfast cereal dinner car --odd-one-out
    embedinspect neighbors glove.6B.50d.txt --file words.txt > neighbors.ndjson
    """
    asked_in_file = bool(file) or (not words and sys.stdin is not None and not sys.stdin.isatty())
    if not words and not asked_in_file:
        raise UsageError("no word given; expected words, a sum in quotes, or --file")
    form = asking.form_of(format_name or ("ndjson" if asked_in_file and not json else None), json)
    from embedinspect.analysis import questions
    from embedinspect.output import neighbors as output
    from embedinspect.texts import collect_texts

    asked = collect_texts(words or [], file or []) if asked_in_file else list(words or [])
    asked = [line for line in asked if line.strip()]
    if not asked:
        raise UsageError("no question given; expected one word or sum of words a line")
    opened = asking.open_for(
        source,
        epoch=epoch,
        layer=layer,
        tensor=tensor,
        vocabulary=vocabulary,
        index_from=index_from,
        strict=strict,
        no_cache=no_cache,
    )
    if odd_one_out:
        group = questions.odd_one_out(opened, asked)
        asking.answer(
            form,
            lambda: output.document_odd(group),
            lambda screen: output.draw_odd(group, screen),
        )
        return
    parsed = [questions.parse(opened, text) for text in asked]
    found = questions.ask(opened, parsed, top=top, metric=metric)
    asking.answer(form, lambda: output.document(found), lambda screen: output.draw(found, screen))
