"""Tables of vectors in Arrow's own formats: an IPC file (which Feather 2 is), or an IPC stream.

The file is mapped. Vectors of float32 that lie in one batch are not copied.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from embedinspect.errors import DataError
from embedinspect.formats.arrow_claims import MAGIC, claims_of
from embedinspect.formats.arrow_columns import Gathered, columns_of, most_bytes, width_of
from embedinspect.formats.beginning import Start
from embedinspect.formats.columns import Choice, choose
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.wording import clipped_repr

_LARGEST_SCHEMA = 2**24


def recognises(start: Start) -> bool:
    """Return whether a file that begins as Arrow's do goes on with a schema."""
    length = int.from_bytes(start.data[4:8], "little")
    return start.data.startswith(MAGIC) or 0 < length <= min(_LARGEST_SCHEMA, start.size)


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the vectors of a table, and its words where it has a column of them.

    Raises:
        UsageError: several columns could be the vectors, or one that is named does not fit.
        DataError: the file is damaged, holds no vectors, or claims more than it can hold.
    """
    label = repr(str(path))
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        claims = claims_of(memoryview(data))
        most = most_bytes(len(data))
        if claims.unpacked > most:
            raise DataError(
                f"{label} claims to unpack to {claims.unpacked:,} bytes; expected at most {most:,} "
                f"in a file of {len(data):,} bytes"
            )
        buffer = pa.py_buffer(data)
        choice = choose(columns_of(_schema(buffer)), options, path)
        return _read(buffer, choice, claims.rows, label)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = clipped_repr(str(error).split("\n", maxsplit=1)[0], 80)
        raise DataError(
            f"{label} is a damaged Arrow file ({reason}); expected a table with a column of vectors"
        ) from None


def _is_file(buffer: pa.Buffer) -> bool:
    return bytes(memoryview(buffer)[: len(MAGIC)]) == MAGIC


def _schema(buffer: pa.Buffer) -> pa.Schema:
    source = pa.BufferReader(buffer)
    reader = ipc.open_file(source) if _is_file(buffer) else ipc.open_stream(source)
    return reader.schema


def _read(buffer: pa.Buffer, choice: Choice, count: int, label: str) -> Contents:
    """Return the vectors and words that were chosen."""
    gathered, row = None, 0
    for vectors, words in _batches(buffer, choice):
        length = len(vectors[0])
        if not length:
            continue
        if gathered is None:
            width = width_of(vectors, label, of_lists=choice.of_lists)
            gathered = Gathered(choice, count, width, buffer.size, label)
        if row + length > count:
            raise DataError(f"{label} has more rows than it says; it is damaged")
        gathered.put(row, vectors, words)
        row += length
    if row != count:
        raise DataError(f"{label} has fewer rows than it says; it is damaged")
    if gathered is None:
        raise DataError(f"{label} holds no vectors; expected at least one row")
    return Contents(
        "Arrow table",
        gathered.rows,
        gathered.words(),
        choice.dtype,
        tensor=choice.name,
        words_from=choice.words_from,
        words_column=choice.words_name,
        warnings=choice.warnings,
    )


def _batches(buffer: pa.Buffer, choice: Choice) -> Iterator[tuple[list[pa.Array], pa.Array | None]]:
    """Yield the columns of the vectors and that of the words, batch by batch."""
    chosen = list(choice.vectors) + ([] if choice.words is None else [choice.words])
    order = sorted(set(chosen))
    options = ipc.IpcReadOptions(included_fields=order, use_threads=False)
    source = pa.BufferReader(buffer)
    if _is_file(buffer):
        reader = ipc.open_file(source, options=options)
        batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
    else:
        batches = iter(ipc.open_stream(source, options=options))
    for batch in batches:
        columns = [batch.column(order.index(place)) for place in chosen]
        yield columns[: len(choice.vectors)], columns[-1] if choice.words is not None else None
