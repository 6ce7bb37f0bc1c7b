"""`embedinspect info`: what a matrix is like as a whole."""

from __future__ import annotations

from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.output.forms import Answer, write_answer


def info(asked: SourceGroup, form: FormGroup) -> None:
    """Show what a matrix is like: its shape, words, lengths of rows, and rows that are broken.

    \b
    Examples:
    embedinspect info sample:vectors
    embedinspect info model.keras
    embedinspect info glove.6B.50d.txt --json
    embedinspect info runs/imdb --epoch 0
    """
    chosen = form.choose()
    from embedinspect.analysis.health import examine
    from embedinspect.analysis.language_model import examine_tokens
    from embedinspect.analysis.ranks import lengths_by_rank
    from embedinspect.output import info as output
    from embedinspect.output.stdout import waiting

    source = asked.source()
    with waiting(f"Looking at the rows of {source.path}"):
        health = examine(source)
        tokens, by_rank = examine_tokens(source), lengths_by_rank(source)
    answer = Answer(
        page=lambda: output.page(source, health, tokens, by_rank),
        document=lambda: output.document(source, health, tokens, by_rank),
    )
    write_answer(answer, chosen)
