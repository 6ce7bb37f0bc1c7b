"""The command line: manners, exit codes, what is imported, streams that break."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest
import typer
from annotated_types import Interval
from rich.cells import cell_len

from embedinspect import __version__
from embedinspect.cli import app
from embedinspect.commands import meant
from embedinspect.commands.signature import flattened
from embedinspect.commands.start import FIRST
from embedinspect.commands.table import COMMANDS
from embedinspect.output.forms import ALL, Form
from tests.builders import write_keras_file
from tests.conftest import CLASSIC, HERE, environment

NO_KERAS = "--no-keras"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--num-words", "0"], "--num-words is '0'; expected 1 or more"),
        (["--maxlen=0"], "--maxlen is '0'; expected 1 or more"),
        (["--precision", "30"], "--precision is '30'; expected at most 20"),
        (["--num-words", "ten"], "--num-words is 'ten'; expected a whole number"),
        (["--padding", "ost"], "--padding is 'ost'; expected one of pre, post; did you mean 'post"),
        (["--maxlen"], "--maxlen has no value; expected one behind it"),
        (["--format", "josn"], "did you mean 'json'?"),
        (["--maxlne", "3"], "--maxlen"),
        (["-- a text"], "a text that starts with a dash goes behind --"),
        (["--json", "--format", "csv"], "--json and --format csv contradict"),
        (["--one-hot", "--format", "csv"], "--one-hot and --format csv"),
        (["--code", "--json"], "--code prints a script, not json"),
        (["--no-keras", "--backend", "jax"], "--no-keras and --backend"),
        (["--seed", "1", "--matrix", "x"], "--seed and --matrix"),
        (["--input-dim", "1"], "--input-dim 1 has rows 0 to 0"),
        (["--encoding", "utf-99"], "'utf-99' is not known"),
        (["--tokenizer", "textvectorization", "--oov-token", "x"], "--oov-token does not go with"),
        (["--tokenizer", "textvectorization", "--no-keras"], "--no-keras does not go with"),
    ],
)
def test_usage_errors_are_one_line_and_2(run, arguments, says):
    code, out, err = run("show", "a b", *arguments)
    assert (code, out) == (2, b"")
    assert says in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1


def test_unknown_commands_name_the_nearest(run):
    code, _, err = run("shwo")
    assert code == 2
    assert err == "Error: there is no command 'shwo'; did you mean 'show'?\n"
    code, _, err = run("get_weights")
    assert code == 2
    assert err == (
        "Error: there is no command 'get_weights'; did you mean: embedinspect explain vectors?\n"
    )
    for name, line in (
        ("nearest", "'neighbors'"),
        ("IMDB", ": embedinspect explain imdb"),
        ("imbd", ": embedinspect explain imdb"),
        ("plot", ": embedinspect map SOURCE"),
        ("tensorboard", ": embedinspect export SOURCE projector"),
        ("vectors", ": embedinspect rows SOURCE WORD"),
        ("why is my output not zero", ": embedinspect explain 'why is my output not zero'"),
    ):
        code, _, err = run(name)
        assert code == 2
        assert err.endswith(f"; did you mean{'' if line[0] == ':' else ' '}{line}?\n")
    code, _, err = run("This is a text")
    assert code == 2
    assert err.endswith("; to trace a text: embedinspect show 'This is a text'\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rows"], "SOURCE is missing; expected: embedinspect rows [OPTIONS] SOURCE [WORD]..."),
        (["axis", "x"], "--low is missing; expected: embedinspect axis [OPTIONS] SOURCE [WORD]..."),
        (["cache", "clear"], "cache takes no further argument, but got 'clear'"),
        (["cache", "clear"], "did you mean --clear?"),
        (["info", "x", "--vocabulary", "y"], "--words names the words of the rows"),
        (["show", "a", "--words", "y"], "--words picks the words of a matrix"),
        (["info", "x", "--quiet"], "goes to stderr: 2>/dev/null leaves it out"),
        (["info", "x", "--foo"], "no option --foo; expected: embedinspect info [OPTIONS] SOURCE"),
        (["info", "help"], "expected: embedinspect help info"),
        (["explain", "help"], "expected: embedinspect help explain"),
        (["explain", "imbd"], "did you mean imdb?"),
        (["train", "IMBD"], "did you mean imdb?"),
        (["neighbors", "sample:vectors", "king", "-n", "0"], "--top is '0'; expected 1 or more"),
        (["diff", "a", "b", "--neighbors", "1001"], "'1001'; expected at most 1000"),
        (["schema"], "no command given; expected one of show, explain"),
        (["schema", "shw"], "'shw' has no JSON"),
        (["help", "shw"], "there is no command 'shw'; did you mean 'show'?"),
    ],
)
def test_what_came_and_what_was_expected_is_said(run, arguments, says):
    code, out, err = run(*arguments)
    assert (code, out) == (2, b"")
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["show", "doctor", "explain"])
def test_a_text_that_names_a_file_is_a_text_and_said_to_be_one(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.txt").write_text("a text of the file")
    what = {"show": [NO_KERAS], "doctor": ["--text"], "explain": ["lookup"]}[command]
    code, out, err = run(command, *what, "reviews.txt")
    assert code == 0
    assert b"a text of the file" not in out
    assert err.startswith("Note: 'reviews.txt' is taken as a text")
    assert "--file reviews.txt" in err
    assert run(command, *what, "reviews")[2] == ""
    assert run(command, *what, "x" * 5000)[2] == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--file", "missing.txt"], "cannot read 'missing.txt': no such file"),
        (["--file", "."], "is a directory"),
        (["a", "--matrix", "missing.npy"], "cannot read 'missing.npy'"),
        (["a", "--vocabulary", "missing.json"], "cannot read 'missing.json'"),
        (["a", "--save-vocabulary", "no/such/folder.json"], "cannot write"),
        (["a", "--save-vocabulary", "."], "cannot write"),
    ],
)
def test_data_errors_are_one_line_and_1(run, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("show", *arguments, NO_KERAS)
    assert (code, out) == (1, b"")
    assert says in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_messages_show_strangers_text_literally(run):
    _, _, err = run("show", "--file", "\x1b[31mred\nline")
    assert "\x1b" not in err
    assert err.count("\n") == 1


def test_mistakes_of_ours_keep_their_traceback(monkeypatch, run):
    from embedinspect.analysis import tracing

    monkeypatch.setattr(tracing, "look_up", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("show", "a", NO_KERAS)


def test_the_first_screen_fits_80_columns_and_24_lines(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = run()
    assert (code, err) == (0, "")
    lines = out.decode().splitlines()
    assert len(lines) < 24  # the last line is the prompt's
    assert max(map(len, lines)) <= 80
    for command in COMMANDS:
        assert re.search(rf"\b{command.name}\b", out.decode())


def test_what_the_first_screen_says_to_type_first_works(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for line, _ in FIRST:
        assert run(*shlex.split(line)[1:])[0] == 0


def test_help_and_version(run):
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    for panel in {command.panel for command in COMMANDS}:
        assert f"─ {panel} ─" in out.decode()
    for name in ("--version", "-V"):
        assert run(name) == (0, f"embedinspect {__version__}\n".encode(), "")
    assert version("embedinspect") == __version__


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_of_every_command(run, command):
    code, out, err = run(command.name, "--help")
    assert (code, err) == (0, "")
    text = out.decode()
    assert f"embedinspect {command.name}" in text
    assert text.rstrip().endswith("-h, --help: show this help.")
    assert "<=x" not in text  # bounds as formulas
    assert "<int" not in text
    assert "<str" not in text
    assert run("help", command.name)[1].split() == out.split()
    assert run(command.name, "-h")[1] == out


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_breaks_no_word_of_an_option(run, monkeypatch, command, width):
    monkeypatch.setenv("COLUMNS", str(width))
    text = run(command.name, "--help")[1].decode()
    assert "…" not in text
    assert max(map(cell_len, text.splitlines())) <= width
    for parameter in typer.main.get_command(app).commands[command.name].params:
        if parameter.hidden or parameter.param_type_name != "option":
            continue
        names = [*parameter.opts, *parameter.secondary_opts]
        if parameter.metavar is None:
            names += map(str, parameter.type_descriptor.choices)
        for name in names:
            assert re.search(rf"[\s<|]{re.escape(name)}[\s>|]", text), (name, width)


def test_every_option_has_one_help_text():
    """The same option says the same in every command; where it must differ, it is named here."""
    differing = {
        "--file", "--num-words", "--maxlen", "--mask-zero", "--output-dim", "--input-dim",
        "--seed", "--top", "--epoch", "--vocabulary", "--index-from", "--force", "--format",
        "--units", "--method", "--first", "--text", "--sort", "--backend",
    }  # fmt: skip
    texts: dict[str, set[str]] = {}
    for name, command in typer.main.get_command(app).commands.items():
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--"):
                    assert parameter.help, (name, option)
                    texts.setdefault(option, set()).add(parameter.help)
    assert {option for option, helps in texts.items() if len(helps) > 1} <= differing


def stand_ins(folder) -> None:
    """Put small files where the examples have those of a user."""

    shutil.copy(HERE.parent / "sample_texts" / "vectors.txt", folder / "glove.6B.50d.txt")
    for name in ("imdb", "first", "second"):
        shutil.copytree(folder / "runs" / "reviews", folder / "runs" / name)
    rows = np.random.RandomState(0).rand(6, 3).astype(np.float32)
    for name, shift in (("model", 0), ("old", 0), ("new", 1)):
        write_keras_file(folder / f"{name}.keras", {"layers/embedding/vars/0": rows + shift})
    np.savez(folder / "rows.npz", before=rows, after=rows + 1)
    index = json.dumps({"good": 1, "bad": 2, "dull": 3})
    (folder / "tokenizer.json").write_text(json.dumps({"config": {"word_index": index}}))
    (folder / "imdb_word_index.json").write_text('{"the": 1, "and": 2, "a": 3, "of": 4, "to": 5}')
    (folder / "questions-words.txt").write_text(": royal\nking queen man woman\n")
    (folder / "wordsim353.tsv").write_text("king\tqueen\t8\nman\tcar\t2\nbread\tcheese\t7\n")
    (folder / "pairs.csv").write_text("a,b,score\ngood,great,9\nbad,good,4\nfilm,movie,10\n")
    sets = {"X": ["king", "man"], "Y": ["queen", "girl"], "A": ["prince"], "B": ["woman"]}
    (folder / "weat.json").write_text(json.dumps(sets))
    (folder / "words.txt").write_text("king\nking - man + woman\n")
    (folder / "reviews.txt").write_text("A good, dull film\nParis is great\n")


def test_no_bound_is_lost():
    """Typer looks at bounds only where they stand in a union: `Annotated[...] | None`."""
    for row in COMMANDS:
        for parameter in inspect.signature(flattened(row.run, row.forms)).parameters.values():
            metadata = getattr(parameter.annotation, "__metadata__", ())
            assert not any(isinstance(item, Interval) for item in metadata), (row.name, parameter)


def test_what_people_look_for_under_other_names_exists():
    names = {row.name for row in COMMANDS}
    for line, sought in meant._COMMANDS.items():
        assert line.split()[0] in names | {"--version"}
        assert not names & set(sought.split())


def test_the_examples_of_every_help_work(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample_texts").symlink_to(HERE.parent / "sample_texts")
    assert run("train", "sample:reviews", "--epochs", "1")[0] == 0  # leaves runs/reviews
    stand_ins(tmp_path)
    monkeypatch.setattr("sys.stdin", None)
    names = {command.name for command in COMMANDS} - {"train", "doctor"}
    for command in [*sorted(names), "doctor"]:  # which looks at what coverage writes
        _, out, _ = run(command, "--help")
        text = out.decode().split("Examples:")[1].split("╭")[0]
        examples = re.findall(r"embedinspect (\w+[^>|\n]*)", text)
        assert examples, command
        for example in examples:
            code, out, err = run(*shlex.split(example))
            found = "--fail-over" in example or "--input-dim 5" in example
            assert code == (3 if found else 0), (example, err)
            assert "Error" not in err
            assert out or "--output" in example


def test_the_schema_is_printed(run):
    code, out, _ = run("schema", "show")
    assert code == 0
    assert json.loads(out)["title"] == "embedinspect show --json"


def test_a_vocabulary_is_saved_and_used(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("show", *CLASSIC, "--save-vocabulary", "v.json", NO_KERAS)[0] == 0
    code, out, _ = run("show", "not a cat", "--vocabulary", "v.json", NO_KERAS, "--json")
    assert code == 0
    assert json.loads(out)["texts"][0]["sequence"] == [5, 3]
    code, _, err = run("show", "a", "--vocabulary", "v.json", "--oov-token", "x", NO_KERAS)
    assert code == 2
    assert "--oov-token is 'x', but 'v.json' was saved with None" in err
    assert [path.name for path in tmp_path.iterdir()] == ["v.json"]


def test_full_refuses_endless_tables(run, tmp_path):
    path = tmp_path / "texts"
    path.write_text("a\n" * 3000)
    code, _, err = run("show", "--file", str(path), "--maxlen", "100", "--full", NO_KERAS)
    assert code == 2
    assert "--format csv" in err


# -- whole processes -------------------------------------------------------------------------


def imported(*arguments: str) -> set[str]:
    """Return the modules that a command imports."""
    code = (
        "import sys\nfrom embedinspect.cli import run\n"
        f"code = run({[str(argument) for argument in arguments]!r})\n"
        "print(*sys.modules, file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment(PYTHONPATH=str(HERE.parent)),
    )
    return set(done.stderr.split())


def test_help_imports_nothing_heavy():
    for arguments in (["--help"], ["show", "--help"], ["--version"]):
        assert not imported(*arguments) & {"numpy", "keras", "tensorflow", "embedinspect.lookup"}


@pytest.mark.parametrize("form", ALL)
def test_no_keras_means_no_keras(form):
    modules = imported("show", *CLASSIC, NO_KERAS, "--format", form)
    assert not modules & {"keras", "tensorflow", "jax", "torch"}
    assert ("rich" in modules) == (form is Form.TABLE)
    assert ("jinja2" in modules) == (form is Form.HTML)


def test_show_is_quiet_and_ends_with_keras(command):
    done = command("show", *CLASSIC, "--num-words", "10", "--maxlen", "6")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith("12 of 12 vectors equal the row of their id")


def test_json_is_all_there_is_on_stdout(command):
    done = command("show", *CLASSIC, "--json", "--mask-zero")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["keras"]["mask_equal"] == found["keras"]["vectors_equal"] == 10


def test_a_missing_backend_is_named(command):
    done = command("show", "a", "--backend", "openvino", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Keras cannot run on openvino, which is not installed" in done.stderr
    assert done.stderr.count("\n") == 1


def test_standard_input_is_read(command):
    done = command("show", NO_KERAS, "--format", "csv", text="one two\nthree\n")
    assert done.stdout.splitlines()[-1].startswith("1,1,three,3,")
    done = command("show", NO_KERAS, "--file", "-", "--file", "-", text="one\n")
    assert done.returncode == 1  # it is empty the second time
    assert "standard input is empty" in done.stderr


def test_empty_standard_input_is_named(command):
    done = command("show", NO_KERAS)
    assert done.returncode == 1
    assert "standard input is empty" in done.stderr


def test_bytes_that_are_no_text_in_an_argument(command):
    done = subprocess.run(
        [sys.executable, "-m", "embedinspect", "show", b"a\xff b", NO_KERAS, "--json"],
        capture_output=True,
        env=environment(PYTHONPATH=str(HERE.parent)),
        check=True,
    )
    assert json.loads(done.stdout)["texts"][0]["text"] == "a\udcff b"


def test_a_line_of_a_megabyte(command):
    done = command("show", NO_KERAS, text="word " * 20_000 + "x" * 1_000_000 + "\n")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 120
