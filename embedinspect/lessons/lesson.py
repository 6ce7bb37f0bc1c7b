"""What a lesson is: a frozen record of a question, what a run of it gave, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from embedinspect.page import Table

SIZES = ("num_words", "maxlen", "input_dim", "output_dim", "units")


@dataclass(frozen=True)
class Request:
    """What the reader gave to a lesson: texts, and sizes by their name; both may be left out."""

    texts: Sequence[str] | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)

    def size(self, name: str, default: int) -> int:
        """Return the size of that name, or the default."""
        return self.sizes.get(name, default)


@dataclass(frozen=True)
class Experiment:
    """What a lesson finds without Keras.

    Attributes:
        intro: explains the words that the tables use.
        findings: what to see in the tables.
        rule: what to keep in mind.
        code: lines of Keras that show the same.
        numbers: by name, what the variables of those names hold when the lines have run.
        texts: what it was run on; None where it takes no texts.
        next: commands to go on with.
    """

    intro: str
    tables: Sequence[Table]
    findings: Sequence[str]
    rule: str
    code: Sequence[str]
    numbers: Mapping[str, Any]
    texts: Sequence[str] | None = None
    next: Sequence[str] = ()


@dataclass(frozen=True)
class KerasPart:
    """What Keras itself gave when it was run.

    Attributes:
        numbers: as for `Experiment`; those that only Keras can give.
        ran_on: version and backend, in words.
    """

    tables: Sequence[Table]
    findings: Sequence[str]
    numbers: Mapping[str, Any] = field(default_factory=dict)
    ran_on: str = ""


@dataclass(frozen=True)
class Topic:
    """One row of the table of topics.

    Attributes:
        summary: what the list of topics says about it.
        question: what the lesson answers.
        run: does the experiment that needs no Keras.
        run_keras: does the part that needs it, on the backend that was asked for.
        takes_texts: whether the reader's texts can be used.
        takes: the sizes that the reader may set.
        aliases: names, from code mostly, that lead here.
    """

    name: str
    group: str
    summary: str
    question: str
    run: Callable[[Request], Experiment]
    run_keras: Callable[[Request, str | None], KerasPart] | None = None
    takes_texts: bool = True
    takes: Sequence[str] = ()
    aliases: Sequence[str] = ()


@dataclass(frozen=True)
class Lesson:
    """A lesson that has been run; `keras` is None where it needs none, or none was wanted."""

    topic: Topic
    experiment: Experiment
    keras: KerasPart | None = None

    @property
    def numbers(self) -> dict[str, Any]:
        """All numbers that the lines of code must give again."""
        of_keras = {} if self.keras is None else self.keras.numbers
        return {**self.experiment.numbers, **of_keras}
