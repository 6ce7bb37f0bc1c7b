"""The embedding matrix in parts: every device holds some of its rows, and Adam's moments of them.

Keras's ModelParallel lays them out. For a batch each device looks up the ids of its own rows, and
what they found is summed, which is zeros but for one of them. Everything else every process
computes for itself, of the whole batch. Rows travel only to be saved and when a run goes on: in
blocks, on request of process 0, so that no process ever holds them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from embedinspect.formats.arrays import Array
from embedinspect.training.checkpoint import rows_of_block
from embedinspect.training.hosts.agree import Agreement

ROWS, BATCH = "rows", "batch"
# As Keras names the variable; a pattern must match the whole of its path.
_EMBEDDINGS = ".*embedding/embeddings"

Parts = dict[tuple[int, int], Array]


def distribution(keras: Any, devices: list[Any]) -> Any:
    """Return the distribution that lays rows out over devices; each is fed the whole batch."""
    names = [f"{device.platform}:{device.id}" for device in devices]
    mesh = keras.distribution.DeviceMesh((1, len(names)), [BATCH, ROWS], names)
    layout = keras.distribution.LayoutMap(mesh)
    layout[_EMBEDDINGS] = (ROWS, None)
    return keras.distribution.ModelParallel(
        layout_map=layout, batch_dim_name=BATCH, auto_shard_dataset=False
    )


def padded(rows: int, devices: int) -> int:
    """Return how many rows the matrix has in training, so that each device holds as many.

    No id is as large as those that are added: their gradients are zero, and nothing shows them.
    """
    return -(-rows // devices) * devices


def is_by_rows(variable: Any) -> bool:
    """Return whether the rows of a variable are laid out over devices."""
    spec = getattr(variable.value.sharding, "spec", ())  # of one device there is none
    return bool(spec[:1] == (ROWS,))


class Table:
    """An array of rows of which every device holds some. It can be read as a `checkpoint.Table`.

    Attributes:
        name: of the array in the state.
        shape: of what counts of it, without the rows that were added.
    """

    def __init__(self, name: str, variable: Any, rows: int) -> None:
        """Find out whether the rows are laid out as they should be.

        Raises:
            RuntimeError: they are not, so that each device holds them all.
        """
        self.name, self._variable = name, variable
        self.shape = (rows, int(variable.shape[1]))
        sharding = variable.value.sharding
        devices = len(sharding.device_set)
        part = sharding.shard_shape(tuple(variable.shape))
        if part[0] * devices != variable.shape[0]:
            raise RuntimeError(
                f"{variable.path} is not laid out by rows: a device holds {part} of "
                f"{tuple(variable.shape)}"
            )

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(self._variable.dtype)
        return dtype

    @property
    def nbytes(self) -> int:
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    @property
    def starts(self) -> range:
        """The first row of each block."""
        return range(0, self.shape[0], self.at_once)

    @property
    def at_once(self) -> int:
        """Rows of a block."""
        return min(self.shape[0], rows_of_block(self.shape[1]))

    def block(self, first: int) -> Array:
        """Return the rows of a block; all processes must ask for the same at the same time."""
        bits = self._read(self._variable.value, np.int32(first))
        return np.asarray(bits).view(self.dtype)[: self.shape[0] - first]

    def blocks(self) -> Iterator[Array]:
        """Yield the rows in order, some at a time; all processes must do so at the same time."""
        return map(self.block, self.starts)

    def is_finite(self) -> bool:
        """Return whether all its numbers are finite; all processes must ask at the same time."""
        import jax
        import jax.numpy as jnp

        def others(rows: Any) -> Any:
            return jnp.sum(~jnp.isfinite(rows), dtype=jnp.int32)

        return int(jax.jit(others)(self._variable.value)) == 0

    @cached_property
    def _read(self) -> Any:
        """A function that gives every process the bits of a block.

        They are summed as whole numbers, since -0.0 plus 0.0 would be 0.0.
        """
        import jax
        import jax.numpy as jnp
        from jax.sharding import PartitionSpec

        size = self.at_once

        def read(part: Any, first: Any) -> Any:
            index = first + jnp.arange(size) - jax.lax.axis_index(ROWS) * part.shape[0]
            mine = (index >= 0) & (index < part.shape[0])
            rows = part[jnp.clip(index, 0, part.shape[0] - 1)]
            bits = jax.lax.bitcast_convert_type(rows, jnp.int32)
            return jax.lax.psum(jnp.where(mine[:, None], bits, 0), ROWS)

        return jax.jit(
            jax.shard_map(
                read,
                mesh=self._variable.value.sharding.mesh,
                in_specs=(PartitionSpec(ROWS, None), PartitionSpec()),
                out_specs=PartitionSpec(),
                check_vma=False,
            )
        )

    def empty_parts(self) -> Parts:
        """Return room for the rows that are held here, by the first of them and the next after."""
        value = self._variable.value
        rows = value.sharding.addressable_devices_indices_map(value.shape)
        bounds = {index[0].indices(value.shape[0])[:2] for index in rows.values()}
        width = value.shape[1]
        return {(start, end): np.zeros((end - start, width), self.dtype) for start, end in bounds}

    def assign(self, parts: Parts) -> None:
        """Take the rows that are held here from what `empty_parts` gave."""
        import jax

        value = self._variable.value

        def part(index: tuple[slice, ...]) -> Array:
            start, end, _ = index[0].indices(value.shape[0])
            return parts[start, end]

        made = jax.make_array_from_callback(value.shape, value.sharding, part)
        self._variable.assign(made)


class Exchange:
    """How processes move blocks of rows: process 0 asks for one, the others take part.

    What it asks for goes through the coordinator, so that the others also learn that it has ended
    or failed, where they would wait for it in vain otherwise.
    """

    def __init__(self, agreement: Agreement, tables: dict[str, Table]) -> None:
        self._agreement, self._tables = agreement, tables

    def readers(self) -> dict[str, Reader]:
        """Return the tables for process 0 to read; the others must `serve`."""
        return {name: Reader(table, self._agreement) for name, table in self._tables.items()}

    def send(self, blocks: Iterator[tuple[str, int, Array]]) -> Iterator[tuple[str, int, Array]]:
        """Send blocks of arrays to all processes as process 0, and yield each."""
        for name, first, block in blocks:
            size = {"shape": list(block.shape), "dtype": block.dtype.str}
            self._agreement.tell({"send": name, "first": first, **size})
            yield name, first, _from_first(block)

    def serve(self, receive: Callable[[str, int, Array], None]) -> dict[str, Any]:
        """Take part in what process 0 asks for until it says something else, and return that.

        Args:
            receive: called with each block that is sent.
        """
        while True:
            message = self._agreement.hear()
            if "read" in message:
                self._tables[message["read"]].block(message["first"])
            elif "send" in message:
                room = np.zeros(message["shape"], message["dtype"])
                receive(message["send"], message["first"], _from_first(room))
            else:
                return message


class Reader:
    """A table as process 0 reads it; it is a `checkpoint.Table`."""

    def __init__(self, table: Table, agreement: Agreement) -> None:
        self._table, self._agreement = table, agreement
        self.shape, self.dtype, self.nbytes = table.shape, table.dtype, table.nbytes

    def blocks(self) -> Iterator[Array]:
        for first in self._table.starts:
            self._agreement.tell({"read": self._table.name, "first": first})
            yield self._table.block(first)


def _from_first(block: Array) -> Array:
    """Return the block of process 0 in every process, to the bit."""
    from jax.experimental import multihost_utils

    # All that is sent has 4 or 8 bytes a number; JAX would sum smaller ones as larger ones.
    bits = np.ascontiguousarray(block).reshape(-1).view(np.int32)
    found = np.asarray(multihost_utils.broadcast_one_to_all(bits))
    return found.view(block.dtype).reshape(block.shape)
