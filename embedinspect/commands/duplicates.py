"""`embedinspect duplicates`: rows that are there twice, or nearly."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Interval

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, write_answer


def duplicates(
    asked: SourceGroup,
    form: FormGroup,
    over: Annotated[
        Annotated[float, Interval(ge=-1, le=1)] | None,
        option.option(
            option.QUESTION,
            "By cosine: least cosine of two rows that count as nearly the same.",
            "--over",
            metavar="COSINE",
            show_default="0.98",
        ),
    ] = None,
    metric: Annotated[
        Literal["cosine", "euclidean"] | None,
        option.option(
            option.QUESTION,
            option.NEARNESS,
            "--metric",
            show_default="cosine; euclidean with --within",
        ),
    ] = None,
    within: Annotated[
        Annotated[float, Interval(ge=0)] | None,
        option.option(
            option.QUESTION,
            "By Euclidean distance: largest distance of two rows that count as nearly the same.",
            "--within",
            metavar="DISTANCE",
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

    Rows linked by such pairs make a group; the one with the closest pair comes first. With --over 1
    they are rows that are equal, or exact multiples of each other.

    \b
    Examples:
    embedinspect duplicates sample:vectors --over 0.99
    embedinspect duplicates glove.6B.50d.txt --first 50000
    embedinspect duplicates model.keras --over 0.95 --format ndjson
    embedinspect duplicates sample:vectors --within 0.1
    """
    chosen = form.choose()
    _check(metric, over, within)
    from embedinspect.analysis.duplicates import OVER, find_duplicates
    from embedinspect.output import duplicates as output
    from embedinspect.output.counting import counting

    source = asked.source()
    count = min(source.matrix.input_dim, first or source.matrix.input_dim)
    with counting("Comparing rows", count) as progress:
        least = OVER if over is None else over
        record = find_duplicates(source, least, first, progress, within=within)
    answer = Answer(
        title=f"Rows of {source.path} that are there twice",
        page=lambda: output.page(record, top),
        document=lambda: output.document(record, top),
    )
    write_answer(answer, chosen)


def _check(metric: str | None, over: float | None, within: float | None) -> None:
    """Refuse thresholds that contradict each other or the metric.

    Raises:
        UsageError: they do.
    """
    if metric == "euclidean" and within is None:
        raise UsageError(
            "--metric euclidean has no usual threshold; expected --within DISTANCE, 0 for equal "
            "rows alone"
        )
    if within is not None and (metric == "cosine" or over is not None):
        other = "--metric cosine" if over is None else "--over"
        raise UsageError(
            f"--within is a Euclidean distance, and {other} is about cosines; leave out one"
        )
