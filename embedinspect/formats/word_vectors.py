"""Word vectors as text: GloVe (no header), word2vec and fastText `.vec` (a header, `N D`).

A line is a word and D numbers with one space between them; the last D fields are the numbers, so
a word may hold spaces. The file is read in blocks. Lines that are as they should be go through
pyarrow's reader; any other line is parsed by the rule itself, in `_parse_lines`, which says what is
wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv

from embedinspect.errors import DataError
from embedinspect.formats.contents import Contents, Problems, Progress, ReadOptions
from embedinspect.formats.packed import PackedFile, open_packed
from embedinspect.formats.repairs import as_lines, without_repeats
from embedinspect.formats.text_layout import Layout, is_number, layout_of
from embedinspect.matrix import MOST_VALUES
from embedinspect.row_words import pack
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, plural

Places = np.ndarray[Any, np.dtype[np.int64]]
BLOCK = 8 * 2**20
_LONGEST_LINE = 2**26
_MANY_LINES = 2**16


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the vectors of a text; raises what `read_text` raises."""
    return read_text(path, strict=options.strict, progress=options.progress)


def read_text(path: Path, *, strict: bool = False, progress: Progress | None = None) -> Contents:
    """Return rows and words of a text of word vectors, which may be packed.

    A line that is no row is left out, and so is a row whose word came before; each is a problem.

    Raises:
        DataError: no row at all, more wrong lines than rows, or a line or a matrix that is too
            large.
    """
    problems = Problems(repr(str(path)), strict)
    with open_packed(path, progress) as file:
        start = file.read(BLOCK)
        layout = layout_of(start, whole=len(start) < BLOCK)
        if layout is None:
            raise DataError(
                f"{problems.path_label} holds no word vectors; expected lines of a word and numbers"
            )
        reader = _Reader(layout, problems, path.stat().st_size)
        for block in _blocks(file, start, problems):
            reader.take(block, file.share_read)
    return reader.finish()


def _blocks(file: PackedFile, start: bytes, problems: Problems) -> Iterator[bytes]:
    """Yield the file in blocks that end with a line feed."""
    rest = start.removeprefix(b"\xef\xbb\xbf")
    while True:
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield rest[:cut]
        elif len(rest) > _LONGEST_LINE:
            raise DataError(
                f"{problems.path_label} has a line of more than {_LONGEST_LINE:,} bytes; expected "
                "a word and its numbers on each line"
            )
        data = file.read(BLOCK)
        rest = rest[cut:] + data
        if not data:
            if rest:
                problems.add("end", "ends without a line feed, so its last line may be cut off")
                yield rest + b"\n"
            return


class _Part(NamedTuple):
    """Words and rows of some of the lines."""

    words: list[bytes]
    rows: FloatArray


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
        self._refuse_few_rows(block, lines)
        if lines:
            self._append(self._parse(block, lines, first), share_read)

    def _refuse_few_rows(self, block: bytes, lines: int) -> None:
        """Refuse a text most of whose lines are too short for rows, before they are parsed.

        Raises:
            DataError: more lines than rows are certain to be wrong, and they are many.
        """
        rows = self.count + len(block) // (2 * self.layout.output_dim + 2)
        wrong = self.line - 1 - rows
        if lines and wrong > _MANY_LINES and wrong > rows:
            raise DataError(
                f"{self.problems.path_label} has more lines that are empty or too short "
                f"({wrong:,}) than rows; expected a word and {self.layout.output_dim} numbers on "
                "each line"
            )

    def _parse(self, block: bytes, lines: int, first: int) -> _Part:
        """Return words and rows of a block, of whose lines the first has the number `first`."""
        regular, irregular = self._sort_out(block, lines)
        fast = self._fast(regular, lines - len(irregular)) if irregular is not None else None
        if fast is None:  # a number that does not parse, or line ends of several kinds
            return self._parse_lines(list(enumerate(block.split(b"\n")[:-1])), first)[1]
        if not irregular:
            return fast
        places = np.setdiff1d(np.arange(lines), [place for place, _ in irregular])
        other_places, others = self._parse_lines(irregular, first)
        order = np.argsort(np.concatenate([places, other_places]), kind="stable")
        words = [*fast.words, *others.words]
        rows = np.concatenate([fast.rows, others.rows])[order]
        return _Part([words[i] for i in order.tolist()], rows)

    def _sort_out(self, block: bytes, lines: int) -> tuple[bytes, list[tuple[int, bytes]] | None]:
        """Return the block without its irregular lines, and these with their places in it.

        The latter are None where lines end in more than one way, or hold a stray tab.
        """
        if b"\t" in block and self.layout.separator != b"\t":
            return (
                block,
                None,
            )  # pyarrow would take a number with a tab beside it, the rule does not
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
        regular, irregular, begin = [], [], 0
        for place in wrong:
            start, end = int(starts[place]), int(ends[place])
            regular.append(block[begin:start])
            irregular.append((place, block[start:end]))
            begin = end + 1
        regular.append(block[begin:])
        return b"".join(regular), irregular

    def _fast(self, block: bytes, lines: int) -> _Part | None:
        """Return the rows of regular lines by pyarrow's reader; None where one is not regular."""
        values = np.empty((lines, self.layout.output_dim), np.float32)
        if not lines:
            return _Part([], values)
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
        if not np.isfinite(values).all() and not _infinities_are_written(block, values):
            return None
        return _Part(table.column(0).to_pylist(), values)

    def _append(self, part: _Part, share_read: float) -> None:
        end = self.count + len(part.rows)
        if end * self.layout.output_dim > MOST_VALUES:
            raise DataError(
                f"{self.problems.path_label} has more than {MOST_VALUES:,} numbers; expected fewer"
            )
        if end > len(self.rows):  # by what was read so far, and a little more
            room = max(end, int(end / max(share_read, 0.05) * 1.02) + 16)
            self.rows.resize((room, self.layout.output_dim), refcheck=False)
        self.rows[self.count : end] = part.rows
        self.count = end
        self.words.extend(part.words)

    def finish(self) -> Contents:
        """Return what was read, and what the header claims wrongly among the problems."""
        self.rows.resize((self.count, self.layout.output_dim), refcheck=False)
        problems, header = self.problems, self.layout.header
        rows, words = without_repeats(self.rows, as_lines(self.words, problems), problems)
        if not len(rows):
            raise DataError(f"{problems.path_label} holds no word vectors{_first(problems)}")
        if problems.total > len(rows):
            raise DataError(
                f"{problems.path_label} has more wrong lines ({problems.total:,}) than rows "
                f"({len(rows):,}){_first(problems)}"
            )
        kind = "GloVe text"
        if header is not None:
            kind = "word2vec text"
            if header[1] != self.layout.output_dim:
                problems.add(
                    "header",
                    f"line 1 claims {plural(header[1], 'number')} a row, but the lines have "
                    f"{self.layout.output_dim:,}",
                )
            lines = self.line - 2
            if header[0] != self.count and header[0] != lines:
                problems.add(
                    "header",
                    f"line 1 claims {plural(header[0], 'row')}, but {plural(lines, 'line')} "
                    f"{'follows' if lines == 1 else 'follow'}",
                )
        return Contents(kind, rows, pack(words), "text", problems)

    def _parse_lines(self, lines: list[tuple[int, bytes]], first: int) -> tuple[Places, _Part]:
        """Parse lines by the rule itself, and take down what is wrong with those that are no rows.

        Returns the places of the rows among the lines of the block, and the rows.
        """
        places, words, rows = [], [], []
        output_dim, separator = self.layout.output_dim, self.layout.separator
        for place, raw in lines:
            line = raw.removesuffix(b"\r").rstrip(separator)
            number = first + place
            fields = line.split(separator)
            wrong = _wrong(fields, output_dim)
            if wrong is not None:
                if line:
                    self.problems.add(wrong[0], f"line {number} {wrong[1]}")
                continue
            numbers = fields[-output_dim:]
            values = pa.array([field.decode() for field in numbers])
            row = values.cast(pa.float32()).to_numpy(zero_copy_only=False)
            written = sum(field.lower().lstrip(b"+-").startswith(b"inf") for field in numbers)
            if int(np.isinf(row).sum()) != written:
                self.problems.add(
                    "numbers", f"line {number} has a number that float32 cannot hold (up to 3.4e38)"
                )
                continue
            places.append(place)
            words.append(separator.join(fields[:-output_dim]))
            rows.append(row)
        stacked = np.stack(rows) if rows else np.empty((0, output_dim), np.float32)
        return np.array(places, np.int64), _Part(words, stacked)


def _first(problems: Problems) -> str:
    return f"; the first: {problems.first[0]}" if problems.first else ""


def _infinities_are_written(block: bytes, values: FloatArray) -> bool:
    """Return whether the text has as many infinities as were read, so that no number overflowed."""
    infinite = int(np.isinf(values).sum())
    return not infinite or len(re.findall(rb"[ \t][+-]?inf", block, re.I)) >= infinite


def _wrong(fields: list[bytes], output_dim: int) -> tuple[str, str] | None:
    """Return what is wrong with a line, its kind and then in words; None for a row."""
    if len(fields) <= output_dim:
        return "short lines", f"has {plural(len(fields) - 1, 'number')}; expected {output_dim}"
    for place, field in enumerate(fields[-output_dim:], len(fields) - output_dim):
        if not is_number(field):
            quoted = clipped_repr(field.decode("utf-8", "backslashreplace"))
            return "numbers", f"has {quoted} as field {place + 1}; expected a number"
    extra = fields[1:-output_dim]
    if any(map(is_number, extra)):
        return "long lines", f"has {plural(len(fields) - 1, 'number')}; expected {output_dim}"
    return None
