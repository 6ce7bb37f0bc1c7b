"""Questions in words: a word, a sum of words, a group of words; answered with neighbors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embedinspect.analysis.csls import Corrected, K, LocalScaling
from embedinspect.analysis.nearest import Metric, Nearest, Progress, Searcher, score
from embedinspect.errors import OK, DataError, UsageError
from embedinspect.source import Source
from embedinspect.wording import clipped_repr, listed, plural

if TYPE_CHECKING:
    from embedinspect.formats.ngrams import Composed

_SIGNS = re.compile(r"\s+([+-])(?:\s+|$)|^([+-])\s+")
_MOST_SUGGESTIONS = 20  # close matches are looked for among all words, which takes its time
TASK = (
    "these rows were trained for a classifier's task: near means alike for that task (both good, "
    "or both bad, say), not alike in meaning"
)
PERHAPS_TASK = (
    "if these rows were trained with their model, near means alike for its task (both good, or "
    "both bad, say), not alike in meaning"
)


@dataclass(frozen=True)
class Term:
    """One word of a question: what it adds to the vector that is searched with.

    Attributes:
        row: its own; None for a word without one, whose vector was composed.
        composed: that vector.
    """

    word: str
    row: int | None
    sign: int
    composed: Composed | None = None


@dataclass(frozen=True)
class Question:
    """What to search with: one word, or a sum of words.

    Attributes:
        text: the question as it was asked.
        terms: its words, with their rows and signs.
    """

    text: str
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Neighbor:
    """One row of an answer.

    Attributes:
        word: its word, or `#` and its number where it has none.
        row: its number.
        score: by the metric, or by CSLS.
        cosine: beside a score by CSLS; None otherwise.
    """

    word: str
    row: int
    score: float
    cosine: float | None = None


@dataclass(frozen=True)
class Answer:
    """A question and its neighbors, the nearest first.

    Attributes:
        error: why it has none; None where it could be answered.
        exit_code: that of the same question asked alone.
    """

    question: Question
    neighbors: tuple[Neighbor, ...] = ()
    error: str | None = None
    exit_code: int = OK


@dataclass(frozen=True)
class Neighborhood:
    """The record that `neighbors` prints.

    Attributes:
        source: the source that was searched.
        metric: how rows were compared.
        csls: with how many nearest rows cosines were corrected against hubs; None for not at all.
        answers: one for each question.
        left_out: how many rows can be no one's neighbor: they are not finite, or zeros, which
            have no cosine.
        dims: how many first numbers of each row were compared; None for all.
        note: what to know about neighbors in a matrix of this kind; None for nothing.
    """

    source: Source
    metric: Metric
    csls: int | None
    answers: tuple[Answer, ...]
    left_out: int
    note: str | None
    dims: int | None = None

    @property
    def unanswered(self) -> tuple[Answer, ...]:
        """The answers that are an error."""
        return tuple(answer for answer in self.answers if answer.error is not None)


def parse(source: Source, text: str, *, suggest: bool = True) -> Question:
    """Return the question that a text asks.

    A word of that very spelling wins, spaces and signs included. Otherwise signs between spaces
    make a sum, as in `king - man + woman`.

    Args:
        suggest: whether an error names close matches, for which all words are looked at.

    Raises:
        UsageError: a word has no row, or the sum has no word behind a sign.
    """
    row = source.row_of(text)
    if row is not None:
        return Question(text, (Term(source.name_of(row), row, 1),))
    if text.strip() in {"+", "-"}:
        raise UsageError(
            f"{text.strip()!r} is a sign that stands alone; expected a sum of words in one quoted "
            'argument, such as "king - man + woman"'
        )
    parts = [part for part in _SIGNS.split(text.strip()) if part is not None]
    parts = parts[1:] if not parts[0].strip() else ["+", *parts]
    terms = []
    for sign, word in zip(parts[::2], parts[1::2], strict=True):
        word = word.strip()
        if not word or word in {"+", "-"} or word.startswith(("+ ", "- ")):
            raise UsageError(
                f"{clipped_repr(text)} lacks a word beside a sign; expected a sum of words, such "
                "as: king - man + woman"
            )
        row, composed = source.row_of(word), source.composed(word)
        if row is None and composed is None:
            raise UsageError(source.no_row(word) if suggest else _no_row(word))
        name = word if row is None else source.name_of(row)
        terms.append(Term(name, row, -1 if sign == "-" else 1, composed))
    return Question(text, tuple(terms))


def _no_row(word: str) -> str:
    return f"{clipped_repr(word)} is not among the words; expected one of them, or a row such as #5"


def vector_of(source: Source, question: Question) -> Any:
    """Return the vector to search with, float64, shape (output_dim,).

    A single word is its row; in a sum each row counts with length 1, so that no word drowns the
    others (as in Mikolov et al. 2013).

    Raises:
        DataError: a row is not finite, or has no direction in a sum.
    """
    rows = source.matrix.rows
    total = np.zeros(source.matrix.output_dim)
    for term in question.terms:
        stored = term.composed.vector if term.composed is not None else rows[term.row]
        row = stored.astype(np.float64)
        length = float(np.linalg.norm(row))
        if not np.isfinite(length):
            raise DataError(
                f"{_place(term)} holds NaN or infinity, so nothing is near it; expected a row of "
                "finite numbers"
            )
        if len(question.terms) == 1:
            return row
        if not length:
            raise DataError(
                f"{_place(term)} is all zeros; expected a row with a direction; leave that word out"
            )
        total += term.sign * row / length
    return total


def _place(term: Term) -> str:
    """Return how messages name the vector of a word."""
    if term.word == f"#{term.row}":
        return f"row {term.row}"
    word = clipped_repr(term.word)
    return f"the vector of {word}" if term.row is None else f"row {term.row} ({word})"


def ask(
    source: Source,
    questions: Sequence[Question],
    *,
    top: int,
    metric: Metric = "cosine",
    csls: bool = False,
) -> Neighborhood:
    """Return the neighbors of each question, without the rows that it names.

    Args:
        csls: correct cosines against hubs, `analysis.csls`.

    Raises:
        UsageError: another metric than the cosine is to be corrected.
        DataError: by cosine, the vector of a question has no direction.
    """
    vectors = [_vector_to_search(source, question, metric) for question in questions]
    return _answered(source, questions, vectors, top, metric, csls=csls)


def ask_each(
    source: Source,
    texts: Sequence[str],
    *,
    top: int,
    metric: Metric = "cosine",
    csls: bool = False,
    progress: Progress | None = None,
) -> Neighborhood:
    """Return an answer for each text: neighbors, or the error why there are none.

    Args:
        csls: correct cosines against hubs, `analysis.csls`.
        progress: is told how many questions are answered, now and then; with `csls`, how many
            `csls.steps` are done.
    """
    questions: list[Question] = []
    vectors: list[Any] = []
    suggestions = _MOST_SUGGESTIONS
    for text in texts:
        question = Question(text, ())
        try:
            question = parse(source, text, suggest=suggestions > 0)
            vectors.append(_vector_to_search(source, question, metric))
        except (UsageError, DataError) as error:
            suggestions -= isinstance(error, UsageError)
            vectors.append(error)
        questions.append(question)
    return _answered(source, questions, vectors, top, metric, progress, csls=csls)


def _vector_to_search(source: Source, question: Question, metric: Metric) -> Any:
    vector = vector_of(source, question)
    if metric == "cosine" and not np.linalg.norm(vector):
        raise DataError(
            f"{clipped_repr(question.text)} is a vector of zeros, which has no direction; "
            "expected another word, or --metric euclidean"
        )
    return vector


def _answered(
    source: Source,
    questions: Sequence[Question],
    vectors: Sequence[Any],
    top: int,
    metric: Metric,
    progress: Progress | None = None,
    *,
    csls: bool = False,
) -> Neighborhood:
    """Return the answers; a vector may be the error of its question instead."""
    if csls and metric != "cosine":
        raise UsageError(f"--csls corrects the cosine, and --metric is {metric}; leave out one")
    searcher = Searcher(source.matrix.rows, source.lengths(), metric)
    asked = [place for place, vector in enumerate(vectors) if not isinstance(vector, Exception)]
    without = [
        sorted({term.row for term in questions[place].terms if term.row is not None})
        for place in asked
    ]
    results: Sequence[Nearest | Corrected] = []
    if csls:
        scaling = LocalScaling(searcher)
        results = scaling.nearest_of_many(
            [vectors[place] for place in asked], top, without, progress
        )
    elif len(asked) == 1:
        results = [searcher.nearest(vectors[asked[0]], top, without[0])]
    elif asked:
        stacked = np.stack([vectors[place] for place in asked])
        results = searcher.nearest_of_many(stacked, top, without, progress)
    nearest = dict(zip(asked, results, strict=True))
    answers = tuple(
        Answer(question, _named(source, nearest[place]))
        if place in nearest
        else Answer(question, error=str(vectors[place]), exit_code=vectors[place].exit_code)
        for place, question in enumerate(questions)
    )
    return Neighborhood(
        source, metric, K if csls else None, answers, searcher.left_out, note_on(source)
    )


def _named(source: Source, nearest: Nearest | Corrected) -> tuple[Neighbor, ...]:
    cosines: Sequence[float | None] = [None] * len(nearest.rows)
    if isinstance(nearest, Corrected):
        cosines = nearest.cosines.tolist()
    return tuple(
        Neighbor(source.name_of(row), row, value, cosine)
        for row, value, cosine in zip(
            nearest.rows.tolist(), nearest.scores.tolist(), cosines, strict=True
        )
    )


def note_on(source: Source) -> str | None:
    """Return what to know before meaning is read into the rows; None for nothing."""
    if source.run is not None:
        return TASK if source.epoch != 0 else None
    return PERHAPS_TASK if source.keras is not None else None


@dataclass(frozen=True)
class Member:
    """A word of a group, its row, and its cosine with the mean of the others' directions."""

    word: str
    row: int
    cosine: float


@dataclass(frozen=True)
class OddOneOut:
    """The record of `neighbors --odd-one-out`: the group, led by the word that fits least."""

    source: Source
    members: tuple[Member, ...]
    note: str | None

    @property
    def odd(self) -> Member:
        """The member that fits least."""
        return self.members[0]


def odd_one_out(source: Source, names: Sequence[str]) -> OddOneOut:
    """Return how well each of three words or more fits the mean of the others.

    Raises:
        UsageError: fewer than three words, or a word without a row.
        DataError: a row that is zero or not finite.
    """
    if len(names) < 3:
        raise UsageError(
            f"--odd-one-out has {plural(len(names), 'word')}; expected three or more, such as: "
            "breakfast cereal dinner car"
        )
    rows = source.rows_of(names)
    vectors = source.matrix.rows[rows].astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    sound = np.isfinite(lengths) & (lengths > 0)
    broken = [name for name, fine in zip(names, sound, strict=True) if not fine]
    if broken:
        raise DataError(
            f"{listed(map(clipped_repr, broken))}: zero or not finite; expected rows with a "
            "direction; leave these words out"
        )
    units = vectors / lengths[:, None]
    total = units.sum(axis=0)
    cosines = [float(score(unit[None], total - unit, "cosine")[0]) for unit in units]
    words = map(source.name_of, rows)
    members = [Member(*member) for member in zip(words, rows, cosines, strict=True)]
    return OddOneOut(
        source, tuple(sorted(members, key=lambda member: member.cosine)), note_on(source)
    )
