"""Rows written as arrays: NumPy, safetensors, Parquet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from embedinspect.exports.naming import Names
from embedinspect.files import set_plain_mode
from embedinspect.source import Source

_BLOCK = 2**22  # numbers that are written at a time

Written = tuple[list[str], Names]


def write_npy(source: Source, folder: Path, name: str) -> Written:
    """Write a `.npy` array, and beside it the words as a JSON list: item i names row i."""
    with (folder / name).open("wb") as file:
        np.save(file, source.matrix.rows, allow_pickle=False)
    return _with_words(source, folder, name)


def write_safetensors(source: Source, folder: Path, name: str) -> Written:
    """Write a tensor called `embedding`, and beside it the words as a JSON list."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path = folder / name
    try:
        save_file({"embedding": np.ascontiguousarray(source.matrix.rows)}, path)
    except SafetensorError as error:
        raise OSError(str(error)) from None
    set_plain_mode(path)  # the package lets nobody else read it
    return _with_words(source, folder, name)


def _with_words(source: Source, folder: Path, name: str) -> Written:
    """Write the words beside an array, where the source has any."""
    names = Names(source, str)
    if source.words is None:
        return [name], names
    beside = f"{name}.words.json"
    lines = ",\n".join(json.dumps(word) for word in source.words)
    (folder / beside).write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return [name, beside], names


def write_parquet(source: Source, folder: Path, name: str) -> Written:
    """Write a table of row, word and vector, as embedding-atlas and DuckDB read it."""
    import pyarrow as pa
    from pyarrow import parquet

    from embedinspect.exports.naming import for_lines

    rows = source.matrix.rows
    width = rows.shape[1]
    names = Names(source, lambda word: word if word.isprintable() else for_lines(word))
    schema = pa.schema(
        [("row", pa.int64()), ("word", pa.string()), ("vector", pa.list_(pa.float32(), width))]
    )
    words = iter(names)
    step = max(1, _BLOCK // width)
    # pyarrow opens no path that is not UTF-8, so it gets a file that is open.
    with (folder / name).open("wb") as file, parquet.ParquetWriter(file, schema) as writer:
        for start in range(0, len(rows), step):
            part = np.ascontiguousarray(rows[start : start + step])
            numbers = pa.array(np.arange(start, start + len(part)))
            texts = pa.array([next(words) for _ in range(len(part))], pa.string())
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), width)
            table = pa.Table.from_arrays([numbers, texts, vectors], schema=schema)
            writer.write_table(table)
    return [name], names
