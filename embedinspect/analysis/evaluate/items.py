"""What a file of a test holds: its kind, and its items by sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from embedinspect import samples

Kind = Literal["analogies", "pairs", "odd-one-out", "categories", "association"]

# What each kind asks, for the reader of a result.
ASKS: dict[Kind, str] = {
    "analogies": "a is to b as c is to what?",
    "pairs": "how alike do people find two words?",
    "odd-one-out": "which word does not belong with the others?",
    "categories": "do words of one category lie together?",
    "association": "do two sets of words lean to two other sets differently (WEAT)?",
}


@dataclass(frozen=True)
class Analogy:
    """`a` is to `b` as `c` is to one of the answers; any of these counts.

    Attributes:
        others: further words that may not be predicted, beside a, b and c.
    """

    a: str
    b: str
    c: str
    answers: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """Two words and how alike people found them."""

    first: str
    second: str
    score: float


@dataclass(frozen=True)
class OddOneOut:
    """Words that belong together, and one that does not."""

    words: tuple[str, ...]
    odd: str


@dataclass(frozen=True)
class Member:
    """A word and its category."""

    word: str
    category: str


@dataclass(frozen=True)
class Association:
    """A word embedding association test: two sets of targets, two sets of attributes.

    Attributes:
        names: of the four sets, targets first.
    """

    targets: tuple[tuple[str, ...], tuple[str, ...]]
    attributes: tuple[tuple[str, ...], tuple[str, ...]]
    names: tuple[str, str, str, str]


@dataclass(frozen=True)
class Section:
    """Items of one kind under a name."""

    name: str
    items: Sequence[Any]


@dataclass(frozen=True)
class LeftOut:
    """Lines of a file that do not fit, and so do not count.

    Attributes:
        total: how many.
        first: messages of the first of them; each names its line.
    """

    total: int = 0
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class TestFile:
    """A file of a test, as it was read.

    Attributes:
        path: as the user gave it.
        kind: what it asks.
        reason: why it was taken for that kind, as the end of a sentence.
        perhaps: another kind that it could be; None where nothing else comes near.
        sections: the items, in the order of the file.
        notes: how it was read, each a sentence.
        left_out: lines that do not fit.
    """

    __test__ = False  # of pytest's, which takes the name for a class of tests

    path: str
    kind: Kind
    reason: str
    sections: tuple[Section, ...]
    perhaps: Kind | None = None
    notes: tuple[str, ...] = ()
    left_out: LeftOut = LeftOut()

    @property
    def size(self) -> int:
        """How many items there are."""
        return sum(len(section.items) for section in self.sections)


def name_of(path: str) -> str:
    """Return the name of a section that has no heading: the file's, without its ending."""
    return "all" if path == "-" else Path(path.removeprefix(samples.PREFIX)).stem
