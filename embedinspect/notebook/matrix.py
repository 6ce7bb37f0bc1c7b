"""An embedding matrix in Python: what every command takes as SOURCE, and the questions to it."""

from __future__ import annotations

from os import fspath

from embedinspect.errors import UsageError
from embedinspect.notebook.arguments import Backend, Files, Path, Strings
from embedinspect.notebook.result import Result
from embedinspect.notebook.row_questions import RowQuestions
from embedinspect.notebook.text_questions import TextQuestions


class Matrix(RowQuestions, TextQuestions):
    """An embedding matrix that `embedinspect.open` has opened.

    Each method asks what the command of its name asks: its parameters are the options, and mean and
    default to the same. Words are one string or several; `#5` is the row of that number, and where
    the words are whole texts, the beginning of one stands for it. Texts are strings; `file` names
    files of them. Every method returns a `Result`, and raises `UsageError` for what does not fit
    and `DataError` for data that cannot be used.

    Keras is not imported unless `keras=True` asks for what the real layer or classifier says; `why`
    always needs it.

    Attributes:
        source: the matrix with its words, and all that is known of where it comes from.
    """

    def report(
        self,
        words: Strings = (),
        *more: str,
        text: Strings = (),
        file: Files = (),
        keras: bool = False,
        backend: Backend | None = None,
    ) -> Result:
        """Return all there is to see on one page; `to_html()` is that page as a file.

        Args:
            text: texts that are traced, and that a classifier reads with `keras=True`.
        """
        return self._ask("report", locals())

    def export(self, destination: Path, to: str | None = None, *, force: bool = False) -> Result:
        """Write rows and words in another format, and return what was written.

        Args:
            destination: file or folder; its suffix tells the format, or `to` names it.
        """
        if fspath(destination) == "-":
            raise UsageError("destination is '-'; expected a file or folder")
        return self._ask("export", locals())
