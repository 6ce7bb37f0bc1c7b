"""What the tests of output share: the command line on a screen that has only ASCII."""

from __future__ import annotations

import io

import pytest


@pytest.fixture
def run_ascii(monkeypatch):
    """Run the command line where stdout can encode nothing but ASCII; returns code and output."""
    from embedinspect import cli

    def run_here(*arguments: str) -> tuple[int, str]:
        file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
        monkeypatch.setattr("sys.stdout", file)
        code = cli.run(list(arguments))
        file.flush()
        return code, file.buffer.getvalue().decode("ascii")

    return run_here
