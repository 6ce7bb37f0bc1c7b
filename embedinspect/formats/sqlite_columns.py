"""A column of a plain table as a matrix: BLOBs of float32 or float64, and JSON lists of numbers."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.arrays import as_float32
from embedinspect.formats.blob_numbers import kind_of
from embedinspect.formats.contents import Problems
from embedinspect.formats.sqlite_database import Column, Database
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, plural

SAMPLE = 100  # rows that tell what a column holds
_DECLARED = re.compile(r"(?:F32_BLOB|FLOAT32)\s*\(\s*(\d{1,9})\s*\)")  # of libSQL
_DIMENSIONS = {"dim", "dims", "dimension", "dimensions", "ndim", "n_dim", "n_dims"}
_LONGEST_LIST = 2**24


@dataclass(frozen=True)
class Stored:
    """How a column stores its vectors.

    Attributes:
        dtype: of the numbers: `float32`, `float64`, or `JSON`.
        output_dim: how many numbers a vector has.
    """

    dtype: str
    output_dim: int


def stored_as(column: Column, sample: dict[str, list[object]]) -> Stored | str:
    """Return how a column stores vectors, or why it does not, as the end of a sentence.

    Args:
        sample: the first values of every column of its table.
    """
    given = [value for value in sample[column.name] if value is not None]
    if not given:
        return "its first rows are empty"
    if all(isinstance(value, str) for value in given):
        return _as_lists([str(value) for value in given])
    blobs = [value for value in given if isinstance(value, bytes)]
    if len(blobs) < len(given):
        return "it holds other values than BLOBs"
    lengths = sorted({len(blob) for blob in blobs})
    if len(lengths) > 1 or not lengths[0]:
        return f"its BLOBs have {listed_lengths(lengths)} bytes, where vectors have one length"
    return _as_blobs(column, blobs, lengths[0], sample)


def listed_lengths(lengths: list[int]) -> str:
    """Return the least and the greatest length."""
    return f"{lengths[0]:,}" if len(lengths) == 1 else f"{lengths[0]:,} to {lengths[-1]:,}"


def _as_lists(texts: list[str]) -> Stored | str:
    lists = [_numbers(text) for text in texts]
    if any(numbers is None for numbers in lists):
        return "its texts are no JSON lists of numbers"
    lengths = sorted({len(numbers) for numbers in lists if numbers is not None})
    if len(lengths) > 1 or not lengths[0]:
        return f"its lists have {listed_lengths(lengths)} numbers, where vectors have one length"
    return Stored("JSON", lengths[0])


def _numbers(text: str) -> list[float] | None:
    """Return the numbers of a JSON list; None for any other text."""
    if not text.lstrip().startswith("[") or len(text) > _LONGEST_LIST or text.count("[") > 1:
        return None
    try:
        values = json.loads(text)
        numbers = [float(value) for value in values]
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    if any(type(value) not in (int, float) for value in values):
        return None
    return numbers


def _as_blobs(
    column: Column, blobs: list[bytes], length: int, sample: dict[str, list[object]]
) -> Stored | str:
    """Return which numbers BLOBs of one length are: as is said of them, or as they look."""
    declared = _DECLARED.fullmatch(column.declared)
    if declared is not None and 4 * int(declared[1]) == length:
        return Stored("float32", int(declared[1]))
    output_dim = _dimension_beside(sample)
    if output_dim and length % output_dim == 0:
        dtype = {4: "float32", 8: "float64"}.get(length // output_dim)
        if dtype is not None:
            return Stored(dtype, output_dim)
        return (
            f"its BLOBs have {plural(length // output_dim, 'byte')} a number, which may be of "
            "several types"
        )
    kind = kind_of(b"".join(blobs))
    if kind is None:
        return (
            f"its BLOBs of {plural(length, 'byte')} are too few to tell their type, or do not look "
            "like float32 or float64, little-endian; save the rows as .npy with their own type"
        )
    return Stored(kind, length // (4 if kind == "float32" else 8))


def _dimension_beside(sample: dict[str, list[object]]) -> int:
    """Return the number in a column that says how long vectors are; 0 where there is none."""
    for name, values in sample.items():
        if name.lower() in _DIMENSIONS and len(set(values)) == 1:
            number = values[0]
            if isinstance(number, int) and number > 0:
                return number
    return 0


def read_column(
    database: Database, table: str, column: str, kind: Stored, ids: str | None, problems: Problems
) -> tuple[FloatArray, list[int], list[int] | None]:
    """Return the vectors of a column, the place of each in its table, and its id.

    A row without a vector is left out, which is a problem.

    Args:
        ids: the column of ids; None where there is none, and no ids are returned.

    Raises:
        DataError: a vector is of another kind or length than the first ones.
    """
    label = f"{database.label} table {clipped_repr(table)}"
    places: list[int] = []
    found: list[int] = []
    parts = bytearray()

    def vectors() -> Iterator[bytes]:
        names = [column] if ids is None else [column, ids]
        for place, row in enumerate(database.select(table, names)):
            if row[0] is None:
                problems.add("missing vectors", f"row {place} of the table has no vector")
                continue
            places.append(place)
            if ids is not None:
                found.append(row[1])
            yield _as_bytes(row[0], kind, f"{label} row {place}")

    for data in vectors():
        parts += data
        if len(places) * kind.output_dim > MOST_VALUES:
            raise DataError(f"{label} has more than {MOST_VALUES:,} numbers; expected fewer")
    if not places:
        raise DataError(f"{label} holds no vectors")
    stored = np.frombuffer(parts, "<f4" if kind.dtype == "float32" else "<f8")
    rows = as_float32(stored.reshape(len(places), kind.output_dim), label)
    return rows, places, found if ids is not None else None


def _as_bytes(value: Any, kind: Stored, label: str) -> bytes:
    """Return a vector as the bytes of its numbers.

    Raises:
        DataError: it is no vector of that kind and length.
    """
    if kind.dtype == "JSON":
        numbers = _numbers(value) if isinstance(value, str) else None
        if numbers is None or len(numbers) != kind.output_dim:
            came = clipped_repr(value) if isinstance(value, str) else f"a {type(value).__name__}"
            raise DataError(
                f"{label} has {came}; expected a JSON list of {plural(kind.output_dim, 'number')}"
            )
        return array("d", numbers).tobytes()
    length = kind.output_dim * (4 if kind.dtype == "float32" else 8)
    if not isinstance(value, bytes) or len(value) != length:
        came = plural(len(value), "byte") if isinstance(value, bytes) else clipped_repr(repr(value))
        raise DataError(f"{label} has {came}; expected {length:,} bytes, as in the rows before it")
    return value
