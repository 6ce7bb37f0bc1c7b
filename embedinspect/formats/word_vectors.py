"""Word vectors as text: GloVe (no header), word2vec and fastText `.vec` (a header, `N D`).

A line is a word and D numbers, one space between them; the last D fields are the numbers, so a
word may hold spaces. The file is read in blocks. A block whose lines are all as they should be
goes through pyarrow's reader; a line that is not is parsed by the rule itself, in `_Careful`,
which names what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from embedinspect.errors import DataError
from embedinspect.formats.contents import Contents, Problems
from embedinspect.formats.packed import open_packed
from embedinspect.formats.text_layout import Layout, is_number, layout_of
from embedinspect.matrix import MOST_VALUES, FloatArray
from embedinspect.row_words import pack
from embedinspect.wording import clipped_repr

BLOCK = 8 * 2**20
_LONGEST_LINE = 2**26


def read_text(path: Path, *, strict: bool = False) -> Contents:
    """Return rows and words of a text of word vectors, packed gzip included.

    Lines that are no rows are left out, and of equal words the later ones; each is a problem.

    Raises:
        DataError: no row at all, more wrong lines than rows, or a file beyond all bounds.
    """
    problems = Problems(repr(str(path)), strict)
    with open_packed(path) as file:
        start = file.read(BLOCK)
        layout = layout_of(start, whole=len(start) < BLOCK)
        if layout is None:
            raise DataError(
                f"{problems.shown} holds no word vectors; expected lines of a word and numbers"
            )
        reader = _Reader(layout, problems, path.stat().st_size)
        for block in _blocks(file.stream, start, problems):
            reader.take(block, file.share_read)
    return reader.finish()


def _blocks(file: IO[bytes], start: bytes, problems: Problems) -> Iterator[bytes]:
    """Yield the file in blocks that end with a line feed."""
    rest = start.removeprefix(b"\xef\xbb\xbf")
    while True:
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield rest[:cut]
        elif len(rest) > _LONGEST_LINE:
            raise DataError(f"{problems.shown} has a line of more than {_LONGEST_LINE:,} bytes")
        data = file.read(BLOCK)
        rest = rest[cut:] + data
        if not data:
            if rest:
                problems.add("end", "ends without a line feed, so its last line may be cut off")
                yield rest + b"\n"
            return


class _Reader:
    """What has been read so far: rows, words, and the number of the next line."""

    def __init__(self, layout: Layout, problems: Problems, size: int) -> None:
        self.layout, self.problems, self.size = layout, problems, size
        self.rows: FloatArray = np.empty((0, layout.output_dim), np.float32)
        self.count, self.line = 0, 1
        self.words: list[bytes] = []
        self.columns = [str(number) for number in range(layout.output_dim + 1)]
        types: dict[str, Any] = dict.fromkeys(self.columns[1:], pa.float32())
        # The system's allocator gives memory back; pyarrow's own would keep a block's share.
        self.pool = pa.system_memory_pool()
        self.convert = csv.ConvertOptions(
            column_types={**types, "0": pa.binary()}, null_values=[], strings_can_be_null=False
        )
        self.parse = csv.ParseOptions(
            delimiter=layout.separator.decode(),
            quote_char=False,
            double_quote=False,
            escape_char=False,
            ignore_empty_lines=False,
        )

    def take(self, block: bytes, share_read: float) -> None:
        """Read a block of whole lines."""
        first = self.line
        self.line += block.count(b"\n")
        if first == 1 and self.layout.header is not None:
            block = block[block.index(b"\n") + 1 :]
            first = 2
        lines = self.line - first
        if not lines:
            return
        regular, irregular = self._sort_out(block, lines)
        fast = self._fast(regular, lines - len(irregular)) if irregular is not None else None
        if fast is None:  # a number that does not parse, or line ends of another kind
            everything = list(enumerate(block.split(b"\n")[:-1]))
            self._keep(_careful(self, everything, first), share_read)
        elif irregular:
            numbers, words, values = fast
            at = np.setdiff1d(np.arange(lines), [number for number, _ in irregular])
            more = _careful(self, irregular, first)
            order = np.argsort(np.concatenate([at, more[0]]), kind="stable")
            words = [*words, *more[1]]
            values = np.concatenate([values, more[2]])[order]
            self._keep((numbers, [words[i] for i in order.tolist()], values), share_read)
        else:
            self._keep(fast, share_read)

    def _sort_out(self, block: bytes, lines: int) -> tuple[bytes, list[tuple[int, bytes]] | None]:
        """Return the block without its irregular lines, and these with their place in it.

        None for the latter where lines end in more than one way.
        """
        if b"\t" in block and self.layout.separator != b"\t":
            return block, None  # pyarrow would leave it out of a number, the rule does not
        if b"\r" in block:
            if block.count(b"\r\n") != lines or block.count(b"\r") != lines:
                return block, None
            block = block.replace(b"\r\n", b"\n")
        separator = self.layout.separator
        if block[: block.index(b"\n")].endswith(separator):  # as word2vec.c and fastText end lines
            block = block.replace(separator + b"\n", b"\n")
        codes = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(codes == 10)
        spaces = np.flatnonzero(codes == separator[0])
        fields = np.diff(np.searchsorted(spaces, ends), prepend=0)
        wrong = np.flatnonzero(fields != self.layout.output_dim).tolist()
        if not wrong:
            return block, []
        starts = np.concatenate([[0], ends[:-1] + 1])
        kept, irregular, begin = [], [], 0
        for number in wrong:
            here, end = int(starts[number]), int(ends[number])
            kept.append(block[begin:here])
            irregular.append((number, block[here:end]))
            begin = end + 1
        kept.append(block[begin:])
        return b"".join(kept), irregular

    def _fast(self, block: bytes, lines: int) -> tuple[Any, list[bytes], FloatArray] | None:
        """Return the rows of regular lines by pyarrow's reader; None where one is not regular."""
        values = np.empty((lines, self.layout.output_dim), np.float32)
        if not lines:
            return None, [], values
        try:
            table = csv.read_csv(
                pa.BufferReader(block),
                csv.ReadOptions(column_names=self.columns, block_size=max(2**20, len(block) // 4)),
                self.parse,
                self.convert,
                memory_pool=self.pool,
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != lines:
            return None
        for number in range(self.layout.output_dim):
            begin = 0
            for chunk in table.column(number + 1).chunks:
                values[begin : begin + len(chunk), number] = chunk
                begin += len(chunk)
        if not np.isfinite(values).all() and not _says_so(block, values):
            return None
        return None, table.column(0).to_pylist(), values

    def _keep(self, part: tuple[Any, list[bytes], FloatArray], share_read: float) -> None:
        _, words, values = part
        end = self.count + len(values)
        if end * self.layout.output_dim > MOST_VALUES:
            raise DataError(
                f"{self.problems.shown} has more than {MOST_VALUES:,} numbers; expected fewer"
            )
        if end > len(self.rows):  # by what was read so far, and a little more
            room = max(end, int(end / max(share_read, 0.05) * 1.02) + 16)
            self.rows.resize((room, self.layout.output_dim), refcheck=False)
        self.rows[self.count : end] = values
        self.count = end
        self.words.extend(words)

    def finish(self) -> Contents:
        """Return what was read."""
        self.rows.resize((self.count, self.layout.output_dim), refcheck=False)
        rows, words = self._without_duplicates(self._as_utf8())
        problems, header = self.problems, self.layout.header
        if not len(rows):
            raise DataError(f"{problems.shown} holds no word vectors{_first(problems)}")
        if problems.total > len(rows):
            raise DataError(
                f"{problems.shown} has more wrong lines ({problems.total:,}) than rows "
                f"({len(rows):,}){_first(problems)}"
            )
        kind = "GloVe text"
        if header is not None:
            kind = "word2vec text"
            if header[1] != self.layout.output_dim:
                problems.add(
                    "header",
                    f"line 1 claims {header[1]:,} numbers a row, but the lines have "
                    f"{self.layout.output_dim:,}",
                )
            lines = self.line - 2
            if header[0] != self.count and header[0] != lines:
                problems.add(
                    "header", f"line 1 claims {header[0]:,} rows, but {lines:,} lines follow"
                )
        return Contents(kind, rows, pack(words), "text", problems)

    def _as_utf8(self) -> list[bytes]:
        """Return the words, with bytes that are not UTF-8 written as escapes."""
        try:
            b"\n".join(self.words).decode("utf-8")
            return self.words
        except UnicodeDecodeError:
            words = []
            for row, word in enumerate(self.words):
                try:
                    word.decode("utf-8")
                    words.append(word)
                except UnicodeDecodeError as error:
                    escaped = word.decode("utf-8", "backslashreplace")
                    words.append(escaped.encode())
                    self.problems.add(
                        "not UTF-8",
                        f"row {row}: the word {clipped_repr(escaped)} is not UTF-8 (byte "
                        f"0x{word[error.start]:02x})",
                    )
            return words

    def _without_duplicates(self, words: list[bytes]) -> tuple[FloatArray, list[bytes]]:
        if len(set(words)) == len(words):
            return self.rows, words
        first: dict[bytes, int] = {}
        later = []
        for row, word in enumerate(words):
            if first.setdefault(word, row) != row:
                later.append(row)
                self.problems.add(
                    "duplicate words",
                    f"row {row}: the word {clipped_repr(word.decode())} is there again, "
                    f"first in row {first[word]}; the later row is left out",
                )
        return np.delete(self.rows, later, axis=0), list(first)


def _first(problems: Problems) -> str:
    return f"; the first: {problems.first[0]}" if problems.first else ""


def _says_so(block: bytes, values: FloatArray) -> bool:
    """Return whether the text itself has as many infinities as were read, or more."""
    infinite = int(np.isinf(values).sum())
    return not infinite or len(re.findall(rb"[ \t][+-]?inf", block, re.I)) >= infinite


def _careful(
    reader: _Reader, lines: list[tuple[int, bytes]], first: int
) -> tuple[Any, list[bytes], FloatArray]:
    """Return the rows of lines by the rule itself, and take down what is wrong with the others."""
    at, words, rows = [], [], []
    output_dim, separator = reader.layout.output_dim, reader.layout.separator
    for place, raw in lines:
        line = raw.removesuffix(b"\r").rstrip(separator)
        number = first + place
        fields = line.split(separator)
        wrong = _wrong(fields, output_dim, separator)
        if wrong is not None:
            if line:
                reader.problems.add(wrong[0], f"line {number} {wrong[1]}")
            continue
        values = pa.array([field.decode() for field in fields[-output_dim:]])
        row = values.cast(pa.float32()).to_numpy(zero_copy_only=False)
        said = sum(field.lower().lstrip(b"+-").startswith(b"inf") for field in fields[-output_dim:])
        if int(np.isinf(row).sum()) != said:
            reader.problems.add(
                "numbers", f"line {number} has a number that float32 cannot hold (up to 3.4e38)"
            )
            continue
        at.append(place)
        words.append(separator.join(fields[:-output_dim]))
        rows.append(row)
    stacked = np.stack(rows) if rows else np.empty((0, output_dim), np.float32)
    return np.array(at, np.int64), words, stacked


def _wrong(fields: list[bytes], output_dim: int, separator: bytes) -> tuple[str, str] | None:
    """Return the kind of what is wrong with a line and the words for it, or None."""
    if len(fields) <= output_dim:
        return "short lines", f"has {len(fields) - 1} numbers; expected {output_dim}"
    for place, field in enumerate(fields[-output_dim:], len(fields) - output_dim):
        if not is_number(field):
            shown = clipped_repr(field.decode("utf-8", "backslashreplace"))
            return "numbers", f"has {shown} as field {place + 1}; expected a number"
    extra = fields[1:-output_dim]
    if any(map(is_number, extra)):
        return "long lines", f"has {len(fields) - 1} numbers; expected {output_dim}"
    return None
