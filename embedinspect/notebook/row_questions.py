"""Questions to an open matrix about its rows: by words, by numbers, all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import fspath
from typing import Literal

from embedinspect.errors import UsageError
from embedinspect.notebook.arguments import Backend, Files, Path, Strings, TestKind, expect
from embedinspect.notebook.opened import Opened
from embedinspect.notebook.result import Result
from embedinspect.source import SourceOptions

_OTHER = "<the other matrix>"  # no path: what stands for it is held open


class RowQuestions(Opened):
    """What can be asked about the rows of a matrix."""

    def info(self, *, hubs: bool = False) -> Result:
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
        csls: bool = False,
        dims: int | None = None,
        odd_one_out: bool = False,
    ) -> Result:
        """Return the nearest rows of words, or of sums of words such as `king - man + woman`.

        Args:
            csls: correct cosines against hubs, rows that are near to everything.
            dims: cut rows to their first numbers, as Matryoshka models are used.
            dims_b: as `dims`, of the other matrix alone.

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
        metric: Literal["cosine", "euclidean"] = "euclidean",
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
        other: Opened | Path | None = None,
        words: Strings = (),
        *more: str,
        top: int | None = None,
        neighbors: int | None = None,
        align: bool = False,
        metric: Literal["cosine", "dot", "euclidean"] = "cosine",
        dims: int | None = None,
        dims_a: int | None = None,
        dims_b: int | None = None,
    ) -> Result:
        """Return what moved from this matrix to another; of a run, what training has moved.

        Args:
            other: what `open` has returned, or a path, which is opened in the same way.
            metric: how the nearness of neighbors is measured.
            dims: cut rows to their first numbers, as Matryoshka models are used.
            dims_b: as `dims`, of the other matrix alone.

        >>> import embedinspect as ei
        >>> vectors = ei.open("sample:vectors")
        >>> vectors.diff(vectors).to_dict()["unmoved"]
        26
        """
        arguments = {name: value for name, value in locals().items() if name != "other"}
        if other is None:
            return self._ask("diff", arguments)
        if not isinstance(other, Opened):
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
        self,
        *,
        over: float | None = None,
        metric: Literal["cosine", "euclidean"] | None = None,
        within: float | None = None,
        first: int | None = None,
        top: int | None = None,
    ) -> Result:
        """Return the rows that are there twice, or nearly: of a cosine of at least `over`.

        Args:
            within: compare by Euclidean distance, of which this is the largest of two such rows.
        """
        return self._ask("duplicates", locals())
