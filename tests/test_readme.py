"""The README's own words: every command in it is run, and its output is compared."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from itertools import chain
from pathlib import Path

from tests.conftest import HERE, environment

ROOT = HERE.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks() -> list[list[tuple[str, str]]]:
    """Return for each console block its commands with their outputs, in order."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", README, re.M | re.S):
        parts = re.split(r"^\$ (.*)\n", block, flags=re.M)[1:]
        found.append(list(zip(parts[::2], parts[1::2], strict=True)))
    return found


def normalised(text: str) -> str:
    """Return the text with what varies from machine to machine made equal."""
    text = re.sub(r"Keras \d+\.\d+\.\d+", "Keras 3.x", text)
    # Training adds up numbers in an order that may differ from processor to processor.
    text = re.sub(r"(probability of positive) [01]\.\d+", r"\1 p", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_console_blocks(tmp_path):
    """In their order and in one folder, as a reader would run them."""
    (tmp_path / "sample_texts").symlink_to(ROOT / "sample_texts")
    folder = Path(sys.executable).parent
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    for command, expected in chain(*blocks()):
        done = subprocess.run(
            ["bash", "-c", command],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            env=environment(PATH=path),
            check=False,
        )
        assert done.stderr == ""
        assert normalised(done.stdout) == normalised(expected), command


def test_the_first_command_is_the_one_whose_output_is_shown():
    setup = re.search(r"```sh\n(.*)\n```", README)[1]
    shown = blocks()[0][0][0]
    assert setup.endswith(shown)
    assert len(shlex.split(shown)) > 3


def test_the_exit_codes_are_those_of_the_code():
    from embedinspect import errors

    table = set(map(int, re.findall(r"^\| (\d+) \|", README, re.M)))
    assert table == {errors.OK, errors.DATA, errors.USAGE, errors.FOUND, errors.INTERRUPTED}


def test_every_sample_text_has_its_line():
    for path in (ROOT / "sample_texts").iterdir():
        assert f"| `{path.name}` |" in README


def test_every_command_is_in_the_readme(run):
    _, out, _ = run("--help")
    for command in re.findall(r"^│ (\w+) ", out.decode(), re.M):
        assert f"embedinspect {command}" in README
