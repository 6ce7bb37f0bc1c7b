"""The table of a language model: whether tokens, rows and configuration agree, and what stands out.

The marks of tokens that training hardly reached are those of Land & Bartolo (2024), "Fishing for
Magikarp", as far as they need no more than the two tables: a short input embedding where the output
head is a matrix of its own, and, in the matrix that predicts tokens, a direction near that of the
rows that are known to be unused, once what all rows share has been taken away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from embedinspect.analysis.health import Doubles, Rows
from embedinspect.formats.model_tokens import ModelTokens
from embedinspect.formats.token_words import letters_of_bytes
from embedinspect.matrix import parts_of
from embedinspect.source import Source
from embedinspect.stored_rows import Vectors

_FEWEST_UNUSED = 5  # rows whose mean direction says something
_FEWEST_ROWS, _FEWEST_DIMENSIONS = 200, 8
# Bytes that no text in UTF-8 holds, so that tokens of a single such byte are never used.
_NEVER_IN_UTF8 = (0xC0, 0xC1, *range(0xF5, 0x100))
_LEAST_PAIRS = 20
# Tokens that vocabularies keep in reserve: BERT's, Gemma's, fairseq's, and Llama's.
_IN_RESERVE = re.compile(r"[\[<]unused_?\d+[\]>]|madeupword\d+|<\|reserved_special_token_\d+\|>")


@dataclass(frozen=True)
class SpacedPairs:
    """Tokens that are there twice: as they begin a word, and without a space before them.

    Attributes:
        rows: of the tokens without the space.
        spaced: of the same tokens with it.
        cosines: of each pair; NaN where one of the two has no direction.
    """

    rows: Rows
    spaced: Rows
    cosines: Doubles

    @property
    def median_cosine(self) -> float:
        """The median of the cosines that there are."""
        sound = self.cosines[np.isfinite(self.cosines)]
        return float(np.median(sound)) if sound.size else float("nan")


@dataclass(frozen=True)
class LikeUnused:
    """Tokens whose rows are as those of unused tokens are.

    Attributes:
        rows: of these tokens, the most alike first; known unused ones are not among them.
        values: what was measured of each: its length, or its cosine distance from the mean
            direction of the known unused rows.
        measure: which of the two.
        unused: the rows that are known to be unused.
        limit: the largest value with which a row counts.
        median: the median of all rows.
        table: the name of the matrix that was looked at.
    """

    rows: Rows
    values: Doubles
    measure: Literal["length", "direction"]
    unused: Rows
    limit: float
    median: float
    table: str


@dataclass(frozen=True)
class LanguageModel:
    """What can be said of a model's table of tokens.

    Attributes:
        tokens: what its files say of them.
        rows: how many rows the matrix has.
        without_token: the rows that no token has.
        beyond: the tokens whose id has no row, by their ids.
        special_beyond: those of them that have a task of their own.
        head_equals: whether the output head in the file holds the numbers of this matrix; None
            where the file has no such head, or it has another shape.
    """

    tokens: ModelTokens
    rows: int
    without_token: Rows
    beyond: Mapping[int, str]
    special_beyond: Mapping[str, int]
    head_equals: bool | None


def language_model(source: Source) -> LanguageModel | None:
    """Return what can be said of a source as a table of tokens; None where it is none.

    A matrix that is not the input embedding, such as that of positions, is none.
    """
    tokens = source.contents.tokens
    if tokens is None or not _is_input(source):
        return None
    rows = source.matrix.input_dim
    ids = np.fromiter(tokens.ids.values(), np.int64, len(tokens.ids))
    used = np.full(rows, not tokens.ids)  # where no token is known, nothing can be said
    used[ids[(ids >= 0) & (ids < rows)]] = True
    special = {**tokens.special}
    return LanguageModel(
        tokens=tokens,
        rows=rows,
        without_token=np.flatnonzero(~used),
        beyond={id_: token for token, id_ in tokens.ids.items() if id_ >= rows},
        special_beyond={token: id_ for token, id_ in special.items() if id_ >= rows},
        head_equals=_head_equals(source, tokens),
    )


@dataclass(frozen=True)
class TokenHealth:
    """What `info` says of a matrix as a table of tokens.

    Attributes:
        model: whether tokens, rows and configuration agree.
        unused: the rows that are known to be unused.
        like_unused: the tokens that are as these, by each mark that can be had.
        spaced: the tokens that are there with a space before them and without.
    """

    model: LanguageModel
    unused: Rows
    like_unused: list[LikeUnused]
    spaced: SpacedPairs | None


def examine_tokens(source: Source) -> TokenHealth | None:
    """Return what can be said of a source as a table of tokens; None where it is none."""
    model = language_model(source)
    if model is None:
        return None
    unused = known_unused(source, model)
    return TokenHealth(model, unused, like_unused(source, model, unused), spaced_pairs(source))


def _is_input(source: Source) -> bool:
    """Return whether the matrix is one that token ids are looked up in."""
    chosen = [tensor for tensor in source.contents.tensors if tensor.name == source.tensor]
    return not chosen or chosen[0].role in {None, "input embedding"}


def _head_equals(source: Source, tokens: ModelTokens) -> bool | None:
    head, rows = tokens.head, source.matrix.rows
    if head is None or head.shape != rows.shape:
        return None
    others = head.read()
    return all(
        bool(np.array_equal(part, others[start : start + len(part)], equal_nan=True))
        for start, part in parts_of(rows)
    )


def known_unused(source: Source, model: LanguageModel) -> Rows:
    """Return the rows that no text reaches, that the file says so of, or that are in reserve."""
    told = [id_ for id_ in model.tokens.unused.values() if 0 <= id_ < model.rows]
    rows = (in_reserve(source), never_used(source), model.without_token, np.array(told, np.int64))
    return np.unique(np.concatenate(rows))


def in_reserve(source: Source) -> Rows:
    """Return the rows that the vocabulary keeps in reserve, such as that of `[unused5]`."""
    words = enumerate(source.words or ())
    rows = [row for row, word in words if word and _IN_RESERVE.fullmatch(word)]
    return np.array(rows, np.int64)


def never_used(source: Source) -> Rows:
    """Return the rows of tokens that no text can hold: of bytes that UTF-8 does not use.

    Such are `<0xC0>` where a tokenizer falls back on bytes, and its stand-in where byte-level BPE
    writes each byte as a letter.
    """
    words = source.words
    if words is None:
        return np.empty(0, np.int64)
    letters = letters_of_bytes()
    names = {name for byte in _NEVER_IN_UTF8 for name in (f"<0x{byte:02X}>", letters[byte])}
    tokens = source.contents.tokens
    if tokens is None or tokens.space != "Ġ":
        names -= set(letters.values())
    rows = [row for name in names if (row := words.row_of(name)) is not None]
    return np.array(sorted(rows), np.int64)


def spaced_pairs(source: Source) -> SpacedPairs | None:
    """Return the tokens that are there with and without a space before them; None for too few.

    Only tokens of two letters and more count, as single ones stand for bytes, too.
    """
    tokens, words = source.contents.tokens, source.words
    if tokens is None or words is None or (tokens.space is None and tokens.continues is None):
        return None
    pairs = sorted(_pairs_of(tokens, words.index))
    if len(pairs) < _LEAST_PAIRS:
        return None
    plain, spaced = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    return SpacedPairs(plain, spaced, _cosines(source.matrix.rows, plain, spaced))


def _pairs_of(tokens: ModelTokens, index: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Yield the row of each token inside a word, and that of the same token at its beginning."""
    for token, row in index.items():
        if tokens.space is not None:
            other = tokens.space + token
        elif tokens.continues is not None and token.startswith(tokens.continues):
            token = token.removeprefix(tokens.continues)
            other = token
        else:
            continue
        if len(token) > 1 and token.isalpha() and other in index:
            yield row, index[other]


def _cosines(rows: Vectors, left: Rows, right: Rows) -> Doubles:
    cosines = np.empty(len(left))
    step = max(1, 2**20 // rows.shape[1])
    for start in range(0, len(left), step):
        here = slice(start, start + step)
        a, b = rows[left[here]].astype(np.float64), rows[right[here]].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            cosines[here] = np.einsum("ij,ij->i", a, b) / np.sqrt(
                np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b)
            )
    return cosines


def like_unused(source: Source, model: LanguageModel, unused: Rows) -> list[LikeUnused]:
    """Return the tokens whose rows are as those of unused tokens, by each mark that can be had.

    In the matrix that predicts tokens, it is the direction: rows are taken about their mean, and
    the first direction in which they vary is taken away, as all rows share these. In an input
    embedding that predicts nothing, it is the length. A matrix of which it is not known whether it
    predicts, as in a model without a head, is taken for one that has done so in training. A row
    counts that is no farther than nine in ten of the unused rows; and the mark counts only where
    that is less than half the median.

    Args:
        unused: rows that are known to be unused.

    Returns:
        Nothing where too few rows are known to be unused, or they do not differ from others.
    """
    rows, head = source.matrix.rows, model.tokens.head
    small = len(rows) < _FEWEST_ROWS or rows.shape[1] < _FEWEST_DIMENSIONS
    if small or not _FEWEST_UNUSED <= unused.size <= len(rows) // 2:
        return []
    name = source.tensor or "the matrix"
    marks: list[LikeUnused | None] = []
    if head is not None and head.shape == rows.shape and not model.head_equals:
        lengths = source.lengths().astype(np.float64)
        marks.append(_like(lengths, "length", unused, name))
        marks.append(_like(_distances_from(head.read(), unused), "direction", unused, head.name))
    elif model.tokens.tied is False and not model.head_equals:  # and the head is not in the file
        marks.append(_like(source.lengths().astype(np.float64), "length", unused, name))
    else:
        marks.append(_like(_distances_from(rows, unused), "direction", unused, name))
    return [mark for mark in marks if mark is not None]


def _like(
    values: Doubles, measure: Literal["length", "direction"], unused: Rows, table: str
) -> LikeUnused | None:
    known = values[unused][np.isfinite(values[unused])]
    if not known.size:
        return None
    median = float(np.median(values[np.isfinite(values)]))
    limit = float(np.quantile(known, 0.9))
    if not limit < median / 2:
        return None
    near = np.setdiff1d(np.flatnonzero(values <= limit), unused)
    order = near[np.argsort(values[near], kind="stable")]
    return LikeUnused(order, values[order], measure, unused, limit, median, table)


def _distances_from(rows: Vectors, unused: Rows) -> Doubles:
    """Return how far each row points from where some do, as `like_unused` measures it."""
    mean, first = _shared(rows)
    known = rows[unused].astype(np.float64)
    towards = _without(known[np.isfinite(known).all(axis=1)] - mean, first)
    direction = towards.mean(axis=0) if len(towards) else np.zeros(rows.shape[1])
    distances = np.full(len(rows), np.nan)
    length = float(np.linalg.norm(direction))
    for start, part in parts_of(rows):
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # a broken row is NaN
            apart = _without(part.astype(np.float64) - mean, first)
            lengths = np.sqrt(np.einsum("ij,ij->i", apart, apart))
            distances[start : start + len(part)] = 1 - apart @ direction / (lengths * length)
    return distances


def _without(rows: Any, direction: Doubles) -> Any:
    return rows - np.outer(rows @ direction, direction)


def _shared(rows: Vectors) -> tuple[Doubles, Doubles]:
    """Return the mean of the finite rows, and the direction in which they vary most.

    The direction is found by power iteration on a sample of at most 4,096 rows, evenly spread.
    """
    sample = rows[np.arange(0, len(rows), max(1, len(rows) // 4096))].astype(np.float64)
    sample = sample[np.isfinite(sample).all(axis=1)]
    if not len(sample):
        return np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    mean = sample.mean(axis=0)
    centred = sample - mean
    direction = np.random.RandomState(0).standard_normal(rows.shape[1])
    for _ in range(30):
        direction = centred.T @ (centred @ direction)
        length = float(np.linalg.norm(direction))
        if not length:
            return mean, np.zeros(rows.shape[1])
        direction /= length
    return mean, direction
