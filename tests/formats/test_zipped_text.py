"""Zips with texts of word vectors in them."""

from __future__ import annotations

import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats import cache, open_file, packed
from embedinspect.formats.contents import ReadOptions

ROWS = np.random.RandomState(0).standard_normal((200, 6)).astype(np.float32)


def text(rows) -> bytes:
    lines = [f"w{row:x} " + " ".join(map(str, values)) for row, values in enumerate(rows)]
    return ("\n".join(lines) + "\n").encode()


def zipped(path, *members, method=zipfile.ZIP_DEFLATED) -> str:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # of two members of one name
        for name, data in members:
            archive.writestr(name, data)
    return str(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_only_text_is_read(tmp_path, method):
    members = [("folder/", b""), ("README", b"Vectors of words."), ("folder/a.txt", text(ROWS))]
    contents = open_file(zipped(tmp_path / "a.zip", *members, method=method))
    assert contents.rows.tobytes() == ROWS.tobytes()
    assert contents.words[10] == "wa"
    assert contents.tensor == "folder/a.txt"


def test_one_of_several_is_picked_and_each_keeps_its_own_rows(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBEDINSPECT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "WORTH", 1)
    path = zipped(tmp_path / "a.zip", ("a.txt", text(ROWS)), ("b.txt", text(-ROWS)))
    for _ in range(2):
        with pytest.raises(UsageError, match=r"2 texts of vectors \('a\.txt', 'b\.txt'\)"):
            open_file(path)
        for name, rows in (("a.txt", ROWS), ("b.txt", -ROWS)):
            contents = open_file(path, ReadOptions(tensor=name))
            assert contents.rows.tobytes() == rows.tobytes()
    with pytest.raises(UsageError, match="--tensor is 'c'; expected a text of vectors in"):
        open_file(path, ReadOptions(tensor="c"))


def test_a_zip_of_one_text_comes_from_the_cache_the_next_time(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBEDINSPECT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "WORTH", 1)
    path = zipped(tmp_path / "a.zip", ("a.txt", text(ROWS)))
    assert open_file(path).kept is not None
    again = open_file(path)
    assert again.kept is None
    assert again.rows.tobytes() == ROWS.tobytes()


def test_zips_that_are_odd_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    with pytest.raises(DataError, match=r"has 2 members of the name 'a\.txt'"):
        open_file(zipped(path, ("a.txt", text(ROWS)), ("a.txt", text(-ROWS))))
    for members in (
        [("a.txt", b"nothing of the kind")],
        [("a.txt", b"")],
    ):
        with pytest.raises(DataError):
            open_file(zipped(path, *members))
    with pytest.raises(DataError):
        open_file(zipped(path, ("a.txt", text(ROWS)), method=zipfile.ZIP_LZMA))
    monkeypatch.setattr(packed, "_SMALL", 2**16)
    bomb = text(ROWS[:5]) + b"word 0.5 0.5 0.5 0.5 0.5 0.5\n" * 100_000
    with pytest.raises(DataError, match="unpacks to more than"):
        open_file(zipped(path, ("a.txt", bomb)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.floats(0, 1), st.binary(min_size=1, max_size=4), st.floats(0.5, 1.5))
def test_changed_and_cut_zips_are_refused_or_read_right(tmp_path, place, change, cut):
    path = tmp_path / "a.zip"
    zipped(path, ("a.txt", text(ROWS)))
    data = bytearray(path.read_bytes())
    at = int(place * (len(data) - len(change)))
    data[at : at + len(change)] = change
    path.write_bytes(data[: int(cut * len(data))])
    try:
        rows = open_file(str(path)).rows
    except EmbedInspectError:
        return
    assert rows.tobytes() == ROWS.tobytes()
