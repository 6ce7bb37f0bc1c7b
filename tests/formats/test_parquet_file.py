"""Vectors in Parquet: tables of others, and those that hold no vectors or claim too many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from embedinspect.errors import DataError, UsageError
from embedinspect.source import SourceOptions, open_source


@pytest.fixture
def write(tmp_path):
    def write_table(**columns):
        path = tmp_path / "t.parquet"
        parquet.write_table(pa.table(columns), path)
        return str(path)

    return write_table


def test_a_table_of_another_program(write):
    """Lists of any length, float64, large strings, a column besides."""
    words = pa.array(["a", None, "c"], pa.large_string())
    path = write(n=[1, 2, 3], embedding=[[0.5, 1], [2, 3], [4, 5]], text=words)
    source = open_source(path)
    assert source.matrix.rows.tolist() == [[0.5, 1], [2, 3], [4, 5]]
    assert (source.dtype, source.tensor) == ("float64", "embedding")
    assert list(source.words) == ["a", None, "c"]


def test_several_columns_of_vectors(write):
    path = write(a=[[1.0], [2.0]], b=[[3.0], [4.0]])
    with pytest.raises(UsageError, match=r"several columns of vectors \('a', 'b'\)"):
        open_source(path)
    source = open_source(path, SourceOptions(vectors="b"))
    assert source.matrix.rows.tolist() == [[3], [4]]
    with pytest.raises(UsageError, match="expected a column of vectors"):
        open_source(path, SourceOptions(vectors="c"))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"word": ["a"]}, "no column of vectors"),
        ({"vector": pa.array([], pa.list_(pa.float32()))}, "holds no vectors"),
        ({"vector": [[1.0, 2.0], [3.0]]}, "row 1 has 1 number; expected 2"),
        ({"vector": [[1.0, 2.0], None]}, "row 1 has no vector"),
        ({"vector": [[1.0, 2.0], [None, 3.0]]}, "a missing number"),
        ({"vector": [[1e300]]}, "float32 can hold"),
    ],
)
def test_tables_without_vectors(write, columns, says):
    with pytest.raises(DataError, match=says):
        open_source(write(**columns))


def test_a_small_file_that_claims_a_billion_numbers_is_refused(write):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(30_000_000, np.float32)), 10_000)
    path = write(vector=vectors)
    with pytest.raises(DataError, match=r"claims 30,000,000 values in .* bytes; expected at most"):
        open_source(path)


def test_a_file_that_was_cut_off_is_named(write, tmp_path):
    data = Path(write(vector=[[1.0, 2.0]])).read_bytes()
    (tmp_path / "cut").write_bytes(data[:-6])
    with pytest.raises(DataError, match="is a damaged Parquet file"):
        open_source(str(tmp_path / "cut"))
