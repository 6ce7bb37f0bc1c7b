"""The progress of training, where stderr is no terminal."""

from embedinspect.output.progress import _lines
from embedinspect.training.fit import Progress


def test_the_time_that_is_left_is_said_to_be_that_of_an_epoch():
    lines: list[str] = []
    _lines(lines.append, lambda: None)(Progress(1, 12, 60, 60, 0.5, 0.75, 2.0))
    assert lines == [
        "epoch 1 of 12: 60 of 60 reviews  loss 0.5000  accuracy 0.7500  30 reviews/s  0 s left of "
        "this epoch\n"
    ]
