"""Ids and rows: whether each id has a row, each row an id, and the two belong together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from embedinspect.analysis.doctor.case import Case
from embedinspect.analysis.doctor.finding import Check, Finding, share
from embedinspect.analysis.doctor.tokens import rows_beyond
from embedinspect.analysis.health import Rows
from embedinspect.formats.vocabulary_file import IMDB_INDEX_FROM, is_imdb_index
from embedinspect.row_words import PADDING_NAMES
from embedinspect.wording import clipped_repr, listed, plural

# What Keras does with an id out of range: on each backend, what `explain input-dim` sees when it
# runs the lookup; on GPUs, what TensorFlow documents for `tf.gather`.
_TOO_LARGE = (
    "TensorFlow stops with an error on a CPU; with jit_compile=True it silently takes the last row "
    "instead, and on a GPU zeros; JAX gives NaN, and the loss becomes NaN"
)
_NEGATIVE = (
    "every backend silently takes the last row for id -1; below -input_dim TensorFlow stops with "
    "an error and JAX gives NaN"
)
_MOST_UNUSED, _FEW_ROWS = 0.5, 10


def ids_without_rows(case: Case) -> Iterator[Finding]:
    """Find ids at or above `input_dim`, and an `input_dim` that is one too small."""
    rows = case.rows
    assert rows is not None
    beyond = [(id_, word) for id_, word in case.word_ids if id_ >= rows]
    if not beyond:
        return
    largest, count = beyond[-1][0], len({id_ for id_, _ in beyond})
    hits = sum(int((ids >= rows).sum()) for ids in case.ids)
    used = f"; used {plural(hits, 'time')} in the texts" if case.texts else ""
    numbers = {
        "input_dim": rows - case.moved,
        "largest_id": largest - case.moved,
        "ids_without_row": count,
        "word": beyond[0][1],
        "occurrences": hits if case.texts else None,
    }
    first = ", ".join(f"{clipped_repr(word)} (id {id_ - case.moved:,})" for id_, word in beyond[:3])
    more = f" and {len(beyond) - 3:,} more" if len(beyond) > 3 else ""
    spans = f"the rows go from 0 to {rows - 1 - case.moved:,}, the ids to {largest - case.moved:,}"
    one = count == 1 and largest == rows and not case.listed
    yield Finding(
        kind="input-dim-one-too-small" if one else "id-without-row",
        severity="error",
        what=(
            f"input_dim is {rows:,}, one too small for the vocabulary"
            if one
            else f"{plural(count, 'id has', 'ids have')} no row in the matrix"
        ),
        evidence=f"{spans}: no row for {first}{more}{used}",
        leads_to=_TOO_LARGE,
        mend=_rows_needed(case, largest + 1, rows),
        numbers=numbers,
    )


def _rows_needed(case: Case, needed: int, rows: int) -> str:
    if case.listed and case.source is not None:
        return (
            "give the list that belongs to this matrix: it has as many words as there are rows, or "
            "fewer by --index-from"
        )
    if case.source is not None and case.limit is None:
        return (
            f"if the model was trained with num_words={rows}, say so: --num-words {rows}; else "
            f"make the layer with input_dim={needed} (the largest id + 1) and train it again"
        )
    return f"make the layer with input_dim={needed}: the largest id + 1, since id 0 is the padding"


def negative_ids(case: Case) -> Iterator[Finding]:
    """Find ids below 0."""
    negative = [(id_, word) for word, id_ in case.pairs if id_ < 0]
    if negative:
        id_, word = min(negative)
        yield Finding(
            kind="negative-id",
            severity="error",
            what=f"{plural(len(negative), 'word has', 'words have')} a negative id",
            evidence=f"the lowest is {id_:,}, of {clipped_repr(word)}",
            leads_to=_NEGATIVE,
            mend="number the words from 1 on; id 0 is the padding",
            numbers={"words": len(negative), "lowest_id": id_, "word": word},
        )


def _id_0_is_padding(case: Case) -> bool:
    return case.source is None or case.source.row_0_is_padding


def padding_id(case: Case) -> Iterator[Finding]:
    """Find a word that has the id of the padding."""
    # A StringLookup without a mask token has its unknown words there: sound without a mask.
    harmless = PADDING_NAMES if case.mask_zero else PADDING_NAMES | {"[UNK]"}
    words = [word for word, id_ in case.pairs if id_ == 0 and word not in harmless]
    if not words:
        return
    rows = case.rows
    lengths = ""
    if case.listed and rows is not None and len(case.pairs) < rows:
        lengths = f", and the file has {plural(len(case.pairs), 'word')} for {rows:,} rows"
    yield Finding(
        kind="padding-id-is-a-word",
        severity="warning",
        what="id 0, which stands for the padding, is the id of a word",
        evidence=f"id 0 is {clipped_repr(words[0])}{lengths}",
        leads_to=(
            "if the list begins with the first word, each word is shown with its neighbor's row"
            if case.listed
            else "this word cannot be told from padding, and mask_zero=True hides it"
        ),
        mend=(
            "if the list begins with the first word, give --index-from 1; else name item 0 <pad>"
            if case.listed
            else "number the words from 1 on"
        ),
        numbers={"word": words[0], "words": len(case.pairs), "input_dim": rows},
    )


def vocabulary_length(case: Case) -> Iterator[Finding]:
    """Find a list of words that is shorter than the matrix has rows."""
    rows, items = case.rows, len(case.pairs)
    assert rows is not None
    assert case.source is not None
    last = max(id_ for _, id_ in case.pairs) + case.moved
    if last >= rows - 1:
        return
    tail = np.arange(last + 1, rows) - case.moved
    beyond = rows_beyond(case, tail)
    if beyond is not None:
        yield beyond
        return
    missing = rows - 1 - last
    yield Finding(
        kind="vocabulary-length",
        severity="warning",
        what="the list of words and the matrix differ in length",
        evidence=(
            f"{plural(items, 'word')} for {plural(case.source.matrix.input_dim, 'row')}: the last "
            f"{plural(missing, 'row has', 'rows have')} no word"
        ),
        leads_to="if a word is missing further up, all words after it have the wrong row",
        mend="give the whole list, or the row of its first word: --index-from N",
        numbers={"words": items, "input_dim": case.source.matrix.input_dim, "missing": missing},
        rows=tail,
    )


def shared_ids(case: Case) -> Iterator[Finding]:
    """Find ids that several words claim."""
    words: dict[int, list[str]] = {}
    for word, id_ in case.pairs:
        words.setdefault(id_, []).append(word)
    shared = {id_: claimed for id_, claimed in words.items() if len(claimed) > 1}
    if shared:
        id_ = min(shared)
        yield Finding(
            kind="id-of-two-words",
            severity="warning",
            what=f"{plural(len(shared), 'id is', 'ids are')} claimed by several words",
            evidence=f"id {id_:,} is {listed(map(clipped_repr, shared[id_]), 3)}",
            leads_to="these words share one row, and ids cannot be read back as words",
            mend="give every word an id of its own",
            numbers={"ids": len(shared), "id": id_, "words": shared[id_]},
        )


def _unreached(case: Case) -> Rows:
    """Return the rows that no id of the vocabulary reaches, reserved ids not among them."""
    rows = case.rows
    assert rows is not None
    reached = np.zeros(rows, bool)
    reached[0] = True
    ids = np.array([id_ for id_, _ in case.word_ids], np.int64)
    reached[ids[(ids >= 0) & (ids < rows)]] = True
    vocabulary = case.vocabulary
    reserved = {0}
    if vocabulary is not None:
        reserved |= {id_ for id_ in (vocabulary.oov_id, vocabulary.start_id) if id_ is not None}
    reached[[id_ for id_ in reserved if id_ < rows]] = True
    return np.flatnonzero(~reached)


def _unreached_and_unsaid(case: Case) -> Rows:
    """Return those of these rows that are not a fact which another finding has told.

    Where a word has the id of the padding, the ids begin one too low: that the last row is left
    over is the same fact.
    """
    unused = case.unsaid(
        _unreached(case) - case.moved, "vocabulary-length", "rows-beyond-vocabulary"
    )
    unused = unused + case.moved
    if "padding-id-is-a-word" in case.kinds() and unused.tolist() == [(case.rows or 0) - 1]:
        return unused[:0]
    return unused


def _has_rows_to_reach(case: Case) -> bool:
    if case.language_model is not None:  # whose rows without a token have a check of their own
        return False
    if not (case.has("rows") and case.has("words")):
        return True
    misnumbered = "imdb-offset" in case.kinds()
    return not misnumbered and (not _unreached(case).size or bool(_unreached_and_unsaid(case).size))


def unused_rows(case: Case) -> Iterator[Finding]:
    """Find rows that no id of the vocabulary reaches."""
    rows, unused = case.rows, _unreached_and_unsaid(case)
    assert rows is not None
    if not unused.size:
        return
    if case.source is not None and unused.tolist() == list(range(int(unused[0]), rows)):
        beyond = rows_beyond(case, unused - case.moved)
        if beyond is not None:
            yield beyond
            return
    ids = {id_ for id_, _ in case.word_ids}
    many = unused.size > rows * _MOST_UNUSED and unused.size > _FEW_ROWS
    source = "the texts' words" if case.counted else "the vocabulary"
    limit = case.limit
    below = f" below num_words {limit:,}" if limit is not None else ""
    named = listed((f"{row:,}" for row in unused.tolist()), 4)
    yield Finding(
        kind="unused-rows",
        severity="warning" if many and not case.counted else "note",
        what=f"{plural(unused.size, 'row is', 'rows are')} reached by no id of {source}",
        evidence=(
            f"{unused.size:,} of {rows:,} rows ({share(unused.size, rows)}): {named}; the "
            f"words have {plural(len(ids), 'id')}{below}"
        ),
        leads_to=(
            "they are never looked up and never trained: memory that nothing uses, or the "
            "vocabulary of another model"
            if many
            else "they are never looked up and never trained; a few, such as reserved ids, are "
            "usual"
        ),
        mend=(
            "give the vocabulary that the model was trained with, or a smaller input_dim"
            if many
            else None
        ),
        numbers={"rows": int(unused.size), "input_dim": rows, "first": unused[:100].tolist()},
        rows=unused - case.moved,
    )


def _is_imdb_index(case: Case) -> bool:
    if not case.has("file of words"):
        return True
    shift = case.index_from or 0
    return not case.listed and is_imdb_index({word: id_ - shift for word, id_ in case.pairs})


def imdb_offset(case: Case) -> Iterator[Finding]:
    """Find Keras's IMDB index used without the offset of 3 that `load_data` adds to its numbers.

    Rule: `keras.datasets.imdb.load_data(index_from=3)`, whose ids 1 and 2 are the start of a
    review and an unknown word.
    """
    shift = case.index_from or 0
    if shift == IMDB_INDEX_FROM:
        return
    now = f"with --index-from {shift}" if shift else "as they stand"
    yield Finding(
        kind="imdb-offset",
        severity="warning",
        what="this is Keras's IMDB word index, used without its offset of 3",
        evidence=(
            f"'the' is word 1 in the file and 'br' word 7, used {now}; in the data of load_data "
            "'the' is id 4, since ids 1 and 2 are the start of a review and an unknown word"
        ),
        leads_to=(
            "every id is read as the word three places further on: reviews decode to word salad"
        ),
        mend="--index-from 3",
        numbers={"index_from": shift, "expected": IMDB_INDEX_FROM},
    )


CHECKS = (
    Check("ids out of range", "every id has a row", ("rows", "ids"), ids_without_rows),
    Check("negative ids", "no id is negative", ("file of words",), negative_ids),
    Check(
        "id 0",
        "no word has the id of the padding",
        ("file of words",),
        padding_id,
        clears=("mask",),
        concerns=_id_0_is_padding,
    ),
    Check(
        "lengths",
        "the words reach the last row",
        ("matrix", "list of words"),
        vocabulary_length,
        concerns=lambda case: "padding-id-is-a-word" not in case.kinds(),
    ),
    Check(
        "shared ids",
        "every id stands for one word",
        ("file of words",),
        shared_ids,
        concerns=lambda case: not case.listed,
    ),
    Check(
        "IMDB offset",
        "Keras's IMDB index has its offset of 3",
        ("file of words",),
        imdb_offset,
        concerns=_is_imdb_index,
    ),
    Check(
        "unused rows",
        "every row is reached by an id",
        ("rows", "words"),
        unused_rows,
        concerns=_has_rows_to_reach,
    ),
)
