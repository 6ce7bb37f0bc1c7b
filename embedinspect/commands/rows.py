"""`embedinspect rows`: the vectors of words."""

from __future__ import annotations

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.commands.heat import heat_wanted
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, write_answer


def rows(
    asked: SourceGroup,
    form: FormGroup,
    words: option.Words = None,
    full: option.Full = False,
    precision: option.Precision = None,
    heat: option.HeatOrNot = None,
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
    """
    chosen = form.choose()
    drawn = heat_wanted(heat, chosen.form, precision)
    if not words:
        raise UsageError("no word given; expected words, or rows such as '#5'")
    from embedinspect.output import rows as output

    source = asked.source()
    matches = source.places_of(words)
    answer = Answer(
        title=f"Rows of {source.path}",
        page=lambda: output.page(source, matches, full=full, precision=precision, heat=drawn),
        document=lambda: output.document(source, matches),
    )
    write_answer(answer, chosen)
