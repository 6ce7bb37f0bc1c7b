"""Processes that hold a part of the matrix each: the bits of one that holds all; what travels."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from embedinspect import keras_layer
from embedinspect.errors import DataError, UsageError
from embedinspect.training import run_folder, run_state, session
from embedinspect.training.hosts.plan import Request
from embedinspect.training.hosts.supervise import Fleet
from embedinspect.training.settings import TrainSettings, check_settings
from tests.conftest import HERE, QUICK_TO_COMPILE, environment
from tests.training.builders import write_table
from tests.training.hosts.builders import arrays, silent, train

pytestmark = [
    pytest.mark.usefixtures("own_folder"),
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="JAX is not installed: pip install jax"
    ),
]
# 23 rows divide by neither 2 nor 3, and 40 reviews for validation not by a batch.
OPTIONS = {
    "num_words": 23,
    "output_dim": 5,
    "units": 6,
    "batch_size": 10,
    "epochs": 2,
    "dropout": 0.2,
    "validation": 0.15,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, for_jax):
    """A folder with the run `alone`, trained by one process that holds all rows."""
    folder = tmp_path_factory.mktemp("whole")
    write_table(folder / "reviews.csv")
    options = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    subprocess.run(
        [
            *[sys.executable, "-m", "embedinspect", "train", "reviews.csv", "--backend", "jax"],
            *["--out", "alone", *options],
        ],
        cwd=folder,
        env=environment(PYTHONPATH=str(HERE.parent), **for_jax),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return folder


def without_ids(part: dict) -> dict:
    """Leave out numbers by which Keras tells objects apart that stand in several places."""
    return {name: value for name, value in part.items() if name != "shared_object_id"}


def model_file(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Return what a `.keras` file says of the layers, and its weights by their path."""
    import h5py

    weights: dict[str, np.ndarray] = {}

    def take(name: str, item) -> None:
        if isinstance(item, h5py.Dataset):
            weights[name] = item[()]

    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"), object_hook=without_ids)
        with archive.open("model.weights.h5") as file, h5py.File(file, "r") as stored:
            stored.visititems(take)
    return config, weights


def test_shared_rows_give_the_bits_of_one_process_though_one_is_killed_amid_it(whole, monkeypatch):
    table = str(whole / "reviews.csv")
    options = {**OPTIONS, "shard_rows": True}
    begun = session.begin(table, options, out="parts", request=Request(processes=3))
    with Fleet(begun, begun.plan) as fleet:

        def kill_one(progress) -> None:
            if progress.epoch == 2:
                fleet.workers[1].process.send_signal(signal.SIGKILL)

        fleet.start()
        with pytest.raises(DataError) as caught:
            fleet.train(kill_one)
    assert str(caught.value) == (
        "process 1 of 3 was killed (SIGKILL); saved up to epoch 1; to go on: embedinspect "
        "train --resume parts --processes 3"
    )
    assert run_folder.open_run("parts").epochs == 1

    dump = "--xla_dump_to=dump --xla_dump_hlo_as_text"
    monkeypatch.setenv("XLA_FLAGS", f"{QUICK_TO_COMPILE} {dump}")
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")  # or nothing would be compiled, and dumped
    resumed = train(session.resume("parts", {}, request=Request(processes=2)))
    alone = run_folder.open_run(f"{whole}/alone")
    for numbers, other in zip(alone.history, resumed.history, strict=True):
        assert {**numbers, "seconds": 0} == {**other, "seconds": 0}
    assert (resumed.test, resumed.status) == (alone.test, "done")
    assert resumed == run_folder.open_run("parts")
    first, second = arrays(f"{whole}/alone"), arrays("parts")
    assert first.keys() == second.keys()
    for name in first:
        assert first[name].tobytes() == second[name].tobytes(), name
    for epoch in range(3):
        rows = [Path(run, "embedding", f"epoch-{epoch}.npy") for run in (whole / "alone", "parts")]
        assert rows[0].read_bytes() == rows[1].read_bytes(), epoch
    (config, weights), (config_of_parts, weights_of_parts) = (
        model_file(Path(run, "model.keras")) for run in (whole / "alone", "parts")
    )
    assert config == config_of_parts
    assert weights.keys() == weights_of_parts.keys()
    for name in weights:
        assert weights[name].tobytes() == weights_of_parts[name].tobytes(), name

    loaded = keras_layer.load().saving.load_model("parts/model.keras")
    assert (loaded.get_layer("embedding").get_weights()[0] == first["embedding/embeddings"]).all()
    moments = [variable for variable in loaded.optimizer.variables if variable.shape == (23, 5)]
    assert all((np.array(variable) != 0).any() for variable in moments)

    check_what_travels(Path("dump"))


def check_what_travels(dump: Path) -> None:
    """In training only what was looked up is summed: no process is sent a part of the matrix."""
    summed = set()
    for path in dump.glob("*.jit_train_step.*after_optimizations.txt"):
        compiled = path.read_text()
        collectives = re.findall(
            r"= \(?(\w+\[[\d,]*\])\S* "
            r"(all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter)(?:-start)?\(",
            compiled,
        )
        summed |= set(collectives)
        assert "f32[12,5]" in compiled  # half of the rows, and one that was added
        assert "f32[24,5]" not in compiled
        assert "f32[23,5]" not in compiled
    # Of batches of 10 reviews and of the last 6, which have up to 13 ids, 5 numbers for each.
    assert summed == {("f32[10,13,5]", "all-reduce"), ("f32[6,13,5]", "all-reduce")}


def test_weights_that_overflow_are_put_back_in_all_processes(whole):
    shutil.copytree(whole / "alone", "a")
    state = arrays("a")
    before = state["embedding/embeddings"].copy()
    moments = [name for name, array in state.items() if array.shape == (23, 5)][1:]
    state[moments[0]][-1] = 3e38  # of a row that the second process holds
    np.savez("a/checkpoint/epoch-2.npz", **state)
    options, request = {"epochs": 3, "shard_rows": True}, Request(processes=2)
    run = train(session.resume("a", options, data=str(whole / "reviews.csv"), request=request))
    assert (run.status, run.epochs) == (run_state.NOT_A_NUMBER, 2)
    assert run.test == run_folder.open_run("a").test
    assert np.isfinite(run.test["loss"])
    _, weights = model_file(Path("a/model.keras"))
    assert (weights["layers/embedding/vars/0"] == before).all()


def test_a_run_that_cannot_be_written_ends_all_processes_in_one_line(whole):
    begun = session.begin(
        str(whole / "reviews.csv"),
        {**OPTIONS, "shard_rows": True},
        out="a",
        request=Request(processes=2),
    )
    with Fleet(begun, begun.plan) as fleet:
        fleet.start()
        Path("a/checkpoint/epoch-1.npz").mkdir()
        with pytest.raises(DataError) as caught:
            fleet.train(silent)
    assert str(caught.value) == (
        "cannot write 'a/checkpoint/epoch-1.npz': is a directory; expected a path in a folder that "
        "can be written"
    )


def test_rows_cannot_be_shared_beside_batches_nor_by_more_processes_than_there_are(table):
    shared = {"shard_rows": True, "num_words": 3}
    with pytest.raises(UsageError, match="--shards 2 cuts the batches, and --shard-rows the mat"):
        session.begin(str(table), {**shared, "shards": 2}, out="a", request=Request(processes=2))
    with pytest.raises(UsageError, match="3 rows cannot be shared by 4 processes"):
        session.begin(str(table), shared, out="a", request=Request(processes=4))


def test_more_rows_can_be_shared_than_one_process_may_hold():
    large = {"num_words": 10_000_000, "output_dim": 300}
    with pytest.raises(UsageError, match="at most 2,147,483,648, or more with --shard-rows"):
        check_settings(TrainSettings(**large))
    check_settings(TrainSettings(**large, shard_rows=True))
    larger = {**large, "output_dim": 10_000}
    with pytest.raises(UsageError, match=r"expected at most 68,719,476,736$"):
        check_settings(TrainSettings(**larger, shard_rows=True))


def test_one_process_that_would_hold_all_rows_is_told_so(table):
    with pytest.raises(UsageError, match="for one process, which holds all rows anyway; expected"):
        session.begin(str(table), {"shard_rows": True}, out="a")


def test_a_port_that_is_taken_is_named(table):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        options = {**OPTIONS, "shard_rows": True}
        begun = session.begin(str(table), options, out="a", request=Request(2, where, 0))
        with Fleet(begun, begun.plan) as fleet, pytest.raises(UsageError) as caught:
            fleet.start()
    assert str(caught.value) == (
        f"process 0 cannot wait for the others at {where}: address already in use; expected an "
        "address of this machine with a port that is free"
    )
    assert not Path("a").exists()
