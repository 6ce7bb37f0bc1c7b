"""Databases of SQLite, written by SQLite itself and by sqlite-vec."""

from __future__ import annotations

import json
import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats import open_file
from embedinspect.formats.blob_numbers import kind_of
from embedinspect.formats.contents import ReadOptions
from embedinspect.source import SourceOptions, open_source

VEC = Path(__file__).parents[1] / "data" / "sqlite-vec"
FUNCTION_SCOPED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
ROWS = np.random.RandomState(0).standard_normal((50, 6)).astype(np.float32)
WORDS = [f"w{row}" for row in range(50)]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture
def database(tmp_path):
    """Return a function that runs SQL and gives the path of the database."""

    def make(*statements, name="made.db"):
        path = tmp_path / name
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            for sql, *rows in statements:
                if rows:
                    connection.executemany(sql, rows[0])
                else:
                    connection.execute(sql)
        return str(path)

    return make


def items(rows=ROWS, words=WORDS, columns="word text, vector blob"):
    values = [(word, row.tobytes()) for word, row in zip(words, rows, strict=True)]
    return (f"create table items({columns})",), ("insert into items values (?, ?)", values)


# -- what is read ------------------------------------------------------------------------------


@FUNCTION_SCOPED
@given(
    st.lists(NAME, min_size=3, max_size=3, unique_by=str.lower),
    st.integers(8, 40),
    st.integers(4, 9),
    st.sampled_from(["<f4", "<f8", "json"]),
    st.integers(0, 99),
    st.booleans(),
)
def test_rows_and_words_are_what_was_inserted(tmp_path, names, count, width, form, seed, indexed):
    if any(name.lower().startswith("sqlite_") for name in names):
        return
    rows = np.random.RandomState(seed).standard_normal((count, width))
    words = [f"w{number}" for number in np.random.RandomState(seed).permutation(count)]
    table, word, vector = map(quoted, names)
    path = tmp_path / "made.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"create table {table}({word} text, {vector} blob)")
        if indexed:  # a query that is left to SQLite would read it, in its order
            connection.execute(f"create index {quoted(names[0] + ' by word')} on {table}({word})")
        for text, row in zip(words, rows, strict=True):
            value = json.dumps(row.tolist()) if form == "json" else row.astype(form).tobytes()
            connection.execute(f"insert into {table} values (?, ?)", (text, value))
    contents = open_file(str(path))
    assert contents.rows.tobytes() == rows.astype(np.float32).tobytes()
    assert list(contents.words) == words
    assert contents.dtype == {"<f4": "float32", "<f8": "float64", "json": "JSON"}[form]
    assert contents.tensor == f"{names[0]}.{names[2]}"


@pytest.mark.parametrize("end", ["", "without rowid"])
def test_a_table_without_rowids_is_read_in_its_own_order(database, end):
    values = [(word, row.tobytes()) for word, row in zip(WORDS, ROWS, strict=True)]
    path = database(
        (f"create table items(word text primary key, vector blob) {end}",),
        ("create index other on items(vector, word)",),
        ("insert into items values (?, ?)", values),
    )
    source = open_source(path)
    for word, row in zip(WORDS, ROWS, strict=True):
        assert source.matrix.rows[source.row_of(word)].tobytes() == row.tobytes()


def test_an_id_finds_its_own_row_and_is_never_taken_for_a_row_number(database):
    ids = np.random.RandomState(0).choice(1000, 50, replace=False).tolist()
    values = [(number, row.tobytes()) for number, row in zip(ids, ROWS, strict=True)]
    source = open_source(
        database(
            ("create table items(id integer primary key, vector blob)",),
            ("insert into items values (?, ?)", values),
        )
    )
    for number, row in zip(ids, ROWS, strict=True):
        assert source.matrix.rows[source.row_of(str(number))].tobytes() == row.tobytes()
    assert source.words_from == "the ids of the table (column 'id')"
    assert source.row_of("49") is None or 49 in ids


def test_a_column_or_a_column_of_another_table_names_the_rows(database):
    values = [(n, f"a{n}", f"b{n}", row.tobytes()) for n, row in enumerate(ROWS, 1)]
    path = database(
        ("create table items(id integer primary key, a text, b text, vector blob)",),
        ("insert into items values (?, ?, ?, ?)", values),
        ("create table names(id integer primary key, name text)",),
        ("insert into names values (?, ?)", [(n, f"n{n}") for n in range(9, 0, -1)]),
    )
    [warning] = open_source(path).warnings
    assert "several columns" in warning
    assert "('a', 'b')" in warning.replace("(", "(")
    assert list(open_source(path).words)[:2] == ["1", "2"]
    named = open_source(path, SourceOptions(words="b"))
    assert list(named.words)[:2] == ["b1", "b2"]
    assert named.words_from == "column 'b'"
    assert not named.warnings
    with_table = open_source(path, SourceOptions(words="items.b"))
    assert list(with_table.words) == list(named.words)
    with pytest.raises(UsageError, match=r"expected a column of the table 'items' in .*'id', 'a'"):
        open_source(path, SourceOptions(words="c"))
    joined = list(open_source(path, SourceOptions(words="names.name")).words)
    assert joined[:10] == [*(f"n{n}" for n in range(1, 10)), None]


def test_one_of_several_columns_is_picked(database):
    path = database(
        *items(),
        ("create table more(first blob, second blob)",),
        ("insert into more values (?, ?)", [(row.tobytes(), (-row).tobytes()) for row in ROWS]),
    )
    with pytest.raises(UsageError, match=r"several columns .*'items\.vector', 'more\.first', "):
        open_file(path)
    with pytest.raises(UsageError, match=r"columns of vectors \('more\.first', 'more\.second'\)"):
        open_file(path, ReadOptions(vectors="more"))
    with pytest.raises(UsageError, match=r"--vectors is 'x'; expected a column of vectors in"):
        open_file(path, ReadOptions(vectors="x"))
    for wanted in ("second", "more.second"):
        rows = open_file(path, ReadOptions(vectors=wanted)).rows
        assert rows.tobytes() == (-ROWS).tobytes()
    assert open_file(path, ReadOptions(vectors="items")).rows.tobytes() == ROWS.tobytes()


def test_rows_without_a_vector_are_left_out_and_told(database):
    values = [(word, row.tobytes()) for word, row in zip(WORDS, ROWS, strict=True)]
    values[3] = ("w3", None)
    path = database(
        ("create table items(word text, vector blob)",), ("insert into items values (?, ?)", values)
    )
    source = open_source(path)
    assert source.problems.counts == {"missing vectors": 1}
    assert list(source.words) == WORDS[:3] + WORDS[4:]
    assert source.matrix.rows.tobytes() == np.delete(ROWS, 3, axis=0).tobytes()


def test_a_type_that_is_declared_counts(database):
    rows = np.zeros((4, 2), np.float32)
    rows[:, 0] = [1e-30, 1e30, 1, 2]  # which do not look like an embedding
    path = database(*items(rows, "abcd", "word text, vector f32_blob(2)"))
    assert open_file(path).rows.tobytes() == rows.tobytes()
    with pytest.raises(DataError, match="no column of vectors"):
        open_file(database(*items(rows, "abcd")))


def test_a_column_of_dimensions_tells_the_type(database):
    for width, dtype in ((6, "float32"), (3, "float64")):
        path = database(
            ("create table items(vector blob, dims integer)",),
            ("insert into items values (?, ?)", [(row.tobytes(), width) for row in ROWS]),
        )
        assert open_file(path).dtype == dtype
    path = database(
        ("create table items(vector blob, dims integer)",),
        ("insert into items values (?, ?)", [(row.tobytes(), 12) for row in ROWS]),
    )
    with pytest.raises(DataError, match="2 bytes a number, which may be of several types"):
        open_file(path, ReadOptions(vectors="vector"))


# -- which numbers bytes are ---------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-4, 1e3), st.integers(40, 400))
def test_numbers_of_other_types_never_pass_for_float32(seed, scale, count):
    draw = np.random.RandomState(seed)
    numbers = draw.standard_normal(4 * count) * scale
    assert kind_of(numbers.astype("<f4").tobytes()) == "float32"
    assert kind_of(numbers.astype("<f8").tobytes()) == "float64"
    assert kind_of(numbers.astype("<f4").astype("<f8").tobytes()) == "float64"
    assert kind_of(numbers.astype(ml_dtypes.bfloat16).tobytes()) is None
    assert kind_of(draw.randint(-1000, 1000, 4 * count).astype("<i4").tobytes()) is None
    assert kind_of(draw.bytes(32 * count)) is None
    assert (
        kind_of(np.clip(draw.standard_normal(4 * count) * 40, -128, 127).astype("i1").tobytes())
        is None
    )
    if scale < 100:
        assert kind_of(numbers.astype("<f2").tobytes()) is None
    coarse = numbers.astype(ml_dtypes.bfloat16).astype("<f4")
    assert kind_of(coarse.tobytes()) == "float32"


# -- sqlite-vec ----------------------------------------------------------------------------------


def test_vectors_of_sqlite_vec_are_what_it_selects_itself():
    path = str(VEC / "vectors.db")
    answers = json.loads((VEC / "vectors.json").read_text(encoding="utf-8"))
    for place, column in enumerate(["embedding", "quantized", "bits"], 1):
        contents = open_file(path, ReadOptions(vectors=f"full.{column}"))
        expected = np.array([json.loads(row[place]) for row in answers["full"]], np.float32)
        assert np.asarray(contents.rows).tobytes() == expected.tobytes()
        assert list(contents.words) == [row[4] for row in answers["full"]]
    for place, column in enumerate(["word", "note", "genre"], 4):
        contents = open_file(path, ReadOptions(vectors="full.bits", words=column))
        assert list(contents.words) == [row[place] for row in answers["full"]]
    source = open_source(path, SourceOptions(vectors="keyed"))
    assert list(source.words) == [name for name, _ in answers["keyed"]]
    expected = np.array([json.loads(vector) for _, vector in answers["keyed"]], np.float32)
    assert source.matrix.rows.tobytes() == expected.tobytes()
    titles = open_file(path, ReadOptions(vectors="full.embedding", words="items.title")).words
    assert list(titles) == [f"title {row[0]}" for row in answers["full"]]


# -- strangers -----------------------------------------------------------------------------------


def altered_schema(path: str, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("pragma writable_schema = on")
        connection.execute(sql, values)


def test_nothing_of_a_database_is_run(database):
    """Triggers, views, computed columns and virtual tables may call functions."""
    path = database(
        *items(),
        ("create table log(what text)",),
        ("create trigger t after insert on items begin insert into log values ('run'); end",),
        ("create view vectors as select word, randomblob(16) as vector from items",),
        ("create virtual table texts using fts5(word, vector)",),
        (
            "create table computed(word text, vector blob, loud text as (upper(word)), "
            "long blob as (zeroblob(1000000000)))",
        ),
        ("create index by_length on items(length(word))",),
    )
    before = Path(path).read_bytes()
    contents = open_file(path)
    assert contents.tensor == "items.vector"
    assert contents.rows.tobytes() == ROWS.tobytes()
    for wanted in ("vectors.vector", "texts.vector", "computed.long"):
        with pytest.raises(UsageError, match="--vectors is"):
            open_file(path, ReadOptions(vectors=wanted))
    assert Path(path).read_bytes() == before
    assert [file.name for file in Path(path).parent.iterdir()] == ["made.db"]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW items AS SELECT 'a' AS word, zeroblob(9) AS vector",
        "CREATE VIRTUAL TABLE items USING fts5(word, vector)",
        "CREATE TABLE items(word text, vector blob as (zeroblob(999999999)))",
        "CREATE TABLE items AS SELECT 1",
        "CREATE TABLE items(",
        "DROP TABLE items",
    ],
)
def test_a_schema_that_lies_about_a_table_is_refused(database, sql):
    path = database(*items())
    altered_schema(path, "update sqlite_master set sql = ? where name = 'items'", sql)
    with pytest.raises(DataError, match=r"SQLite database|no column of vectors"):
        open_file(path)


def test_a_view_behind_the_name_of_a_table_is_not_read(database):
    path = database(*items(), ("create view other as select 'a' as word, x'0000' as vector",))
    altered_schema(path, "update sqlite_master set name = 'items' where name = 'other'")
    with pytest.raises(DataError):
        open_file(path)


def test_a_page_that_stands_in_many_places_is_no_table(database):
    rows = np.random.RandomState(0).standard_normal((3000, 6)).astype(np.float32)
    path = database(*items(rows, [f"w{n}" for n in range(3000)]))
    data = bytearray(Path(path).read_bytes())
    root, size = 4096, 4096  # page 2, of which the children are the pages of rows
    assert data[root] == 5
    count = int.from_bytes(data[root + 3 : root + 5], "big")
    for cell in range(count):
        at = root + int.from_bytes(data[root + 12 + 2 * cell : root + 14 + 2 * cell], "big")
        data[at : at + 4] = (3).to_bytes(4, "big")
    assert len(data) > count * size
    Path(path).write_bytes(data)
    with pytest.raises(DataError, match=r"damaged SQLite database .*several places"):
        open_file(path)


def test_vectors_that_change_their_length_or_kind_are_refused(database):
    rows = [("a", row.tobytes()) for row in np.tile(ROWS, (4, 1))]
    for value, came in ((b"1234", "4 bytes"), ("text", "'text'"), (1.5, "1.5")):
        path = database(
            ("create table items(word text, vector)",),
            ("insert into items values (?, ?)", [*rows, ("b", value)]),
        )
        with pytest.raises(DataError, match=f"row 200 has .*{came}.*; expected 24 bytes"):
            open_file(path)
    path = database(
        ("create table items(vector text)",),
        ("insert into items values (?)", [("[1, 2]",)] * 150 + [("[1, " + "[" * 9000,)]),
    )
    with pytest.raises(DataError, match=r"row 150 .*expected a JSON list of 2 numbers"):
        open_file(path)
    path = database(
        ("create table items(vector text)",),
        ("insert into items values (?)", [("[1, 2]",)] * 150 + [("[1, 1e39]",)]),
    )
    with pytest.raises(DataError, match="float32 can hold"):
        open_file(path)


def test_changes_beside_the_database_are_told_and_left_alone(database):
    path = database(*items())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("insert into items values ('new', zeroblob(24))")
        connection.commit()
        wal = Path(f"{path}-wal")
        before = wal.read_bytes()
        source = open_source(path)
        assert wal.read_bytes() == before
    assert source.matrix.input_dim == 50
    assert f"{wal} holds changes that are not in" in source.warnings[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    st.booleans(),
    st.lists(
        st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4) | st.just(b"\xff" * 9)),
        min_size=1,
        max_size=4,
    ),
    st.floats(0, 2),
)
def test_changed_and_cut_databases_are_refused_or_read(tmp_path, vec, changes, cut):
    path = tmp_path / "made.db"
    path.unlink(missing_ok=True)
    if not vec:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("pragma page_size = 512")
            connection.execute("create table items(id integer primary key, word text, vector blob)")
            values = [(word, row.tobytes()) for word, row in zip(WORDS, ROWS, strict=True)]
            connection.executemany("insert into items(word, vector) values (?, ?)", values)
    data = bytearray(path.read_bytes() if not vec else (VEC / "vectors.db").read_bytes())
    path.unlink(missing_ok=True)
    for place, change in changes:
        at = 16 + int(place * (len(data) - 16 - len(change)))
        data[at : at + len(change)] = change
    path.write_bytes(data[: int(cut * len(data))] if cut < 1 else data)
    tracemalloc.start()
    try:
        source = open_source(str(path), SourceOptions(vectors="full.embedding" if vec else None))
    except EmbedInspectError:
        return
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2**25
    assert source.matrix.rows.dtype == np.float32
    assert source.words is None or len(source.words) == source.matrix.input_dim
