"""What a training run is set to: the classic recipe, or defaults that follow small data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from embedinspect.errors import DataError
from embedinspect.sequences import Side

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


# What a run folder, which may come from a stranger, may hold: type, smallest and largest value.
_BOUNDS: dict[str, tuple[type, float, float]] = {
    "num_words": (int, 1, 10**7),
    "maxlen": (int, 1, 10**6),
    "output_dim": (int, 1, 10**5),
    "units": (int, 1, 10**5),
    "batch_size": (int, 1, 10**7),
    "epochs": (int, 1, 10**6),
    "learning_rate": (float, 0, 1e6),
    "dropout": (float, 0, 0.99),
    "seed": (int, 0, 2**32 - 1),
    "validation": (float, 0, 0.9),
}


def settings_from(values: object, path_label: str) -> TrainSettings:
    """Return the settings that a run folder holds, each of them checked.

    Args:
        values: the settings by name.
        path_label: what messages call the file.

    Raises:
        DataError: a setting is missing or out of bounds.
    """
    if not isinstance(values, dict):
        raise DataError(
            f"{path_label} has no settings; expected a run folder of embedinspect train"
        )
    checked: dict[str, Any] = {}
    for name, (kind, smallest, largest) in _BOUNDS.items():
        value: Any = values.get(name)
        is_number = isinstance(value, (int, float) if kind is float else int)
        if not is_number or isinstance(value, bool) or not smallest <= value <= largest:
            raise DataError(
                f"{path_label} has {name} {value!r}; expected {smallest:g} to {largest:g}"
            )
        checked[name] = kind(value)
    for name in ("padding", "truncating"):
        if values.get(name) not in {"pre", "post"}:
            raise DataError(f"{path_label} has {name} {values.get(name)!r}; expected pre or post")
        checked[name] = values[name]
    if not isinstance(values.get("mask_zero"), bool):
        raise DataError(
            f"{path_label} has mask_zero {values.get('mask_zero')!r}; expected true or false"
        )
    checked["mask_zero"] = values["mask_zero"]
    for name in ("early_stopping", "limit"):
        value = values.get(name)
        if value is not None and (type(value) is not int or value < 1):
            raise DataError(f"{path_label} has {name} {value!r}; expected a whole number or null")
        checked[name] = value
    if checked["num_words"] * checked["output_dim"] > 2**31:
        raise DataError(f"{path_label} has a matrix of more than 2**31 numbers; expected fewer")
    return TrainSettings(**checked)
