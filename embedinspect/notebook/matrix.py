"""An embedding matrix in Python: what every command takes as SOURCE, and the questions to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import fspath
from typing import Any, Literal

from embedinspect.commands.calling import strings
from embedinspect.errors import UsageError
from embedinspect.held_sources import Held
from embedinspect.notebook.arguments import (
    SOURCE_NAMES,
    Backend,
    Files,
    Ids,
    Path,
    Severity,
    Side,
    Strings,
    TestKind,
    expect,
    ids_text,
    reading_of,
)
from embedinspect.notebook.asking import ask, taken
from embedinspect.notebook.result import Result
from embedinspect.source import Source, SourceOptions

_OTHER = "<the other matrix>"  # no path: what stands for it is held open


class Matrix:
    """An embedding matrix that `embedinspect.open` has opened.

    Each method asks what the command of its name asks: its parameters are the options, and mean and
    default to the same. Words are one string or several, `#5` is the row of that number. Texts are
    strings; `file` names files of them. Every method returns a `Result`, and raises `UsageError`
    for what does not fit and `DataError` for data that cannot be used.

    Keras is not imported unless `keras=True` asks for what the real layer or classifier says; `why`
    always needs it.

    Attributes:
        source: the matrix with its words, and all that is known of where it comes from.
    """

    def __init__(self, source: Source, options: SourceOptions | None, told: Sequence[str]) -> None:
        """Keep what was opened.

        Args:
            options: it was opened with; None where there is no file to open anew.
            told: notes that were told when it was opened.
        """
        self.source = source
        self._options = options
        self._told = tuple(told)

    def __repr__(self) -> str:
        shape = f"({self.source.matrix.input_dim}, {self.source.matrix.output_dim})"
        return f"<embedinspect {self.source.kind} {self.source.path!r} {shape}>"

    def info(self) -> Result:
        """Return what the matrix is like: its shape, words, lengths of rows, and odd rows.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").info().to_dict()["source"]["input_dim"]
        26
        """
        return self._ask("info", locals())

    def rows(
        self,
        words: Strings = (),
        *more: str,
        sort: Literal["norm", "-norm", "moved", "outlier", "frequency"] | None = None,
        where: Strings = (),
        top: int | None = None,
        full: bool = False,
        precision: int | None = None,
        heat: bool | None = None,
    ) -> Result:
        """Return the vectors of words, or lists of rows; `to_pandas()` has a column a dimension.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").rows("king", "#5").to_pandas()["word"].tolist()
        ['king', 'man']
        """
        return self._ask("rows", locals())

    def neighbors(
        self,
        words: Strings = (),
        *more: str,
        file: Files = (),
        top: int | None = None,
        metric: Literal["cosine", "dot", "euclidean"] = "cosine",
        odd_one_out: bool = False,
    ) -> Result:
        """Return the nearest rows of words, or of sums of words such as `king - man + woman`.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").neighbors("king - man + woman", top=1).to_pandas()["word"][0]
        'queen'
        """
        expect(words, file, "word", "words, or a sum of words in one string")
        return self._ask("neighbors", locals())

    def axis(
        self,
        words: Strings = (),
        *more: str,
        low: Strings,
        high: Strings,
        top: int | None = None,
        first: int | None = None,
        keras: bool = False,
        backend: Backend | None = None,
    ) -> Result:
        """Return where words stand between two ends; without words, where all do.

        Args:
            keras: also ask the classifier of a run for its word on each.

        >>> import embedinspect as ei
        >>> scale = ei.open("sample:vectors").axis("good", "bad", low="awful", high="great")
        >>> scale.to_pandas()["word"].tolist()
        ['bad', 'good']
        """
        return self._ask("axis", locals())

    def map(
        self,
        words: Strings = (),
        *more: str,
        first: int | None = None,
        method: Literal["pca", "pacmap", "umap", "tsne"] = "pca",
        axis: Sequence[tuple[str, str]] = (),
        color_by: str | None = None,
        before: int | None = None,
        after: int | None = None,
        seed: int | None = None,
        backend: Backend | None = None,
    ) -> Result:
        """Return the rows in two dimensions; the words are marked among them.

        Args:
            axis: a pair of words for the axis across, or two pairs, as
                `[("man", "woman"), ("bad", "good")]`.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").map("king").to_pandas().columns.tolist()[:4]
        ['row', 'word', 'x', 'y']
        """
        arguments = locals()
        pairs = [axis] if axis and isinstance(axis[0], str) else axis
        if any(len(pair) != 2 for pair in pairs):
            raise UsageError(f"axis is {axis!r}; expected pairs of words, as [('bad', 'good')]")
        return self._ask("map", {**arguments, "axis": [end for pair in pairs for end in pair]})

    def diff(
        self,
        other: Matrix | Path | None = None,
        words: Strings = (),
        *more: str,
        top: int | None = None,
        neighbors: int | None = None,
        align: bool = False,
    ) -> Result:
        """Return what moved from this matrix to another; of a run, what training has moved.

        Args:
            other: what `open` has returned, or a path, which is opened in the same way.

        >>> import embedinspect as ei
        >>> vectors = ei.open("sample:vectors")
        >>> vectors.diff(vectors).to_dict()["unmoved"]
        26
        """
        arguments = {name: value for name, value in locals().items() if name != "other"}
        if other is None:
            return self._ask("diff", arguments)
        if not isinstance(other, Matrix):
            from embedinspect.notebook.opening import open_path

            other = open_path(fspath(other), replace(self._options or SourceOptions(), epoch=None))
        return self._ask("diff", {**arguments, "b": _OTHER}, {(_OTHER, None): other.source})

    def evaluate(
        self,
        files: Files,
        *,
        kind: TestKind | None = None,
        oov: Literal["skip", "wrong"] = "skip",
        case: bool = False,
        restrict: int | None = None,
        method: Literal["cosadd", "cosmul"] = "cosadd",
        top: int | None = None,
        encoding: str = "utf-8",
        seed: int | None = None,
    ) -> Result:
        """Return how good the vectors are, by files of tests; `kind` is the option --as.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").evaluate("sample:analogies").to_dict()["command"]
        'evaluate'
        """
        return self._ask("evaluate", locals())

    def duplicates(
        self, *, over: float | None = None, first: int | None = None, top: int | None = None
    ) -> Result:
        """Return the rows that are there twice, or nearly: of a cosine of at least `over`."""
        return self._ask("duplicates", locals())

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

    def export(self, destination: Path, to: str | None = None, *, force: bool = False) -> Result:
        """Write rows and words in another format, and return what was written.

        Args:
            destination: file or folder; its suffix tells the format, or `to` names it.
        """
        if fspath(destination) == "-":
            raise UsageError("destination is '-'; expected a file or folder")
        return self._ask("export", locals())

    def _ask(self, command: str, arguments: Mapping[str, Any], held: Held | None = None) -> Result:
        """Return what a command answers to arguments by their names, words or texts and more."""
        named = {name: value for name, value in arguments.items() if name not in {"self", "more"}}
        if arguments.get("more"):
            first = "texts" if "texts" in named else "words"
            named[first] = [*strings(named[first], first), *arguments["more"]]
        path, options = self.source.path, self._options
        reading = reading_of(options or SourceOptions())
        if command == "doctor":  # its vocabulary goes by a name of its own
            reading.pop("index_from")
        asked = {SOURCE_NAMES.get(command, "path"): path, **taken(command, reading), **named}
        return ask(command, asked, {(path, options): self.source, **(held or {})}, self._told)
