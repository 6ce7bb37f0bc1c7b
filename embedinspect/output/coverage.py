"""`coverage`: which words of texts have a vector, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from embedinspect.analysis.coverage import Coverage, Fill
from embedinspect.output.document import Document, about
from embedinspect.output.grid import Block, Cell, Column
from embedinspect.output.screen import Screen, clip, labelled
from embedinspect.wording import clipped_repr, listed, literal, plural

_LONGEST_WORD = 24
_SPOKEN = {
    "case": "in another case (--any-case takes that vector)",
    "punctuation": "with other punctuation (--filters says what parts words)",
    "unseen": "not there in any form",
}


@dataclass(frozen=True)
class Written:
    """The matrix that `--write` has written.

    Attributes:
        path: of the matrix.
        vocabulary: path of the words in the order of its rows.
        shape: of the matrix.
        checked: rows that were read back and found to be the vector of their word.
        fill: what rows without a vector hold.
    """

    path: str
    vocabulary: str
    shape: tuple[int, int]
    checked: int
    fill: Fill


def draw(found: Coverage, written: Written | None, top: int, screen: Screen) -> Iterator[Text]:
    """Yield how much is covered, what is missing and why."""
    missing = found.missing
    if missing:
        shown = missing[:top]
        words = [Cell(clip(literal(one.word), _LONGEST_WORD)) for one in shown]
        instead = [clip(literal(one.instead or ""), _LONGEST_WORD) for one in shown]
        columns = [
            Column("word", words),
            Column("id", [Cell(str(one.id)) for one in shown], right=True),
            Column("used", [Cell(f"{one.occurrences:,}") for one in shown], right=True),
            Column("why", [Cell(str(one.reason)) for one in shown]),
            Column("there is", [Cell(word) for word in instead]),
        ]
        title = "Without a vector, the most used first"
        block = Block(title, columns)
        if block.width > screen.width:
            block = Block(title, columns[:4])
        yield from block.lines(screen.glyphs.rule)
        if len(missing) > len(shown):
            yield Text(f"{screen.glyphs.more} {len(missing) - len(shown):,} more")
        yield Text()
    for label, sentence in _facts(found):
        yield from labelled(label, sentence, screen)
    if written is not None:
        yield Text()
        for label, sentence in _said(found, written):
            yield from labelled(label, sentence, screen)


def _facts(found: Coverage) -> Iterator[tuple[str, str]]:
    source = found.source
    assert source.words is not None
    yield (
        "source",
        f"{literal(source.path)}: {plural(source.words.named, 'word')}, "
        f"{source.matrix.output_dim} dimensions",
    )
    yield "texts", f"{plural(found.texts, 'text')}, {plural(len(found.words), 'different word')}"
    covered = len(found.covered)
    yield (
        "words",
        f"{covered:,} of {len(found.words):,} have a vector ({_share(covered, len(found.words))})",
    )
    yield (
        "occurrences",
        f"{found.covered_occurrences:,} of {found.occurrences:,} are covered "
        f"({_share(found.covered_occurrences, found.occurrences)})",
    )
    for reason, (words, uses) in found.reasons.items():
        yield (
            reason,
            f"{plural(words, 'word')}, {plural(uses, 'occurrence')}: {_SPOKEN[reason]}",
        )
    if found.dropped:
        yield (
            "no id",
            f"{plural(found.dropped, 'token')} of the texts have no id of their own in the "
            "vocabulary, so no row either",
        )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "nothing to cover"


def _said(found: Coverage, written: Written) -> Iterator[tuple[str, str]]:
    rows, width = written.shape
    yield "written", f"{literal(written.path)}: {rows:,} rows, {width} dimensions, float32"
    yield (
        "rows",
        f"row i is the vector of the word with id i: {written.checked:,} rows read back, each "
        "equal to that of its word in the source",
    )
    filled = "zeros" if written.fill == "zeros" else "random numbers like the others"
    yield (
        "others",
        f"row 0 is zeros, for the padding; {_reserved(found)}"
        f"{plural(len(found.missing), 'word')} without a vector: {filled}",
    )
    yield "vocabulary", f"{literal(written.vocabulary)}: the ids, as a Keras tokenizer saves them"
    yield (
        "in Keras",
        f"keras.layers.Embedding({rows}, {width}), and once it is built: "
        f"layer.set_weights([numpy.load({written.path!r})])",
    )


def _reserved(found: Coverage) -> str:
    """Return the rows of ids that stand for no word of their own, besides the padding's."""
    oov, token = found.vocabulary.oov_id, found.vocabulary.oov_token
    rows = [
        f"row {id_} ({clipped_repr(token) if id_ == oov and token else 'reserved'}) and "
        for id_ in found.reserved
        if 0 < id_ < found.input_dim
    ]
    return "".join(rows)


def document(found: Coverage, written: Written | None) -> Document:
    """Return every word, for programs."""
    head = {
        "source": about(found.source),
        "texts": found.texts,
        "different_words": len(found.words),
        "covered_words": len(found.covered),
        "occurrences": found.occurrences,
        "covered_occurrences": found.covered_occurrences,
        "dropped": found.dropped,
        "reasons": {
            reason: {"words": words, "occurrences": uses}
            for reason, (words, uses) in found.reasons.items()
        },
        "input_dim": found.input_dim,
        "written": None if written is None else {**vars(written), "shape": list(written.shape)},
    }
    items = (dict(vars(word)) for word in found.words)
    columns = ("word", "id", "occurrences", "row", "source_word", "reason", "instead")
    return Document("coverage", head, items, "words", columns)


def missing_words(found: Coverage, most: int = 5) -> str:
    """Return the first words without a vector."""
    return listed((literal(word.word) for word in found.missing), most)
