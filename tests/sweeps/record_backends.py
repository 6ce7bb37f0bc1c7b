"""Make the recording of what each backend of Keras does with an id that has no row.

    python -m tests.sweeps.record_backends           # checks what is installed against it
    python -m tests.sweeps.record_backends --write   # makes it anew; needs all backends

Every backend needs its package beside Keras: tensorflow, jax, torch; numpy needs jax and scipy.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from importlib.metadata import version

from embedinspect.lessons.backends import NEEDS, ask_backends, missing_packages
from embedinspect.lessons.recorded import IDS, PATH, ROWS, as_recorded


def run_backends() -> dict[str, dict[str, object]]:
    """Run every backend that is installed; return its versions and what became of each id."""
    installed = [name for name, lacks in missing_packages().items() if not lacks]
    answers = ask_backends(installed, ROWS, IDS)
    return {
        name: {
            "versions": ", ".join(f"{package} {version(package)}" for package in NEEDS[name]),
            "outcomes": {
                way: [as_recorded(outcome) for outcome in outcomes]
                for way, outcomes in answers.items()
                if way == name or way.startswith(f"{name} with ")
            },
        }
        for name in installed
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    backends = run_backends()
    if arguments.write:
        missing = set(NEEDS) - set(backends)
        if missing:
            print(f"not installed: {', '.join(sorted(missing))}")
            return 1
        recording = {
            "date": datetime.date.today().isoformat(),
            "keras": version("keras"),
            "backends": backends,
        }
        PATH.write_text(json.dumps(recording, indent=2) + "\n", encoding="utf-8")
        return 0
    recorded = json.loads(PATH.read_text(encoding="utf-8"))["backends"]
    differing = [
        name
        for name, entry in backends.items()
        if recorded.get(name, {}).get("outcomes") != entry["outcomes"]
    ]
    for name, entry in backends.items():
        verdict = "differs from the recording" if name in differing else "as recorded"
        print(f"{name} ({entry['versions']}): {verdict}: {entry['outcomes']}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
