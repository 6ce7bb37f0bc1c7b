"""The place of a run: taken by one process at a time, and mended after one that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from embedinspect import files
from embedinspect.errors import DataError, UsageError
from embedinspect.training import run_folder, session
from embedinspect.training.run_place import held, prepare
from tests.conftest import HERE, environment
from tests.training.builders import SIZES
from tests.training.mutations import copy_run

HOLD = (
    "import sys\nfrom pathlib import Path\nfrom embedinspect.training.run_place import held\n"
    "with held(Path('a')):\n    print('held', flush=True)\n    sys.stdin.read()\n"
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def other_process():
    """Another process that writes a run to `a`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(PYTHONPATH=str(HERE.parent)),
    ) as process:
        assert process.stdout.read(5) == b"held\n"
        yield process
        process.kill()


def hidden() -> list[str]:
    return sorted(str(path) for path in Path().rglob(".*"))


def test_two_processes_do_not_write_the_same_run(trained, other_process):
    holder = f"'a' is being written by process {other_process.pid} on "
    with pytest.raises(DataError, match=holder):
        session.begin(str(trained), SIZES, out="a", force=True)
    with pytest.raises(DataError, match=holder):
        session.resume("a", {"epochs": 4})
    with pytest.raises(DataError, match=holder), held(Path("a")):
        pytest.fail("held twice")
    with held(Path("b")):  # another place is free
        pass


def test_the_command_holds_the_place_while_it_trains(trained, run, monkeypatch):
    build = session.build

    def while_another_starts(*arguments):
        with pytest.raises(DataError, match="is being written by process"):
            session.begin(str(trained), SIZES, out="new/b")
        return build(*arguments)

    monkeypatch.setattr(session, "build", while_another_starts)
    code, _, _ = run("train", str(trained), "--out", "new/b", "--epochs", "1", "--units", "2")
    assert code == 0
    assert os.listdir("new") == ["b"]


def test_a_killed_process_keeps_no_place(trained, other_process):
    other_process.kill()
    other_process.wait()
    assert hidden() == [".a.lock"]
    assert session.resume("a", {"epochs": 4}).run.epochs == 3
    assert hidden() == []


def test_a_place_that_is_not_used_leaves_nothing():
    with held(Path("new/a")):
        assert os.listdir("new") == [".a.lock"]
    assert os.listdir() == []


def test_without_locks_training_goes_on(monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with held(Path("a")):
        assert hidden() == []


class Killed(BaseException):
    """The end of the process, after which nothing is tidied up."""


def test_a_run_that_was_moved_aside_when_its_successor_was_killed_is_put_back(
    trained_once, trained, monkeypatch
):
    before = run_folder.open_run("a").history
    monkeypatch.setattr(files, "swap", lambda *_: False)
    workshop = copy_run(trained_once / "a", Path(".a-abcd_123/run")).parent
    (workshop / "old-xyz").mkdir()
    Path("a").rename(workshop / "old-xyz" / "run")
    with pytest.raises(UsageError, match="'a' exists already"):
        session.begin(str(trained), SIZES, out="a")
    assert run_folder.open_run("a").history == before
    assert hidden() == []


@pytest.mark.parametrize("swap", [True, False])
def test_a_kill_between_two_renames_leaves_a_run_for_the_next_start(trained, monkeypatch, swap):
    begun = session.begin(str(trained), {**SIZES, "epochs": 1}, out="a", force=True)
    rename = Path.rename

    def killed_after(self, target):
        rename(self, target)
        raise Killed

    with monkeypatch.context() as patch:
        if not swap:
            patch.setattr(files, "swap", lambda *_: False)
        patch.setattr(Path, "rename", killed_after)
        patch.setattr(files, "_put_back", lambda *_: None)
        patch.setattr(files.shutil, "rmtree", lambda *_, **__: None)
        with nullcontext() if swap else pytest.raises(Killed):
            session.build(begun)
    assert Path("a").exists() == swap
    prepare(Path("a"))
    assert run_folder.open_run("a").epochs == (0 if swap else 3)
    assert hidden() == []


def test_what_a_kill_left_unfinished_in_a_run_is_removed(trained):
    for name in (
        "a/.run.json.abcd1234",
        "a/embedding/.epoch-2.npy.abcd_123",
        "a/checkpoint/.epoch-3.npz.aaaaaaaa",
        "a/.writing.keras",
    ):
        Path(name).write_text("half")
    Path("a/.mine").write_text("kept")
    session.resume("a", {"epochs": 4})
    assert hidden() == ["a/.mine"]


def test_folders_of_others_are_left_alone(trained):
    for name in (".a-abcd1234", ".a-b-abcd1234", ".b-abcd1234"):
        Path(name).mkdir()
    Path(".a-abcd1234/thesis.txt").write_text("years of work")
    prepare(Path("a"))
    assert hidden() == [".a-abcd1234", ".a-b-abcd1234", ".b-abcd1234"]
