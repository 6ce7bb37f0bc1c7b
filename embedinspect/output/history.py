"""How a training went, for `train` and `info`: its epochs, its test, and its validation."""

from __future__ import annotations

from collections.abc import Iterator

from embedinspect.page import Column, Fact, Table
from embedinspect.pictures import Curves, Series
from embedinspect.training.run_folder import Run

_MOST_EPOCHS = 60
# How many times the lowest validation loss is more than chance.
OVERFITTED = 1.05
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


def curves(run: Run) -> list[Curves]:
    """Return loss and accuracy over the epochs, where there is more than one epoch."""
    if len(run.history) < 2:
        return []
    known = keys(run)
    return [
        Curves(
            title=title,
            series=[
                Series(name, [epoch[key] for epoch in run.history])
                for name, key in (("training", measure), ("validation", f"validation_{measure}"))
                if key in known
            ],
            best=run.best_epoch,
            best_label=""
            if run.best_epoch is None
            else f"lowest validation loss: {run.best_epoch}",
            remark=overfitting(run) if measure == "loss" else "",
        )
        for title, measure in (("Loss", "loss"), ("Accuracy", "accuracy"))
        if measure in known
    ]


def overfits(run: Run) -> bool:
    """Return whether the validation loss has clearly risen since it was lowest, training's not.

    Where the loss on the training reviews has risen, too, the classifier fits neither of them.
    """
    return _has_clearly_risen(run) and not _training_has_risen(run)


def _has_clearly_risen(run: Run) -> bool:
    if run.best_epoch is None:
        return False
    lowest, last = _at_best_and_last(run, "validation_loss")
    return last > lowest and last >= lowest * OVERFITTED


def _training_has_risen(run: Run) -> bool:
    """Return whether the training loss has risen at least half as far as the validation loss.

    One that is near 0 may rise a little by chance, while the other reviews are fitted worse.
    """
    at_best, last = _at_best_and_last(run, "loss")
    lowest, validation = _at_best_and_last(run, "validation_loss")
    return last > at_best and last - at_best >= (validation - lowest) / 2


def _at_best_and_last(run: Run, key: str) -> tuple[float, float]:
    """Return a number of the epoch with the lowest validation loss, and of the last one."""
    assert run.best_epoch is not None
    best, last = (run.history[epoch - 1][key] for epoch in (run.best_epoch, run.epochs))
    return best, last


def overfitting(run: Run) -> str:
    """Return what the validation loss tells of overfitting, in a sentence or two.

    Overfitting is said of a loss that has risen by a twentieth or more since it was lowest, while
    that of the training reviews has not; less may be chance.
    """
    best = run.best_epoch
    if best is None:
        return (
            "Nothing was held out, so overfitting cannot be seen here; --validation 0.2 holds a "
            "fifth of the reviews out."
        )
    lowest, last = _at_best_and_last(run, "validation_loss")
    if best == run.epochs:
        return (
            f"The validation loss is lowest after the last epoch ({lowest:.4f}): no overfitting so "
            "far."
        )
    since = f"The validation loss is lowest after epoch {best} ({lowest:.4f})"
    if not _has_clearly_risen(run):
        again = f"has hardly risen since ({last:.4f})" if last > lowest else "is as low at the end"
        return f"{since} and {again}: no clear overfitting."
    risen = f"{since} and {_rise(lowest, last)} after epoch {run.epochs} ({last:.4f})"
    if overfits(run):
        return f"{risen}: overfitting."
    then, now = _at_best_and_last(run, "loss")
    return (
        f"{risen}. The training loss has risen, too ({then:.4f} to {now:.4f}): that is no "
        "overfitting, but a training that went astray; try a lower --learning-rate."
    )


def _rise(lowest: float, last: float) -> str:
    if not lowest:
        return "has risen"
    times = last / lowest
    return f"is {times:.1f} times as high" if times >= 1.5 else f"has risen by {times - 1:.0%}"


def test(run: Run) -> Iterator[Fact]:
    """Yield what the classifier reached on the test reviews, once it was trained."""
    if run.test is not None:
        yield Fact(
            "test",
            f"accuracy {run.test['accuracy']:.2%}, loss {run.test['loss']:.4f} on "
            f"{run.test['reviews']:,} reviews",
        )
