"""Labelled data on the disk, and runs that are trained once for all tests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.training.builders import SIZES, write_folder, write_imdb, write_table


def train_once(folder: Path, **options) -> Path:
    """Write `reviews.csv` and train the run `a` on it; return the folder of both."""
    from embedinspect.training import session

    write_table(folder / "reviews.csv")
    begun = session.begin(str(folder / "reviews.csv"), options, out=str(folder / "a"))
    session.train(session.build(begun), lambda _: None)
    return folder


def copied(trained: Path, folder: Path) -> Path:
    """Copy what `train_once` left to another folder; return the path of the reviews there."""
    shutil.copytree(trained, folder, dirs_exist_ok=True)
    state = json.loads((folder / "a" / "run.json").read_text())
    state["data"]["source"]["path"] = str(folder / "reviews.csv")
    (folder / "a" / "run.json").write_text(json.dumps(state))
    return folder / "reviews.csv"


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    """A run of three epochs by a small classifier; copy it rather than change it."""
    return train_once(tmp_path_factory.mktemp("trained"), **SIZES)


@pytest.fixture(scope="session")
def learned_once(tmp_path_factory):
    """A run of four epochs with settings that follow the size of the data: it learns from it."""
    return train_once(tmp_path_factory.mktemp("learned"), epochs=4)


@pytest.fixture
def trained(trained_once, tmp_path, monkeypatch):
    """A copy of the small run, `a`, in the test's own folder; returns the path of its data."""
    monkeypatch.chdir(tmp_path)
    return copied(trained_once, tmp_path)


@pytest.fixture
def learned(learned_once, tmp_path, monkeypatch):
    """A copy of the run that has learned, `a`, likewise."""
    monkeypatch.chdir(tmp_path)
    return copied(learned_once, tmp_path)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "reviews.csv"
    write_table(path)
    return path


@pytest.fixture
def imdb_file(tmp_path):
    path = tmp_path / "imdb.npz"
    write_imdb(path)
    return path


@pytest.fixture
def folder(tmp_path):
    """A folder in the layout of aclImdb."""
    write_folder(tmp_path / "acl")
    return tmp_path / "acl"
