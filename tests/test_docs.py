"""README and guide: their commands are run, and what they list is compared with the code.

`pytest --regenerate tests/test_docs.py` writes the outputs into the two files anew.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main

from embedinspect import cli, errors
from embedinspect.cli import app
from embedinspect.commands.table import COMMANDS
from embedinspect.exports import TARGETS
from embedinspect.formats import FORMATS
from embedinspect.output.forms import DESCRIPTIONS
from embedinspect.training import session
from tests.builders import SAMPLE_TEXTS
from tests.conftest import HERE, OF_TERMINALS, environment

ROOT = HERE.parent
README, GUIDE = ROOT / "README.md", ROOT / ".github" / "GUIDE.md"
PAGES = (README, GUIDE)
RUN = Path("runs", "reviews")
TRAIN = "embedinspect train sample:reviews"
# What stands for the models of others.
STAND_INS = {
    "tiny-bert": HERE / "data" / "models" / "bert",
    "tiny.gguf": HERE / "data" / "gguf" / "tiny.gguf",
}
# Options of other programs that the two files name.
OPTIONS_OF_OTHERS = {"--logdir", "--vector"}

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
_CODE = re.compile(r"^```\w*\n.*?^```$|`[^`\n]+`", re.M | re.S)
# A call of ours that needs no shell, but for a file that stderr goes to and what is behind a pipe.
_PLAIN = re.compile(
    r"""embedinspect (?P<arguments>(?:[^"'`$;&<>|*\\]|"[^"`$\\]*"|'[^']*')+?)"""
    r"(?: 2> (?P<errors>[\w./]+))?(?: \| (?P<rest>.*))?"
)
_LINK = re.compile(r"\]\(([^)]+)\)")
_PROBABILITY = re.compile(r"(?:(?<=probability of positive )|(?<=with probability ))[01]\.\d{3}\b")


@dataclass(frozen=True)
class Step:
    """One command of a console block, and the output that stands below it."""

    command: str
    output: str

    def __str__(self) -> str:
        return f"$ {self.command}\n{self.output}"


@dataclass(frozen=True)
class Section:
    """What stands under one heading of the second level; `title` is "" above the first."""

    page: Path
    title: str
    text: str

    @property
    def blocks(self) -> list[list[Step]]:
        """The steps of each console block."""
        blocks = []
        for body in _BLOCK.findall(self.text):
            parts = re.split(r"^\$ (.*)\n", body, flags=re.M)[1:]
            blocks.append([Step(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)])
        return blocks

    @property
    def steps(self) -> list[Step]:
        """The steps of all console blocks, in their order."""
        return [step for block in self.blocks for step in block]

    @property
    def needs_a_run(self) -> bool:
        """Whether it looks into a run that it has not trained."""
        commands = [step.command for step in self.steps]
        trains = any(command.startswith(TRAIN) for command in commands)
        return not trains and any(RUN.as_posix() in command for command in commands)


def sections(page: Path) -> list[Section]:
    """Return the sections of a page; a heading inside a block of code begins none."""
    split, fenced = [("", "")], False
    for line in page.read_text(encoding="utf-8").splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            split.append((line.removeprefix("## ").strip(), ""))
        title, text = split[-1]
        split[-1] = (title, text + line)
    return [Section(page, title, text) for title, text in split]


SECTIONS = [section for page in PAGES for section in sections(page) if section.blocks]
TEXTS = {page.stem: page.read_text(encoding="utf-8") for page in PAGES}


def run_in_shell(command: str, piped: str | None = None) -> str:
    """Return what a shell makes of a command: its stdout, and what else there is on stderr."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        input=piped,
        stdin=subprocess.DEVNULL if piped is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(PATH=path),
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.stdout


@pytest.fixture
def answer(capfdbinary, monkeypatch, tmp_path):
    """Run a command in the test's folder; returns what a reader would see of it.

    A call of ours that needs no shell runs in this process, where Keras is imported once; a shell
    gets what stands behind its pipe, and every other command.
    """
    monkeypatch.chdir(tmp_path)
    for name in OF_TERMINALS:
        monkeypatch.delenv(name, raising=False)

    def run_command(command: str, in_shell: bool = False) -> str:
        plain = _PLAIN.fullmatch(command)
        if plain is None or in_shell:
            seen = run_in_shell(command)
        else:
            with open(os.devnull, encoding="utf-8") as nothing:
                monkeypatch.setattr("sys.stdin", nothing)
                cli.run(shlex.split(plain["arguments"]))
            captured = capfdbinary.readouterr()
            out, err = captured.out.decode(), captured.err.decode()
            if plain["errors"]:
                Path(plain["errors"]).write_text(err, encoding="utf-8")
                err = ""
            seen = err + (run_in_shell(plain["rest"], out) if plain["rest"] else out)
        return "".join(line.rstrip() + "\n" for line in seen.splitlines())

    return run_command


def normalised(steps: list[Step]) -> str:
    """Return the steps as text, with what varies from machine to machine made equal.

    Training adds numbers up in an order that differs from processor to processor, so that the last
    digits of a probability do, too.
    """
    text = re.sub(r"\bKeras \d+\.\d+\.\d+", "Keras 3.x", "".join(map(str, steps)))
    return _PROBABILITY.sub("p", text)


def probabilities(steps: list[Step]) -> list[float]:
    """Return the probabilities in the outputs, in their order."""
    return [float(number) for step in steps for number in _PROBABILITY.findall(step.output)]


def rewrite(section: Section, outputs: list[str]) -> None:
    """Write new outputs into the page, below the commands that they are of."""
    text, rest = section.page.read_text(encoding="utf-8"), iter(outputs)
    for block in section.blocks:
        new = [Step(step.command, next(rest)) for step in block]
        if normalised(new) != normalised(block):
            text = text.replace("".join(map(str, block)), "".join(map(str, new)))
    section.page.write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory) -> Path:
    """The run that `train sample:reviews` leaves; copy it rather than change it."""
    path = tmp_path_factory.mktemp("trained") / RUN
    trainer = session.build(session.begin("sample:reviews", {}, out=str(path)))
    session.train(trainer, lambda _: None)
    return path


@pytest.mark.parametrize(
    "section", SECTIONS, ids=lambda section: f"{section.page.stem}-{section.title or 'top'}"
)
def test_the_commands_of_a_section_print_what_stands_below_them(section, answer, tmp_path, request):
    """In their order and in a folder of their own, as a reader would run them."""
    if section.needs_a_run:
        shutil.copytree(request.getfixturevalue("trained_run"), tmp_path / RUN)
    for name, place in STAND_INS.items():
        if name in section.text:
            (shutil.copytree if place.is_dir() else shutil.copy)(place, tmp_path / name)
    first = section is SECTIONS[0]
    outputs = [answer(step.command, in_shell=first) for step in section.steps]
    if request.config.getoption("--regenerate"):
        rewrite(section, outputs)
        return
    printed = [
        Step(step.command, output) for step, output in zip(section.steps, outputs, strict=True)
    ]
    differing = difflib.unified_diff(
        normalised(section.steps).splitlines(),
        normalised(printed).splitlines(),
        section.page.name,
        "printed",
        lineterm="",
    )
    difference = "\n".join(differing)
    assert not difference, difference
    assert probabilities(printed) == pytest.approx(probabilities(section.steps), abs=0.05)


# -- the README -----------------------------------------------------------------------------------


def readme_section(title: str) -> str:
    return next(section.text for section in sections(README) if section.title == title)


def test_the_readme_can_be_read_in_one_go():
    assert 150 <= len(TEXTS["README"].splitlines()) <= 250


def test_the_set_up_ends_with_the_command_whose_output_is_shown():
    set_up = re.search(r"^```sh\n(.*)\n```$", TEXTS["README"], re.M)[1]
    first = sections(README)[0].steps[0].command
    assert set_up.startswith("python3 -m venv ")
    assert set_up.endswith(f".venv/bin/{first}")


def test_the_set_up_and_the_tests_are_two_commands_that_ci_can_find():
    """`.ci/run` takes the lines that begin so."""
    assert len(re.findall(r"^python3 -m venv", TEXTS["README"], re.M)) == 2


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_stands_in_the_readme_with_its_question(command):
    assert f"| `{command.name}` | {command.question} |" in readme_section("Commands")


def test_the_forms_of_answers_are_those_of_the_code():
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", readme_section("What comes out"), re.M)
    forms = [(form, what) for form, what in rows if not form.startswith(".")]
    assert forms == [(str(form), what) for form, what in DESCRIPTIONS.items()]


def test_the_forms_of_exported_files_are_those_of_the_code():
    rows = re.findall(
        r"^\| (?:`(\.\w+)`|no suffix) \| (.+) \|$", readme_section("What comes out"), re.M
    )
    assert set(rows) == {(target.suffix, target.description) for target in TARGETS}


@pytest.mark.parametrize("file_format", FORMATS, ids=lambda file_format: file_format.name)
def test_a_file_format_is_among_the_sources(file_format):
    table = readme_section("What goes in").lower()
    assert re.search(rf"^\|.*\b{file_format.name.lower()}\b", table, re.M)


def test_the_exit_codes_are_those_of_the_code():
    codes = re.findall(r"^\| (\d+) \|", readme_section("Exit codes and environment"), re.M)
    expected = [errors.OK, errors.DATA, errors.USAGE, errors.FOUND, errors.INTERRUPTED]
    assert codes == [str(code) for code in expected]


def test_the_sample_texts_are_those_of_the_folder():
    rows = re.findall(r"^\| `sample:(\w+)` \| `([\w.]+)` \|", readme_section("Texts to try"), re.M)
    assert sorted(rows) == sorted((path.stem, path.name) for path in SAMPLE_TEXTS.iterdir())


# -- the guide ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_has_its_place_in_the_guide(command):
    assert re.search(rf"^##+ .*`{command.name}`", TEXTS["GUIDE"], re.M)


# -- both -----------------------------------------------------------------------------------------


def code_in(text: str) -> str:
    """Return the blocks of code and the inline code of a text."""
    return "\n".join(_CODE.findall(text))


@pytest.mark.parametrize("page", TEXTS)
def test_the_options_that_are_named_exist(page):
    group = typer.main.get_command(app)
    parameters = [
        parameter for command in (group, *group.commands.values()) for parameter in command.params
    ]
    options = {
        name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", code_in(TEXTS[page])))
    assert named - {"--help"}
    assert named <= options | OPTIONS_OF_OTHERS | {"--help"}


@pytest.mark.parametrize("page", TEXTS)
def test_the_commands_that_are_named_exist(page):
    named = set(re.findall(r"(?<!import )\bembedinspect ([a-z]+)\b", code_in(TEXTS[page])))
    assert named
    assert named <= {command.name for command in COMMANDS}


def anchors(page: Path) -> set[str]:
    """Return the names under which GitHub can link to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", _BLOCK.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    """Those to files of the project and to headings in them; pages of others are not asked for."""
    links = [link for link in _LINK.findall(_CODE.sub("", TEXTS[page.stem])) if "://" not in link]
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
