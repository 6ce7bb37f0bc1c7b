"""Word vectors as text: GloVe (no header), word2vec and fastText `.vec` (a header, `N D`).

A line is a word and D numbers with one space between them; the last D fields are the numbers, so
a word may hold spaces. The file is read in blocks, which threads parse (`text_rows.py`).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.contents import Contents, Problems, Progress, ReadOptions
from embedinspect.formats.packed import PackedFile, open_packed
from embedinspect.formats.repairs import as_lines, without_repeats
from embedinspect.formats.text_layout import Layout, layout_of
from embedinspect.formats.text_rows import Part, parse_block
from embedinspect.matrix import MOST_VALUES
from embedinspect.row_words import pack
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import plural

if TYPE_CHECKING:
    from concurrent.futures import Future

START = 8 * 2**20  # bytes that tell how the lines are laid out; a smaller file needs no threads
BLOCK = 2**20  # what becomes of so many is still in the processor's cache
_LONGEST_LINE = 2**26
_MANY_LINES = 2**16
_MOST_THREADS = 4  # a block takes five times its size while it is parsed


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
    with open_packed(path, progress) as file:
        return read_open(file, Problems(repr(str(path)), strict))


def read_open(file: PackedFile, problems: Problems, name: str | None = None) -> Contents:
    """Return rows and words of a text that is open; raises what `read_text` raises.

    Args:
        problems: takes what is wrong with lines; its label names the text.
        name: of the text among others in its file.
    """
    start = file.read(START)
    is_whole = len(start) < START
    layout = layout_of(start, whole=is_whole)
    if layout is None:
        raise DataError(
            f"{problems.path_label} holds no word vectors; expected lines of a word and numbers"
        )
    reader = _Reader(layout, problems)
    blocks = reader.numbered(_blocks(file, start, problems), file)
    if is_whole:
        for block in blocks:
            reader.take(block, parse_block(block.lines, layout))
    else:
        _parse_in_threads(blocks, reader)
    return reader.finish(name)


class _Block(NamedTuple):
    """Some lines of the text.

    Attributes:
        lines: whole ones, each with its line feed.
        first: the number of the first.
        share_read: how much of the file is read with these, from 0 to 1.
    """

    lines: bytes
    first: int
    share_read: float


def _parse_in_threads(blocks: Iterator[_Block], reader: _Reader) -> None:
    """Parse blocks in threads of their own, and take what they give in the order of the text."""
    from concurrent.futures import ThreadPoolExecutor

    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    under_way: deque[tuple[_Block, Future[Part]]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for block in blocks:
            under_way.append((block, pool.submit(parse_block, block.lines, reader.layout)))
            if len(under_way) > threads:  # one more than are parsed, so that none has to wait
                _take_first(under_way, reader)
        while under_way:
            _take_first(under_way, reader)
    finally:
        pool.shutdown(cancel_futures=True)


def _take_first(under_way: deque[tuple[_Block, Future[Part]]], reader: _Reader) -> None:
    block, future = under_way.popleft()
    reader.take(block, future.result())


def _blocks(file: PackedFile, start: bytes, problems: Problems) -> Iterator[bytes]:
    """Yield the file in blocks that end with a line feed."""
    rest = start.removeprefix(b"\xef\xbb\xbf")
    while True:
        at = 0
        while cut := (rest.rfind(b"\n", at, at + BLOCK) + 1 or rest.find(b"\n", at + BLOCK) + 1):
            yield rest[at:cut]
            at = cut
        rest = rest[at:]
        if len(rest) > _LONGEST_LINE:
            raise DataError(
                f"{problems.path_label} has a line of more than {_LONGEST_LINE:,} bytes; expected "
                "a word and its numbers on each line"
            )
        data = file.read(BLOCK)
        rest += data
        if not data:
            if rest:
                problems.add("end", "ends without a line feed, so its last line may be cut off")
                yield rest + b"\n"
            return


class _Reader:
    """What has been read so far: rows, words, and the number of the next line."""

    def __init__(self, layout: Layout, problems: Problems) -> None:
        self.layout, self.problems = layout, problems
        self.rows: FloatArray = np.empty((0, layout.output_dim), np.float32)
        self.count, self.line = 0, 1
        self.most_rows = 0  # that there can be in the blocks so far
        self.words: list[bytes] = []
        self.distinct: set[bytes] = set()

    def numbered(self, blocks: Iterator[bytes], file: PackedFile) -> Iterator[_Block]:
        """Yield blocks of rows with the numbers of their lines.

        Raises:
            DataError: most lines are too short for rows, which is found before they are parsed.
        """
        for lines in blocks:
            first = self.line
            self.line += lines.count(b"\n")
            if first == 1 and self.layout.header is not None:
                lines = lines[lines.index(b"\n") + 1 :]
                first = 2
            if lines:
                self._refuse_few_rows(lines, self.line - first)
                yield _Block(lines, first, file.share_read)

    def _refuse_few_rows(self, block: bytes, lines: int) -> None:
        """Refuse a text where more lines than rows are certain to be wrong, and they are many."""
        self.most_rows += min(lines, len(block) // (2 * self.layout.output_dim + 2))
        wrong = self.line - 1 - self.most_rows
        if wrong > _MANY_LINES and wrong > self.most_rows:
            raise DataError(
                f"{self.problems.path_label} has more lines that are empty or too short "
                f"({wrong:,}) than rows; expected a word and {self.layout.output_dim} numbers on "
                "each line"
            )

    def take(self, block: _Block, part: Part) -> None:
        """Add what was parsed of a block, which is the next one in the text.

        Raises:
            DataError: there are more numbers than a matrix may have, or a problem where the
                reading is strict.
        """
        for kind, place, message in part.problems:
            self.problems.add(kind, f"line {block.first + place} {message}")
        end = self.count + len(part.rows)
        if end * self.layout.output_dim > MOST_VALUES:
            raise DataError(
                f"{self.problems.path_label} has more than {MOST_VALUES:,} numbers; expected fewer"
            )
        if end > len(self.rows):  # by what was read so far, and a little more
            room = max(int(1.05 * end), int(1.02 * end / max(block.share_read, 0.05))) + 16
            grown = np.empty((room, self.layout.output_dim), np.float32)
            grown[: self.count] = self.rows[: self.count]
            self.rows = grown
        self.rows[self.count : end] = part.rows
        self.count = end
        self.words += part.words
        self.distinct.update(part.words)

    def finish(self, name: str | None) -> Contents:
        """Return what was read, and what the header claims wrongly among the problems."""
        self.rows.resize((self.count, self.layout.output_dim), refcheck=False)
        problems, header = self.problems, self.layout.header
        rows, words = self.rows, as_lines(self.words, problems)
        if words is not self.words or len(self.distinct) < len(words):
            rows, words = without_repeats(rows, words, problems)
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
        return Contents(kind, rows, pack(words), "text", problems, tensor=name)


def _first(problems: Problems) -> str:
    return f"; the first: {problems.first[0]}" if problems.first else ""
