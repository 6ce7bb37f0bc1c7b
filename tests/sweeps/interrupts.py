"""Ctrl-C at any moment of a command, from the first line of ours on: exit code 130, and no word.

    python -m tests.sweeps.interrupts [RUNS]

What comes before our first line is Python's own start, which ends by the signal. A command that
was done before the signal came has its own exit code. The script ends with the counts, and with
exit code 1 where a run ended in another way.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter

COMMANDS = (
    ["show", "This is a text", "--no-keras"],
    ["show", "This is a text", "--json"],
    ["neighbors", "sample:vectors", "king"],
    ["--help"],
)
# A byte on stderr says that the next line is ours.
MARKED = "import os\nfrom embedinspect.__main__ import console\nos.write(2, b'.')\nconsole()\n"


def ended(command: list[str], delay: float | None) -> tuple[int, bytes, float]:
    """Return exit code, stderr and duration of a command that is interrupted after a delay."""
    process = subprocess.Popen(
        [sys.executable, "-c", MARKED, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    process.stderr.read(1)
    began = time.monotonic()
    if delay is not None:
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
    errors = process.communicate()[1]
    return process.returncode, errors, time.monotonic() - began


def main() -> int:
    """Run the sweep and return an exit code."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    durations = [ended(command, None)[2] for command in COMMANDS]
    outcomes: Counter[str] = Counter()
    stream = random.Random(0)
    for number in range(runs):
        place = number % len(COMMANDS)
        delay = stream.uniform(0, durations[place])
        code, errors, _ = ended(COMMANDS[place], delay)
        outcome = f"exit {code}" + (" with words on stderr" if errors else "")
        outcomes[outcome] += 1
        if outcome not in {"exit 0", "exit 130"}:
            last = errors.decode(errors="replace").splitlines()[-1:]
            print(f"{' '.join(COMMANDS[place])} after {delay:.3f} s: {outcome} {last}", flush=True)
    print(f"{runs} interrupts: {dict(outcomes)}")
    return int(any(outcome not in {"exit 0", "exit 130"} for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
