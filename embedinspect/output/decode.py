"""`decode`: words for ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embedinspect.analysis.decode import Decoding, Join, Meaning
from embedinspect.output.document import Document
from embedinspect.output.labels import LONGEST_WORD
from embedinspect.page import Column, Fact, Facts, Page, Table
from embedinspect.wording import plural

_MOST_ROWS = 40
_SIGNS = {
    "padding": "<padding>",
    "start": "<start>",
    "unknown": "<unknown>",
    "no word": "<no word>",
    "no row": "<no row>",
}
_MEANINGS = {
    "word": "",
    "padding": "padding",
    "start": "start of a text",
    "unknown": "an unknown word",
    "no word": "stands for no word",
    "no row": "has no row",
}


def page(decoding: Decoding) -> Page:
    """Yield each sequence as a table of its ids, then the texts, and what ids go by."""
    several = len(decoding.sequences) > 1
    for number, sequence in enumerate(decoding.sequences):
        yield _table(f"Sequence {number}" if several else "Ids", sequence)
    facts = [
        Fact("" if number else "text", text_of(sequence, decoding.id_words.join))
        for number, sequence in enumerate(decoding.sequences)
    ]
    id_words = decoding.id_words
    facts.append(Fact("ids", f"{id_words.path}: {id_words.rule}"))
    without = sum(
        meaning.status in {"no word", "no row"}
        for sequence in decoding.sequences
        for meaning in sequence
    )
    if without:
        stand = "stands" if without == 1 else "stand"
        facts.append(Fact("no word", f"{plural(without, 'id')} {stand} for no word", "notable"))
    yield Facts([*facts, *(Fact("note", warning, "notable") for warning in id_words.warnings)])


def _table(title: str, sequence: Sequence[Meaning]) -> Table:
    columns = [
        Column("position", list(range(len(sequence))), "id"),
        Column("id", [meaning.id for meaning in sequence], "id"),
        Column("word", [meaning.word or "" for meaning in sequence], most=LONGEST_WORD),
    ]
    if any(meaning.status != "word" for meaning in sequence):
        columns.append(Column("", [_MEANINGS[meaning.status] for meaning in sequence]))
    return Table(title, columns, most=_MOST_ROWS)


def text_of(sequence: Sequence[Meaning], join: Join | None = None) -> str:
    """Return the words of a sequence as a text; reserved ids without a word have a sign.

    Args:
        join: returns the text of ids, as the tokenizer of a language model joins its tokens.
    """
    if join is not None:
        return join([meaning.id for meaning in sequence if meaning.word is not None])
    return " ".join(meaning.word or _SIGNS.get(meaning.status, "") for meaning in sequence)


def document(decoding: Decoding) -> Document:
    """Return each sequence: its text, and the meaning of each id."""
    id_words = decoding.id_words
    sequences = [
        {
            "text": text_of(sequence, id_words.join),
            "ids": [dict(vars(meaning)) for meaning in sequence],
        }
        for sequence in decoding.sequences
    ]
    head = {
        "path": id_words.path,
        "rule": id_words.rule,
        "rows": id_words.rows,
        "warnings": list(id_words.warnings),
    }
    columns = ("sequence", "position", "id", "word", "status")
    return Document(
        "decode",
        head,
        {"sequences": sequences},
        lines="sequences",
        columns=columns,
        rows=_lines(decoding),
    )


def _lines(decoding: Decoding) -> Iterator[dict[str, object]]:
    for number, sequence in enumerate(decoding.sequences):
        for position, meaning in enumerate(sequence):
            yield {"sequence": number, "position": position, **vars(meaning)}
