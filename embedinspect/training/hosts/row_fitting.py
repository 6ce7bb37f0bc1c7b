"""The training of one process among others that hold a part of the matrix each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from embedinspect.formats.arrays import Array
from embedinspect.training import checkpoint, classifier, fit, model_file, run_folder
from embedinspect.training.checkpoint import State, Stored
from embedinspect.training.hosts.fitting import Member
from embedinspect.training.hosts.join import undistributed
from embedinspect.training.hosts.rows import Exchange, Parts, Table, is_by_rows, padded
from embedinspect.training.recorder import Recorder
from embedinspect.training.run_folder import Run

# The matrix, and Adam's two moments of it.
_TABLES = 3


class RowMember(Member):
    """One of the processes that hold a part of the rows each, and compute every batch whole."""

    exchange: Exchange | None = None  # until there are rows

    def build(self) -> None:
        keras, session, settings = self.keras, self.session, self.session.settings
        devices = keras.distribution.distribution().device_mesh.devices.size
        share = min(1.0, len(self.plan.local) / devices)
        if session.run is None:
            check = partial(fit.check_start, settings, session.out, force=session.force)
            self._leading(lambda: check(share=share))
        else:
            fit.check_resume(session.run, session.data, share=share)
        whole = replace(settings, num_words=padded(settings.num_words, devices))
        self.model = classifier.build(keras, whole, layer=keras.layers.LSTM)
        self._variables = classifier.state_variables(self.model)
        self.tables = {
            name: Table(name, variable, settings.num_words)
            for name, variable in self._variables.items()
            if is_by_rows(variable)
        }
        if len(self.tables) != _TABLES:
            raise RuntimeError(f"of the state only {list(self.tables)} is laid out by rows")
        self.exchange = Exchange(self.agreement, self.tables)
        self._parts: Parts = {}
        if session.run is None:
            self.run = fit.new_run(keras, session.data, settings, session.out)
            self._leading(lambda: fit.create(self.run, self.saved(), force=session.force))
        else:
            self.run = fit.resumed(keras, session.run, session.data)
            self.restore()

    def _leading(self, work: Callable[[], None]) -> None:
        """Let process 0 do something that leaves the run as it is."""

        def unchanged() -> Run:
            work()
            return self.run

        self.run = self.lead(unchanged)

    def listen(self) -> dict[str, Any]:
        if self.exchange is None:
            return super().listen()
        return self.exchange.serve(self._receive)

    def recorder(self) -> Recorder:
        return RowRecorder(self)

    def state(self) -> State:
        """Return the state of model and optimizer, of which tables are not all here."""
        convert = self.keras.ops.convert_to_numpy
        state: dict[str, Stored] = {}
        for name, variable in self._variables.items():
            table = self.tables.get(name)
            state[name] = np.array(convert(variable)) if table is None else table
        return state

    def saved(self) -> State:
        """Return the state as process 0 can save it, while the others listen."""
        assert self.exchange is not None
        return {**self.state(), **self.exchange.readers()}

    def restore(self) -> None:
        """Put the state after the run's last epoch into the model of every process.

        Raises:
            DataError: process 0 finds the checkpoint missing or damaged.
        """
        exchange, path = self.exchange, self.run.checkpoint_path(self.run.epochs)
        assert exchange is not None
        shapes = {
            name: self.tables[name].shape if name in self.tables else tuple(variable.shape)
            for name, variable in self._variables.items()
        }

        def send() -> None:
            for block in exchange.send(checkpoint.read_blocks(path, shapes)):
                self._receive(*block)

        self._leading(send)

    def _receive(self, name: str, first: int, block: Array) -> None:
        """Take of a block what is held here; the blocks of an array come in order."""
        if name not in self.tables:
            classifier.fill(self.model, {name: block})
            return
        table = self.tables[name]
        if first == 0:
            self._parts = table.empty_parts()
        for (start, end), part in self._parts.items():
            low, high = max(first, start), min(first + len(block), end)
            if low < high:
                part[low - start : high - start] = block[low - first : high - first]
        if first + len(block) == table.shape[0]:
            table.assign(self._parts)
            self._parts = {}


class RowRecorder(Recorder):
    """Evaluates in all processes, which hold the classifier together; process 0 saves it."""

    def __init__(self, member: RowMember) -> None:
        super().__init__(member.keras)
        self._member = member

    def state(self, model: Any) -> State:
        return self._member.state()

    def is_finite(self, state: State) -> bool:
        # No process may stop at the first that is not: the others would wait for its answer.
        tables = [table.is_finite() for table in self._member.tables.values()]
        return super().is_finite(state) and all(tables)

    def restore(self, model: Any, run: Run) -> None:
        self._member.run = run
        self._member.restore()

    def save_epoch(self, run: Run, state: State) -> Run:
        member = self._member
        member.run = run

        def save() -> Run:
            run_folder.save_epoch(run, member.saved())
            return run

        member.run = member.lead(save)
        return member.run

    def save_end(self, model: Any, run: Run) -> Run:
        member = self._member
        member.run = run

        def save() -> Run:
            write = partial(model_file.write, self._keras, model, run, member.tables)
            with undistributed(self._keras):
                run_folder.save_model(run, write)
            run_folder.save_state(run)
            return run

        member.run = member.lead(save)
        return member.run
