"""What all tests share: quiet Keras, quick property tests, the command line in a subprocess."""

from __future__ import annotations

import gc
import os

# Before TensorFlow, whose own SQLite would else take its place; it has no full-text search.
import sqlite3  # noqa: F401
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a core, for which threads would contend
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
BACKEND = os.environ.get("TEST_BACKEND", "tensorflow")
os.environ["KERAS_BACKEND"] = BACKEND

settings.register_profile(
    "quick",
    deadline=None,
    max_examples=60,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("quick")


def pytest_addoption(parser):
    parser.addoption(
        "--regenerate", action="store_true", help="write the golden files anew; read the diff"
    )


def pytest_collection_finish():
    """Let the collector not look again at what was imported, and less often at what is new."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


CLASSIC = ["This is a text", "This is not a text"]
HERE = Path(__file__).parent
QUICK_TO_COMPILE = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


# What a machine may have set for terminals.
OF_TERMINALS = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM"}


def environment(**changes: str) -> dict[str, str]:
    """Return an environment for a process: as on a machine where nothing special was set.

    Bytecode may be written, since a start that compiles everything takes half as long again.
    """
    dropped = OF_TERMINALS | {"KERAS_BACKEND", "PYTHONDONTWRITEBYTECODE"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONIOENCODING": "utf-8", **changes}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Keep what is read of large files in a folder of the test's."""
    monkeypatch.setenv("EMBEDINSPECT_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def for_jax(pytestconfig, tmp_path_factory):
    """Variables for processes on JAX: that its code is fast, which tests do not need, takes most of
    the time to compile; and what was compiled is kept from one run of the tests to the next."""
    kept = getattr(pytestconfig, "cache", None)
    folder = tmp_path_factory.mktemp("jax") if kept is None else kept.mkdir("jax")
    return {
        "XLA_FLAGS": QUICK_TO_COMPILE,
        "JAX_COMPILATION_CACHE_DIR": str(folder),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


@pytest.fixture
def command(tmp_path):
    """Run the real command line in an empty folder; returns the finished process, as text."""

    def run(*arguments: str, text: str | None = None, **changes: str):
        return subprocess.run(
            [sys.executable, "-m", "embedinspect", *arguments],
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            cwd=tmp_path,
            env=environment(PYTHONPATH=str(HERE.parent), **changes),
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def golden(request):
    """Compare a text with a golden file, or write that file with --regenerate."""

    def compare(name: str, text: str) -> None:
        path = HERE / "golden" / name
        if request.config.getoption("--regenerate"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture
def run(capfdbinary, monkeypatch):
    """Run the command line in this process: faster, and enough where no import is tested.

    Returns the exit code, stdout as bytes, stderr as text.
    """
    from embedinspect import cli

    monkeypatch.setenv("COLUMNS", "120")

    def run_here(*arguments: str):
        code = cli.run(list(arguments))
        captured = capfdbinary.readouterr()
        return code, captured.out, captured.err.decode()

    return run_here
