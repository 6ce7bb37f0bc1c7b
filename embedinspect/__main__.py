"""The console entry point; also `python -m embedinspect`."""

from __future__ import annotations

import gc
import os
import signal
from typing import Any, NoReturn

MOST_DIGITS = 5


def console() -> NoReturn:
    """Run the command line and end the process with its exit code, without a teardown.

    The interpreter's teardown is skipped. It gains nothing, as everything that was written is
    flushed by then, and it costs: with Keras most of a second; and where pyarrow has read a text,
    the threads that it leaves abort the process now and then under load (exit code 134), after
    the answer was given.
    """
    try:
        ctrl_c = signal.getsignal(signal.SIGINT)
        if ctrl_c is signal.default_int_handler:  # until there is something to tidy up
            signal.signal(signal.SIGINT, _end_interrupted)
        # Imports make many objects and no garbage: collecting less often saves a tenth of the
        # start.
        gc.set_threshold(50_000, 20, 50)
        prepare()
        from embedinspect.cli import run

        signal.signal(signal.SIGINT, ctrl_c)
        code = run()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # too late: all is said
    except KeyboardInterrupt:  # as the boundary dealt with a first one
        code = 130
    os._exit(code)


def _end_interrupted(*_: Any) -> NoReturn:
    os._exit(130)


def prepare() -> None:
    """Make the process safe to work in: its open files, and the variables that others read.

    What a shell has closed (`>&-`) gets a stand-in, or else the next file that is opened would
    get its number, and with it what native code prints.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    # Typer parses with pydantic, which otherwise reads the metadata of every package for plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Rich and Typer take anything for a number here.
    for name in ("COLUMNS", "LINES", "TERMINAL_WIDTH"):
        size = os.environ.get(name, "1")
        if not (size.isascii() and size.isdecimal() and 0 < len(size) <= MOST_DIGITS):
            del os.environ[name]
    # Rich would write escape sequences into a pipe, but what a program reads carries none. Who
    # wants colours there asks for them with FORCE_COLOR.
    if os.environ.get("TTY_COMPATIBLE") == "1":
        del os.environ["TTY_COMPATIBLE"]


if __name__ == "__main__":
    console()
