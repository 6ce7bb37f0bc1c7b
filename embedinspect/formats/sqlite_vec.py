"""Vectors of sqlite-vec: the tables behind its virtual table `vec0`.

A virtual table NAME keeps its rows in chunks: NAME_chunks has, for each chunk, which of its places
are taken (one bit each, the lowest first) and their rowids (int64); NAME_vector_chunks00 has the
vectors of the first vector column, place by place; further columns have further numbers. Texts are
in NAME_rowids (of a primary key), in NAME_auxiliary, and in NAME_metadatachunks00 (16 bytes a
place: a length and the first twelve bytes) with NAME_metadatatext00 for those that are longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.sqlite_database import Database
from embedinspect.stored_rows import StoredRows, Vectors
from embedinspect.wording import clipped_repr

_MODULE = re.compile(r"CREATE VIRTUAL TABLE\b.*?\bUSING\s+vec0\s*\((.*)\)\s*;?\s*", re.I | re.S)
_VECTORS = re.compile(r"""["'`\[]?(\w+)["'`\]]?\s+(\w+)\s*\[\s*(\d{1,6})\s*\]""")
_TEXT = re.compile(r"""(\+?)\s*["'`\[]?(\w+)["'`\]]?\s+(\w+)\b(.*)""", re.S)
_DTYPES = {"float": "float32", "f32": "float32", "int8": "int8", "i8": "int8", "bit": "bit"}
_VIEW = 16  # bytes of a text in a chunk: four of its length, twelve of its beginning
_MOST_COLUMNS = 100


class VectorColumn(NamedTuple):
    """A column of vectors.

    Attributes:
        number: among the columns of vectors of its table.
        dtype: `float32`, `int8` or `bit`.
        output_dim: how many numbers a vector has.
    """

    number: int
    dtype: str
    output_dim: int

    @property
    def width(self) -> int:
        """How many bytes a vector takes."""
        return {"float32": 32, "int8": 8, "bit": 1}[self.dtype] * self.output_dim // 8


@dataclass(frozen=True)
class VecTable:
    """What the SQL of a virtual table says.

    Attributes:
        name: of the table.
        vectors: its columns of vectors, by name.
        texts: where the texts of its other columns are: `key`, or `auxiliary` or `metadata` with
            their number among those.
    """

    name: str
    vectors: dict[str, VectorColumn] = field(default_factory=dict)
    texts: dict[str, tuple[str, int]] = field(default_factory=dict)


def vec_tables(database: Database) -> Iterator[VecTable]:
    """Yield the tables of sqlite-vec in a database."""
    for name, sql in database.virtual.items():
        module = _MODULE.fullmatch(sql)
        if module is not None:
            yield _parsed(name, module[1])


def _parsed(name: str, columns: str) -> VecTable:
    """Return what the columns of a virtual table are, as sqlite-vec reads them."""
    table, counts = VecTable(name), {"auxiliary": 0, "metadata": 0}
    for text in columns.split(",")[:_MOST_COLUMNS]:
        vector = _VECTORS.match(text.strip())
        if vector is not None:
            dtype = _DTYPES.get(vector[2].lower())
            if dtype is not None and int(vector[3]):
                table.vectors[vector[1]] = VectorColumn(len(table.vectors), dtype, int(vector[3]))
            continue
        column = _TEXT.fullmatch(text.strip())
        if column is None or "=" in text or re.search(r"\bpartition\s+key\b", column[4], re.I):
            continue
        is_text = column[3].lower() == "text"
        if re.search(r"\bprimary\s+key\b", column[4], re.I):
            if is_text:
                table.texts[column[2]] = ("key", 0)
            continue
        role = "auxiliary" if column[1] else "metadata"
        if is_text:
            table.texts[column[2]] = (role, counts[role])
        counts[role] += 1
    return table


class _Chunk(NamedTuple):
    """The places of a chunk that are taken, and the rowid of each."""

    places: np.ndarray[Any, Any]
    rowids: np.ndarray[Any, Any]
    size: int


def read_vectors(database: Database, table: VecTable, column: str) -> tuple[list[int], Vectors]:
    """Return the rowids of a table in their order, and the vectors of a column.

    Bits become 0 and 1.

    Raises:
        DataError: the tables behind it are missing, or do not fit one another.
    """
    chunks, about = _chunks(database, table), table.vectors[column]
    parts: dict[int, np.ndarray[Any, Any]] = {}
    shadow = f"{table.name}_vector_chunks{about.number:02d}"
    for number, data in _blobs(database, shadow, "vectors"):
        chunk = chunks.get(number)
        if chunk is None or number in parts or len(data) != chunk.size * about.width:
            raise _unfit(database, table, f"chunk {number} of its vectors")
        stored = np.frombuffer(data, np.uint8).reshape(chunk.size, about.width)
        parts[number] = stored[chunk.places]
    if set(parts) != set(chunks):
        raise _unfit(database, table, "a chunk without vectors")
    rowids = np.concatenate([chunk.rowids for chunk in chunks.values()] or [np.empty(0, "<i8")])
    if not len(rowids):
        raise DataError(f"{database.label} table {clipped_repr(table.name)} holds no vectors")
    order = np.argsort(rowids, kind="stable")
    ordered = rowids[order]
    if (ordered[1:] == ordered[:-1]).any():
        raise _unfit(database, table, "a rowid in two places")
    stored = np.concatenate([parts[number] for number in chunks])[order]
    return ordered.tolist(), _as_rows(stored, about)


def _as_rows(stored: np.ndarray[Any, Any], about: VectorColumn) -> Vectors:
    shape = (len(stored), about.output_dim)
    if about.dtype == "bit":
        return StoredRows(
            stored, shape, lambda part: np.unpackbits(part, axis=1, bitorder="little").astype("f4")
        )
    if about.dtype == "int8":
        return StoredRows(stored.view(np.int8), shape)
    return stored.view("<f4").astype(np.float32, copy=False)


def read_texts(database: Database, table: VecTable, column: str) -> dict[int, str]:
    """Return the texts of a column by their rowid.

    Raises:
        DataError: the tables behind it are missing, or do not fit one another.
    """
    role, number = table.texts[column]
    if role == "metadata":
        return _metadata(database, table, number)
    shadow, name = ("_rowids", "id") if role == "key" else ("_auxiliary", f"value{number:02d}")
    _require(database, table.name + shadow)
    return {
        rowid: text
        for rowid, text in database.select(table.name + shadow, ["rowid", name])
        if isinstance(rowid, int) and isinstance(text, str)
    }


def _metadata(database: Database, table: VecTable, number: int) -> dict[int, str]:
    """Return the texts of a metadata column by their rowid."""
    shadow = f"{table.name}_metadatatext{number:02d}"
    _require(database, shadow)
    long = {rowid: text for rowid, text in database.select(shadow, ["rowid", "data"])}
    texts: dict[int, str] = {}
    chunks = _chunks(database, table)
    for chunk_id, data in _blobs(database, f"{table.name}_metadatachunks{number:02d}", "data"):
        chunk = chunks.get(chunk_id)
        if chunk is None or len(data) != chunk.size * _VIEW:
            raise _unfit(database, table, f"chunk {chunk_id} of its texts")
        for place, rowid in zip(chunk.places.tolist(), chunk.rowids.tolist(), strict=True):
            view = data[place * _VIEW : (place + 1) * _VIEW]
            length = int.from_bytes(view[:4], "little")
            text = long.get(rowid) if length > _VIEW - 4 else view[4 : 4 + length]
            if isinstance(text, bytes):
                text = text.decode("utf-8", "backslashreplace")
            if not isinstance(text, str):
                raise _unfit(database, table, f"the text of row {rowid}")
            texts[rowid] = text
    return texts


def _chunks(database: Database, table: VecTable) -> dict[int, _Chunk]:
    """Return the chunks of a table by their number."""
    _require(database, f"{table.name}_chunks")
    chunks: dict[int, _Chunk] = {}
    rows = database.select(f"{table.name}_chunks", ["chunk_id", "size", "validity", "rowids"])
    for number, size, validity, rowids in rows:
        fits = (
            isinstance(size, int)
            and isinstance(validity, bytes)
            and isinstance(rowids, bytes)
            and len(rowids) == 8 * size
            and len(validity) == size // 8
        )
        if not fits or not isinstance(number, int):
            raise _unfit(database, table, f"chunk {number!r}")
        taken = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
        places = np.flatnonzero(taken)
        chunks[number] = _Chunk(places, np.frombuffer(rowids, "<i8")[places], size)
    return chunks


def _blobs(database: Database, table: str, column: str) -> Iterator[tuple[int, bytes]]:
    """Yield rowid and bytes of each row of a table behind a virtual one."""
    _require(database, table)
    for rowid, data in database.select(table, ["rowid", column]):
        if not isinstance(rowid, int) or not isinstance(data, bytes):
            raise DataError(
                f"{database.label} table {clipped_repr(table)} holds something else than bytes; "
                "expected what sqlite-vec writes"
            )
        yield rowid, data


def _require(database: Database, table: str) -> None:
    if table not in database.tables:
        raise DataError(
            f"{database.label} has no table {clipped_repr(table)}; expected the tables of "
            "sqlite-vec's vec0; in SQL, with that extension: CREATE TABLE plain AS SELECT * FROM "
            "the virtual table"
        )


def _unfit(database: Database, table: VecTable, what: str) -> DataError:
    return DataError(
        f"{database.label} table {clipped_repr(table.name)}: {what} does not fit the rest; "
        "expected what sqlite-vec writes"
    )
