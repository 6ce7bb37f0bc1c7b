"""`embedinspect show`: texts, their ids, and the rows that the ids fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedinspect.commands import options as option
from embedinspect.errors import DataError, UsageError

if TYPE_CHECKING:
    from embedinspect.keras_layer import Proof
    from embedinspect.lookup import Lookup, Settings
    from embedinspect.matrix import EmbeddingMatrix
    from embedinspect.training.predict import Prediction
    from embedinspect.training.run_folder import Run
    from embedinspect.vocabulary import Vocabulary

MOST_FULL_LINES = 200_000


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
    if from_run is not None:
        set_by_run = {
            "--num-words": num_words,
            "--oov-token": oov_token,
            "--char-level": char_level or None,
            "--filters": filters,
            "--tokenizer": None if tokenizer == "classic" else tokenizer,
            "--vocabulary": vocabulary,
            "--maxlen": maxlen,
            "--padding": padding,
            "--truncating": truncating,
            "--mask-zero": mask_zero or None,
            "--input-dim": input_dim,
            "--output-dim": output_dim,
            "--seed": seed,
            "--matrix": matrix,
        }
        for name, value in set_by_run.items():
            if value is not None:
                raise UsageError(f"{name} is set by the run of --from; leave out one of the two")
    elif epoch is not None:
        raise UsageError("--epoch picks rows of a run; name the run with --from")
    vectorizing = tokenizer == "textvectorization"
    if vectorizing:
        given = {
            "--oov-token": oov_token is not None,
            "--char-level": char_level,
            "--filters": filters is not None,
            "--vocabulary": vocabulary is not None,
            "--save-vocabulary": save_vocabulary is not None,
            "--padding pre": padding == "pre",
            "--truncating pre": truncating == "pre",
            "--no-keras": no_keras,
        }
        _refuse_with_vectorization([name for name, is_given in given.items() if is_given])
        padding = truncating = "post"
    for first, second, both in (
        ("--no-keras", "--backend", no_keras and backend),
        ("--seed", "--matrix", seed is not None and matrix is not None),
        ("--code", "--from", code and from_run is not None),
        ("--one-hot", "--code", one_hot and code),
        ("--one-hot", f"--format {form}", one_hot and form in {"ndjson", "csv"}),
    ):
        if both:
            raise UsageError(f"{first} and {second} do not go together; leave out one of the two")

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
    if run is not None and epoch is not None and epoch != run.epochs:
        run = None  # only the last epoch's other weights are kept, so the rest cannot be predicted
    if form == "table":
        _print_tables(
            lookup, backend, no_keras, run, one_hot=one_hot, full=full, precision=precision
        )
    else:
        _print_document(lookup, backend, no_keras, run, form, one_hot=one_hot)


def _form(format_name: option.Format | None, json: bool, code: bool) -> option.Format:
    if json and format_name not in {None, "json"}:
        raise UsageError(f"--json and --format {format_name} contradict; leave out one of the two")
    form: option.Format = "json" if json else format_name or "table"
    if code and form != "table":
        raise UsageError(f"--code prints a script, not {form}; leave out one of the two")
    return form


def _refuse_with_vectorization(names: list[str]) -> None:
    if names:
        raise UsageError(
            f"{names[0]} does not go with --tokenizer textvectorization, whose layer has its own "
            "rules (it runs in Keras, pads and cuts at the end, and has [UNK] as id 1); leave out "
            "one of the two"
        )


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


def _print_tables(
    lookup: Lookup,
    backend: str | None,
    no_keras: bool,
    run: Run | None,
    *,
    one_hot: bool,
    full: bool,
    precision: int | None,
) -> None:
    """Print the lookup at once, then what Keras says to it."""
    import sys

    from rich.text import Text

    from embedinspect.output.screen import open_screen
    from embedinspect.output.show import sentences
    from embedinspect.output.show.tables import draw_tables
    from embedinspect.token_counts import count_tokens

    screen = open_screen()
    screen.paragraph(sentences.FIRST_SENTENCE)
    screen.line(Text())
    for line in draw_tables(lookup, screen, full=full, precision=precision):
        screen.line(line)
    screen.line(Text())
    for line in sentences.describe(lookup, count_tokens(lookup), screen, full=full):
        screen.line(line)
    if one_hot:
        from embedinspect.lookup import one_hot as multiply
        from embedinspect.output.show.one_hot import draw_one_hot

        screen.line(Text())
        for line in draw_one_hot(lookup, screen, full=full):
            screen.line(line)
        screen.line(Text())
        for line in sentences.describe_one_hot(lookup, multiply(lookup), screen):
            screen.line(line)
    screen.line(Text())
    sys.stdout.flush()
    if no_keras:
        screen.paragraph(sentences.LEFT_OUT)
        return
    proof = _prove(lookup, backend)
    if run is not None:
        predictions = _predict(run, lookup, backend)
        for line in sentences.describe_predictions(predictions, run.label_names, screen, full):
            screen.line(line)
        screen.line(Text())
    screen.paragraph(sentences.describe_proof(proof), "" if proof.holds else "bold red")
    _insist(proof, lookup)


def _print_document(
    lookup: Lookup,
    backend: str | None,
    no_keras: bool,
    run: Run | None,
    form: option.Format,
    *,
    one_hot: bool,
) -> None:
    from embedinspect.lookup import one_hot as multiply
    from embedinspect.output.show import documents
    from embedinspect.output.stdout import write_utf8
    from embedinspect.token_counts import count_tokens

    predictions = None
    if run is not None and not no_keras and form != "csv":
        predictions = _predict(run, lookup, backend)
    if form != "json":
        ndjson = form == "ndjson"
        write_utf8(
            documents.ndjson_lines(lookup, predictions) if ndjson else documents.csv_lines(lookup)
        )
        if not no_keras:
            _insist(_prove(lookup, backend), lookup)
        return
    proof = None if no_keras else _prove(lookup, backend)
    product = multiply(lookup) if one_hot else None
    counts = count_tokens(lookup)
    write_utf8(documents.json_document(lookup, counts, proof, product, predictions))
    if proof is not None:
        _insist(proof, lookup)


def _prove(lookup: Lookup, backend: str | None) -> Proof:
    from embedinspect.keras_layer import choose_backend, prove
    from embedinspect.output.stdout import waiting

    with waiting(f"Keras on {choose_backend(backend)} runs the same batch"):
        return prove(lookup, backend)


def _predict(run: Run, lookup: Lookup, backend: str | None) -> list[Prediction]:
    from embedinspect.output.stdout import waiting
    from embedinspect.training.predict import predict

    with waiting("The classifier reads the texts"):
        return predict(run, lookup, backend)


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
