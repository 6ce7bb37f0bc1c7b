"""The console entry point; also `python -m embedinspect`."""

from __future__ import annotations

import os
import sys


def console() -> None:
    """Run the command line and end the process with its exit code.

    Where Keras was imported the interpreter's teardown is skipped: it takes most of a second, and
    everything that was written is flushed and closed by then.
    """
    from embedinspect.cli import run

    code = run()
    if "keras" in sys.modules:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                try:
                    stream.flush()
                except OSError:  # the reader has gone; `run` has said so by its code
                    pass
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    console()
