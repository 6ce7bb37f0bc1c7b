"""`embedinspect info`: what a matrix is like as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.output.forms import Answer, write_answer

if TYPE_CHECKING:
    from embedinspect.analysis.hubs import Occurrences
    from embedinspect.source import Source

# Multiplications that --hubs may cost: some seconds, where all of a large table would take hours.
_WORK = 10**11


def info(
    asked: SourceGroup,
    form: FormGroup,
    hubs: Annotated[
        bool,
        option.flag(
            option.QUESTION,
            "Count how often each row is among the 10 nearest of others; of a large matrix a "
            "sample of rows is asked, for some seconds.",
            "--hubs",
        ),
    ] = False,
) -> None:
    """Show what a matrix is like: its shape, words, lengths of rows, and rows that are broken.

    \b
    Examples:
    embedinspect info sample:vectors
    embedinspect info model.keras
    embedinspect info glove.6B.50d.txt --json
    embedinspect info runs/imdb --epoch 0
    embedinspect info sample:vectors --hubs
    """
    chosen = form.choose()
    from embedinspect.analysis.health import examine
    from embedinspect.analysis.language_model import examine_tokens
    from embedinspect.analysis.ranks import lengths_by_rank
    from embedinspect.output import info as output
    from embedinspect.output.stdout import waiting
    from embedinspect.output.suggestions import after_info

    source = asked.source()
    with waiting(f"Looking at the rows of {source.path}"):
        health = examine(source)
        tokens, by_rank = examine_tokens(source), lengths_by_rank(source)
    counted = _hubs(source) if hubs else None
    answer = Answer(
        page=lambda: output.page(
            source,
            health,
            tokens,
            by_rank,
            counted,
            after_info(source, health, asked.options(asked.epoch).typed(), hubs=hubs),
        ),
        document=lambda: output.document(source, health, tokens, by_rank, counted),
    )
    write_answer(answer, chosen)


def _hubs(source: Source) -> Occurrences:
    """Return how often rows are among the nearest of others.

    Raises:
        UsageError: there are too few rows to ask.
    """
    from embedinspect.analysis.hubs import K, how_many_to_ask, occurrences
    from embedinspect.errors import UsageError
    from embedinspect.output.counting import counting

    rows, width = source.matrix.rows.shape
    with counting("Looking for the nearest of rows", how_many_to_ask(rows, width, _WORK)) as tell:
        counted = occurrences(source, work=_WORK, progress=tell)
    if counted is None:
        raise UsageError(
            f"--hubs counts among the {K} nearest rows, and {source.path!r} has fewer than "
            f"{K + 2} rows with a direction; leave it out"
        )
    return counted
