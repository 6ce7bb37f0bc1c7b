"""`embedinspect decode`: words for ids."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.errors import DataError, UsageError
from embedinspect.output.forms import Answer, write_answer

if TYPE_CHECKING:
    from embedinspect.analysis.decode import IdWords

_EXPECTED = "ids, such as: 1 14 22 16"


def decode(
    asked: SourceGroup,
    form: FormGroup,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Ids; without any, --file or standard input."),
    ] = None,
    file: Annotated[
        list[str] | None,
        option.option(
            option.QUESTION,
            "Read ids from a file, one sequence a line; - is standard input.",
            "--file",
            metavar="PATH",
        ),
    ] = None,
) -> None:
    """Show the words that ids stand for.

    Ids go by the vocabulary of SOURCE: a run has its own, reserved ids included, and of any other
    matrix id i is row i. SOURCE may also be a file of words: a saved Keras tokenizer, a mapping of
    words to ids, or a list. Keras's IMDB index needs --index-from 3.

    \b
    Examples:
    embedinspect decode runs/imdb "1 14 22 16"
    embedinspect decode tokenizer.json 1 2 3
    embedinspect decode imdb_word_index.json --index-from 3 "[1, 14, 22, 16]"
    """
    chosen = form.choose()
    from embedinspect.analysis import decode as analysis
    from embedinspect.output import decode as output
    from embedinspect.texts import collect_texts, read_texts

    if not ids and not file and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError(f"no id given; expected {_EXPECTED}")
    arguments = collect_texts(
        ids or [],
        file or [],
        read=lambda name, encoding: read_texts(name, encoding, expected=_EXPECTED),
    )
    sequences = analysis.sequences_in(arguments)
    if not sequences:
        raise UsageError(f"no id given; expected {_EXPECTED}")
    decoding = analysis.decode(_id_words(asked), sequences)
    answer = Answer(
        title="The words of ids",
        page=lambda: output.page(decoding),
        document=lambda: output.document(decoding),
    )
    write_answer(answer, chosen)


def _id_words(asked: SourceGroup) -> IdWords:
    """Return what ids stand for, by a matrix with words, or by a file of words alone."""
    from embedinspect.analysis.decode import of_file, of_source, of_what_is_no_matrix
    from embedinspect.samples import resolve

    path = resolve(asked.path)
    shifted = asked.index_from is not None and asked.words_file is None
    of_words = path.lower().endswith(".json") and not path.endswith(".index.json")
    if of_words or shifted:
        return of_file(path, asked.index_from)
    try:
        return of_source(asked.source())
    except DataError as error:
        return of_what_is_no_matrix(path, error)
