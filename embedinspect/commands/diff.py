"""`embedinspect diff`: what moved between two matrices."""

from __future__ import annotations

from typing import Annotated

import typer

from embedinspect.commands import asking
from embedinspect.commands import options as option
from embedinspect.errors import UsageError

_QUESTION = "Question"


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A source.", show_default=False)],
    b: Annotated[
        str | None,
        typer.Argument(
            metavar="B", help="Another; without it A is a run: before and after training."
        ),
    ] = None,
    word: Annotated[
        list[str] | None,
        typer.Option(help="Compare these words alone. Repeatable.", rich_help_panel=_QUESTION),
    ] = None,
    top: option.Top = 10,
    neighbors: Annotated[
        int,
        typer.Option(
            min=0, max=1000, help="Nearest rows to compare; 0 for none.", rich_help_panel=_QUESTION
        ),
    ] = 10,
    align: Annotated[
        bool,
        typer.Option(
            "--align",
            help="Turn B onto A first (orthogonal Procrustes).",
            rich_help_panel=_QUESTION,
        ),
    ] = False,
    fail_over: Annotated[
        float | None,
        typer.Option(
            min=0, help="Exit with 3 where a row moved farther.", rich_help_panel=_QUESTION
        ),
    ] = None,
    epoch: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Of run A; with one source, what its end is compared with.",
            show_default="last, or 0 with one source",
            rich_help_panel=option.SOURCE,
        ),
    ] = None,
    layer: option.Layer = None,
    tensor: option.Tensor = None,
    vocabulary: option.SourceWords = None,
    index_from: option.IndexFrom = None,
    strict: option.Strict = False,
    no_cache: option.NoCache = False,
    format_name: option.FormatName = None,
    json: option.Json = False,
) -> None:
    """Compare two matrices over the words they share: how far each row moved, and its neighbors.

    The options of the source hold for both, --epoch for A.

    \b
    Examples:
    embedinspect diff runs/imdb
    embedinspect diff runs/first runs/second --align
    embedinspect diff old.keras new.keras --fail-over 0.5
    """
    form = asking.form_of(format_name, json)
    from embedinspect.analysis.diff import compare
    from embedinspect.errors import FOUND
    from embedinspect.output import diff as output
    from embedinspect.source import SourceOptions, open_source

    given = {
        "layer": layer,
        "tensor": tensor,
        "vocabulary": vocabulary,
        "index_from": index_from,
        "strict": strict,
        "no_cache": no_cache,
    }
    if b is None:
        after = asking.open_for(a, **given)  # type: ignore[arg-type]
        if after.run is None:
            raise UsageError(f"{a!r} is no run, so it has one matrix; expected two sources")
        before = open_source(a, SourceOptions(epoch=epoch or 0))
        first, second = before, after
    else:
        first = asking.open_for(a, epoch=epoch, **given)  # type: ignore[arg-type]
        second = asking.open_for(b, **given)  # type: ignore[arg-type]
    found = compare(first, second, align=align, neighbors=neighbors, words=word or ())
    asking.answer(
        form,
        lambda: output.document(found),
        lambda screen: output.draw(found, top, screen, named=bool(word)),
    )
    if fail_over is not None and any(one.distance > fail_over for one in found.moved):
        asking.note(output.over(found, fail_over))
        raise typer.Exit(FOUND)
