"""`embedinspect info`: what a matrix is like as a whole."""

from __future__ import annotations

from embedinspect.commands import asking
from embedinspect.commands import options as option


def info(
    source: option.SourcePath,
    epoch: option.SourceEpoch = None,
    layer: option.Layer = None,
    tensor: option.Tensor = None,
    vocabulary: option.SourceWords = None,
    index_from: option.IndexFrom = None,
    strict: option.Strict = False,
    no_cache: option.NoCache = False,
    format_name: option.FormatName = None,
    json: option.Json = False,
) -> None:
    """Show what a matrix is like: shape, words, lengths of its rows, rows that are broken.

    Examples:

    \b
    embedinspect info model.keras
    embedinspect info glove.6B.50d.txt --json
    embedinspect info runs/imdb --epoch 0
    """
    form = asking.form_of(format_name, json)
    from embedinspect.analysis.health import examine
    from embedinspect.output import info as output

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
    health = examine(opened)
    asking.answer(
        form,
        lambda: output.document(opened, health),
        lambda screen: output.draw(opened, health, screen),
    )
