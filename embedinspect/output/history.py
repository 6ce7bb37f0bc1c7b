"""How a training went, for `train` and `info`: its epochs, its test, and its validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embedinspect.page import Column, Fact, Table
from embedinspect.training.run_folder import Run

_MOST_EPOCHS = 60
_STEPS = "▁▂▃▄▅▆▇█"
_COLUMNS = (
    ("epoch", "epoch", None),
    ("loss", "loss", 4),
    ("accuracy", "accuracy", 4),
    ("validation loss", "validation_loss", 4),
    ("validation accuracy", "validation_accuracy", 4),
    ("seconds", "seconds", 1),
)


def keys(run: Run) -> list[str]:
    """Return the names of the numbers that every epoch of a run has."""
    return [key for _, key, _ in _COLUMNS if all(key in epoch for epoch in run.history)]


def epochs(run: Run) -> Table:
    """Return a table with one row for each epoch."""
    known = keys(run)
    columns = [
        Column(
            name,
            [epoch[key] for epoch in run.history],
            "id" if decimals is None else "number",
            decimals=decimals,
        )
        for name, key, decimals in _COLUMNS
        if key in known
    ]
    return Table("Epochs", columns, most=_MOST_EPOCHS)


def curves(run: Run) -> list[Fact]:
    """Return loss and accuracy as small curves, where there is more than one epoch."""
    if len(run.history) < 2:
        return []
    known = keys(run)
    return [
        Fact(name, curve([epoch[key] for epoch in run.history]))
        for name, key, _ in _COLUMNS[1:-1]
        if key in known
    ]


def curve(values: Sequence[float]) -> str:
    """Return the values as a row of bars, lowest to highest, between the first and last value."""
    low, high = min(values), max(values)
    heights = [int((value - low) / (high - low or 1) * (len(_STEPS) - 1)) for value in values]
    bars = "".join(_STEPS[height] for height in heights)
    return f"{values[0]:.4f} {bars} {values[-1]:.4f}"


def test(run: Run) -> Iterator[Fact]:
    """Yield what the classifier reached on the test reviews, once it was trained."""
    if run.test is not None:
        yield Fact(
            "test",
            f"accuracy {run.test['accuracy']:.2%}, loss {run.test['loss']:.4f} on "
            f"{run.test['reviews']:,} reviews",
        )


def validation(run: Run) -> Iterator[Fact]:
    """Yield that the validation loss has risen, where it has."""
    best = run.best_epoch
    if best is not None and run.validation_has_risen:
        lowest, last = (run.history[epoch - 1]["validation_loss"] for epoch in (best, run.epochs))
        yield Fact(
            "validation",
            f"the loss was lowest after epoch {best} ({lowest:.4f}) and is higher after epoch "
            f"{run.epochs} ({last:.4f}): the later epochs fit the training reviews alone",
            "notable",
        )
