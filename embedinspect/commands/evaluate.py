"""`embedinspect evaluate`: is this embedding any good?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from annotated_types import Interval

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.commands.notes import note
from embedinspect.commands.parsing import CommandParser
from embedinspect.errors import DataError, UsageError
from embedinspect.output.forms import Answer, write_answer

if TYPE_CHECKING:
    from embedinspect.analysis.evaluate.items import TestFile
    from embedinspect.source import Source

BETWEEN = "\0"  # stands for the -- between sources and files; no path holds it
_SEVERAL = "several sources stand before --, as in: embedinspect evaluate A B -- FILE"


class FilesParser(CommandParser):
    """Keeps the place of `--`, which stands between several sources and the files of tests."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left, as Typer has it."""
        if "--" in args:
            place = args.index("--")
            args = [*args[:place], BETWEEN, *args[place:]]
        return super().parse_args(ctx, args)


def evaluate(
    asked: SourceGroup,
    form: FormGroup,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Tests: analogies, rated pairs, odd ones out, categories, association tests; "
            "sample:analogies to try. Several sources stand before --, the files behind it.",
            show_default=False,
        ),
    ],
    kind: Annotated[
        Literal["analogies", "pairs", "odd-one-out", "categories", "association"] | None,
        option.option(
            option.QUESTION,
            "What the files are; by default their content tells it.",
            "--as",
            show_default="told by content",
        ),
    ] = None,
    oov: Annotated[
        Literal["skip", "wrong"],
        option.option(
            option.QUESTION, "What becomes of an item with a word that has no vector.", "--oov"
        ),
    ] = "skip",
    case: Annotated[
        bool,
        option.flag(
            option.QUESTION,
            "Tell capitals from small letters; by default the first row of a word is taken, in "
            "whatever case.",
            "--case",
        ),
    ] = False,
    restrict: Annotated[
        option.Count | None,
        option.option(
            option.QUESTION,
            "Look only at the first N rows, which are the frequent words of word vectors.",
            "--restrict",
            metavar="N",
            show_default="all",
        ),
    ] = None,
    method: Annotated[
        Literal["cosadd", "cosmul"],
        option.option(option.QUESTION, "How an analogy is scored.", "--method"),
    ] = "cosadd",
    top: Annotated[
        Annotated[int, Interval(ge=1, le=100)] | None,
        option.option(
            option.QUESTION,
            "Count an analogy or odd one out as right if the answer is among the N best.",
            "--top",
            "-n",
            metavar="N",
            show_default="1",
        ),
    ] = None,
    encoding: option.Encoding = "utf-8",
    seed: Annotated[
        option.SeedNumber | None,
        option.option(
            option.QUESTION,
            "Seed of what is drawn: shuffles, bootstraps, the starts of clusters.",
            "--seed",
            metavar="N",
            show_default="0",
        ),
    ] = None,
) -> None:
    """Judge an embedding by tests: analogies, rated pairs, odd ones out, categories, WEAT.

    Each number stands beside what chance gives, and what the same answers give when they are
    shuffled. What kind of test a file is, its content tells. Several sources before a -- are
    compared: differences that are more than chance are named.

    \b
    Examples:
    embedinspect evaluate sample:vectors sample:analogies
    embedinspect evaluate glove.6B.50d.txt questions-words.txt wordsim353.tsv --restrict 300000
    embedinspect evaluate runs/first runs/second -- pairs.csv
    embedinspect evaluate glove.6B.50d.txt weat.json --seed 1 --json
    """
    chosen = form.choose()
    from embedinspect.analysis.evaluate import run
    from embedinspect.analysis.evaluate.results import Settings
    from embedinspect.output import evaluate as output
    from embedinspect.output.counting import counting

    others, names, marked = _split(files)
    tests = []
    for name in names:
        tests.append(
            _read(name, kind, encoding, strict=asked.strict, alone=marked or len(names) < 2)
        )
    sources = [asked.source(), *(_open(asked, path) for path in others)]
    settings = Settings(oov, case, restrict, method, top or 1, seed or 0)
    questions = sum(test.size for test in tests if test.kind == "analogies") * len(sources)
    with counting("Answering analogies", questions) as progress:
        evaluation = run.evaluate(sources, tests, settings, progress)
    answer = Answer(
        title=f"Tests of {', '.join(one.path for one in sources)}",
        page=lambda: output.page(evaluation),
        document=lambda: output.document(evaluation),
    )
    write_answer(answer, chosen)
    nothing = output.nothing_judged(evaluation)
    if nothing is not None:
        note(f"Warning: {nothing}")


def _split(arguments: list[str]) -> tuple[list[str], list[str], bool]:
    """Return the sources beside the first one, the files, and whether a -- stood between them.

    Raises:
        UsageError: no source before it, or no file behind it.
    """
    if BETWEEN not in arguments:
        return [], arguments, False
    place = arguments.index(BETWEEN)
    files = arguments[place + 1 :]
    if not files:
        raise UsageError(f"no file stands behind --; {_SEVERAL}")
    return arguments[:place], files, True


def _read(name: str, kind: Any, encoding: str, *, strict: bool, alone: bool) -> TestFile:
    from embedinspect.analysis.evaluate.reading import read_test

    try:
        return read_test(name, kind, encoding=encoding, strict=strict)
    except DataError as error:
        if alone:
            raise
        raise DataError(f"{error}; {_SEVERAL}") from None


def _open(asked: SourceGroup, path: str) -> Source:
    """Return another source; --epoch holds for it where it is a run."""
    from pathlib import Path

    from embedinspect.training.run_state import is_run

    return asked.open(path, asked.epoch if is_run(Path(path)) else None)
