"""Measure the packed LSTM against Keras's in one process, step for step and in evaluation.

    python -m tests.benchmarks.lstm imdb.npz [--steps N]

Prints the time of a training step for other numbers of units, lengths and sizes of batches, as
medians of steps that take turns, and that of the evaluation of all test reviews.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
CLASSIC = {"units": 100, "maxlen": 500, "batch_size": 64}
OTHERS = {"units": (32, 256), "maxlen": (100, 2000), "batch_size": (32, 256)}


def timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def models(keras: Any, settings: dict[str, Any]) -> tuple[Any, list[Any]]:
    from embedinspect.training import classifier
    from embedinspect.training.settings import TrainSettings

    both = [TrainSettings(**settings, lstm=lstm) for lstm in ("keras", "packed")]
    return both[0], [classifier.build(keras, one) for one in both]


def step(keras: Any, part: Any, steps: int, settings: dict[str, Any]) -> None:
    from embedinspect.training import batches

    chosen, both = models(keras, settings)
    data = batches.dataset(keras, part, chosen, 1)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(steps + 2):
        ids, labels = data[number]
        for model, its in zip(both, times, strict=True):
            its.append(timed(partial(model.train_on_batch, ids, labels)))
    keras_ms, packed_ms = (1e3 * statistics.median(its[2:]) for its in times)
    label = ", ".join(f"{name} {value}" for name, value in settings.items())
    print(f"{label:52} {keras_ms:8.1f} {packed_ms:8.1f} ms, {keras_ms / packed_ms:5.2f} times")


def evaluation(keras: Any, part: Any, runs: int, **settings: Any) -> None:
    from embedinspect.training import batches, recorder

    chosen, (plain, packed) = models(keras, {**CLASSIC, **settings})
    whole = batches.padded(part, batches.Batch(np.arange(len(part)), chosen.maxlen), chosen)
    labels = part.labels.astype(np.float32)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        times[0].append(timed(lambda: plain.evaluate(whole, labels, batch_size=256, verbose=0)))
        times[1].append(timed(lambda: recorder.evaluate(keras, packed, part, chosen)))
    first, second = map(statistics.median, times)
    label = f"{len(part):,} reviews evaluated {settings or ''}"
    print(f"{label:52} {first:8.2f} {second:8.2f} s,  {first / second:5.2f} times")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("imdb")
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    import keras

    from embedinspect.training import datasets

    data = datasets.open_data("imdb", options.imdb, num_words=5000, seed=0)
    print(f"{'':52} {'Keras':>8} {'packed':>8}")
    for mask in (False, True):
        for settings in (
            CLASSIC,
            *({**CLASSIC, name: value} for name, values in OTHERS.items() for value in values),
        ):
            step(keras, data.train, options.steps, {**settings, "mask_zero": mask})
    evaluation(keras, data.test, options.runs)
    evaluation(keras, data.test, options.runs, mask_zero=True)


if __name__ == "__main__":
    main()
