"""Opening word vectors and asking for neighbors, against gensim in the same run.

    python -m tests.benchmarks.sources path/to/glove.6B.50d.txt [--large]

`--large` adds questions to 3,000,000 x 300 drawn numbers (3.6 GB, some minutes).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

OURS = """
import resource, sys, time
from embedinspect.formats import open_file
from embedinspect.formats.contents import ReadOptions
import numpy, pyarrow.compute
start = time.perf_counter()
found = open_file(sys.argv[1], ReadOptions(cache=sys.argv[2] == "cache"))
took = time.perf_counter() - start
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, found.rows.nbytes)
"""
GENSIM = """
import resource, sys, time
from gensim.models import KeyedVectors
start = time.perf_counter()
found = KeyedVectors.load_word2vec_format(sys.argv[1], no_header=True)
took = time.perf_counter() - start
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, found.vectors.nbytes)
"""


def timed(code: str, *arguments: str) -> tuple[float, float, float]:
    """Return seconds, peak bytes and bytes of the matrix, as a fresh process prints them."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    took, peak, size = map(float, done.stdout.split())
    return took, peak, size


def command(*arguments: str) -> float:
    """Return the seconds that a whole command takes."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "embedinspect", *arguments],
        capture_output=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def say(what: str, ours: list[float], rival: list[float], wanted: str) -> None:
    mine, other = statistics.median(ours), statistics.median(rival)
    print(
        f"{what}: ours {mine:.4f} s, rival {other:.4f} s, {other / mine:.1f} times as fast "
        f"(wanted {wanted})",
        flush=True,
    )


def opening(path: str, runs: int) -> None:
    first: list[float] = []
    again: list[float] = []
    rival: list[float] = []
    peak = size = 0.0
    timed(OURS, path, "cache")
    for _ in range(runs):
        took, peak, size = timed(OURS, path, "none")
        first.append(took)
        again.append(timed(OURS, path, "cache")[0])
        rival.append(timed(GENSIM, path)[0])
    say("first opening against gensim", first, rival, "20 times")
    print(f"  peak memory {peak / size:.2f} times the matrix of {size / 1e6:.0f} MB (wanted 4)")
    say("opening again against gensim", again, rival, "100 times, and 0.1 s")
    whole = [command("neighbors", path, "king") for _ in range(7)]
    print(f"neighbors of one word, whole command: {statistics.median(whole):.3f} s (wanted 0.5)")


def keras_files(runs: int) -> None:
    from embedinspect import keras_layer

    keras = keras_layer.load("tensorflow")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.keras")
        layers = keras.layers
        model = keras.Sequential(
            [keras.Input((500,), dtype="int32"), layers.Embedding(5000, 32), layers.LSTM(100)]
        )
        model.save(path)
        for arguments in (["info", path], ["rows", path, "#1", "#2"]):
            took = [command(*arguments) for _ in range(runs)]
            print(f"{arguments[0]} on .keras: {statistics.median(took):.3f} s (wanted 0.4)")


def queries(rows: np.ndarray, words: list[str], rival_queries: int) -> None:
    from gensim.models import KeyedVectors

    from embedinspect.analysis.nearest import Searcher
    from embedinspect.matrix import norms_of

    shape = f"{len(rows):,} x {rows.shape[1]}"
    searcher = Searcher(rows, norms_of(rows))
    flat = rows.ravel()
    cores = os.cpu_count() or 1
    parts = np.array_split(flat, cores)
    bandwidth, one = [], []
    for number in range(15):  # a dot product with itself reads every number once
        with ThreadPoolExecutor(cores) as pool:
            start = time.perf_counter()
            list(pool.map(lambda part: np.dot(part, part), parts))
            bandwidth.append(time.perf_counter() - start)
        start = time.perf_counter()
        searcher.nearest(rows[number], 10, [number])
        one.append(time.perf_counter() - start)
    ratio = statistics.median(one) / statistics.median(bandwidth)
    print(f"one query on {shape}: {ratio:.2f} times the time to read the matrix (wanted 2)")
    vectors = KeyedVectors(rows.shape[1])
    vectors.vectors, vectors.index_to_key = rows, words
    vectors.key_to_index = {word: row for row, word in enumerate(words)}
    vectors.fill_norms()
    asked = np.linspace(0, len(rows) - 1, 1000).astype(int)
    start = time.perf_counter()
    found = searcher.nearest_of_many(rows[asked], 10, [[row] for row in asked.tolist()])
    ours = time.perf_counter() - start
    vectors.most_similar(words[0])
    start = time.perf_counter()
    same = 0
    for place in range(0, 1000, 1000 // rival_queries):
        theirs = [word for word, _ in vectors.most_similar(words[asked[place]], topn=10)]
        same += theirs == [words[row] for row in found[place].rows.tolist()]
    rival = (time.perf_counter() - start) * 1000 / rival_queries
    say(f"1,000 queries on {shape}", [ours], [rival], "3 times")
    print(f"  gensim was asked {rival_queries} of them; {same} answers are the same, in order")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("glove")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EMBEDINSPECT_CACHE"] = folder
        opening(given.glove, given.runs)
        keras_files(given.runs)
        from embedinspect.formats import open_file

        found = open_file(given.glove)
        assert found.words is not None
        queries(np.array(found.rows), [str(word) for word in found.words], 200)
    if given.large:
        rows = np.random.default_rng(0).standard_normal((3_000_000, 300), np.float32)
        queries(rows, [f"w{row}" for row in range(len(rows))], 20)


if __name__ == "__main__":
    main()
