"""A map of 400,000 x 50 word vectors, against NumPy and scikit-learn on an array of the same rows.

    python -m tests.benchmarks.maps path/to/glove.6B.50d.txt [--runs 5]

The rival is a process of its own, too: it loads the rows from a .npy file, which is faster than
any text, fits a PCA, and projects all rows; it draws nothing. It computes in float32.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RIVAL = """
import sys
import numpy as np
from sklearn.decomposition import PCA
rows = np.load(sys.argv[1])
made = PCA(2).fit(rows)
print(made.explained_variance_ratio_, made.transform(rows).shape)
"""


def seconds(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], capture_output=True, check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("vectors")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    from embedinspect.source import open_source

    rows = open_source(given.vectors).matrix.rows  # and it is in the cache from now on
    with tempfile.TemporaryDirectory() as folder:
        array = Path(folder) / "rows.npy"
        np.save(array, np.asarray(rows))
        for first in ("5000", str(len(rows))):
            mine, ratios = [], []
            for run in range(given.runs + 1):
                ours = seconds("-m", "embedinspect", "map", given.vectors, "--first", first)
                theirs = seconds("-c", RIVAL, str(array))
                if run:  # the first has read the files from the disk
                    mine.append(ours)
                    ratios.append(ours / theirs)
            print(
                f"map of {int(first):,} of {len(rows):,} rows, the whole command: "
                f"{statistics.median(mine):.2f} s (wanted 2), {statistics.median(ratios):.2f} "
                "times loading all rows and scikit-learn's PCA",
                flush=True,
            )


if __name__ == "__main__":
    main()
