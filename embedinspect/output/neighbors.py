"""`neighbors`: the nearest rows, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from embedinspect.analysis.neighbors import Answer, Neighborhood, OddOneOut
from embedinspect.output.document import Document, about
from embedinspect.output.grid import Block, Cell, Column, beside
from embedinspect.output.screen import Screen, clip, labelled
from embedinspect.wording import listed, literal, plural

_GAP = 3
_LONGEST_WORD = 28
_DIRECTION = {"cosine": "1 is the same direction", "dot": "more is nearer", "euclidean": "distance"}


def draw(found: Neighborhood, screen: Screen) -> Iterator[Text]:
    """Yield a table for each question, as many side by side as there is room for."""
    blocks = [_block(answer, found.metric, screen) for answer in found.answers]
    group: list[Block] = []
    for block in [*blocks, None]:
        width = sum(one.width + _GAP for one in group) + (block.width if block else 0)
        if group and (block is None or width > screen.width):
            yield from beside(group, _GAP, screen.glyphs.rule)
            yield Text()
            group = []
        if block is not None:
            group.append(block)
    yield from labelled("metric", f"{found.metric} ({_DIRECTION[found.metric]})", screen)
    yield from labelled("left out", _left_out(found), screen)
    if found.note is not None:
        yield from labelled("note", found.note, screen)


def _block(answer: Answer, metric: str, screen: Screen) -> Block:
    neighbors = answer.neighbors
    width = min(_LONGEST_WORD, screen.width - 24)
    words = [Cell(clip(literal(one.word), width, screen.glyphs.more)) for one in neighbors]
    title = clip(literal(answer.question.text), max(20, screen.width - 2), screen.glyphs.more)
    return Block(
        title,
        [
            Column("", [Cell(str(place)) for place in range(1, len(words) + 1)], right=True),
            Column("word", words),
            Column("row", [Cell(str(one.row)) for one in neighbors], right=True),
            Column(metric, [Cell(f"{one.score:.4f}") for one in neighbors], right=True),
        ],
    )


def _left_out(found: Neighborhood) -> str:
    terms = {term.word: term.row for answer in found.answers for term in answer.question.terms}
    names = listed((f"{literal(word)} (row {row})" for word, row in terms.items()), 6)
    sentence = f"what was asked for, from its own answer: {names}"
    if found.left_out:
        why = "zero or not finite" if found.metric == "cosine" else "not finite"
        sentence += f"; and {plural(found.left_out, 'row')} that are {why}"
    return sentence


def document(found: Neighborhood) -> Document:
    """Return questions and answers for programs."""
    items = [
        {
            "question": answer.question.text,
            "terms": [dict(vars(term)) for term in answer.question.terms],
            "neighbors": [dict(vars(neighbor)) for neighbor in answer.neighbors],
        }
        for answer in found.answers
    ]
    lines = (
        {"question": answer.question.text, "rank": rank, **vars(neighbor)}
        for answer in found.answers
        for rank, neighbor in enumerate(answer.neighbors, 1)
    )
    head = {
        "source": about(found.source),
        "metric": found.metric,
        "left_out": found.left_out,
        "note": found.note,
    }
    columns = ("question", "rank", "word", "row", "score")
    return Document("neighbors", head, items, "answers", columns, lines)


def draw_odd(found: OddOneOut, screen: Screen) -> Iterator[Text]:
    """Yield the words, the one that fits least first."""
    words = [Cell(clip(literal(one.word), _LONGEST_WORD)) for one in found.members]
    block = Block(
        f"Odd one out: {clip(literal(found.odd.word), _LONGEST_WORD)}",
        [
            Column("word", words),
            Column("row", [Cell(str(one.row)) for one in found.members], right=True),
            Column(
                "cosine with the others",
                [Cell(f"{one.cosine:.4f}") for one in found.members],
                right=True,
            ),
        ],
    )
    yield from block.lines(screen.glyphs.rule)
    if found.note is not None:
        yield Text()
        yield from labelled("note", found.note, screen)


def document_odd(found: OddOneOut) -> Document:
    """Return the group for programs."""
    items = [dict(vars(member)) for member in found.members]
    head = {"source": about(found.source), "odd_one_out": found.odd.word, "note": found.note}
    return Document("neighbors", head, items, "members", ("word", "row", "cosine"))
