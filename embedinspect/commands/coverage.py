"""`embedinspect coverage`: which words of texts have a vector, and the matrix for these texts."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from embedinspect.commands import asking
from embedinspect.commands import options as option
from embedinspect.errors import UsageError

_WRITING = "Writing"


@asking.of_a_source
def coverage(
    asked: asking.Asked,
    texts: option.Texts = None,
    file: option.File = None,
    encoding: option.Encoding = "utf-8",
    num_words: option.NumWords = None,
    oov_token: option.OovToken = None,
    filters: option.Filters = None,
    text_vocabulary: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Ids of the texts' words: a saved Keras tokenizer.",
            show_default="the words of the texts, counted",
            rich_help_panel=option.TOKENIZING,
        ),
    ] = None,
    any_case: Annotated[
        bool,
        typer.Option(
            "--any-case",
            help="Take the vector of a word in other capitals, too.",
            rich_help_panel=option.TOKENIZING,
        ),
    ] = False,
    write: Annotated[
        str | None,
        typer.Option(
            metavar="MATRIX.npy",
            help="Write the matrix for these texts: row i is the vector of id i.",
            rich_help_panel=_WRITING,
        ),
    ] = None,
    fill: Annotated[
        Literal["zeros", "random"],
        typer.Option(help="Rows of words without a vector.", rich_help_panel=_WRITING),
    ] = "zeros",
    force: option.Force = False,
    top: option.Top = 10,
) -> None:
    """Show how much of a text collection a vocabulary of vectors covers, and what is missing.

    --write makes the matrix that a Keras Embedding layer needs for these texts: row i is the
    vector of the word with id i, row 0 is for the padding, and each row is checked against its
    word. The ids are written beside it.

    \b
    Examples:
    embedinspect coverage glove.6B.50d.txt --file reviews.txt
    embedinspect coverage glove.6B.50d.txt --file reviews.txt --write matrix.npy
    embedinspect coverage glove.6B.50d.txt --text-vocabulary tokenizer.json --write by_id.npy
    """
    form = asked.form()
    from embedinspect.analysis.coverage import cover
    from embedinspect.commands.writing import write_matrix
    from embedinspect.output import coverage as output
    from embedinspect.texts import collect_texts, decode, read_bytes
    from embedinspect.saved_vocabulary import from_json
    from embedinspect.vocabulary import DEFAULT_FILTERS, Tokenization

    saved = None
    if text_vocabulary is not None:
        for name, value in (
            ("--num-words", num_words),
            ("--oov-token", oov_token),
            ("--filters", filters),
        ):
            if value is not None:
                raise UsageError(f"{name} is set by --text-vocabulary; leave out one of the two")
        shown = repr(text_vocabulary)
        data = read_bytes(text_vocabulary, "a saved Keras tokenizer")
        saved = from_json(decode(data, "utf-8", shown), shown)
    found_texts = (
        [] if saved is not None and not texts and not file
        else collect_texts(texts or [], file or [], encoding)
    )  # fmt: skip
    asking.note_files(texts or [])
    opened = asked.open()
    found = cover(
        opened,
        found_texts,
        vocabulary=saved,
        num_words=num_words,
        oov_token=oov_token,
        tokenization=Tokenization(filters=DEFAULT_FILTERS if filters is None else filters),
        any_case=any_case,
    )
    written = write_matrix(found, write, fill, force=force) if write is not None else None
    asking.answer(
        form,
        lambda: output.document(found, written),
        lambda screen: output.draw(found, written, top, screen),
    )
