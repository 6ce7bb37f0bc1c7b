"""Measure what sharing the rows of a large matrix saves: the peak memory of each process.

    python -m tests.benchmarks.shared_rows imdb.npz [--rows N] [--output-dim N] [--limit N]

One process that holds all rows, on TensorFlow and on JAX, against two and four that share them, by
the same batches. Linux alone says what the peak of a process that goes on was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

from tests.benchmarks.__main__ import OURS

KINDS = {
    "TensorFlow, one process": ["--backend", "tensorflow"],
    "JAX, one process": ["--backend", "jax"],
    "JAX, 2 processes": ["--shard-rows", "--processes", "2"],
    "JAX, 4 processes": ["--shard-rows", "--processes", "4"],
}
SECONDS_BETWEEN_LOOKS = 0.05


def descendants(process: int) -> list[int]:
    """Return a process and all that it has started."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    try:
        children = [int(child) for task in tasks for child in task.read_text().split()]
    except OSError:
        children = []
    return [process, *(number for child in children for number in descendants(child))]


def peak_of(process: int) -> int:
    """Return the most memory that a process has had so far, in bytes; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def peaks(command: list[str]) -> tuple[list[int], bytes]:
    """Run a command; return the peak of each of its processes, largest first, and its stdout."""
    with tempfile.TemporaryFile() as out:
        running = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        found: dict[int, int] = {}
        while running.poll() is None:
            for process in descendants(running.pid):
                found[process] = max(found.get(process, 0), peak_of(process))
            time.sleep(SECONDS_BETWEEN_LOOKS)
        if running.returncode:
            raise SystemExit(f"{command} ended with {running.returncode}")
        out.seek(0)
        return sorted(found.values(), reverse=True), out.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("imdb")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--output-dim", type=int, default=128)
    parser.add_argument("--limit", type=int, default=320)
    options = parser.parse_args()
    table = 4 * options.rows * options.output_dim / 2**20
    print(f"{options.rows:,} x {options.output_dim}: {table:,.0f} MiB, three times with Adam")
    for kind, more in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            command = [
                *[*OURS, "train", "imdb", "--data", options.imdb, "--out", f"{folder}/run"],
                *["--num-words", str(options.rows), "--output-dim", str(options.output_dim)],
                *["--limit", str(options.limit), "--maxlen", "200", "--epochs", "2", "--json"],
            ]
            found, answer = peaks([*command, *more])
        trained = found[: int(more[-1])] if "--processes" in more else found[:1]
        listed = ", ".join(f"{size / 2**20:,.0f}" for size in trained)
        seconds = json.loads(answer)["history"][1]["seconds"]
        print(f"  {kind:26} peak of each {listed} MiB; second epoch {seconds:.1f} s")


if __name__ == "__main__":
    main()
