"""What is written stands there whole, or what stood there before still does."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from embedinspect import files
from embedinspect.errors import DataError
from embedinspect.files import nearest_folder, put, workshop, write_whole


def tree(folder: Path) -> dict[str, str]:
    """Return every file below a folder with its text."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def make(folder: Path, **texts: str) -> list[tuple[Path, Path]]:
    """Write files in a new folder `made`; return the moves to places of the same names."""
    (folder / "made").mkdir()
    for name, text in texts.items():
        (folder / "made" / name).write_text(text)
    return [(folder / "made" / name, folder / name) for name in texts]


def test_files_take_the_place_of_files(tmp_path):
    (tmp_path / "a").write_text("old")
    put(make(tmp_path, a="new", b="new"))
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == "new"


def test_a_folder_takes_the_place_of_a_folder(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").write_text("old")
    with workshop(tmp_path, ".run-") as temporary:
        (temporary / "run").mkdir()
        (temporary / "run" / "new").write_text("new")
        put([(temporary / "run", tmp_path / "run")])
    assert tree(tmp_path) == {"run/new": "new"}
    assert os.listdir(tmp_path) == ["run"]


def test_where_one_move_fails_every_place_is_what_it_was(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine").write_text("old")
    with pytest.raises(IsADirectoryError):
        put(make(tmp_path, a="new", b="new", c="new"))
    assert (tmp_path / "a").read_text() == "old"
    assert not (tmp_path / "b").exists()
    assert (tmp_path / "c" / "mine").read_text() == "old"


@pytest.fixture
def no_swap(monkeypatch):
    """Have no way to let two folders change places in one step."""
    monkeypatch.setattr(files, "swap", lambda *_: False)


@pytest.mark.skipif(sys.platform != "linux", reason="done in one step on Linux")
def test_a_folder_takes_the_place_of_another_in_one_step(tmp_path, monkeypatch):
    for name in ("made", "place"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    monkeypatch.setattr(Path, "rename", None)  # the place is never empty
    monkeypatch.setattr(Path, "replace", None)
    put([(tmp_path / "made", tmp_path / "place")])
    assert tree(tmp_path) == {"made/file": "place", "place/file": "made"}


def test_without_that_step_a_folder_takes_the_place_of_another(tmp_path, no_swap):
    (tmp_path / "run").mkdir()
    with workshop(tmp_path, ".run-") as temporary:
        (temporary / "run").mkdir()
        (temporary / "run" / "new").write_text("new")
        put([(temporary / "run", tmp_path / "run")])
    assert tree(tmp_path) == {"run/new": "new"}


def test_where_a_second_move_fails_folders_change_back(tmp_path):
    for name in ("made", "place"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("new")
    with pytest.raises(IsADirectoryError):
        put([(tmp_path / "made", tmp_path / "place"), (tmp_path / "text", tmp_path / "folder")])
    assert (tmp_path / "place" / "file").read_text() == "place"


def test_a_folder_that_cannot_be_moved_leaves_the_old_one(tmp_path, monkeypatch, no_swap):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("old")
    before = tree(tmp_path)
    replace = Path.replace

    def fails_for_second(self, target):
        if self.name == "second" and self.parent.name.startswith(".run-"):
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails_for_second)
    with workshop(tmp_path, ".run-") as temporary:
        for name in ("first", "second"):
            (temporary / name).mkdir()
            (temporary / name / "file").write_text("new")
        moves = [(temporary / name, tmp_path / name) for name in ("first", "second")]
        with pytest.raises(OSError, match="No space left"):
            put(moves)
    assert tree(tmp_path) == before


def test_a_file_is_no_place_for_a_folder(tmp_path):
    (tmp_path / "place").write_text("mine")
    (tmp_path / "made").mkdir()
    with pytest.raises(NotADirectoryError):
        put([(tmp_path / "made", tmp_path / "place")])
    assert (tmp_path / "place").read_text() == "mine"


def test_a_workshop_is_removed_whatever_happens(tmp_path):
    def fail_half_way():
        with workshop(tmp_path / "new" / "er", ".x-") as temporary:
            (temporary / "half").write_text("half")
            assert [path.name[:3] for path in tmp_path.iterdir()] == [".x-"]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert os.listdir(tmp_path) == []


def test_the_nearest_folder_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert nearest_folder(tmp_path / "a" / "b") == tmp_path
    assert nearest_folder(Path("a/b")) == tmp_path


def test_a_file_that_cannot_be_written_says_why(tmp_path):
    with pytest.raises(DataError, match="is a directory"):
        write_whole(tmp_path, b"x")
    with pytest.raises(DataError, match="no such file"):
        write_whole(tmp_path / "a" / "b", b"x")
    write_whole(tmp_path / "a", b"x")
    assert tree(tmp_path) == {"a": "x"}


class Killed(BaseException):
    """Ends what is going on at once, as a kill does."""


@pytest.mark.parametrize("step", range(12))
def test_files_of_two_makings_are_never_side_by_side(tmp_path, monkeypatch, step):
    """Whichever step is the last one that is done, and nothing after it is tidied up."""
    steps = 0

    def killed(function):
        def at_some_time(*arguments, **options):
            nonlocal steps
            steps += 1
            if steps > step:
                raise Killed
            return function(*arguments, **options)

        return at_some_time

    for name in ("a", "b", "c", "d"):
        (tmp_path / name).write_text("old")
    moves = make(tmp_path, a="new", b="new", c="new")
    for owner, name in ((Path, "rename"), (Path, "replace"), (os, "link"), (tempfile, "mkdtemp")):
        monkeypatch.setattr(owner, name, killed(getattr(owner, name)))
    monkeypatch.setattr(files, "_put_back", lambda *_: None)
    with suppress(Killed):
        put(moves, gone=[tmp_path / "d"])
    monkeypatch.undo()
    left = {name: tmp_path / name for name in "abcd" if (tmp_path / name).exists()}
    assert len({path.read_text() for path in left.values()}) == 1
    if steps <= step:  # nothing stopped it
        assert sorted(left) == ["a", "b", "c"]


def test_what_is_to_be_gone_comes_back_where_a_move_fails(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("b", "d"):
        (tmp_path / name).write_text("old")
    with pytest.raises(IsADirectoryError):
        put(make(tmp_path, a="new", b="new"), gone=[tmp_path / "d"])
    assert (tmp_path / "b").read_text() == (tmp_path / "d").read_text() == "old"
