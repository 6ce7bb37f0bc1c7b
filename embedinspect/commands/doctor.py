"""`embedinspect doctor`: what is wrong with a model, its words, the settings and the texts."""

from __future__ import annotations

from dataclasses import dataclass
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
    "--vectors",
)  # fmt: skip
# What only a source has.
OF_A_SOURCE = (
    ("--layer", "a layer of a Keras file"),
    ("--tensor", "an array of a file"),
    ("--vectors", "a column of a table"),
    ("--epoch", "rows of a run"),
)
_NOTHING_GIVEN = (
    "nothing is given to look at; expected a source, as in: embedinspect doctor model.keras, or "
    "--text TEXT, or --file PATH, or texts on standard input, one a line"
)


@dataclass(frozen=True)
class SourceToCheck:
    """The argument SOURCE, and what belongs to it."""

    path: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="What to check: a run folder, a model, word vectors, arrays, or a table. Without "
            "it, texts and settings alone are checked.",
            show_default=False,
        ),
    ] = None
    vocabulary: Annotated[
        str | None,
        option.option(
            option.SOURCE,
            "Vocabulary of the model, which gives each word its id: one a line, a JSON list or "
            "mapping, or a saved Keras tokenizer.",
            "--vocabulary",
            metavar="FILE",
        ),
    ] = None
    index_from: Annotated[
        int | None,
        option.option(
            option.SOURCE,
            "Id of the first word in that file; 3 for Keras's IMDB index.",
            "--index-from",
            metavar="N",
            show_default="0",
        ),
    ] = None
    layer: option.Layer = None
    words_from: option.WordsFrom = None
    tensor: option.Tensor = None
    vectors: option.VectorsColumn = None
    epoch: option.Epoch = None
    reference: Annotated[
        str | None,
        option.option(
            option.SOURCE,
            "Word vectors that the rows were made from: are they in the rows of their words?",
            "--reference",
            metavar="VECTORS",
        ),
    ] = None
    no_cache: option.NoCache = False


@dataclass(frozen=True)
class TextsToCheck(TextsGroup):
    """Texts behind the source, or without one."""

    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Texts to check with it.", show_default=False),
    ] = None
    text: Annotated[
        list[str] | None,
        option.option(
            option.TEXTS,
            "Text to check where there is no SOURCE to stand before it. May be given again.",
            "--text",
            metavar="TEXT",
        ),
    ] = None

    def together(self) -> TextsGroup:
        """Return the texts of both kinds as one group."""
        return TextsGroup(
            [*(self.texts or []), *(self.text or [])], self.file, self.encoding, self.text_column
        )


def doctor(
    context: typer.Context,
    source: SourceToCheck,
    texts: TextsToCheck,
    tokenizing: TokenizingGroup,
    sequences: SequencesGroup,
    form: FormGroup,
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
    embedinspect doctor model.keras --vocabulary tokenizer.json --file reviews.txt
    embedinspect doctor runs/imdb "a wonderful, moving film" --fail-on warning
    embedinspect doctor --input-dim 5 --file sample:classic
    embedinspect doctor matrix.npy --reference glove.6B.50d.txt
    """
    chosen = form.choose()
    _refuse_conflicts(set(given(context)), source.path)
    from embedinspect.analysis.doctor import diagnose, open_case
    from embedinspect.output import doctor as output
    from embedinspect.output.stdout import waiting
    from embedinspect.source import SourceOptions

    together = texts.together()
    wanted = together.any or (source.path is None and source.vocabulary is None)
    collected = together.read(missing=_NOTHING_GIVEN) if wanted else []
    options = SourceOptions(
        epoch=source.epoch,
        layer=source.layer,
        tensor=source.tensor,
        vectors=source.vectors,
        words=source.vocabulary,
        index_from=source.index_from,
        cache=not source.no_cache,
        words_from=source.words_from,
    )
    with waiting("Reading" if source.path is None else f"Reading {source.path}"):
        case = open_case(
            source.path,
            options,
            collected,
            settings_of(tokenizing, sequences, input_dim=input_dim),
            padding_given=sequences.padding is not None,
            filters_given=tokenizing.filters is not None,
            reference=source.reference,
        )
    with waiting("Looking" if source.path is None else f"Looking at the rows of {source.path}"):
        diagnosis = diagnose(case)
    answer = Answer(
        title="What is wrong with these texts"
        if source.path is None
        else f"What is wrong with {source.path}",
        page=lambda: output.page(diagnosis),
        document=lambda: output.document(diagnosis, fail_on),
    )
    write_answer(answer, chosen)
    if diagnosis.at_or_above(fail_on):
        raise typer.Exit(FOUND)


def _refuse_conflicts(names: set[str], path: str | None) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: names the first that does not fit.
    """
    from pathlib import Path

    from embedinspect.samples import is_sample
    from embedinspect.training.run_state import is_run

    if path is None:
        for name, role in OF_A_SOURCE:
            if name in names:
                raise UsageError(f"{name} picks {role}; name it before the texts, as SOURCE")
        if "--reference" in names:
            raise UsageError("--reference is compared with a matrix; name that as SOURCE")
    else:
        if is_run(Path(path)):
            for name in SET_BY_RUN:
                if name in names:
                    raise UsageError(f"{name} is set by the run {path!r}; leave it out")
        if "--input-dim" in names and (is_sample(path) or Path(path).exists()):
            raise UsageError(f"--input-dim is set by the source {path!r}; leave it out")
    if "--index-from" in names and "--vocabulary" not in names:
        raise UsageError("--index-from shifts the words of --vocabulary; name that file, too")
