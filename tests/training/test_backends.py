"""Which backend a run goes on with, and what the run says of it."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path

import pytest

from embedinspect.errors import UsageError
from embedinspect.training import run_folder, session
from embedinspect.training.settings import TrainSettings, settings_from
from tests.conftest import BACKEND

JAX = {"backend": "jax", "jax": "0.10.2"}


trains_on_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason=f"Keras runs on {BACKEND} here, and cannot change"
)


@pytest.fixture
def trained_on_jax(trained, monkeypatch):
    """The small run `a`, whose state says that JAX trained it; no backend is chosen by variable."""
    monkeypatch.delenv("KERAS_BACKEND")
    change_versions(JAX)
    return trained


def change_versions(versions: object) -> None:
    path = Path("a/run.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"versions": versions}))


def test_a_run_goes_on_with_the_backend_that_trained_it(trained_on_jax):
    resumed = session.resume("a", {"epochs": 4})
    assert (resumed.backend, resumed.notes) == ("jax", ())


@trains_on_tensorflow
@pytest.mark.parametrize("by_variable", [False, True])
def test_another_backend_is_said_and_recorded(trained_on_jax, monkeypatch, by_variable):
    if by_variable:
        monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    chosen = None if by_variable else "tensorflow"
    resumed = session.resume("a", {"epochs": 4}, backend=chosen)
    assert resumed.backend == "tensorflow"
    assert resumed.notes == (
        "a was trained on jax and goes on with tensorflow, which gives other bits; to stay with "
        "jax: --backend jax",
    )
    session.train(session.build(resumed), lambda _: None)
    run = run_folder.open_run("a")
    assert run.versions["backend"] == "tensorflow"
    assert run.earlier_versions == ({"epochs": 3, "versions": JAX},)


@trains_on_tensorflow
def test_a_run_that_is_not_trained_any_further_keeps_its_versions(trained_on_jax):
    finished = session.resume("a", {}, backend="tensorflow")
    assert [note for note in finished.notes if "goes on" in note] == []
    session.train(session.build(finished), lambda _: None)
    assert run_folder.open_run("a").versions == JAX


def test_versions_name_the_package_of_the_backend(trained):
    package = importlib.import_module(BACKEND)
    assert run_folder.open_run("a").versions[BACKEND] == package.__version__


@pytest.mark.parametrize("versions", [None, {"backend": "numpy"}, {"backend": 3}, [], "jax"])
def test_versions_of_a_stranger_decide_nothing(trained, monkeypatch, versions):
    monkeypatch.delenv("KERAS_BACKEND")
    change_versions(versions)
    resumed = session.resume("a", {"epochs": 4})
    assert (resumed.backend, resumed.notes) == ("tensorflow", ())


@pytest.mark.parametrize("backend", ["numpy", "openvino"])
def test_a_backend_that_cannot_train_is_refused_before_the_data_is_read(backend):
    with pytest.raises(UsageError, match=f"cannot train on {backend}; expected --backend"):
        session.begin("missing.csv", {}, backend=backend)


def test_a_backend_that_is_not_installed_is_refused_before_the_data_is_read(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"torch, which is not installed; .* with --backend$"):
        session.begin("missing.csv", {}, backend="torch")


def test_a_run_from_before_there_were_shards_has_one():
    older = {name: value for name, value in vars(TrainSettings()).items() if name != "shards"}
    assert settings_from(older, "x") == TrainSettings()
