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
from embedinspect.training.run_folder import Run
from embedinspect.training.session import Session


class Member:
    """One process of a training, with its part of the classifier.

    Attributes:
        model: the classifier that all train together.
        twin: the same of plain layers, in process 0 alone: it is evaluated and saved.
        run: as it stands.
    """

    def __init__(self, keras: Any, session: Session, plan: Plan, agreement: Agreement) -> None:
        """Build the classifier; where this is process 0, write the folder of a new run.

        Raises:
            EmbedInspectError: as for `fit.start` and `fit.resume`, or the processes differ.
        """
        self._keras, self._session, self._agreement = keras, session, agreement
        agreement.compare(_facts(keras, session, plan))
        self.run, self.twin = self._start()
        mesh = keras.distribution.distribution().device_mesh.backend_mesh
        lstm = sharded_lstm(keras, mesh, BATCH)
        self.model = classifier.build(keras, session.settings, layer=lstm)
        classifier.fill(self.model, classifier.state_arrays(keras, self.twin))
        if not self._leads:
            self.twin = None

    @property
    def _leads(self) -> bool:
        return self._agreement.process_id == 0

    def _start(self) -> tuple[Run, Any]:
        """Return the run and a classifier of plain layers, as they are before the next epoch."""
        keras, session = self._keras, self._session
        with undistributed(keras):
            if session.run is not None:
                return fit.resume(keras, session.run, session.data)
            if self._leads:
                return self._leading(
                    lambda: fit.start(
                        keras, session.data, session.settings, session.out, force=session.force
                    )
                )
            self._agreement.hear()
            described = run_folder.describe_data(session.data)
            run = Run(session.out, session.settings, session.data.vocabulary, described)
            return run, classifier.build(keras, session.settings)

    def _leading(self, work: Callable[[], tuple[Run, Any]]) -> tuple[Run, Any]:
        """Do something as process 0, and tell the others that it is done, or why not."""
        try:
            done = work()
        except EmbedInspectError as error:
            self._agreement.tell({"error": str(error)})
            raise
        self._agreement.tell(state_of(done[0]))
        return done

    def train(self, report: fit.Report, tensorboard: str | None = None) -> Run:
        """Train the epochs that are left and return the run, which is the same in all processes.

        Args:
            report: called after every batch.
            tensorboard: folder for TensorBoard's logs, which process 0 writes.
        """
        folder = tensorboard if self._leads else None
        return fit.fit(
            self._keras,
            self.model,
            self.run,
            self._session.data,
            report,
            tensorboard=folder,
            lead=self._lead,
        )

    def _lead(self, work: Callable[[Any], Run]) -> Run:
        """Let process 0 evaluate and write, on its twin; return the run that it comes to."""
        if self._leads:
            self.run, _ = self._leading(lambda: (self._on_twin(work), None))
        else:
            self.run = with_state(self.run, self._agreement.hear())
        return self.run

    def _on_twin(self, work: Callable[[Any], Run]) -> Run:
        arrays = classifier.state_arrays(self._keras, self.model)
        with undistributed(self._keras):
            classifier.fill(self.twin, arrays)
            return work(self.twin)


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
    versions = {**backends.versions(keras), "numpy": np.__version__}
    return {
        **asdict(session.settings),
        **{f"version of {name}": version for name, version in versions.items() if name != "python"},
        "a fingerprint of the data of": session.data.fingerprint,
        "processes": plan.processes,
        "finished epochs": 0 if run is None else run.epochs,
        "the checkpoint": None if run is None else _digest(run),
    }


def _digest(run: Run) -> str:
    try:
        contents = run.checkpoint_path(run.epochs).read_bytes()
    except OSError:
        return "unreadable"
    return hashlib.sha256(contents).hexdigest()
