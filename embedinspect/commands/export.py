"""`embedinspect export`: a matrix in another form."""

from __future__ import annotations

from typing import Annotated

import typer

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.output.forms import Answer, write_answer


def export(
    asked: SourceGroup,
    form: FormGroup,
    destination: Annotated[
        str,
        typer.Argument(metavar="DEST", help="File or folder to write.", show_default=False),
    ],
    to: Annotated[
        str | None,
        option.option(
            option.WRITING,
            "Format to write, by its name, such as word2vec, glove, npy, parquet.",
            "--to",
            metavar="FORMAT",
            show_default="by the suffix of DEST",
        ),
    ] = None,
    force: option.Force = False,
) -> None:
    """Write rows and words in another format; every number reads back as the same float32.

    .vec is word2vec text, .bin its binary form, .txt GloVe text, .npy and .safetensors come with a
    JSON list of words, a folder is what TensorBoard's projector opens, .parquet is a table.

    \b
    Examples:
    embedinspect export sample:vectors projector/
    embedinspect export model.keras words.vec --words tokenizer.json
    embedinspect export glove.6B.50d.txt glove.parquet
    """
    chosen = form.choose()
    from embedinspect import exports
    from embedinspect.output import export as output
    from embedinspect.output.stdout import waiting

    exports.target_for(destination, to)
    source = asked.source()
    with waiting(f"Writing {destination}"):
        exported = exports.export(source, destination, to, force=force)
    answer = Answer(page=lambda: output.page(exported), document=lambda: output.document(exported))
    write_answer(answer, chosen)
