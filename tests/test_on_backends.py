"""What Keras does for us, on its other backends: proof, lessons, training, going on, predictions.

`pytest tests/test_on_backends.py` runs them on all that are installed; CI has JAX. Each backend has
one process, since Keras cannot change it, and many commands in it.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embedinspect.training import run_folder
from tests.conftest import CLASSIC, HERE, environment
from tests.training.builders import SMALL, write_table

RUN_ALL = """
import json, os, sys
from embedinspect import cli

for name, arguments in json.loads(sys.argv[1]).items():
    with open(name, "wb") as file:
        os.dup2(file.fileno(), 1)
    code = cli.run(arguments)
    assert code == 0, (arguments, code)
"""
TEXT = "a wonderful moving film"
TRAIN = ["train", "reviews.csv", *SMALL, "--dropout", "0.3", "--mask-zero", "--json"]


@pytest.fixture(scope="module", params=["jax", "torch"])
def backend(request):
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed: pip install {request.param}")
    return request.param


@pytest.fixture(scope="module")
def answers(backend, tmp_path_factory, for_jax):
    """The folder in which all commands have run; the answer of each is a file in it."""
    folder = tmp_path_factory.mktemp(backend)
    write_table(folder / "reviews.csv")
    chosen = ["--backend", backend]
    commands = {
        "show.json": ["show", *CLASSIC, "--mask-zero", "--json", *chosen],
        "explain.json": ["explain", "vectors", "--json", *chosen],
        "whole.json": [*TRAIN, "--epochs", "2", "--out", "whole", *chosen],
        "part.json": [*TRAIN, "--epochs", "1", "--out", "parts", *chosen],
        "rest.json": ["train", "--resume", "parts", "--epochs", "2", "--json"],
        "predicted.json": ["show", "--from", "whole", TEXT, "--json"],
        "why.json": ["why", "whole", TEXT, "--json"],
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, json.dumps(commands)],
        cwd=folder,
        env=environment(PYTHONPATH=str(HERE.parent), **for_jax),
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def answer(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text())


def test_every_vector_is_proved(answers, backend):
    proof = answer(answers, "show.json")["keras"]
    assert proof["backend"] == backend
    assert proof["vectors_equal"] == proof["vectors_total"] == 10


def test_a_lesson_runs(answers, backend):
    assert answer(answers, "explain.json")["topic"] == "vectors"


def test_a_stopped_run_goes_on_to_the_same_bits_on_its_own_backend(answers, backend):
    checkpoints = []
    for name in ("whole", "parts"):
        run = run_folder.open_run(str(answers / name))
        assert (run.versions["backend"], run.earlier_versions) == (backend, ())
        assert run.versions[backend]
        with np.load(run.checkpoint_path(2)) as arrays:
            checkpoints.append({name: array.tobytes() for name, array in arrays.items()})
    assert checkpoints[0] == checkpoints[1]


def test_its_classifier_says_the_same_on_tensorflow(answers, run, monkeypatch):
    monkeypatch.chdir(answers)
    code, out, _ = run("show", "--from", "whole", TEXT, "--json")
    assert code == 0
    [here] = json.loads(out)["texts"]
    [there] = answer(answers, "predicted.json")["texts"]
    expected = pytest.approx(here["prediction"]["probability"], abs=1e-5)
    assert there["prediction"]["probability"] == expected
    assert answer(answers, "why.json")["command"] == "why"
