"""Labelled texts from files: CSV, TSV, JSON Lines, and folders in the aclImdb layout."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from embedinspect import samples
from embedinspect import vocabulary as vocabularies
from embedinspect.errors import DataError, UsageError
from embedinspect.texts import decode, read_bytes
from embedinspect.training.data import LabelledData, Part, fingerprint
from embedinspect.wording import clipped_repr, listed, plural

TEXT_COLUMNS = ("text", "review", "sentence", "comment", "content", "body")
LABEL_COLUMNS = ("label", "sentiment", "class", "target", "category", "y")
POSITIVE = {"positive", "pos", "1", "true", "yes", "good", "1.0", "+"}
OOV_TOKEN = "<OOV>"
TEST_SHARE = 0.2
FEWEST_TEXTS = 5

Row = dict[str, str | None]


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
    read_rows = _json_rows if contents.lstrip().startswith("{") else _csv_rows
    columns: tuple[str, str] | None = None
    for line, row in read_rows(contents, path_label):
        columns = columns or _columns(list(row), text_column, label_column, path_label)
        text, label = (row.get(column) or "" for column in columns)
        for column, value in zip(columns, (text, label), strict=True):
            if not value.strip():
                raise DataError(
                    f"{path_label} line {line} has no {column}; expected a text and a label"
                )
        yield line, text, label.strip()


def _csv_rows(contents: str, path_label: str) -> Iterator[tuple[int, Row]]:
    """Yield each row of CSV or TSV with the number of the line where it ends."""
    header = contents.split("\n", 1)[0]
    csv.field_size_limit(2**27)
    reader = csv.DictReader(
        io.StringIO(contents, newline=""), delimiter="\t" if "\t" in header else ",", strict=True
    )
    try:
        for row in reader:
            extra = row.pop(None, None)
            if extra:
                raise DataError(
                    f"{path_label} line {reader.line_num} has {len(row) + len(extra)} fields; "
                    f"expected {len(row)}, as in the first line"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise DataError(
            f"{path_label} line {reader.line_num}: {error}; expected CSV or TSV"
        ) from None


def _json_rows(contents: str, path_label: str) -> Iterator[tuple[int, Row]]:
    """Yield each object of JSON Lines with the number of its line."""
    for number, line in enumerate(contents.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise DataError(f"{path_label} line {number} is not a JSON object; expected JSON Lines")
        yield number, {key: None if value is None else str(value) for key, value in row.items()}


def _columns(
    names: list[str], text_column: str | None, label_column: str | None, path_label: str
) -> tuple[str, str]:
    """Return the columns of the texts and of the labels, as they were given or by usual names."""
    text = _column(names, text_column, TEXT_COLUMNS)
    label = _column(names, label_column, LABEL_COLUMNS)
    if text is not None and label is not None:
        return text, label
    option, given, usual = (
        ("--text-column", text_column, TEXT_COLUMNS)
        if text is None
        else ("--label-column", label_column, LABEL_COLUMNS)
    )
    expected = (
        f"named {given!r}" if given is not None else f"with a usual name ({', '.join(usual)})"
    )
    raise UsageError(
        f"{path_label} has no column {expected}; it has {listed(map(clipped_repr, names))}; choose "
        f"one with {option}"
    )


def _column(names: list[str], given: str | None, usual: tuple[str, ...]) -> str | None:
    if given is not None:
        return given if given in names else None
    return next((name for known in usual for name in names if name.lower() == known), None)


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
