"""`embedinspect rows`: the vectors of words."""

from __future__ import annotations

from embedinspect.commands import asking
from embedinspect.commands import options as option
from embedinspect.errors import UsageError


@asking.of_a_source
def rows(
    asked: asking.Asked,
    words: option.Words = None,
    full: option.Full = False,
    precision: option.Precision = None,
) -> None:
    """Show the vectors of words: the rows of the matrix themselves.

    A row without a word is named by its number, as #5.

    \b
    Examples:
    embedinspect rows glove.6B.50d.txt king queen
    embedinspect rows model.keras '#0' '#1' --format csv
    """
    form = asked.form()
    if not words:
        raise UsageError("no word given; expected words, or rows such as '#5'")
    from embedinspect.output import rows as output

    opened = asked.open()
    found = opened.rows_of(words)
    asking.answer(
        form,
        lambda: output.document(opened, found),
        lambda screen: output.draw(opened, found, screen, full=full, precision=precision),
    )
