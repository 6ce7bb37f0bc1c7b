"""Tables of vectors in Parquet, as `export` writes them: a column of vectors, one of words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.arrays import Array, as_float32
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.matrix import MOST_VALUES
from embedinspect.row_words import Words, named_or_none
from embedinspect.wording import clipped_repr, listed, plural

_EXPECTED = "expected a column of lists of numbers, as export writes it"
_WORDS = ("word", "words", "token", "text")
_MOST_EXPANSION, _SMALL = 200, 2**26
_BATCH = 2**22  # numbers that are read at a time


def recognises(start: Start) -> bool:
    """Return whether a file that begins as Parquet does goes on as its first page does."""
    return b"\0" in start.data  # a text may begin with the same four letters


def read(path: Path, options: ReadOptions) -> Contents:
    """Return a column of vectors of a table; raises what `read_parquet` raises."""
    return read_parquet(path, options.tensor)


def read_parquet(path: Path, column: str | None = None) -> Contents:
    """Return the vectors of a table, and its words where it has a column of that name.

    Args:
        column: the name of the column of vectors; by default `vector`, or the only one there is.

    Raises:
        UsageError: there are several such columns, or none of that name.
        DataError: the file is damaged, holds no vectors, or claims more than it can hold.
    """
    label = repr(str(path))
    try:
        with path.open("rb") as file, parquet.ParquetFile(file) as table:
            name = _pick(table.schema_arrow, column, label)
            return _read(table, name, path.stat().st_size, label)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = clipped_repr(str(error).split("\n", maxsplit=1)[0], 80)
        raise DataError(f"{label} is a damaged Parquet file ({reason}); {_EXPECTED}") from None


def _pick(schema: pa.Schema, wanted: str | None, label: str) -> str:
    """Return the name of the column of vectors."""
    names = [field.name for field in schema if _are_vectors(field.type)]
    known = listed(map(clipped_repr, names)) or "none"
    if wanted is not None:
        if wanted not in names:
            raise UsageError(
                f"--tensor is {wanted!r}; expected a column of vectors of {label}: {known}"
            )
        return wanted
    if "vector" in names:
        return "vector"
    if not names:
        columns = listed(clipped_repr(field.name) for field in schema)
        raise DataError(f"{label} has no column of vectors (it has {columns}); {_EXPECTED}")
    if len(names) > 1:
        raise UsageError(
            f"{label} has several columns of vectors ({known}); pick one with --tensor"
        )
    return str(names[0])


def _are_vectors(kind: pa.DataType) -> bool:
    if not (pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)):
        return False
    number = kind.value_type
    return bool(pa.types.is_floating(number) or pa.types.is_integer(number))


def _read(table: parquet.ParquetFile, name: str, size: int, label: str) -> Contents:
    """Return the vectors of a column, and the words beside them."""
    schema, count = table.schema_arrow, table.metadata.num_rows
    kind = schema.field(name).type
    width = kind.list_size if pa.types.is_fixed_size_list(kind) else 0
    most = min(MOST_VALUES, max(_SMALL, _MOST_EXPANSION * size) // 4)
    if count * max(width, 1) > most:
        raise DataError(
            f"{label} claims {plural(count, 'row')} of {plural(width, 'number')}; expected at most "
            f"{most:,} numbers in a file of {size:,} bytes"
        )
    words_name = next((word for word in _WORDS if word in schema.names), None)
    columns = [name] if words_name is None else [name, words_name]
    parts: list[Array] = []
    words: list[str | None] = []
    read = numbers = 0
    for batch in table.iter_batches(
        max(1, _BATCH // max(width, 64)), columns=columns, use_threads=False
    ):
        part = _stacked(batch.column(name), read, width, label)
        parts.append(part)
        read, width, numbers = read + len(part), part.shape[1], numbers + part.size
        if numbers > most:
            raise DataError(f"{label} has more than {most:,} numbers; expected fewer")
        if words_name is not None:
            words += map(_word, batch.column(words_name).to_pylist(), range(len(words), read))
    if not numbers:
        raise DataError(f"{label} holds no vectors; {_EXPECTED}")
    rows = as_float32(np.concatenate(parts), label)
    named = Words(words) if any(word is not None for word in words) else None
    return Contents("Parquet table", rows, named, parts[0].dtype.name, tensor=name)


def _word(value: object, row: int) -> str | None:
    """Return the word of a row; None where it is missing, or only the row's number."""
    return None if value is None else named_or_none(str(value), row)


def _stacked(vectors: pa.Array, first: int, width: int, label: str) -> Array:
    """Return vectors as a matrix.

    Args:
        first: number of the first of them, for errors.
        width: how many numbers each must have; 0 where the first of them tells.
    """
    lengths = vectors.value_lengths().fill_null(-1).to_numpy(zero_copy_only=False)
    width = width or int(lengths[0])
    wrong = np.flatnonzero(lengths != width)
    if len(wrong):
        row, length = first + int(wrong[0]), int(lengths[wrong[0]])
        came = "no vector" if length < 0 else plural(length, "number")
        raise DataError(f"{label} row {row} has {came}; expected {width}, as in the rows before it")
    values = vectors.flatten()
    if values.null_count:
        raise DataError(f"{label} has a vector with a missing number; expected numbers alone")
    array: Array = values.to_numpy(zero_copy_only=False).reshape(len(vectors), width)
    return array
