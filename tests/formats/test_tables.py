"""Tables of columns: which are the vectors and the words, and that each row is as it was written.

Oracles are pyarrow on tables that nobody chose, and files that other programs have written.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import dataset, ipc, parquet

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import parquet_file
from embedinspect.source import SourceOptions, open_source

MADE = Path(__file__).parent.parent / "data" / "tables"
EXPECTED = {"rows.npy", "words.json"}


@pytest.mark.parametrize(
    "name", sorted(path.name for path in MADE.iterdir() if path.name not in EXPECTED)
)
def test_what_other_programs_write_is_read_bit_for_bit(name):
    source = open_source(str(MADE / name))
    rows = np.load(MADE / "rows.npy")
    if name.startswith("pandas") and name.endswith("json"):
        rows = rows + 0  # it writes -0.0 as 0.0
    assert np.asarray(source.matrix.rows).tobytes() == rows.tobytes()
    assert list(source.words) == json.loads((MADE / "words.json").read_text())
    assert source.warnings == ()


# -- tables that nobody chose ---------------------------------------------------------------------

NUMBERS = [pa.float16(), pa.float32(), pa.float64(), pa.int8(), pa.uint16(), pa.int64()]
LISTS = [
    lambda number, width: pa.list_(number),
    lambda number, width: pa.list_(number, width),
    lambda number, width: pa.large_list(number),
    lambda number, width: pa.list_view(number),
    lambda number, width: pa.large_list_view(number),
]
TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int16(), pa.string())]
WORDS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=5))


def as_parquet(table: pa.Table, rows: int, compression: str | None) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(table, stream, row_group_size=rows, compression=compression)
    return stream.getvalue()


def as_arrow(new, table: pa.Table, rows: int, compression: str | None) -> bytes:
    stream = io.BytesIO()
    compression = "lz4" if compression == "snappy" else compression
    options = ipc.IpcWriteOptions(compression=compression)
    with new(stream, table.schema, options=options) as writer:
        writer.write_table(table.unify_dictionaries(), rows)
    return stream.getvalue()


WRITERS = {
    "parquet": as_parquet,
    "file": lambda *given: as_arrow(ipc.new_file, *given),
    "stream": lambda *given: as_arrow(ipc.new_stream, *given),
}


def called(word: str | None, row: int) -> str | None:
    """Return a word as the tool has it: a row that is called by its number has none."""
    return None if word == f"#{row}" else word


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.data())
def test_random_tables_are_read_as_pyarrow_wrote_them(tmp_path, data):
    width, number = data.draw(st.integers(1, 4)), data.draw(st.sampled_from(NUMBERS))
    kind = data.draw(st.sampled_from(LISTS))(number, width)
    words = data.draw(st.lists(WORDS, min_size=1, max_size=12))
    raw = data.draw(st.binary(min_size=8 * width * len(words), max_size=8 * width * len(words)))
    rows = np.frombuffer(raw, number.to_pandas_dtype())[: width * len(words)]
    with np.errstate(all="ignore"):
        wanted = rows.astype(np.float32).reshape(-1, width)
    if rows.dtype == np.float64 and (np.isinf(wanted.ravel()) & np.isfinite(rows)).any():
        return  # which float32 cannot hold; refused elsewhere
    values = pa.array(rows)
    if pa.types.is_fixed_size_list(kind):
        vectors = pa.FixedSizeListArray.from_arrays(values, width)
    else:
        vectors = pa.array(values.to_numpy().reshape(-1, width).tolist(), kind)
    texts = pa.array(words, pa.string()).cast(data.draw(st.sampled_from(TEXTS)))
    columns = {"number": range(len(words)), "word": texts, "vector": vectors}
    order = data.draw(st.permutations(sorted(columns)))
    table = pa.table({name: columns[name] for name in order})
    form = data.draw(st.sampled_from(sorted(WRITERS)))
    if form == "parquet" and "view" in str(kind):
        return  # pyarrow writes no such lists there
    at_once = data.draw(st.integers(1, 12))
    compression = data.draw(st.sampled_from([None, "snappy", "zstd"]))
    path = tmp_path / "table"
    path.write_bytes(WRITERS[form](table, at_once, compression))
    source = open_source(str(path))
    got = np.asarray(source.matrix.rows)
    assert np.array_equal(got, wanted, equal_nan=True)
    named = [called(word, row) for row, word in enumerate(words)]
    if any(word is not None for word in named):
        assert list(source.words) == named
        assert [source.words[row] for row in range(len(named))] == named
        for row, word in enumerate(named):
            if word is not None and not word.startswith("#"):
                assert source.words.row_of(word) == named.index(word), row
    else:
        assert source.words is None


def test_groups_of_rows_that_several_threads_read_stay_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_file, "_MOST_THREADS", 8)
    monkeypatch.setattr(parquet_file.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(parquet_file, "_BATCH", 256)
    rows = np.random.default_rng(0).standard_normal((1000, 3)).astype(np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), 3)
    table = pa.table({"word": [f"w{row}" for row in range(1000)], "vector": vectors})
    parquet.write_table(table, tmp_path / "t", row_group_size=37)
    told: list[tuple[int, int]] = []
    options = SourceOptions(progress=lambda done, size: told.append((done, size)))
    source = open_source(str(tmp_path / "t"), options)
    assert source.matrix.rows.tobytes() == rows.tobytes()
    assert list(source.words) == table["word"].to_pylist()
    assert told[-1][0] == told[-1][1] == (tmp_path / "t").stat().st_size


def test_vectors_of_a_mapped_file_are_not_copied(tmp_path):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.ones(40, np.float32)), 4)
    (tmp_path / "t").write_bytes(as_arrow(ipc.new_file, pa.table({"v": vectors}), 10, None))
    rows = open_source(str(tmp_path / "t")).matrix.rows
    assert not rows.flags.owndata
    assert not rows.flags.writeable


def test_our_own_export_comes_back_bit_for_bit(tmp_path, run):
    path = str(tmp_path / "rows.parquet")
    code, _, err = run("export", "sample:vectors", path)
    assert code == 0, err
    first, again = open_source("sample:vectors"), open_source(path)
    assert again.matrix.rows.tobytes() == first.matrix.rows.tobytes()
    assert list(again.words) == list(first.words)


# -- which columns ---------------------------------------------------------------------------------


@pytest.fixture(params=["parquet", "file"])
def opened(request, tmp_path):
    def write_and_open(columns, **options):
        path = tmp_path / "table"
        path.write_bytes(WRITERS[request.param](pa.table(columns), 100, None))
        return open_source(str(path), SourceOptions(**options))

    return write_and_open


def dims(count: int = 3, prefix: str = "dim_", kind: pa.DataType | None = None):
    return {
        f"{prefix}{place}": pa.array([place, place + 0.5], kind or pa.float32())
        for place in range(count)
    }


FLOATS = pa.array([[1.0, 2.0], [3.0, 4.0]])
IDS = pa.array([[1, 2], [3, 4]])


def test_columns_of_numbers_that_count_are_the_vectors(opened):
    columns = {**dims(12), "score": [0.5, 0.25], "id": [7, 8], "word": ["a", "b"]}
    source = opened(dict(sorted(columns.items())))  # dim_10 stands before dim_2
    assert source.matrix.rows.tolist() == [[p for p in range(12)], [p + 0.5 for p in range(12)]]
    assert source.tensor == "12 columns, dim_0 to dim_11"
    [warning] = source.warnings
    assert "12 columns, dim_0 to dim_11, are the vectors; left out: 'score'" in warning


def test_all_columns_of_floats_are_the_vectors_where_none_count(opened):
    source = opened({"__index_level_0__": [5, 6], "x": [0.5, 1], "y": [2.0, 3], "w": ["a", "b"]})
    assert source.matrix.rows.tolist() == [[0.5, 2], [1, 3]]
    assert (source.tensor, list(source.words)) == ("2 columns, x to y", ["a", "b"])


def test_columns_of_several_types_of_floats_are_refused(opened):
    narrow = pa.array([1, 2], pa.float32())
    with pytest.raises(DataError, match=r"several types .float64: 'x', 'y'; float32: 'z'"):
        opened({"x": [0.5, 1], "y": [2.0, 3], "z": narrow})


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"a": FLOATS, "b": FLOATS, "ids": IDS}, "'a', 'b'"),
        ({**dims(prefix="a_"), **dims(prefix="b_")}, "'a_0..a_2', 'b_0..b_2'"),
    ],
)
def test_several_candidates_are_listed_and_one_is_picked(opened, columns, names):
    with pytest.raises(UsageError, match=f"several columns of vectors .{names}.; pick one"):
        opened(columns)
    last = names.split("'")[3]
    assert opened(columns, vectors=last).matrix.rows.shape[0] == 2
    with pytest.raises(UsageError, match=f"--vectors is 'c', no column; expected .*{names}"):
        opened(columns, vectors="c")


def test_lists_of_floats_come_before_lists_of_ids(opened):
    assert opened({"ids": IDS, "v": FLOATS}).tensor == "v"
    assert opened({"ids": IDS, "v": FLOATS}, vectors="ids").matrix.rows.tolist() == [[1, 2], [3, 4]]
    assert opened({"ids": IDS, "x": [0.5, 1], "y": [0.5, 1]}).tensor == "ids"


def test_words_by_name_or_as_the_only_texts(opened):
    both = {"url": ["u", "v"], "title": ["t", "s"], "v": FLOATS}
    assert list(opened(both).words) == ["t", "s"]
    assert list(opened({"url": ["u", "v"], "v": FLOATS}).words) == ["u", "v"]
    assert list(opened(both, words="url").words) == ["u", "v"]
    assert opened(both, words="url").words_from == "the column 'url'"
    source = opened({"url": ["u", "v"], "key": ["t", "s"], "v": FLOATS})
    assert source.words is None
    assert "several columns of texts ('url', 'key'); name that of the words" in source.warnings[0]


def test_a_column_of_whole_numbers_may_name_the_rows(opened):
    assert list(opened({"id": [70, 80], "v": FLOATS}, words="id").words) == ["70", "80"]
    assert opened({"id": [70, 80], "v": FLOATS}).words is None
    with pytest.raises(UsageError, match="--words is 'x', a column without texts"):
        opened({"x": [0.5, 1], "v": FLOATS}, words="x")


def test_words_are_a_column_or_else_a_file(opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    columns = {"key": ["a", "b"], "title": ["t", "s"], "v": FLOATS}
    with pytest.raises(UsageError, match=r"a column of words of .*'key', 'title'.*or a file"):
        opened(columns, words="nothing")
    Path("names").write_text("x\ny\n")
    assert list(opened(columns, words="names").words) == ["x", "y"]
    Path("key").write_text("x\ny\n")
    source = opened(columns, words="key")
    assert list(source.words) == ["a", "b"]
    assert "the file of that name is --words ./key" in source.warnings[0]
    assert list(opened(columns, words="./key").words) == ["x", "y"]


def test_two_columns_of_one_name_are_refused(tmp_path):
    table = pa.Table.from_arrays([FLOATS, FLOATS], names=["v", "v"])
    (tmp_path / "t").write_bytes(as_arrow(ipc.new_file, table, 10, None))
    with pytest.raises(UsageError, match="several columns of vectors"):
        open_source(str(tmp_path / "t"))
    words = pa.array(["a", "b"])
    table = pa.Table.from_arrays([FLOATS, words, words], names=["v", "word", "word"])
    parquet.write_table(table, tmp_path / "t")
    with pytest.raises(DataError, match="several columns called 'word'"):
        open_source(str(tmp_path / "t"))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"v": [[1.0, 2.0], None]}, "row 1 has no vector"),
        ({"v": [None, [1.0, 2.0]]}, "row 0 has no vector"),
        ({"v": [[], [1.0, 2.0]]}, "row 0 has 0 numbers"),
        ({"v": [[1.0, 2.0], [3.0]]}, "row 1 has 1 number; expected 2"),
        ({"v": [[1.0, 2.0], [None, 3.0]]}, "row 1 has a vector with a missing number"),
        ({"v": [[1.0, 2.0], [1e39, 3.0]]}, r"1e\+39 in row 1, column 0"),
        ({"a": [1.0, 2.0], "b": [1.0, None]}, "row 1 has a vector with a missing number"),
        ({"a": [1.0, 2.0], "b": [1.0, 1e39]}, r"1e\+39 in row 1, column 1"),
        ({"v": [[[1.0]], [[2.0]]]}, "no column of vectors"),
        ({"v": pa.array([], pa.list_(pa.float32()))}, "no vectors"),
    ],
)
def test_rows_that_are_no_vectors_are_named(opened, columns, says):
    with pytest.raises(DataError, match=says):
        opened(columns)


def test_the_old_option_names_the_new_one(opened):
    with pytest.raises(UsageError, match=r"--tensor picks .* expected --vectors"):
        opened({"v": FLOATS}, tensor="v")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (
            ["0.parquet", "1.parquet", "_SUCCESS"],
            "a folder of 2 .parquet files, .*pyarrow.dataset.dataset",
        ),
        (
            ["data-0.arrow", "data-1.arrow"],
            "a folder of 2 .arrow files, .* datasets.load_from_disk",
        ),
        (["all.parquet"], "a folder with one .parquet file; expected that file: 'all.parquet'"),
    ],
)
def test_a_folder_of_parts_is_refused_with_the_way_to_join_them(tmp_path, names, says):
    for name in names:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=says):
        open_source(str(tmp_path))


def test_the_way_to_join_parts_makes_a_table_that_is_read(tmp_path):
    (tmp_path / "parts").mkdir()
    for part in range(2):
        table = pa.table({"word": [f"w{part}"], "v": [[float(part), 2.0]]})
        parquet.write_table(table, tmp_path / "parts" / f"{part}.parquet")
    joined = dataset.dataset(tmp_path / "parts").to_table()
    parquet.write_table(joined, tmp_path / "rows.parquet")
    assert open_source(str(tmp_path / "rows.parquet")).matrix.rows.tolist() == [[0, 2], [1, 2]]
