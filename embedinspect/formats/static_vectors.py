"""Static embeddings of model2vec whose vocabulary is quantised: many tokens share a row.

`embeddings` has a row for each cluster, `mapping` the cluster of each token id, and `weights` the
number that the row of a token is multiplied by. What a token looks up is, as in model2vec's own
`StaticModel`, embeddings[mapping[id]] * weights[id]; either of the two may be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.arrays import Array
from embedinspect.formats.tensors import Tensor
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import FloatArray, StoredRows, Vectors

_MATRICES = ("embeddings", "embedding.weight")
_MAPPING, _WEIGHTS = "mapping", "weights"


class _Shaped(Protocol):
    """A tensor of any shape, as a header has it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the tensor."""

    @property
    def label(self) -> str:
        """How messages name it."""


def per_token(
    matrices: Sequence[Tensor],
    read: Mapping[str, Callable[[], Array]],
    entries: Mapping[str, _Shaped],
) -> tuple[Tensor, ...]:
    """Return the matrices, the static embedding among them with a row for each token.

    Args:
        read: returns the numbers of a tensor as they are stored, by its name.
        entries: all tensors, by name.
    """
    sizes = {
        name: entries[name].shape[0]
        for name in (_MAPPING, _WEIGHTS)
        if name in entries and len(entries[name].shape) == 1
    }
    if not sizes:
        return tuple(matrices)
    tokens = sizes.get(_MAPPING, sizes.get(_WEIGHTS, 0))

    def looked_up(tensor: Tensor) -> Tensor:
        if tensor.name not in _MATRICES or (_MAPPING not in sizes and tensor.shape[0] != tokens):
            return tensor
        shape = tokens, tensor.shape[1]

        def rows() -> Vectors:
            if min(shape) < 1 or shape[0] * shape[1] > MOST_VALUES:
                raise DataError(
                    f"{entries[tensor.name].label} stands for {shape[0]:,} x {shape[1]:,} numbers; "
                    f"expected at least 1 and at most {MOST_VALUES:,}"
                )
            mapping = _mapping(tensor, read, entries) if _MAPPING in sizes else None
            weights = _weights(tokens, read, entries) if _WEIGHTS in sizes else None
            return _rows(read[tensor.name](), tensor, mapping, weights, shape)

        return replace(tensor, shape=shape, read=rows)

    return tuple(map(looked_up, matrices))


def _mapping(
    tensor: Tensor, read: Mapping[str, Callable[[], Array]], entries: Mapping[str, _Shaped]
) -> Array:
    """Return the row of each token."""
    mapping = np.asarray(read[_MAPPING]())
    if mapping.dtype.kind not in "iu" or mapping.min() < 0 or mapping.max() >= tensor.shape[0]:
        raise DataError(
            f"{entries[_MAPPING].label} names rows from {mapping.min()} to {mapping.max()}; "
            f"expected whole numbers from 0 to {tensor.shape[0] - 1:,}, the rows there are"
        )
    return mapping


def _weights(
    tokens: int, read: Mapping[str, Callable[[], Array]], entries: Mapping[str, _Shaped]
) -> Array:
    """Return the number that the row of each token is multiplied by."""
    weights = np.asarray(read[_WEIGHTS]())
    if len(weights) != tokens or weights.dtype.kind != "f":
        raise DataError(
            f"{entries[_WEIGHTS].label} has {len(weights):,} numbers of type {weights.dtype}; "
            f"expected {tokens:,} floats, one for each token"
        )
    return weights


def _rows(
    stored: Array,
    tensor: Tensor,
    mapping: Array | None,
    weights: Array | None,
    shape: tuple[int, int],
) -> Vectors:
    """Return the row that each token looks up, computed when it is indexed."""
    if tensor.dtype not in {"F64", "F32", "F16", "I8"}:
        raise DataError(
            f"'{tensor.name}' has dtype {tensor.dtype}; expected one that model2vec saves: F64, "
            "F32, F16 or I8"
        )

    def decode(ids: Array) -> FloatArray:
        rows = stored[ids if mapping is None else mapping[ids]]
        if weights is not None:
            rows = rows * weights[ids][:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            return np.ascontiguousarray(rows, np.float32)

    return StoredRows(np.arange(shape[0]), shape, decode)
