"""Word vectors in word2vec's binary form: a header line, then a word and its float32 numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, Problems, Progress, ReadOptions
from embedinspect.formats.number_text import are_numbers
from embedinspect.formats.packed import PackedFile, open_packed
from embedinspect.formats.repairs import as_lines, without_repeats
from embedinspect.formats.text_layout import layout_of
from embedinspect.matrix import MOST_VALUES
from embedinspect.row_words import pack
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, plural

_HEADER = re.compile(rb"(\d{1,12}) (\d{1,9})\s*\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_NO_WORD = re.compile(rb"[\x00-\x1f\x7f]")
_SAMPLE = 100  # records that tell whether a file is binary
_BLOCK = 8 * 2**20
_LONGEST_WORD = 2**16


def recognises(start: Start) -> bool:
    """Return whether a file holds word2vec's binary records."""
    return is_binary(start.data, whole=start.whole)


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the vectors of a file; raises what `read_binary` raises."""
    return read_binary(path, strict=options.strict, progress=options.progress)


def is_binary(start: bytes, *, whole: bool) -> bool:
    """Return whether a file begins as word2vec's binary form does, and not as a text.

    A control character alone does not make a text binary: the records must add up, too.

    Args:
        whole: whether the first bytes are the whole file.
    """
    header = _HEADER.match(start)
    if header is None:
        return False
    body = start[header.end() :]
    count, output_dim = int(header[1]), int(header[2])
    layout = layout_of(start, whole=whole)
    if layout is not None and layout.output_dim == output_dim:
        return False
    # The numbers of a very small file may happen to be letters, or digits and line feeds.
    if whole and _holds_records(body, count, 4 * output_dim) and not are_numbers(body, whole=True):
        return True
    return layout is None and _begins_with_records(body, 4 * output_dim)


def _begins_with_records(body: bytes, size: int) -> bool:
    """Return whether the bytes begin with words, each before `size` bytes that are no text."""
    at, numbers = 0, b""
    for _ in range(_SAMPLE):
        space = body.find(b" ", at)
        if space < 0 and at:
            break  # the last record is cut off
        if not _is_word(body[at:space].lstrip(b"\n")):
            return False
        at = space + 1 + size
        numbers += body[space + 1 : at]
    return _are_no_text(numbers)


def _is_word(word: bytes) -> bool:
    """Return whether bytes may be a word: some, not too many, and no control character."""
    return 0 < len(word) <= _LONGEST_WORD and _NO_WORD.search(word) is None


def _are_no_text(numbers: bytes) -> bool:
    """Return whether bytes hold more control characters, or bytes of no script, than a text."""
    controls = len(_CONTROL.findall(numbers))
    others = len(_NOT_ASCII.findall(numbers)) if not _is_utf8(numbers) else 0
    return 10 * (controls + others) >= len(numbers) > 0


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


def read_binary(path: Path, *, strict: bool = False, progress: Progress | None = None) -> Contents:
    """Return the rows and words of a file, which may be packed.

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
    with open_packed(path, progress) as file:
        file.read(header.end())
        room = 1024 if file.is_packed else file.size // (4 * output_dim + 1) + 1
        reader = _Records(file, output_dim, min(count, room), problems)
        reader.read(count)
    return reader.finish(count)


class _Records:
    """The records that have been read so far.

    Attributes:
        rows: the numbers of the records.
        words: their words.
        left: how many bytes are left after them.
        feeds: whether a line feed stands between two records.
        damaged: whether a record ends at the wrong place.
    """

    def __init__(self, file: PackedFile, output_dim: int, room: int, problems: Problems) -> None:
        self.file, self.output_dim, self.problems = file, output_dim, problems
        self.rows: FloatArray = np.empty((max(room, 1), output_dim), np.float32)
        self.words: list[bytes] = []
        self.left, self.feeds, self.damaged = 0, False, False

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
            if not self._begins_record(data[at:space]):
                return
            self.rows[row] = np.frombuffer(data, dtype, self.output_dim, space + 1)
            at = space + 1 + size
        rest = data[at:] + self.file.read(1024)
        self.left = len(rest.strip(b"\n"))

    def _begins_record(self, word: bytes) -> bool:
        """Take the word of the next record; return False where a word cannot be.

        Some writers end a record with a line feed, which then stands before the next word, and
        either before all of them or before none. Where that or the word is not as it should be,
        the record before it ends at the wrong place: it is left out, and so is the rest.
        """
        row, feeds = len(self.words), word.startswith(b"\n")
        if row == 1:
            self.feeds = feeds
        word = word.lstrip(b"\n")
        if (not row or feeds == self.feeds) and word and not _is_garbage(word):
            self.words.append(word)
            return True
        before = self.words.pop() if row else b""
        self.damaged = True
        self.problems.add(
            "records",
            f"row {max(0, row - 1)}: the record of {clipped_repr(_decoded(before))} ends at the "
            "wrong place, as no word follows its numbers; it is left out, and so are the rows "
            "after it",
        )
        return False

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
        if count < claimed and not self.damaged:
            problems.add("header", f"claims {plural(claimed, 'row')}, but has only {count:,}")
        elif self.left:
            problems.add(
                "header", f"has more than the {plural(claimed, 'row')} that its header claims"
            )
        self.rows.resize((count, self.output_dim), refcheck=False)
        rows, words = without_repeats(self.rows, as_lines(self.words, problems), problems)
        return Contents("word2vec binary", rows, pack(words), "float32", problems)


def _is_garbage(word: bytes) -> bool:
    """Return whether bytes are no word of any encoding, but more likely parts of numbers."""
    if b"\0" in word or b"\n" in word:
        return True
    return _NO_WORD.search(word) is not None and _decoded(word).encode() != word


def _decoded(word: bytes) -> str:
    return word.decode("utf-8", "backslashreplace")


def _is_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8, but for characters that are cut off here and there."""
    return len(data.decode("utf-8", "ignore").encode()) > 0.9 * len(data)
