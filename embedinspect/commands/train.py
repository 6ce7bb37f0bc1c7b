"""`embedinspect train`: fit the classifier, and leave a run folder to look into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from annotated_types import Interval

from embedinspect.commands import options as option
from embedinspect.commands.groups import ProcessesGroup, StdoutGroup
from embedinspect.commands.notes import note
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, write_answer
from embedinspect.wording import plural

if TYPE_CHECKING:
    from embedinspect.training.hosts.plan import Plan
    from embedinspect.training.run_folder import Run
    from embedinspect.training.session import Session, Trainer

DATA, MODEL, TRAINING, RUN = option.DATA, option.MODEL, option.TRAINING, option.RUN
SHARDS = option.SHARDS


def _option(panel: str, help_text: str, metavar: str = "N", **settings: Any) -> Any:
    return option.option(panel, help_text, metavar=metavar, **settings)


def train(
    form: StdoutGroup,
    processes: ProcessesGroup,
    data_set: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="imdb, or labelled texts: CSV, TSV, JSON Lines, a folder; sample:reviews to try.",
        ),
    ] = None,
    data: Annotated[
        str | None, _option(DATA, "Where imdb lies: imdb.npz or aclImdb.", "PATH")
    ] = None,
    text_column: Annotated[str | None, _option(DATA, "Column of the texts.", "NAME")] = None,
    label_column: Annotated[str | None, _option(DATA, "Column of the labels.", "NAME")] = None,
    limit: Annotated[
        option.Count | None, _option(DATA, "Use at most this many reviews of each part.")
    ] = None,
    validation: Annotated[
        Annotated[float, Interval(ge=0, le=0.9)] | None,
        _option(DATA, "Share of the training reviews held out for validation.", "SHARE"),
    ] = None,
    num_words: Annotated[
        option.Count | None,
        _option(MODEL, "Use the ids below N; the matrix has N rows.", show_default="5000"),
    ] = None,
    maxlen: Annotated[
        option.Count | None,
        _option(MODEL, "Number of positions in each sequence.", show_default="500"),
    ] = None,
    padding: option.Padding = None,
    truncating: option.Truncating = None,
    mask_zero: Annotated[
        bool | None,
        option.option(
            MODEL,
            "Mask the padding, so that the LSTM does not read it.",
            "--mask-zero/--no-mask-zero",
            metavar="",
            show_default="no",
        ),
    ] = None,
    output_dim: Annotated[
        option.Count | None, _option(MODEL, "Numbers in each row.", show_default="32")
    ] = None,
    units: Annotated[
        option.Count | None, _option(MODEL, "Units of the LSTM.", show_default="100")
    ] = None,
    dropout: Annotated[
        Annotated[float, Interval(ge=0, le=0.99)] | None,
        _option(MODEL, "Dropout before and after the LSTM.", "SHARE", show_default="0"),
    ] = None,
    batch_size: Annotated[
        option.Count | None, _option(TRAINING, "Reviews in each batch.", show_default="64")
    ] = None,
    epochs: Annotated[
        option.Count | None,
        _option(TRAINING, "Number of epochs, those of a resumed run included.", show_default="3"),
    ] = None,
    learning_rate: Annotated[
        Annotated[float, Interval(ge=0)] | None,
        _option(TRAINING, "Adam's learning rate.", "RATE", show_default="0.001"),
    ] = None,
    early_stopping: Annotated[
        option.Count | None,
        _option(TRAINING, "Stop after N epochs without a better validation loss."),
    ] = None,
    seed: Annotated[
        option.SeedNumber | None,
        _option(TRAINING, "Seed of everything that is random.", show_default="0"),
    ] = None,
    lstm: Annotated[
        option.Lstm | None,
        option.option(
            TRAINING,
            "LSTM to train with: packed, which computes tokens alone, in less time, or keras, "
            "Keras's own; auto takes packed where that pays. The two round differently, so each "
            "gives weights with other bits.",
            show_default="auto",
        ),
    ] = None,
    shards: Annotated[
        option.Count | None,
        _option(
            SHARDS,
            "Cut each batch into N parts for as many devices, which needs JAX. Another N gives "
            "weights with other bits; the number of processes does not change them.",
            show_default="1, or --processes",
        ),
    ] = None,
    shard_rows: Annotated[
        bool | None,
        option.option(
            SHARDS,
            "Let each process hold a part of the rows, so that a matrix too large for one machine "
            "can be trained. This needs JAX and --processes, and gives the weights, to the bit, of "
            "one process on JAX.",
            "--shard-rows/--no-shard-rows",
            metavar="",
            show_default="no, or as the run was",
        ),
    ] = None,
    tensorboard: Annotated[
        str | None, _option(RUN, "Write logs for TensorBoard to a folder.", "DIR")
    ] = None,
    out: Annotated[
        str | None,
        option.option(
            RUN,
            "Folder that the run is written to.",
            "--out",
            "-o",
            metavar="RUN",
            show_default="runs/NAME",
        ),
    ] = None,
    force: Annotated[bool, option.flag(RUN, "Replace a run that is there already.", "--force")] = (
        False
    ),
    resume: Annotated[
        str | None, _option(RUN, "Go on with a run after its last finished epoch.", "RUN")
    ] = None,
    backend: Annotated[
        option.BackendName | None,
        option.backend_option(
            "KERAS_BACKEND, else the run's, else tensorflow",
            "Another one gives weights with other bits.",
        ),
    ] = None,
) -> None:
    """Train the classic classifier (Embedding, LSTM, Dense) and leave a run folder.

    The defaults are the classic IMDB recipe; on small data they follow its size.

    \b
    Examples:
    embedinspect train sample:reviews
    embedinspect train imdb
    embedinspect train imdb --data path/to/imdb.npz --out runs/imdb
    embedinspect train --resume runs/reviews
    embedinspect train imdb --shard-rows --processes 4
    """
    chosen = form.choose()
    if (data_set is None) == (resume is None):
        raise UsageError("expected either DATA, such as imdb, or --resume RUN; see train --help")
    settings = {
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
        "lstm": lstm,
        "shards": shards,
        "shard_rows": shard_rows,
    }
    settings = {name: value for name, value in settings.items() if value is not None}
    from embedinspect.output import train as output
    from embedinspect.output.stdout import waiting
    from embedinspect.training import session as training

    if tensorboard is not None:
        from embedinspect.training.fit import check_tensorboard

        check_tensorboard()
    begin = training.begin if resume is None else training.resume
    # Keras shows the progress of a download itself.
    download = data_set == "imdb" and data is None
    reading = waiting(f"Reading {data or data_set or resume}")
    with nullcontext() if download else reading:
        session = begin(
            resume or data_set or "",
            settings,
            data=data,
            text_column=text_column,
            label_column=label_column,
            out=out,
            force=force,
            backend=backend,
            request=processes.request(),
        )
    for warning in session.warnings:
        note(f"Warning: {warning}")
    for message in session.notes:
        note(message)

    @cache
    def run() -> Run:
        return _train(session, tensorboard)

    answer = Answer(
        title="What a classifier learns",
        page=lambda: output.page(session, run),
        document=lambda: output.document(session, run()),
    )
    write_answer(answer, chosen)
    error = training.loss_error(run())
    if error is not None:
        raise error


def _train(session: Session, tensorboard: str | None) -> Run:
    """Build the classifier and train it, with no other process at the place of the run."""
    from embedinspect.output.stdout import waiting
    from embedinspect.training import session as training
    from embedinspect.training.run_place import held

    if session.plan is not None:
        return _train_together(session, session.plan, tensorboard)
    built = "built" if session.run is None else "rebuilt"
    with held(session.out):
        with waiting(f"Keras is imported and the classifier is {built}"):
            trainer = training.build(session)
        with _interruptible(trainer.run.path):
            return _fit(trainer, tensorboard)


def _fit(trainer: Trainer, tensorboard: str | None) -> Run:
    """Compile the LSTM where need be, and train the epochs that are left, with progress."""
    from embedinspect.output.progress import reporting
    from embedinspect.output.stdout import waiting
    from embedinspect.training import session as training

    compiling = training.needs_compiling(trainer)
    if compiling:
        note("The LSTM is compiled for this processor, once: some seconds")
    with waiting("The LSTM is compiled" if compiling else "The LSTM is loaded"):
        training.prepare(trainer)
    with reporting() as report:
        return training.train(trainer, report, tensorboard=tensorboard)


def _train_together(session: Session, plan: Plan, tensorboard: str | None) -> Run:
    """Let processes train the classifier; where one of them writes the run here, no other does."""
    from embedinspect.output.progress import reporting
    from embedinspect.output.stdout import waiting
    from embedinspect.training.hosts.supervise import Fleet
    from embedinspect.training.run_place import held

    if not plan.alone:
        where = plan.coordinator or "the address that the cluster names"
        minutes = plan.join_seconds // 60
        note(f"Waiting for the other processes at {where}, for up to {minutes} minutes")
    meeting = f"{plural(plan.processes, 'process', 'processes')} meet and build the classifier"
    with (
        held(session.out) if plan.leads else nullcontext(),
        Fleet(session, plan, tensorboard) as fleet,
    ):
        with waiting(meeting):
            fleet.start()
        saving = _interruptible(session.out, plan.again) if plan.leads else nullcontext()
        with saving, reporting() as report:
            return fleet.train(report)


@contextmanager
def _interruptible(path: Path, options: Sequence[str] = ()) -> Iterator[None]:
    """Say what is saved and how to go on, with which options, where Ctrl-C ends the block."""
    try:
        yield
    except KeyboardInterrupt:
        from embedinspect.training.run_folder import how_to_go_on

        note(f"interrupted; {how_to_go_on(path, options)}")
        raise
