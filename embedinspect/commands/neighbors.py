"""`embedinspect neighbors`: what is near what."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.commands.notes import note
from embedinspect.errors import DATA, UsageError
from embedinspect.output.forms import Answer, Form, write_answer

if TYPE_CHECKING:
    from embedinspect.analysis.neighbors import Neighborhood
    from embedinspect.source import Source

_EXPECTED = "one word or sum of words a line"

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
    top: option.TopNeighbors = None,
    metric: option.Metric = "cosine",
    csls: option.Csls = False,
    dims: option.Dims = None,
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
    otherwise. Of several questions, one that has no answer says why, and the exit code is 2, or 1
    where they come from a file.

    \b
    Examples:
    embedinspect neighbors sample:vectors king
    embedinspect neighbors glove.6B.50d.txt "king - man + woman" -n 3
    embedinspect neighbors glove.6B.50d.txt breakfast cereal dinner car --odd-one-out
    embedinspect neighbors glove.6B.50d.txt king --csls
    embedinspect neighbors glove.6B.50d.txt --file words.txt > neighbors.ndjson
    """
    from_file = bool(file) or (not words and sys.stdin is not None and not sys.stdin.isatty())
    if not words and not from_file:
        raise UsageError(
            "no word given; expected words, rows such as '#5', a sum in quotes, or --file"
        )
    chosen = form.choose(Form.NDJSON if from_file else Form.TABLE)
    from embedinspect.analysis import neighbors as analysis
    from embedinspect.analysis.dims import first_dims
    from embedinspect.output import neighbors as output
    from embedinspect.output.top import DEFAULT

    lines = _lines(words or [], file or []) if from_file else list(words or [])
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise UsageError(f"no question given; expected {_EXPECTED}")
    source = first_dims(asked.source(), dims)
    if odd_one_out:
        if csls or metric != "cosine":
            name = "csls" if csls else "metric"
            raise UsageError(f"--odd-one-out goes by the cosine alone; leave out --{name}")
        group = analysis.odd_one_out(source, lines)
        answer = Answer(
            title=f"The odd one out in {source.path}",
            page=lambda: output.odd_page(group),
            document=lambda: output.odd_document(group),
        )
        write_answer(answer, chosen)
        return
    neighborhood = replace(
        _ask(source, lines, top or DEFAULT, metric, csls=csls, each=from_file), dims=dims
    )
    answer = Answer(
        title=f"Nearest rows in {source.path}",
        page=lambda: output.page(neighborhood),
        document=lambda: output.document(neighborhood),
    )
    write_answer(answer, chosen)
    for line in output.taken(neighborhood):
        note(f"Note: {line}")
    summary = output.unanswered_summary(neighborhood)
    if summary is not None:
        note(f"Error: {summary}")
        # A word on the command line is the user's to mend, a line of a file is data.
        raise typer.Exit(DATA if from_file else neighborhood.unanswered[0].exit_code)


def _lines(words: list[str], files: list[str]) -> list[str]:
    from embedinspect.texts import collect_texts, read_texts

    def read(name: str, encoding: str) -> list[str]:
        return read_texts(name, encoding, expected=_EXPECTED)

    return collect_texts(words, files, read=read)


def _ask(
    source: Source,
    lines: list[str],
    top: int,
    metric: Literal["cosine", "dot", "euclidean"],
    *,
    csls: bool,
    each: bool,
) -> Neighborhood:
    """Ask one question, whose error is that of the command, or many, which have their own each.

    Args:
        each: give one question an error of its own, too.
    """
    from embedinspect.analysis.csls import steps
    from embedinspect.analysis.neighbors import ask, ask_each, parse
    from embedinspect.output.counting import counting
    from embedinspect.output.stdout import waiting

    what = "Looking for neighbors"
    signs = [line for line in lines if line in {"+", "-"} and source.row_of(line) is None]
    if not each and (len(lines) == 1 or signs):
        questions = [parse(source, line) for line in [*signs, *lines]]
        with waiting(what):
            return ask(source, questions, top=top, metric=metric, csls=csls)
    total = steps(len(lines), source.matrix.input_dim) if csls else len(lines)
    with counting(what, total) as progress:
        return ask_each(source, lines, top=top, metric=metric, csls=csls, progress=progress)
