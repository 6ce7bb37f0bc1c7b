"""Analogies: the answer to `a is to b as c is to ...`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.analysis.evaluate.items import Analogy, Section
from embedinspect.analysis.evaluate.offsets import Method, OffsetSearch, Progress
from embedinspect.analysis.evaluate.results import Doubles, Measure, SectionResult, Settings
from embedinspect.analysis.evaluate.statistics import floor_of, generator, wilson
from embedinspect.analysis.evaluate.words import Rows, WordRows

_SHUFFLES = 200
TOTAL = "total"

Booleans = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class _Asked:
    """The questions that can be asked.

    Attributes:
        places: of the questions among all items.
        rows: of a, b and c, shape (questions, 3).
        without: rows that are no answer: those of a, b and c, in any case of their letters.
        answers: the words that count, as their rows; -1 fills up, shape (questions, most answers).
    """

    places: Rows
    rows: Rows
    without: list[list[int]]
    answers: Rows


def words_of(item: Analogy) -> tuple[str, ...]:
    """Return the words of a question that it cannot do without; of the answers, the first."""
    return item.a, item.b, item.c, item.answers[0]


def score(
    words: WordRows,
    sections: Sequence[Section],
    settings: Settings,
    progress: Progress | None = None,
) -> tuple[list[SectionResult], SectionResult]:
    """Return how many questions of each section, and of all, are answered rightly.

    A question is right if one of its answers is among the `top` rows of the best score, those of a,
    b and c left out: 3CosAdd or 3CosMul (Levy and Goldberg 2014). With equal rules these are the
    counts of gensim's `evaluate_word_analogies`, but that gensim gives a question up where the five
    best rows are all a, b or c in other cases.

    The permuted floor is that of the same predictions beside answers that are shuffled within their
    section: what comes of knowing which kind of word is asked for, without knowing which one.
    """
    items = [item for section in sections for item in section.items]
    asked = _ask(words, items)
    found = _best(words, asked, settings.method, settings.top, progress)
    alone = _nearest(words, asked, settings.top)
    outcomes = np.full(len(items), 0.0 if settings.oov == "wrong" else np.nan)
    outcomes[asked.places] = _hits(found, asked.answers)
    near = np.zeros(len(items))
    near[asked.places] = _hits(alone, asked.answers)
    chances = np.zeros(len(items))
    left = max(1, words.different - 3)
    known = (asked.answers >= 0).sum(axis=1)
    chances[asked.places] = np.minimum(1, settings.top * known / left)
    is_asked = np.zeros(len(items), np.bool_)
    is_asked[asked.places] = True
    number_of = np.cumsum(is_asked) - 1
    results, start = [], 0
    shuffles = np.zeros(_SHUFFLES)
    for number, section in enumerate(sections):
        part = slice(start, start + len(section.items))
        start = part.stop
        mine = number_of[part][is_asked[part]]
        draw = generator(settings.seed, number)
        hits = _shuffled(found[mine], asked.answers[mine], draw)
        shuffles += hits
        results.append(
            _result(section.name, outcomes[part], near[part], chances[part], is_asked[part], hits)
        )
    return results, _result(TOTAL, outcomes, near, chances, is_asked, shuffles)


def _ask(words: WordRows, items: Sequence[Analogy]) -> _Asked:
    rows_of: dict[str, int] = {}

    def row_of(word: str) -> int:
        if word not in rows_of:
            row = words.row_of(word)
            rows_of[word] = -1 if row is None else row
        return rows_of[word]

    places, rows, without, answers = [], [], [], []
    for place, item in enumerate(items):
        three = [row_of(item.a), row_of(item.b), row_of(item.c)]
        right = [row_of(answer) for answer in item.answers]
        if min(three) < 0 or right[0] < 0:
            continue
        out = {*three, *(row for row in map(row_of, item.others) if row >= 0)}
        places.append(place)
        rows.append(three)
        without.append([row for one in out for row in words.rows_like(one)])
        answers.append([row for row in dict.fromkeys(right) if row >= 0])
    width = max(map(len, answers), default=1)
    filled = [[*rows_, *[-1] * (width - len(rows_))] for rows_ in answers]
    return _Asked(
        np.array(places, np.int64),
        np.array(rows, np.int64).reshape(len(rows), 3),
        without,
        np.array(filled, np.int64).reshape(len(filled), width),
    )


def _best(
    words: WordRows, asked: _Asked, method: Method, top: int, progress: Progress | None
) -> Rows:
    """Return the words of the best rows, as the first row of each, shape (questions, top)."""
    if not len(asked.rows):
        return np.empty((0, top), np.int64)
    best = OffsetSearch(words, method).best(asked.rows, asked.without, top, progress)
    return np.where(best >= 0, words.group[best], -1)


def _nearest(words: WordRows, asked: _Asked, top: int) -> Rows:
    """Return the words of the rows nearest to c that may be an answer, shape (questions, top)."""
    if not len(asked.rows):
        return np.empty((0, top), np.int64)
    c, inverse = np.unique(asked.rows[:, 2], return_inverse=True)
    most = max(map(len, asked.without))
    alike = [words.rows_like(row) for row in c.tolist()]
    near = OffsetSearch(words, "nearest").best(np.repeat(c[:, None], 3, axis=1), alike, top + most)
    kept = np.full((len(asked.rows), top), -1, np.int64)
    for number, rows in enumerate(near[inverse].tolist()):
        out = asked.without[number]
        left = [row for row in rows if row >= 0 and row not in out][:top]
        kept[number, : len(left)] = left
    return np.where(kept >= 0, words.group[kept], -1)


def _hits(found: Rows, answers: Rows) -> Booleans:
    """Return of each question whether one of its answers is among what was found."""
    hits = np.zeros(len(found), np.bool_)
    for column in answers.T:
        hits |= ((found == column[:, None]) & (column[:, None] >= 0)).any(axis=1)
    return hits


def _shuffled(found: Rows, answers: Rows, draw: np.random.Generator) -> Doubles:
    """Return how many questions would be right with shuffled answers, for each shuffle."""
    return np.array(
        [_hits(found, answers[draw.permutation(len(answers))]).sum() for _ in range(_SHUFFLES)],
        np.float64,
    )


def _result(
    name: str,
    outcomes: Doubles,
    near: Doubles,
    chances: Doubles,
    asked: Booleans,
    shuffles: Doubles,
) -> SectionResult:
    counts = ~np.isnan(outcomes)
    counted, correct = int(counts.sum()), int(np.nansum(outcomes))
    low, high = wilson(correct, counted)
    measure = Measure(
        "accuracy",
        correct / counted if counted else None,
        low,
        high,
        float(chances[counts].mean()) if counted else None,
        floor_of(shuffles / counted) if counted else None,
    )
    return SectionResult(
        name,
        len(outcomes),
        counted,
        int((~asked).sum()),
        (measure,),
        correct,
        int(near.sum()),
        outcomes,
    )
