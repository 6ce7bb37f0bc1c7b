"""Who trains what: options that go together, what a cluster says, and what cannot be shared."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from embedinspect.errors import UsageError
from embedinspect.output import train as output
from embedinspect.training import run_folder, session
from embedinspect.training.hosts import plan as hosts
from embedinspect.training.hosts.plan import Request
from embedinspect.training.settings import TrainSettings

KERAS = {
    "KERAS_DISTRIBUTION_JOB_ADDRESSES": "host0:1234,host1:1234",
    "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    "KERAS_DISTRIBUTION_PROCESS_ID": "1",
}
SLURM = {"SLURM_PROCID": "3", "SLURM_NTASKS": "4"}


@pytest.fixture(autouse=True)
def with_jax(monkeypatch):
    monkeypatch.setattr(hosts, "check_jax", lambda: None)


def test_processes_start_here_and_meet_on_loopback_alone():
    meeting = hosts.meeting(Request(processes=3), {})
    assert (meeting.processes, meeting.local) == (3, (0, 1, 2))
    host, port = meeting.coordinator.split(":")
    assert (host, port.isdecimal()) == ("127.0.0.1", True)


@pytest.mark.parametrize(
    ("request_", "environment", "expected"),
    [
        (Request(2, "host0:1234", 1), {}, (2, (1,), "host0:1234")),
        (Request(2, "[fd00::2]:1234", 0), {}, (2, (0,), "[fd00::2]:1234")),
        (Request(), KERAS, (2, (1,), "host0:1234")),
        (Request(4, "other:99", 0), KERAS, (4, (0,), "other:99")),
        (Request(coordinator="auto"), SLURM, (4, (3,), None)),
        (
            Request(coordinator="auto"),
            {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"},
            (2, (0,), None),
        ),
    ],
)
def test_one_process_is_started_where_others_are_elsewhere(request_, environment, expected):
    meeting = hosts.meeting(request_, environment)
    assert (meeting.processes, meeting.local, meeting.coordinator) == expected


@pytest.mark.parametrize(
    ("request_", "environment", "says"),
    [
        (Request(2, "host0:1234"), {}, "--coordinator was given without --process-id"),
        (Request(None, "host0:1234", 0), {}, "--coordinator was given without --processes"),
        (Request(2, None, 1), {}, "--process-id was given without --coordinator"),
        (Request(2, "host0:1234", 2), {}, "--process-id is 2; expected 0 or 1"),
        (Request(2, "host0", 1), {}, "--coordinator is 'host0'; expected HOST:PORT"),
        (Request(2, "host0:0", 1), {}, "expected HOST:PORT"),
        (Request(2, "host0:70000", 1), {}, "expected HOST:PORT"),
        (Request(2, "-x y:1", 1), {}, "expected HOST:PORT"),
        (Request(5000), {}, "--processes is 5,000; expected at most 1,024"),
        (Request(coordinator="auto"), {}, "was not started by Slurm or Open MPI"),
        (Request(2, "auto"), SLURM, "--processes is 2, but the cluster has started 4"),
        (
            Request(),
            {"KERAS_DISTRIBUTION_JOB_ADDRESSES": "host0:1"},
            "KERAS_DISTRIBUTION_NUM_PROCESSES is ''; expected a number",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(request_, environment, says):
    with pytest.raises(UsageError, match=says):
        hosts.meeting(request_, environment)


@pytest.mark.parametrize(
    ("processes", "settings", "says"),
    [
        (3, {"shards": 4}, "--processes is 3, which does not divide the 4 shards of the"),
        (2, {"shards": 1}, "does not divide the 1 shard of the run; expected 1, or --shard-rows"),
        (1, {"shards": 8, "batch_size": 4}, "a batch of 4 cannot be cut into 8 shards"),
    ],
)
def test_work_that_cannot_be_shared_so_is_refused(processes, settings, says):
    request = Request(processes)
    with pytest.raises(UsageError, match=says):
        hosts.plan(hosts.meeting(request, {}), TrainSettings(**settings))


@pytest.mark.parametrize(
    ("options", "request_", "shards", "processes"),
    [
        ({"shards": 4}, Request(), 4, 1),
        ({"shards": 4}, Request(processes=2), 4, 2),
        ({}, Request(processes=2), 2, 2),
    ],
)
def test_each_process_has_a_shard_where_none_are_asked_for(
    table, tmp_path, monkeypatch, options, request_, shards, processes
):
    monkeypatch.delenv("KERAS_BACKEND")
    begun = session.begin(str(table), options, out=str(tmp_path / "a"), request=request_)
    assert (begun.settings.shards, begun.backend) == (shards, "jax")
    assert (begun.plan.shards, begun.plan.processes, begun.plan.leads) == (shards, processes, True)


def test_a_training_that_is_not_shared_has_no_plan(table, tmp_path):
    begun = session.begin(str(table), {"shards": 1}, out=str(tmp_path / "a"))
    assert (begun.plan, begun.backend) == (None, "tensorflow")


@pytest.mark.parametrize("by_option", [True, False])
def test_another_backend_is_refused(table, by_option):
    # The tests' own KERAS_BACKEND is tensorflow.
    chosen = "torch" if by_option else None
    with pytest.raises(
        UsageError, match=r"need JAX, but (--backend is torch|KERAS_BACKEND is ten)"
    ):
        session.begin(str(table), {"shards": 2}, backend=chosen)


def test_another_process_than_the_first_needs_no_place_for_the_run(trained, monkeypatch):
    elsewhere = Request(2, "127.0.0.1:9", 1)
    begun = session.begin(str(trained), {}, out="a", request=elsewhere, backend="jax")
    assert not begun.plan.leads
    with pytest.raises(UsageError, match="exists already"):
        session.begin(str(trained), {}, out="a", request=Request(2), backend="jax")


def test_another_process_than_the_first_does_not_say_that_it_has_the_run(trained):
    elsewhere = Request(2, "127.0.0.1:9", 1)
    begun = session.begin(str(trained), {}, out="b", request=elsewhere, backend="jax")
    _, data, *_, result = output.page(begun, lambda: run_folder.open_run("a"))
    assert [(fact.label, fact.text) for fact in result.facts][-1] == (
        "run",
        "written by process 0, where that was started",
    )
    assert data.facts[-1].text == (
        "each batch is cut into 2 shards, for 2 processes; here runs process 1"
    )


def test_shards_are_those_of_the_run_that_goes_on(trained):
    with pytest.raises(UsageError, match="--shards does not go with --resume"):
        session.resume("a", {"shards": 2})
    with pytest.raises(UsageError, match="does not divide the 1 shard of the run"):
        session.resume("a", {"epochs": 4}, request=Request(processes=2), backend="jax")


def test_rows_can_be_shared_from_some_epoch_on_and_no_more(trained, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND")
    options = {"epochs": 4, "shard_rows": True}
    resumed = session.resume("a", options, request=Request(processes=2))
    assert (resumed.plan.shard_rows, resumed.plan.devices, resumed.settings.shards) == (True, 2, 1)
    assert resumed.backend == "jax"
    assert "trained on tensorflow and goes on with jax" in resumed.notes[-1]
    with pytest.raises(UsageError, match="--shard-rows was given for one process"):
        session.resume("a", options)
    alone = session.resume("a", {"epochs": 4, "shard_rows": False})
    assert (alone.plan, alone.backend) == (None, "tensorflow")


def test_one_process_goes_on_alone_with_rows_that_were_shared(trained, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND")
    path = Path("a/run.json")
    state = json.loads(path.read_text())
    state["settings"]["shard_rows"] = True
    path.write_text(json.dumps(state))
    for request in (Request(), Request(processes=1)):
        resumed = session.resume("a", {"epochs": 4}, request=request)
        assert resumed.plan is None
        assert resumed.notes[-1] == (
            "a shared out its rows; here one process holds them all; to share them again: "
            "--processes N"
        )
    assert session.resume("a", {"epochs": 4}, request=Request(2)).plan.shard_rows
    assert session.resume("a", {}).notes[-1].startswith("a is finished")


def test_what_is_shared_is_said(trained, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND")
    begun = session.begin(str(trained), {"shard_rows": True}, out="b", request=Request(2))
    _, data, *_ = output.page(begun, lambda: run_folder.open_run("a"))
    assert data.facts[-1].text == "the rows of the matrix, among 2 processes"
    assert begun.settings.shards == 1
    *_, result = output.page(begun, lambda: run_folder.open_run("a"))
    told = [fact.text for fact in result.facts]
    assert "embedinspect train --resume a --epochs 4 --processes 2" in told


def test_without_jax_one_line_says_how_to_get_it(monkeypatch, table):
    monkeypatch.undo()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'embedinspect\[jax\]'"):
        session.begin(str(table), {"shards": 2}, backend="jax")
