"""What a question was answered, for people and for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from embedinspect.errors import DataError
from embedinspect.output.forms import Answer
from embedinspect.page import Fact, Facts, Part

if TYPE_CHECKING:
    import pandas

_WIDTH = 100  # of text where no terminal shows it


class Result:
    """What a command answers: a page for people, and a document for programs.

    A notebook shows it as tables and pictures, Python's prompt and `print` as the text of a
    terminal.

    Attributes:
        notes: what is to be known of the answer, each a sentence: what the command says on stderr.
    """

    def __init__(self, answer: Answer, notes: Sequence[str] = ()) -> None:
        self.notes = tuple(notes)
        self._answer = answer
        # A page is made once, though a notebook asks for it in several forms: Keras may be in it.
        self._page: list[Part] = list(answer.page())
        if notes:
            self._page.append(Facts([Fact("note", note, "notable") for note in notes]))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of the command, as Python values: just what --json prints.

        `embedinspect schema COMMAND` describes it. Each call returns a new one.

        >>> import embedinspect as ei
        >>> answer = ei.open("sample:vectors").neighbors("king", top=1).to_dict()["answers"][0]
        >>> answer["neighbors"][0]["word"], answer["neighbors"][0]["score"]
        ('prince', 0.9475174668395171)
        """
        from embedinspect.output.document import json_parts

        document: dict[str, Any] = json.loads("".join(json_parts(self._answer.document())))
        return document

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows of the command's CSV as a data frame; a vector has a column a dimension.

        Raises:
            DataError: pandas is not installed, or the answer has no rows.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").rows(["king", "queen"]).to_pandas()[["word", "dim_0"]]
            word  dim_0
        0   king   0.92
        1  queen   0.94
        """
        try:
            import pandas
        except ImportError:
            raise DataError(
                "pandas is not installed, which to_pandas() needs; install it with: pip install "
                "pandas; to_dict() needs nothing"
            ) from None
        from embedinspect.output.document import table_rows

        columns, rows = table_rows(self._answer.document())
        if not columns:
            raise DataError("this answer has no rows for a data frame; to_dict() has all of it")
        return pandas.DataFrame.from_records(rows, columns=columns)

    def to_markdown(self) -> str:
        """Return the page as Markdown, as --format markdown prints it."""
        from embedinspect.output.markdown import markdown_lines

        return "".join(markdown_lines(self._page))

    def to_html(self) -> str:
        """Return the page as one HTML file that loads nothing from anywhere."""
        from embedinspect.output.html.document import html_document

        return html_document(self._page, self._answer.title)

    def _repr_html_(self) -> str:
        from embedinspect.output.html.document import html_fragment

        return html_fragment(self._page)

    def __repr__(self) -> str:
        from embedinspect.output.screen import plain_screen
        from embedinspect.output.terminal import page_lines

        screen = replace(plain_screen(), width=_width())
        lines = (line for line in page_lines(self._page, screen) if line is not None)
        return "\n".join(line.plain.rstrip() for line in lines)


def _width() -> int:
    """Return how wide a text may be: as `COLUMNS` says, or the terminal, or 100 in a notebook."""
    from embedinspect.output.screen import NARROWEST, columns_wanted

    wanted = columns_wanted()
    if wanted is None and sys.stdout is not None and sys.stdout.isatty():
        try:
            wanted = os.get_terminal_size(sys.stdout.fileno()).columns
        except (OSError, ValueError):
            wanted = None
    return max(NARROWEST, wanted or _WIDTH)
