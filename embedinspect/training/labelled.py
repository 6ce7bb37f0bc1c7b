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
from embedinspect.wording import clipped_repr, listed

TEXT_COLUMNS = ("text", "review", "sentence", "comment", "content", "body")
LABEL_COLUMNS = ("label", "sentiment", "class", "target", "category", "y")
POSITIVE = {"positive", "pos", "1", "true", "yes", "good", "1.0", "+"}
OOV_TOKEN = "<OOV>"
HELD_OUT = 0.2


def open_table(
    path: str, text_column: str | None, label_column: str | None, seed: int
) -> LabelledData:
    """Return labelled texts from one file, a fifth of them held out as the test part.

    JSON Lines are recognised by their first character, TSV by a tab in the first line, and
    everything else is CSV.

    Raises:
        DataError: a row without text or label, a third label, a file that is not UTF-8: with the
            line.
        UsageError: a column that the file does not have.
    """
    shown = repr(path)
    content = decode(read_bytes(path, "labelled texts (CSV, TSV, JSON Lines)"), "utf-8", shown)
    rows = (
        _json_rows(content, shown)
        if content.lstrip().startswith("{")
        else _csv_rows(content, shown)
    )
    texts, labels, lines = [], [], []
    columns: tuple[str, str] | None = None
    for line, row in rows:
        columns = columns or _columns(list(row), text_column, label_column, shown)
        text, label = (row.get(column) for column in columns)
        for column, value in zip(columns, (text, label), strict=True):
            if value is None or not value.strip():
                raise DataError(f"{shown} line {line} has no {column}; expected a text and a label")
        texts.append(text or "")
        labels.append((label or "").strip())
        lines.append(line)
    names = _label_names(labels, lines, shown)
    if len(texts) < 5:
        raise DataError(f"{shown} has {len(texts)} labelled texts; expected five or more")
    order = np.random.RandomState([seed, 2]).permutation(len(texts))
    held_out = max(1, round(len(texts) * HELD_OUT))
    parts = (np.sort(order[held_out:]), np.sort(order[:held_out]))
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
        DataError: a part that is missing or empty, or a file that is not UTF-8.
    """
    parts = []
    for part in ("train", "test"):
        texts: list[str] = []
        labels: list[int] = []
        for label, name in enumerate(("neg", "pos")):
            files = sorted((Path(path) / part / name).glob("*.txt"))
            if not files:
                raise DataError(
                    f"{path!r} has no {part}/{name}/*.txt; expected a folder as aclImdb is, with "
                    "train/pos, train/neg, test/pos and test/neg"
                )
            for file in files:
                shown = repr(str(file))
                texts.append(decode(read_bytes(str(file), "a review"), "utf-8", shown))
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
    """Count the words of the training texts, and give both parts their ids."""
    vocabulary, ids = vocabularies.fit(train[0], oov_token=OOV_TOKEN, count_documents=False)
    parts = (
        Part(ids, train[1]),
        Part([np.array(row, np.int32) for row in vocabulary.encode(test[0])], test[1]),
    )
    return LabelledData(name, dict(source), *parts, vocabulary, names, fingerprint(*parts))


def _csv_rows(content: str, shown: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    first = content.split("\n", 1)[0]
    csv.field_size_limit(2**27)
    reader = csv.DictReader(
        io.StringIO(content, newline=""), delimiter="\t" if "\t" in first else ",", strict=True
    )
    try:
        for row in reader:
            extra = row.pop(None, None)
            if extra:
                raise DataError(
                    f"{shown} line {reader.line_num} has {len(row) + len(extra)} fields; expected "
                    f"{len(row)}, as in the first line"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise DataError(f"{shown} line {reader.line_num}: {error}; expected CSV or TSV") from None


def _json_rows(content: str, shown: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise DataError(f"{shown} line {number} is no JSON object; expected JSON Lines")
        yield number, {key: None if v is None else str(v) for key, v in row.items()}


def _columns(
    names: list[str], text_column: str | None, label_column: str | None, shown: str
) -> tuple[str, str]:
    found = []
    for option, given, usual in (
        ("--text-column", text_column, TEXT_COLUMNS),
        ("--label-column", label_column, LABEL_COLUMNS),
    ):
        if given is not None:
            column = given if given in names else None
        else:
            column = next((n for wanted in usual for n in names if n.lower() == wanted), None)
        if column is None:
            columns = listed(map(clipped_repr, names))
            asked = f"{given!r}" if given is not None else f"of the usual ones ({', '.join(usual)})"
            raise UsageError(f"{shown} has no column {asked} but {columns}; name it with {option}")
        found.append(column)
    return found[0], found[1]


def _label_names(labels: list[str], lines: list[int], shown: str) -> tuple[str, str]:
    """Return what 0 and 1 stand for; the one that means yes is 1, else the later in the order."""
    names = list(dict.fromkeys(labels))
    if len(names) > 2:
        line = lines[labels.index(names[2])]
        raise DataError(
            f"{shown} line {line} has a third label {clipped_repr(names[2])} beside "
            f"{clipped_repr(names[0])} and {clipped_repr(names[1])}; expected two"
        )
    if len(names) < 2:
        raise DataError(f"{shown} has the labels {listed(map(clipped_repr, names))}; expected two")
    names.sort(key=lambda name: (name.lower() in POSITIVE, name))
    return names[0], names[1]
