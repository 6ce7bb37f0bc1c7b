"""`embedinspect export`: a matrix in another form."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from embedinspect.commands import asking
from embedinspect.commands import options as option


@asking.of_a_source
def export(
    asked: asking.Asked,
    destination: Annotated[
        str, typer.Argument(metavar="DEST", help="File or folder to write.", show_default=False)
    ],
    to: Annotated[
        Literal[
            "word2vec", "word2vec-binary", "glove", "npy", "safetensors", "projector", "parquet"
        ]
        | None,
        typer.Option(
            help="The form.", show_default="by the suffix of DEST", rich_help_panel=option.OUTPUT
        ),
    ] = None,
    force: option.Force = False,
) -> None:
    """Write rows and words in another form; every number reads back as the same float32.

    .vec is word2vec text, .bin its binary form, .txt GloVe text, .npy and .safetensors come with a
    JSON list of words, a folder is what TensorBoard's projector opens, .parquet is a table.

    \b
    Examples:
    embedinspect export model.keras words.vec --vocabulary tokenizer.json
    embedinspect export runs/imdb projector/
    embedinspect export glove.6B.50d.txt glove.parquet
    """
    form = asked.form()
    from embedinspect import exports
    from embedinspect.output import export as output
    from embedinspect.output.stdout import waiting

    exports.target_for(destination, to)
    opened = asked.open()
    with waiting(f"Writing {destination}"):
        written = exports.export(opened, destination, to, force=force)
    asking.answer(
        form, lambda: output.document(written), lambda screen: output.draw(written, screen)
    )
