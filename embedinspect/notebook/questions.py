"""Questions that need no matrix: to texts and settings, to Keras, to data."""

from __future__ import annotations

from collections.abc import Sequence
from os import fspath
from typing import Literal

from embedinspect.commands.calling import strings
from embedinspect.commands.evaluate import BETWEEN
from embedinspect.held_sources import Held
from embedinspect.notebook.arguments import (
    Backend,
    Files,
    Lstm,
    Path,
    Severity,
    Side,
    Strings,
    TestKind,
    expect,
)
from embedinspect.notebook.asking import ask
from embedinspect.notebook.matrix import Matrix
from embedinspect.notebook.opening import open_path
from embedinspect.notebook.result import Result
from embedinspect.source import SourceOptions


def show(
    texts: Strings = (),
    *,
    file: Files = (),
    encoding: str = "utf-8",
    text_column: str | None = None,
    tokenizer: Literal["classic", "textvectorization"] = "classic",
    num_words: int | None = None,
    oov_token: str | None = None,
    char_level: bool = False,
    filters: str | None = None,
    vocabulary: Path | None = None,
    save_vocabulary: Path | None = None,
    maxlen: int | None = None,
    padding: Side | None = None,
    truncating: Side | None = None,
    mask_zero: bool = False,
    input_dim: int | None = None,
    output_dim: int | None = None,
    seed: int | None = None,
    matrix: Path | None = None,
    one_hot: bool = False,
    full: bool = False,
    precision: int | None = None,
    heat: bool | None = None,
    keras: bool = False,
    backend: Backend | None = None,
) -> Result:
    """Return what an Embedding layer does with texts: ids, padded sequences, rows, output.

    Args:
        keras: also run the real Keras layer on them, and compare.

    >>> import embedinspect as ei
    >>> ei.show(["This is a text", "Is this a text"]).to_dict()["texts"][1]["sequence"]
    [2, 1, 3, 4]
    """
    expect(texts, file, "text", "one or more texts")
    return ask("show", locals())


def explain(
    topic: str | None = None,
    texts: Strings = (),
    *,
    file: Files = (),
    encoding: str = "utf-8",
    num_words: int | None = None,
    maxlen: int | None = None,
    input_dim: int | None = None,
    output_dim: int | None = None,
    units: int | None = None,
    keras: bool = False,
    backend: Backend | None = None,
) -> Result:
    """Return the answer to a question about embedding layers; without one, what there is to ask.

    Args:
        topic: a topic, a name from code, or a question.
        keras: also run the part of the lesson that only Keras can show.

    >>> import embedinspect as ei
    >>> ei.explain("get_weights").to_dict()["topic"]
    'vectors'
    """
    arguments = locals()
    return ask("explain", {**arguments, "keras": None if topic is None else keras})


def evaluate(
    sources: Matrix | Path | Sequence[Matrix | Path],
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
    """Return how good matrices are, by files of tests; of several, which differences are real.

    Args:
        sources: what `open` has returned, or paths.
        kind: what the files are; the option --as.

    >>> import embedinspect as ei
    >>> tested = ei.evaluate(["sample:vectors", "sample:vectors"], "sample:analogies").to_dict()
    >>> len(tested["sources"])
    2
    """
    arguments = {name: value for name, value in locals().items() if name != "sources"}
    several = (
        sources if isinstance(sources, Sequence) and not isinstance(sources, str) else [sources]
    )
    opened = [
        one if isinstance(one, Matrix) else open_path(fspath(one), SourceOptions())
        for one in several
    ]
    names = [f"<source {number}>" for number in range(len(opened))]
    tests = strings(files, "files")
    if len(opened) > 1:
        tests = [*names[1:], BETWEEN, *tests]
    held: Held = {(name, None): one.source for name, one in zip(names, opened, strict=True)}
    told = [note for one in opened for note in one._told]
    return ask("evaluate", {**arguments, "path": names[0], "files": tests}, held, told)


def doctor(
    texts: Strings = (),
    *,
    file: Files = (),
    encoding: str = "utf-8",
    text_column: str | None = None,
    vocabulary: Path | None = None,
    index_from: int | None = None,
    num_words: int | None = None,
    oov_token: str | None = None,
    char_level: bool = False,
    filters: str | None = None,
    maxlen: int | None = None,
    padding: Side | None = None,
    truncating: Side | None = None,
    mask_zero: bool = False,
    input_dim: int | None = None,
    fail_on: Severity = "error",
) -> Result:
    """Return what is wrong with texts and settings; a matrix has a `doctor` of its own.

    >>> import embedinspect as ei
    >>> ei.doctor("one two three", input_dim=3).to_dict()["failed"]
    True
    """
    if vocabulary is None:
        expect(texts, file, "text", "texts")
    return ask("doctor", locals())


def train(
    data_set: Path | None = None,
    *,
    data: Path | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    limit: int | None = None,
    validation: float | None = None,
    num_words: int | None = None,
    maxlen: int | None = None,
    padding: Side | None = None,
    truncating: Side | None = None,
    mask_zero: bool | None = None,
    output_dim: int | None = None,
    units: int | None = None,
    dropout: float | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    learning_rate: float | None = None,
    early_stopping: int | None = None,
    seed: int | None = None,
    lstm: Lstm | None = None,
    shards: int | None = None,
    shard_rows: bool | None = None,
    processes: int | None = None,
    coordinator: str | None = None,
    process_id: int | None = None,
    tensorboard: Path | None = None,
    out: Path | None = None,
    force: bool = False,
    resume: Path | None = None,
    backend: Backend | None = None,
) -> Result:
    """Train the classic classifier, and return what it has learned; Keras runs.

    The run folder at `out` (`runs/NAME` by default) is what `open` opens then.

    Args:
        data_set: labelled texts: `imdb`, a file, a folder; `sample:reviews` to try.
    """
    return ask("train", locals())
