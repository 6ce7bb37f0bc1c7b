"""What a training run is set to: the classic recipe, or defaults that follow small data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from embedinspect.errors import DataError, UsageError
from embedinspect.sequences import Side
from embedinspect.training.run_state import short

FEW_UPDATES = 150  # below this many updates the classic settings learn next to nothing
ENOUGH_UPDATES = 240


class LayerParameters(NamedTuple):
    """A layer of the classifier and what its parameters are.

    Attributes:
        layer: the class of Keras's layer.
        output_shape: with a name for each axis.
        formula: how the parameters are counted, with the sizes in it; `none` where there are none.
        parameters: how many there are.
    """

    layer: str
    output_shape: str
    formula: str
    parameters: int


@dataclass(frozen=True)
class TrainSettings:
    """The settings of a run; the defaults are the classic recipe for IMDB (see the README).

    Attributes:
        num_words: number of rows of the matrix; ids from this one on are out of vocabulary.
        maxlen: number of positions of each sequence.
        output_dim: numbers in each row of the matrix.
        units: units of the LSTM.
        batch_size: reviews in a batch.
        epochs: epochs in all, those before a resumption included.
        learning_rate: Adam's learning rate.
        dropout: share of the values that is set to 0 before and after the LSTM while training.
        mask_zero: whether the LSTM skips the padding.
        padding: the side on which short reviews are padded.
        truncating: the side on which long reviews are cut.
        seed: of everything random: initial weights, order of the reviews, dropout, held-out parts.
        validation: share of the training reviews that is held out for validation.
        early_stopping: stop after this many epochs without a better validation loss.
        limit: use at most this many reviews of each part.
        shards: parts that each batch is cut into, to be computed by as many devices.
        shard_rows: whether each of several devices holds a part of the rows of the matrix.
        lstm: `auto`, or which LSTM computes it: `packed` or `keras` (see `lstm/choice.py`).
    """

    num_words: int = 5000
    maxlen: int = 500
    output_dim: int = 32
    units: int = 100
    batch_size: int = 64
    epochs: int = 3
    learning_rate: float = 0.001
    dropout: float = 0.0
    mask_zero: bool = False
    padding: Side = "pre"
    truncating: Side = "pre"
    seed: int = 0
    validation: float = 0.0
    early_stopping: int | None = None
    limit: int | None = None
    shards: int = 1
    shard_rows: bool = False
    lstm: str = "auto"

    def parameters(self) -> list[LayerParameters]:
        """Return how many parameters each layer of the classifier has, and why."""
        rows, width, units = self.num_words, self.output_dim, self.units
        vectors = f"(batch, {self.maxlen} positions, {width} output_dim)"
        state = f"(batch, {units} units)"
        lstm = f"4 x (({width} + {units}) x {units} + {units})"
        layers = [
            LayerParameters("Embedding", vectors, f"{rows:,} x {width:,}", rows * width),
            LayerParameters("Dropout", vectors, "none", 0),
            LayerParameters("LSTM", state, lstm, 4 * ((width + units) * units + units)),
            LayerParameters("Dropout", state, "none", 0),
            LayerParameters("Dense", "(batch, 1 probability)", f"{units} + 1", units + 1),
        ]
        return [layer for layer in layers if self.dropout or layer.layer != "Dropout"]


def defaults_for(lengths: list[int], words: int, epochs: int | None) -> dict[str, Any]:
    """Return the settings that should differ from the classic ones because the data is small.

    Where the classic batches and epochs would make only a handful of updates, the model and the
    batches are smaller, and there are as many epochs as it takes for a few hundred updates.

    Args:
        lengths: number of tokens of each training review.
        words: number of words in the vocabulary, the out-of-vocabulary token included.
        epochs: the number that was asked for; None if it is free.
    """
    classic = TrainSettings()
    defaults: dict[str, Any] = {}
    if words + 1 < classic.num_words:
        defaults["num_words"] = words + 1
    longest = max(lengths, default=1)
    if longest < classic.maxlen:
        defaults["maxlen"] = max(1, longest)
    updates = math.ceil(len(lengths) / classic.batch_size) * classic.epochs
    if updates >= FEW_UPDATES:
        return defaults
    batch_size = 8 if len(lengths) < 2000 else 32
    updates_per_epoch = max(1, math.ceil(len(lengths) / batch_size))
    defaults |= {
        "output_dim": 16,
        "units": 16,
        "batch_size": batch_size,
        "learning_rate": 0.005,
        "mask_zero": True,
    }
    if epochs is None:
        wanted = math.ceil(ENOUGH_UPDATES / updates_per_epoch)
        defaults["epochs"] = min(30, max(classic.epochs, wanted))
    return defaults


def warnings_for(settings: TrainSettings) -> list[str]:
    """Return what is known to go wrong with these settings, one sentence each."""
    warnings = []
    if settings.padding == "post" and not settings.mask_zero:
        warnings.append(
            "padding after the text without a mask: the LSTM reads the padding last and forgets "
            "the text, so this hardly learns; add --mask-zero, or --padding pre"
        )
    if settings.early_stopping and not settings.validation:
        warnings.append("--early-stopping watches the validation loss; add --validation 0.1")
    return warnings


# What the settings of a run may be: type, smallest and largest value.
_BOUNDS: dict[str, tuple[type, float, float]] = {
    "num_words": (int, 1, 10**7),
    "maxlen": (int, 1, 10**5),
    "output_dim": (int, 1, 10**5),
    "units": (int, 1, 10**5),
    "batch_size": (int, 1, 10**7),
    "epochs": (int, 1, 50_000),
    "learning_rate": (float, 0, 1e6),
    "dropout": (float, 0, 0.99),
    "seed": (int, 0, 2**32 - 1),
    "validation": (float, 0, 0.9),
    "shards": (int, 1, 1024),
}
# What runs were trained with before there was a setting, which they do not name.
_BEFORE: dict[str, Any] = {"shards": 1, "shard_rows": False, "lstm": "keras"}
_CHOICES: dict[str, tuple[Any, ...]] = {
    "padding": ("pre", "post"),
    "truncating": ("pre", "post"),
    "mask_zero": (True, False),
    "shard_rows": (True, False),
    "lstm": ("auto", "packed", "keras"),
}
MOST_PARAMETERS = 2**31
# Where no process holds them all.
MOST_PARAMETERS_SHARED = 2**36


def settings_from(values: object, path_label: str) -> TrainSettings:
    """Return the settings that a run folder, which may come from a stranger, holds.

    Args:
        values: the settings by name.
        path_label: what messages call the file.

    Raises:
        DataError: a setting is missing, of another kind or out of bounds.
    """
    if not isinstance(values, dict):
        raise DataError(
            f"{path_label} has no settings; expected a run folder of embedinspect train"
        )
    values = {**_BEFORE, **values}
    checked: dict[str, Any] = {}
    for name in (field.name for field in fields(TrainSettings)):
        expected = _expected(name, values.get(name))
        if expected is not None:
            raise DataError(f"{path_label} has {name} {short(values.get(name))}; {expected}")
        kind = _BOUNDS[name][0] if name in _BOUNDS else None
        checked[name] = values[name] if kind is None else kind(values[name])
    settings = TrainSettings(**checked)
    too_large = _too_large(settings)
    if too_large is not None:
        raise DataError(f"{path_label} has settings for {too_large}")
    return settings


def option_of(setting: str) -> str:
    """Return the option of `train` that a setting is given by."""
    return f"--{setting.replace('_', '-')}"


def check_settings(settings: TrainSettings) -> None:
    """Find out whether a run with these settings could be opened again.

    Raises:
        UsageError: one is out of bounds, or the classifier would be too large.
    """
    for name, value in asdict(settings).items():
        expected = _expected(name, value)
        if expected is not None:
            raise UsageError(f"{option_of(name)} is {value}; {expected}")
    too_large = _too_large(settings)
    if too_large is not None:
        raise UsageError(f"these settings ask for {too_large}")


def _expected(name: str, value: Any) -> str | None:
    """Return what was expected of a setting; None where its value is that."""
    if name in _BOUNDS:
        kind, smallest, largest = _BOUNDS[name]
        is_number = isinstance(value, (int, float) if kind is float else int)
        if is_number and not isinstance(value, bool) and smallest <= value <= largest:
            return None
        form = "g" if kind is float else ","
        return f"expected {smallest:{form}} to {largest:{form}}"
    if name in _CHOICES:
        choices = _CHOICES[name]
        if any(type(value) is type(choice) and value == choice for choice in choices):
            return None
        return f"expected {' or '.join(str(choice).lower() for choice in choices)}"
    if value is None or (type(value) is int and value >= 1):
        return None
    return "expected a whole number from 1 on, or none"


def _too_large(settings: TrainSettings) -> str | None:
    """Return what is said of a classifier with too many parameters; None of any other."""
    layers = settings.parameters()
    total = sum(layer.parameters for layer in layers)
    most = MOST_PARAMETERS_SHARED if settings.shard_rows else MOST_PARAMETERS
    if total <= most:
        return None
    largest = max(layers, key=lambda layer: layer.parameters)
    return (
        f"{total:,} parameters, {largest.parameters:,} of them in the {largest.layer} "
        f"({largest.formula}); expected at most {most:,}"
        f"{'' if settings.shard_rows else ', or more with --shard-rows'}"
    )
