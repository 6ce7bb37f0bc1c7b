"""Tables of vectors in Parquet, as `export`, pandas, DuckDB and data sets on the hub have them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from embedinspect.errors import DataError
from embedinspect.formats.arrow_columns import Gathered, columns_of, most_bytes, width_of
from embedinspect.formats.beginning import Start
from embedinspect.formats.columns import Choice, choose
from embedinspect.formats.contents import Contents, Progress, ReadOptions
from embedinspect.formats.parquet_pages import claims_of
from embedinspect.matrix import MOST_VALUES
from embedinspect.wording import clipped_repr, plural

_BATCH = 2**22  # numbers that are read at a time
_BUFFER = 2**20  # bytes of a column that are read at a time
_MOST_THREADS = 4
# A footer is unpacked to some two hundred times its size; in files that mean something it is a
# fiftieth of the file, or small.
_SMALL_FOOTER, _SHARE_OF_FOOTER = 2**22, 50
_LIMITS = {"thrift_string_size_limit": 2**24, "thrift_container_size_limit": 2**20}


def recognises(start: Start) -> bool:
    """Return whether a file that begins as Parquet does goes on as its first page does."""
    return b"\0" in start.data  # a text may begin with the same four letters


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the vectors of a table, and its words where it has a column of them.

    Raises:
        UsageError: several columns could be the vectors, or one that is named does not fit.
        DataError: the file is damaged, holds no vectors, or claims more than it can hold.
    """
    label = repr(str(path))
    try:
        _refuse_large_footer(path, label)
        with path.open("rb") as file, parquet.ParquetFile(file, **_LIMITS) as table:
            choice = choose(columns_of(table.schema_arrow), options, path)
            parts = _Parts.of(path, table, choice, label)
        return parts.read(options.progress)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = clipped_repr(str(error).split("\n", maxsplit=1)[0], 80)
        raise DataError(
            f"{label} is a damaged Parquet file ({reason}); expected a table with a column of "
            "vectors"
        ) from None


def _refuse_large_footer(path: Path, label: str) -> None:
    """Refuse a file whose description of itself is out of all proportion.

    Raises:
        DataError: it is.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        footer = int.from_bytes(file.read(4), "little")
    most = max(_SMALL_FOOTER, size // _SHARE_OF_FOOTER)
    if most < footer < size:
        raise DataError(
            f"{label} describes itself in {footer:,} bytes of {size:,}; expected at most {most:,}"
        )


@dataclass(frozen=True)
class _Parts:
    """The groups of rows of a table, which are read by several threads.

    Attributes:
        path: of the file.
        label: how errors name it.
        choice: the columns that are read.
        names: the names of the columns, that of the words last.
        metadata: what the footer says.
        texts: the columns of texts, which stay dictionaries until their size is known.
        ends: the row after the last of each group.
    """

    path: Path
    label: str
    choice: Choice
    names: tuple[str, ...]
    metadata: parquet.FileMetaData
    texts: tuple[str, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, path: Path, table: parquet.ParquetFile, choice: Choice, label: str) -> _Parts:
        """Return the groups of rows of a table.

        Raises:
            DataError: a column shares its name with another, or the footer contradicts itself.
        """
        schema, metadata = table.schema_arrow, table.metadata
        names = [schema.names[place] for place in choice.vectors]
        texts: tuple[str, ...] = ()
        if choice.words_name is not None and choice.words_name not in names:
            names.append(choice.words_name)
            if not pa.types.is_integer(schema.field(choice.words or 0).type):
                texts = (choice.words_name,)
        for name in names:
            if schema.names.count(name) > 1:
                raise DataError(
                    f"{label} has several columns called {clipped_repr(name)}; expected one; "
                    "rename the others"
                )
        counts = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        if min(counts, default=0) < 0 or sum(counts) != metadata.num_rows:
            raise DataError(f"{label} is a damaged Parquet file; expected its numbers of rows")
        ends = tuple(int(end) for end in np.cumsum(counts, dtype=object))
        return cls(path, label, choice, tuple(names), metadata, texts, ends)

    @contextmanager
    def _open(self) -> Iterator[parquet.ParquetFile]:
        """Open the file for one thread: little of it is read at a time."""
        options: dict[str, Any] = {"metadata": self.metadata, "pre_buffer": False, **_LIMITS}
        file: IO[bytes]
        with (
            self.path.open("rb") as file,
            parquet.ParquetFile(
                file, buffer_size=_BUFFER, read_dictionary=list(self.texts), **options
            ) as table,
        ):
            yield table

    def read(self, progress: Progress | None) -> Contents:
        """Return the vectors and words of all groups."""
        size, count = self.path.stat().st_size, self.ends[-1] if self.ends else 0
        self._refuse_claims(size)
        gathered = Gathered(self.choice, count, self._width(), size, self.label)
        threads = min(_MOST_THREADS, os.cpu_count() or 1)
        shares = [
            share.tolist()
            for share in np.array_split(np.arange(len(self.ends)), threads)
            if len(share)
        ]
        stop = Event()
        with ThreadPoolExecutor(len(shares)) as pool:
            tasks = [
                pool.submit(self._take, gathered, share, stop, progress if not place else None)
                for place, share in enumerate(shares)
            ]
            try:
                for task in tasks:
                    task.result()
            finally:
                stop.set()
        return Contents(
            "Parquet table",
            gathered.rows,
            gathered.words(),
            self.choice.dtype,
            tensor=self.choice.name,
            words_from=self.choice.words_from,
            words_column=self.choice.words_name,
            warnings=self.choice.warnings,
        )

    def _refuse_claims(self, size: int) -> None:
        """Refuse a file whose pages claim more than it can hold.

        Raises:
            DataError: they do.
        """
        claims, most = claims_of(self.path, self.metadata, self.names), most_bytes(size)
        values = min(2 * MOST_VALUES, most // 4)
        if claims.values > values or claims.unpacked > most:
            raise DataError(
                f"{self.label} claims {plural(claims.values, 'value')} in {claims.unpacked:,} "
                f"bytes; expected at most {values:,} in {most:,} bytes, as the file has {size:,}"
            )

    def _width(self) -> int:
        """Return how many numbers the first vector has."""
        first = next((place for place, end in enumerate(self.ends) if end), None)
        if first is None:
            return 0
        vectors = list(self.names[: len(self.choice.vectors)])
        if not self.choice.of_lists:
            return len(vectors)
        with self._open() as table:
            batches = table.iter_batches(1, [first], vectors, use_threads=False)
            batch = next(iter(batches), None)
        if batch is None or not batch.num_rows:
            return 0
        return width_of([batch.column(0)], self.label, of_lists=True)

    def _take(
        self, gathered: Gathered, groups: Sequence[int], stop: Event, progress: Progress | None
    ) -> None:
        """Put the rows of some groups that follow one another where they belong.

        Raises:
            DataError: they have other numbers of rows than the footer says.
        """
        first = row = self.ends[groups[0] - 1] if groups[0] else 0
        end, wide = self.ends[groups[-1]], max(gathered.rows.shape[1], 64)
        size, vectors = self.path.stat().st_size, len(self.choice.vectors)
        with self._open() as table:
            for batch in table.iter_batches(
                max(1, _BATCH // wide), list(groups), list(self.names), use_threads=False
            ):
                if stop.is_set():
                    return
                if row + batch.num_rows > end:
                    raise DataError(f"{self.label} has more rows than it says; it is damaged")
                columns = [batch.column(name) for name in self.names]
                words = columns[-1] if self.choice.words is not None else None
                gathered.put(row, columns[:vectors], words)
                row += batch.num_rows
                if progress is not None:
                    progress(int(size * (row - first) / (end - first)), size)
        if row != end:
            raise DataError(f"{self.label} has fewer rows than it says; it is damaged")
