"""Whole processes: streams that are closed or full, odd variables, terminals, interrupts."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedinspect.__main__ import prepare
from embedinspect.output.forms import ALL
from tests.builders import VECTORS
from tests.conftest import CLASSIC, HERE, environment

LOOKUP = ["show", "a", "--no-keras"]
# Begins once the first line of the console runs; the marker on file descriptor 1 says so.
# Writes a dot once the entry point has begun; an interrupt before that is Python's own affair.
MARKED = """
import os, signal
from embedinspect.__main__ import console
handler_of = signal.getsignal

def marking(number):
    os.write(1, b".")
    signal.getsignal = handler_of
    return handler_of(number)

signal.getsignal = marking
console()
"""


def outcome(*arguments: str, shell: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the command with what a shell does to its streams, such as `>&-`."""
    line = ["sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, "-m", "embedinspect"]
    return subprocess.run(
        [*line, *arguments],
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=str(HERE.parent), **changes),
        check=False,
    )


# -- streams -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [LOOKUP, [*LOOKUP, "--json"], [*LOOKUP, "--format", "csv"], ["schema", "show"], ["--version"]],
    ids=" ".join,
)
def test_a_closed_stdout_is_an_error_of_one_line(arguments):
    done = outcome(*arguments, shell=">&-")
    assert (done.returncode, done.stderr) == (
        1,
        "Error: cannot write the output: stdout is closed; expected a terminal, a pipe or a file\n",
    )


def test_closed_streams_leave_no_number_to_a_file(tmp_path):
    vocabulary = tmp_path / "v.json"
    done = outcome(*LOOKUP, "--save-vocabulary", str(vocabulary), shell=">&- 2>&- <&-")
    assert done.returncode == 1
    assert vocabulary.read_text().startswith('{"class_name"')


@pytest.mark.parametrize("form", ["table", "markdown", "ndjson"])
def test_a_full_disk_is_said_in_every_form(form):
    done = outcome(*LOOKUP, "--format", form, shell=">/dev/full")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: cannot write the output: no space left on device")
    assert done.stderr.count("\n") == 1


def test_a_full_disk_for_errors_too_ends_with_1():
    assert outcome(*LOOKUP, shell=">/dev/full 2>/dev/full").returncode == 1


@pytest.mark.parametrize("text", ["a text", "tests"])
def test_a_full_disk_for_errors_alone_changes_no_answer(text):
    """Whether there is a note, as on a text that is the name of a folder, or nothing to say."""
    done = outcome("show", text, "--no-keras", "--json", shell="2>/dev/full")
    assert done.returncode == 0
    assert done.stdout.endswith("}\n")


@pytest.mark.parametrize("form", ALL)
def test_a_closed_pipe_ends_quietly(form):
    process = subprocess.Popen(
        [sys.executable, "-m", "embedinspect", "show", "--no-keras", "--format", form, "--full"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONPATH=str(HERE.parent)),
    )
    process.stdin.write(b"a b c d e f g h\n" * 3000)
    process.stdin.close()
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 0


# -- variables ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["COLUMNS", "LINES", "TERMINAL_WIDTH"])
@pytest.mark.parametrize("value", ["²", "9" * 5000, "", "x", "-3"])
def test_what_is_no_size_of_a_screen_is_left_out(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    prepare()
    assert name not in os.environ


def test_the_size_of_a_screen_stays(monkeypatch):
    monkeypatch.setenv("COLUMNS", "72")
    prepare()
    assert os.environ["COLUMNS"] == "72"


def test_odd_variables_change_nothing():
    plain = outcome(*LOOKUP)
    odd = {"COLUMNS": "²", "LINES": "9" * 5000, "TERMINAL_WIDTH": "x", "TTY_COMPATIBLE": "1"}
    assert (plain.returncode, plain.stderr) == (0, "")
    assert outcome(*LOOKUP, **odd).stdout == plain.stdout
    assert "\x1b" not in outcome("--help", **odd).stdout


def test_completion_without_the_words_of_the_shell_is_an_error_of_one_line():
    done = outcome(*LOOKUP, _EMBEDINSPECT_COMPLETE="complete_bash")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: _EMBEDINSPECT_COMPLETE is set without COMP_WORDS")
    assert done.stderr.count("\n") == 1
    words = {"COMP_WORDS": "embedinspect sho", "COMP_CWORD": "1"}
    done = outcome(_EMBEDINSPECT_COMPLETE="complete_bash", **words)
    assert (done.returncode, done.stdout.split()) == (0, ["show"])


# -- terminals ---------------------------------------------------------------------------------


def on_a_terminal(*arguments: str, interrupt_at: bytes | None = None) -> tuple[int, bytes]:
    """Run the command on a terminal of its own; Ctrl-C once `interrupt_at` is on its screen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(environment(PYTHONPATH=str(HERE.parent), TERM="xterm"))
        os.execv(sys.executable, [sys.executable, "-m", "embedinspect", *arguments])
    screen, end = b"", time.monotonic() + 90
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):
                data = os.read(terminal, 65536)
                screen += data
                if data:
                    if interrupt_at and interrupt_at in screen:
                        interrupt_at = None
                        time.sleep(0.3)
                        os.write(terminal, b"\x03")
                    continue
            break
    else:
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen


def test_a_spinner_says_what_is_waited_for():
    code, screen = on_a_terminal("show", *CLASSIC)
    assert code == 0
    assert b"Keras on tensorflow runs the same batch" in screen
    assert b"10 of 10 vectors" in screen


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("[/b].txt", rb"[/b].txt"),
        ("a\x1b]0;title\x07.txt", rb"a\x1b]0;title\x07.txt"),
    ],
)
def test_a_path_in_a_spinner_is_shown_as_it_is(tmp_path, monkeypatch, name, label):
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_bytes(VECTORS.read_bytes())
    code, screen = on_a_terminal("rows", name, "king", "--format", "csv")
    assert code == 0
    assert b"Reading " + label in screen
    assert b"\x1b]0;" not in screen


# -- the end of the process --------------------------------------------------------------------


def test_a_process_ends_without_a_teardown():
    # Threads of native libraries abort some teardowns; this one would say that it came to run.
    script = "import atexit\natexit.register(print, 'teardown')\n" + MARKED
    done = subprocess.run(
        [sys.executable, "-c", script, "--version"],
        capture_output=True,
        env=environment(PYTHONPATH=str(HERE.parent)),
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"embedinspect" in done.stdout
    assert b"teardown" not in done.stdout


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.3])
def test_ctrl_c_at_the_start_ends_with_130(delay):
    # The command waits for its standard input, which is left open.
    process = subprocess.Popen(
        [sys.executable, "-c", MARKED, "show", "--no-keras"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONPATH=str(HERE.parent)),
    )
    assert process.stdout.read(1) == b"."
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 130


def test_ctrl_c_within_an_exec_ends_with_130(tmp_path):
    # Python notes an interrupt that leaves an exec of text; after -m it then ends by the signal.
    script = (
        "from embedinspect import __main__, cli\n"
        "def app(*arguments, **settings):\n"
        "    exec('raise KeyboardInterrupt')\n"
        "cli.app = app\n"
        "__main__.console()\n"
    )
    (tmp_path / "interrupted.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"],
        capture_output=True,
        env=environment(PYTHONPATH=os.pathsep.join([str(HERE.parent), str(tmp_path)])),
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_ctrl_c_ends_with_130_and_no_traceback():
    code, screen = on_a_terminal("show", *CLASSIC, interrupt_at=b"runs the same batch")
    assert code == 130
    assert b"Traceback" not in screen
    assert b"vectors equal" not in screen
