"""Tables of texts: CSV, TSV and JSON Lines, and which of their columns holds the texts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedinspect import samples
from embedinspect.errors import DataError, UsageError
from embedinspect.texts import lines_of, read_decoded
from embedinspect.wording import clipped_repr, listed

TEXT_COLUMNS = ("text", "review", "sentence", "comment", "content", "body")
LABEL_COLUMNS = ("label", "sentiment", "class", "target", "category", "y")
_SUFFIXES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson"})

Row = dict[str, str | None]


@dataclass(frozen=True)
class TextFile:
    """The texts of one file.

    Attributes:
        texts: in the order of the file.
        column: of the table that they are from; None where each line is a text.
    """

    texts: list[str]
    column: str | None = None


def read_text_file(name: str, encoding: str = "utf-8", text_column: str | None = None) -> TextFile:
    """Return the texts of a file, or of standard input for `-`: a column, or else the lines.

    A file is a table if its name ends as that of one (.csv, .tsv, .jsonl, .ndjson), or if a column
    is named, or if it begins as a table that `train` would take without being told its columns:
    with a header of a usual name for texts and one for labels, or with such an object of JSON.

    Raises:
        DataError: the file cannot be read, is empty, or is a table with a wrong row.
        UsageError: a table without a column of texts.
    """
    contents, path_label = read_decoded(name, encoding)
    suffix = "" if name == "-" else Path(samples.resolve(name)).suffix.lower()
    if text_column is None and suffix not in _SUFFIXES and not _begins_labelled(contents):
        return TextFile(lines_of(contents))
    column, texts = None, []
    for _, row in rows_of(contents, path_label):
        column = column or column_of_texts(list(row), text_column, path_label, lines_too=True)
        texts.append(row.get(column) or "")
    if column is None:
        raise DataError(
            f"{path_label} has a header, but no row under it; expected texts there, or give a file "
            "with one text a line to --file - instead"
        )
    return TextFile(texts, column)


def _begins_labelled(contents: str) -> bool:
    """Return whether the first line names both a column of texts and one of labels."""
    first = contents.lstrip().split("\n", 1)[0]
    try:
        names = _keys(first) if first.startswith("{") else _fields(first)
    except (DataError, csv.Error):
        return False
    return bool(column_of(names, TEXT_COLUMNS) and column_of(names, LABEL_COLUMNS))


def _keys(line: str) -> list[str]:
    return [key for _, row in _json_rows(line, "") for key in row]


def _fields(header: str) -> list[str]:
    return next(csv.reader([header.removesuffix("\r")], delimiter=_delimiter(header)), [])


def _delimiter(header: str) -> str:
    return "\t" if "\t" in header else ","


def rows_of(contents: str, path_label: str) -> Iterator[tuple[int, Row]]:
    """Yield the number of the line and the fields of each row, by their columns.

    JSON Lines are recognised by their first character, TSV by a tab in the first line;
    everything else is CSV.

    Raises:
        DataError: a row that is none; the message names its line.
    """
    read_rows = _json_rows if contents.lstrip().startswith("{") else _csv_rows
    return read_rows(contents, path_label)


def _csv_rows(contents: str, path_label: str) -> Iterator[tuple[int, Row]]:
    """Yield each row of CSV or TSV with the number of the line where it ends."""
    header = contents.split("\n", 1)[0]
    csv.field_size_limit(2**27)
    reader = csv.DictReader(
        io.StringIO(contents, newline=""), delimiter=_delimiter(header), strict=True
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


def column_of_texts(
    names: Sequence[str], wanted: str | None, path_label: str, *, lines_too: bool = False
) -> str:
    """Return the column that holds the texts: the one that is wanted, or else a usual name.

    Args:
        lines_too: whether the user may have meant a file with a text in each line.

    Raises:
        UsageError: there is no such column.
    """
    column = column_of(names, TEXT_COLUMNS, wanted)
    if column is None:
        hint = ", or give a file with one text a line to --file - instead" if lines_too else ""
        raise UsageError(no_column(names, TEXT_COLUMNS, wanted, path_label, "--text-column") + hint)
    return column


def column_of(names: Sequence[str], usual: Sequence[str], wanted: str | None = None) -> str | None:
    """Return the column that is wanted, or else the first with a usual name; None without one."""
    if wanted is not None:
        return wanted if wanted in names else None
    return next((name for known in usual for name in names if name.lower() == known), None)


def no_column(
    names: Sequence[str], usual: Sequence[str], wanted: str | None, path_label: str, option: str
) -> str:
    """Return the message for a table that lacks a column."""
    expected = (
        f"named {wanted!r}" if wanted is not None else f"with a usual name ({', '.join(usual)})"
    )
    return (
        f"{path_label} has no column {expected}; it has {listed(map(clipped_repr, names))}; choose "
        f"one with {option}"
    )
