"""The cache: opened from there all is the same, and a file that has changed is read again."""

from __future__ import annotations

import json
import os

import pyarrow as pa
import pytest
from pyarrow import parquet

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
    [entry] = cache.entries()
    assert (entry.state, entry.stale) == ("gone", True)


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
    (place.parent / ("0" * 24)).mkdir()
    (place.parent / ("0" * 24) / "thesis.txt").write_text("mine")
    (place.parent / ("1" * 24)).mkdir()
    (place.parent / ".new-mine").mkdir()
    (place.parent / ".new-mine" / "file").write_text("mine")
    assert [entry.folder for entry in cache.clear()] == [place]
    left = [".new-mine", "0" * 24, "1" * 24, "mine"]
    assert sorted(os.listdir(place.parent)) == left


def test_a_cache_that_cannot_be_written_is_no_harm(large, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EMBEDINSPECT_CACHE", str(tmp_path / "file" / "cache"))
    source = open_source(str(large))
    assert source.kept is None
    assert source.words.row_of("king") == 1


# -- a silent wrong answer would be the worst ---------------------------------------------------


def rewrite_like(path, data):
    """Rewrite a file in place, and give it its old time back, as `touch -r` does."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_file_of_the_same_size_and_time_is_read_anew(large, tmp_path):
    open_source(str(large))
    data = large.read_bytes()
    rewrite_like(large, data.replace(b"king", b"kong"))
    assert open_source(str(large)).words.row_of("kong") == 1
    other = tmp_path / "other"  # moved over it, as rsync -t does
    other.write_bytes(data.replace(b"king", b"kung"))
    os.utime(other, ns=(0, large.stat().st_mtime_ns))
    other.replace(large)
    assert open_source(str(large)).words.row_of("kung") == 1
    assert len(cache.entries()) == 1


def test_blocks_of_the_file_are_compared(large, monkeypatch):
    """Where all that the disk says of a file is as it was, some of its bytes still tell."""
    data = large.read_bytes()
    digest = cache.stamp(large)["digest"]
    rewrite_like(large, data.replace(b"0.02", b"0.03", 1))
    assert cache.stamp(large)["digest"] != digest


def test_a_file_that_grows_while_it_is_read_is_not_kept(large, monkeypatch):
    from embedinspect.formats import word_vectors

    read_text = word_vectors.read_text

    def and_then_it_grows(path, **options):
        contents = read_text(path, **options)
        with path.open("a") as file:
            file.write("late 1 2 3 4 5 6\n")
        return contents

    monkeypatch.setattr(word_vectors, "read_text", and_then_it_grows)
    source = open_source(str(large))
    assert source.kept is None
    assert "was changed while it was read" in source.warnings[0]
    monkeypatch.undo()
    assert open_source(str(large), SourceOptions(cache=True)).words.row_of("late") == 26


def test_a_file_that_changes_between_reading_and_keeping_is_not_kept(large, monkeypatch):
    before = cache.stamp(large)
    contents = open_source(str(large)).contents
    large.write_bytes(large.read_bytes() + b"late 1 2 3 4 5 6\n")
    assert cache.keep(large, contents, before) is None


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_one_file_by_two_names_is_kept_once(large, tmp_path, link):
    link(large, tmp_path / "other.txt")
    # A second name changes what the disk says of the file, so it is looked at now.
    first = open_source(str(large))
    again = open_source(str(tmp_path / "other.txt"))
    assert (first.kept is None, again.kept is None) == (False, True)
    assert list(again.words) == list(first.words)
    assert len(cache.entries()) == 1


ABOUTS = {
    "shape": [[float("inf"), 6], [26, "6"], [26], [-1, 6], [27, 6], "ab", None, [10**400, 6]],
    "problem_counts": [{"end": "many"}, {"end": float("nan")}, [1], None, {"end": -1}],
    "problems": [[1], "text", None, {"a": 1}],
    "kind": [1, None],
    "dtype": [1],
    "warnings": [[None]],
    "stamp": [None, {}, 5],
    "data": [None, {}, {"rows.npy": 1}],
    "source": [None, 5, "a\0b"],
    "format": ["other"],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in ABOUTS.items() for value in values]
)
def test_an_altered_about_is_made_anew(run, large, key, value):
    place = open_source(str(large)).kept
    about = json.loads((place / "about.json").read_text())
    (place / "about.json").write_text(json.dumps({**about, key: value}))
    for command in (["cache"], ["cache", "--json"], ["info", str(large)]):
        code, _, err = run(*command)
        assert (code, "Traceback" in err) == (0, False)
    assert open_source(str(large)).words.row_of("king") == 1


@pytest.mark.parametrize("text", ["", "[" * 100_000, "nan", "[]", '{"format"', "\xff"])
def test_an_about_that_is_none_is_made_anew(large, text):
    place = open_source(str(large)).kept
    (place / "about.json").write_text(text, "latin-1")
    assert [entry.state for entry in cache.entries()] == ["damaged"]
    assert open_source(str(large)).kept == place


@pytest.mark.parametrize("name", ["rows.npy", "norms.npy", "ends.npy", "words"])
def test_altered_data_is_made_anew(large, name):
    place = open_source(str(large)).kept
    data = bytearray((place / name).read_bytes())
    data[-1] ^= 0xFF
    (place / name).write_bytes(data)
    again = open_source(str(large))
    assert again.kept == place
    assert again.words.row_of("king") == 1


def test_pruning_removes_what_is_out_of_date(run, large, tmp_path):
    open_source(str(large))
    for name in ("gone", "changed"):
        (tmp_path / name).write_bytes(VECTORS.read_bytes())
        open_source(str(tmp_path / name))
    (tmp_path / "gone").unlink()
    (tmp_path / "changed").write_text("1 2\n")
    states = {os.path.basename(entry.source): entry.state for entry in cache.entries()}
    assert states == {"v.txt": "current", "gone": "gone", "changed": "changed"}
    code, out, _ = run("cache", "--prune", "--json")
    removed = {os.path.basename(entry["source"]) for entry in json.loads(out)["entries"]}
    assert (code, removed) == (0, {"gone", "changed"})
    assert [entry.source for entry in cache.entries()] == [str(large)]


# -- tables of columns ----------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Write a table of which a user may take other columns; return what opens it."""
    monkeypatch.setattr(cache, "WORTH", 100)
    vectors = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    columns = {"word": ["a\nb", None, "b"], "title": ["x", "y", "z"], "vector": vectors}

    def write(**more):
        parquet.write_table(pa.table({**columns, **more}), tmp_path / "t")
        return lambda **options: open_source(str(tmp_path / "t"), SourceOptions(**options))

    return write


def test_a_table_is_kept_with_the_columns_that_were_taken(table, monkeypatch):
    opened = table()
    first = opened()
    assert first.kept is not None
    monkeypatch.setattr("embedinspect.formats.parquet_file.read", None)  # not read again
    again = opened()
    for name in ("kind", "dtype", "tensor", "words_from"):
        assert getattr(again, name) == getattr(first, name)
    assert again.contents.words_column == "word"
    assert list(again.words) == list(first.words) == ["a\nb", None, "b"]
    assert [again.words.row_of(word) for word in ("a\nb", "b", "a")] == [0, 2, None]
    assert again.matrix.rows.tolist() == first.matrix.rows.tolist()
    assert again.lengths().tolist() == first.lengths().tolist()


def test_columns_that_are_named_are_never_taken_from_the_cache(table, tmp_path):
    opened = table(other=[[7, 8], [9, 10], [11, 12]])
    assert opened().kept is not None
    other = opened(vectors="other")
    assert (other.matrix.rows[0].tolist(), other.kept) == ([7, 8], None)
    titled = opened(words="title")
    assert (list(titled.words), titled.kept) == (["x", "y", "z"], None)
    (tmp_path / "names").write_text("p\nq\nr\n")
    assert list(opened(words=str(tmp_path / "names")).words) == ["p", "q", "r"]
    assert opened().matrix.rows[0].tolist() == [1, 2]
    assert list(opened().words) == ["a\nb", None, "b"]


def test_what_is_named_first_is_not_kept_for_others(table):
    opened = table(other=[[7, 8], [9, 10], [11, 12]])
    assert opened(vectors="other").kept is None
    assert opened(words="title").kept is None
    assert opened().matrix.rows[0].tolist() == [1, 2]
    assert list(opened().words) == ["a\nb", None, "b"]


def test_a_table_without_words_is_kept_without_words(table):
    opened = table(word=[1.0, 2.0, 3.0], title=[1, 2, 3])
    assert opened().kept is not None
    again = opened()
    assert (again.kept, again.words, again.matrix.rows.tolist()[2]) == (None, None, [5, 6])
    (place,) = (entry.folder for entry in cache.entries())
    (place / "words").write_bytes(b"\nking")
    assert opened().words is None
