"""How a process joins the others: JAX's coordinator, its devices, Keras's distribution."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from embedinspect import keras_layer
from embedinspect.errors import UsageError, os_reason
from embedinspect.training.hosts import rows
from embedinspect.training.hosts.plan import Plan

BATCH = "batch"
# JAX's own is 100 s. A process that is killed is noticed at once where its connections break; this
# is for a machine that is gone without a word.
HEARTBEAT_SECONDS = 10
_LOOPBACK = re.compile(r"localhost$|127\.|::1$")


def join(plan: Plan, process_id: int, joined: Callable[[], None]) -> Any:
    """Join the other processes; return Keras with the distribution that they share set.

    Nothing may have asked JAX for its devices before: the number of those is said here.

    Args:
        joined: called once all processes are there.

    Raises:
        UsageError: the coordinator is not known, or the machines do not have one device for each
            shard.
    """
    import jax
    from jax._src import xla_bridge

    jax.config.update("jax_num_cpu_devices", plan.devices // plan.processes)
    coordinator, devices = plan.coordinator, None
    if coordinator is None:
        coordinator, devices = _of_cluster(plan)
    if process_id == 0:
        _check_port(coordinator)
    # The sums, too, go by the network that the coordinator is in. By itself each process takes the
    # address of its own name, which on many machines is one that others cannot reach.
    gloo = xla_bridge._jax.make_gloo_tcp_collectives
    hostname = _address_towards(coordinator)
    xla_bridge._jax.make_gloo_tcp_collectives = partial(gloo, hostname=hostname)
    jax.distributed.initialize(
        coordinator_address=coordinator,
        # JAX binds every interface unless it is told one; it asks for no password.
        coordinator_bind_address=coordinator,
        num_processes=plan.processes,
        process_id=process_id,
        local_device_ids=devices,
        cluster_detection_method="deactivate",
        initialization_timeout=plan.join_seconds,
        heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
    )
    there = jax.devices()
    joined()
    if len(there) != plan.shards and not plan.shard_rows:
        raise UsageError(
            f"{plan.shards} shards need as many devices, but the processes have {len(there)} "
            f"({there[0].platform}) in all; expected --shards {len(there)}"
        )
    keras = keras_layer.load("jax")
    lay_out = rows.distribution if plan.shard_rows else _replicated_data
    keras.distribution.set_distribution(lay_out(keras, there))
    return keras


def _of_cluster(plan: Plan) -> tuple[str, Any]:
    """Return where processes meet, as JAX knows it of Slurm and the like, and this one's GPUs."""
    from jax._src.clusters import ClusterEnv

    coordinator, _, _, devices = ClusterEnv.auto_detect_unset_distributed_params(
        None, None, None, None, None, plan.join_seconds
    )
    if coordinator is None:
        raise UsageError(
            "--coordinator is auto, but JAX does not find what started this process; expected "
            "HOST:PORT, with --processes and --process-id"
        )
    return coordinator, devices


def _check_port(coordinator: str) -> None:
    """Find out whether the others can be waited for there; JAX crashes where they cannot.

    Raises:
        UsageError: the port is taken, or the address is none of this machine.
    """
    host, port = coordinator.rsplit(":", 1)
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise UsageError(
            f"process 0 cannot wait for the others at {coordinator}: {os_reason(error)}; expected "
            "an address of this machine with a port that is free"
        ) from None


def _address_towards(coordinator: str) -> str:
    """Return the address of this machine in the network of the coordinator.

    Raises:
        UsageError: the coordinator's name cannot be resolved, or is that of loopback here.
    """
    host, port = coordinator.rsplit(":", 1)
    host = host.strip("[]")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # which sends nothing
            own: str = probe.getsockname()[0]
    except OSError as error:
        raise UsageError(
            f"the coordinator {coordinator} cannot be reached: {os_reason(error)}; expected a host "
            "that this machine knows"
        ) from None
    if ipaddress.ip_address(own.partition("%")[0]).is_loopback and not _LOOPBACK.match(host):
        raise UsageError(
            f"{host} is the loopback address {own} on this machine, which no other reaches; "
            "expected --coordinator with its address in the network that they share"
        )
    return own


def _replicated_data(keras: Any, devices: list[Any]) -> Any:
    """Return a distribution in which every process is fed the same whole batch.

    What is computed of a whole batch (dropout, masks, means) is right whatever its size then; the
    LSTM cuts it in shards, and XLA follows.
    """

    class Replicated(keras.distribution.DataParallel):  # type: ignore[misc]
        def get_data_layout(self, data_shape: Any) -> Any:
            return keras.distribution.TensorLayout([None] * len(data_shape), self.device_mesh)

    names = [f"{device.platform}:{device.id}" for device in devices]
    mesh = keras.distribution.DeviceMesh((len(names),), [BATCH], names)
    return Replicated(device_mesh=mesh, auto_shard_dataset=False)


@contextmanager
def undistributed(keras: Any) -> Iterator[None]:
    """Keep what is built and run in the block to this process."""
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)
