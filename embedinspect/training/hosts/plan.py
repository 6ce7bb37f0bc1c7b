"""Who trains what: shards, processes, and where they meet."""

from __future__ import annotations

import importlib.util
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from embedinspect.errors import UsageError
from embedinspect.training.settings import TrainSettings
from embedinspect.wording import plural, up_to

LOOPBACK = "127.0.0.1"
AUTO = "auto"
JOIN_SECONDS = 300
MOST_PROCESSES = 1024
# What tells a process its number and how many there are, by the name of what started them.
CLUSTERS = {
    "Slurm": ("SLURM_PROCID", "SLURM_NTASKS"),
    "Open MPI": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
}
_KERAS = {
    name: f"KERAS_DISTRIBUTION_{name.upper()}"
    for name in ("job_addresses", "num_processes", "process_id")
}


@dataclass(frozen=True)
class Request:
    """What was asked for by options; None for what was not."""

    processes: int | None = None
    coordinator: str | None = None
    process_id: int | None = None

    @property
    def several(self) -> bool:
        """Whether there is something to share out, as far as these options say."""
        return self != Request()


@dataclass(frozen=True)
class Plan:
    """How a training is shared.

    Attributes:
        shards: parts of each batch.
        processes: that train, on all machines together.
        local: the numbers of those that this command starts.
        coordinator: HOST:PORT where they meet, at process 0; None where the cluster knows.
        shard_rows: whether each device holds a part of the rows, and computes every batch whole.
        join_seconds: how long they wait for each other before they begin.
    """

    shards: int
    processes: int
    local: tuple[int, ...]
    coordinator: str | None
    shard_rows: bool = False
    join_seconds: int = JOIN_SECONDS

    @property
    def devices(self) -> int:
        """How many devices take part where these are processors."""
        return self.processes if self.shard_rows else self.shards

    @property
    def again(self) -> tuple[str, ...]:
        """The options by which `--resume` shares the rows as they are shared here.

        Batches are cut as the run says; by how many processes they are computed matters little.
        """
        if not self.shard_rows or not self.alone or self.processes == 1:
            return ()
        return "--processes", str(self.processes)

    @property
    def leads(self) -> bool:
        """Whether process 0, which writes the run folder, is started here."""
        return 0 in self.local

    @property
    def alone(self) -> bool:
        """Whether all processes are started here."""
        return len(self.local) == self.processes


@dataclass(frozen=True)
class Meeting:
    """Which processes there are, and where they meet; `Plan` has the same fields."""

    processes: int
    local: tuple[int, ...]
    coordinator: str | None


def meeting(request: Request, environment: Mapping[str, str] = os.environ) -> Meeting:
    """Return which processes there are.

    `KERAS_DISTRIBUTION_*` stand for options that are not given, as Keras has it.

    Raises:
        UsageError: options that do not go together, or JAX is not installed.
    """
    check_jax()
    request = _with_environment(request, environment)
    if request.coordinator == AUTO:
        number, processes = _of_cluster(environment)
        if request.processes not in {None, processes}:
            raise UsageError(
                f"--processes is {request.processes}, but the cluster has started {processes}; "
                "leave it out"
            )
        return Meeting(processes, (number,), None)
    if request.coordinator is not None:
        processes = _number(request.processes, "--coordinator", "--processes")
        process_id = _number(request.process_id, "--coordinator", "--process-id")
        if not 0 <= process_id < processes:
            raise UsageError(
                f"--process-id is {process_id}; expected {up_to(processes - 1)}, as --processes is "
                f"{processes}"
            )
        return Meeting(processes, (process_id,), _address(request.coordinator))
    if request.process_id is not None:
        raise UsageError(
            "--process-id was given without --coordinator; expected both, or neither to start all "
            "processes on this machine"
        )
    processes = request.processes or 1
    if processes > MOST_PROCESSES:
        raise UsageError(f"--processes is {processes:,}; expected at most {MOST_PROCESSES:,}")
    return Meeting(processes, tuple(range(processes)), f"{LOOPBACK}:{_free_port()}")


def shards_of(meeting: Meeting, shards: int | None, *, shard_rows: bool) -> int:
    """Return into how many shards batches are cut.

    As many as were asked for, else one for each process; where rows are shared out, batches are
    not.
    """
    if shards is not None:
        return shards
    return 1 if shard_rows else meeting.processes


def plan(meeting: Meeting, settings: TrainSettings) -> Plan:
    """Return who does what.

    Raises:
        UsageError: the work cannot be shared so.
    """
    if settings.shard_rows:
        _check_rows(settings, meeting.processes)
    else:
        _check_shares(settings, meeting.processes)
    return Plan(
        settings.shards,
        meeting.processes,
        meeting.local,
        meeting.coordinator,
        settings.shard_rows,
    )


def check_jax() -> None:
    """Find out whether JAX is there.

    Raises:
        UsageError: it is not installed.
    """
    if importlib.util.find_spec("jax") is None:
        raise UsageError(
            "several processes and shards need JAX, which is not installed; install it with "
            "pip install 'embedinspect[jax]'"
        )


def _check_rows(settings: TrainSettings, processes: int) -> None:
    if processes == 1:
        raise UsageError(
            "--shard-rows was given for one process, which holds all rows anyway; expected "
            "--processes 2 or more"
        )
    if settings.shards > 1:
        raise UsageError(
            f"--shards {settings.shards} cuts the batches, and --shard-rows the matrix; expected "
            "one of them"
        )
    if processes > settings.num_words:
        raise UsageError(
            f"{plural(settings.num_words, 'row')} cannot be shared by {processes} processes; "
            "expected --processes of at most as many"
        )


def _check_shares(settings: TrainSettings, processes: int) -> None:
    shards = settings.shards
    if shards % processes:
        raise UsageError(
            f"--processes is {processes}, which does not divide the "
            f"{plural(shards, 'shard')} of the run; expected "
            f"{' or '.join(str(n) for n in range(1, shards + 1) if shards % n == 0)}"
            f"{', or --shard-rows' if shards == 1 else ''}"
        )
    if shards > settings.batch_size:
        raise UsageError(
            f"a batch of {settings.batch_size} cannot be cut into {shards} shards; expected a "
            "larger --batch-size, or fewer --shards"
        )


def _with_environment(request: Request, environment: Mapping[str, str]) -> Request:
    addresses = environment.get(_KERAS["job_addresses"])
    if request.coordinator is not None or not addresses:
        return request
    numbers = {}
    for name in ("num_processes", "process_id"):
        text = environment.get(_KERAS[name], "")
        if not text.isdecimal():
            raise UsageError(
                f"{_KERAS['job_addresses']} is set, and {_KERAS[name]} is {text!r}; expected a "
                "number, or neither"
            )
        numbers[name] = int(text)
    return Request(
        request.processes or numbers["num_processes"],
        addresses.split(",")[0].strip(),
        numbers["process_id"] if request.process_id is None else request.process_id,
    )


def _of_cluster(environment: Mapping[str, str]) -> tuple[int, int]:
    """Return the number of this process and how many there are, as a cluster says it."""
    for rank, size in CLUSTERS.values():
        numbers = (environment.get(rank, ""), environment.get(size, ""))
        if all(number.isdecimal() for number in numbers):
            return int(numbers[0]), int(numbers[1])
    names = " or ".join(CLUSTERS)
    raise UsageError(
        f"--coordinator is auto, but this process was not started by {names}; expected HOST:PORT, "
        "with --processes and --process-id"
    )


def _address(text: str) -> str:
    match = re.fullmatch(r"([\w.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})", text)
    if match is None or not 1 <= int(match[2]) <= 65535:
        raise UsageError(
            f"--coordinator is {text!r}; expected HOST:PORT, such as host0:1234, or auto"
        )
    return text


def _number(number: int | None, given: str, missing: str) -> int:
    if number is None:
        raise UsageError(f"{given} was given without {missing}; expected both")
    return number


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
