"""The parent of the processes that train here: it starts them, listens, and says what went wrong.

JAX ends a process by abort where another has gone or none has come, so only a parent can say so.
"""

from __future__ import annotations

import json
import os
import pickle
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.training import run_folder
from embedinspect.training.fit import Progress, Report
from embedinspect.training.hosts.fitting import with_state
from embedinspect.training.hosts.plan import Plan
from embedinspect.training.hosts.worker import Job
from embedinspect.training.run_folder import Run
from embedinspect.training.session import Session

# When one process is gone, the others follow by themselves; their messages say more.
_SECONDS_TO_FOLLOW = 3.0
_SECONDS_TO_END = 10.0
_MOST_OF_A_LOG = 4000
_START = (
    "import sys; sys.path[:] = {path}; from embedinspect.training.hosts.worker import main; main()"
)
# How JAX names those that do not answer any more.
_UNHEALTHY = re.compile(r"tasks are unhealthy[^\n]*:\n((?:\d+\n)+)")


@dataclass
class Worker:
    """A process that was started here, and what is known of it."""

    number: int
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    messages: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None

    def said(self, kind: str) -> dict[str, Any] | None:
        return next((message for message in self.messages if message["kind"] == kind), None)

    def last_words(self) -> str:
        """Return the end of what it wrote to stderr."""
        size = self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, size - _MOST_OF_A_LOG))
        return self.log.read().decode(errors="replace")


class Fleet:
    """The processes of a training that are started here. They end with the block.

    Attributes:
        workers: the processes, in the order of their numbers.
    """

    def __init__(self, session: Session, plan: Plan, tensorboard: str | None = None) -> None:
        self._session, self._plan, self._tensorboard = session, plan, tensorboard
        self.workers: list[Worker] = []
        self._events: queue.Queue[tuple[Worker, dict[str, Any] | None]] = queue.Queue()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            with suppress(OSError):
                worker.process.kill()
            worker.process.wait()
            worker.log.close()

    def start(self) -> None:
        """Start the processes, and return once each has joined the others and is ready to train.

        Raises:
            EmbedInspectError: what one of them ended with, or one line that says how it went.
        """
        for number in self._plan.local:
            self.workers.append(self._started(number))
        self._listen_until("ready", lambda _: None)

    def train(self, report: Report) -> Run:
        """Return the run, once all processes have trained it.

        Args:
            report: called now and then with the progress of the first process here.

        Raises:
            EmbedInspectError: as for `start`; it says which epochs are saved.
        """
        self._listen_until("done", report)
        for worker in self.workers:  # which wait for those elsewhere
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(_SECONDS_TO_END)
        done = self.workers[0].said("done")
        assert done is not None
        session = self._session
        described = run_folder.describe_data(session.data)
        run = session.run or Run(session.out, session.settings, session.data.vocabulary, described)
        return with_state(run, done["state"])

    def _started(self, number: int) -> Worker:
        log = tempfile.TemporaryFile()  # noqa: SIM115 (until the worker has ended)
        process = subprocess.Popen(
            [sys.executable, "-c", _START.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "KERAS_BACKEND": "jax"},
            start_new_session=True,  # Ctrl-C is the parent's
        )
        worker = Worker(number, process, log)
        threading.Thread(target=self._listen, args=[worker], daemon=True).start()
        job = Job(self._session, self._plan, number, self._tensorboard)
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it is gone already, which is noticed elsewhere
            pickle.dump(job, process.stdin)
            process.stdin.flush()
        return worker

    def _listen(self, worker: Worker) -> None:
        assert worker.process.stdout is not None
        for line in worker.process.stdout:
            with suppress(ValueError):  # cut off as it was killed
                self._events.put((worker, json.loads(line)))
        self._events.put((worker, None))

    def _listen_until(self, kind: str, report: Report) -> None:
        """Take messages until each process has said one of a kind."""
        while not all(worker.said(kind) for worker in self.workers):
            worker, message = self._events.get()
            self._note(worker, message, report)
            if worker.code or (worker.code == 0 and not worker.said(kind)):
                raise self._trouble()

    def _note(self, worker: Worker, message: dict[str, Any] | None, report: Report) -> None:
        if message is None:
            worker.code = worker.process.wait()
        elif message["kind"] != "progress":
            worker.messages.append(message)
        elif worker is self.workers[0]:
            del message["kind"]
            report(Progress(**message))

    def _trouble(self) -> EmbedInspectError:
        """Return what to say of processes of which one at least has ended before its time."""
        first = next(worker for worker in self.workers if worker.code is not None)
        end = time.monotonic() + _SECONDS_TO_FOLLOW
        while any(worker.code is None for worker in self.workers):
            with suppress(queue.Empty):
                left = max(0.0, end - time.monotonic())
                self._note(*self._events.get(timeout=left), report=lambda _: None)
                continue
            break
        for worker in self.workers:
            error = worker.said("error")
            if error is not None:
                kind = UsageError if error["type"] == "UsageError" else DataError
                return kind(error["text"])
        killed = next((worker for worker in self.workers if _was_killed(worker)), None)
        fault = next((worker for worker in self.workers if worker.said("fault")), None)
        if killed is not None:
            gone = f"{self._name(killed.number)} {_ended(killed.code)}"
        elif fault is not None:  # ours, which keeps its traceback
            raise RuntimeError(f"{self._name(fault.number)} failed:\n{_text(fault, 'fault')}")
        elif not all(worker.said("joined") for worker in self.workers):
            return DataError(self._not_joined(first))
        else:
            gone = self._what_is_gone(first)
        return DataError(f"{gone}; {self._how_to_go_on()}")

    def _name(self, number: int) -> str:
        return f"process {number} of {self._plan.processes}"

    def _not_joined(self, first: Worker) -> str:
        plan = self._plan
        where = plan.coordinator or "the coordinator that the cluster names"
        if "Failed to start RPC server" in _text(first, "lost"):
            return (
                f"process 0 cannot wait for the others at {where}: the port is taken, or the "
                "address is none of this machine; expected a free port of it"
            )
        return (
            f"the {plan.processes} processes did not meet at {where} within {plan.join_seconds} s"
            f"{_reason(first)}; expected all of them to be started with the same --coordinator and "
            "--processes, and process 0 to be reachable there"
        )

    def _what_is_gone(self, first: Worker) -> str:
        """Return which process has gone, as far as that can be told from here."""
        silent = [
            int(number)
            for worker in self.workers
            for numbers in _UNHEALTHY.findall(worker.last_words())
            for number in numbers.split()
        ]
        if silent:
            return f"{self._name(silent[0])} does not answer any more"
        elsewhere = sorted(set(range(self._plan.processes)) - set(self._plan.local))
        if len(elsewhere) == 1:
            return f"{self._name(elsewhere[0])} has gone"
        if elsewhere:
            return "a process that was started elsewhere has gone"
        return f"{self._name(first.number)} {_ended(first.code)}{_reason(first)}"

    def _how_to_go_on(self) -> str:
        session = self._session
        if not self._plan.leads:
            return "the run is kept by process 0, which says how to go on with it"
        if session.run is None and not all(worker.said("ready") for worker in self.workers):
            return "nothing was trained yet"  # a run that is there may be one to be replaced
        return run_folder.how_to_go_on(session.out, self._plan.again)


def _was_killed(worker: Worker) -> bool:
    """Return whether something ended it; JAX itself ends processes by abort."""
    return worker.code is not None and worker.code < 0 and -worker.code != signal.SIGABRT


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"was killed ({signal.Signals(-code).name})"
    return f"ended with {code}"


def _text(worker: Worker, kind: str) -> str:
    said = worker.said(kind)
    return "" if said is None else str(said["text"])


def _reason(worker: Worker) -> str:
    """Return the first line of what JAX said, in brackets; nothing where it said nothing."""
    lines = [line for line in _text(worker, "lost").splitlines() if line.strip()]
    return f" ({lines[0][:200]})" if lines else ""
