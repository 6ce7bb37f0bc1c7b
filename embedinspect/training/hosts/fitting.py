"""The training of one process among others: all compute every batch, process 0 does the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import EmbedInspectError
from embedinspect.training import backends, classifier, fit, run_folder
from embedinspect.training.hosts.agree import Agreement
from embedinspect.training.hosts.join import BATCH, undistributed
from embedinspect.training.hosts.layers import sharded_lstm
from embedinspect.training.hosts.plan import Plan
from embedinspect.training.recorder import Recorder
from embedinspect.training.run_folder import Run
from embedinspect.training.session import Session
from embedinspect.training.settings import option_of


class Member:
    """One process of a training, and the classifier that all train together.

    Attributes:
        model: the classifier.
        run: as it stands.
    """

    model: Any
    run: Run

    def __init__(self, keras: Any, session: Session, plan: Plan, agreement: Agreement) -> None:
        """Compare notes with the other processes.

        Raises:
            EmbedInspectError: they differ.
        """
        self.keras, self.session, self.plan, self.agreement = keras, session, plan, agreement
        described = run_folder.describe_data(session.data)
        new = Run(session.out, session.settings, session.data.vocabulary, described)
        self.run = session.run or new
        agreement.compare(_facts(keras, session, plan))

    @property
    def leads(self) -> bool:
        """Whether this is process 0."""
        return self.agreement.process_id == 0

    def build(self) -> None:
        """Build the classifier; where this is process 0, write the folder of a new run.

        Raises:
            EmbedInspectError: as for `fit.start` and `fit.resume`.
        """
        raise NotImplementedError

    def recorder(self) -> Recorder:
        """Return what evaluates and saves the classifier."""
        raise NotImplementedError

    def lead(self, work: Callable[[], Run]) -> Run:
        """Let process 0 do something, and the others wait for what becomes of it.

        Returns:
            The run as process 0 has it then.

        Raises:
            EmbedInspectError: what it ended with.
        """
        if not self.leads:
            return with_state(self.run, self.listen())
        try:
            run = work()
        except EmbedInspectError as error:
            self.agreement.tell({"error": str(error)})
            raise
        self.agreement.tell(state_of(run))
        return run

    def listen(self) -> dict[str, Any]:
        """Return what process 0 says of the run when its work is done."""
        return self.agreement.hear()

    def train(self, report: fit.Report, tensorboard: str | None = None) -> Run:
        """Train the epochs that are left and return the run, which is the same in all processes.

        Args:
            report: called after every batch, and once more when an epoch is saved.
            tensorboard: folder for TensorBoard's logs, which process 0 writes.
        """
        self.run = fit.fit(
            self.keras,
            self.model,
            self.run,
            self.session.data,
            report,
            tensorboard=tensorboard if self.leads else None,
            recorder=self.recorder(),
        )
        return self.run


class ShardMember(Member):
    """One of the processes that cut each batch in shards.

    Attributes:
        twin: the classifier of plain layers, in process 0 alone: it is evaluated and saved.
    """

    twin: Any

    def build(self) -> None:
        keras = self.keras
        with undistributed(keras):
            self.run, self.twin = self._start()
        mesh = keras.distribution.distribution().device_mesh.backend_mesh
        lstm = sharded_lstm(keras, mesh, BATCH)
        self.model = classifier.build(keras, self.session.settings, layer=lstm)
        classifier.fill(self.model, classifier.state_arrays(keras, self.twin))
        if not self.leads:
            self.twin = None

    def _start(self) -> tuple[Run, Any]:
        """Return the run and a classifier of plain layers, as they are before the next epoch."""
        keras, session = self.keras, self.session
        if session.run is not None:
            return fit.resume(keras, session.run, session.data)
        built = []

        def start() -> Run:
            run, model = fit.start(
                keras, session.data, session.settings, session.out, force=session.force
            )
            built.append(model)
            return run

        run = self.lead(start)
        return run, built[0] if built else classifier.build(keras, session.settings)

    def recorder(self) -> Recorder:
        return ShardRecorder(self)


class ShardRecorder(Recorder):
    """Lets process 0 evaluate and save, on its twin of the classifier."""

    def __init__(self, member: ShardMember) -> None:
        super().__init__(member.keras)
        self._member = member

    def end_epoch(self, model: Any, run: Run, *rest: Any) -> Run:
        return self._on_twin(model, run, lambda twin: Recorder.end_epoch(self, twin, run, *rest))

    def finish(self, model: Any, run: Run, *rest: Any) -> Run:
        return self._on_twin(model, run, lambda twin: Recorder.finish(self, twin, run, *rest))

    def _on_twin(self, model: Any, run: Run, work: Callable[[Any], Run]) -> Run:
        """Let process 0 do something with its twin, which is made equal to the classifier first."""
        member, keras = self._member, self._keras
        member.run = run

        def on_twin() -> Run:
            arrays = classifier.state_arrays(keras, model)
            with undistributed(keras):
                classifier.fill(member.twin, arrays)
                return work(member.twin)

        return member.lead(on_twin)


def state_of(run: Run) -> dict[str, Any]:
    """Return what training changes of a run, and where it is, as plain values."""
    names = ("status", "history", "test", "versions", "earlier_versions", "lstm")
    return {"path": str(run.path), **{name: getattr(run, name) for name in names}}


def with_state(run: Run, state: dict[str, Any]) -> Run:
    """Return a run with what `state_of` gave of it elsewhere."""
    lists = {name: tuple(state[name]) for name in ("history", "earlier_versions")}
    return replace(run, **{**state, **lists, "path": Path(state["path"])})


def _facts(keras: Any, session: Session, plan: Plan) -> dict[str, Any]:
    """Return what must be the same in all processes, or they would train apart in silence."""
    run = session.run
    given: dict[str, Any] = {}
    following: dict[str, Any] = {}
    # What follows from the data or from other options comes behind them, or it would be named for
    # what was typed.
    for name, value in asdict(session.settings).items():
        follows = name in {*session.chosen, "shards"}
        (following if follows else given)[option_of(name)] = value
    versions = {**backends.versions(keras), "numpy": np.__version__}
    return {
        **given,
        **{name: version for name, version in versions.items() if name != "python"},
        "data with the fingerprint": session.data.fingerprint,
        "--processes": plan.processes,
        **following,
        "finished epochs": 0 if run is None else run.epochs,
        "the checkpoint": None if run is None else _digest(run),
    }


def _digest(run: Run) -> str:
    try:
        with run.checkpoint_path(run.epochs).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"
