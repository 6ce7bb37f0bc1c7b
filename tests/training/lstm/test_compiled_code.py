"""Folders of compiled code: one for each installation and version, and none that is of no use."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from embedinspect.commands.schema import FOLDER
from embedinspect.formats import cache
from embedinspect.training.lstm import compiled_code


def installed(place: Path, monkeypatch, text: str = "the same") -> None:
    """Stand in the place of an installation."""
    place.mkdir(exist_ok=True)
    (place / "steps.py").write_text(text)
    monkeypatch.setattr(compiled_code, "_SOURCES", place)


def compiled_here() -> Path:
    """Leave what numba leaves of this installation; return its folder."""
    folder = compiled_code.folder()
    assert compiled_code.prepared(folder)
    (folder / "lstm_0123").mkdir()
    (folder / "lstm_0123" / "steps.forward.nbc").write_bytes(bytes(1000))
    return folder


@pytest.fixture
def folders(tmp_path, monkeypatch) -> dict[str, Path]:
    """Folders of compiled code, by what became of the installations that left them."""
    made = {}
    for name in ("gone", "elsewhere"):
        installed(tmp_path / name, monkeypatch)
        made[name] = compiled_here()
    (tmp_path / "gone" / "steps.py").unlink()
    (tmp_path / "gone").rmdir()
    installed(tmp_path / "here", monkeypatch, "before")
    made["changed"] = compiled_here()
    installed(tmp_path / "here", monkeypatch)
    made["current"] = compiled_here()
    return made


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert not compiled_code.prepared(tmp_path / "file" / "compiled")
    assert compiled_code.prepared(tmp_path / "new" / "compiled")


def test_what_another_installation_has_compiled_is_not_taken_for_this_ones(tmp_path, monkeypatch):
    """Numba keeps both apart, so this one would be compiled without a word."""
    folders = []
    for place in ("one", "other"):
        for time in (1, 2):
            installed(tmp_path / place, monkeypatch)
            os.utime(tmp_path / place / "steps.py", (time, time))
            folders.append(compiled_code.folder())
    assert len(set(folders)) == 4


def test_code_is_told_apart_by_what_became_of_its_installation(folders):
    states = {entry.folder: entry.state for entry in compiled_code.entries()}
    assert states == {folder: state for state, folder in folders.items()}


def test_code_of_a_former_version_that_does_not_say_where_it_came_from_is_out_of_date(folders):
    (folders["elsewhere"] / "sources.txt").unlink()
    (folders["current"] / "sources.txt").unlink()  # it is known by its name
    states = {entry.folder: entry.state for entry in compiled_code.entries()}
    assert states[folders["elsewhere"]] == "changed"
    assert states[folders["current"]] == "current"


@pytest.mark.parametrize("sources", [b"", b"\0", b"\xff\x1b[1m", b"/" * 20_000])
def test_sources_that_are_no_path_are_no_harm(run, folders, sources):
    (folders["elsewhere"] / "sources.txt").write_bytes(sources)
    code, out, err = run("cache")
    assert (code, err) == (0, "")
    assert b"\x1b" not in out
    assert run("cache", "--prune")[0] == 0
    assert not folders["elsewhere"].exists()


def test_without_numba_none_is_of_use_here(folders, monkeypatch):
    monkeypatch.setattr(compiled_code, "LIBRARY", "no-such-library")
    states = {entry.folder: entry.state for entry in compiled_code.entries()}
    assert states[folders["current"]] == "changed"


def test_pruning_removes_compiled_code_that_no_version_takes(run, folders):
    code, out, _ = run("cache", "--prune", "--json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads((FOLDER / "cache.json").read_text()))
    removed = {Path(entry["folder"]) for entry in document["compiled"]}
    assert (code, removed) == (0, {folders["changed"], folders["gone"]})
    assert document["compiled_bytes"] > 2000
    assert {entry.folder for entry in compiled_code.entries()} == {
        folders["current"],
        folders["elsewhere"],
    }


def test_clearing_removes_all_compiled_code_and_nothing_else(run, folders):
    (folders["changed"] / "thesis.txt").write_text("mine")
    assert run("cache", "--clear")[0] == 0
    assert os.listdir(cache.folder()) == [folders["changed"].name]


def test_compiled_code_is_listed_with_its_state(run, folders):
    code, out, _ = run("cache")
    text = out.decode()
    assert code == 0
    for state in ("out of date: a former version", "out of date: installation gone"):
        assert text.count(state) == 1
    assert "4 folders of code" in text
