"""Indexes of FAISS, against the rows and ids from which its own library made them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import open_file
from embedinspect.formats.contents import ReadOptions
from embedinspect.source import open_source

FOLDER = Path(__file__).parents[1] / "data" / "faiss"
FLAT = ["flat-l2", "flat-ip", "flat-l1", "flat-lp"]
WITH_IDS = ["id-map", "id-map-2"]


def index(name: str) -> str:
    return str(FOLDER / f"{name}.index")


def made(name: str):
    return np.load(FOLDER / f"{name}.npz")


@pytest.mark.parametrize("name", FLAT)
def test_rows_of_a_flat_index_are_what_was_added(name):
    source = open_source(index(name))
    rows = np.asarray(source.matrix.rows)
    assert rows.flags.aligned
    assert rows.tobytes() == made(name)["rows"].tobytes()
    assert source.words is None
    assert source.row_of("3") == 3


@pytest.mark.parametrize("name", WITH_IDS)
def test_an_id_finds_its_own_row_and_is_never_taken_for_a_row_number(name):
    source = open_source(index(name))
    rows, ids = made(name)["rows"], made(name)["ids"]
    assert np.asarray(source.matrix.rows).tobytes() == rows.tobytes()
    assert list(source.words) == [str(number) for number in ids]
    assert source.words_from == "the ids of the index"
    for row, number in enumerate(ids.tolist()):
        assert source.row_of(str(number)) == row
        assert source.row_of(f"#{row}") == row
    assert source.row_of("39") is None  # a row, but no id
    with pytest.raises(UsageError, match="'39' is not among the 40 words"):
        source.rows_of(["39"])


def test_ids_that_repeat_are_told():
    source = open_source(index("repeated-ids"))
    [warning] = source.warnings
    assert "20 ids of" in warning
    assert "an id finds the first of its rows" in warning


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("hnsw", r"a graph \(HNSW\) of FAISS \('IHNf'\)"),
        ("id-map-hnsw", r"a graph \(HNSW\) .*index\.index\.reconstruct_n.*index\.id_map"),
        ("ivf", r"an inverted file \(IVF\) .*faiss\.extract_index_ivf\(index\)\.make_direct_map"),
        ("pq", r"a product quantizer \(PQ\) .*index\.reconstruct_n\(0, index\.ntotal\)"),
        ("sq", r"a scalar quantizer \(SQ\)"),
        ("lsh", "a locality-sensitive hash of FAISS .*whose rows are bits"),
        ("pca", "a chain of transforms"),
        ("binary", "a binary index of FAISS .*whose rows are bits"),
        ("empty", "an index without vectors"),
    ],
)
def test_other_kinds_are_refused_by_name(name, says):
    with pytest.raises(DataError, match=says):
        open_file(index(name))


@pytest.mark.parametrize("name", [*FLAT, *WITH_IDS])
def test_an_index_that_is_cut_off_or_goes_on_is_damaged(tmp_path, name):
    whole = Path(index(name)).read_bytes()
    path = tmp_path / "index"
    for size in (35, 40, 50, len(whole) - 9, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="damaged FAISS index"):
            open_file(str(path))
    path.write_bytes(whole + b"\0")
    with pytest.raises(DataError, match="1 byte after its end"):
        open_file(str(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    st.sampled_from([*FLAT, *WITH_IDS]),
    st.integers(0, 95),
    st.binary(min_size=1, max_size=8) | st.just(b"\xff" * 7 + b"\x7f") | st.just(b"\0" * 8),
)
def test_a_header_that_lies_gives_an_error_or_the_same_shape(tmp_path, name, place, change):
    data = bytearray(Path(index(name)).read_bytes())
    data[place : place + len(change)] = change
    path = tmp_path / "index"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        rows = open_file(str(path)).rows
        assert rows.shape == made(name)["rows"].shape
    except DataError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2**24


def test_options_that_pick_a_matrix_are_refused():
    with pytest.raises(UsageError, match="--tensor picks"):
        open_file(index("flat-l2"), ReadOptions(tensor="a"))
