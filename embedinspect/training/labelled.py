"""Labelled texts from files: CSV, TSV, JSON Lines, and folders in the aclImdb layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from embedinspect import samples
from embedinspect import vocabulary as vocabularies
from embedinspect.errors import DataError, UsageError
from embedinspect.text_tables import (
    LABEL_COLUMNS,
    column_of,
    column_of_texts,
    no_column,
    rows_of,
)
from embedinspect.texts import decode, read_bytes
from embedinspect.training.data import LabelledData, Part, fingerprint
from embedinspect.wording import clipped_repr, plural

POSITIVE = {"positive", "pos", "1", "true", "yes", "good", "1.0", "+"}
OOV_TOKEN = "<OOV>"
TEST_SHARE = 0.2
FEWEST_TEXTS = 5


def open_table(
    path: str, text_column: str | None, label_column: str | None, seed: int
) -> LabelledData:
    """Return labelled texts from one file, a fifth of them set apart as the test part.

    JSON Lines are recognised by their first character, TSV by a tab in the first line;
    everything else is CSV.

    Args:
        text_column: the column of the texts, by default the first of the usual names.
        label_column: the column of the labels, likewise.
        seed: of the choice of the test part.

    Raises:
        DataError: a row without text or label, a third label, or a file that is not UTF-8; the
            message names the line.
        UsageError: a column that the file does not have.
    """
    path_label = repr(path)
    contents = decode(
        read_bytes(path, "labelled texts (CSV, TSV, JSON Lines)"), "utf-8", path_label
    )
    texts, labels, lines = [], [], []
    for line, text, label in _labelled_rows(contents, text_column, label_column, path_label):
        texts.append(text)
        labels.append(label)
        lines.append(line)
    names = _label_names(labels, lines, path_label)
    if len(texts) < FEWEST_TEXTS:
        raise DataError(
            f"{path_label} has {plural(len(texts), 'labelled text')}; expected {FEWEST_TEXTS} or "
            "more"
        )
    order = np.random.RandomState([seed, 2]).permutation(len(texts))
    test_count = max(1, round(len(texts) * TEST_SHARE))
    parts = (np.sort(order[test_count:]), np.sort(order[:test_count]))
    source = {
        "kind": "table",
        "path": samples.from_anywhere(path),
        "text_column": text_column,
        "label_column": label_column,
    }
    values = np.array([label == names[1] for label in labels], np.int8)
    train, test = (([texts[i] for i in part], values[part]) for part in parts)
    return _fitted(Path(path).name, source, train, test, names)


def open_folder(path: str) -> LabelledData:
    """Return the texts of a folder in the aclImdb layout: `train/pos/*.txt` and so on.

    Raises:
        DataError: a folder in it is missing or empty, or a file is not UTF-8.
    """
    parts = []
    for part in ("train", "test"):
        texts: list[str] = []
        labels: list[int] = []
        for label, name in enumerate(("neg", "pos")):
            files = sorted((Path(path) / part / name).glob("*.txt"))
            if not files:
                raise DataError(
                    f"{path!r} has no {part}/{name}/*.txt; expected a folder like aclImdb, with "
                    "train/pos, train/neg, test/pos and test/neg"
                )
            for file in files:
                review = read_bytes(str(file), "a review")
                texts.append(decode(review, "utf-8", repr(str(file))))
                labels.append(label)
        parts.append((texts, np.array(labels, np.int8)))
    source = {"kind": "folder", "path": str(Path(path).absolute())}
    names = ("negative", "positive")
    return _fitted(Path(path).name, source, parts[0], parts[1], names)


def _fitted(
    name: str,
    source: Mapping[str, object],
    train: tuple[list[str], np.ndarray],
    test: tuple[list[str], np.ndarray],
    names: tuple[str, str],
) -> LabelledData:
    """Fit a vocabulary on the training texts, and encode both parts with it."""
    vocabulary, ids = vocabularies.fit(train[0], oov_token=OOV_TOKEN, count_documents=False)
    parts = (
        Part(ids, train[1]),
        Part([np.array(row, np.int32) for row in vocabulary.encode(test[0])], test[1]),
    )
    return LabelledData(name, dict(source), *parts, vocabulary, names, fingerprint(*parts))


def _labelled_rows(
    contents: str, text_column: str | None, label_column: str | None, path_label: str
) -> Iterator[tuple[int, str, str]]:
    """Yield line number, text and label of each row."""
    columns: tuple[str, str] | None = None
    for line, row in rows_of(contents, path_label):
        columns = columns or _columns(list(row), text_column, label_column, path_label)
        text, label = (row.get(column) or "" for column in columns)
        for column, value in zip(columns, (text, label), strict=True):
            if not value.strip():
                raise DataError(
                    f"{path_label} line {line} has no {column}; expected a text and a label"
                )
        yield line, text, label.strip()


def _columns(
    names: list[str], text_column: str | None, label_column: str | None, path_label: str
) -> tuple[str, str]:
    """Return the columns of the texts and of the labels, as they were given or by usual names."""
    text = column_of_texts(names, text_column, path_label)
    label = column_of(names, LABEL_COLUMNS, label_column)
    if label is None:
        raise UsageError(
            no_column(names, LABEL_COLUMNS, label_column, path_label, "--label-column")
        )
    return text, label


def _label_names(labels: list[str], lines: list[int], path_label: str) -> tuple[str, str]:
    """Return what 0 and 1 stand for: 1 is the label that means yes, or else the later by name."""
    names = list(dict.fromkeys(labels))
    if len(names) > 2:
        line = lines[labels.index(names[2])]
        raise DataError(
            f"{path_label} line {line} has a third label {clipped_repr(names[2])} beside "
            f"{clipped_repr(names[0])} and {clipped_repr(names[1])}; expected two"
        )
    if len(names) < 2:
        labels_there = f"only the label {clipped_repr(names[0])}" if names else "no labels"
        raise DataError(f"{path_label} has {labels_there}; expected two")
    names.sort(key=lambda name: (name.lower() in POSITIVE, name))
    return names[0], names[1]
