"""Which LSTM computes a classifier: the one of this room, or Keras's."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal

from embedinspect.errors import UsageError
from embedinspect.training.settings import TrainSettings

# Below so many positions Keras's LSTM is done before the packed one is there: to load it takes a
# second, to compile it, once, some six.
WORTH = 1_000_000

Kernel = Literal["packed", "keras"]
LIBRARY = "numba"


@dataclass(frozen=True)
class Choice:
    """Which LSTM is used, and why.

    Attributes:
        kernel: `packed`, which computes tokens alone, or `keras`.
        reason: a clause that follows the name.
    """

    kernel: Kernel
    reason: str


def choose(settings: TrainSettings, backend: str, gpu: bool, texts: int) -> Choice:
    """Return which LSTM computes a classifier with these settings.

    Args:
        backend: Keras's.
        gpu: whether the backend sees a GPU.
        texts: how many it is going to read.

    Raises:
        UsageError: the packed one was asked for and is not possible here.
    """
    if settings.lstm == "keras":
        return Choice("keras", "as asked for")
    obstacle = _obstacle(settings, backend, gpu)
    positions = texts * settings.maxlen
    if obstacle is None and settings.lstm == "auto" and positions < WORTH:
        return Choice(
            "keras",
            f"so few positions ({positions:,}) do not pay for loading the packed one (from "
            f"{WORTH:,} on)",
        )
    if obstacle is None:
        padding = "" if settings.mask_zero else ", and the padding once for all texts of a batch"
        return Choice("packed", f"tokens alone are computed{padding}")
    if settings.lstm == "packed":
        raise UsageError(
            f"--lstm packed is not possible here: {obstacle}; leave it out, or --lstm keras"
        )
    return Choice("keras", obstacle)


def _obstacle(settings: TrainSettings, backend: str, gpu: bool) -> str | None:
    """Return what stands in the way of the packed LSTM; None where nothing does."""
    if backend != "tensorflow":
        return f"the packed one runs under TensorFlow, and this is {backend}"
    if gpu:
        return "the packed one is for processors, and there is a GPU"
    if settings.dropout:
        return "the packed one has no dropout"
    if settings.shards != 1:
        return "the packed one computes a batch in one piece"
    if importlib.util.find_spec(LIBRARY) is None:
        return f"the packed one needs {LIBRARY}, which is not installed (pip install {LIBRARY})"
    return None
