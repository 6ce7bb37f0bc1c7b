"""What a person sees while a file is read."""

from __future__ import annotations

import io
import os
import pty
import select
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from embedinspect.output import stdout
from embedinspect.output.counting import counting
from embedinspect.output.stdout import how_far, waiting
from embedinspect.stages import stage


@contextmanager
def terminal(monkeypatch):
    """Make stderr a terminal; give a function that reads what is on it, up to some text."""
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "200")

        def read_up_to(text: str) -> str:
            screen, end = "", time.monotonic() + 20
            while text not in screen and time.monotonic() < end:
                if select.select([ours], [], [], 0.1)[0]:
                    screen += os.read(ours, 2**16).decode()
            return screen

        yield read_up_to
    os.close(ours)


def test_a_long_reading_says_how_far_it_is_and_a_short_one_does_not(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(stdout, "time", SimpleNamespace(monotonic=lambda: now[0]))
    # The path is shown as it is, and not as markup or as an escape.
    shown = "Reading [/b]\\x1b[2J.txt"
    with terminal(monkeypatch) as screen, waiting("Reading [/b]\x1b[2J.txt") as tell:
        assert tell is not None
        now[0] += 1.9
        tell(500_000_000, 1_000_000_000)
        short = screen(shown)
        now[0] += 3.1
        tell(500_000_000, 1_000_000_000)
        long = screen("left")
    assert shown in short
    assert "MB" not in short
    assert f"{shown}: 500 of 1,000 MB, 5 s left" in long


def test_a_long_stage_says_how_long_it_will_take_by_its_own_start(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(stdout, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with terminal(monkeypatch) as screen, waiting("Looking"):
        first = stage("their lengths", 9_000_000)
        now[0] += 1.9
        first(9_000_000)
        for _ in range(2):  # the same again is a stage of its own
            second = stage("how they vary", 9_000_000)
            second(0)
            now[0] += 10
            second(3_000_000)
            told = screen("left")
            now[0] += 100
    assert "lengths" not in told
    assert "Looking: how they vary, 3,000,000 of 9,000,000 rows, 20 s left" in told


def test_a_count_shows_its_stages_below_it(monkeypatch):
    with terminal(monkeypatch) as screen, counting("Comparing rows", 100) as progress:
        stage("their lengths", 50)(20)
        shown = screen("20/50")
        progress(7)
        shown += screen("7/100")
    assert "their lengths" in shown
    assert "Comparing rows" in shown


def test_nothing_is_told_where_nobody_sees_it(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with waiting("Reading") as tell:
        assert tell is None
    assert sys.stderr.getvalue() == ""


@pytest.mark.parametrize(
    ("done", "size", "seconds", "told"),
    [
        (0, 10**9, 3, "0 of 1,000 MB"),
        (10**8, 10**9, 3, "100 of 1,000 MB, 27 s left"),
        (10**8, 10**9, 60, "100 of 1,000 MB, 9 min left"),
        (10**7, 10**9, 600, "10 of 1,000 MB, 16 h left"),
        (10**9, 10**9, 60, "1,000 of 1,000 MB"),
        (0, 0, 5, "0 of 0 MB"),
    ],
)
def test_how_far_a_reading_is(done, size, seconds, told):
    assert how_far(done, size, seconds) == told
