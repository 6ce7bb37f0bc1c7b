"""`embedinspect export`: a matrix in another form."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.commands.notes import note
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, write_answer


def export(
    asked: SourceGroup,
    form: FormGroup,
    destination: Annotated[
        str,
        typer.Argument(
            metavar="DEST",
            help="File or folder to write; - is standard output.",
            show_default=False,
        ),
    ],
    to: Annotated[
        str | None,
        option.option(
            option.WRITING,
            "Format to write, by its name, such as word2vec, glove, csv, npy, parquet.",
            "--to",
            metavar="FORMAT",
            show_default="by the suffix of DEST",
        ),
    ] = None,
    force: option.Force = False,
) -> None:
    """Write rows and words in another format; every number reads back as the same float32.

    .vec is word2vec text, .bin its binary form, .txt GloVe text, .npy and .safetensors come with a
    JSON list of words, a folder is what TensorBoard's projector opens, .csv and .parquet are
    tables. To standard output (-) goes word2vec text, GloVe text or CSV, and what is said of it to
    standard error.

    \b
    Examples:
    embedinspect export sample:vectors projector/
    embedinspect export model.keras words.vec --words tokenizer.json
    embedinspect export glove.6B.50d.txt glove.parquet
    embedinspect export sample:vectors - --to csv
    """
    chosen = form.choose()
    from embedinspect import exports
    from embedinspect.output import export as output
    from embedinspect.output.stdout import waiting

    if destination == exports.STANDARD_OUTPUT:
        _write_out(asked, form, to)
        return
    exports.target_for(destination, to)
    source = asked.source()
    with waiting(f"Writing {destination}"):
        exported = exports.export(source, destination, to, force=force)
    answer = Answer(
        title=f"Vectors of {source.path}",
        page=lambda: output.page(exported),
        document=lambda: output.document(exported),
    )
    write_answer(answer, chosen)


def _write_out(asked: SourceGroup, form: FormGroup, to: str | None) -> None:
    """Write the text to stdout, and what there is to say about it to stderr.

    Raises:
        UsageError: the answer of the command itself is asked for on stdout.
    """
    if form.json or form.format_name is not None or form.output is not None:
        raise UsageError(
            "--json, --format and --output write what is said of an export, and - writes the "
            "matrix itself to standard output; leave out one of the two"
        )
    from embedinspect import exports
    from embedinspect.output import export as output
    from embedinspect.output.stdout import standard_output, waiting

    stdout = standard_output()
    stdout.flush()
    source = asked.source()
    # On a terminal, a line on stderr would stand within the text.
    told = nullcontext() if stdout.isatty() else waiting(f"Writing the rows of {source.path}")
    with told:
        exported = exports.export_to(stdout.buffer, source, to)
    stdout.buffer.flush()
    for sentence in output.sentences(exported):
        note(sentence)
