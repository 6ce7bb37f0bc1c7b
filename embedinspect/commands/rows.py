"""`embedinspect rows`: the vectors of words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.commands.heat import heat_wanted
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, write_answer

if TYPE_CHECKING:
    from embedinspect.analysis.row_list import SortName
    from embedinspect.output.forms import Target
    from embedinspect.source import Source


def rows(
    asked: SourceGroup,
    form: FormGroup,
    words: option.Words = None,
    full: option.Full = False,
    precision: option.Precision = None,
    heat: option.HeatOrNot = None,
    sort: Annotated[
        Literal["norm", "-norm", "moved", "outlier", "frequency"] | None,
        option.option(
            option.QUESTION,
            "List rows in an order: the shortest (norm) or longest (-norm) first, those that "
            "training moved farthest (moved), the farthest from the mean row (outlier), the most "
            "frequent words (frequency).",
            "--sort",
            metavar="ORDER",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        option.option(
            option.QUESTION,
            "List the rows that meet a condition, such as 'norm>1.5', 'row<1000', 'word=un*'. May "
            "be given again.",
            "--where",
            metavar="CONDITION",
        ),
    ] = None,
    top: option.Top = None,
) -> None:
    """Show the vectors of words: the rows of the matrix themselves.

    A row without a word is named by its number, as #5. Where all dimensions are wanted (--full)
    and the screen is too narrow for them, they stand below each other. A fastText model gives a
    vector to any word, composed from its character n-grams, and says so.

    \b
    Examples:
    embedinspect rows sample:vectors king queen
    embedinspect rows glove.6B.50d.txt king queen --full
    embedinspect rows sample:vectors king queen man woman --heat
    embedinspect rows model.keras '#0' '#1' --format csv
    embedinspect rows runs/imdb --sort moved --top 20
    embedinspect rows glove.6B.50d.txt --sort -norm --where 'row<10000' --format csv
    """
    chosen = form.choose()
    drawn = heat_wanted(heat, chosen.form, precision)
    listing = sort is not None or bool(where)
    if words and listing:
        raise UsageError(
            "--sort and --where list rows, and words were named; leave out one of the two"
        )
    if top is not None and not listing:
        raise UsageError("--top counts the rows of a list; expected --sort or --where with it")
    if not words and not listing:
        raise UsageError(
            "no word given; expected words, rows such as '#5', or a list by --sort or --where"
        )
    from embedinspect.output import rows as output

    source = asked.source()
    if listing:
        _list(source, sort, where or [], top, chosen, drawn, full=full, precision=precision)
        return
    matches = source.places_of(words or [])
    answer = Answer(
        title=f"Rows of {source.path}",
        page=lambda: output.page(source, matches, full=full, precision=precision, heat=drawn),
        document=lambda: output.document(source, matches),
    )
    write_answer(answer, chosen)


def _list(
    source: Source,
    sort: SortName | None,
    where: list[str],
    top: int | None,
    target: Target,
    heat: bool | None,
    *,
    full: bool,
    precision: int | None,
) -> None:
    """Write rows in an order: the first of them for people, all for programs without --top."""
    from embedinspect.analysis.row_list import list_rows
    from embedinspect.output import rows as output
    from embedinspect.output.stdout import waiting
    from embedinspect.output.top import DEFAULT

    with waiting(f"Looking at the rows of {source.path}"):
        listed = list_rows(source, sort, where)
    first = listed.rows[: top or DEFAULT].tolist()
    answer = Answer(
        title=f"Rows of {source.path}",
        page=lambda: output.page(
            source, first, full=full, precision=precision, heat=heat, listed=listed
        ),
        document=lambda: output.document(source, listed.rows[:top], listed),
    )
    write_answer(answer, target)
