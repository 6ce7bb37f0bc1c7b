"""How a process joins the others: JAX's coordinator, its devices, Keras's distribution."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from embedinspect import keras_layer
from embedinspect.errors import UsageError, os_reason
from embedinspect.training.hosts.plan import Plan

BATCH, ROWS = "batch", "rows"
# JAX's own is 100 s. A process that is killed is noticed at once where its connections break; this
# is for a machine that is gone without a word.
HEARTBEAT_SECONDS = 10


def join(plan: Plan, process_id: int, joined: Callable[[], None]) -> Any:
    """Join the other processes; return Keras with the distribution that they share set.

    Nothing may have asked JAX for its devices before: the number of those is said here.

    Args:
        joined: called once all processes are there.

    Raises:
        UsageError: the machines do not have one device for each shard.
    """
    import jax
    from jax._src import xla_bridge

    devices = plan.processes if plan.shard_rows else plan.shards
    jax.config.update("jax_num_cpu_devices", devices // plan.processes)
    by_us: dict[str, Any] = {"num_processes": plan.processes, "process_id": process_id}
    if plan.coordinator is not None:
        # JAX binds every interface unless it is told one; the coordinator asks for no password.
        by_us |= {
            "coordinator_address": plan.coordinator,
            "coordinator_bind_address": plan.coordinator,
            "cluster_detection_method": "deactivate",
        }
        # The sums, too, go by the network that the coordinator is in. By itself each process takes
        # the address of its own name, which on many machines is one that others cannot reach.
        gloo = xla_bridge._jax.make_gloo_tcp_collectives
        xla_bridge._jax.make_gloo_tcp_collectives = partial(gloo, hostname=_address_towards(plan))
    jax.distributed.initialize(
        **by_us,
        initialization_timeout=plan.join_seconds,
        heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
        shutdown_timeout_seconds=30,
    )
    there = jax.devices()
    joined()
    if len(there) != devices:
        raise UsageError(
            f"{devices} shards need as many devices, but the processes have {len(there)} "
            f"({there[0].platform}) in all; expected --shards {len(there)}"
        )
    keras = keras_layer.load("jax")
    keras.distribution.set_distribution(_replicated_data(keras, there))
    return keras


def _address_towards(plan: Plan) -> str:
    """Return the address of this machine in the network of the coordinator.

    Raises:
        UsageError: the coordinator's name cannot be resolved.
    """
    assert plan.coordinator is not None
    host, port = plan.coordinator.rsplit(":", 1)
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_DGRAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # which sends nothing
            own: str = probe.getsockname()[0]
    except OSError as error:
        raise UsageError(
            f"--coordinator {plan.coordinator} cannot be reached: {os_reason(error)}; expected a "
            "host that this machine knows"
        ) from None
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
