"""What `train` prints for people: the model and the data before, the history and result after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from embedinspect.output.grid import Block, Cell, Column
from embedinspect.output.screen import Screen, labelled
from embedinspect.training.data import DataSummary
from embedinspect.training.run_folder import Run
from embedinspect.training.settings import TrainSettings
from embedinspect.wording import literal, plural

# Test accuracies of this recipe as published, in percent. Sources: Brownlee's tutorial "Sequence
# Classification with LSTM Recurrent Neural Networks in Python with Keras"; the imdb_fasttext
# example of Keras; Wang and Manning 2012 (NB-SVM with bigrams).
PUBLISHED = 86.79
PUBLISHED_REVIEWS = 16_750
STRONGER = ("a bag of words reaches 88.1 %, one of word pairs 90.6 %, NB-SVM with pairs 91.2 %",)
_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-=*#%@"


def before(
    run_settings: TrainSettings, summary: DataSummary, name: str, label: str, screen: Screen
) -> Iterator[Text]:
    """Yield the model as a table, and what is in the data."""
    times = screen.glyphs.times
    layers = run_settings.parameters()
    total = sum(layer[3] for layer in layers)
    names = [*[layer[0] for layer in layers], "total"]
    columns = [
        Column("layer", [Cell(name) for name in names]),
        Column("output shape", [*[Cell(layer[1]) for layer in layers], Cell()]),
        Column("parameters", [*[Cell(_formula(x[2], x[3], times)) for x in layers], Cell()]),
        Column("", [*[Cell(f"{layer[3]:,}") for layer in layers], Cell(f"{total:,}")], right=True),
    ]
    block = Block("Classifier", columns)
    if block.width > screen.width:
        block = Block("Classifier", [columns[0], columns[2], columns[3]])
    yield from block.lines(screen.glyphs.rule)
    yield Text()
    yield from labelled("data", _parts(summary, literal(name), literal(label)), screen)
    yield from labelled(
        "lengths",
        f"median {summary.median_length:,.0f} ids, mean {summary.mean_length:,.1f}, longest "
        f"{summary.longest:,}",
        screen,
    )
    unknown = summary.out_of_vocabulary / max(1, summary.tokens)
    yield from labelled(
        "unknown",
        f"{summary.out_of_vocabulary:,} of {summary.tokens:,} ids are out of vocabulary "
        f"({unknown:.1%})",
        screen,
    )
    cut = summary.cut_tokens / max(1, summary.tokens)
    yield from labelled(
        "cut off",
        f"{summary.cut_reviews:,} of {plural(summary.train_reviews, 'review')} are longer than "
        f"maxlen {run_settings.maxlen:,}: {summary.cut_tokens:,} ids ({cut:.1%})",
        screen,
    )


def _formula(formula: str, count: int, times: str) -> str:
    return f"{formula} =".replace(" x ", f" {times} ") if count else formula


def _parts(summary: DataSummary, name: str, label: str) -> str:
    held_out = summary.validation_reviews
    validation = f", {held_out:,} of them held out for validation" if held_out else ""
    return (
        f"{name}: {summary.train_reviews:,} reviews to train{validation}, "
        f"{summary.test_reviews:,} to test, {summary.positive_share:.0%} {label}"
    )


def after(run: Run, screen: Screen) -> Iterator[Text]:
    """Yield the epochs as a table with small curves, the result, and what to try next."""
    if run.history:
        yield from history_block(run.history).lines(screen.glyphs.rule)
        yield Text()
        for name in ("loss", "accuracy"):
            values = [line[name] for line in run.history]
            if len(values) > 1:
                yield from labelled(name, curve(values, screen), screen)
    yield from labelled("status", _status(run), screen)
    if run.test is not None:
        yield from labelled(
            "test",
            f"accuracy {run.test['accuracy']:.2%}, loss {run.test['loss']:.4f} on "
            f"{run.test['reviews']:,} reviews",
            screen,
        )
        if run.data["source"]["kind"] == "imdb":
            yield from labelled(
                "published",
                f"{PUBLISHED} % for this recipe (Brownlee's tutorial, whose log shows "
                f"{PUBLISHED_REVIEWS:,} training reviews); {STRONGER[0]}: an LSTM is a "
                "demonstration here, no strong baseline",
                screen,
            )
    yield from labelled("run", literal(str(run.path)), screen)
    path = literal(str(run.path))
    yield from labelled("next", f'embedinspect show --from {path} "a wonderful film"', screen)
    if run.status == "done":
        more = run.epochs + 1
        yield from labelled("", f"embedinspect train --resume {path} --epochs {more}", screen)
    if not run.settings.mask_zero:
        yield from labelled("", "--mask-zero: padding unseen, batches cut short, faster", screen)


def history_block(history: Sequence[dict[str, Any]]) -> Block:
    """Return a table with one line an epoch."""
    shown = (
        ("epoch", "epoch", "d"),
        ("loss", "loss", ".4f"),
        ("accuracy", "accuracy", ".4f"),
        ("validation loss", "validation_loss", ".4f"),
        ("validation accuracy", "validation_accuracy", ".4f"),
        ("seconds", "seconds", ".1f"),
    )
    columns = [
        Column(header, [Cell(format(line[key], form)) for line in history], right=True)
        for header, key, form in shown
        if all(key in line for line in history)
    ]
    return Block("Epochs", columns)


def curve(values: Sequence[float], screen: Screen) -> str:
    """Return the values as a row of bars, lowest to highest, between the first and last value."""
    bars = _BARS if screen.glyphs.rule == "─" else _ASCII_BARS
    low, high = min(values), max(values)
    heights = [int((value - low) / (high - low or 1) * (len(bars) - 1)) for value in values]
    drawn = "".join(bars[height] for height in heights)
    return f"{values[0]:.4f} {drawn} {values[-1]:.4f}"


def _status(run: Run) -> str:
    epochs = f"{plural(run.epochs, 'epoch')} of {run.settings.epochs}"
    if run.status == "stopped early":
        best = min(run.history, key=lambda line: line["validation_loss"])
        return f"stopped early after {epochs}; the best validation loss was epoch {best['epoch']}"
    if run.status == "done":
        return f"done, {epochs}"
    return f"{run.status}: stopped after {epochs}"
