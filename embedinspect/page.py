"""A page: what a command says, as plain parts, before anyone lays it out.

A page is a sequence of parts. It holds text as it is, signs such as → and · included, and exact
values; each renderer (the terminal, Markdown) escapes text, picks signs, rounds and fits. Nothing
here knows a screen. A page may be a generator: a renderer shows each part as it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from embedinspect.pictures import Curves, Heat, Scatter

if TYPE_CHECKING:
    from embedinspect.lookup import Lookup

# What a value in a table may be. A tuple is a sequence of ids, or a one-hot vector.
Value = None | bool | int | float | str | tuple[int, ...]

# What a cell, a label or a sentence means; a renderer gives each meaning one colour. What is said
# by colour is said in words as well.
Meaning = Literal["plain", "confirmed", "wrong", "doubtful", "notable", "aside"]

# How the values of a column are written:
#   text      as it is, cut with a sign for more where the screen is too narrow
#   prose     sentences, wrapped between words
#   path      cut at its start, where the end tells more
#   sequence  ids in a row, cut in the middle
#   id        a whole number that names something: right-aligned, plain digits
#   number    an amount: right-aligned, whole numbers with separators, the rest with decimals
#   vector    rows of numbers, a column for each dimension, the middle ones left out with a count
#   bar       an amount drawn as a bar, beside the column that has it as a number
#   lean      a probability drawn as a bar that leans from one half to either side, likewise
Kind = Literal["text", "prose", "path", "sequence", "id", "number", "vector", "bar", "lean"]

# `auto`: three significant digits of the largest number among the `auto` columns of the table.
# None: an exponent.
Decimals = int | None | Literal["auto"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: its heading.
        values: exact, one for each row; of the kind `vector` a float32 array, shape (rows, dims).
        kind: how they are written.
        decimals: of numbers that are not whole.
        signed: write a plus before positive numbers.
        most: cut longer texts at this width, whatever room there is; None for no limit.
        optional: may be left out where the screen is too narrow, which is then said.
        rigid: text that is never cut.
        meanings: of the cells; all plain by default.
        heat: how vectors may be drawn as cells of colour; None for numbers alone.
        logarithmic: of bars: a length stands for the logarithm of the amount + 1.
    """

    name: str
    values: Any
    kind: Kind = "text"
    decimals: Decimals = "auto"
    signed: bool = False
    most: int | None = None
    optional: bool = False
    rigid: bool = False
    meanings: Sequence[Meaning] | None = None
    heat: Heat | None = None
    logarithmic: bool = False


@dataclass(frozen=True)
class Table:
    """Columns of the same length under one title.

    Attributes:
        title: above the columns.
        columns: from left to right.
        most: rows to show before those in the middle are left out, with a count; None for all.
        more: how many rows there are beyond those that are given.
        full: leave out no dimension of a vector: a screen too narrow for them turns the table over.
    """

    title: str
    columns: Sequence[Column]
    most: int | None = None
    more: int = 0
    full: bool = False

    @property
    def rows(self) -> list[tuple[Value, ...]]:
        """The values line by line."""
        return list(zip(*(column.values for column in self.columns), strict=True))


@dataclass(frozen=True)
class Tables:
    """Tables that stand side by side where there is room for it, under one heading if given."""

    tables: Sequence[Table]
    heading: str = ""


@dataclass(frozen=True)
class Headline:
    """The first line of a page, and a sentence or two below it."""

    text: str
    intro: str = ""


@dataclass(frozen=True)
class Section:
    """The heading of what follows, on a page of several."""

    title: str
    intro: str = ""


@dataclass(frozen=True)
class KeyFigure:
    """One number to take away.

    Attributes:
        label: what it is.
        value: the number, as it is written.
        remark: what to hold it against.
        meaning: of the number.
    """

    label: str
    value: str
    remark: str = ""
    meaning: Meaning = "plain"


@dataclass(frozen=True)
class KeyFigures:
    """A few numbers that stand out, side by side where there is room for it."""

    figures: Sequence[KeyFigure]


@dataclass(frozen=True)
class Paragraph:
    """Sentences."""

    text: str
    meaning: Meaning = "plain"


@dataclass(frozen=True)
class Fact:
    """A sentence behind its label; an empty label goes on with the one before.

    Attributes:
        meaning: of the label.
        brief: the sentence may be cut after a line or two.
    """

    label: str
    text: str
    meaning: Meaning = "plain"
    brief: bool = False


@dataclass(frozen=True)
class Facts:
    """Facts below each other."""

    facts: Sequence[Fact]


@dataclass(frozen=True)
class Glossary:
    """Names in titled groups, each with what it stands for.

    Attributes:
        groups: of names, each with its title.
        of_columns: tables whose columns have these names: where a screen has no room for a column,
            nothing is said of it.
    """

    groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    of_columns: Sequence[Table] = ()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong or worth knowing, with its evidence and what mends it.

    Attributes:
        number: its place among those of the page.
        severity: in a word, as `error`.
        meaning: of that word.
        what: the sentence that says it.
        details: evidence, consequence, remedy.
    """

    number: int
    severity: str
    meaning: Meaning
    what: str
    details: Sequence[Fact]


@dataclass(frozen=True)
class Code:
    """Lines of code under a title; of very many, the middle ones may be left out with a count."""

    title: str
    lines: Sequence[str]
    most: int | None = None


@dataclass(frozen=True)
class Trace:
    """The three linked tables of `show`: token ids, output tensor, embedding matrix.

    They share their lines: one line is one position, from token to id to vector.

    Attributes:
        lookup: whose texts, ids and rows they are.
        full: leave nothing out.
        precision: decimals of every number; None for three significant digits of the largest.
        heat: how the vectors may be drawn as cells of colour; None for numbers alone.
    """

    lookup: Lookup
    full: bool = False
    precision: int | None = None
    heat: Heat | None = None


@dataclass(frozen=True)
class Reading:
    """How a classifier comes to its answer on one text, token by token.

    Attributes:
        title: which text it is, and whose probability.
        tokens: in their order, in parentheses what is none: the start before all of them, and the
            padding that the model reads.
        probabilities: of the label that is asked about, after each token.
        changes: what each token changed of it; 0 at the start.
        outcome: the answer, in words.
        table: all numbers, as a terminal shows them.
    """

    title: str
    tokens: Sequence[str]
    probabilities: Sequence[float]
    changes: Sequence[float]
    outcome: str
    table: Table


Picture = Curves | Scatter | Reading
Part = (
    Headline
    | Section
    | KeyFigures
    | Paragraph
    | Table
    | Tables
    | Facts
    | Glossary
    | Problem
    | Code
    | Trace
    | Picture
)
Page = Iterable[Part]


@dataclass(frozen=True)
class Fold:
    """Which of many items are shown: the first, the last, and how many lie between them."""

    head: Sequence[int]
    left_out: int
    tail: Sequence[int] = field(default=())


def folded(count: int, most: int | None) -> Fold:
    """Return which of `count` items to show where `most` lines are wanted, one of them the count.

    >>> folded(20, 5)
    Fold(head=range(0, 3), left_out=16, tail=range(19, 20))
    >>> folded(4, 5).left_out
    0
    """
    if most is None or count <= most:
        return Fold(range(count), 0)
    tail = max(1, (most - 1) // 3)
    head = most - 1 - tail
    return Fold(range(head), count - head - tail, range(count - tail, count))
