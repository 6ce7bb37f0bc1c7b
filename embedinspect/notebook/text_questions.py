"""Questions to an open matrix about texts: their words and ids, and what reads them."""

from __future__ import annotations

from typing import Literal

from embedinspect.notebook.arguments import (
    Backend,
    Files,
    Ids,
    Path,
    Severity,
    Side,
    Strings,
    expect,
    ids_text,
)
from embedinspect.notebook.opened import Opened
from embedinspect.notebook.result import Result


class TextQuestions(Opened):
    """What can be asked about texts, or ids, with the words and rows of a matrix."""

    def show(
        self,
        texts: Strings = (),
        *more: str,
        file: Files = (),
        encoding: str = "utf-8",
        text_column: str | None = None,
        tokenizer: Literal["classic", "textvectorization"] | None = None,
        num_words: int | None = None,
        oov_token: str | None = None,
        filters: str | None = None,
        maxlen: int | None = None,
        padding: Side | None = None,
        truncating: Side | None = None,
        mask_zero: bool = False,
        one_hot: bool = False,
        full: bool = False,
        precision: int | None = None,
        heat: bool | None = None,
        keras: bool = False,
        backend: Backend | None = None,
    ) -> Result:
        """Return texts through the words and rows of this matrix, as `show --from` does.

        Args:
            keras: also run the real Keras layer on them and compare; of a run, let its classifier
                read them.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").show("the king").to_dict()["texts"][0]["sequence"]
        [1, 2]
        """
        expect(texts, file, "text", "texts")
        return self._ask("show", locals())

    def decode(self, ids: Ids = (), *, file: Files = ()) -> Result:
        """Return the words that ids stand for; several sequences may be an array of two dimensions.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").decode([[1, 2], [5, 0]]).to_pandas()["word"].tolist()
        ['king', 'queen', 'man', 'the']
        """
        sequences = ids_text(ids)
        expect([sequences] if sequences else [], file, "id", "ids")
        return self._ask("decode", {"ids": sequences, "file": file})

    def coverage(
        self,
        texts: Strings = (),
        *more: str,
        file: Files = (),
        encoding: str = "utf-8",
        text_column: str | None = None,
        num_words: int | None = None,
        oov_token: str | None = None,
        filters: str | None = None,
        vocabulary: Path | None = None,
        any_case: bool = False,
        write: Path | None = None,
        fill: Literal["zeros", "random"] = "zeros",
        force: bool = False,
        top: int | None = None,
    ) -> Result:
        """Return how much of texts has a vector here, and what is missing.

        Args:
            write: file for the matrix that a Keras layer needs for these texts, as `matrix.npy`.

        >>> import embedinspect as ei
        >>> covered = ei.open("sample:vectors").coverage("the queen of bread").to_dict()
        >>> covered["covered_words"], covered["different_words"]
        (3, 4)
        """
        if vocabulary is None:
            expect(texts, file, "text", "texts")
        return self._ask("coverage", locals())

    def doctor(
        self,
        texts: Strings = (),
        *more: str,
        file: Files = (),
        encoding: str = "utf-8",
        text_column: str | None = None,
        vocabulary: Path | None = None,
        index_from: int | None = None,
        reference: Path | None = None,
        num_words: int | None = None,
        oov_token: str | None = None,
        char_level: bool = False,
        filters: str | None = None,
        maxlen: int | None = None,
        padding: Side | None = None,
        truncating: Side | None = None,
        mask_zero: bool = False,
        fail_on: Severity = "error",
    ) -> Result:
        """Return what is wrong with the matrix, its words, settings and texts.

        Args:
            vocabulary: file that gives each word its id, if not the words that this was opened
                with.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").doctor().to_dict()["failed"]
        False
        """
        arguments, options = locals(), self._options
        own = None if options is None else options.words
        is_file = own is not None and own != self.source.contents.words_column
        if options is not None and is_file and vocabulary is None:
            arguments["vocabulary"] = own
            if index_from is None:
                arguments["index_from"] = options.index_from
        return self._ask("doctor", arguments)

    def why(
        self,
        texts: Strings = (),
        *more: str,
        file: Files = (),
        encoding: str = "utf-8",
        text_column: str | None = None,
        label: str | int | None = None,
        sort: Literal["change", "removed", "unknown", "attribution"] | None = None,
        baseline: Literal["padding", "zeros"] | None = None,
        steps: int | None = None,
        maxlen: int | None = None,
        padding: Side | None = None,
        truncating: Side | None = None,
        backend: Backend | None = None,
        full: bool = False,
    ) -> Result:
        """Return how the classifier of a run or of a Keras model comes to its answers.

        Args:
            label: the class whose probability is read, by its name or number; the option --class.
        """
        expect(texts, file, "text", "texts")
        return self._ask("why", {**locals(), "label": None if label is None else str(label)})
