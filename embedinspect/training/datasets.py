"""Which labelled data is meant, and what it needs to be trained on with given settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect import samples
from embedinspect.errors import DataError, UsageError
from embedinspect.training import imdb, labelled
from embedinspect.training.data import LabelledData, Part
from embedinspect.training.settings import TrainSettings

IMDB = "imdb"


def open_data(
    what: str,
    data: str | None,
    *,
    num_words: int | None,
    seed: int,
    text_column: str | None = None,
    label_column: str | None = None,
) -> LabelledData:
    """Return the data that was asked for.

    Args:
        what: `imdb`, or the path of a table, of Keras's `imdb.npz`, or of a folder like aclImdb.
        data: for `imdb`, where it lies; without it Keras downloads it.
        num_words: for IMDB, ids below this one are used, by default the classic 5,000; elsewhere
            all words get ids, until `with_num_words`.

    Raises:
        UsageError: options that do not go together. DataError: what cannot be read.
    """
    if data is not None and what != IMDB:
        raise UsageError(f"--data says where imdb lies, but {what!r} was asked for; leave one out")
    path = data if what == IMDB else what
    if path is not None and Path(path).is_dir():
        return labelled.open_folder(path)
    if what == IMDB or _is_zip(path):
        limit = TrainSettings().num_words if num_words is None else num_words
        if limit <= imdb.INDEX_FROM:
            raise UsageError(
                f"--num-words is {limit}; expected 4 or more, as ids 0 to 3 are reserved"
            )
        return imdb.open_imdb(path, limit)
    assert path is not None
    place = Path(samples.resolve(path))
    if not place.exists() and not place.suffix and "/" not in path:
        raise UsageError(
            f"{what!r} is neither a file nor a folder nor a data set; expected imdb, or the path "
            "of labelled texts"
        )
    return labelled.open_table(path, text_column, label_column, seed)


def reopen(source: dict[str, Any], data: str | None, settings: TrainSettings) -> LabelledData:
    """Return the data that a run was trained on, by what its folder says of the source.

    Args:
        data: another path to the same data.
    """
    kind, path = source.get("kind"), data or source.get("path")
    if path is not None and not isinstance(path, str):
        raise DataError("the run names a data path that is no string; give it with --data")
    if kind == "imdb":
        return imdb.open_imdb(path, settings.num_words)
    if kind == "folder" and path:
        return labelled.open_folder(path)
    if kind == "table" and path:
        columns = (source.get("text_column"), source.get("label_column"))
        text, label = (c if isinstance(c, str) else None for c in columns)
        return labelled.open_table(path, text, label, settings.seed)
    raise DataError(f"the run names data of an unknown kind {kind!r}; expected imdb, table, folder")


def with_num_words(data: LabelledData, num_words: int) -> LabelledData:
    """Return the data with every id from `num_words` on out of vocabulary.

    Raises:
        UsageError: not even the out-of-vocabulary id is below `num_words`.
    """
    oov = data.vocabulary.oov_id
    assert oov is not None
    if num_words <= oov:
        raise UsageError(f"--num-words is {num_words}; expected {oov + 1} or more")
    if data.vocabulary.num_words == num_words:
        return data

    def clipped(part: Part) -> Part:
        ids = [np.where(ids >= num_words, np.int32(oov), ids) for ids in part.ids]
        return Part(ids, part.labels)

    return replace(
        data,
        train=clipped(data.train),
        test=clipped(data.test),
        vocabulary=replace(data.vocabulary, num_words=num_words),
    )


def _is_zip(path: str | None) -> bool:
    try:
        with open(path or "", "rb") as file:
            return file.read(2) == b"PK"
    except (OSError, ValueError):
        return False
