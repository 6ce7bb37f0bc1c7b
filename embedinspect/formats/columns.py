"""Which columns of a table are the vectors, and which one holds the words.

A table of any format is described by its columns here; what they hold is read elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.contents import ReadOptions
from embedinspect.wording import clipped_repr, listed, plural

# A list of numbers in each row, one number, a whole number, a text, or what is none of these.
Role = Literal["vector", "number", "whole number", "text", "other"]
# What a column of words is called, the likeliest name first.
WORD_NAMES = (
    "word", "words", "token", "tokens", "text", "texts", "sentence", "title", "label", "name"
)  # fmt: skip
# What a column is called that numbers or measures the rows, and is no part of a vector.
NUMBERING = ("", "row", "id", "index", "norm", "__index_level_0__")
_NUMBERED = re.compile(r"(.*?)(\d{1,9})", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: as the table has it.
        role: what its fields hold.
        dtype: the type of its numbers, by NumPy's name; empty where it has none.
    """

    name: str
    role: Role
    dtype: str = ""

    @property
    def is_floating(self) -> bool:
        """Whether its numbers have a fraction."""
        return self.dtype.startswith("float")


@dataclass(frozen=True)
class Choice:
    """The columns that are read.

    Attributes:
        vectors: the places of the columns that make up the vectors: one column of lists of
            numbers, or several columns of numbers, in order.
        of_lists: whether it is one column of lists.
        name: what the vectors are called.
        dtype: the type of their numbers, by NumPy's name.
        words: the place of the column of words; None where there is none.
        words_name: the name of that column.
        warnings: what else could have been meant, each a sentence.
    """

    vectors: tuple[int, ...]
    of_lists: bool
    name: str
    dtype: str
    words: int | None
    words_name: str | None
    warnings: tuple[str, ...] = ()

    @property
    def words_from(self) -> str | None:
        """Where the words come from, in words."""
        return None if self.words_name is None else f"the column {clipped_repr(self.words_name)}"


@dataclass(frozen=True)
class _Candidate:
    """Columns that could be the vectors.

    Attributes:
        name: by which --vectors picks them.
        places: of the columns.
        of_lists: whether it is one column of lists.
    """

    name: str
    places: tuple[int, ...]
    of_lists: bool


def choose(columns: Sequence[Column], options: ReadOptions, path: Path) -> Choice:
    """Return which columns of a table are the vectors, and which one holds the words.

    A column of lists of floats is the vectors, or else columns of numbers that are numbered
    (`dim_0` to `dim_383`), or else a column of lists of whole numbers, or else all columns of
    floats: the first of these kinds that the table has. Where it has several of that kind, the
    user must pick one.

    Raises:
        UsageError: several columns could be the vectors, or a column that is named does not fit.
        DataError: no column can be the vectors.
    """
    label = repr(str(path))
    words = wanted_words(columns, options.words, path)
    kinds = _candidates(columns, words)
    if options.vectors is not None:
        vectors = _wanted_vectors(columns, kinds, options.vectors, label)
    else:
        vectors = _only_vectors(columns, kinds, label)
    warnings = _left_out(columns, vectors, words, path)
    if words is None:
        words = _likely_words(columns, vectors)
        warnings += _unnamed_words(columns, vectors, words, path)
    else:
        warnings += file_of_that_name(columns[words].name, path)
    dtypes = {columns[place].dtype for place in vectors.places}
    return Choice(
        vectors.places,
        vectors.of_lists,
        _title(columns, vectors),
        dtypes.pop() if len(dtypes) == 1 else "float64",
        words,
        None if words is None else columns[words].name,
        warnings,
    )


def wanted_words(columns: Sequence[Column], wanted: str | None, path: Path) -> int | None:
    """Return the place of the column that the user calls the words; None for no column.

    Raises:
        UsageError: it holds no words, or there is neither a column nor a file of that name.
    """
    if wanted is None:
        return None
    places = [place for place, column in enumerate(columns) if column.name == wanted]
    texts = listed(clipped_repr(column.name) for column in columns if column.role == "text")
    if not places:
        if wanted.startswith("sample:") or os.path.exists(wanted):
            return None
        raise UsageError(
            f"--words is {clipped_repr(wanted)}; expected a column of words of {str(path)!r} "
            f"({texts or 'it has no column of texts'}), or a file of words"
        )
    if len(places) > 1:
        raise UsageError(
            f"{str(path)!r} has {len(places)} columns called {clipped_repr(wanted)}; expected one; "
            "rename the others"
        )
    if columns[places[0]].role not in ("text", "whole number"):
        raise UsageError(
            f"--words is {clipped_repr(wanted)}, a column without texts; expected a column of "
            f"words of {str(path)!r}: {texts or 'it has none'}"
        )
    return places[0]


def _candidates(columns: Sequence[Column], words: int | None) -> list[list[_Candidate]]:
    """Return what could be the vectors, by kind, the likeliest kind first."""
    lists = [
        _Candidate(column.name, (place,), of_lists=True)
        for place, column in enumerate(columns)
        if column.role == "vector"
    ]
    floats = [lists_of for lists_of in lists if columns[lists_of.places[0]].is_floating]
    others = [lists_of for lists_of in lists if not columns[lists_of.places[0]].is_floating]
    numbers = [
        place
        for place, column in enumerate(columns)
        if column.role in ("number", "whole number") and place != words
    ]
    single = tuple(
        place
        for place in numbers
        if columns[place].is_floating and columns[place].name.lower() not in NUMBERING
    )
    loose = [_Candidate(_span(columns, single), single, of_lists=False)] if single[1:] else []
    return [floats, _numbered(columns, numbers), others, loose]


def _numbered(columns: Sequence[Column], numbers: Iterable[int]) -> list[_Candidate]:
    """Return the groups of columns whose names count, such as dim_0, dim_1 and so on."""
    groups: dict[str, dict[int, int]] = {}
    crowded = set()
    for place in numbers:
        match = _NUMBERED.fullmatch(columns[place].name)
        if match:
            group = groups.setdefault(match[1], {})
            if int(match[2]) in group:
                crowded.add(match[1])
            group[int(match[2])] = place
    candidates = []
    for prefix, group in groups.items():
        counts = sorted(group)
        counting = counts[0] in (0, 1) and counts[-1] - counts[0] + 1 == len(counts)
        if len(counts) > 1 and counting and prefix not in crowded:
            places = tuple(group[count] for count in counts)
            candidates.append(_Candidate(_span(columns, places), places, of_lists=False))
    return candidates


def _span(columns: Sequence[Column], places: Sequence[int]) -> str:
    """Return the names of the first and the last of some columns."""
    return f"{columns[places[0]].name}..{columns[places[-1]].name}" if places else ""


def _title(columns: Sequence[Column], vectors: _Candidate) -> str:
    """Return what the vectors are called for people."""
    if vectors.of_lists:
        return vectors.name
    first, last = (columns[vectors.places[end]].name for end in (0, -1))
    return f"{plural(len(vectors.places), 'column')}, {first} to {last}"


def _wanted_vectors(
    columns: Sequence[Column], kinds: Sequence[Sequence[_Candidate]], wanted: str, label: str
) -> _Candidate:
    """Return the vectors that the user picks.

    Raises:
        UsageError: there are none of that name.
    """
    candidates = [candidate for kind in kinds for candidate in kind]
    named = [candidate for candidate in candidates if candidate.name == wanted]
    if len(named) == 1:
        return named[0]
    names = listed(clipped_repr(candidate.name) for candidate in candidates)
    if len(named) > 1:
        came = f"a name that {len(named)} columns have"
    elif any(column.name == wanted for column in columns):
        came = "a column without lists of numbers"
    else:
        came = "no column"
    raise UsageError(
        f"--vectors is {clipped_repr(wanted)}, {came}; expected a column of vectors of {label}: "
        f"{names or 'it has none'}"
    )


def _only_vectors(
    columns: Sequence[Column], kinds: Sequence[Sequence[_Candidate]], label: str
) -> _Candidate:
    """Return the only vectors of the likeliest kind.

    Raises:
        UsageError: there are several.
        DataError: there are none, or columns of several types.
    """
    candidates = next((kind for kind in kinds if kind), [])
    if not candidates:
        names = listed(clipped_repr(column.name) for column in columns) or "no column"
        raise DataError(
            f"{label} has no column of vectors (it has {names}); expected a column of lists of "
            "numbers, or several columns of floats"
        )
    if len(candidates) > 1:
        names = listed(clipped_repr(candidate.name) for candidate in candidates)
        raise UsageError(
            f"{label} has several columns of vectors ({names}); pick one with --vectors"
        )
    [vectors] = candidates
    if candidates is kinds[-1]:
        by_dtype: dict[str, list[str]] = {}
        for place in vectors.places:
            by_dtype.setdefault(columns[place].dtype, []).append(clipped_repr(columns[place].name))
        if len(by_dtype) > 1:
            types = "; ".join(f"{dtype}: {listed(names)}" for dtype, names in by_dtype.items())
            raise DataError(
                f"{label} has columns of numbers of several types ({types}); expected one type, "
                "or names that count, such as dim_0, dim_1"
            )
    return vectors


def _likely_words(columns: Sequence[Column], vectors: _Candidate) -> int | None:
    """Return the place of the column of words: by its name, or as the only one of texts."""
    texts = _texts(columns, vectors)
    by_name = {columns[place].name.lower(): place for place in reversed(texts)}
    named = next((by_name[name] for name in WORD_NAMES if name in by_name), None)
    return texts[0] if named is None and len(texts) == 1 else named


def _texts(columns: Sequence[Column], vectors: _Candidate) -> list[int]:
    return [
        place
        for place, column in enumerate(columns)
        if column.role == "text" and place not in vectors.places
    ]


def _unnamed_words(
    columns: Sequence[Column], vectors: _Candidate, words: int | None, path: Path
) -> tuple[str, ...]:
    """Return that no column of texts was taken for the words, where there are several."""
    texts = _texts(columns, vectors)
    if words is not None or not texts:
        return ()
    names = listed(clipped_repr(columns[place].name) for place in texts)
    return (f"{path} has several columns of texts ({names}); name that of the words with --words",)


def _left_out(
    columns: Sequence[Column], vectors: _Candidate, words: int | None, path: Path
) -> tuple[str, ...]:
    """Return which columns of numbers are no part of the vectors, though they may be meant."""
    used = {*vectors.places, words}
    names = [
        clipped_repr(column.name)
        for place, column in enumerate(columns)
        if column.role in ("number", "whole number")
        and place not in used
        and column.name.lower() not in NUMBERING
    ]
    if vectors.of_lists or not names:
        return ()
    return (f"{path}: {_title(columns, vectors)}, are the vectors; left out: {listed(names)}",)


def file_of_that_name(name: str, path: Path) -> tuple[str, ...]:
    """Return that the words are a column and no file, where there is a file of that name, too."""
    if not os.path.isfile(name):
        return ()
    return (
        f"{path} has a column called {clipped_repr(name)}, which the words are taken from; the "
        f"file of that name is --words ./{name}",
    )
