"""A database of SQLite from a stranger, opened so that nothing in it is run.

It is opened read-only and as immutable, so that no file is made or changed beside it. Only tables
that lie in pages of the file are named in a query, never a view or a virtual table, and an
authorizer denies all but reading them: no function of SQL, no trigger, no view behind a name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from embedinspect.errors import DataError
from embedinspect.formats.contents import Progress
from embedinspect.wording import clipped_repr

_MOST_TABLES = 10_000
# What damaged databases raise: a text with a null character in a name is a ValueError.
_DAMAGES = (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError)


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: as the table has it.
        declared: its type as the table declares it, in capitals.
        is_id: whether it is the table's rowid, an integer that is the primary key.
    """

    name: str
    declared: str
    is_id: bool


@dataclass(frozen=True)
class Database:
    """An open database.

    Attributes:
        label: how messages name it.
        size: of the file, in bytes.
        tables: the columns of each table that lies in the file, without those that are computed.
        virtual: the SQL of each virtual table, which is never named in a query.
        without_rowid: the tables whose rows have no rowid.
        progress: is told how many bytes of a table have been read.
    """

    label: str
    size: int
    tables: dict[str, tuple[Column, ...]]
    virtual: dict[str, str]
    without_rowid: frozenset[str]
    connection: sqlite3.Connection
    progress: Progress | None = None

    def select(self, table: str, columns: Sequence[str], most: int = -1) -> Iterator[Any]:
        """Yield the values of columns of a table, row by row, in the order of the table.

        Args:
            most: how many rows, if not all.

        Raises:
            DataError: the table is damaged, or has more rows and bytes than the file can hold.
        """
        rowid = self.rowid_of(table)
        names = ", ".join(f"t.{_quoted(name)}" for name in (*columns, *([rowid] if rowid else [])))
        limit = f" LIMIT {most}" if most >= 0 else ""
        # An index that holds these columns would give them in its own order.
        query = f"SELECT {names} FROM main.{_quoted(table)} AS t NOT INDEXED{limit}"
        read, last, width = 0, None, len(columns)
        with _damage_told(self.label):
            for row in self.connection.execute(query):
                # A page that is in a table many times over could go on for ever.
                read += 1 + sum(len(value) for value in row if isinstance(value, (bytes, str)))
                if read > 2 * self.size or (rowid and last is not None and row[width] <= last):
                    raise sqlite3.DatabaseError("a page of it stands in several places")
                last = row[-1]
                if self.progress is not None:
                    self.progress(min(read, self.size), self.size)
                yield row[:width]

    def rowid_of(self, table: str) -> str | None:
        """Return what the rowid of a table is called in a query; None for a table without one."""
        if table in self.without_rowid:
            return None
        taken = {column.name.lower() for column in self.tables[table] if not column.is_id}
        return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)


@contextmanager
def open_database(path: Path, progress: Progress | None = None) -> Iterator[Database]:
    """Open a database, and find its tables.

    Args:
        progress: is told how far the reading of a table is.

    Raises:
        DataError: it is damaged or no database at all.
    """
    label, size = repr(str(path)), path.stat().st_size
    place = quote(str(path.absolute()), safe="/", encoding="utf-8", errors="surrogateescape")
    address = f"file:{place}?mode=ro&immutable=1"
    with _damage_told(label):
        connection = sqlite3.connect(address, uri=True)
    with closing(connection):
        with _damage_told(label):
            _restrict(connection, size)
            tables, virtual = _tables_of(connection)
            without = frozenset(name for name in tables if not _has_rowid(connection, name))
        yield Database(label, size, tables, virtual, without, connection, progress)


@contextmanager
def _damage_told(label: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGES as error:
        reason = clipped_repr(str(error), 100)
        raise DataError(
            f"{label} is a damaged SQLite database ({reason}); expected one that "
            "'PRAGMA integrity_check' finds in order"
        ) from None


def _restrict(connection: sqlite3.Connection, size: int) -> None:
    """Make a connection safe for a stranger's database."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")
    connection.text_factory = lambda data: data.decode("utf-8", "backslashreplace")
    for limit, most in (
        (sqlite3.SQLITE_LIMIT_LENGTH, max(2**20, min(2 * size, 2**30))),  # UTF-8 of UTF-16, too
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (sqlite3.SQLITE_LIMIT_VDBE_OP, 25_000),
    ):
        connection.setlimit(limit, most)
    connection.set_authorizer(_authorize)


def _authorize(action: int, first: str | None, _: Any, base: Any, behind: str | None) -> int:
    """Allow to read columns and the schema; `behind` names a view or trigger that asks."""
    allowed = (
        action == sqlite3.SQLITE_SELECT
        or (action == sqlite3.SQLITE_READ and base in {"main", None})
        or (action == sqlite3.SQLITE_PRAGMA and first == "table_xinfo")
    )
    return sqlite3.SQLITE_OK if allowed and behind is None else sqlite3.SQLITE_DENY


def _tables_of(
    connection: sqlite3.Connection,
) -> tuple[dict[str, tuple[Column, ...]], dict[str, str]]:
    """Return the columns of the tables that lie in the file, and the SQL of virtual tables.

    A name that stands twice in the schema is left out, as a view could hide behind it.
    """
    schema = "SELECT type, name, sql, rootpage FROM sqlite_master"
    names: dict[str, int] = {}
    tables, virtual = [], {}
    for kind, name, sql, page in connection.execute(schema):
        if not isinstance(name, str) or len(names) > _MOST_TABLES:
            raise sqlite3.DatabaseError("no schema of tables")
        names[name.lower()] = names.get(name.lower(), 0) + 1
        text = sql.upper() if isinstance(sql, str) else ""
        if kind == "table" and text.startswith("CREATE TABLE") and isinstance(page, int) and page:
            tables.append(name)
        elif kind == "table" and text.startswith("CREATE VIRTUAL TABLE"):
            virtual[name] = sql
    columns = {
        name: _columns_of(connection, name)
        for name in tables
        if names[name.lower()] == 1 and not name.lower().startswith("sqlite_")
    }
    return columns, virtual


def _columns_of(connection: sqlite3.Connection, table: str) -> tuple[Column, ...]:
    rows = connection.execute(f"PRAGMA main.table_xinfo({_quoted(table)})").fetchall()
    keys = sum(1 for row in rows if row[5])
    return tuple(
        Column(name, declared.upper(), bool(key) and keys == 1 and declared.upper() == "INTEGER")
        for _, name, declared, _, _, key, hidden in rows
        if not hidden  # computed by an expression of the file
    )


def _has_rowid(connection: sqlite3.Connection, table: str) -> bool:
    try:
        connection.execute(
            f"SELECT t._rowid_, t.rowid, t.oid FROM main.{_quoted(table)} AS t LIMIT 0"
        )
    except sqlite3.OperationalError:
        return False
    return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
