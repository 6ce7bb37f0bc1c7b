"""`neighbors`: the nearest rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from embedinspect.analysis.neighbors import Answer, Neighborhood, OddOneOut
from embedinspect.output.document import Document, about_source
from embedinspect.output.labels import (
    LONGEST_TEXT,
    note_facts,
    row_name,
    short,
    word_column,
    word_label,
)
from embedinspect.page import Column, Fact, Facts, Page, Table, Tables
from embedinspect.wording import clipped_repr, listed, plural

_MOST_LOOKED_AT = 20  # words that are looked for among all
_DIRECTION = {
    "cosine": "1 is the same direction",
    "dot": "more is nearer",
    "euclidean": "less is nearer",
}


def page(neighborhood: Neighborhood) -> Page:
    """Yield a table for each question, as many side by side as there is room for."""
    answered = [answer for answer in neighborhood.answers if answer.error is None]
    facts = [
        Fact("no answer" if not place else "", str(answer.error), "wrong")
        for place, answer in enumerate(neighborhood.unanswered)
    ]
    if answered:
        tables = [_nearest(answer, neighborhood) for answer in answered if answer.neighbors]
        if tables:
            yield Tables(tables)
        facts += [
            *_alone(answered),
            Fact("metric", _how(neighborhood)),
            *_dims(neighborhood),
            Fact("left out", _left_out(neighborhood)),
            *_composed(answered),
        ]
    yield Facts([*facts, *note_facts(neighborhood.note)])


def _how(neighborhood: Neighborhood) -> str:
    """Return how rows were compared, as a sentence."""
    metric, k = neighborhood.metric, neighborhood.csls
    if k is None:
        return f"{metric} ({_DIRECTION[metric]})"
    return (
        "CSLS, a correction against hubs: twice the cosine, less the mean cosine of each of the "
        f"two with its own {k} nearest rows"
    )


def _dims(neighborhood: Neighborhood) -> list[Fact]:
    dims = neighborhood.dims
    if dims is None:
        return []
    return [Fact("dims", f"rows cut to their first {plural(dims, 'number')}, scaled to length 1")]


def _nearest(answer: Answer, neighborhood: Neighborhood) -> Table:
    neighbors = answer.neighbors
    scores = [neighbor.score for neighbor in neighbors]
    name, others = str(neighborhood.metric), list[Column]()
    if neighborhood.csls is not None:
        cosines = [neighbor.cosine for neighbor in neighbors]
        name, others = "CSLS", [Column("cosine", cosines, "number", decimals=4)]
    return Table(
        _title(answer),
        [
            Column("", list(range(1, len(neighbors) + 1)), "id"),
            word_column([neighbor.word for neighbor in neighbors]),
            Column("row", [neighbor.row for neighbor in neighbors], "id"),
            Column(name, scores, "number", decimals=4),
            *others,
        ],
    )


def _title(answer: Answer) -> str:
    """Return the question, with the word of a row that was asked for otherwise."""
    text, terms = answer.question.text, answer.question.terms
    if len(terms) != 1 or terms[0].sign < 0 or terms[0].word == text:
        return text
    return f"{text}: {terms[0].word}" if text == f"#{terms[0].row}" else terms[0].word


def _alone(answers: Sequence[Answer]) -> list[Fact]:
    """Return that nothing is left to compare some questions with."""
    alone = [_title(answer) for answer in answers if not answer.neighbors]
    return [Fact("no neighbor", f"no other row to compare with: {listed(alone, 6)}")] * bool(alone)


def _composed(answers: Sequence[Answer]) -> list[Fact]:
    """Return how the vectors of words that have no row came about."""
    terms = (term for answer in answers for term in answer.question.terms)
    how = {term.word: term.composed.how for term in terms if term.composed is not None}
    return [Fact(short(word), sentence, "notable") for word, sentence in how.items()]


def _left_out(neighborhood: Neighborhood) -> str:
    answered = (answer for answer in neighborhood.answers if answer.error is None)
    terms = (term for answer in answered for term in answer.question.terms)
    rows = dict.fromkeys(term.row for term in terms if term.row is not None)
    names = listed((row_name(neighborhood.source, row) for row in rows), 6)
    sentence = f"what was asked for, from its own answer: {names or 'no row'}"
    if neighborhood.left_out:
        why = "zero or not finite" if neighborhood.metric == "cosine" else "not finite"
        sentence += f"; and {plural(neighborhood.left_out, 'row that is', 'rows that are')} {why}"
    return sentence


def document(neighborhood: Neighborhood) -> Document:
    """Return questions and answers."""
    answers = [
        {
            "question": answer.question.text,
            "terms": [
                {"word": term.word, "row": term.row, "sign": term.sign}
                for term in answer.question.terms
            ],
            "neighbors": [dict(vars(neighbor)) for neighbor in answer.neighbors],
            "error": answer.error,
        }
        for answer in neighborhood.answers
    ]
    head = {
        "source": about_source(neighborhood.source),
        "metric": neighborhood.metric,
        "csls": neighborhood.csls,
        "dims": neighborhood.dims,
        "left_out": neighborhood.left_out,
        "note": neighborhood.note,
    }
    columns = ("question", "rank", "word", "row", "score", "cosine", "error")
    return Document(
        "neighbors",
        head,
        {"answers": answers},
        lines="answers",
        columns=columns,
        rows=_lines(neighborhood),
    )


def _lines(neighborhood: Neighborhood) -> Iterator[dict[str, object]]:
    """Yield a line for each neighbor, and one for each question without an answer."""
    for answer in neighborhood.answers:
        question = answer.question.text
        for rank, neighbor in enumerate(answer.neighbors, 1):
            yield {"question": question, "rank": rank, **vars(neighbor)}
        if answer.error is not None:
            yield {"question": question, "error": answer.error}


def unanswered_summary(neighborhood: Neighborhood) -> str | None:
    """Return what to say where questions have no answer; None where all have one."""
    unanswered = neighborhood.unanswered
    if not unanswered:
        return None
    if len(neighborhood.answers) == 1:
        return unanswered[0].error
    has = "has" if len(unanswered) == 1 else "have"
    return (
        f"{len(unanswered):,} of {plural(len(neighborhood.answers), 'question')} {has} no answer; "
        f"the first: {unanswered[0].error}"
    )


def taken(neighborhood: Neighborhood) -> Iterator[str]:
    """Yield which row a word was taken for, where it could be another; of the first words alone."""
    words = neighborhood.source.words
    if words is None:
        return
    asked = {
        term.word: term.row
        for answer in neighborhood.answers
        for term in answer.question.terms
        if term.row is not None and answer.question.text != f"#{term.row}"
    }
    for word, row in islice(asked.items(), _MOST_LOOKED_AT):
        number = word.removeprefix("#")
        if word == f"#{number}" and number.isdecimal() and number != str(row):
            yield f"{clipped_repr(word)} is taken as the word of row {row}, not as row {number}"
        rows = list(words.named_so(word))
        if len(rows) > 1:
            yield (
                f"{clipped_repr(word)} is the {'text' if ' ' in word else 'word'} of "
                f"{len(rows):,} rows; row {row} was taken; ask for another by its number, such as "
                f"'#{next(other for other in rows if other != row)}'"
            )


def odd_page(group: OddOneOut) -> Page:
    """Yield the words of a group, the one that fits least first."""
    members = group.members
    yield Table(
        f"Odd one out: {word_label(group.source, group.odd.row, LONGEST_TEXT)}",
        [
            word_column([member.word for member in members]),
            Column("row", [member.row for member in members], "id"),
            Column(
                "cosine with the others",
                [member.cosine for member in members],
                "number",
                decimals=4,
            ),
        ],
    )
    yield Facts(note_facts(group.note))


def odd_document(group: OddOneOut) -> Document:
    """Return the members of a group."""
    members = [dict(vars(member)) for member in group.members]
    head = {
        "source": about_source(group.source),
        "odd_one_out": group.odd.word,
        "note": group.note,
    }
    return Document(
        "neighbors", head, {"members": members}, lines="members", columns=("word", "row", "cosine")
    )
