"""`coverage`: which words of texts have a vector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embedinspect.analysis.coverage import Coverage, CoveredWord
from embedinspect.analysis.coverage_matrix import WrittenMatrix
from embedinspect.analysis.spellings import Phrase
from embedinspect.output.document import Document, about_source
from embedinspect.output.labels import LONGEST_WORD
from embedinspect.output.suggestions import command_line
from embedinspect.output.top import DEFAULT
from embedinspect.page import Column, Fact, Facts, Page, Table
from embedinspect.wording import clipped_repr, listed, plural

_REASONS = {
    "case": "in another case (--any-case takes that vector)",
    "punctuation": "with other punctuation (--filters says what parts words)",
    "parts": "in parts (a tokenizer that splits such words finds them)",
    "encoding": "with wrongly decoded characters (read the file in its own --encoding)",
    "unseen": "not there in any form",
}


def page(coverage: Coverage, written: WrittenMatrix | None, top: int | None = None) -> Page:
    """Yield what is missing and why, how much is covered, and what was written."""
    missing, top = coverage.missing, top or DEFAULT
    if coverage.rows_used is not None:
        yield from _tokens(coverage, coverage.rows_used, top)
        return
    if missing:
        yield _missing(missing[:top], max(0, len(missing) - top))
    if coverage.phrases:
        yield _together(coverage.phrases[:top], max(0, len(coverage.phrases) - top))
    if len(coverage.by_rank) > 1:
        yield _ranks(coverage)
    yield Facts(list(_facts(coverage)))
    if written is not None:
        yield Facts(list(_written(coverage, written)))


def _missing(words: list[CoveredWord], more: int) -> Table:
    return Table(
        "Without a vector, the most used first",
        [
            Column("word", [word.word for word in words], most=LONGEST_WORD),
            Column("id", [word.id for word in words], "id"),
            Column("used", [word.occurrences for word in words], "number"),
            Column("why", [word.reason for word in words], rigid=True),
            Column("there is", [word.instead for word in words], most=LONGEST_WORD, optional=True),
        ],
        more=more,
    )


def _ranks(coverage: Coverage) -> Table:
    shares = coverage.by_rank
    return Table(
        "With a vector, by frequency (rank 1 is the most used word)",
        [
            Column("rank", [f"{share.first:,}–{share.last:,}" for share in shares], rigid=True),
            Column("words", [share.words for share in shares], "number"),
            Column("with a vector", [share.covered for share in shares], "number"),
            Column("share", [f"{share.covered / share.words:.0%}" for share in shares], rigid=True),
        ],
    )


def _tokens(coverage: Coverage, rows_used: int, top: int) -> Page:
    """Yield which tokens of a language model the texts are made of, and what is in no token."""
    covered, missing = coverage.covered, coverage.missing
    unknown = coverage.vocabulary.oov_token or ""
    if covered:
        yield Table(
            "Tokens of the texts, the most used first",
            [
                Column("token", [word.word for word in covered[:top]], most=LONGEST_WORD),
                Column("id", [word.id for word in covered[:top]], "id"),
                Column("used", [word.occurrences for word in covered[:top]], "number"),
            ],
            more=max(0, len(covered) - top),
        )
    if missing:
        yield Table(
            f"In no token but {unknown}, the most used first",
            [
                Column("part of a text", [w.word for w in missing[:top]], most=LONGEST_WORD),
                Column("used", [word.occurrences for word in missing[:top]], "number"),
            ],
            more=max(0, len(missing) - top),
        )
    yield Facts(list(_token_facts(coverage, rows_used)))


def _token_facts(coverage: Coverage, rows_used: int) -> Iterator[Fact]:
    source, rows = coverage.source, coverage.source.matrix.input_dim
    yield Fact("source", f"{source.path}: {plural(rows, 'row')}, {source.matrix.output_dim} "
               "dimensions")  # fmt: skip
    different = plural(len(coverage.covered), "different token")
    yield Fact(
        "texts",
        f"{plural(coverage.texts, 'text')}, {plural(coverage.occurrences, 'token')}, {different}",
    )
    if coverage.dropped:
        share = _share(coverage.dropped, coverage.occurrences)
        parts = plural(len(coverage.missing), "different part")
        yield Fact(
            "unknown",
            f"{plural(coverage.dropped, 'token')} ({share}) for {parts} of the texts",
            "notable",
        )
    else:
        yield Fact("unknown", "none: every part of the texts has a token of its own")
    yield Fact(
        "rows",
        f"{rows_used:,} of {rows:,} are used ({_share(rows_used, rows)}), "
        f"{rows - rows_used:,} by no token of these texts",
    )
    if coverage.reserved:
        words = coverage.vocabulary.words
        named = listed(f"{words.get(id_, '')} {id_}" for id_ in coverage.reserved)
        yield Fact("special", f"put around every text, and not counted as its tokens: {named}")


def _together(phrases: Sequence[Phrase], more: int) -> Table:
    return Table(
        "Side by side in the texts, one word in the source",
        [
            Column("words", [" ".join(phrase.words) for phrase in phrases], most=LONGEST_WORD),
            Column("used", [phrase.occurrences for phrase in phrases], "number"),
            Column("there is", [phrase.source_word for phrase in phrases], most=LONGEST_WORD),
        ],
        more=more,
    )


def _facts(coverage: Coverage) -> Iterator[Fact]:
    source = coverage.source
    assert source.words is not None
    yield Fact(
        "source",
        f"{source.path}: {plural(source.words.named, 'word')}, {source.matrix.output_dim} "
        "dimensions",
    )
    different = plural(len(coverage.words), "different word")
    yield Fact("texts", f"{plural(coverage.texts, 'text')}, {different}")
    covered = len(coverage.covered)
    yield Fact(
        "words",
        f"{covered:,} of {len(coverage.words):,} have a vector "
        f"({_share(covered, len(coverage.words))})",
    )
    yield Fact(
        "occurrences",
        f"{coverage.covered_occurrences:,} of {coverage.occurrences:,} are covered "
        f"({_share(coverage.covered_occurrences, coverage.occurrences)})",
    )
    for reason, (words, uses) in coverage.reasons.items():
        counts = f"{plural(words, 'word')}, {plural(uses, 'occurrence')}"
        yield Fact(reason, f"{counts}: {_REASONS[reason]}")
    if coverage.composed:
        yield Fact(
            "composed",
            f"{plural(len(coverage.composed), 'word')} without a row: the source has a vector for "
            "each, composed of its parts, which rows and neighbors show and --write takes",
            "notable",
        )
    if coverage.phrases:
        uses = sum(phrase.occurrences for phrase in coverage.phrases)
        yield Fact(
            "together",
            f"{plural(len(coverage.phrases), 'phrase')}, {plural(uses, 'occurrence')}: one word in "
            "the source (join them in the texts as the source writes them)",
        )
    if coverage.dropped:
        yield Fact(
            "no id",
            f"{plural(coverage.dropped, 'token')} of the texts have no id of their own in the "
            "vocabulary, so no row either",
            "notable",
        )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "nothing to cover"


def _written(coverage: Coverage, written: WrittenMatrix) -> Iterator[Fact]:
    rows, width = written.shape
    yield Fact(
        "written", f"{written.path}: {rows:,} rows, {width} dimensions, float32", "confirmed"
    )
    yield Fact(
        "rows",
        f"row i is the vector of the word with id i: {written.checked:,} rows read back, each "
        "equal to that of its word in the source",
        "confirmed",
    )
    filled = "zeros" if written.fill == "zeros" else "random numbers like the others"
    composed = len(coverage.composed)
    parts = f"{plural(composed, 'word')} composed of parts; " if composed else ""
    yield Fact(
        "others",
        f"row 0 is zeros, for the padding; {_reserved(coverage)}{parts}"
        f"{plural(len(coverage.missing) - composed, 'word')} without a vector: {filled}",
    )
    yield Fact("vocabulary", f"{written.vocabulary}: the ids, as a Keras tokenizer saves them")
    yield Fact(
        "in Keras",
        f"keras.layers.Embedding({rows}, {width}), and once it is built: "
        f"layer.set_weights([numpy.load({written.path!r})])",
    )
    look = command_line("show", "TEXT", "--from", str(written.path))
    yield Fact("look at it", f"{look} goes by these ids")


def _reserved(coverage: Coverage) -> str:
    """Return the rows of ids that stand for no word of their own, besides the padding's."""
    oov, token = coverage.vocabulary.oov_id, coverage.vocabulary.oov_token
    rows = [
        f"row {id_} ({clipped_repr(token) if id_ == oov and token else 'reserved'}) and "
        for id_ in coverage.reserved
        if 0 < id_ < coverage.input_dim
    ]
    return "".join(rows)


def document(coverage: Coverage, written: WrittenMatrix | None, top: int | None = None) -> Document:
    """Return every word of the texts; with `top`, those of the table."""
    head = {
        "source": about_source(coverage.source),
        "texts": coverage.texts,
        "different_words": len(coverage.words),
        "covered_words": len(coverage.covered),
        "occurrences": coverage.occurrences,
        "covered_occurrences": coverage.covered_occurrences,
        "dropped": coverage.dropped,
        "reasons": {
            reason: {"words": words, "occurrences": uses}
            for reason, (words, uses) in coverage.reasons.items()
        },
        "by_rank": [dict(vars(share)) for share in coverage.by_rank],
        "input_dim": coverage.input_dim,
        **({} if coverage.rows_used is None else {"rows_used": coverage.rows_used}),
        **({} if coverage.source.contents.compose is None else {"composed": [*coverage.composed]}),
        "phrases": [{**vars(phrase), "words": list(phrase.words)} for phrase in coverage.phrases],
        "written": None if written is None else dict(vars(written)),
    }
    listed = coverage.words if top is None else coverage.missing[:top]
    words = (dict(vars(word)) for word in listed)
    columns = ("word", "id", "occurrences", "row", "source_word", "reason", "instead")
    return Document("coverage", head, {"words": words}, lines="words", columns=columns)
