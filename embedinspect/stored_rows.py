"""Rows that stay as they are stored, and become float32 where they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[np.float32]]
Decode = Callable[[Any], FloatArray]

_NUMBERS_AT_ONCE = 2**22


class StoredRows:
    """A matrix of float32 whose rows are decoded when they are indexed, and only those.

    It stands for an array wherever rows are taken by number, by slice, by an array of numbers or
    by a mask: each returns a new float32 array. A table of bfloat16 as large as the memory can be
    looked at so, without a float32 copy of it. `numpy.asarray` makes that copy.

    >>> halves = StoredRows(np.array([[1, 2], [3, 4]], np.float16), (2, 2))
    >>> halves[1], halves[[1, 0], :1]
    (array([3., 4.], dtype=float32), array([[3.],
           [1.]], dtype=float32))
    """

    ndim = 2
    dtype = np.dtype(np.float32)

    def __init__(self, stored: Any, shape: tuple[int, int], decode: Decode | None = None) -> None:
        """Keep what is stored; nothing is read yet.

        Args:
            stored: an array, mapped perhaps, whose first axis is that of the rows.
            shape: of the matrix, (rows, columns).
            decode: returns the float32 rows, shape (k, columns), of k stored ones; without it they
                are converted. Two threads may ask for different rows at one time.
        """
        # A plain view of what is mapped is cut into parts at a fraction of the cost.
        self._stored = stored.view(np.ndarray) if isinstance(stored, np.memmap) else stored
        self.shape, self._decode = shape, decode or _converted

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return self.shape[0] * self.shape[1]

    @property
    def nbytes(self) -> int:
        """How many bytes a float32 copy would take."""
        return 4 * self.size

    def __getitem__(self, key: Any) -> FloatArray:
        if isinstance(key, tuple):
            rows, *columns = key
            taken = self[rows]
            within: FloatArray = taken[(slice(None), *columns) if taken.ndim == 2 else (*columns,)]
            return within
        if isinstance(key, (int, np.integer)):
            if not -len(self) <= key < len(self):
                raise IndexError(f"row {key} of {len(self)}")
            row: FloatArray = self._decode(self._stored[int(key) % len(self)][None])[0]
            return row
        if isinstance(key, list):
            key = np.asarray(key, np.intp)
        return self._decode(self._stored[key])

    def __iter__(self) -> Iterator[FloatArray]:
        step = max(1, _NUMBERS_AT_ONCE // self.shape[1])
        for start in range(0, len(self), step):
            yield from self[start : start + step]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if copy is False:
            raise ValueError("rows that are decoded are always a copy")
        whole = np.empty(self.shape, np.float32 if dtype is None else dtype)
        step = max(1, _NUMBERS_AT_ONCE // self.shape[1])
        for start in range(0, len(self), step):
            whole[start : start + step] = self[start : start + step]
        return whole


def _converted(stored: Any) -> FloatArray:
    with np.errstate(over="ignore", invalid="ignore"):  # a signalling NaN is only a NaN here
        return np.ascontiguousarray(stored, np.float32)


def from_bfloat16(stored: Any) -> FloatArray:
    """Return numbers that are stored as bfloat16, the upper halves of float32; as uint16."""
    wide = stored.astype(np.uint32)
    wide <<= 16
    return np.ascontiguousarray(wide).view(np.float32)


# Rows as they are in memory, or as they are stored.
Vectors = FloatArray | StoredRows
