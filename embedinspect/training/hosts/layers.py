"""The LSTM whose batch is cut in shards, one for each device."""

from __future__ import annotations

from typing import Any


def sharded_lstm(keras: Any, mesh: Any, axis: str) -> Any:
    """Return a class of LSTM layers that compute each shard of a batch on a device of its own.

    Left to itself, XLA sums the gradients of the recurrent weights over the devices in every time
    step. Inside `jax.shard_map` each device runs through all steps alone, and the sum over devices
    comes after: one all-reduce for each batch.

    Args:
        mesh: of JAX.
        axis: of the mesh, along which batches are cut.
    """
    import jax

    shards = mesh.shape[axis]
    whole, cut = jax.sharding.PartitionSpec(), jax.sharding.PartitionSpec(axis)

    class LSTM(keras.layers.LSTM):  # type: ignore[misc]
        def call(
            self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False
        ) -> Any:
            reviews = sequences.shape[0]
            missing = -reviews % shards  # a last batch of 9 over 4 shards lacks 3
            sequences = _lengthened(keras, sequences, missing)
            parts = [sequences] if mask is None else [sequences, _lengthened(keras, mask, missing)]
            call, variables = super().call, self.variables

            def shard(values: list[Any], sequences: Any, mask: Any = None) -> Any:
                pairs = list(zip(variables, values, strict=True))
                with keras.StatelessScope(state_mapping=pairs):
                    return call(sequences, mask=mask, training=training)

            # Keras's time loop does not mark what varies between shards, as that check wants it.
            of_shards = jax.shard_map(
                shard,
                mesh=mesh,
                in_specs=(whole, *(cut for _ in parts)),
                out_specs=cut,
                check_vma=False,
            )
            return of_shards([variable.value for variable in variables], *parts)[:reviews]

    return LSTM


def _lengthened(keras: Any, values: Any, missing: int) -> Any:
    """Return a batch with rows of zeros added, which are nobody's: their outputs are cut off."""
    if not missing:
        return values
    return keras.ops.pad(values, [(0, missing), *((0, 0) for _ in values.shape[1:])])
