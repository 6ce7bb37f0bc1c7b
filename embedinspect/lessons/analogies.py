"""Analogies: why a difference of words means something in some embeddings, and not in others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from embedinspect.lessons import classifier
from embedinspect.lessons.lesson import Experiment, Request
from embedinspect.lessons.parts import column, exact, table

IntArray = np.ndarray[Any, np.dtype[np.int32]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

# A grammar of our own. The place of a name says who it is: he or she, old or young, of the court
# or not; and with that, which of the other words may stand beside it.
NAMES = "king queen prince princess man woman boy girl"
OTHERS = ("he she worked rested played learned", "palace castle court street shop field")
WORDS = (NAMES.split(), *(others.split() for others in OTHERS))
ALL_WORDS = [word for words in WORDS for word in words]
_OF_COURT = 4  # the first names
PAIRS = (("man", "woman"), ("king", "queen"), ("prince", "princess"), ("boy", "girl"))
SENTENCES = 1000
MANY, FEW = 8, 4  # directions that are kept
ASKED = ("man", "woman", "king", "queen")
BESIDE = ("he", "she", "palace", "street")
# The classifier of the other rows.
WIDTH, EPOCHS = 8, 40

Question = tuple[str, str, str, str]


@dataclass(frozen=True)
class Vectors:
    """Rows of length 1, with their words."""

    words: Sequence[str]
    rows: Floats

    def nearest(self, target: Floats, left_out: Sequence[str]) -> str:
        """Return the word whose row points most nearly as the target does."""
        cosines = self.rows @ target
        cosines[[self.words.index(word) for word in left_out]] = -np.inf
        return self.words[int(cosines.argmax())]

    def of(self, word: str) -> Floats:
        """Return the row of a word."""
        row: Floats = self.rows[self.words.index(word)]
        return row

    def fourth(self, question: Question) -> Floats:
        """Return where the fourth word of a question should be: a is to b as c is to it."""
        a, b, c, _ = question
        return self.of(b) - self.of(a) + self.of(c)

    def answer(self, question: Question) -> str:
        """Return the answer to a question, whose words are left out."""
        return self.nearest(self.fourth(question), question[:3])


def analogies(request: Request) -> Experiment:
    """An offset of two words means something where the rows hold what stands beside words."""
    sentences = write()
    counts = count(sentences)
    by_counts, few = (from_counts(counts, kept) for kept in (MANY, FEW))
    by_task = from_task(sentences)
    questions = _questions()
    asked = [("man", "woman", "king", "queen"), ("king", "queen", "prince", "princess"),
             ("woman", "man", "girl", "boy")]  # fmt: skip
    kinds = {
        f"counts, {MANY} dims": by_counts,
        f"counts, {FEW} dims": few,
        "yes or no": by_task,
    }
    right = {name: _right(vectors, questions) for name, vectors in kinds.items()}
    total = len(questions)
    offset, whole, plain = right[f"counts, {MANY} dims"]
    fewer = right[f"counts, {FEW} dims"]
    task = right["yes or no"]
    alike = float(by_task.of("king") @ by_task.of("queen"))
    apart = float(by_counts.of("king") @ by_counts.of("queen"))
    places = [ALL_WORDS.index(word) for word in ASKED]
    return Experiment(
        intro="Man is to woman as king is to what? The answer is the row nearest to king - man + "
        f"woman, these three left out. Here {SENTENCES:,} sentences such as "
        f"'{_sentence(sentences[0])}' give two embeddings: one counts the words of a sentence, the "
        "other learns whether it is about the court.",
        tables=[
            table(
                "Sentences with both words",
                [
                    column("", BESIDE),
                    *(
                        column(
                            ALL_WORDS[place],
                            [int(counts[place, ALL_WORDS.index(word)]) for word in BESIDE],
                        )
                        for place in places
                    ),
                ],
            ),
            table(
                "Answers",
                [
                    column("question", [f"{a} : {b} = {c} : ?" for a, b, c, _ in asked]),
                    column("counts", [by_counts.answer(q) for q in asked]),
                    column(
                        "cosine",
                        [exact(_cosine(by_counts.of(q[3]), by_counts.fourth(q))) for q in asked],
                    ),
                    column("yes or no", [by_task.answer(q) for q in asked]),
                ],
            ),
            table(
                f"Right of {total} such questions",
                [
                    column("rows", kinds),
                    column("by the offset", [numbers[0] for numbers in right.values()]),
                    column("no word left out", [numbers[1] for numbers in right.values()]),
                    column("nearest to the third", [numbers[2] for numbers in right.values()]),
                ],
            ),
        ],
        findings=[
            "What differs between man and woman, he or she beside them, differs between king and "
            "queen, too, and the places do not. So the step from man to woman leads from king to "
            f"queen: {offset} of {total} are right.",
            "The yes-or-no rows tell the court from the rest, and nothing else: king and queen "
            f"have the cosine {alike:.2f} (by counts {apart:.2f}). {task[0]} of {total} are right, "
            "by chance, as among words that all point the same way.",
            "Being right is no proof: the row nearest to the third word alone, the other two left "
            f"out, is right {plain} times by counts. The proof is to be right with no word left "
            f"out: {whole} times with {MANY} directions, {fewer[1]} with {FEW}.",
        ],
        rule="An offset means something where rows tell which words stand beside a word, as those "
        "of GloVe do (Levy & Goldberg 2014). Hold it against the plain neighbor of the third word "
        "(Linzen 2016): evaluate gives that as 'no offset'.",
        code=_code(),
        numbers={"nearest": by_counts.answer(asked[0]),
                 "cosine": _cosine(by_counts.of("queen"), by_counts.fourth(asked[0]))},
        next=[
            "embedinspect evaluate sample:vectors sample:analogies",
            "embedinspect axis sample:vectors king queen --low man --high woman",
        ],
    )  # fmt: skip


def write() -> IntArray:
    """Return the four words of each sentence: who, he or she, does what, where."""
    draw = np.random.RandomState(0).randint
    sentences = []
    for _ in range(SENTENCES):
        who = draw(8)
        sentences.append(
            (who, 8 + who % 2, 10 + who // 2 % 2 * 2 + draw(2), 14 + who // 4 * 3 + draw(3))
        )
    return np.array(sentences, np.int32)


def _sentence(ids: IntArray) -> str:
    name, pronoun, verb, place = (ALL_WORDS[id_] for id_ in ids)
    return f"the {name} said {pronoun} {verb} in the {place}"


def count(sentences: IntArray) -> Floats:
    """Return in how many sentences two words stand together; 0 for a word and itself."""
    counts = np.zeros((len(ALL_WORDS), len(ALL_WORDS)))
    for ids in sentences:
        counts[np.ix_(ids, ids)] += 1
    np.fill_diagonal(counts, 0)
    return counts


def from_counts(counts: Floats, kept: int) -> Vectors:
    """Return rows of positive pointwise mutual information, cut down to a few directions.

    Source: Levy & Goldberg 2014, "Neural word embedding as implicit matrix factorization".
    """
    each = counts.sum(axis=0)
    ratio = counts * each.sum() / np.outer(each, each)
    left, sizes, _ = np.linalg.svd(np.log(np.maximum(ratio, 1)))
    return _vectors(left[:, :kept] * np.sqrt(sizes[:kept]))


def from_task(sentences: IntArray) -> Vectors:
    """Return the rows of a classifier that has learned which sentences are about the court."""
    known = [*ALL_WORDS, "the", "said", "in"]
    ids = np.array(
        [[known.index(word) + 1 for word in _sentence(four).split()] for four in sentences],
        np.int32,
    )
    labels = [int(who < _OF_COURT) for who in sentences[:, 0].tolist()]
    trained = classifier.train(ids, labels, len(known) + 1, WIDTH, EPOCHS, masked=True)
    return _vectors(trained.rows[1 : len(ALL_WORDS) + 1].astype(np.float64))


def _vectors(rows: Floats) -> Vectors:
    return Vectors(ALL_WORDS, rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _questions() -> list[Question]:
    """Return the questions that two pairs make: from him to her, and from her to him."""
    questions: list[Question] = []
    for (a, b), (c, d) in permutations(PAIRS, 2):
        questions += [(a, b, c, d), (b, a, d, c)]
    return questions


def _right(vectors: Vectors, questions: Sequence[Question]) -> tuple[int, int, int]:
    """Return how many are right: by the offset, with no word left out, by the third word alone."""
    return (
        sum(vectors.answer(q) == q[3] for q in questions),
        sum(vectors.nearest(vectors.fourth(q), ()) == q[3] for q in questions),
        sum(vectors.nearest(vectors.of(q[2]), q[:3]) == q[3] for q in questions),
    )


def _cosine(a: Floats, b: Floats) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _code() -> list[str]:
    return [
        "import numpy as np",
        f'names = "{NAMES}"',
        "draw = np.random.RandomState(0).randint",
        f"counts = np.zeros(({len(ALL_WORDS)}, {len(ALL_WORDS)}))",
        f"for _ in range({SENTENCES}):",
        "    who = draw(8)",
        "    verb = 10 + who // 2 % 2 * 2 + draw(2)",
        "    place = 14 + who // 4 * 3 + draw(3)",
        "    ids = who, 8 + who % 2, verb, place",
        "    counts[np.ix_(ids, ids)] += 1",
        "np.fill_diagonal(counts, 0)",
        "each = counts.sum(axis=0)",
        "ratio = counts * each.sum() / np.outer(each, each)",
        "pmi = np.log(np.maximum(ratio, 1))",
        "left, sizes, _ = np.linalg.svd(pmi)",
        f"rows = left[:, :{MANY}] * np.sqrt(sizes[:{MANY}])",
        "rows /= np.linalg.norm(rows, axis=1)[:, None]",
        "target = rows[5] - rows[4] + rows[0]  # woman, man, king",
        "cosines = rows[:8] @ target / np.linalg.norm(target)",
        "cosines[[5, 4, 0]] = -1",
        "nearest = names.split()[cosines.argmax()]",
        "cosine = cosines.max()",
        "print(nearest, cosine)",
    ]
