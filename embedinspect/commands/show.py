"""`embedinspect show`: texts, their ids, and the rows that the ids fetch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from embedinspect.commands import options as option
from embedinspect.commands import printing
from embedinspect.commands.asking import form_of, note, note_files, open_for
from embedinspect.errors import UsageError

if TYPE_CHECKING:
    from embedinspect.lookup import Lookup, Settings
    from embedinspect.matrix import EmbeddingMatrix
    from embedinspect.source import Source
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
SET_BY_SOURCE = (
    "--char-level",
    "--tokenizer",
    "--save-vocabulary",
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
    from_source: option.FromSource = None,
    epoch: option.SourceEpoch = None,
    layer: option.Layer = None,
    tensor: option.Tensor = None,
    index_from: option.IndexFrom = None,
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

    \b
    Examples:
    embedinspect show "This is a text" "This is not a text" --num-words 10
    embedinspect show --file sample_texts/classic.txt --mask-zero --one-hot
    embedinspect show "one two" "two three" --json --no-keras
    embedinspect show --from runs/reviews "a wonderful, moving film"
    embedinspect show --from glove.6B.50d.txt "a wonderful, moving film" --no-keras
    """
    form = form_of(format_name, json)
    if code and form != "table":
        raise UsageError(f"--code prints a script, not {form}; leave out one of the two")
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
        "--from": from_source,
        "--epoch": epoch,
        "--layer": layer,
        "--tensor": tensor,
        "--index-from": index_from,
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
    rows: EmbeddingMatrix | None
    if from_source is not None:
        source = open_for(
            from_source,
            epoch=epoch,
            layer=layer,
            tensor=tensor,
            vocabulary=vocabulary,
            index_from=index_from,
        )
        settings, saved, rows = _taken_from(source, settings, filters)
        run = source.run
    else:
        rows = _matrix(matrix)
        saved = _saved_vocabulary(vocabulary, settings, filters)
    found = collect_texts(texts or [], file or [], encoding)
    note_files(texts or [])
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


def _refuse_conflicts(given: dict[str, object]) -> None:
    """Refuse options that are given and do not go together.

    Raises:
        UsageError: names the first two that conflict, and why.
    """
    if "--from" in given:
        from pathlib import Path

        from embedinspect.training.run_folder import is_run

        run = is_run(Path(str(given["--from"])))
        for name in SET_BY_RUN if run else SET_BY_SOURCE:
            if name in given:
                what = "run" if run else "source"
                raise UsageError(f"{name} is set by the {what} of --from; leave out one of the two")
    else:
        for name, what in (
            ("--epoch", "rows of a run; name the run"),
            ("--layer", "a layer of a Keras file; name the file"),
            ("--tensor", "an array of a file; name the file"),
            ("--index-from", "the rows of words; name their matrix"),
        ):
            if name in given:
                raise UsageError(f"{name} picks {what} with --from")
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


def _taken_from(
    source: Source, settings: Settings, filters: str | None
) -> tuple[Settings, Vocabulary, EmbeddingMatrix]:
    """Return settings, vocabulary and rows of a source.

    Raises:
        UsageError: an option that the source contradicts, or a source without words.
    """
    from dataclasses import replace

    from embedinspect.vocabulary import check_oov_token

    if source.run is not None:
        return source.run.lookup_settings, source.run.vocabulary, source.matrix
    words, moved = source.vocabulary_by_row()
    rules = words.tokenization
    if filters is not None:
        rules = replace(rules, filters=filters)
    oov = settings.oov_token
    if oov is not None:
        check_oov_token(oov, words, repr(source.path))
    words = replace(
        words,
        tokenization=rules,
        num_words=settings.num_words or words.num_words,
        oov_token=oov or words.oov_token,
    )
    if moved:
        note(
            f"row 0 of {source.path} is {source.name_of(0)!r}, and id 0 is the padding in Keras: "
            "its rows stand one further down here, under a row of zeros"
        )
        return settings, words, source.matrix.with_padding_row()
    if source.layer is not None and source.layer.mask_zero:
        settings = replace(settings, mask_zero=True)
    return settings, words, source.matrix


def _matrix(path: str | None) -> EmbeddingMatrix | None:
    if path is None:
        return None
    from embedinspect.formats import open_matrix

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
    from embedinspect.saved_vocabulary import from_json

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
