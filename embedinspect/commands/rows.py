"""`embedinspect rows`: the vectors of words."""

from __future__ import annotations

from embedinspect.commands import asking
from embedinspect.commands import options as option
from embedinspect.errors import UsageError


def rows(
    source: option.SourcePath,
    words: option.Words = None,
    epoch: option.SourceEpoch = None,
    layer: option.Layer = None,
    tensor: option.Tensor = None,
    vocabulary: option.SourceWords = None,
    index_from: option.IndexFrom = None,
    strict: option.Strict = False,
    no_cache: option.NoCache = False,
    format_name: option.FormatName = None,
    json: option.Json = False,
    full: option.Full = False,
    precision: option.Precision = None,
) -> None:
    """Show the vectors of words: the rows of the matrix themselves.

    A row without a word is named by its number, as #5.

    Examples:

    \b
    embedinspect rows glove.6B.50d.txt king queen
    embedinspect rows model.keras '#0' '#1' --format csv
    """
    form = asking.form_of(format_name, json)
    if not words:
        raise UsageError("no word given; expected words, or rows such as '#5'")
    from embedinspect.opening import rows_of
    from embedinspect.output import rows as output

    opened = asking.open_for(
        source,
        epoch=epoch,
        layer=layer,
        tensor=tensor,
        vocabulary=vocabulary,
        index_from=index_from,
        strict=strict,
        no_cache=no_cache,
    )
    found = rows_of(opened, words)
    asking.answer(
        form,
        lambda: output.document(opened, found),
        lambda screen: output.draw(opened, found, screen, full=full, precision=precision),
    )
