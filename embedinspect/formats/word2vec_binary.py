"""Word vectors in word2vec's binary form: a header line, then a word and its float32 numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.contents import Contents, Problems
from embedinspect.formats.number_text import are_numbers
from embedinspect.formats.packed import open_packed
from embedinspect.formats.repairs import as_lines, without_repeats
from embedinspect.formats.text_layout import layout_of
from embedinspect.matrix import MOST_VALUES, FloatArray
from embedinspect.row_words import pack
from embedinspect.wording import plural

_HEADER = re.compile(rb"(\d{1,12}) (\d{1,9})\s*\n")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_BLOCK = 8 * 2**20
_LONGEST_WORD = 2**16


def is_binary(start: bytes, *, whole: bool) -> bool:
    """Return whether a file begins as word2vec's binary form does, and not as a text.

    Args:
        whole: whether the first bytes are the whole file.
    """
    header = _HEADER.match(start)
    if header is None:
        return False
    body = start[header.end() :]
    if _NO_TEXT.search(body):
        return True
    count, output_dim = int(header[1]), int(header[2])
    # The numbers of a very small file may happen to be letters, or digits and line feeds.
    fits = whole and _holds_records(body, count, 4 * output_dim)
    fits = fits and not are_numbers(body, whole=True)
    layout = layout_of(start, whole=True)
    if layout is not None:
        return fits and layout.output_dim != output_dim
    return fits or not _is_utf8(body)


def _holds_records(body: bytes, count: int, size: int) -> bool:
    """Return whether the bytes are exactly `count` records: a word, a space and `size` bytes."""
    at = 0
    for _ in range(count):
        space = body.find(b" ", at)
        at = space + 1 + size
        if space < 0 or at > len(body):
            return False
        at += body[at : at + 1] == b"\n"
    return at == len(body)


def read_binary(path: Path, *, strict: bool = False) -> Contents:
    """Return the rows and words of a file, which may be packed with gzip.

    The numbers are little-endian, as word2vec writes them on all usual machines.

    Raises:
        DataError: the header cannot be true, or there is no whole row.
    """
    problems = Problems(repr(str(path)), strict)
    with open_packed(path) as file:
        header = _HEADER.match(file.read(64))
        if header is None:
            raise DataError(f"{problems.path_label} has no header; expected one such as '1000 300'")
        count, output_dim = int(header[1]), int(header[2])
        if not 1 <= output_dim <= MOST_VALUES or 4 * output_dim > max(file.size, 2**20) * 200:
            raise DataError(
                f"{problems.path_label} claims {plural(output_dim, 'number')} a row; expected as "
                "many as the file can hold"
            )
    with open_packed(path) as file:
        file.read(header.end())
        room = file.size // (4 * output_dim + 1) + 1 if file.stream is file.raw else 1024
        reader = _Records(file.stream, output_dim, min(count, room), problems)
        reader.read(count)
    return reader.finish(count)


class _Records:
    """The records that have been read so far, and how many bytes are left after them."""

    def __init__(self, file: IO[bytes], output_dim: int, room: int, problems: Problems) -> None:
        self.file, self.output_dim, self.problems = file, output_dim, problems
        self.rows: FloatArray = np.empty((max(room, 1), output_dim), np.float32)
        self.words: list[bytes] = []
        self.left = 0

    def read(self, count: int) -> None:
        """Read `count` records, or as many as there are."""
        data, at, size = b"", 0, 4 * self.output_dim
        dtype = np.dtype("<f4")
        for row in range(count):
            space = data.find(b" ", at)
            if space < 0 or len(data) < space + 1 + size:
                data, at = data[at:] + self.file.read(max(_BLOCK, size)), 0
                while (space := data.find(b" ", at)) < 0 or len(data) < space + 1 + size:
                    more = self.file.read(max(_BLOCK, size))
                    if not more or (space < 0 and len(data) > _LONGEST_WORD):
                        self.left = len(data) - at
                        return
                    data += more
            if row >= len(self.rows):
                self.rows.resize((2 * len(self.rows), self.output_dim), refcheck=False)
            if row * self.output_dim > MOST_VALUES:
                label = self.problems.path_label
                raise DataError(f"{label} has more than {MOST_VALUES:,} numbers; expected fewer")
            # Some writers end a record with a line feed, which then stands before the next word.
            self.words.append(data[at:space].lstrip(b"\n"))
            self.rows[row] = np.frombuffer(data, dtype, self.output_dim, space + 1)
            at = space + 1 + size
        rest = data[at:] + self.file.read(1024)
        self.left = len(rest.strip(b"\n"))

    def finish(self, claimed: int) -> Contents:
        """Return what was read.

        Args:
            claimed: how many rows the header claims.
        """
        problems, count = self.problems, len(self.words)
        if not count:
            raise DataError(
                f"{problems.path_label} holds no whole row; expected word2vec's binary form"
            )
        if count < claimed:
            problems.add("header", f"claims {plural(claimed, 'row')}, but has only {count:,}")
        elif self.left:
            problems.add(
                "header", f"has more than the {plural(claimed, 'row')} that its header claims"
            )
        self.rows.resize((count, self.output_dim), refcheck=False)
        rows, words = without_repeats(self.rows, as_lines(self.words, problems), problems)
        return Contents("word2vec binary", rows, pack(words), "float32", problems)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
