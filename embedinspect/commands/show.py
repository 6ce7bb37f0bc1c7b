"""`embedinspect show`: texts, their ids, and the rows that the ids fetch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import typer

from embedinspect.commands import options as option
from embedinspect.commands.groups import (
    FormGroup,
    KerasGroup,
    ReadGroup,
    SequencesGroup,
    TextsGroup,
    TokenizingGroup,
    open_and_warn,
    settings_of,
)
from embedinspect.commands.heat import heat_wanted
from embedinspect.commands.notes import note
from embedinspect.commands.signature import given
from embedinspect.errors import DataError, UsageError
from embedinspect.output.forms import Answer, Form, Target, write_answer

if TYPE_CHECKING:
    from embedinspect.analysis.tracing import Traced
    from embedinspect.keras_layer import Proof
    from embedinspect.lookup import Lookup
    from embedinspect.source import Source
    from embedinspect.training.predict import Prediction

MOST_FULL_LINES = 200_000
SET_BY_SOURCE = (
    "--char-level", "--vocabulary", "--save-vocabulary", "--input-dim", "--output-dim", "--seed",
    "--matrix",
)  # fmt: skip
SET_BY_RUN = (
    *SET_BY_SOURCE, "--tokenizer", "--num-words", "--oov-token", "--filters", "--words",
    "--index-from", "--words-from", "--maxlen", "--padding", "--truncating", "--mask-zero",
)  # fmt: skip
SET_BY_VECTORIZATION = (
    "--oov-token", "--char-level", "--filters", "--vocabulary", "--save-vocabulary", "--padding",
    "--truncating", "--no-keras",
)  # fmt: skip
OF_A_SOURCE = (
    ("--epoch", "rows of a run; name the run"),
    ("--layer", "a layer of a Keras file; name the file"),
    ("--tensor", "an array of a file; name the file"),
    ("--words", "the words of a matrix; name the matrix"),
    ("--words-from", "a lookup layer of a Keras model; name the model"),
    ("--index-from", "the rows of words; name their matrix"),
)
CONFLICTS = (
    ("--no-keras", "--backend"),
    ("--seed", "--matrix"),
    ("--code", "--from"),
    ("--one-hot", "--code"),
    ("--code", "--output"),
    ("--code", "--heat"),
)


def show(
    context: typer.Context,
    texts: TextsGroup,
    tokenizing: TokenizingGroup,
    sequences: SequencesGroup,
    reading: ReadGroup,
    keras: KerasGroup,
    form: FormGroup,
    tokenizer: option.TokenizerName = "classic",
    vocabulary: option.Vocabulary = None,
    save_vocabulary: option.SaveVocabulary = None,
    input_dim: option.InputDim = None,
    output_dim: option.OutputDim = None,
    seed: option.Seed = None,
    matrix: option.MatrixFile = None,
    from_source: option.FromSource = None,
    epoch: option.Epoch = None,
    code: option.Code = False,
    one_hot: option.OneHotToo = False,
    full: option.Full = False,
    precision: option.Precision = None,
    heat: option.HeatOrNot = None,
) -> None:
    """Show what an Embedding layer does with texts: ids, padded sequences, rows, output.

    Every output vector is the row of its id, and Keras itself confirms it in the last line.

    \b
    Examples:
    embedinspect show "This is a text" "This is not a text" --num-words 10
    embedinspect show --file sample:classic --mask-zero --one-hot
    embedinspect show "one two" "two three" --json --no-keras
    embedinspect show --from runs/reviews "a wonderful, moving film"
    embedinspect show --from sample:vectors "a wonderful film" --no-keras
    """
    chosen = form.choose()
    drawn = heat_wanted(heat, chosen.form, precision)
    _refuse_conflicts(given(context), chosen.form)
    settings = settings_of(
        tokenizing, sequences, input_dim=input_dim, output_dim=output_dim, seed=seed
    )
    from embedinspect.analysis import tracing
    from embedinspect.output.stdout import waiting

    if from_source is not None:
        source = open_and_warn(from_source, reading.options(epoch))
        _refuse_beside_layer(given(context), source)
        traced = tracing.trace_by_source(
            texts.read(),
            source,
            settings,
            filters=tokenizing.filters,
            tokenizer=given(context).get("--tokenizer"),
            padding=sequences.padding,
            truncating=sequences.truncating,
        )
    elif tokenizer == "textvectorization":
        collected = texts.read()
        with waiting("Keras tokenizes the texts"):
            traced = tracing.trace_by_text_vectorization(
                collected, settings, matrix_path=matrix, backend=keras.backend
            )
    else:
        traced = tracing.trace(
            texts.read(),
            settings,
            vocabulary_path=vocabulary,
            matrix_path=matrix,
            filters=tokenizing.filters,
            count_documents=save_vocabulary is not None,
        )
    for message in traced.notes:
        note(message)
    if full and chosen.form is Form.TABLE:
        _refuse_endless_tables(traced.lookup)
    if save_vocabulary is not None:
        from embedinspect.files import write_whole

        write_whole(save_vocabulary, traced.lookup.vocabulary.to_json().encode("utf-8"))
    if code:
        from embedinspect.output.show.code import Inputs, script
        from embedinspect.output.stdout import write_utf8

        inputs = Inputs(traced.vocabulary_path, matrix, keras.backend, sequences.maxlen)
        write_utf8([script(traced.lookup, inputs)])
        return
    _print(traced, keras, chosen, one_hot=one_hot, full=full, precision=precision, heat=drawn)


def _print(
    traced: Traced,
    keras: KerasGroup,
    target: Target,
    *,
    one_hot: bool,
    full: bool,
    precision: int | None,
    heat: bool | None,
) -> None:
    """Print the lookup at once, then what Keras and a run's classifier say to it."""
    from embedinspect.lookup import one_hot as multiply
    from embedinspect.output.show.document import show_document
    from embedinspect.output.show.page import Witnesses, show_page
    from embedinspect.token_counts import count_tokens

    lookup, run = traced.lookup, traced.run
    if traced.unpredictable is not None and not keras.no_keras:
        note(traced.unpredictable)

    @cache
    def prove() -> Proof:
        return _prove(lookup, keras.backend)

    def predict() -> list[Prediction]:
        return _predict(traced, keras.backend)

    ask = not keras.no_keras
    witnesses = Witnesses(
        prove=prove if ask else None,
        predict=predict if ask and run is not None else None,
        label_names=("", "") if run is None else run.label_names,
    )
    answer = Answer(
        title="What an Embedding layer does with texts",
        page=lambda: show_page(
            lookup, witnesses, one_hot_too=one_hot, full=full, precision=precision, heat=heat
        ),
        document=lambda: show_document(
            lookup,
            count_tokens(lookup),
            proof=prove() if ask and target.form not in {Form.NDJSON, Form.CSV} else None,
            product=multiply(lookup) if one_hot else None,
            predict=witnesses.predict,
        ),
    )
    write_answer(answer, target)
    if ask:  # lines of ndjson and csv have no place for Keras's word: only a difference is said
        _insist(prove(), lookup)


def _prove(lookup: Lookup, backend: str | None) -> Proof:
    from embedinspect.backend import choose
    from embedinspect.keras_layer import prove
    from embedinspect.output.stdout import waiting

    with waiting(f"Keras on {choose(backend)} runs the same batch"):
        return prove(lookup, backend)


def _predict(traced: Traced, backend: str | None) -> list[Prediction]:
    from embedinspect.output.stdout import waiting
    from embedinspect.training.predict import predict

    assert traced.run is not None
    with waiting("The classifier reads the texts"):
        return predict(traced.run, traced.lookup, backend)


def _insist(proof: Proof, lookup: Lookup) -> None:
    """Raise where Keras's output is not the lookup."""
    if proof.first_difference is None:
        return
    text, position = proof.first_difference
    raise DataError(
        f"Keras's output differs from the rows of the ids, first at text {text}, position "
        f"{position} (id {lookup.sequences[text, position]}); expected equal numbers, so please "
        "report this with the command that showed it"
    )


def _refuse_endless_tables(lookup: Lookup) -> None:
    lines = lookup.sequences.size + lookup.matrix.input_dim
    if lines > MOST_FULL_LINES:
        raise UsageError(
            f"--full would print {lines:,} lines of tables; expected at most {MOST_FULL_LINES:,}, "
            "so use --format csv or ndjson, which leave nothing out"
        )


def _refuse_conflicts(options: Mapping[str, Any], form: Form) -> None:
    """Refuse options that are given and do not go together.

    Raises:
        UsageError: names the first two that conflict, and why.
    """
    if "--code" in options and form is not Form.TABLE:
        raise UsageError(f"--code prints a script, not {form}; leave out one of the two")
    if "--one-hot" in options and form in {Form.NDJSON, Form.CSV}:
        raise UsageError(
            f"--one-hot and --format {form} do not go together; leave out one of the two"
        )
    if "--from" in options:
        _refuse_beside_source(options)
    else:
        for name, what in OF_A_SOURCE:
            if name in options:
                raise UsageError(f"{name} picks {what} with --from")
    if options.get("--tokenizer") == "textvectorization" and "--from" not in options:
        for name in SET_BY_VECTORIZATION:
            if name in options and options[name] != "post":
                raise UsageError(
                    f"{name} does not go with --tokenizer textvectorization, whose layer has its "
                    "own rules (it runs in Keras, pads and cuts at the end, and has [UNK] as id "
                    "1); leave out one of the two"
                )
    for first, second in CONFLICTS:
        if first in options and second in options:
            raise UsageError(f"{first} and {second} do not go together; leave out one of the two")


def _refuse_beside_layer(options: Mapping[str, Any], source: Source) -> None:
    """Refuse the sides of padding and cutting that are not those of the model's own layer."""
    from embedinspect.tokenizing.layer_vocabulary import LayerVocabulary

    if not isinstance(source.vocabulary, LayerVocabulary):
        return
    for name in ("--padding", "--truncating"):
        if options.get(name, "post") != "post":
            raise UsageError(
                f"{name} is set by {source.vocabulary.layer} of {source.path!r}, which pads and "
                "cuts at the end; leave it out"
            )


def _refuse_beside_source(options: Mapping[str, Any]) -> None:
    from pathlib import Path

    from embedinspect.training.run_state import is_run

    run = is_run(Path(options["--from"]))
    for name in SET_BY_RUN if run else SET_BY_SOURCE:
        if name in options:
            what = "run" if run else "source"
            words = "; --words names its words" if name == "--vocabulary" and not run else ""
            raise UsageError(
                f"{name} is set by the {what} of --from; leave out one of the two{words}"
            )
