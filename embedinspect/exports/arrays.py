"""Rows written as arrays: NumPy, safetensors, Parquet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from embedinspect.exports.naming import Names
from embedinspect.matrix import parts_of
from embedinspect.source import Source
from embedinspect.stages import stage

_BLOCK = 2**22  # numbers that are written at a time

Written = tuple[list[str], Names]


def write_npy(source: Source, folder: Path, name: str) -> Written:
    """Write a `.npy` array, and beside it the words as a JSON list: item i names row i."""
    about = {"descr": "<f4", "fortran_order": False, "shape": source.matrix.rows.shape}
    with (folder / name).open("wb") as file:
        npy.write_array_header_1_0(file, about)
        _write_rows(source, file)
    return _with_words(source, folder, name)


def write_safetensors(source: Source, folder: Path, name: str) -> Written:
    """Write a tensor called `embedding`, and beside it the words as a JSON list."""
    shape, size = list(source.matrix.rows.shape), 4 * source.matrix.parameters
    entry = {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}
    header = json.dumps({"embedding": entry}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with (folder / name).open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        _write_rows(source, file)
    return _with_words(source, folder, name)


def _write_rows(source: Source, file: BinaryIO) -> None:
    """Write the numbers alone, in blocks: `numpy.save` and safetensors would hold them all."""
    written = stage("written", source.matrix.input_dim)
    for _, part in parts_of(source.matrix.rows, _BLOCK):
        file.write(np.ascontiguousarray(part, "<f4").data)
        written(len(part))


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
    written = stage("written", len(rows))
    # pyarrow opens no path that is not UTF-8, so it gets a file that is open.
    with (folder / name).open("wb") as file, parquet.ParquetWriter(file, schema) as writer:
        for start in range(0, len(rows), step):
            part = np.ascontiguousarray(rows[start : start + step])
            numbers = pa.array(np.arange(start, start + len(part)))
            texts = pa.array([next(words) for _ in range(len(part))], pa.string())
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), width)
            table = pa.Table.from_arrays([numbers, texts, vectors], schema=schema)
            writer.write_table(table)
            written(len(part))
    return [name], names
