"""The largest eigenvalues of a symmetric matrix, with their vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

Doubles = np.ndarray[Any, np.dtype[np.float64]]

# Wider matrices take seconds where all eigenvalues are computed for the sake of a few.
WIDE = 1024
_BLOCK, _DEPTH, _ROUNDS = 8, 12, 12
# How far a pair may be from one, as a share of its own value or of the largest; and by how much the
# other values are proved to be no larger.
_CLOSE, _ROUNDING, _ABOVE = 1e-11, 1e-14, 1e-9
_NEARLY = 1e-6  # of the one value more, whose vector nobody asked for


def leading_eigenvectors(matrix: Doubles, count: int) -> tuple[Doubles, Doubles]:
    """Return the largest eigenvalues, one more than the count, and the vectors of the count.

    The matrix must be symmetric without negative eigenvalues. The values descend, and are as many
    as there are if these are fewer; vectors are rows. Of a wide matrix only these are computed,
    and then it is proved that no other is larger; where that fails, all of them are.
    """
    found = None
    if len(matrix) > max(WIDE, _BLOCK * (_DEPTH + 1)):
        found = _by_krylov(matrix, count)
    if found is None:
        values, vectors = np.linalg.eigh(matrix)
        found = values[::-1], vectors.T[::-1]
    return found[0][: count + 1], found[1][:count]


def _by_krylov(matrix: Doubles, count: int) -> tuple[Doubles, Doubles] | None:
    """Return the leading pairs from products of the matrix with few vectors; None if not proved.

    It is the block Lanczos method, fully orthogonalized and begun anew from what it found. It
    begins with columns of the matrix, so that nothing in it is drawn at random.
    """
    start = np.argsort(-np.diag(matrix), kind="stable")[:_BLOCK]
    block = np.linalg.qr(matrix[:, start])[0]
    for _ in range(_ROUNDS):
        basis = _krylov(matrix, block)
        _, turns = np.linalg.eigh(basis.T @ matrix @ basis)
        block = np.linalg.qr(basis @ turns[:, ::-1][:, :_BLOCK])[0]
        image = matrix @ block
        values = (block * image).sum(axis=0)
        errors = np.linalg.norm(image - block * values, axis=0)
        near = np.maximum(_CLOSE * values, _ROUNDING * values[0])
        if (errors[:count] <= near[:count]).all() and errors[count] <= _NEARLY * values[0]:
            proved = _none_is_larger(matrix, values[:count], block[:, :count])
            return (values, block.T) if proved else None
    return None


def _krylov(matrix: Doubles, block: Doubles) -> Doubles:
    """Return an orthonormal basis of the block, its image, the image of that, and so on."""
    basis = block
    for _ in range(_DEPTH):
        image = matrix @ basis[:, -_BLOCK:]
        for _ in range(2):  # once leaves what rounding has added
            image -= basis @ (basis.T @ image)
        basis = np.concatenate([basis, np.linalg.qr(image)[0]], axis=1)
    return basis


def _none_is_larger(matrix: Doubles, values: Doubles, vectors: Doubles) -> bool:
    """Return whether all other eigenvalues are proved to be no larger than the smallest of these.

    They are if the matrix without these, subtracted from slightly more than that smallest value,
    has a Cholesky decomposition: only matrices with positive eigenvalues alone have one.
    """
    rest = (vectors * values) @ vectors.T - matrix
    rest[np.diag_indices(len(rest))] += values.min() * (1 + _ABOVE)
    try:
        np.linalg.cholesky(rest)
    except np.linalg.LinAlgError:
        return False
    return True
