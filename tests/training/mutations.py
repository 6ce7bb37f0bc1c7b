"""Run folders as a stranger may have left them: values, bytes and files that are not as they were.

The suite tries a few, `python -m tests.sweeps.mutated_runs` many.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

ODD_VALUES: list[Any] = [
    None, True, 0, -1, 1.5, 3, 10**5, 10**20, 10**400, float("nan"), float("inf"), -float("inf"),
    "", "text", "\ud800", "[/b]\x1b[31m", "x" * 10_000, [], [[]], [1, 2, 3], {}, {"a": {"b": []}},
]  # fmt: skip
COMMANDS = [
    ["info", "RUN"],
    ["info", "RUN", "--json"],
    ["info", "RUN", "--epoch", "0", "--format", "csv"],
    ["rows", "RUN", "film", "--json"],
    ["neighbors", "RUN", "film"],
    ["diff", "RUN"],
    ["diff", "RUN", "--json"],
    ["doctor", "RUN", "--json"],
    ["show", "--from", "RUN", "a dull film", "--no-keras"],
    ["show", "--from", "RUN", "a dull film", "--no-keras", "--json"],
    ["coverage", "RUN", "a dull film", "--json"],
]
WITH_KERAS = [
    ["show", "--from", "RUN", "a dull film", "--json"],
    ["why", "RUN", "a dull film", "--json"],
    ["train", "--resume", "RUN", "--epochs", "4", "--json"],
]


def mutate(run: Path, random: Random) -> str:
    """Change one thing in a run folder; return what, in words."""
    change = random.choice([_value, _value, _value, _bytes, _kind])
    return change(run, random)


def _value(run: Path, random: Random) -> str:
    """Replace or remove one value of a JSON file."""
    path = run / random.choice(["run.json", "run.json", "vocabulary.json"])
    contents = json.loads(path.read_text())
    place, name = [str(path.name)], ""
    holder: Any = contents
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        name = random.choice(keys)
        place.append(str(name))
        inner = holder[name]
        if not isinstance(inner, (dict, list)) or not inner or random.random() < 0.3:
            break
        holder = inner
    if random.random() < 0.2:
        del holder[name]
        what = "removed"
    else:
        holder[name] = random.choice(ODD_VALUES)
        what = repr(holder[name])[:40]
    path.write_text(json.dumps(contents))
    return f"{'.'.join(place)}: {what}"


def _files(run: Path) -> list[Path]:
    return sorted(path for path in run.rglob("*") if path.is_file())


def _bytes(run: Path, random: Random) -> str:
    """Overwrite, insert or cut off bytes of a file."""
    path = random.choice(_files(run))
    data = bytearray(path.read_bytes())
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data) or 1)
        end = at + random.choice([0, 1, 3])
        data[at:end] = random.randbytes(random.choice([0, 1, 3]))
    if random.random() < 0.3:
        del data[random.randrange(len(data) or 1) :]
    path.write_bytes(data)
    return f"bytes of {path.relative_to(run)}"


def _kind(run: Path, random: Random) -> str:
    """Put something else in the place of a file."""
    path = random.choice(_files(run))
    kind = random.choice(["pipe", "folder", "zeros", "large", "empty", "missing", "loop"])
    replace_by(path, kind)
    return f"{kind} as {path.relative_to(run)}"


def replace_by(path: Path, kind: str) -> None:
    """Put something else in the place of a file: a pipe, endless zeros, gigabytes that are none."""
    path.unlink()
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "zeros":
            path.symlink_to("/dev/zero")
        case "large":
            with path.open("wb") as file:
                file.truncate(3 * 2**30)
        case "empty":
            path.touch()
        case "loop":
            path.symlink_to(path.name)


def copy_run(run: Path, to: Path) -> Path:
    """Copy a run folder to another place, in place of what is there; return that place."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(run, to)
    return to
