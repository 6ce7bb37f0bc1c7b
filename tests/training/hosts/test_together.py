"""Several processes on this machine: the same bits, deaths, settings that differ, one sum a batch.

Each process takes a few seconds of its own, most of them to compile, so a test asks for much.
"""

from __future__ import annotations

import importlib.util
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from embedinspect.errors import DataError
from embedinspect.training import run_folder, session
from embedinspect.training.hosts import fitting
from embedinspect.training.hosts.plan import Request
from embedinspect.training.hosts.supervise import Fleet
from embedinspect.training.run_place import held
from tests.conftest import HERE, QUICK_TO_COMPILE, environment
from tests.training.builders import write_table
from tests.training.hosts.builders import arrays, silent, train

pytestmark = [
    pytest.mark.usefixtures("own_folder"),
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="JAX is not installed: pip install jax"
    ),
]
# A batch of 10 does not divide by 4 shards. All batches have one shape, compiled once.
OPTIONS = {"output_dim": 8, "units": 6, "batch_size": 10, "epochs": 2, "mask_zero": True}
IN_4_SHARDS = {**OPTIONS, "shards": 4, "dropout": 0.2}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with a run by one process in four shards, and the code that XLA made of it."""
    folder = tmp_path_factory.mktemp("whole")
    write_table(folder / "reviews.csv")
    dump = f"--xla_dump_to={folder}/dump --xla_dump_hlo_as_text"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KERAS_BACKEND")
        patch.setenv("XLA_FLAGS", f"{QUICK_TO_COMPILE} {dump}")
        train(session.begin(str(folder / "reviews.csv"), IN_4_SHARDS, out=str(folder / "run")))
    return folder


def test_1_2_and_4_processes_give_the_same_bits_though_one_is_killed_amid_it(table, whole):
    begun = session.begin(str(table), IN_4_SHARDS, out="parts", request=Request(processes=4))
    with Fleet(begun, begun.plan) as fleet:

        def kill_one(progress) -> None:
            if progress.epoch == 2:
                fleet.workers[2].process.send_signal(signal.SIGKILL)

        fleet.start()
        with pytest.raises(DataError) as caught:
            fleet.train(kill_one)
    assert str(caught.value) == (
        "process 2 of 4 was killed (SIGKILL); saved up to epoch 1; to go on: embedinspect "
        "train --resume parts"
    )
    assert run_folder.open_run("parts").epochs == 1

    resumed = train(session.resume("parts", {}, request=Request(processes=2)))
    by_one = run_folder.open_run(f"{whole}/run")
    assert by_one.status == "done"
    for numbers, other in zip(by_one.history, resumed.history, strict=True):
        assert {**numbers, "seconds": 0} == {**other, "seconds": 0}
    assert (resumed.test, resumed.status) == (by_one.test, "done")
    assert resumed == run_folder.open_run("parts")
    first, second = arrays(f"{whole}/run"), arrays("parts")
    assert first.keys() == second.keys()
    for name in first:
        assert first[name].tobytes() == second[name].tobytes(), name


def test_a_killed_leader_leaves_a_whole_folder(table):
    begun = session.begin(str(table), {**OPTIONS, "shards": 2}, out="a", request=Request(2))
    with Fleet(begun, begun.plan) as fleet:
        fleet.start()
        fleet.workers[0].process.send_signal(signal.SIGKILL)
        with pytest.raises(DataError) as caught:
            fleet.train(silent)
    assert str(caught.value) == (
        "process 0 of 2 was killed (SIGKILL); no epoch was finished; to begin again: embedinspect "
        "train --resume a"
    )
    assert run_folder.open_run("a").epochs == 0
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_command_that_is_killed_leaves_no_lock(table):
    """Its processes notice that it is gone; who writes the run removes the lock and ends."""
    options = ["--processes", "2", "--epochs", "5000", "--units", "2", "--out", "a"]
    parent = subprocess.Popen(
        [sys.executable, "-m", "embedinspect", "train", str(table), *options],
        env=environment(PYTHONPATH=str(HERE.parent)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: Path("a/embedding/epoch-1.npy").exists() or parent.poll() is not None)
    assert Path(".a.lock").exists()
    parent.kill()
    parent.wait()
    wait_for(lambda: not Path(".a.lock").exists())
    with held(Path("a")):
        epochs = run_folder.open_run("a").epochs
        time.sleep(0.3)
        assert run_folder.open_run("a").epochs == epochs  # none writes any more


def test_commands_whose_options_differ_name_the_option_and_train_nothing(table):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{probe.getsockname()[1]}"
    options = ["--processes", "2", "--coordinator", coordinator, "--units", "6"]
    started = [
        subprocess.Popen(
            [
                *[sys.executable, "-m", "embedinspect", "train", str(table), *options],
                *["--process-id", str(number), "--out", f"run-{number}", *words],
            ],
            env=environment(PYTHONPATH=str(HERE.parent)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, words in enumerate(([], ["--num-words", "20"]))
    ]
    errors = [process.communicate(timeout=90)[1].splitlines()[-1] for process in started]
    assert [process.returncode for process in started] == [1, 1]
    assert errors == [
        "Error: process 1 has --num-words 20, process 0 has 22; expected the same in all",
        "Error: process 0 has --num-words 22, process 1 has 20; expected the same in all",
    ]
    assert list(Path().glob("run-*")) == []


def test_other_data_is_named_and_not_the_settings_that_follow_its_size(table):
    import keras

    facts = []
    for _ in range(2):
        begun = session.begin(str(table), {"units": 6}, out="a", request=Request(2))
        assert "num_words" in begun.chosen
        facts.append(fitting._facts(keras, begun, begun.plan))
        table.write_text(table.read_text() + "unheard of,positive\n")
    differing = [name for name in facts[0] if facts[0][name] != facts[1][name]]
    assert differing == ["data with the fingerprint", "--num-words"]


def test_processes_that_do_not_meet_are_told_of_in_one_line(table):
    """JAX ends a process by abort then."""
    begun = session.begin(str(table), OPTIONS, out="a", request=Request(2, "127.0.0.1:9", 1))
    plan = replace(begun.plan, join_seconds=1)
    with Fleet(begun, plan) as fleet, pytest.raises(DataError) as caught:
        fleet.start()
    assert str(caught.value).startswith(
        "the 2 processes did not meet at 127.0.0.1:9 within 1 s; expected all of them to be "
    )
    assert "\n" not in str(caught.value)


def test_gradients_are_summed_once_for_each_batch_and_never_in_the_time_loop(whole):
    """By itself XLA sums those of the recurrent weights in every step of the loop."""
    [path] = Path(whole, "dump").glob("*.jit_train_step.*after_optimizations.txt")
    compiled = path.read_text()
    assert " while(" in compiled  # the time loops
    collective = re.compile(
        r" (all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter)(-start)?\("
    )
    computations = [text.lstrip() for text in compiled.split("\n\n")]
    with_sums = [text for text in computations if collective.search(text)]
    assert [text.split()[0] for text in with_sums] == ["ENTRY"]
    assert [match[1] for match in collective.finditer(compiled)].count("all-reduce") == 1
