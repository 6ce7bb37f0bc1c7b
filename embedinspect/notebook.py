"""The tool in Python and in notebooks: its questions as functions, its answers as values.

Each function asks what the command of the same name asks, with the same options by the same names,
and by the same code: so an answer is just what the command prints. `import embedinspect` has these
names, and loads this module when one of them is used.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.output.forms import Answer, captured
from embedinspect.page import Part
from embedinspect.source import SourceOptions, open_source

__all__ = [
    "DataError",
    "EmbedInspectError",
    "Matrix",
    "Result",
    "UsageError",
    "evaluate",
    "explain",
    "open",
    "show",
]

Metric = Literal["cosine", "dot", "euclidean"]
Words = str | Sequence[str]
_WIDTH = 100


class Result:
    """What a question was answered: a page for people and a document for programs.

    A notebook shows it as tables and pictures, `print` as the text of a terminal.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._parts: list[Part] | None = None
        self._told: dict[str, Any] | None = None

    @property
    def _page(self) -> list[Part]:
        if self._parts is None:
            self._parts = list(self._answer.page())
        return self._parts

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of the command, as Python values.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").neighbors("king", top=1).to_dict()["answers"][0]["question"]
        'king'
        """
        if self._told is None:
            from embedinspect.output.document import json_parts

            self._told = json.loads("".join(json_parts(self._answer.document())))
        return self._told

    def to_pandas(self) -> Any:
        """Return the rows of the command's CSV as a data frame; a vector has a column a dimension.

        Raises:
            DataError: pandas is not installed.
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
        return pandas.DataFrame.from_records(rows, columns=columns)

    def to_html(self) -> str:
        """Return the page as one HTML file that loads nothing from anywhere."""
        from embedinspect.output.html.document import html_document

        return html_document(self._page, self._answer.title)

    def _repr_html_(self) -> str:
        from embedinspect.output.html.document import html_fragment

        return html_fragment(self._page)

    def __repr__(self) -> str:
        from embedinspect.output.screen import open_screen
        from embedinspect.output.terminal import page_lines

        screen = open_screen(io.StringIO(), _WIDTH)
        lines = (line for line in page_lines(self._page, screen) if line is not None)
        return "\n".join(line.plain.rstrip() for line in lines)


class Matrix:
    """An embedding matrix that was opened: what every command takes as SOURCE.

    Words are single strings or lists of them; `#5` is the row of that number, as in the commands.
    """

    def __init__(self, path: str, options: SourceOptions) -> None:
        self._path = path
        self._options = options
        self.source = open_source(path, options)

    def __repr__(self) -> str:
        shape = f"({self.source.matrix.input_dim}, {self.source.matrix.output_dim})"
        return f"<embedinspect {self.source.kind} {self._path!r} {shape}>"

    def _ask(self, command: str, *arguments: str, **options: Any) -> Result:
        reading = {
            name: getattr(self._options, name)
            for name in (
                "epoch",
                "layer",
                "tensor",
                "vectors",
                "index_from",
                "words_from",
                "strict",
            )
        }
        reading["words"] = self._options.words
        reading["no_cache"] = not self._options.cache
        return _ask(command, self._path, *arguments, **reading, **options)

    def info(self) -> Result:
        """Return what the matrix is like: shape, words, lengths of the rows, odd rows."""
        return self._ask("info")

    def rows(self, words: Words, *more: str) -> Result:
        """Return the vectors of words.

        >>> import embedinspect as ei
        >>> ei.open("sample:vectors").rows("king").to_dict()["rows"][0]["row"]
        1
        """
        return self._ask("rows", *_words(words), *more)

    def neighbors(
        self,
        words: Words,
        *more: str,
        top: int | None = None,
        metric: Metric = "cosine",
        odd_one_out: bool = False,
    ) -> Result:
        """Return the rows nearest to words, or to sums such as `king - man + woman`."""
        return self._ask(
            "neighbors", *_words(words), *more, top=top, metric=metric, odd_one_out=odd_one_out
        )

    def axis(
        self,
        words: Words = (),
        *,
        low: Words,
        high: Words,
        top: int | None = None,
        first: int | None = None,
        keras: bool = False,
    ) -> Result:
        """Return where words stand between two ends; all words where none is named.

        Args:
            keras: of a run, also ask its classifier.
        """
        named = _words(words)
        asked = [*named, "--low", *_words(low), "--high", *_words(high)]
        return self._ask("axis", *asked, top=top, first=first, no_keras=not keras)

    def diff(
        self,
        other: str | None = None,
        words: Words = (),
        *,
        align: bool = False,
        neighbors: int | None = None,
        top: int | None = None,
    ) -> Result:
        """Return what moved between this matrix and another; of a run, since before training."""
        seconds = [] if other is None else [other]
        return self._ask(
            "diff", *seconds, *_words(words), align=align, neighbors=neighbors, top=top
        )

    def coverage(self, texts: Words, *, any_case: bool = False, top: int | None = None) -> Result:
        """Return how much of the texts has a vector, and why the rest has none."""
        return self._ask("coverage", *_words(texts), any_case=any_case, top=top)

    def decode(self, ids: Iterable[int]) -> Result:
        """Return the words that ids stand for."""
        return self._ask("decode", " ".join(map(str, ids)))

    def doctor(self, texts: Words = ()) -> Result:
        """Return what is wrong with the matrix, its words, and texts if there are some."""
        reading = {name: getattr(self._options, name) for name in ("epoch", "layer", "tensor")}
        return _ask("doctor", self._path, *_words(texts), **reading)

    def map(
        self,
        words: Words = (),
        *,
        first: int | None = None,
        method: str = "pca",
        axis: Sequence[tuple[str, str]] = (),
        color_by: str | None = None,
        before: int | None = None,
        seed: int | None = None,
    ) -> Result:
        """Return the rows in two dimensions; words are marked."""
        ends = [part for low, high in axis for part in ("--axis", low, high)]
        return self._ask(
            "map",
            *_words(words),
            *ends,
            first=first,
            method=method,
            color_by=color_by,
            before=before,
            seed=seed,
        )

    def duplicates(
        self, *, over: float | None = None, first: int | None = None, top: int | None = None
    ) -> Result:
        """Return the rows that are there twice, or nearly: those of a cosine of at least `over`."""
        return self._ask("duplicates", over=over, first=first, top=top)

    def why(self, texts: Words, *, sort: str | None = None, full: bool = False) -> Result:
        """Return how the classifier of a run or a Keras model comes to its answers. Keras runs."""
        return self._ask("why", *_words(texts), sort=sort, full=full)

    def report(self, words: Words = (), *, text: Words = (), keras: bool = True) -> Result:
        """Return all of that on one page; `to_html()` makes a file of it."""
        return self._ask("report", *_words(words), text=_words(text), no_keras=not keras)

    def show(self, texts: Words, *, maxlen: int | None = None, keras: bool = False) -> Result:
        """Return texts through the vocabulary, the sequences and the rows of this matrix.

        Args:
            keras: also run the real Keras layer on them, and compare.
        """
        reading = {
            name: getattr(self._options, name)
            for name in ("epoch", "layer", "tensor", "vectors", "words_from")
        }
        reading["words"] = self._options.words
        texts = _words(texts)
        return _ask(
            "show", *texts, **{"from": self._path}, **reading, maxlen=maxlen, no_keras=not keras
        )


def open(  # noqa: A001 (it is what one does with a matrix)
    path: str,
    *,
    epoch: int | None = None,
    layer: str | None = None,
    tensor: str | None = None,
    vectors: str | None = None,
    words: str | None = None,
    index_from: int | None = None,
    words_from: str | None = None,
    strict: bool = False,
    cache: bool = True,
) -> Matrix:
    """Return the matrix at a path: a run, a model, word vectors, a table of vectors.

    Raises:
        UsageError: an option that does not fit the file.
        DataError: a file that cannot be read.

    >>> import embedinspect as ei
    >>> ei.open("sample:vectors")
    <embedinspect GloVe text 'sample:vectors' (26, 6)>
    """
    options = SourceOptions(
        epoch=epoch,
        layer=layer,
        tensor=tensor,
        vectors=vectors,
        words=words,
        index_from=index_from,
        words_from=words_from,
        strict=strict,
        cache=cache,
    )
    return Matrix(str(path), options)


def show(
    texts: Words,
    *,
    num_words: int | None = None,
    oov_token: str | None = None,
    maxlen: int | None = None,
    padding: Literal["pre", "post"] | None = None,
    truncating: Literal["pre", "post"] | None = None,
    mask_zero: bool = False,
    input_dim: int | None = None,
    output_dim: int | None = None,
    seed: int | None = None,
    keras: bool = False,
) -> Result:
    """Return what an Embedding layer does with texts: ids, sequences, rows.

    Args:
        keras: also run the real Keras layer on them, and compare.

    >>> import embedinspect as ei
    >>> ei.show(["This is a text"]).to_dict()["texts"][0]["sequence"]
    [1, 2, 3, 4]
    """
    return _ask(
        "show",
        *_words(texts),
        num_words=num_words,
        oov_token=oov_token,
        maxlen=maxlen,
        padding=padding,
        truncating=truncating,
        mask_zero=mask_zero,
        input_dim=input_dim,
        output_dim=output_dim,
        seed=seed,
        no_keras=not keras,
    )


def explain(topic: str | None = None, texts: Words = (), *, keras: bool = False) -> Result:
    """Return the answer to a question about embedding layers; without one, what there is to ask.

    Args:
        keras: also run the part of the lesson that only Keras can show.
    """
    if topic is None:
        return _ask("explain")
    return _ask("explain", topic, *_words(texts), no_keras=not keras)


def evaluate(path: str, files: Words, *, top: int | None = None) -> Result:
    """Return how good the vectors at a path are, by files of tests."""
    return _ask("evaluate", path, *_words(files), top=top)


def _words(words: Words) -> list[str]:
    return [words] if isinstance(words, str) else [str(word) for word in words]


def _ask(command: str, *arguments: str, **options: Any) -> Result:
    """Return what a command answers.

    What stands behind `--` is no option, whatever it begins with.
    """
    from embedinspect.cli import ask

    named: list[str] = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            named.append(option)
        elif isinstance(value, list):
            named += [part for one in value for part in (option, one)]
        elif value not in {None, False}:
            named += [option, str(value)]
    has_options = any(argument in _ENDS for argument in arguments)
    line = [command, *named, "--", *arguments]
    if has_options:  # the words of an end stand behind it, and the source before it
        line = [command, arguments[0], *arguments[1:], *named]
    return Result(captured(lambda: ask(line)))


_ENDS = frozenset({"--low", "--high", "--axis"})
