"""`embedinspect axis`: words along a direction."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from embedinspect.commands import asking
from embedinspect.commands import options as option
from embedinspect.errors import UsageError

_QUESTION = "Question"
_ENDS = ("--low", "--high")


class Ends(TyperCommand):
    """Takes each word behind `--low` or `--high`, up to the next option, as one of that end.

    So it is where SOURCE comes first, as in the usage; else the words could not be told from it.
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
    found: list[str] = []
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
        found += [argument] if end is None else [end, argument]
    return found


@asking.of_a_source
def axis(
    asked: asking.Asked,
    low: Annotated[
        list[str],
        typer.Option(metavar="WORD...", help="Words of the low end.", rich_help_panel=_QUESTION),
    ],
    high: Annotated[
        list[str],
        typer.Option(metavar="WORD...", help="Words of the high end.", rich_help_panel=_QUESTION),
    ],
    words: option.Words = None,
    top: option.Top = 10,
    first: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Rank the first rows alone, which are the frequent words of word vectors.",
            show_default="all",
            rich_help_panel=_QUESTION,
        ),
    ] = None,
    no_keras: option.NoKeras = False,
    backend: option.Backend = None,
) -> None:
    """Rank words along the direction from some words to others; each end is the mean of its words.

    Words behind SOURCE are those to rank; without any, all are. For a run, the classifier is also
    asked for its word on each single word, and how well the rows explain that is measured before
    and after training.

    \b
    Examples:
    embedinspect axis glove.6B.50d.txt --low bad awful --high good great --first 20000
    embedinspect axis runs/imdb plot music acting --low awful worst --high wonderful best
    """
    form = asked.form()
    from embedinspect.analysis import axis as analysis
    from embedinspect.output import axis as output
    from embedinspect.output.stdout import waiting

    opened = asked.open()
    lows, highs = analysis.split_words(opened, low), analysis.split_words(opened, high)
    if not lows or not highs:
        raise UsageError("--low and --high each need a word; expected one or more")
    found = analysis.rank(opened, lows, highs, words or (), first)
    opinion = None
    if opened.run is not None and not no_keras:
        if opened.epoch != opened.run.epochs:
            asking.note(
                f"the classifier is left out: only the rows of epoch {opened.epoch} are kept, the "
                f"rest of it is that of epoch {opened.run.epochs}"
            )
        else:
            with waiting("The classifier reads the words"):
                opinion = analysis.opinion(found, backend)
    asking.answer(
        form,
        lambda: output.document(found, opinion),
        lambda screen: output.draw(found, opinion, top, screen),
    )
