"""`embedinspect diff`: what moved between two matrices."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer
from annotated_types import Interval

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, TwoGroup
from embedinspect.commands.notes import note
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, Form, write_answer

if TYPE_CHECKING:
    from embedinspect.source import Source

_NEIGHBORS = 10


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A source.", show_default=False)],
    reading: TwoGroup,
    form: FormGroup,
    b: Annotated[
        str | None,
        typer.Argument(
            metavar="B", help="Another source; without it, run A is compared with its own start."
        ),
    ] = None,
    words: option.Words = None,
    top: option.Top = None,
    neighbors: Annotated[
        Annotated[int, Interval(ge=0, le=1000)] | None,
        option.option(
            option.QUESTION,
            "Number of nearest rows that are compared; 0 for none.",
            "--neighbors",
            metavar="N",
            show_default="10",
        ),
    ] = None,
    align: Annotated[
        bool,
        option.flag(option.QUESTION, "Turn B onto A first (orthogonal Procrustes).", "--align"),
    ] = False,
    metric: option.Metric = "cosine",
    fail_over: Annotated[
        Annotated[float, Interval(ge=0)] | None,
        option.option(
            option.QUESTION,
            "Exit with 3 where a row moved farther than this.",
            "--fail-over",
            metavar="DISTANCE",
        ),
    ] = None,
    fail_under: Annotated[
        list[str] | None,
        option.option(
            option.QUESTION,
            "Exit with 3 where a number is below this: overlap=0.9 (share of the nearest rows that "
            "stay), correlation=0.95 (of similarities) or cosine=0.99 (mean). May be given again.",
            "--fail-under",
            metavar="NAME=NUMBER",
        ),
    ] = None,
    epoch: Annotated[
        option.CountOrNone | None,
        option.option(
            option.SOURCE,
            "Epoch of run A; without B, the epoch that its end is compared with.",
            "--epoch",
            metavar="N",
            show_default="last; 0 without B",
        ),
    ] = None,
) -> None:
    """Compare two matrices over the words they share: how far each row moved, and its neighbors.

    Words behind the sources are compared alone. Where A is a run and the second argument is no
    file or folder, it is such a word. The options of the source hold for both, --epoch for A.
    Rows of different widths are compared by their neighbors and by which of them are alike. Where
    one matrix comes of the other, as by rounding, a factor or a turn, that is said first.

    \b
    Examples:
    embedinspect diff runs/imdb
    embedinspect diff runs/imdb wonderful awful
    embedinspect diff runs/first runs/second --align
    embedinspect diff old.keras new.keras --fail-over 0.5 --fail-under overlap=0.9
    embedinspect diff rows.npz rows.npz --tensor-a before --tensor-b after
    """
    chosen = form.choose()
    from embedinspect.analysis.diff import compare
    from embedinspect.errors import FOUND
    from embedinspect.output import diff as output
    from embedinspect.output.limits import Limits
    from embedinspect.output.stdout import waiting

    first, second, named = _sources(a, b, words or [], reading, epoch)
    count = _NEIGHBORS if neighbors is None else neighbors
    limits = Limits.of(fail_over, fail_under or [])
    dims = reading.dims_a or reading.dims, reading.dims_b or reading.dims
    limits.check(first, second, neighbors=count, dims=dims)
    with waiting(f"Comparing {first.path} with {second.path}"):
        difference = compare(
            first,
            second,
            align=align,
            neighbors=count,
            words=named,
            dims=dims,
            metric=metric,
        )
    a_path, b_path = first.path, second.path
    where = f"in {a_path}" if a_path == b_path else f"from {a_path} to {b_path}"
    answer = Answer(
        title=f"What moved {where}",
        page=lambda: output.page(difference, top, named=bool(named)),
        document=lambda: output.document(difference, top, named=bool(named)),
    )
    if chosen.form in {Form.NDJSON, Form.CSV}:  # which have a line for each row alone
        for sentence in output.sentences(difference):
            note(sentence)
    write_answer(answer, chosen)
    failures = limits.failures(difference)
    for failure in failures:
        note(failure)
    if failures:
        raise typer.Exit(FOUND)


def _check_words(words: list[str], source: Source) -> None:
    """Refuse what is no word of a run: it may have been meant as the path of a second source.

    Raises:
        UsageError: one of them is none.
    """
    from embedinspect.samples import resolve
    from embedinspect.wording import clipped_repr

    for word in words:
        if source.row_of(word) is not None:
            continue
        if os.path.exists(resolve(word)):
            raise UsageError(
                f"{clipped_repr(word)} is not a word of the run {source.path}, but a path that "
                "exists; expected a second source before all words"
            )
        close = source.words.close_to(word) if source.words is not None else []
        hint = f"; did you mean {', '.join(map(clipped_repr, close))}?" if close else ""
        raise UsageError(
            f"{clipped_repr(word)} is neither a word of the run {source.path} nor a file or "
            "folder; expected words to compare before and after training, or the path of another "
            f"source before them{hint}"
        )


def _sources(
    a: str, b: str | None, words: list[str], reading: TwoGroup, epoch: int | None
) -> tuple[Source, Source, list[str]]:
    """Return the two sources, and the words that are compared alone."""
    from pathlib import Path

    from embedinspect.held_sources import held_at
    from embedinspect.samples import resolve
    from embedinspect.source import SourceOptions, open_source
    from embedinspect.training.run_state import is_run

    run = is_run(Path(a))
    if b is not None and run and not (held_at(b) or os.path.exists(resolve(b))):
        words, b = [b, *words], None
    if b is not None:
        return reading.open_a(a, epoch), reading.open_b(b), words
    if reading.of_b is not None:
        raise UsageError(f"{reading.of_b} is about B, and there is no B; expected two sources")
    if not run:
        reading.open_a(a)  # says what is wrong with it, if anything
        raise UsageError(f"{a!r} is no run, so it has one matrix; expected two sources")
    before, after = open_source(a, SourceOptions(epoch=epoch or 0)), reading.open_a(a)
    _check_words(words, after)
    return before, after, words
