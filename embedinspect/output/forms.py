"""The forms in which a command answers. A new one is a member here, and a renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from embedinspect.errors import UsageError

if TYPE_CHECKING:
    from embedinspect.output.document import Document
    from embedinspect.page import Page


class Form(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    MARKDOWN = "markdown"
    HTML = "html"
    SVG = "svg"
    PNG = "png"


# What each form is, for help and for the table in the guide.
DESCRIPTIONS: dict[Form, str] = {
    Form.TABLE: "tables for people",
    Form.JSON: "one JSON document",
    Form.NDJSON: "one line of JSON for each answer",
    Form.CSV: "comma-separated values",
    Form.MARKDOWN: "tables to paste",
    Form.HTML: "a page for a browser",
    Form.SVG: "the pictures of the page, which have any size",
    Form.PNG: "the pictures of the page as pixels",
}
# What --output alone gives: pictures are no text for a terminal or a pipe.
PICTURES = (Form.SVG, Form.PNG)
ALL = tuple(form for form in Form if form not in PICTURES)


@dataclass(frozen=True)
class Target:
    """How an answer is written, and where: to a file, or to stdout where there is none."""

    form: Form
    path: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a command answers, made when it is asked for.

    Attributes:
        page: for people.
        document: for programs.
        title: of a page for a browser that has no headline of its own.
    """

    page: Callable[[], Page]
    document: Callable[[], Document]
    title: str = "embedinspect"


def choose_form(
    name: str | None, *, json: bool, forms: Iterable[Form] = ALL, otherwise: Form = Form.TABLE
) -> Form:
    """Return the form that `--format` and `--json` ask for.

    Args:
        forms: that the command can give.
        otherwise: where neither was given.

    Raises:
        UsageError: the two contradict, or the command cannot give that form.
    """
    if json and name not in {None, Form.JSON}:
        raise UsageError(f"--json and --format {name} contradict; leave out one of the two")
    form = Form.JSON if json else Form(name) if name is not None else otherwise
    if form not in set(forms):
        raise UsageError(
            f"--format is {str(form)!r}, which this command cannot give; expected one of "
            f"{', '.join(forms)}"
        )
    return form


_CAPTURED: ContextVar[list[Answer] | None] = ContextVar("captured", default=None)


def captured(run: Callable[[], object]) -> Answer:
    """Return the answer that some work would have written: for use from Python.

    Raises:
        UsageError: it answers nothing.
    """
    answers: list[Answer] = []
    token = _CAPTURED.set(answers)
    try:
        run()
    finally:
        _CAPTURED.reset(token)
    if not answers:
        raise UsageError("this has no answer that could be returned; use it on the command line")
    return answers[-1]


def write_answer(answer: Answer, target: Target) -> None:
    """Write an answer to stdout, or to a file, of which a line on stderr tells.

    Raises:
        DataError: stdout is closed, and the answer was not even made; the file cannot be written;
            the answer has no picture, and is to be one.
    """
    answers = _CAPTURED.get()
    if answers is not None:
        answers.append(answer)
        return
    if target.path is not None:
        from embedinspect.output.files import write_file

        write_file(answer, target.form, target.path)
        return
    from embedinspect.output.stdout import standard_output, write_utf8

    standard_output()
    if target.form is Form.TABLE:
        from embedinspect.output.terminal import print_page

        print_page(answer.page())
    else:
        write_utf8(text_parts(answer, target.form))


def text_parts(answer: Answer, form: Form) -> Iterable[str]:
    """Return the pieces of an answer in a form that no screen has to be known for."""
    match form:
        case Form.TABLE:
            from embedinspect.output.terminal import plain_lines

            return plain_lines(answer.page())
        case Form.MARKDOWN:
            from embedinspect.output.markdown import markdown_lines

            return markdown_lines(answer.page())
        case Form.HTML:
            from embedinspect.output.html.document import html_parts

            return html_parts(answer.page(), answer.title)
        case Form.SVG | Form.PNG:
            from embedinspect.output.svg.page import page_svg

            return [page_svg(answer.page(), themed=form is Form.SVG)]
        case Form.JSON:
            from embedinspect.output.document import json_parts

            return json_parts(answer.document())
        case Form.NDJSON:
            from embedinspect.output.document import ndjson_lines

            return ndjson_lines(answer.document())
        case Form.CSV:
            from embedinspect.output.document import csv_lines

            return csv_lines(answer.document())
        case _:
            assert_never(form)
