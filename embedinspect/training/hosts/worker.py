"""What each process runs. Its parent sends the work on stdin and reads messages from its stdout.

The parent keeps stdin open; when it is gone, this process ends, too.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import select
import sys
import threading
import time
import traceback
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, NoReturn

from embedinspect.errors import EmbedInspectError
from embedinspect.training.fit import Progress
from embedinspect.training.hosts.plan import Plan
from embedinspect.training.run_place import remove_lock
from embedinspect.training.session import Session

_SECONDS_BETWEEN_REPORTS = 0.1
# Another process, which has the same parent, may be gone before it is noticed here why.
_SECONDS_TO_MISS_PARENT = 0.2
_SECONDS_TO_END = 5.0
_ENDING = threading.Lock()
# What JAX says, in errors of several types, where another process is gone or cannot be reached.
_OF_OTHERS = re.compile(r"Gloo|UNAVAILABLE|DEADLINE_EXCEEDED|RPC|[Cc]oordination ?[Ss]ervice")


@dataclass(frozen=True)
class Job:
    """The work of one process.

    Attributes:
        process_id: its number.
        tensorboard: folder for TensorBoard's logs.
    """

    session: Session
    plan: Plan
    process_id: int
    tensorboard: str | None = None


class Messages:
    """One line of JSON for each message to the parent."""

    def __init__(self) -> None:
        # What native code prints must not come between.
        self._file = os.dup(1)
        os.dup2(2, 1)
        self._last = 0.0

    def say(self, kind: str, **values: Any) -> None:
        os.write(self._file, (json.dumps({"kind": kind, **values}) + "\n").encode())

    def progress(self, progress: Progress) -> None:
        """Tell how far an epoch is, now and then, and at its end."""
        now = time.monotonic()
        if progress.reviews >= progress.of_reviews or now - self._last > _SECONDS_BETWEEN_REPORTS:
            self._last = now
            self.say("progress", **asdict(progress))


def main() -> NoReturn:
    """Do the job that comes on stdin; the exit code is 0 where it is done."""
    messages, parent = Messages(), os.getppid()
    job: Job = pickle.load(sys.stdin.buffer)  # from the parent, and no one else
    threading.Thread(
        target=_end_with_parent, args=[sys.stdin.buffer, job, parent], daemon=True
    ).start()
    code = 1
    try:
        _work(job, messages)
        code = 0
    except EmbedInspectError as error:
        messages.say("error", type=type(error).__name__, text=str(error))
        time.sleep(1)  # a process 0 that is gone at once would keep the others from hearing it
    except Exception as error:
        if _OF_OTHERS.search(str(error)):
            messages.say("lost", text=str(error))
        else:
            messages.say("fault", text=traceback.format_exc())
    finally:  # where the parent is gone, even saying so is an error
        _end(job, parent, code)


def _work(job: Job, messages: Messages) -> None:
    if job.tensorboard is None:
        # Keras asks whether TensorFlow is there, which imports it: seconds and 300 MB for nothing.
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    from embedinspect.training.hosts.join import join

    keras = join(job.plan, job.process_id, lambda: messages.say("joined"))
    from embedinspect.training.hosts.agree import Agreement
    from embedinspect.training.hosts.fitting import ShardMember, state_of
    from embedinspect.training.hosts.row_fitting import RowMember

    agreement = Agreement(job.process_id, job.plan.processes)
    kind = RowMember if job.plan.shard_rows else ShardMember
    member = kind(keras, job.session, job.plan, agreement)
    member.build()
    messages.say("ready")
    run = member.train(messages.progress, job.tensorboard)
    agreement.wait("done")
    messages.say("done", state=state_of(run))
    agreement.wait("said")  # or the end of process 0 would be an error to the others


def _end_with_parent(stdin: BinaryIO, job: Job, parent: int) -> None:
    stdin.read()
    _end(job, parent, 1)


def _end(job: Job, parent: int, code: int) -> NoReturn:
    """End this process, and remove the lock of the run that a killed parent has left."""
    _ENDING.acquire()  # for good: the other thread may be about to end, too
    try:
        if code and job.process_id == 0 and _has_ended(parent):
            remove_lock(job.session.out)
    finally:
        os._exit(code)


def _has_ended(parent: int) -> bool:
    """Return whether the parent was killed; where it is about to end, wait until it has."""
    if not select.select([0], [], [], _SECONDS_TO_MISS_PARENT)[0]:
        return False  # it keeps stdin open
    end = time.monotonic() + _SECONDS_TO_END
    while os.getppid() == parent and time.monotonic() < end:  # it holds the lock as long
        time.sleep(0.01)
    return os.getppid() != parent
