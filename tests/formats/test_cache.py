"""The cache: opened from there all is the same, and a file that has changed is read again."""

from __future__ import annotations

import os

import pytest

from embedinspect.errors import DataError
from embedinspect.formats import cache
from embedinspect.source import SourceOptions, open_source
from tests.builders import VECTORS


@pytest.fixture
def large(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "WORTH", 100)
    path = tmp_path / "v.txt"
    path.write_bytes(VECTORS.read_bytes())
    return path


def test_a_large_text_is_kept_and_opened_from_there(large, monkeypatch):
    first = open_source(str(large))
    assert first.kept is not None
    monkeypatch.setattr("embedinspect.formats.word_vectors.read_text", None)  # not read again
    again = open_source(str(large))
    assert again.kept is None
    assert again.matrix.rows.tobytes() == first.matrix.rows.tobytes()
    assert list(again.words) == list(first.words)
    assert [again.words[row] for row in range(len(again.words))] == list(first.words)
    assert all(again.words.row_of(word) == row for row, word in enumerate(first.words))
    assert again.words.row_of("ice") is None
    assert again.words.row_of("cream") is None
    assert (again.lengths() == first.lengths()).all()


def test_a_changed_file_is_read_anew(large):
    open_source(str(large))
    large.write_text(large.read_text().replace("king", "kong"))
    assert open_source(str(large)).words.row_of("kong") == 1
    [entry] = cache.entries()
    assert (entry.source, entry.shape, entry.stale) == (str(large), (26, 6), False)
    large.unlink()
    assert cache.entries()[0].stale


def test_a_damaged_entry_is_no_harm(large):
    place = open_source(str(large)).kept
    for name in os.listdir(place):
        data = (place / name).read_bytes()
        (place / name).write_bytes(data[: len(data) // 2])
        assert open_source(str(large)).words.row_of("king") == 1  # and it is kept anew
    assert len(cache.entries()) == 1


def test_problems_are_kept_and_strictness_asks_the_file(large):
    large.write_text(large.read_text() + "short 1 2\n")
    assert open_source(str(large)).problems.total == 1
    assert open_source(str(large)).problems.first == ["line 27 has 2 numbers; expected 6"]
    with pytest.raises(DataError, match="line 27"):
        open_source(str(large), SourceOptions(strict=True))


def test_without_the_cache_nothing_is_kept(large):
    assert open_source(str(large), SourceOptions(cache=False)).kept is None
    assert cache.entries() == []


def test_clearing_removes_our_folders_alone(large):
    place = open_source(str(large)).kept
    (place.parent / "mine").mkdir()
    (place.parent / ".new-half").mkdir()
    assert cache.clear() > 0
    assert os.listdir(place.parent) == ["mine"]


def test_a_cache_that_cannot_be_written_is_no_harm(large, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EMBEDINSPECT_CACHE", str(tmp_path / "file" / "cache"))
    source = open_source(str(large))
    assert source.kept is None
    assert source.words.row_of("king") == 1
