"""Databases of SQLite with a column of vectors: BLOBs, JSON texts, and the tables of sqlite-vec."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.contents import Contents, Problems, ReadOptions
from embedinspect.formats.sqlite_columns import SAMPLE, Stored, read_column, stored_as
from embedinspect.formats.sqlite_database import Column, Database, open_database
from embedinspect.formats.sqlite_vec import VecTable, read_texts, read_vectors, vec_tables
from embedinspect.row_words import Words, named_or_none
from embedinspect.stored_rows import Vectors
from embedinspect.wording import clipped_repr, listed

_USUAL_WORDS = ("word", "words", "token", "text")
_EXPECTED = (
    "expected a column of vectors: BLOBs of float32, JSON lists of numbers, or a table of "
    "sqlite-vec"
)


@dataclass(frozen=True)
class _Table:
    """What is asked of a table, be it a plain one or one of sqlite-vec.

    Attributes:
        name: of the table.
        vectors: the names of its columns of vectors.
        texts: the names of its columns of texts.
        columns: the names of all that can be its words.
        read: returns the rows of a column of vectors, the rowids of these rows where they have
            any, and the dtype of the numbers as they are stored.
        words: returns the values of a column for these rows.
        ids: what the rowids are called, where they are ids that a user knows.
    """

    name: str
    vectors: list[str]
    texts: list[str]
    columns: list[str]
    read: Callable[[str, Problems], _Rows]
    words: Callable[[str, _Rows], list[object]]
    ids: str | None


class _Rows(NamedTuple):
    """Rows that were read.

    Attributes:
        rows: their numbers.
        places: of each among the rows of its table.
        ids: of each, where the table has ids.
        dtype: the type of the numbers as they are stored.
    """

    rows: Vectors
    places: list[int]
    ids: list[int] | None
    dtype: str


class _Named(NamedTuple):
    """The words of the rows, where they come from, and what is odd about that.

    Attributes:
        column: the one that `--words` names, where it is one.
    """

    words: Words | None = None
    origin: str | None = None
    column: str | None = None
    warnings: tuple[str, ...] = ()


def read(path: Path, options: ReadOptions) -> Contents:
    """Return a column of vectors, and the words of its rows where a column has them.

    Where no column has words, the ids of the table are the words of its rows.

    Raises:
        UsageError: several columns hold vectors and none is named, or none has that name.
        DataError: the database is damaged, or no column of it holds vectors for certain.
    """
    problems = Problems(repr(str(path)), options.strict)
    with open_database(path, options.progress) as database:
        tables = [*_vec(database), *_plain(database)]
        table, column = _pick(tables, options.vectors, database)
        rows = table.read(column, problems)
        named = _words(database, table, column, rows, options.words)
    return Contents(
        "SQLite database",
        rows.rows,
        named.words,
        rows.dtype,
        problems,
        tensor=f"{table.name}.{column}",
        warnings=(*_beside(path), *named.warnings),
        words_from=named.origin,
        words_column=named.column,
    )


def _beside(path: Path) -> tuple[str, ...]:
    """Return a warning for each file beside a database whose changes are not in it yet."""
    return tuple(
        f"{other} holds changes that are not in {path} yet, and is not read; to bring them in, "
        "open the database once with sqlite3 and close it"
        for other in (path.with_name(path.name + end) for end in ("-wal", "-journal"))
        if other.is_file() and other.stat().st_size
    )


def _plain(database: Database) -> list[_Table]:
    """Return the tables that lie in the file, without those that a virtual table keeps."""
    behind = tuple(f"{name.lower()}_" for name in database.virtual)
    return [
        _plain_table(database, name, columns)
        for name, columns in database.tables.items()
        if columns and not (behind and name.lower().startswith(behind))
    ]


def _plain_table(database: Database, name: str, columns: tuple[Column, ...]) -> _Table:
    names = [column.name for column in columns]
    sample = list(database.select(name, names, SAMPLE))
    values = {column: [row[place] for row in sample] for place, column in enumerate(names)}
    kinds = {column.name: stored_as(column, values) for column in columns}
    vectors = [column for column in names if isinstance(kinds[column], Stored)]
    ids = next((column.name for column in columns if column.is_id), None)

    def read_rows(column: str, problems: Problems) -> _Rows:
        kind = kinds[column]
        if not isinstance(kind, Stored):
            raise DataError(
                f"{database.label} table {clipped_repr(name)}, column {clipped_repr(column)}: "
                f"{kind}; {_EXPECTED}"
            )
        rows, places, rowids = read_column(database, name, column, kind, ids, problems)
        return _Rows(rows, places, rowids, kind.dtype)

    def read_words(column: str, rows: _Rows) -> list[object]:
        whole = [value for (value,) in database.select(name, [column])]
        return [whole[place] for place in rows.places]

    return _Table(
        name,
        vectors,
        [column for column in names if column not in vectors and _are_texts(values[column])],
        names,
        read_rows,
        read_words,
        None if ids is None else f"the ids of the table (column {clipped_repr(ids)})",
    )


def _are_texts(values: list[object]) -> bool:
    """Return whether some values of a column are texts, and none is of another kind."""
    given = [value for value in values if value is not None]
    return bool(given) and all(isinstance(value, str) for value in given)


def _vec(database: Database) -> list[_Table]:
    return [_vec_table(database, table) for table in vec_tables(database) if table.vectors]


def _vec_table(database: Database, table: VecTable) -> _Table:
    def read_rows(column: str, _: Problems) -> _Rows:
        ids, rows = read_vectors(database, table, column)
        return _Rows(rows, list(range(len(ids))), ids, table.vectors[column].dtype)

    def read_words(column: str, rows: _Rows) -> list[object]:
        texts = read_texts(database, table, column)
        return [texts.get(rowid) for rowid in rows.ids or []]

    texts = list(table.texts)
    ids = "the ids of the table (rowid)"
    return _Table(table.name, list(table.vectors), texts, texts, read_rows, read_words, ids)


def _pick(tables: list[_Table], wanted: str | None, database: Database) -> tuple[_Table, str]:
    """Return the table and the column that are wanted, or the only ones that hold vectors."""
    known = [(table, column) for table in tables for column in table.vectors]
    names = listed([clipped_repr(f"{table.name}.{column}", 80) for table, column in known])
    if wanted is not None:
        fitting = [pair for pair in known if wanted in _names_of(*pair)]
        # A column that is named is asked, so that the error says why it holds no vectors.
        fitting = fitting or [
            (table, column)
            for table in tables
            for column in table.columns
            if wanted in _names_of(table, column)
        ]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting or wanted not in {table.name for table, _ in fitting}:
            several = "several columns have that name; " if fitting else ""
            raise UsageError(
                f"--vectors is {clipped_repr(wanted)}; {several}expected a column of vectors in "
                f"{database.label}: {names or 'it has none'}"
            )
        known = fitting
        names = listed([clipped_repr(f"{table.name}.{column}", 80) for table, column in known])
    if not known:
        columns = [f"{table.name}.{column}" for table in tables for column in table.columns]
        has = listed(map(clipped_repr, columns)) or "no table"
        raise DataError(f"{database.label} has no column of vectors (it has {has}); {_EXPECTED}")
    if len(known) > 1:
        raise UsageError(
            f"{database.label} has several columns of vectors ({names}); name one with --vectors"
        )
    return known[0]


def _names_of(table: _Table, column: str) -> tuple[str, ...]:
    """Return what a column may be called."""
    return f"{table.name}.{column}", column, table.name


def _words(
    database: Database, table: _Table, column: str, rows: _Rows, wanted: str | None
) -> _Named:
    """Return the words of the rows: a column's, or else the ids of the table."""
    if wanted is not None:
        values = _wanted_words(database, table, rows, wanted)
        if values is not None:
            return _Named(_as_words(values), f"column {clipped_repr(wanted)}", wanted)
        if not os.path.exists(wanted):
            columns = listed(map(clipped_repr, table.columns))
            raise UsageError(
                f"--words is {clipped_repr(wanted)}; expected a column of the table "
                f"{clipped_repr(table.name)} in {database.label} ({columns}), or a file of words"
            )
    texts = [name for name in table.texts if name != column]
    usual = [name for name in _USUAL_WORDS if name in texts]
    if usual or len(texts) == 1:
        name = (usual or texts)[0]
        origin = f"column {clipped_repr(f'{table.name}.{name}', 80)}"
        return _Named(_as_words(table.words(name, rows)), origin)
    warnings: tuple[str, ...] = ()
    if texts and wanted is None:
        warnings = (
            f"several columns of {database.label} could hold the words "
            f"({listed(map(clipped_repr, texts))}); name one with --words",
        )
    if rows.ids is None or table.ids is None:
        return _Named(warnings=warnings)
    return _Named(_as_words(list(rows.ids)), table.ids, None, warnings)


def _wanted_words(
    database: Database, table: _Table, rows: _Rows, wanted: str
) -> list[object] | None:
    """Return the values of the column that is named; None where there is none of that name.

    `TABLE.COLUMN` is a column of another table whose rowids are those of the rows.
    """
    own = wanted.removeprefix(f"{table.name}.")
    for name in (wanted, own):
        if name in table.columns:
            return table.words(name, rows)
    if rows.ids is None:
        return None
    for name, columns in database.tables.items():
        for column in columns:
            rowid = database.rowid_of(name)
            if f"{name}.{column.name}" == wanted and rowid is not None:
                values = dict(database.select(name, [rowid, column.name]))
                return [values.get(rowid) for rowid in rows.ids]
    return None


def _as_words(values: list[object]) -> Words:
    return Words([_word(value, row) for row, value in enumerate(values)])


def _word(value: object, row: int) -> str | None:
    """Return the word of a row; None where it is missing, or only the row's number."""
    if value is None:
        return None
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return named_or_none(text, row)
