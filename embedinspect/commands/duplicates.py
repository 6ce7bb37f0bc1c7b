"""`embedinspect duplicates`: rows that are there twice, or nearly."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.output.forms import Answer, write_answer


def duplicates(
    asked: SourceGroup,
    form: FormGroup,
    over: Annotated[
        Annotated[float, Interval(ge=-1, le=1)] | None,
        option.option(
            option.QUESTION,
            "Least cosine of two rows that count as nearly the same.",
            "--over",
            metavar="COSINE",
            show_default="0.98",
        ),
    ] = None,
    first: Annotated[
        option.Count | None,
        option.option(
            option.QUESTION,
            "Compare the first N rows alone.",
            "--first",
            metavar="N",
            show_default="all",
        ),
    ] = None,
    top: option.Top = None,
) -> None:
    """Find rows that are there twice, or nearly: every pair is compared, none is guessed.

    Rows linked by such pairs make a group; the one with the closest pair comes first.

    \b
    Examples:
    embedinspect duplicates sample:vectors --over 0.99
    embedinspect duplicates glove.6B.50d.txt --first 50000
    embedinspect duplicates model.keras --over 0.95 --format ndjson
    """
    chosen = form.choose()
    from embedinspect.analysis.duplicates import OVER, find_duplicates
    from embedinspect.output import duplicates as output
    from embedinspect.output.counting import counting

    source = asked.source()
    count = min(source.matrix.input_dim, first or source.matrix.input_dim)
    with counting("Comparing rows", count) as progress:
        record = find_duplicates(source, OVER if over is None else over, first, progress)
    answer = Answer(
        title=f"Rows of {source.path} that are there twice",
        page=lambda: output.page(record, top),
        document=lambda: output.document(record, top),
    )
    write_answer(answer, chosen)
