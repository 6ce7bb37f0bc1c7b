"""`embedinspect train`: fit the classifier, and leave a run folder to look into."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedinspect.commands import options as option
from embedinspect.errors import UsageError

if TYPE_CHECKING:
    from embedinspect.training.data import LabelledData
    from embedinspect.training.run_folder import Run
    from embedinspect.training.settings import TrainSettings

DATA, MODEL, TRAINING, RUN = "Data", "Model", "Training", "Run"


def train(
    data_set: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA", help="imdb, or labelled texts: CSV, TSV, JSON Lines, a folder."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="Where imdb lies: imdb.npz or aclImdb.", rich_help_panel=DATA
        ),
    ] = None,
    text_column: Annotated[
        str | None, typer.Option(help="Column of the texts.", rich_help_panel=DATA)
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of the labels.", rich_help_panel=DATA)
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Use so many reviews of each part.", rich_help_panel=DATA),
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(min=0, max=0.9, help="Share held out for validation.", rich_help_panel=DATA),
    ] = None,
    num_words: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Ids below this one are used; rows of the matrix.",
            show_default="5000",
            rich_help_panel=MODEL,
        ),
    ] = None,
    maxlen: Annotated[
        int | None,
        typer.Option(min=1, help="Positions.", show_default="500", rich_help_panel=MODEL),
    ] = None,
    padding: option.Padding = None,
    truncating: option.Truncating = None,
    mask_zero: Annotated[
        bool | None,
        typer.Option(
            "--mask-zero/--no-mask-zero",
            help="Mask the padding.",
            show_default="no",
            rich_help_panel=MODEL,
        ),
    ] = None,
    output_dim: Annotated[
        int | None,
        typer.Option(
            min=1, help="Width of the embedding.", show_default="32", rich_help_panel=MODEL
        ),
    ] = None,
    units: Annotated[
        int | None,
        typer.Option(min=1, help="Units of the LSTM.", show_default="100", rich_help_panel=MODEL),
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=0.99,
            help="Before and after the LSTM.",
            show_default="0",
            rich_help_panel=MODEL,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Reviews a batch.", show_default="64", rich_help_panel=TRAINING),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs in all.", show_default="3", rich_help_panel=TRAINING),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(min=0, help="Of Adam.", show_default="0.001", rich_help_panel=TRAINING),
    ] = None,
    early_stopping: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Stop after so many epochs without a better validation loss.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**32 - 1,
            help="Of everything random.",
            show_default="0",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    tensorboard: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Write logs for TensorBoard.", rich_help_panel=RUN),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="The run folder.", show_default="runs/NAME", rich_help_panel=RUN
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing run.", rich_help_panel=RUN)
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Go on from the last finished epoch.", rich_help_panel=RUN
        ),
    ] = None,
    backend: option.Backend = None,
    json: option.Json = False,
) -> None:
    """Train the classic classifier (Embedding, LSTM, Dense) and leave a run folder.

    The defaults are the classic IMDB recipe; on small data they follow its size.

    \b
    Examples:
    embedinspect train imdb
    embedinspect train imdb --data path/to/imdb.npz --out runs/imdb
    embedinspect train sample_texts/reviews.csv --out runs/reviews
    embedinspect train --resume runs/reviews
    """
    if tensorboard is not None:
        from embedinspect.training.fit import check_tensorboard

        check_tensorboard()
    given = {
        name: value
        for name, value in {
            "num_words": num_words,
            "maxlen": maxlen,
            "output_dim": output_dim,
            "units": units,
            "batch_size": batch_size,
            "epochs": epochs,
            "learning_rate": learning_rate,
            "dropout": dropout,
            "mask_zero": mask_zero,
            "padding": padding,
            "truncating": truncating,
            "seed": seed,
            "validation": validation,
            "early_stopping": early_stopping,
            "limit": limit,
        }.items()
        if value is not None
    }
    if (data_set is None) == (resume is None):
        raise UsageError("expected either DATA, such as imdb, or --resume RUN; see train --help")
    if resume is not None:
        _resume(resume, given, data, out, force, tensorboard, backend, json)
        return

    from pathlib import Path

    from embedinspect.training import datasets, run_folder
    from embedinspect.training.settings import warnings_for

    assert data_set is not None
    place = Path(out or Path("runs") / Path(data_set).stem)
    run_folder.check_place(place, force)
    found = datasets.open_data(
        data_set,
        data,
        num_words=num_words,
        seed=seed or 0,
        text_column=text_column,
        label_column=label_column,
    )
    settings, chosen, found = _settle(found, given)
    for warning in warnings_for(settings):
        _note(f"Warning: {warning}")
    _run(found, settings, chosen, place, force, tensorboard, backend, json)


def _settle(
    data: LabelledData, given: dict[str, Any]
) -> tuple[TrainSettings, dict[str, object], LabelledData]:
    """Return the settings, those of them that follow the data's size, and the data for them."""
    from embedinspect.training import datasets
    from embedinspect.training.data import limited
    from embedinspect.training.settings import TrainSettings, defaults_for

    chosen: dict[str, object] = {}
    if data.source["kind"] != "imdb":
        lengths = [len(ids) for ids in data.train.ids]
        words = len(data.vocabulary.word_index)
        defaults = defaults_for(lengths, words, given.get("epochs"))
        chosen = {name: value for name, value in defaults.items() if name not in given}
    settings = TrainSettings(**{**chosen, **given})
    if data.source["kind"] != "imdb":
        data = datasets.with_num_words(data, settings.num_words)
    return settings, chosen, limited(data, settings)


def _run(
    data: LabelledData,
    settings: TrainSettings,
    chosen: dict[str, object],
    place: Any,
    force: bool,
    tensorboard: str | None,
    backend: str | None,
    json: bool,
) -> None:
    from embedinspect import keras_layer
    from embedinspect.output.stdout import waiting
    from embedinspect.training import fit

    _print_before(data, settings, chosen, json)
    with waiting("Keras is imported and the classifier is built"):
        keras = keras_layer.load(backend)
        with keras_layer.quiet():
            run, model = fit.start(keras, data, settings, place, force=force)
    _fit(keras, model, run, data, chosen, tensorboard, json)


def _resume(
    path: str,
    given: dict[str, Any],
    data: str | None,
    out: str | None,
    force: bool,
    tensorboard: str | None,
    backend: str | None,
    json: bool,
) -> None:
    """Go on with a run from its last finished epoch; more --epochs may be asked for."""
    from dataclasses import replace

    from embedinspect import keras_layer
    from embedinspect.output.stdout import waiting
    from embedinspect.training import datasets, fit, run_folder
    from embedinspect.training.data import limited

    refused = [name for name in given if name != "epochs"]
    if refused or out or force:
        name = refused[0].replace("_", "-") if refused else "out" if out else "force"
        raise UsageError(f"--{name} does not go with --resume, which keeps the run's own settings")
    run = run_folder.open_run(path)
    epochs = given.get("epochs", run.settings.epochs)
    if run.status == "done" and epochs > run.epochs:
        run = replace(run, status="training")
    run = replace(run, settings=replace(run.settings, epochs=max(epochs, run.epochs)))
    if run.status != "training":
        _note(f"{path} is finished ({run.status}); more epochs: --resume {path} --epochs N")
    source = run.data.get("source")
    found = datasets.reopen(source if isinstance(source, dict) else {}, data, run.settings)
    if found.source["kind"] != "imdb":
        found = datasets.with_num_words(found, run.settings.num_words)
    found = limited(found, run.settings)
    _print_before(found, run.settings, {}, json)
    with waiting("Keras is imported and the classifier is rebuilt"):
        keras = keras_layer.load(backend)
        with keras_layer.quiet():
            model = fit.resume(keras, run, found)
    _fit(keras, model, run, found, {}, tensorboard, json)


def _fit(
    keras: Any,
    model: Any,
    run: Run,
    data: LabelledData,
    chosen: dict[str, object],
    tensorboard: str | None,
    json: bool,
) -> None:
    from embedinspect import keras_layer
    from embedinspect.errors import DataError
    from embedinspect.output.train.progress import reporting
    from embedinspect.training import fit
    from embedinspect.training.data import summarize

    try:
        with reporting() as report, keras_layer.quiet():
            run = fit.fit(keras, model, run, data, report, tensorboard=tensorboard)
    except KeyboardInterrupt:
        _note(f"interrupted; finished epochs are saved: embedinspect train --resume {run.path}")
        raise
    if json:
        from embedinspect.output.stdout import write_utf8
        from embedinspect.output.train.documents import json_document

        write_utf8([json_document(run, summarize(data, run.settings), chosen)])
    else:
        from rich.text import Text

        from embedinspect.output.screen import open_screen
        from embedinspect.output.train.tables import after

        screen = open_screen()
        if sys.stderr is not None and sys.stderr.isatty():
            screen.line(Text())  # below the bars
        for line in after(run, screen):
            screen.line(line)
    if run.status == fit.NOT_A_NUMBER:
        raise DataError(
            f"the loss is no number any more in epoch {run.epochs + 1}; {run.epochs} good epochs "
            "are kept; expected a finite loss, so lower --learning-rate"
        )


def _print_before(
    data: LabelledData, settings: TrainSettings, chosen: dict[str, object], json: bool
) -> None:
    if chosen:
        pairs = ", ".join(f"{name} {value}" for name, value in chosen.items())
        _note(f"The settings follow the size of the data: {pairs}")
    if json:
        return
    from rich.text import Text

    from embedinspect.output.screen import open_screen
    from embedinspect.output.train.tables import before
    from embedinspect.training.data import summarize

    screen = open_screen()
    for line in before(settings, summarize(data, settings), data.name, data.label_names[1], screen):
        screen.line(line)
    screen.line(Text())
    sys.stdout.flush()


def _note(message: str) -> None:
    from embedinspect.wording import literal

    typer.echo(literal(message), err=True)
