"""`embedinspect doctor`: what is wrong with a model, its words, the settings and the texts."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from embedinspect.commands import options as option
from embedinspect.commands.groups import (
    FormGroup,
    SequencesGroup,
    TextsGroup,
    TokenizingGroup,
    settings_of,
)
from embedinspect.commands.signature import given
from embedinspect.errors import FOUND, UsageError
from embedinspect.output.forms import Answer, write_answer

# A run has these of its own.
SET_BY_RUN = (
    "--num-words", "--oov-token", "--char-level", "--filters", "--vocabulary", "--index-from",
    "--maxlen", "--padding", "--truncating", "--mask-zero", "--input-dim", "--layer", "--tensor",
)  # fmt: skip
# What only a source has.
OF_A_SOURCE = (
    ("--layer", "a layer of a Keras file"),
    ("--tensor", "an array of a file"),
    ("--epoch", "rows of a run"),
)


def doctor(
    context: typer.Context,
    texts: TextsGroup,
    tokenizing: TokenizingGroup,
    sequences: SequencesGroup,
    form: FormGroup,
    from_source: option.FromSource = None,
    vocabulary: Annotated[
        str | None,
        option.option(
            option.SOURCE,
            "Vocabulary of the model, which gives each word its id: one a line, a JSON list or "
            "mapping, or a saved Keras tokenizer.",
            "--vocabulary",
            metavar="FILE",
        ),
    ] = None,
    index_from: Annotated[
        int | None,
        option.option(
            option.SOURCE,
            "Id of the first word in that file; 3 for Keras's IMDB index.",
            "--index-from",
            metavar="N",
            show_default="0",
        ),
    ] = None,
    layer: option.Layer = None,
    tensor: option.Tensor = None,
    epoch: option.Epoch = None,
    reference: Annotated[
        str | None,
        option.option(
            option.SOURCE,
            "Word vectors that the rows were made from: are they in the rows of their words?",
            "--reference",
            metavar="VECTORS",
        ),
    ] = None,
    no_cache: option.NoCache = False,
    input_dim: option.InputDim = None,
    fail_on: Annotated[
        Literal["error", "warning", "note"],
        option.option(option.OUTPUT, "Exit with 3 where a finding is this or worse.", "--fail-on"),
    ] = "error",
) -> None:
    """Find what is wrong with a model, a matrix, its words, the settings or the texts.

    Give what you have: each finding says what is wrong, the numbers that show it, what it leads
    to, and what mends it. Files are read; nothing in them is run.

    \b
    Examples:
    embedinspect doctor --from model.keras --vocabulary tokenizer.json --file reviews.txt
    embedinspect doctor --from runs/imdb --file reviews.txt --fail-on warning
    embedinspect doctor "This is a text" "This is not a text" --input-dim 5
    embedinspect doctor --from matrix.npy --reference glove.6B.50d.txt
    """
    chosen = form.choose()
    _refuse_conflicts(set(given(context)), from_source)
    from embedinspect.analysis.doctor import diagnose, open_case
    from embedinspect.output import doctor as output
    from embedinspect.output.stdout import waiting
    from embedinspect.source import SourceOptions

    wanted = texts.any or (from_source is None and vocabulary is None)
    collected = texts.read() if wanted else []
    options = SourceOptions(epoch, layer, tensor, vocabulary, index_from, cache=not no_cache)
    with waiting("Reading" if from_source is None else f"Reading {from_source}"):
        case = open_case(
            from_source,
            options,
            collected,
            settings_of(tokenizing, sequences, input_dim=input_dim),
            padding_given=sequences.padding is not None,
            filters_given=tokenizing.filters is not None,
            reference=reference,
        )
        diagnosis = diagnose(case)
    answer = Answer(
        page=lambda: output.page(diagnosis), document=lambda: output.document(diagnosis, fail_on)
    )
    write_answer(answer, chosen)
    if diagnosis.at_or_above(fail_on):
        raise typer.Exit(FOUND)


def _refuse_conflicts(names: set[str], from_source: str | None) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: names the first that does not fit.
    """
    from pathlib import Path

    from embedinspect.training.run_folder import is_run

    if from_source is not None and is_run(Path(from_source)):
        for name in SET_BY_RUN:
            if name in names:
                raise UsageError(f"{name} is set by the run of --from; leave out one of the two")
    if from_source is not None and "--input-dim" in names:
        raise UsageError("--input-dim is set by the source of --from; leave out one of the two")
    if from_source is None:
        for name, what in OF_A_SOURCE:
            if name in names:
                raise UsageError(f"{name} picks {what}; name it with --from")
        if "--reference" in names:
            raise UsageError("--reference is compared with a matrix; name it with --from SOURCE")
    if "--index-from" in names and "--vocabulary" not in names:
        raise UsageError("--index-from shifts the words of --vocabulary; name that file, too")
