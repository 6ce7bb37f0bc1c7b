"""A training session: what was asked for becomes data, settings, a classifier and a run.

The steps are separate so that each can be announced before it takes its time: `begin` or
`resume`, then `build`, then `train`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from embedinspect import keras_layer, samples
from embedinspect.errors import DataError, UsageError
from embedinspect.training import backends, datasets, fit, run_folder, run_place, run_state
from embedinspect.training.data import DataSummary, LabelledData, limited, split, summarize
from embedinspect.training.fit import Report
from embedinspect.training.hosts import plan as hosts
from embedinspect.training.hosts.plan import Plan, Request
from embedinspect.training.lstm.choice import choose as choose_lstm
from embedinspect.training.run_folder import Run
from embedinspect.training.settings import (
    TrainSettings,
    check_settings,
    defaults_for,
    option_of,
    warnings_for,
)
from embedinspect.wording import plural

RUNS = Path("runs")
# What changes no number but for rounding may change when a run goes on.
_CHANGEABLE = ("lstm", "shard_rows")


@dataclass(frozen=True)
class Session:
    """What is going to be trained, on which data, and where the run is kept.

    Attributes:
        data: the reviews, already limited to what the settings ask for.
        settings: of the training.
        summary: the training reviews in numbers.
        out: path of the run folder.
        backend: that it is trained on.
        force: whether a run that is already there may be replaced.
        run: the run to go on with; None for a new one.
        plan: who does what where several processes train it, or in shards; else None.
        chosen: the settings that follow the size of the data, by name.
        warnings: what is known to go wrong with the settings, one sentence each.
        notes: what else the user should know before training starts, one sentence each.
    """

    data: LabelledData
    settings: TrainSettings
    summary: DataSummary
    out: Path
    backend: str
    force: bool = False
    run: Run | None = None
    plan: Plan | None = None
    chosen: dict[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trainer:
    """A classifier that is ready to train, with its run and the data that it learns from."""

    keras: Any
    model: Any
    run: Run
    data: LabelledData


def begin(
    data_name: str,
    options: Mapping[str, Any],
    *,
    data: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    out: str | None = None,
    force: bool = False,
    backend: str | None = None,
    request: Request | None = None,
) -> Session:
    """Return a session for a new run; nothing is written yet.

    Args:
        data_name: `imdb`, or the path of labelled texts.
        options: the settings that were given, by their names in `TrainSettings`.
        data: for `imdb`, the path of the data.
        out: path of the run folder, by default `runs/` and the name of the data.
        force: replace a run that is already there.
        backend: to train on, by default `KERAS_BACKEND`, else TensorFlow.
        request: the processes that train together.

    Raises:
        UsageError: options that do not go together, a path that is taken, a backend on which
            Keras cannot train, or an LSTM that is not possible here.
        DataError: data that cannot be read, or a folder that cannot be written.
    """
    request = request or Request()
    shard_rows = bool(options.get("shard_rows"))
    shared = request.several or options.get("shards", 1) > 1 or shard_rows
    backend = backends.choose(backend, shared=shared)
    meeting = hosts.meeting(request) if shared else None
    path = Path(out) if out else RUNS / samples.stem(data_name)
    if meeting is None or 0 in meeting.local:
        run_place.prepare(path)
        run_place.check_place(path, force)
    opened = datasets.open_data(
        data_name,
        data,
        num_words=options.get("num_words"),
        seed=options.get("seed", 0),
        text_column=text_column,
        label_column=label_column,
    )
    chosen = _chosen_by_size(opened, options)
    if meeting is not None:
        shards = hosts.shards_of(meeting, options.get("shards"), shard_rows=shard_rows)
        options = {**options, "shards": shards}
    settings = TrainSettings(**{**chosen, **options})
    check_settings(settings)
    plan = None if meeting is None else hosts.plan(meeting, settings)
    prepared = _prepared(opened, settings)
    _check_held_out(prepared, settings)
    choose_lstm(settings, backend, False, len(prepared.train))
    notes = []
    if chosen:
        pairs = ", ".join(f"{name} {value}" for name, value in chosen.items())
        notes.append(f"The settings follow the size of the data: {pairs}")
    return Session(
        data=prepared,
        settings=settings,
        summary=summarize(prepared, settings),
        out=path,
        backend=backend,
        force=force,
        plan=plan,
        chosen=chosen,
        warnings=tuple(warnings_for(settings)),
        notes=tuple(notes),
    )


def resume(
    path: str,
    options: Mapping[str, Any],
    *,
    data: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    out: str | None = None,
    force: bool = False,
    backend: str | None = None,
    request: Request | None = None,
) -> Session:
    """Return a session that goes on with a run after its last finished epoch.

    It takes the options of `begin` and refuses all but `epochs`, `lstm`, `shard_rows` and `data`,
    since the run keeps its own settings.

    Args:
        path: of the run folder.
        options: the settings that were given; with more `epochs` a run that is done goes on.
        data: another path to the data that the run was trained on.
        backend: to go on with, by default `KERAS_BACKEND`, else the one that the run was trained
            on.
        request: the processes that go on with it together, as many as divide its shards.

    Raises:
        UsageError: options that do not go with it.
        DataError: a run or data that cannot be read.
    """
    places = {
        "out": out,
        "force": force,
        "text_column": text_column,
        "label_column": label_column,
    }
    refused = [name for name in options if name not in {"epochs", *_CHANGEABLE}]
    refused += [name for name, value in places.items() if value]
    if refused:
        raise UsageError(
            f"{option_of(refused[0])} does not go with --resume, which keeps the run's own settings"
        )
    request = request or Request()
    meeting = hosts.meeting(request) if request.several else None
    if meeting is None or 0 in meeting.local:
        run_place.prepare(Path(path))
    run = _with_epochs(run_folder.open_run(path), options.get("epochs"))
    changed = {name: options[name] for name in _CHANGEABLE if name in options}
    run = replace(run, settings=replace(run.settings, **changed))
    check_settings(run.settings)
    shared = request.several or run.settings.shards > 1 or bool(options.get("shard_rows"))
    backend = backends.choose(backend, run, shared=shared)
    plan = None
    if shared:
        meeting = meeting or hosts.meeting(request)
        # One process goes on alone with rows that were shared: it holds them all.
        if meeting.processes > 1 or not run.settings.shard_rows or options.get("shard_rows"):
            plan = hosts.plan(meeting, run.settings)
    source = run.data.get("source")
    reopened = datasets.reopen(source if isinstance(source, dict) else {}, data, run.settings)
    prepared = _prepared(reopened, run.settings)
    choose_lstm(run.settings, backend, False, len(prepared.train))
    return Session(
        data=prepared,
        settings=run.settings,
        summary=summarize(prepared, run.settings),
        out=run.path,
        backend=backend,
        run=run,
        plan=plan,
        notes=(
            *_notes_on_status(run, options.get("epochs")),
            *_notes_on_backend(run, backend),
            *_notes_on_rows(run, plan),
        ),
    )


def build(session: Session) -> Trainer:
    """Import Keras and build the classifier; for a new run, write its folder as it starts.

    Raises:
        UsageError, DataError: as for `fit.start` and `fit.resume`.
        KerasUnavailable: Keras or the backend cannot be imported.
    """
    keras = keras_layer.load(session.backend)
    run, data = session.run, session.data
    with keras_layer.quiet():
        if run is None:
            run, model = fit.start(keras, data, session.settings, session.out, force=session.force)
        else:
            run, model = fit.resume(keras, run, data)
    return Trainer(keras, model, run, data)


def needs_compiling(trainer: Trainer) -> bool:
    """Return whether the LSTM has to be compiled for this processor first, which takes seconds."""
    if not _is_packed(trainer):
        return False
    from embedinspect.training.lstm import compiling

    return not compiling.is_kept()


def prepare(trainer: Trainer) -> None:
    """Compile what training needs, or load what was compiled before."""
    if _is_packed(trainer):
        from embedinspect.training.lstm import passes

        passes.prepare()


def _is_packed(trainer: Trainer) -> bool:
    return (trainer.run.lstm or {}).get("kernel") == "packed"


def train(trainer: Trainer, report: Report, *, tensorboard: str | None = None) -> Run:
    """Train the epochs that are left and return the run as it was saved last.

    Args:
        report: called after every batch, and once more when an epoch is saved.
        tensorboard: folder for TensorBoard's logs.
    """
    with keras_layer.quiet():
        return fit.fit(
            trainer.keras,
            trainer.model,
            trainer.run,
            trainer.data,
            report,
            tensorboard=tensorboard,
        )


def loss_error(run: Run) -> DataError | None:
    """Return the error to end with where the loss stopped being a number, else None."""
    if run.status != run_state.NOT_A_NUMBER:
        return None
    return DataError(
        f"the loss of epoch {run.epochs + 1} is not a number; expected a finite one; lower "
        f"--learning-rate (finished epochs that are kept: {run.epochs})"
    )


def _check_held_out(data: LabelledData, settings: TrainSettings) -> None:
    """Find out whether the share for validation leaves reviews to train on, and holds out any.

    Raises:
        UsageError: it does not.
    """
    train, held_out = split(data.train, settings)
    if settings.validation and not (len(train) and len(held_out)):
        reviews = plural(len(data.train), "training review")
        raise UsageError(
            f"--validation {settings.validation:g} holds out {len(held_out)} of {reviews}; "
            "expected a share that holds out 1 or more and leaves 1 or more to train on"
        )


def _chosen_by_size(data: LabelledData, options: Mapping[str, Any]) -> dict[str, object]:
    """Return the settings that follow the size of the data; IMDB has the classic ones."""
    if data.source["kind"] == "imdb":
        return {}
    lengths = [len(ids) for ids in data.train.ids]
    defaults = defaults_for(lengths, len(data.vocabulary.word_index), options.get("epochs"))
    return {name: value for name, value in defaults.items() if name not in options}


def _prepared(data: LabelledData, settings: TrainSettings) -> LabelledData:
    return limited(datasets.with_num_words(data, settings.num_words), settings)


def _with_epochs(run: Run, epochs: int | None) -> Run:
    """Return the run with its epochs in all; one that was done goes on if these are more."""
    epochs = run.settings.epochs if epochs is None else epochs
    status = run.status
    if status == run_state.DONE and epochs > run.epochs:
        status = run_state.TRAINING
    settings = replace(run.settings, epochs=max(epochs, run.epochs))
    return replace(run, settings=settings, status=status)


def _notes_on_status(run: Run, asked: int | None) -> tuple[str, ...]:
    """Return what to say of a run that is not trained any further.

    Args:
        asked: how many epochs in all were asked for; None where none were.
    """
    if run.status == run_state.TRAINING:
        return ()
    if run.status == run_state.DONE and asked is not None:
        return (
            f"nothing is trained: --epochs {asked} counts those of the run, too, and "
            f"{run.epochs} are finished; to train more: --epochs {run.epochs + 1} or above",
        )
    if run.status == run_state.DONE:
        return (f"{run.path} is finished; to train more epochs: --resume {run.path} --epochs N",)
    return (f"{run.path} has ended ({run.status}) and is not trained any further",)


def _notes_on_backend(run: Run, backend: str) -> tuple[str, ...]:
    change = backends.change_of_backend(run, backend) if run.status == run_state.TRAINING else None
    return () if change is None else (change,)


def _notes_on_rows(run: Run, plan: Plan | None) -> tuple[str, ...]:
    """Return what to say where one process goes on with a run whose rows were shared out."""
    if plan is not None or not run.settings.shard_rows or run.status != run_state.TRAINING:
        return ()
    return (
        f"{run.path} shared out its rows; here one process holds them all; to share them again: "
        "--processes N",
    )
