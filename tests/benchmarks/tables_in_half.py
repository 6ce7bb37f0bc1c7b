"""Questions to large tables in half precision and to mid-sized ones, against plain NumPy.

    python -m tests.benchmarks.tables_in_half [--rows 128256 --width 4096] [--table FILE --tensor T]
        [--runs 3] [--against CHECKOUT]

The large table is made under a temporary folder: bfloat16, normal numbers of some structure. The
rival of `neighbors` and `rows` loads the tensor with `safetensors` as float32, and sorts the
products with one row; that of `info` computes lengths and singular values of the same table in
float32. Each is a whole process, and all of a kind run in turn. `--against` runs another checkout
of this project beside them, too. Memory is the peak of the process, mapped pages included, by the
size of the file.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

LOAD = """
import sys, numpy as np
from safetensors import safe_open
import ml_dtypes
with safe_open(sys.argv[1], "np") as file:
    name = sys.argv[2] if len(sys.argv) > 2 else next(iter(file.keys()))
    rows = file.get_tensor(name).astype(np.float32)
"""
NEIGHBORS = f"""{LOAD}
lengths = np.linalg.norm(rows, axis=1)
scores = rows @ rows[5] / (lengths * lengths[5])
print(np.argsort(-scores)[1:11])
"""
ROWS = f"{LOAD}\nprint(rows[5])\n"
INFO = f"""{LOAD}
lengths = np.linalg.norm(rows, axis=1)
print(np.percentile(lengths, [0, 25, 50, 75, 100]))
rows -= rows.mean(axis=0)
values = np.sqrt(np.maximum(np.linalg.eigvalsh((rows.T @ rows).astype(np.float64)), 1e-30))
shares = values / values.sum()
print(np.exp(-(shares * np.log(shares)).sum()))
"""


@dataclass(frozen=True)
class Cost:
    """What a process takes: seconds by the clock, seconds of the processors, peak bytes."""

    seconds: float
    busy: float
    peak: float


def cost(command: list[str], folder: str | None = None) -> Cost:
    """Run a process of its own for each measurement, as a peak is that of all children so far."""
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss, done.returncode)"
    )
    environment = dict(os.environ) | ({"PYTHONPATH": folder} if folder is not None else {})
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        capture_output=True, text=True, check=True, env=environment, cwd=folder,
    )  # fmt: skip
    seconds = perf_counter() - start
    busy, peak, returned = done.stdout.split()
    if returned not in {"0", "3"}:  # 3 is what `doctor` says where it finds something
        raise SystemExit(f"{command} ended with {returned}: {done.stderr}")
    return Cost(seconds, float(busy), float(peak) * (1 if sys.platform == "darwin" else 1024))


def make_table(path: Path, count: int, width: int) -> None:
    """Write a table of bfloat16: noise, 64 directions that are stronger, lengths that differ."""
    random = np.random.default_rng(0)
    shape = {"dtype": "BF16", "shape": [count, width], "data_offsets": [0, 2 * count * width]}
    header = json.dumps({"embed_tokens.weight": shape}).encode()
    header += b" " * (-len(header) % 8)
    strong = random.standard_normal((64, width), np.float32) * np.float32(0.003)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for start in range(0, count, 4096):
            size = min(4096, count - start)
            part = random.standard_normal((size, width), np.float32) * np.float32(0.01)
            part += random.standard_normal((size, 64), np.float32) @ strong
            part *= random.uniform(0.6, 1.4, (size, 1)).astype(np.float32)
            file.write((part.view(np.uint32) >> 16).astype(np.uint16).tobytes())


def compare(
    question: list[str], rival: list[str] | None, size: int, runs: int, against: str | None
) -> None:
    """Print medians of a command, of its rival, and of the command in another checkout."""
    ours, theirs, others = [], [], []
    command = [sys.executable, "-m", "embedinspect", *question]
    here = str(Path(__file__).parents[2])
    for _ in range(runs):
        ours.append(cost(command, here))
        if rival is not None:
            theirs.append(cost(rival))
        if against is not None:
            others.append(cost(command, against))
    print(question[0])
    for who, costs in (("this checkout", ours), ("NumPy", theirs), ("the other checkout", others)):
        if not costs:
            continue
        seconds, busy, peak = (
            statistics.median(getattr(one, name) for one in costs)
            for name in ("seconds", "busy", "peak")
        )
        ratio = seconds / statistics.median(one.seconds for one in ours)
        print(
            f"  {who:20} {seconds:8.2f} s {busy:8.2f} s of processors {peak / size:6.2f} x the "
            f"file  {ratio:5.2f} times as long",
            flush=True,
        )


def ask(path: Path, tensor: str | None, runs: int, against: str | None, *, doctor: bool) -> None:
    size = path.stat().st_size
    print(f"{path.name}: {size / 1e6:,.0f} MB; medians of {runs}")
    named = [] if tensor is None else [tensor]
    picked = [] if tensor is None else ["--tensor", tensor]
    for name, more, code in (
        ("rows", ["#5"], ROWS), ("neighbors", ["#5"], NEIGHBORS), ("info", [], INFO),
    ):  # fmt: skip
        rival = [sys.executable, "-c", code, str(path), *named]
        compare([name, str(path), *more, *picked], rival, size, runs, against)
    if doctor:
        compare(["doctor", str(path), *picked], None, size, runs, against)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=128_256)
    parser.add_argument("--width", type=int, default=4096)
    parser.add_argument("--table", type=Path, help="a safetensors file to ask instead")
    parser.add_argument("--tensor")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--against", help="the folder of another checkout")
    given = parser.parse_args()
    if given.table is not None:
        ask(given.table.resolve(), given.tensor, given.runs, given.against, doctor=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.safetensors"
        make_table(path, given.rows, given.width)
        ask(path, None, given.runs, given.against, doctor=False)


if __name__ == "__main__":
    main()
