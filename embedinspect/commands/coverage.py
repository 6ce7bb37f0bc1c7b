"""`embedinspect coverage`: which words of texts have a vector, and the matrix for these texts."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup, TextsGroup
from embedinspect.commands.signature import given
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, write_answer

_SET_BY_VOCABULARY = ("--num-words", "--oov-token", "--filters")


def coverage(
    context: typer.Context,
    asked: SourceGroup,
    texts: TextsGroup,
    form: FormGroup,
    num_words: option.NumWords = None,
    oov_token: option.OovToken = None,
    filters: option.Filters = None,
    vocabulary: option.Vocabulary = None,
    any_case: Annotated[
        bool,
        option.flag(
            option.TOKENIZING, "Take the vector of a word in other capitals, too.", "--any-case"
        ),
    ] = False,
    write: Annotated[
        str | None,
        option.option(
            option.WRITING,
            "Write the matrix for these texts: row i is the vector of id i.",
            "--write",
            metavar="MATRIX.npy",
        ),
    ] = None,
    fill: Annotated[
        Literal["zeros", "random"],
        option.option(option.WRITING, "What the rows of words without a vector hold.", "--fill"),
    ] = "zeros",
    force: option.Force = False,
    top: option.Top = None,
) -> None:
    """Show how much of your texts has a vector in a source, and what is missing.

    --write makes the matrix that a Keras Embedding layer needs for these texts: row i is the
    vector of the word with id i, row 0 is for the padding, and each row is checked against its
    word. The ids are written beside it.

    \b
    Examples:
    embedinspect coverage sample:vectors "The queen of Paris"
    embedinspect coverage glove.6B.50d.txt --file reviews.txt
    embedinspect coverage glove.6B.50d.txt --file reviews.txt --write matrix.npy
    embedinspect coverage glove.6B.50d.txt --vocabulary tokenizer.json --write by_id.npy
    """
    chosen = form.choose()
    if vocabulary is not None:
        for name in _SET_BY_VOCABULARY:
            if name in given(context):
                raise UsageError(f"{name} is set by --vocabulary; leave out one of the two")
    from embedinspect.analysis.coverage import cover
    from embedinspect.analysis.coverage_matrix import write_matrix
    from embedinspect.output import coverage as output
    from embedinspect.output.stdout import waiting
    from embedinspect.saved_vocabulary import read_vocabulary
    from embedinspect.vocabulary import Tokenization

    saved = None if vocabulary is None else read_vocabulary(vocabulary)
    words_of = [] if saved is not None and not texts.any else texts.read()
    source = asked.source()
    with waiting(f"Looking for the words in {source.path}"):
        covered = cover(
            source,
            words_of,
            vocabulary=saved,
            num_words=num_words,
            oov_token=oov_token,
            tokenization=None if filters is None else Tokenization(filters=filters),
            any_case=any_case,
        )
    written = None if write is None else write_matrix(covered, write, fill, force=force)
    answer = Answer(
        title=f"Words that have a vector in {covered.source.path}",
        page=lambda: output.page(covered, written, top),
        document=lambda: output.document(covered, written, top),
    )
    write_answer(answer, chosen)
