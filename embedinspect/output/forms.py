"""The forms in which a command answers. A new one is a member here, and a renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


# What each form is, for help and for the table in the guide.
DESCRIPTIONS: dict[Form, str] = {
    Form.TABLE: "tables for people",
    Form.JSON: "one JSON document",
    Form.NDJSON: "one line of JSON for each answer",
    Form.CSV: "comma-separated values",
    Form.MARKDOWN: "tables to paste",
    Form.HTML: "a page for a browser",
}
ALL = tuple(Form)


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


def write_answer(answer: Answer, form: Form) -> None:
    """Write an answer to stdout.

    Raises:
        DataError: stdout is closed; the answer was not even made.
    """
    from embedinspect.output.stdout import standard_output

    standard_output()
    match form:
        case Form.TABLE:
            from embedinspect.output.terminal import print_page

            print_page(answer.page())
        case Form.MARKDOWN:
            from embedinspect.output.markdown import markdown_lines

            _write(markdown_lines(answer.page()))
        case Form.HTML:
            from embedinspect.output.html.document import html_parts

            _write(html_parts(answer.page(), answer.title))
        case Form.JSON:
            from embedinspect.output.document import json_parts

            _write(json_parts(answer.document()))
        case Form.NDJSON:
            from embedinspect.output.document import ndjson_lines

            _write(ndjson_lines(answer.document()))
        case Form.CSV:
            from embedinspect.output.document import csv_lines

            _write(csv_lines(answer.document()))
        case _:
            assert_never(form)


def _write(parts: Iterable[str]) -> None:
    from embedinspect.output.stdout import write_utf8

    write_utf8(parts)
