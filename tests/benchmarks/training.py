"""Measure training on the real IMDB data against a plain Keras script, both sides in turn.

    python -m tests.benchmarks.training imdb.npz [--runs N] [--accuracy] [--torch PYTHON]
        [--torch-reviews N]

Prints the seconds of an epoch and the peak memory, and the time to the first training step; with
--accuracy also the test accuracy of the classic recipe over three seeds. PyTorch takes part where
--torch names a Python that has it. Where memory is slow, its packed LSTM takes a quarter of an hour
for an epoch; --torch-reviews lets it train on fewer reviews, of which the time of all is reckoned.
The word index must lie beside the file. An epoch of the plain scripts takes the best part of a
minute on two cores, or two.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.__main__ import HERE, OURS, peak, whole

KINDS = {
    "plain script": ("plain", []),
    "train": ("ours", []),
    "train --mask-zero": ("ours", ["--mask-zero"]),
    "plain script with mask": ("plain", ["mask"]),
    "PyTorch, packed": ("torch", ["packed"]),
    "PyTorch, padded": ("torch", ["padded"]),
}
# What each is compared with.
RIVALS = {"train": "plain script", "train --mask-zero": "plain script with mask"}


def one(
    kind: str,
    imdb: str,
    seed: int,
    epochs: int,
    folder: str,
    python: str = "",
    reviews: int = 25_000,
) -> dict[str, object]:
    """Return seconds of each epoch and test accuracy of one run."""
    side, more = KINDS[kind]
    if side != "ours":
        script = "rival_train.py" if side == "plain" else "rival_torch.py"
        command = [python if side == "torch" else sys.executable, str(HERE / script)]
        if side == "torch":
            more = [str(reviews), *more]
        return json.loads(output([*command, imdb, str(seed), str(epochs), *more]))
    out = str(Path(folder) / f"run-{seed}-{len(more)}")
    command = [*OURS, "train", "imdb", "--data", imdb, "--out", out, "--force", "--json"]
    found = json.loads(output([*command, "--seed", str(seed), "--epochs", str(epochs), *more]))
    seconds = [line["seconds"] for line in found["history"]]
    return {"seconds": seconds, "accuracy": found["test"]["accuracy"]}


def output(command: list[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return done.stdout.decode()


def speed(imdb: str, runs: int, folder: str, python: str, reviews: int) -> None:
    kinds = [kind for kind, (side, _) in KINDS.items() if side != "torch" or python]
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    evaluations: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(runs):
        for kind in kinds:
            found = one(kind, imdb, number, 2, folder, python, reviews)
            print(f"run {number + 1}: {kind} {found['seconds']}", file=sys.stderr)
            times[kind].extend(found["seconds"])  # type: ignore[arg-type]
            if "evaluation" in found:
                evaluations[kind].append(found["evaluation"])  # type: ignore[arg-type]
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    for kind, median in medians.items():
        low, high = min(times[kind]), max(times[kind])
        line = f"{kind:24} {median:6.1f} s an epoch ({low:.1f} to {high:.1f})"
        if kind in RIVALS:
            ratio = medians[RIVALS[kind]] / median
            line += f", {ratio:.2f} times as fast as the {RIVALS[kind]}"
        if evaluations[kind]:
            line += f"; evaluation {statistics.median(evaluations[kind]):.1f} s"
        print(line)


def accuracy(imdb: str, folder: str) -> None:
    kinds = list(KINDS)[:4]
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for seed in (1, 2, 3):
        for kind in kinds:
            found[kind].append(float(one(kind, imdb, seed, 3, folder)["accuracy"]))  # type: ignore[arg-type]
    for kind, values in found.items():
        listed = ", ".join(f"{value:.4f}" for value in values)
        print(
            f"{kind:24} test accuracy {statistics.mean(values):.4f} ± "
            f"{statistics.stdev(values):.4f} on 25,000 reviews ({listed})"
        )


def first_step(imdb: str, runs: int, folder: str) -> None:
    """Compare the time to the first training step with importing TensorFlow alone."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(runs):
        out = str(Path(folder) / f"first-{number}")
        times[0].append(whole([sys.executable, str(HERE / "first_step.py"), imdb, out]))
        times[1].append(whole([sys.executable, "-c", "import tensorflow"]))
    ours, tensorflow = map(statistics.median, times)
    print(
        f"first training step after {ours:.2f} s, import tensorflow {tensorflow:.2f} s: "
        f"{ours - tensorflow:.2f} s longer, wanted at most 3"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("imdb")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--accuracy", action="store_true")
    parser.add_argument("--torch", default="", metavar="PYTHON")
    parser.add_argument("--torch-reviews", type=int, default=25_000, metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        first_step(options.imdb, options.runs, folder)
        for kind in list(KINDS)[:3]:
            side, more = KINDS[kind]
            command = [sys.executable, str(HERE / "rival_train.py"), options.imdb, "0", "1", *more]
            if side == "ours":
                out = str(Path(folder) / "peak")
                command = [*OURS, "train", "imdb", "--data", options.imdb, "--out", out]
                command += ["--force", "--epochs", "1", *more]
            print(f"{kind:24} {peak(command):6.0f} MB at its peak, one epoch")
        speed(options.imdb, options.runs, folder, options.torch, options.torch_reviews)
        if options.accuracy:
            accuracy(options.imdb, folder)


if __name__ == "__main__":
    main()
