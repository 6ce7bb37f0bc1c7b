"""Columns of Arrow become a matrix and its words, batch by batch.

Batches may come in any order and from several threads; each says which row it begins with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from embedinspect.errors import DataError
from embedinspect.formats.columns import Choice, Column
from embedinspect.matrix import MOST_VALUES
from embedinspect.row_words import ANY_MARK, LINE_MARK, PackedWords
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import plural

NumberArray = np.ndarray[Any, np.dtype[Any]]
# No table of vectors and words is compressed to a two-hundredth of its size.
_MOST_EXPANSION, _SMALL = 200, 2**26


def most_bytes(size: int) -> int:
    """Return how many bytes the columns of a file of this size may unpack to."""
    return max(_SMALL, _MOST_EXPANSION * size)


def columns_of(schema: pa.Schema) -> list[Column]:
    """Return the columns that a table has by its schema."""
    return [_column(field.name, field.type) for field in schema]


def _column(name: str, kind: pa.DataType) -> Column:
    kind = _storage(kind)
    if _is_list(kind):
        number = kind.value_type
        return (
            Column(name, "vector", _dtype(number)) if _is_number(number) else Column(name, "other")
        )
    if _is_number(kind):
        is_floating = pa.types.is_floating(kind)
        return Column(name, "number" if is_floating else "whole number", _dtype(kind))
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return Column(name, "text" if _is_text(kind) else "other")


def _storage(kind: pa.DataType) -> pa.DataType:
    """Return the type that a tensor of one dimension is stored as; any other type as it is."""
    if isinstance(kind, pa.FixedShapeTensorType) and len(kind.shape) == 1:
        return kind.storage_type
    return kind


def _is_list(kind: pa.DataType) -> bool:
    types = pa.types
    return any(
        test(kind)
        for test in (
            types.is_list,
            types.is_large_list,
            types.is_fixed_size_list,
            types.is_list_view,
            types.is_large_list_view,
        )
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _dtype(kind: pa.DataType) -> str:
    return str(np.dtype(kind.to_pandas_dtype()).name)


class Gathered:
    """The matrix and the words of a table, as far as its batches have been put in.

    Attributes:
        rows: float32, shape (count, width).
    """

    def __init__(self, choice: Choice, count: int, width: int, size: int, label: str) -> None:
        """Make room for the rows.

        Args:
            count: how many rows the table claims.
            width: how many numbers a vector has.
            size: of the file, in bytes.
            label: how errors name the file.

        Raises:
            DataError: the file claims more than it can hold.
        """
        self.choice, self.label, self.most = choice, label, most_bytes(size)
        most = min(MOST_VALUES, self.most // 4)
        if count * max(width, 1) > most:
            raise DataError(
                f"{label} claims {plural(count, 'row')} of {plural(width, 'number')}; expected at "
                f"most {most:,} numbers in a file of {size:,} bytes"
            )
        if not count * width:
            raise DataError(f"{label} holds no vectors; expected at least one row and one column")
        self.rows: FloatArray = np.empty((count, width), np.float32)
        self._words: dict[int, pa.Array] = {}
        self._bytes_of_words = 0

    def put(self, first: int, vectors: list[pa.Array], words: pa.Array | None) -> None:
        """Put in the rows from `first` on.

        Args:
            vectors: the columns of the vectors.
            words: the column of the words, if there is one.

        Raises:
            DataError: a vector is missing, has another length, or holds what float32 cannot.
            pyarrow.ArrowInvalid: the columns are damaged.
        """
        for column in vectors if words is None else [*vectors, words]:
            column.validate(full=True)
        if self.choice.of_lists:
            numbers = stacked(vectors[0], first, self.rows.shape[1], self.label)
            if numbers.shape == self.rows.shape and _is_plain(numbers):
                self.rows = numbers  # which may be mapped
            else:
                self._set(first, slice(None), numbers)
        else:
            for place, column in enumerate(vectors):
                self._refuse_nulls(column, first)
                self._set(first, slice(place, place + 1), _numbers(column)[:, None])
        if words is not None:
            self._words[first] = self._texts(words)

    def _set(self, first: int, columns: slice, numbers: NumberArray) -> None:
        """Set some columns of the rows from `first` on."""
        part = self.rows[first : first + len(numbers), columns]
        with np.errstate(over="ignore", invalid="ignore"):  # a signalling NaN is only a NaN here
            part[:] = numbers
        if numbers.dtype != np.float64:
            return
        lost = np.isinf(part) & np.isfinite(numbers)
        if lost.any():
            row, column = np.unravel_index(int(lost.argmax()), lost.shape)
            raise DataError(
                f"{self.label} holds {numbers[row, column]} in row {first + int(row)}, column "
                f"{(columns.start or 0) + int(column)}; expected numbers that float32 can hold, "
                "up to 3.4e38"
            )

    def _refuse_nulls(self, column: pa.Array, first: int) -> None:
        """Refuse a column in which a number is missing."""
        if column.null_count:
            row = first + int(compute.index(column.is_null(), True).as_py())
            raise DataError(
                f"{self.label} row {row} has a vector with a missing number; expected numbers alone"
            )

    def _texts(self, words: pa.Array) -> pa.Array:
        """Return a column of words as bytes, unless they would become too many."""
        if pa.types.is_dictionary(words.type):
            lengths = _lengths(words.dictionary).take(words.indices)
        elif _is_text(words.type):
            lengths = _lengths(words)
        else:
            return words.cast(pa.string()).cast(pa.large_binary())
        self._bytes_of_words += compute.sum(lengths).as_py() or 0
        if self._bytes_of_words > self.most:
            raise DataError(
                f"{self.label} has words of more than {self.most:,} bytes; expected fewer in a "
                "file of its size"
            )
        return words.cast(pa.large_binary())

    def words(self) -> PackedWords | None:
        """Return the words of all rows; None where no row has one."""
        texts = [self._words[first] for first in sorted(self._words)]
        if not texts or all(text.null_count == len(text) for text in texts):
            return None
        return _packed(texts)


def _lengths(texts: pa.Array) -> pa.Array:
    """Return how many bytes each text has."""
    if not pa.types.is_string_view(texts.type):
        return compute.binary_length(texts).cast(pa.int64())
    # A view of 16 bytes begins with the length.
    views = np.frombuffer(texts.buffers()[1], np.int32)[::4][texts.offset :][: len(texts)]
    valid = texts.is_valid().to_numpy(zero_copy_only=False)
    return pa.array(np.where(valid, views, 0).astype(np.int64))


def _packed(texts: list[pa.Array]) -> PackedWords:
    """Return texts in one block, each after a mark that is in none of them."""
    fits = not any(_has_line_feed(text) for text in texts)
    mark = LINE_MARK if fits else ANY_MARK
    blocks, ends, first, end = [], [], 0, 0
    for text in texts:
        numbers = pa.array(np.arange(first, first + len(text))) if text.null_count else None
        if numbers is not None:  # a row without a word is called by its number
            names = compute.binary_join_element_wise("#", numbers.cast(pa.string()), "")
            text = compute.coalesce(text, names.cast(pa.large_binary()))
        marked = compute.binary_join_element_wise(
            pa.scalar(mark, pa.large_binary()), text, pa.scalar(b"", pa.large_binary())
        )
        _, offsets, data = marked.buffers()
        places = np.frombuffer(offsets, np.int64)[marked.offset : marked.offset + len(text) + 1]
        blocks.append(memoryview(data)[int(places[0]) : int(places[-1])])
        ends.append(places[1:] - places[0] + end)
        first, end = first + len(text), int(ends[-1][-1])
    return PackedWords(b"".join(blocks), np.concatenate(ends))


def _has_line_feed(text: pa.Array) -> bool:
    return bool(compute.any(compute.match_substring(text, "\n")).as_py())


def stacked(vectors: pa.Array, first: int, width: int, label: str) -> NumberArray:
    """Return vectors as a matrix; it may share the memory of the column.

    Args:
        first: number of the first of them, for errors.
        width: how many numbers each must have.

    Raises:
        DataError: a vector, or a number in one, is missing, or a vector has another length.
    """
    if isinstance(vectors, pa.ExtensionArray):
        vectors = vectors.storage
    lengths = compute.list_value_length(vectors).fill_null(-1).to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(lengths != width)
    if len(wrong):
        row, length = first + int(wrong[0]), int(lengths[wrong[0]])
        came = "no vector" if length < 0 else plural(length, "number")
        raise DataError(f"{label} row {row} has {came}; expected {width}, as in the rows before it")
    values = vectors.flatten()
    if values.null_count:
        row = first + int(compute.index(values.is_null(), True).as_py()) // width
        raise DataError(
            f"{label} row {row} has a vector with a missing number; expected numbers alone"
        )
    return _numbers(values).reshape(len(vectors), width)


def width_of(vectors: list[pa.Array], label: str, *, of_lists: bool) -> int:
    """Return how many numbers the vectors of a table have, judged by its first row.

    Raises:
        DataError: that row has none.
        pyarrow.ArrowInvalid: the columns are damaged.
    """
    if not of_lists:
        return len(vectors)
    [column] = vectors
    column.validate(full=True)
    column = column.storage if isinstance(column, pa.ExtensionArray) else column
    length = compute.list_value_length(column)[0].as_py()
    if not length:
        came = "no vector" if length is None else "0 numbers"
        raise DataError(f"{label} row 0 has {came}; expected a vector in each row")
    return int(length)


def _is_plain(numbers: NumberArray) -> bool:
    """Return whether numbers are float32 and lie where NumPy expects them; offsets may be odd."""
    return numbers.dtype == np.float32 and numbers.ctypes.data % 4 == 0


def _numbers(column: pa.Array) -> NumberArray:
    numbers: NumberArray = column.to_numpy(zero_copy_only=False)
    return numbers
