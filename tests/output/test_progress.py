"""The progress of training, where stderr is no terminal."""

import os
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from embedinspect.output import progress
from embedinspect.training.fit import Progress


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_on_a_terminal_of_any_width_nothing_is_cut_short(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = os.openpty()
    chunks: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # which is the end
            while chunk := os.read(ours, 2**16):
                chunks.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(theirs, "w") as stderr, monkeypatch.context() as patch:
        patch.setattr("sys.stderr", stderr)
        with progress.reporting() as show:
            show(Progress(1, 12, 30, 60, 0.5, 0.75, 2.0))
            show(Progress(1, 12, 60, 60, 0.5, 0.75, 2.0, saved=True))
    reader.join()
    os.close(ours)
    screen = b"".join(chunks).decode()
    last = screen[screen.rindex("epoch 1 of 12") :].replace("\r\n", " ")
    for words in ("loss 0.5000", "accuracy", "0.7500", "30", "reviews/s", "saved"):
        assert words in last
    assert "…" not in last


def written(*reports: Progress) -> list[str]:
    lines: list[str] = []
    show = progress._lines(lines.append, lambda: None)
    for report in reports:
        show(report)
    return lines


def test_the_time_that_is_left_is_said_to_be_that_of_an_epoch(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    assert written(Progress(1, 12, 30, 60, 0.5, 0.75, 2.0)) == [
        "epoch 1 of 12: 30 of 60 reviews  loss 0.5000  accuracy 0.7500  15 reviews/s  2 s left of "
        "this epoch\n"
    ]


def test_an_epoch_has_its_line_once_it_is_saved_and_not_before(monkeypatch):
    trained = Progress(1, 12, 60, 60, 0.5, 0.75, 2.0)
    saved = replace(trained, saved=True)
    line = "epoch 1 of 12: 60 of 60 reviews  loss 0.5000  accuracy 0.7500  30 reviews/s  "
    assert written(trained, saved) == [f"{line}saved\n"]
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    assert written(trained, saved) == [f"{line}being saved\n", f"{line}saved\n"]
