"""Measure `evaluate` against gensim on the same vectors and the questions that come with gensim.

    python -m tests.benchmarks.evaluations path/to/glove.6B.50d.txt [--runs N]

Both are whole processes, loading included; gensim reads the text anew, and so does ours but for the
line that says otherwise. What they count as right must be equal.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import gensim

from tests.benchmarks.__main__ import OURS, peak

QUESTIONS = Path(gensim.__file__).parent / "test" / "test_data" / "questions-words.txt"
RIVAL = """
import json, sys
from gensim.models import KeyedVectors
vectors = KeyedVectors.load_word2vec_format(sys.argv[1], binary=False, no_header=True)
_, sections = vectors.evaluate_word_analogies(sys.argv[2], restrict_vocab=len(vectors))
print(json.dumps([[len(s["correct"]), len(s["correct"]) + len(s["incorrect"])] for s in sections]))
"""


def timed(command: list[str]) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vectors")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    ours = [*OURS, "evaluate", options.vectors, str(QUESTIONS), "--json"]
    theirs = [sys.executable, "-c", RIVAL, options.vectors, str(QUESTIONS)]
    times: dict[str, list[float]] = {"kept": [], "anew": [], "gensim": []}
    timed(ours)  # keeps the vectors for the next time
    for _ in range(options.runs):
        for name, command in (("kept", ours), ("anew", [*ours, "--no-cache"]), ("gensim", theirs)):
            seconds, text = timed(command)
            times[name].append(seconds)
            if name == "gensim":
                counts = [tuple(pair) for pair in json.loads(text)]
            else:
                results = json.loads(text)["results"]
                own = [(item["correct"], item["counted"]) for item in results]
        assert counts == own, "the counts differ"
    middle = {name: statistics.median(values) for name, values in times.items()}
    print(f"equal counts in {len(own)} sections: {own[-1][0]:,} of {own[-1][1]:,} in total")
    print(f"gensim, loading included {middle['gensim']:8.1f} s")
    for name, label in (("anew", "evaluate --no-cache"), ("kept", "evaluate, vectors kept")):
        ratio = middle["gensim"] / middle[name]
        print(f"{label:24} {middle[name]:8.1f} s   gensim takes {ratio:4.1f} times as long")
    print(f"{'peak memory':24} {peak(ours):8.0f} MB")


if __name__ == "__main__":
    main()
