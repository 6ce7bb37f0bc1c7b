"""Opening a large Parquet table, against pyarrow in the same run; then a query from the cache.

    python -m tests.benchmarks.tables [--rows 1000000] [--runs 5]

The tables (1.5 GB each by default) are made in a temporary folder and removed at the end: one as
`export` and DuckDB write them, in many groups of rows, and one in a single group, as pandas does.
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
import pyarrow as pa
from pyarrow import parquet

WIDTH = 384
# Not what getrusage says, which begins with the peak of the process that started this one.
PEAK = """
import re
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(took, int(peak[1]) * 1024, rows.nbytes)
"""
OURS = (
    """
import sys, time
from embedinspect.formats import open_file, parquet_file
from embedinspect.formats.contents import ReadOptions
start = time.perf_counter()
rows = open_file(sys.argv[1], ReadOptions(cache=False)).rows
took = time.perf_counter() - start
"""
    + PEAK
)
RIVAL = (
    """
import sys, time
import numpy as np
from pyarrow import parquet
start = time.perf_counter()
table = parquet.read_table(sys.argv[1])
first = 0
for chunk in table["vector"].chunks:
    part = chunk.flatten().to_numpy().reshape(len(chunk), -1)
    if not first:
        rows = np.empty((table.num_rows, part.shape[1]), np.float32)
    rows[first : first + len(part)] = part
    first += len(part)
took = time.perf_counter() - start
"""
    + PEAK
)


def write(path: Path, rows: int, at_once: int, group: int) -> None:
    """Write a table of drawn numbers, in groups of so many rows."""
    draw = np.random.default_rng(0)
    schema = pa.schema([("word", pa.string()), ("vector", pa.list_(pa.float32(), WIDTH))])
    with parquet.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, at_once):
            count = min(at_once, rows - first)
            numbers = pa.array(draw.standard_normal(count * WIDTH, np.float32))
            words = pa.array([f"w{row}" for row in range(first, first + count)])
            vectors = pa.FixedSizeListArray.from_arrays(numbers, WIDTH)
            table = pa.Table.from_arrays([words, vectors], schema=schema)
            writer.write_table(table, row_group_size=group)


def timed(code: str, path: Path) -> tuple[float, float]:
    """Return seconds, and the peak of memory as a multiple of the matrix, of a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    took, peak, size = map(float, done.stdout.split())
    return took, peak / size


def opening(path: Path, runs: int) -> None:
    ratios, mine, peaks = [], [], []
    for run in range(runs + 1):
        took, peak = timed(OURS, path)
        rival, rival_peak = timed(RIVAL, path)
        if run:  # the first has read the file from the disk
            ratios.append(took / rival)
            mine.append(took)
            peaks.append((peak, rival_peak))
    peak, rival_peak = map(statistics.median, zip(*peaks, strict=True))
    print(
        f"opening {path.name}: {statistics.median(mine):.2f} s, {statistics.median(ratios):.2f} "
        f"times pyarrow and a copy (wanted 1.3); peak memory {peak:.2f} times the matrix "
        f"(wanted 2.2; pyarrow {rival_peak:.2f})",
        flush=True,
    )


def query(path: Path, runs: int) -> None:
    """Say how long one query takes from the cache, against reading the mapped matrix once."""
    from embedinspect.analysis.nearest import Searcher
    from embedinspect.formats import open_file

    open_file(str(path))
    ratios, whole = [], []
    cores = os.cpu_count() or 1
    for run in range(runs + 1):
        contents = open_file(str(path))
        assert contents.norms is not None
        rows = np.asarray(contents.rows)
        parts = np.array_split(rows.ravel(), cores)
        with ThreadPoolExecutor(cores) as pool:
            start = time.perf_counter()
            # a dot product with itself reads every number once
            list(pool.map(lambda part: np.dot(part, part), parts))
            read = time.perf_counter() - start
        contents = open_file(str(path))
        assert contents.norms is not None
        start = time.perf_counter()
        Searcher(contents.rows, contents.norms).nearest(np.array(contents.rows[run]), 10, [run])
        took = time.perf_counter() - start
        start = time.perf_counter()
        command = ["-m", "embedinspect", "neighbors", str(path), f"w{run}"]
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        if run:
            ratios.append(took / read)
            whole.append(time.perf_counter() - start)
    print(
        f"a query from the cache: {statistics.median(ratios):.2f} times the time to read the "
        f"matrix (wanted 1.2); the whole command {statistics.median(whole):.2f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EMBEDINSPECT_CACHE"] = str(Path(folder) / "cache")
        groups, single = Path(folder) / "groups.parquet", Path(folder) / "single.parquet"
        write(groups, given.rows, 100_000, 10_922)
        opening(groups, given.runs)
        query(groups, given.runs)
        groups.unlink()
        write(single, given.rows, given.rows, given.rows)
        opening(single, given.runs)


if __name__ == "__main__":
    main()
