"""What each command takes of a table that is larger than memory may be, beside plain NumPy.

    python -m tests.benchmarks.large_tables [--rows 10000000 --width 300] [--dense] [--seconds 60]
        [--only neighbors info ...] [--folder FOLDER]

The table is a `.npy` file of float32 under a temporary folder (or FOLDER). It is sparse: in every
hundred thousand rows a hundred are drawn, the rest are zeros that take no room on the disk; with
`--dense`, all are drawn. Printed are seconds, those of the processors (on a busy machine the better
figure, with OPENBLAS_NUM_THREADS=1: its threads wait for each other), and the peak of the process's
own memory (RssAnon of Linux): pages of the mapped file are the system's, which takes them back when
it needs the room. The rivals are scripts of `numpy.load(..., mmap_mode="r")` that work in blocks,
too, with the answer that a few lines give: gensim would need all rows in memory. What takes longer
than `--seconds` is interrupted as by Ctrl-C, and its memory so far is printed: `duplicates` of ten
million rows compares 5 x 10**13 pairs.
"""

from __future__ import annotations

import argparse
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

BLOCK = 100_000
LOAD = """
import sys
import numpy as np
rows = np.load(sys.argv[1], mmap_mode="r")
step = max(1, 2**22 // rows.shape[1])
parts = range(0, len(rows), step)
lengths = np.concatenate([np.linalg.norm(rows[at : at + step], axis=1) for at in parts])
"""
NEIGHBORS = f"""{LOAD}
scores = np.concatenate([rows[at : at + step] @ rows[5] for at in parts])
with np.errstate(invalid="ignore", divide="ignore"):
    scores = np.nan_to_num(scores / (lengths * lengths[5]), nan=-1)
best = np.argpartition(-scores, 11)[:11]
print(best[np.argsort(-scores[best])][1:])
"""
INFO = f"""{LOAD}
total, products = np.zeros(rows.shape[1]), np.zeros((rows.shape[1],) * 2)
for at in parts:
    part = rows[at : at + step].astype(np.float64)
    total += part.sum(axis=0)
    products += part.T @ part
mean = total / len(rows)
values = np.sqrt(np.maximum(np.linalg.eigvalsh(products - len(rows) * np.outer(mean, mean)), 1e-30))
shares = values / values.sum()
print(np.percentile(lengths, [0, 25, 50, 75, 100]), np.exp(-(shares * np.log(shares)).sum()))
hashes = [hash(row.tobytes()) for at in parts for row in rows[at : at + step]]
print(len(hashes) - len(np.unique(hashes)))
"""
DIFF = f"""{LOAD}
others = np.load(sys.argv[3], mmap_mode="r")
moved = np.concatenate(
    [np.linalg.norm(others[at : at + step] - rows[at : at + step], axis=1) for at in parts]
)
dots = np.concatenate(
    [np.einsum("ij,ij->i", others[at : at + step], rows[at : at + step]) for at in parts]
)
print(np.argsort(-moved, kind="stable")[:10], moved.mean(), dots.mean())
"""
ROWS = f"{LOAD}\nprint(np.argsort(-lengths, kind='stable')[:10])\n"
EXPORT = """
import sys
import numpy as np
rows = np.load(sys.argv[1], mmap_mode="r")
copy = np.lib.format.open_memmap(sys.argv[2], "w+", rows.dtype, rows.shape)
for at in range(0, len(rows), 10_000):
    copy[at : at + 10_000] = rows[at : at + 10_000]
copy.flush()
"""
PAIRS = "".join(f"word{at} word{at + 1} {at % 7}\n" for at in range(90))
ANALOGIES = ": made\n" + "".join(
    f"word{at} word{at + 1} word{at + 2} word3\n" for at in range(4, 90)
)


def make_table(path: Path, rows: int, width: int, *, dense: bool, moved: bool = False) -> None:
    """Write a table whose drawn rows are known, and beside it a word for each row.

    Args:
        moved: whether every drawn row stands a little off the place that it has otherwise.
    """
    draw, noise = np.random.default_rng(0), np.random.default_rng(1)
    with path.open("wb") as file:
        about = {"descr": "<f4", "fortran_order": False, "shape": (rows, width)}
        npy.write_array_header_1_0(file, about)
        begin = file.tell()
        for start in range(0, rows, BLOCK):
            file.seek(begin + start * width * 4)
            count = min(BLOCK if dense else 100, rows - start)
            drawn = draw.standard_normal((count, width), np.float32)
            if moved:
                drawn += 0.1 * noise.standard_normal((count, width), np.float32)
            file.write(drawn.data)
        file.truncate(begin + rows * width * 4)
    if moved:
        return
    with path.with_suffix(".txt").open("w") as words:
        for start in range(0, rows, BLOCK):
            words.writelines(f"word{row}\n" for row in range(start, min(start + BLOCK, rows)))


@dataclass(frozen=True)
class Cost:
    """What a process takes: seconds by the clock and of the processors, own bytes at the peak."""

    seconds: float
    busy: float
    peak: int
    ended: bool


def cost(command: list[str], most: float) -> Cost:
    """Run a process; interrupt it after so many seconds.

    The memory is looked at a hundred times a second.
    """
    start, peak, interrupted = time.perf_counter(), 0, False
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    with subprocess.Popen(command, stderr=subprocess.PIPE, **quiet) as process:  # type: ignore[call-overload]
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                continue
            if "RssAnon:" in status:
                peak = max(peak, 1024 * int(status.split("RssAnon:")[1].split()[0]))
            if not interrupted and time.perf_counter() - start > most:
                interrupted = True
                process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        error = process.stderr.read().decode()
    if not interrupted and process.returncode not in {0, 3}:  # 3 is what `doctor` says of findings
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {error}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - start, busy, peak, not interrupted)


def told(who: str, command: list[str], most: float) -> Cost:
    """Print what a process takes, and return it."""
    one = cost(command, most)
    how = "" if one.ended else ", interrupted"
    print(
        f"  {who:18} {one.seconds:8.1f} s {one.busy:8.1f} s of processors "
        f"{one.peak / 2**20:8,.0f} MiB{how}",
        flush=True,
    )
    return one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--width", type=int, default=300)
    parser.add_argument("--dense", action="store_true", help="draw all rows")
    parser.add_argument("--seconds", type=float, default=600, help="that a process may take")
    parser.add_argument("--only", nargs="+", help="names of commands")
    parser.add_argument("--folder", type=Path, help="where a table of an earlier run is kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        table = folder / "table.npy"
        if not table.exists():
            make_table(table, given.rows, given.width, dense=given.dense)
        other = table.with_name("moved.npy")
        if not other.exists():
            make_table(other, given.rows, given.width, dense=given.dense, moved=True)
        ask(table, Path(temporary), given.only, given.seconds)


def ask(table: Path, folder: Path, only: list[str] | None, most: float) -> None:
    (folder / "pairs.txt").write_text(PAIRS)
    (folder / "analogies.txt").write_text(ANALOGIES)
    words, path = ["--words", str(table.with_suffix(".txt"))], str(table)
    out, moved = str(folder / "copy.npy"), str(table.with_name("moved.npy"))
    questions: dict[str, tuple[list[str], str | None]] = {
        "neighbors": ([path, "#5"], NEIGHBORS),
        "info": ([path], INFO),
        "rows": ([path, "--sort", "-norm"], ROWS),
        "rows (of a length)": ([path, "--where", "norm>20", "--format", "csv"], None),
        "diff (no neighbors)": ([path, moved, "--neighbors", "0"], DIFF),
        "diff": ([path, moved], None),
        "export": ([path, out], EXPORT),
        "map": ([path, "--output", str(folder / "map.html")], None),
        "axis": ([path, "#7", "#8", "--low", "#1", "--high", "#2"], None),
        "doctor": ([path], None),
        "coverage": ([path, *words, "word5 word6 nothing"], None),
        "evaluate (pairs)": ([path, str(folder / "pairs.txt"), *words], None),
        "evaluate (analogies)": ([path, str(folder / "analogies.txt"), *words], None),
        "duplicates (of 50,000)": ([path, "--first", "50000"], None),
        "duplicates": ([path], None),
    }
    print(f"{path}: {table.stat().st_size / 1e9:.1f} GB")
    for name, (arguments, rival) in questions.items():
        if only and name not in only:
            continue
        print(name)
        command = name.partition(" ")[0]
        ours = told(
            "embedinspect", [sys.executable, "-m", "embedinspect", command, *arguments], most
        )
        Path(out).unlink(missing_ok=True)
        if rival is None:
            continue
        theirs = told("NumPy, in blocks", [sys.executable, "-c", rival, path, out, moved], most)
        Path(out).unlink(missing_ok=True)
        if ours.ended and theirs.ended:
            by_clock, by_work = ours.seconds / theirs.seconds, ours.busy / theirs.busy
            print(f"  {'ratio':18} {by_clock:8.2f}   {by_work:8.2f}", flush=True)


if __name__ == "__main__":
    main()
