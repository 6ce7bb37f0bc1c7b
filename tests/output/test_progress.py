"""The progress of training, where stderr is no terminal."""

from dataclasses import replace

from embedinspect.output import progress
from embedinspect.training.fit import Progress


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
