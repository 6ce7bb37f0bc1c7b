"""The console entry point; also `python -m embedinspect`."""

from __future__ import annotations

import contextlib
import gc
import os
import sys


def console() -> None:
    """Run the command line and end the process with its exit code.

    Where Keras was imported the interpreter's teardown is skipped: it takes most of a second, and
    everything that was written is flushed and closed by then. After Ctrl-C it is skipped too: an
    interrupt that came through an `exec` of text, as in the making of a data class, would have
    Python end by the signal even though it was dealt with.
    """
    # Imports make many objects and no garbage: collecting less often saves a tenth of the start.
    gc.set_threshold(50_000, 20, 50)
    # Typer parses with pydantic, which else reads the metadata of every package for plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

    try:
        from embedinspect.cli import run

        code = run()
    except KeyboardInterrupt:  # before the boundary was there, or as it dealt with a first one
        code = 130
    if code == 130 or "keras" in sys.modules:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):  # the reader has gone
                    stream.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    console()
