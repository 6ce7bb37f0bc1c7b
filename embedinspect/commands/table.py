"""The table of commands: the app, its help, `schema`, the first screen and the tests read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from embedinspect.commands import (
    axis,
    cache,
    coverage,
    decode,
    diff,
    doctor,
    duplicates,
    evaluate,
    explain,
    export,
    help_command,
    info,
    neighbors,
    report,
    rows,
    schema,
    show,
    train,
    why,
)
from embedinspect.commands import map as map_command
from embedinspect.commands.parsing import CommandParser
from embedinspect.output.forms import ALL, Form

LEARN, LOOK, MEND, OTHER = "Learn", "Look inside", "Check and convert", "This tool"


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: as it is typed.
        run: parses nothing: its parameters are the options, its docstring the help.
        panel: of the help, and group on the first screen.
        question: that it answers, as a user would ask it.
        forms: in which it can answer; none for a command that prints something else.
        parser: how its arguments are read.
    """

    name: str
    run: Callable[..., None]
    panel: str
    question: str
    forms: tuple[Form, ...] = ALL
    parser: type[CommandParser] = CommandParser


COMMANDS = (
    Command("show", show.show, LEARN, "What does an Embedding layer do with my texts?"),
    Command(
        "explain",
        explain.explain,
        LEARN,
        "How does this work in Keras, and why does it not?",
        forms=(Form.TABLE, Form.JSON, Form.NDJSON, Form.MARKDOWN, Form.HTML),
    ),
    Command("train", train.train, LEARN, "What does a classifier learn from labelled texts?"),
    Command("why", why.why, LEARN, "Why does the classifier say that?"),
    Command("info", info.info, LOOK, "What is in this matrix, and which rows are odd?"),
    Command("rows", rows.rows, LOOK, "Which numbers does a word have?"),
    Command("decode", decode.decode, LOOK, "Which words are these ids?"),
    Command("neighbors", neighbors.neighbors, LOOK, "What is near what?"),
    Command(
        "axis",
        axis.axis,
        LOOK,
        "Where do words stand between two ends?",
        parser=axis.EndsParser,
    ),
    Command(
        "map",
        map_command.map_,
        LOOK,
        "Where do the rows lie, and which lie apart?",
        parser=map_command.AxisParser,
    ),
    Command("diff", diff.diff, LOOK, "What moved in training, or between two models?"),
    Command(
        "evaluate",
        evaluate.evaluate,
        LOOK,
        "Is this embedding any good?",
        parser=evaluate.FilesParser,
    ),
    Command(
        "report",
        report.report,
        LOOK,
        "What is there to see, on one page?",
        forms=(Form.TABLE, Form.JSON, Form.NDJSON, Form.MARKDOWN, Form.HTML),
    ),
    Command("duplicates", duplicates.duplicates, LOOK, "What is in here twice, or nearly?"),
    Command("doctor", doctor.doctor, MEND, "What is wrong with my model?"),
    Command("coverage", coverage.coverage, MEND, "Which of my words have a vector?"),
    Command("export", export.export, MEND, "How do I get the vectors out?"),
    Command("cache", cache.cache, OTHER, "What is kept of large files?"),
    Command("schema", schema.schema, OTHER, "How is a command's JSON made?", forms=()),
    Command("help", help_command.help_, OTHER, "How is a command used?", forms=()),
)
