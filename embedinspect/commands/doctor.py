"""`embedinspect doctor`: what is wrong with a model, its words, the settings and the texts."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from embedinspect.commands import asking
from embedinspect.commands import options as option
from embedinspect.errors import FOUND, UsageError

# A run has these of its own.
SET_BY_RUN = (
    "--num-words",
    "--oov-token",
    "--char-level",
    "--filters",
    "--vocabulary",
    "--index-from",
    "--maxlen",
    "--padding",
    "--truncating",
    "--mask-zero",
    "--input-dim",
    "--layer",
    "--tensor",
)


def doctor(
    texts: option.Texts = None,
    from_source: option.FromSource = None,
    vocabulary: option.SourceWords = None,
    index_from: option.IndexFrom = None,
    layer: option.Layer = None,
    tensor: option.Tensor = None,
    epoch: option.SourceEpoch = None,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="VECTORS",
            help="Word vectors that the rows were made from: are they in the rows of their words?",
            rich_help_panel=option.SOURCE,
        ),
    ] = None,
    file: option.File = None,
    encoding: option.Encoding = "utf-8",
    num_words: option.NumWords = None,
    oov_token: option.OovToken = None,
    char_level: option.CharLevel = False,
    filters: option.Filters = None,
    maxlen: option.Maxlen = None,
    padding: option.Padding = None,
    truncating: option.Truncating = None,
    mask_zero: option.MaskZero = False,
    input_dim: option.InputDim = None,
    no_cache: option.NoCache = False,
    fail_on: Annotated[
        Literal["error", "warning", "note"],
        typer.Option(
            help="Exit code 3 where a finding is this or worse.", rich_help_panel=option.OUTPUT
        ),
    ] = "error",
    format_name: option.FormatName = None,
    json: option.Json = False,
) -> None:
    """Find what is wrong with a model, a matrix, its words, the settings or the texts.

    Give what there is: each finding says what is wrong, the numbers that show it, what it leads
    to, and what mends it. Files are read; nothing in them is run.

    \b
    Examples:
    embedinspect doctor --from model.keras --vocabulary tokenizer.json --file reviews.txt
    embedinspect doctor --from runs/imdb --file reviews.txt --fail-on warning
    embedinspect doctor "This is a text" "This is not a text" --input-dim 5
    embedinspect doctor --from matrix.npy --reference glove.6B.50d.txt
    """
    form = asking.form_of(format_name, json)
    from pathlib import Path

    from embedinspect.analysis.doctor import diagnose, open_case
    from embedinspect.lookup import Settings
    from embedinspect.output import doctor as output
    from embedinspect.output.stdout import waiting
    from embedinspect.source import SourceOptions
    from embedinspect.texts import collect_texts
    from embedinspect.training.run_folder import is_run
    from embedinspect.vocabulary import DEFAULT_FILTERS, Tokenization

    given = {
        "--num-words": num_words,
        "--oov-token": oov_token,
        "--char-level": char_level or None,
        "--filters": filters,
        "--vocabulary": vocabulary,
        "--index-from": index_from,
        "--maxlen": maxlen,
        "--padding": padding,
        "--truncating": truncating,
        "--mask-zero": mask_zero or None,
        "--input-dim": input_dim,
        "--layer": layer,
        "--tensor": tensor,
        "--epoch": epoch,
    }
    _refuse_conflicts(
        {name for name, value in given.items() if value is not None},
        run=from_source is not None and is_run(Path(from_source)),
        source=from_source is not None,
    )
    if from_source is None and reference is not None:
        raise UsageError("--reference is compared with a matrix; name it with --from SOURCE")
    found_texts = (
        collect_texts(texts or [], file or [], encoding)
        if texts or file or (from_source is None and vocabulary is None)
        else []
    )
    asking.note_files(texts or [])
    settings = Settings(
        num_words=num_words,
        oov_token=oov_token,
        tokenization=Tokenization(
            filters=DEFAULT_FILTERS if filters is None else filters, char_level=char_level
        ),
        maxlen=maxlen,
        padding=padding or "pre",
        truncating=truncating or "pre",
        mask_zero=mask_zero,
        input_dim=input_dim,
    )
    options = SourceOptions(epoch, layer, tensor, vocabulary, index_from, cache=not no_cache)
    with waiting(f"Reading {from_source}" if from_source is not None else "Reading"):
        case = open_case(
            from_source,
            options,
            found_texts,
            settings,
            padding_given=padding is not None,
            filters_given=filters is not None,
            reference=reference,
        )
        diagnosis = diagnose(case)
    asking.answer(
        form,
        lambda: output.document(diagnosis, fail_on),
        lambda screen: output.draw(diagnosis, screen),
    )
    if diagnosis.at_or_above(fail_on):
        raise typer.Exit(FOUND)


def _refuse_conflicts(given: set[str], *, run: bool, source: bool) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: names the first that does not fit.
    """
    if run:
        for name in SET_BY_RUN:
            if name in given:
                raise UsageError(f"{name} is set by the run of --from; leave out one of the two")
    if source and "--input-dim" in given:
        raise UsageError("--input-dim is set by the source of --from; leave out one of the two")
    if not source:
        for name, what in (
            ("--layer", "a layer of a Keras file"),
            ("--tensor", "an array of a file"),
            ("--epoch", "rows of a run"),
        ):
            if name in given:
                raise UsageError(f"{name} picks {what}; name it with --from")
    if "--index-from" in given and "--vocabulary" not in given:
        raise UsageError("--index-from shifts the words of --vocabulary; name that file, too")
