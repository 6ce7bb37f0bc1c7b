"""Measure an epoch by several processes on this machine against one process, all in turn.

    python -m tests.benchmarks.processes imdb.npz [--runs N] [--limit N]

Prints the seconds of an epoch after the first, in which JAX compiles; evaluating is not counted. On
one machine the processes share its cores: what it shows is what sharing costs, not what machines
gain.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile

from tests.benchmarks.__main__ import OURS
from tests.benchmarks.training import output

KINDS = {
    "TensorFlow, Keras's LSTM": ["--backend", "tensorflow", "--lstm", "keras"],
    "TensorFlow, packed LSTM": ["--backend", "tensorflow", "--lstm", "packed"],
    "JAX": ["--backend", "jax"],
    "JAX, 2 shards, 1 process": ["--shards", "2", "--processes", "1"],
    "JAX, 2 shards, 2 processes": ["--shards", "2", "--processes", "2"],
    "JAX, 4 shards, 4 processes": ["--shards", "4", "--processes", "4"],
}


def seconds(imdb: str, limit: int, options: list[str], batch_size: int) -> float:
    """Return the seconds of the second epoch, which compiles nothing."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *[*OURS, "train", "imdb", "--data", imdb, "--out", f"{folder}/run", "--json"],
            *["--limit", str(limit), "--epochs", "2", "--batch-size", str(batch_size), *options],
        ]
        return float(json.loads(output(command))["history"][1]["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("imdb")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=int, default=1600)
    parser.add_argument("--batch-sizes", type=int, nargs="*", default=[64, 128])
    options = parser.parse_args()
    for batch_size in options.batch_sizes:
        times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(options.runs):
            for kind, more in KINDS.items():
                times[kind].append(seconds(options.imdb, options.limit, more, batch_size))
        rival = statistics.median(times["JAX"])
        print(f"batches of {batch_size}")
        for kind, measured in times.items():
            median = statistics.median(measured)
            batches = -(-options.limit // batch_size)
            print(
                f"  {kind:28} {1000 * median / batches:6.0f} ms a batch "
                f"({median:.1f} s, {min(measured):.1f} to {max(measured):.1f}), "
                f"{rival / median:.2f} times as fast as JAX"
            )


if __name__ == "__main__":
    main()
