"""`embedinspect axis`: words along a direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, KerasGroup, SourceGroup
from embedinspect.commands.notes import note
from embedinspect.commands.parsing import CommandParser
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, write_answer

if TYPE_CHECKING:
    from embedinspect.analysis.axis import Axis, Opinion

_ENDS = ("--low", "--high")


class EndsParser(CommandParser):
    """Takes each word behind `--low` or `--high`, up to the next option, as one of that end.

    So it is where SOURCE comes first, as in the usage; otherwise the words could not be told from
    it.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left, as Typer has it."""
        return super().parse_args(ctx, spread(args))


def spread(arguments: list[str]) -> list[str]:
    """Return the arguments with `--low` or `--high` before each of its words.

    Raises:
        UsageError: an end without a word.

    >>> spread(["run", "--low", "bad", "awful", "--high", "good"])
    ['run', '--low', 'bad', '--low', 'awful', '--high', 'good']
    """
    if not arguments or arguments[0].startswith("-"):
        return arguments
    spread_out: list[str] = []
    end = None
    for place, argument in enumerate(arguments):
        if argument in _ENDS:
            end = argument
            following = arguments[place + 1 : place + 2]
            if not following or following[0].startswith("-"):
                raise UsageError(f"{argument} has no word; expected one or more behind it")
            continue
        if argument.startswith("-"):
            end = None
        spread_out += [argument] if end is None else [end, argument]
    return spread_out


def axis(
    asked: SourceGroup,
    keras: KerasGroup,
    form: FormGroup,
    low: Annotated[
        list[str],
        option.option(option.QUESTION, "Words of the low end.", "--low", metavar="WORD..."),
    ],
    high: Annotated[
        list[str],
        option.option(option.QUESTION, "Words of the high end.", "--high", metavar="WORD..."),
    ],
    words: option.Words = None,
    top: option.Top = None,
    first: Annotated[
        option.Count | None,
        option.option(
            option.QUESTION,
            "Rank only the first N rows, which are the frequent words of word vectors.",
            "--first",
            metavar="N",
            show_default="all",
        ),
    ] = None,
) -> None:
    """Rank words along the direction from some words to others; each end is the mean of its words.

    Words behind SOURCE are ranked in one list; without any, all are, and the ends are shown. For a
    run, the classifier is also asked for its word on each single word, and how well the rows
    explain that is measured before and after training.

    \b
    Examples:
    embedinspect axis sample:vectors --low bad awful --high good great
    embedinspect axis glove.6B.50d.txt --low bad awful --high good great --first 20000
    embedinspect axis runs/imdb plot music acting --low awful worst --high wonderful best
    """
    chosen = form.choose()
    from embedinspect.analysis import axis as analysis
    from embedinspect.output import axis as output
    from embedinspect.wording import listed

    source = asked.source()
    lows, highs = analysis.split_words(source, low), analysis.split_words(source, high)
    if not lows or not highs:
        raise UsageError("--low and --high each need a word; expected one or more")
    among = analysis.split_words(source, words or ())
    if words and first is not None:
        raise UsageError(
            "--first ranks the first rows, and words were named; leave out one of the two"
        )
    ranking = analysis.rank(source, lows, highs, among, first)
    opinion = None if keras.no_keras else _opinion(ranking, keras.backend)
    answer = Answer(
        title=f"The axis from {listed(lows)} to {listed(highs)} in {source.path}",
        page=lambda: output.page(ranking, opinion, top),
        document=lambda: output.document(ranking, opinion, top),
    )
    write_answer(answer, chosen)


def _opinion(ranking: Axis, backend: str | None) -> Opinion | None:
    """Return what a run's classifier makes of the words; None where it cannot be asked."""
    from embedinspect.analysis.axis import opinion
    from embedinspect.output.stdout import waiting

    source = ranking.source
    if source.run is None:
        return None
    if source.epoch != source.run.epochs:
        note(
            f"the classifier is left out: only the rows of epoch {source.epoch} are kept, the rest "
            f"of it is that of epoch {source.run.epochs}"
        )
        return None
    with waiting("The classifier reads the words"):
        return opinion(ranking, backend)
