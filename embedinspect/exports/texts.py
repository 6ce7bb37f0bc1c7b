"""Rows and words written as text, and in word2vec's binary form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embedinspect.exports.naming import Names, for_glove, for_glove_alone, for_lines, without_spaces
from embedinspect.source import Source
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray

_BLOCK = 2**19  # numbers that are written at a time
_START = 2**22  # bytes that tell how a text is read
VECTORS, METADATA, CONFIG = "vectors.tsv", "metadata.tsv", "projector_config.pbtxt"

Written = tuple[list[str], Names]


def write_word2vec(source: Source, folder: Path, name: str) -> Written:
    """Write a header line, then a word and its numbers a line, in digits that read back equal."""
    header = f"{source.matrix.input_dim} {source.matrix.output_dim}\n"
    return _write_lines(source, folder, name, header, without_spaces)


def write_glove(source: Source, folder: Path, name: str) -> Written:
    """Write a word and its numbers a line, in digits that read back equal.

    Where most words are numbers, so that the lines would pass for rows of numbers, they are
    changed.
    """
    from embedinspect.formats.text_layout import Layout, layout_of

    written = _write_lines(source, folder, name, "", for_glove)
    with (folder / name).open("rb") as file:
        start = file.read(_START)
        layout = layout_of(start, whole=len(start) < _START)
    if layout == Layout(source.matrix.output_dim, None, b" "):
        return written
    return _write_lines(source, folder, name, "", for_glove_alone)


def _write_lines(
    source: Source, folder: Path, name: str, header: str, escape: Callable[[str], str]
) -> Written:
    names = Names(source, escape, unique=True)
    with (folder / name).open("wb") as file:
        file.write(header.encode())
        for words, rows in _blocks(source, names):
            lines = _joined([pa.array(words), *_columns(rows)], " ")
            file.write(("\n".join(lines) + "\n").encode())
    return [name], names


def write_csv(source: Source, folder: Path, name: str) -> Written:
    """Write a table with headings: word, dim_0, dim_1 and so on."""
    names = Names(source, for_lines)
    headings = ["word", *(f"dim_{number}" for number in range(source.matrix.output_dim))]
    with (folder / name).open("wb") as file:
        file.write((",".join(headings) + "\n").encode())
        for words, rows in _blocks(source, names):
            cells = pa.array(map(_csv_cell, words), pa.string())
            lines = _joined([cells, *_columns(rows)], ",")
            file.write(("\n".join(lines) + "\n").encode())
    return [name], names


def _csv_cell(word: str) -> str:
    """Return a word as a cell, in quotes where it holds what would end or begin a cell."""
    return '"' + word.replace('"', '""') + '"' if set(word) & set(',;"') else word


def write_word2vec_binary(source: Source, folder: Path, name: str) -> Written:
    """Write a header line, then each word, a space, and its numbers as little-endian float32."""
    names = Names(source, without_spaces, unique=True)
    with (folder / name).open("wb") as file:
        file.write(f"{source.matrix.input_dim} {source.matrix.output_dim}\n".encode())
        for words, rows in _blocks(source, names):
            for word, row in zip(words, rows.astype("<f4"), strict=True):
                file.write(word.encode() + b" " + row.tobytes() + b"\n")
    return [name], names


def write_projector(source: Source, folder: Path, _: str) -> Written:
    """Write the TSV pair of TensorBoard's projector, and the config that names both."""
    names = Names(source, for_lines)
    with (folder / VECTORS).open("wb") as vectors, (folder / METADATA).open("wb") as metadata:
        for words, rows in _blocks(source, names):
            lines = _joined(_columns(rows), "\t")
            vectors.write(("\n".join(lines) + "\n").encode())
            metadata.write(("\n".join(words) + "\n").encode())
    (folder / CONFIG).write_text(
        "embeddings {\n"
        '  tensor_name: "embedding"\n'
        f'  tensor_path: "{VECTORS}"\n'
        f'  metadata_path: "{METADATA}"\n'
        "}\n",
        encoding="utf-8",
    )
    return [VECTORS, METADATA, CONFIG], names


def _blocks(source: Source, names: Names) -> Iterator[tuple[list[str], FloatArray]]:
    """Yield words and rows in blocks, so that memory stays bounded."""
    step = max(1, _BLOCK // source.matrix.output_dim)
    words = iter(names)
    written = stage("written", source.matrix.input_dim)
    for start in range(0, source.matrix.input_dim, step):
        rows = source.matrix.rows[start : start + step]
        yield list(islice(words, len(rows))), rows
        written(len(rows))


def _columns(rows: FloatArray) -> list[pa.Array]:
    """Return each dimension as text, in the shortest digits that read back equal."""
    columns = np.ascontiguousarray(rows.T)
    return [pc.cast(pa.array(column), pa.string()) for column in columns]


def _joined(columns: list[pa.Array], separator: str) -> list[str]:
    """Return the lines whose fields are in columns."""
    if len(columns) == 1:
        return list(columns[0].to_pylist())
    return list(pc.binary_join_element_wise(*columns, separator).to_pylist())
