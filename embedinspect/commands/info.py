"""`embedinspect info`: what a matrix is like as a whole."""

from __future__ import annotations

from embedinspect.commands import asking


@asking.of_a_source
def info(
    asked: asking.Asked,
) -> None:
    """Show what a matrix is like: shape, words, lengths of its rows, rows that are broken.

    \b
    Examples:
    embedinspect info model.keras
    embedinspect info glove.6B.50d.txt --json
    embedinspect info runs/imdb --epoch 0
    """
    form = asked.form()
    from embedinspect.analysis.health import examine
    from embedinspect.output import info as output

    opened = asked.open()
    health = examine(opened)
    asking.answer(
        form,
        lambda: output.document(opened, health),
        lambda screen: output.draw(opened, health, screen),
    )
