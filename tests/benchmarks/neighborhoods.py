"""Measure what needs the neighbors of many rows against scikit-learn, and CSLS against NumPy.

    python -m tests.benchmarks.neighborhoods [--rows N] [--width N] [--runs N]

The rows are drawn around a few thousand middles. What both sides answer must be equal: counts of
k-occurrence, but for rows that float32 cannot tell apart, and the nearest rows by CSLS.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from embedinspect.analysis.csls import K, LocalScaling
from embedinspect.analysis.hubs import occurrences
from embedinspect.analysis.nearest import Searcher
from tests.builders import source_of


def drawn(count: int, width: int) -> Any:
    draws = np.random.RandomState(0)
    middles = draws.standard_normal((2000, width))[draws.randint(2000, size=count)]
    noise = 0.7 * draws.standard_normal((count, width))
    return (middles * draws.gamma(2, 0.5, (count, 1)) + noise + 0.3).astype(np.float32)


def counts_by_scikit_learn(rows: Any) -> Any:
    """Return how often each row is among the nearest of others; its cosines are of unit rows."""
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    found = NearestNeighbors(n_neighbors=K + 1, algorithm="brute", metric="cosine").fit(units)
    nearest = found.kneighbors(units, return_distance=False)
    others = [row[row != number][:K] for number, row in enumerate(nearest)]
    return np.bincount(np.concatenate(others), minlength=len(rows))


def csls_by_numpy(rows: Any, asked: int, top: int) -> Any:
    """Return the nearest rows by CSLS as its formula has it: every row is measured."""
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    means = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), 1024):
        cosines = units[start : start + 1024] @ units.T
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -2
        means[start : start + 1024] = np.partition(cosines, -K, axis=1)[:, -K:].mean(axis=1)
    scores = 2 * (units @ units[asked]) - means
    scores[asked] = -np.inf
    return np.argsort(-scores, kind="stable")[:top]


def csls_by_ours(rows: Any, lengths: Any, asked: int, top: int) -> Any:
    return LocalScaling(Searcher(rows, lengths)).nearest(rows[asked], top, [asked]).rows


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    answer = work()
    return time.perf_counter() - start, answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--width", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    rows = drawn(options.rows, options.width)
    source = source_of(rows)
    lengths = source.lengths()
    pairs = {
        "k-occurrence of all rows, scikit-learn": (
            lambda: occurrences(source, work=None).counts,  # type: ignore[union-attr]
            lambda: counts_by_scikit_learn(rows),
        ),
        "one question by CSLS, NumPy": (
            lambda: csls_by_ours(rows, lengths, 7, 10),
            lambda: csls_by_numpy(rows, 7, 10),
        ),
    }
    for name, (ours, theirs) in pairs.items():
        ratios, unequal = [], 0
        for _ in range(options.runs):
            (own, answer), (other, expected) = timed(ours), timed(theirs)
            ratios.append(other / own)
            unequal = int((answer != expected).sum())
        print(f"{name:40} takes {statistics.median(ratios):6.1f} times as long; {unequal} differ")


if __name__ == "__main__":
    main()
