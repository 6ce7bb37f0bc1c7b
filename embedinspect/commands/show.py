"""`embedinspect show`: texts, their ids, and the rows that the ids fetch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from embedinspect.commands import options as option
from embedinspect.commands import printing
from embedinspect.errors import UsageError

if TYPE_CHECKING:
    from embedinspect.lookup import Lookup, Settings
    from embedinspect.matrix import EmbeddingMatrix
    from embedinspect.training.run_folder import Run
    from embedinspect.vocabulary import Vocabulary

MOST_FULL_LINES = 200_000
SET_BY_RUN = (
    "--num-words",
    "--oov-token",
    "--char-level",
    "--filters",
    "--tokenizer",
    "--vocabulary",
    "--save-vocabulary",
    "--maxlen",
    "--padding",
    "--truncating",
    "--mask-zero",
    "--input-dim",
    "--output-dim",
    "--seed",
    "--matrix",
)
SET_BY_VECTORIZATION = (
    "--oov-token",
    "--char-level",
    "--filters",
    "--vocabulary",
    "--save-vocabulary",
    "--padding",
    "--truncating",
    "--no-keras",
)
CONFLICTS = (
    ("--no-keras", "--backend"),
    ("--seed", "--matrix"),
    ("--code", "--from"),
    ("--one-hot", "--code"),
    ("--one-hot", "--format ndjson"),
    ("--one-hot", "--format csv"),
)


def show(
    texts: option.Texts = None,
    file: option.File = None,
    encoding: option.Encoding = "utf-8",
    num_words: option.NumWords = None,
    oov_token: option.OovToken = None,
    char_level: option.CharLevel = False,
    filters: option.Filters = None,
    tokenizer: option.TokenizerName = "classic",
    vocabulary: option.VocabularyFile = None,
    save_vocabulary: option.SaveVocabulary = None,
    maxlen: option.Maxlen = None,
    padding: option.Padding = None,
    truncating: option.Truncating = None,
    mask_zero: option.MaskZero = False,
    input_dim: option.InputDim = None,
    output_dim: option.OutputDim = None,
    seed: option.Seed = None,
    matrix: option.MatrixFile = None,
    from_run: option.FromRun = None,
    epoch: option.Epoch = None,
    no_keras: option.NoKeras = False,
    backend: option.Backend = None,
    code: option.Code = False,
    one_hot: option.OneHotToo = False,
    format_name: option.FormatName = None,
    json: option.Json = False,
    full: option.Full = False,
    precision: option.Precision = None,
) -> None:
    """Show what an Embedding layer does with texts: ids, padded sequences, rows, output.

    Every output vector is the row of its id, and Keras itself confirms it in the last line.

    Examples:

    \b
    embedinspect show "This is a text" "This is not a text" --num-words 10
    embedinspect show --file sample_texts/classic.txt --mask-zero --one-hot
    embedinspect show "one two" "two three" --json --no-keras
    embedinspect show --from runs/reviews "a wonderful, moving film"
    """
    form = _form(format_name, json, code)
    vectorizing = tokenizer == "textvectorization"
    given = {
        "--num-words": num_words,
        "--oov-token": oov_token,
        "--char-level": char_level or None,
        "--filters": filters,
        "--tokenizer": tokenizer if vectorizing else None,
        "--vocabulary": vocabulary,
        "--save-vocabulary": save_vocabulary,
        "--maxlen": maxlen,
        "--padding": padding,
        "--truncating": truncating,
        "--mask-zero": mask_zero or None,
        "--input-dim": input_dim,
        "--output-dim": output_dim,
        "--seed": seed,
        "--matrix": matrix,
        "--from": from_run,
        "--epoch": epoch,
        "--no-keras": no_keras or None,
        "--backend": backend,
        "--code": code or None,
        "--one-hot": one_hot or None,
        f"--format {form}": form if form in {"ndjson", "csv"} else None,
    }
    _refuse_conflicts({name: value for name, value in given.items() if value is not None})
    if vectorizing:
        padding = truncating = "post"

    from embedinspect.lookup import Settings, look_up
    from embedinspect.texts import collect_texts
    from embedinspect.vocabulary import DEFAULT_FILTERS, Tokenization

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
        output_dim=output_dim,
        seed=seed or 0,
    )
    run: Run | None = None
    saved: Vocabulary | None
    if from_run is not None:
        from embedinspect.training.run_folder import open_embedding, open_run

        run = open_run(from_run)
        settings, saved = run.lookup_settings, run.vocabulary
        rows: EmbeddingMatrix | None = open_embedding(run, epoch)
    else:
        rows = _matrix(matrix)
        saved = _saved_vocabulary(vocabulary, settings, filters)
    found = collect_texts(texts or [], file or [], encoding)
    if vectorizing:
        lookup = _vectorized(found, settings, rows, backend)
    else:
        lookup = look_up(
            found,
            settings,
            vocabulary=saved,
            matrix=rows,
            count_documents=save_vocabulary is not None,
        )
    lines = lookup.sequences.size + lookup.matrix.input_dim
    if full and form == "table" and lines > MOST_FULL_LINES:
        raise UsageError(
            f"--full would print {lines:,} lines of tables; expected at most {MOST_FULL_LINES:,}, "
            "so use --format csv or ndjson, which leave nothing out"
        )
    if save_vocabulary is not None:
        from embedinspect.files import write_whole

        write_whole(save_vocabulary, lookup.vocabulary.to_json().encode("utf-8"))
    if code:
        from embedinspect.output.show.code import Given, script
        from embedinspect.output.stdout import write_utf8

        write_utf8([script(lookup, Given(vocabulary, matrix, backend, maxlen))])
        return
    # Only the last epoch's other weights are kept, so only there a text can be predicted.
    predicts = run if run is not None and epoch in {None, run.epochs} else None
    if run is not None and predicts is None and not no_keras:
        sys.stderr.write(
            f"no predictions: only the rows of epoch {epoch} are kept, the rest of the classifier "
            f"is that of epoch {run.epochs}\n"
        )
    shown = printing.Shown(lookup, predicts, backend, no_keras, one_hot)
    if form == "table":
        printing.print_tables(shown, full=full, precision=precision)
    else:
        printing.print_document(shown, form)


def _form(format_name: option.Format | None, json: bool, code: bool) -> option.Format:
    if json and format_name not in {None, "json"}:
        raise UsageError(f"--json and --format {format_name} contradict; leave out one of the two")
    form: option.Format = "json" if json else format_name or "table"
    if code and form != "table":
        raise UsageError(f"--code prints a script, not {form}; leave out one of the two")
    return form


def _refuse_conflicts(given: dict[str, object]) -> None:
    """Refuse options that are given and do not go together.

    Raises:
        UsageError: names the first two that conflict, and why.
    """
    if "--from" in given:
        for name in SET_BY_RUN:
            if name in given:
                raise UsageError(f"{name} is set by the run of --from; leave out one of the two")
    elif "--epoch" in given:
        raise UsageError("--epoch picks rows of a run; name the run with --from")
    if "--tokenizer" in given:
        for name in SET_BY_VECTORIZATION:
            if name in given and given[name] != "post":
                raise UsageError(
                    f"{name} does not go with --tokenizer textvectorization, whose layer has its "
                    "own rules (it runs in Keras, pads and cuts at the end, and has [UNK] as id "
                    "1); leave out one of the two"
                )
    for first, second in CONFLICTS:
        if first in given and second in given:
            raise UsageError(f"{first} and {second} do not go together; leave out one of the two")


def _matrix(path: str | None) -> EmbeddingMatrix | None:
    if path is None:
        return None
    from embedinspect.sources import open_matrix

    return open_matrix(path)


def _saved_vocabulary(
    path: str | None, settings: Settings, filters: str | None
) -> Vocabulary | None:
    """Return the saved vocabulary, with --num-words where it is given.

    Raises:
        UsageError: an option that the saved vocabulary contradicts.
    """
    if path is None:
        return None
    from dataclasses import replace

    from embedinspect.texts import decode, read_bytes
    from embedinspect.vocabulary import from_json

    saved = from_json(
        decode(read_bytes(path, "a saved vocabulary"), "utf-8", repr(path)), repr(path)
    )
    tokenization = saved.tokenization
    for name, asked, has in (
        ("--oov-token", settings.oov_token, saved.oov_token),
        ("--filters", filters, tokenization.filters),
        ("--char-level", settings.tokenization.char_level or None, tokenization.char_level),
    ):
        if asked is not None and asked != has:
            raise UsageError(
                f"{name} is {asked!r}, but {path!r} was saved with {has!r}; leave it out"
            )
    return replace(saved, num_words=settings.num_words or saved.num_words)


def _vectorized(
    texts: list[str], settings: Settings, rows: EmbeddingMatrix | None, backend: str | None
) -> Lookup:
    from embedinspect.lookup import look_up
    from embedinspect.output.stdout import waiting
    from embedinspect.text_vectorization import vectorize

    with waiting("Keras tokenizes the texts"):
        vocabulary, ids = vectorize(texts, settings.num_words, settings.maxlen, backend)
    return look_up(texts, settings, vocabulary=vocabulary, ids=ids, matrix=rows)
