"""Files and folders of every format, cut and altered, each asked by several commands.

    python -m tests.sweeps.altered_sources [COUNT] [NAME...]

COUNT copies of each example are altered: bytes changed, cut out, added or swapped, the end cut off,
numbers of the header made huge. Of each, every command must answer, or end with one line and exit
code 1, 2 or 3: no traceback, no waiting, bounded memory. Where one byte was changed and nothing is
said about the file, more than one row that reads otherwise is doubtful: such files are counted.
The script ends with exit code 1 where a command fell short.
"""

from __future__ import annotations

import io
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random

import numpy as np

from embedinspect import cli
from embedinspect.errors import EmbedInspectError
from embedinspect.source import open_source
from tests.builders import write_projector
from tests.formats.test_formats import DATA, EXAMPLES

SECONDS = 60
MEMORY = 6 * 2**30  # of addresses
GROWTH = 2**30  # by which the process may grow over one file
COMMANDS = (
    ["info", "FILE"],
    ["rows", "FILE", "#0", "#1", "--json"],
    ["neighbors", "FILE", "#0", "--format", "csv"],
    ["doctor", "FILE", "--format", "ndjson"],
    ["coverage", "FILE", "the king and [b]a queen", "--json"],
    ["show", "--from", "FILE", "the king", "--no-keras"],
    ["export", "FILE", "out.vec", "--force"],
)
# What header fields of four and eight bytes are made to claim.
HUGE = (2**31 - 1, 2**32 - 1, 2**60, 2**63 - 1, 2**64 - 1, 0)


def examples() -> dict[str, bytes | Path]:
    """Return a file or a folder of every format, by name."""
    folders = {f"folder {path.name}": path for path in sorted((DATA / "models").iterdir())}
    files = {
        f"data {path.parent.name}/{path.name}": path.read_bytes()
        for path in sorted(DATA.rglob("*"))
        if path.is_file()
        and path.suffix not in {".py", ".json", ".md"}
        and "models" not in str(path)
    }
    return {**EXAMPLES, **files, **{n: p for n, p in folders.items() if p.is_dir()}}


def altered(data: bytes, random: Random) -> tuple[bytes, str]:
    """Return the data with one change, and the kind of change."""
    changed, size = bytearray(data), len(data)
    kind = random.choice(("byte", "byte", "bytes", "cut", "added", "swapped", "end", "huge"))
    # Most of the changes go where the structure of a file is: its beginning and its end.
    near = random.choice((size, min(size, 400), min(size, 60)))
    at = random.randrange(near) if random.random() < 0.7 else size - 1 - random.randrange(near)
    if kind == "byte":
        changed[at] = random.randrange(256)
    elif kind == "bytes":
        changed[at : at + 4] = random.randbytes(4)
    elif kind == "cut":
        del changed[at : at + random.randint(1, 9)]
    elif kind == "added":
        changed[at:at] = random.randbytes(random.randint(1, 9))
    elif kind == "swapped":
        other = random.randrange(size)
        changed[at], changed[other] = changed[other], changed[at]
    elif kind == "end":
        del changed[at:]
    else:
        width = random.choice((4, 8))
        number = random.choice(HUGE) % 2 ** (8 * width)
        changed[at : at + width] = number.to_bytes(width, random.choice(("little", "big")))
    return bytes(changed), kind


def write(example: bytes | Path, place: Path, random: Random) -> tuple[str, bool]:
    """Write an altered copy of an example; return the kind of change, and whether of one byte."""
    remove(place)
    if isinstance(example, bytes):
        data, kind = altered(example, random)
        place.write_bytes(data)
        return kind, kind == "byte"
    shutil.copytree(example, place)
    path = random.choice([path for path in sorted(place.rglob("*")) if path.is_file()])
    data, kind = altered(path.read_bytes(), random)
    path.write_bytes(data)
    return f"{kind} in {path.name}", False


def remove(place: Path) -> None:
    """Remove what is at a place."""
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def outcome(command: list[str], place: Path) -> str:
    """Return how a command ended: its exit code, or what went wrong."""
    arguments = [str(place) if part == "FILE" else part for part in command]
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.StringIO()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.alarm(SECONDS)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = cli.run(arguments)
            out.flush()
    except BaseException as error:
        traceback.print_exc()
        return f"traceback: {type(error).__name__}"
    finally:
        signal.alarm(0)
    if (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 > GROWTH:
        return "memory"
    return f"exit {code}" if code in {0, 1, 2, 3} else f"odd exit {code}"


def other_rows(place: Path, true: np.ndarray) -> int:
    """Return how many rows read otherwise than they were written, where nothing is said of it."""
    try:
        source = open_source(str(place))
        rows = np.asarray(source.matrix.rows)
    except EmbedInspectError:
        return 0
    if source.warnings or source.problems.total:
        return 0
    if rows.shape != true.shape:
        return max(len(rows), len(true))
    return int((rows.view(np.uint32) != true.view(np.uint32)).any(axis=1).sum())


def too_long(*_: object) -> None:
    """End a command that takes too long."""
    raise TimeoutError(f"over {SECONDS} s")


def main() -> int:
    """Run the sweep and return an exit code."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    wanted = sys.argv[2:]
    signal.signal(signal.SIGALRM, too_long)
    outcomes: Counter[str] = Counter()
    doubtful: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.chdir(folder)
        os.environ["EMBEDINSPECT_CACHE"] = str(folder / "cache")
        write_projector(folder)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        for name, example in examples().items():
            if wanted and not any(part in name for part in wanted):
                continue
            random, place = Random(name), folder / "x"
            true = None
            if isinstance(example, bytes):
                remove(place)
                place.write_bytes(example)
                true = reading(place)
            for _ in range(count):
                kind, one_byte = write(example, place, random)
                for command in COMMANDS:
                    ended = outcome(command, place)
                    outcomes[ended] += 1
                    if not ended.startswith("exit"):
                        kept = folder.parent / f"altered-{outcomes.total()}"
                        (shutil.copytree if place.is_dir() else shutil.copy)(place, kept)
                        print(f"{name}, {kind}: {command[0]}: {ended}: {kept}", flush=True)
                if one_byte and true is not None:
                    rows = other_rows(place, true)
                    doubtful[name] += rows > 1
    print(f"{outcomes.total()} commands: {dict(outcomes)}")
    print(f"one byte changed, several rows changed, nothing said: {dict(+doubtful)}")
    return int(any(not ended.startswith("exit") for ended in outcomes))


def reading(place: Path) -> np.ndarray | None:
    """Return the rows of an example as it is; None where it is refused."""
    try:
        return np.asarray(open_source(str(place)).matrix.rows)
    except EmbedInspectError:
        return None


if __name__ == "__main__":
    sys.exit(main())
