"""Labelled data by its name or path, and as the settings of a run want it."""

from __future__ import annotations

import difflib
import os
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
    name: str,
    imdb_path: str | None,
    *,
    num_words: int | None,
    seed: int,
    text_column: str | None = None,
    label_column: str | None = None,
) -> LabelledData:
    """Return the data that was asked for.

    Args:
        name: `imdb`, or the path of a table, of Keras's `imdb.npz`, or of a folder like aclImdb.
        imdb_path: the path of `imdb`; without it Keras downloads the data.
        num_words: for `imdb.npz`, ids from this one on are out of vocabulary, by default from the
            classic 5,000 on; elsewhere every word has its id until `with_num_words`.
        seed: of the choice of the test part, where a table has none.

    Raises:
        UsageError: options that do not go together.
        DataError: data that cannot be read.
    """
    if imdb_path is not None and name != IMDB:
        raise UsageError(f"--data is the path of imdb, but the data is {name!r}; leave one out")
    path = imdb_path if name == IMDB else name
    if path is not None and os.path.isdir(path):  # False for a name that is too long, too
        return labelled.open_folder(path)
    if name == IMDB or _is_zip(path):
        limit = TrainSettings().num_words if num_words is None else num_words
        if limit <= imdb.INDEX_FROM:
            raise UsageError(
                f"--num-words is {limit}; expected 4 or more, as ids 0 to 3 are reserved"
            )
        return imdb.open_imdb(path, limit)
    assert path is not None
    place = Path(samples.resolve(path))
    if not os.path.exists(place) and not place.suffix and "/" not in path:
        close = difflib.get_close_matches(name.lower(), [IMDB], n=1)
        hint = f"; did you mean {IMDB}?" if close else ""
        raise UsageError(
            f"{name!r} is neither a file nor a folder nor a data set; expected imdb, or the path "
            f"of labelled texts{hint}"
        )
    return labelled.open_table(path, text_column, label_column, seed)


def reopen(source: dict[str, Any], moved_to: str | None, settings: TrainSettings) -> LabelledData:
    """Return the data that a run was trained on.

    Args:
        source: what the run folder says of it, as `LabelledData.source` does.
        moved_to: where the data is now, if it has another path.

    Raises:
        DataError: data that cannot be read, or a source that was not written by `train`.
    """
    kind, path = source.get("kind"), moved_to or source.get("path")
    if path is not None and not isinstance(path, str):
        raise DataError(
            f"the run has {path!r} for the path of its data; expected a string; give the path "
            "with --data"
        )
    if path and not moved_to and not Path(samples.resolve(path)).exists():
        raise DataError(
            f"the data of the run is not at {path!r} any more; expected it there, or its new path "
            "with --data"
        )
    if kind == "imdb":
        return imdb.open_imdb(path, settings.num_words)
    if kind == "folder" and path:
        return labelled.open_folder(path)
    if kind == "table" and path:
        columns = (source.get("text_column"), source.get("label_column"))
        text, label = (column if isinstance(column, str) else None for column in columns)
        return labelled.open_table(path, text, label, settings.seed)
    raise DataError(f"the run has data of the kind {kind!r}; expected imdb, table or folder")


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
