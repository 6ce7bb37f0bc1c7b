"""A model of fastText of a realistic size: its words and one question, from the command line.

    python -m tests.benchmarks.fasttext_model [--words 2000000] [--dim 100] [--gensim]

The model is made in a folder that is removed again: words of random letters, drawn rows, as many
buckets of n-grams as words. `--gensim` loads it with gensim, too, which takes minutes and memory.
"""

from __future__ import annotations

import argparse
import struct
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

LETTERS = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
COMMAND = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run([sys.executable, "-m", "embedinspect", *sys.argv[1:]], stdout=subprocess.DEVNULL)
took = time.perf_counter() - start
print(took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""
GENSIM = """
import resource, sys, time
from gensim.models.fasttext import load_facebook_vectors
start = time.perf_counter()
load_facebook_vectors(sys.argv[1])
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def words(count: int) -> list[str]:
    """Return so many words of three to thirteen letters, all different."""
    chance, made = np.random.default_rng(0), set[str]()
    while len(made) < count:
        ends = np.cumsum(chance.integers(3, 14, 100_000))
        letters = "".join(chance.choice(LETTERS, int(ends[-1])))
        made.update(letters[start:end] for start, end in pairwise(ends))
    return list(made)[:count]


def write(path: Path, count: int, dim: int) -> list[str]:
    """Write a model of so many words, and as many buckets; return some of the words."""
    chance, made = np.random.default_rng(1), words(count)
    with path.open("wb") as file:
        arguments = (dim, 5, 5, 5, 5, 1, 2, 2, count, 3, 6, 100, 1e-4)
        file.write(struct.pack("<2i12id", 793712314, 12, *arguments))
        file.write(struct.pack("<3i2q", count, count, 0, 10**9, -1))
        file.write(b"".join(word.encode() + b"\0" + struct.pack("<qb", 9, 0) for word in made))
        file.write(struct.pack("<?2q", False, 2 * count, dim))
        for start in range(0, 2 * count, 50_000):
            rows = min(50_000, 2 * count - start)
            file.write(chance.standard_normal((rows, dim), np.float32).tobytes())
        file.write(struct.pack("<?2q", False, count, dim))
        file.truncate(file.tell() + 4 * dim * count)
    return made[:: count // 3]


def measured(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    took, peak = map(float, done.stdout.split())
    return f"{took:.2f} s, {peak / 2**30:.2f} GB at the peak"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=2_000_000)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--gensim", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.bin"
        start = time.perf_counter()
        known = write(path, chosen.words, chosen.dim)
        size = path.stat().st_size / 2**30
        print(f"made {size:.1f} GB in {time.perf_counter() - start:.0f} s", flush=True)
        for what, command in (
            ("rows of a word", ("rows", str(path), known[1])),
            ("rows of an unseen word", ("rows", str(path), "unseenword")),
            ("neighbors of a word", ("neighbors", str(path), known[1])),
            ("neighbors of an unseen word", ("neighbors", str(path), "unseenword")),
        ):
            print(f"{what}: {measured(COMMAND, *command)}", flush=True)
        if chosen.gensim:
            print(f"gensim loads it: {measured(GENSIM, str(path))}")


if __name__ == "__main__":
    main()
