"""Run folders with one thing changed, each asked by several commands.

    python -m tests.sweeps.mutated_runs [FOLDERS]

A command must answer, or end with one line and exit code 1, 2 or 3; it may not end in a traceback,
wait for ever, or take more than a bounded memory. The script ends with the counts, and with exit
code 1 where a command fell short. Every tenth folder is asked by commands that need Keras, too.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random

from embedinspect import cli
from tests.training.builders import SIZES
from tests.training.conftest import train_once
from tests.training.mutations import COMMANDS, WITH_KERAS, copy_run, mutate

SECONDS = 120  # the import of Keras on a busy machine included
MEMORY = 6 * 2**30  # of addresses; TensorFlow alone takes half of that


def outcome(command: list[str], run: Path) -> str:
    """Return how a command ended: its exit code, or what went wrong."""
    arguments = [str(run) if part == "RUN" else part for part in command]
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.StringIO()
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
    if "not enough memory" in err.getvalue():
        return "memory"
    if code == 0 and "--json" in arguments:
        json.loads(out.buffer.getvalue(), parse_constant=lambda name: 1 / 0)
    return f"exit {code}"


def too_long(*_: object) -> None:
    """End a command that takes too long."""
    raise TimeoutError(f"over {SECONDS} s")


def main() -> int:
    """Run the sweep and return an exit code."""
    folders = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    signal.signal(signal.SIGALRM, too_long)
    outcomes: Counter[str] = Counter()
    random = Random(0)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.chdir(folder)
        train_once(folder, **SIZES)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        for number in range(folders):
            run = copy_run(folder / "a", folder / "b")
            what = mutate(run, random)
            commands = [*COMMANDS, *(WITH_KERAS if number % 10 == 0 else [])]
            for command in commands:
                ended = outcome(command, run)
                outcomes[ended] += 1
                if not ended.startswith("exit"):
                    print(f"{what}: {' '.join(command)}: {ended}", flush=True)
    print(f"{folders} run folders, {outcomes.total()} commands: {dict(outcomes)}")
    return int(any(not ended.startswith("exit") for ended in outcomes))


if __name__ == "__main__":
    sys.exit(main())
