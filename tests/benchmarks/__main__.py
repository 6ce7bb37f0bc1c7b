"""Measure what the project promises about speed, and print medians and ratios.

    python -m tests.benchmarks [--runs N] [--imdb imdb.npz --word-index imdb_word_index.json]

Both sides of a pair run in turn in the same run, so that a busy machine slows both alike.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
SHOW = ["show", "This is a text", "This is not a text", "--num-words", "10", "--maxlen", "6"]
OURS = [str(Path(sys.executable).parent / "embedinspect")]


def rival(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(HERE / f"rival_{name}.py"), *arguments]


def whole(command: Sequence[str]) -> float:
    """Return the seconds that a whole process takes."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def until(command: Sequence[str], mark: bytes) -> float:
    """Return the seconds until `mark` has been read from a process's stdout."""
    start = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    ) as process:
        seen = b""
        assert process.stdout is not None
        while mark not in seen:
            part = process.stdout.read(65536)
            if not part:
                raise SystemExit(f"{command[0]} ended without {mark!r}")
            seen += part
        seconds = time.perf_counter() - start
        process.stdout.read()
    return seconds


def peak(command: Sequence[str]) -> float:
    """Return the peak memory of a process in MB, measured in a child that runs only it."""
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=True
    )
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return int(done.stdout) * unit / 1e6


def compare(
    name: str, ours: Callable[[], float], theirs: Callable[[], float], runs: int, bound: str
) -> None:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        times[0].append(ours())
        times[1].append(theirs())
    mine, other = map(statistics.median, times)
    ratio = statistics.median(a / b for a, b in zip(*times, strict=True))
    print(f"{name:44} {mine:8.3f} s {other:8.3f} s   ratio {ratio:5.2f}   wanted {bound}")


def tokenizing(imdb: str, word_index: str, runs: int) -> None:
    """Compare tokenizing and padding of the 25,000 training reviews, as text."""
    import numpy as np

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from tensorflow import keras
    from tensorflow.keras.preprocessing.text import Tokenizer

    from embedinspect.sequences import pad
    from embedinspect.vocabulary import fit

    words = {id_: word for word, id_ in json.loads(Path(word_index).read_text()).items()}
    with np.load(imdb, allow_pickle=True) as data:  # a file that whoever measures trusts
        texts = [" ".join(words[id_] for id_ in review) for review in data["x_train"]]

    found = {}

    def ours() -> float:
        start = time.perf_counter()
        _, ids = fit(texts, num_words=5000, count_documents=False)
        found["ours"] = pad(ids, 500)
        return time.perf_counter() - start

    def theirs() -> float:
        start = time.perf_counter()
        tokenizer = Tokenizer(num_words=5000)
        tokenizer.fit_on_texts(texts)
        ids = tokenizer.texts_to_sequences(texts)
        found["theirs"] = keras.utils.pad_sequences(ids, 500)
        return time.perf_counter() - start

    compare("25,000 reviews: tokenize and pad / Keras", ours, theirs, runs, "<= 0.67")
    assert (found["ours"] == found["theirs"]).all()
    print(f"{'':44} identical ids: {found['ours'].shape}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--imdb")
    parser.add_argument("--word-index")
    options = parser.parse_args()
    runs = options.runs
    shown, bare = [*OURS, *SHOW], [*OURS, *SHOW, "--no-keras"]
    whole(shown), whole(rival("keras"))  # the first run of each reads its files from the disk
    print(f"{'medians of ' + str(runs):44} {'ours':>10} {'rival':>10}")
    mark = b"not zeros"  # the end of the last line before Keras
    compare(
        "show: tables complete / Keras script",
        lambda: until(shown, mark),
        lambda: whole(rival("keras")),
        runs,
        "<= 0.10",
    )
    compare(
        "show: whole / Keras script",
        lambda: whole(shown),
        lambda: whole(rival("keras")),
        runs,
        "<= 0.75",
    )
    compare(
        "show --no-keras / NumPy with typer and rich",
        lambda: whole(bare),
        lambda: whole(rival("numpy", "This is a text", "This is not a text")),
        2 * runs,
        "<= 1.6",
    )
    compare(
        "--help / empty Typer app",
        lambda: whole([*OURS, "--help"]),
        lambda: whole(rival("typer", "--help")),
        2 * runs,
        "<= 1.5",
    )
    print(f"{'show --no-keras: peak memory':44} {peak(bare):8.1f} MB   wanted < 60")
    if options.imdb and options.word_index:
        tokenizing(options.imdb, options.word_index, runs)


if __name__ == "__main__":
    main()
