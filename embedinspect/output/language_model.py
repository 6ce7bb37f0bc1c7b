"""What `info` says of a matrix as a table of tokens, and of the other matrices beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from embedinspect.analysis.language_model import LikeUnused, TokenHealth
from embedinspect.output.labels import row_name
from embedinspect.page import Column, Fact, Table
from embedinspect.source import Source
from embedinspect.wording import clipped_repr, listed, plural

_MOST_TENSORS = 8
_MOST_NAMED = 8


def tensors(source: Source) -> Table:
    """Return the table of the matrices that a file or folder holds, those with a role first."""
    every = source.contents.tensors
    first = [tensor for tensor in every if tensor.role is not None or tensor.name == source.tensor]
    others = [tensor for tensor in every if tensor not in first]
    # Where there are many, the others are a model's layers, and nothing to look words up in.
    few = len(every) <= _MOST_TENSORS or len(first) < 2
    shown = ([*first, *others] if few else first)[:_MOST_TENSORS]
    return Table(
        f"Matrices  {len(every)}",
        [
            Column("", ["→" if tensor.name == source.tensor else "" for tensor in shown]),
            Column("name", [tensor.name for tensor in shown]),
            Column("role", [tensor.role or "" for tensor in shown]),
            Column(
                "shape",
                [f"{tensor.shape[0]:,} × {tensor.shape[1]:,}" for tensor in shown],
                rigid=True,
            ),
            Column("dtype", [tensor.dtype for tensor in shown]),
        ],
        more=len(every) - len(shown),
    )


def facts(source: Source, health: TokenHealth) -> Iterator[Fact]:
    """Yield what there is to say of tokens and rows."""
    model, tokens = health.model, health.model.tokens
    count = len(set(tokens.ids.values()))
    claimed = tokens.vocab_size
    agree = claimed in {None, model.rows} and not model.beyond
    says = "" if claimed is None else f"; vocab_size {claimed:,}"
    yield Fact(
        "tokens",
        f"{plural(count, 'id')} for {plural(model.rows, 'row')}{says}",
        "plain" if agree else "wrong",
    )
    if model.beyond:
        yield Fact(
            "", f"no row for {_named({token: id_ for id_, token in model.beyond.items()})}", "wrong"
        )
    if tokens.special:
        yield Fact("special", _named(tokens.special))
    added = {token: id_ for token, id_ in tokens.added.items() if token not in tokens.special}
    if added:
        yield Fact("added", _named(added))
    yield from _head(health)
    if model.without_token.size:
        yield Fact(
            "no token",
            f"{plural(model.without_token.size, 'row')}: {_rows(source, model.without_token)}",
            "notable",
        )
    if health.unused.size:
        yield Fact(
            "unused",
            f"{plural(health.unused.size, 'row')} that no text reaches, or in reserve: "
            f"{_rows(source, health.unused)}",
        )
    for mark in health.like_unused:
        yield _like_unused(source, mark)
    if health.spaced is not None:
        two = "with a space before them and without"
        if tokens.space is None:
            two = f"as they begin a word and, after {tokens.continues}, inside one"
        yield Fact(
            "twice",
            f"{plural(len(health.spaced.rows), 'token is', 'tokens are')} there twice, {two}; "
            f"median cosine of the two rows {health.spaced.median_cosine:.2f}",
        )


def _head(health: TokenHealth) -> Iterator[Fact]:
    tokens, equal = health.model.tokens, health.model.head_equals
    if tokens.head is not None:
        how = {True: "equal to this matrix", False: "another matrix", None: "of another shape"}
        wrong = tokens.tied is True and equal is not True
        says = " (tie_word_embeddings is true)" if wrong else ""
        rows, columns = tokens.head.shape
        label = f"{clipped_repr(tokens.head.name)} ({rows:,} × {columns:,})"
        yield Fact("head", f"{label}: {how[equal]}{says}", "notable" if wrong else "plain")
    elif tokens.tied:
        yield Fact("head", "this matrix (tie_word_embeddings)")


def _like_unused(source: Source, mark: LikeUnused) -> Fact:
    if not mark.rows.size:
        return Fact("glitches", "no other token's row is as those of the unused ones", "confirmed")
    measure = "length" if mark.measure == "length" else "direction"
    return Fact(
        "glitches",
        f"{plural(mark.rows.size, 'token is', 'tokens are')} as the unused ones by {measure} in "
        f"{clipped_repr(mark.table)}: {_rows(source, mark.rows)}",
        "notable",
    )


def _named(ids: Mapping[str, int]) -> str:
    pairs = sorted(ids.items(), key=lambda pair: pair[1])
    return listed((f"{clipped_repr(token, 24)} {id_:,}" for token, id_ in pairs), _MOST_NAMED)


def _rows(source: Source, rows: Any) -> str:
    return listed((row_name(source, row) for row in rows.tolist()), _MOST_NAMED)


def tensors_document(source: Source) -> list[dict[str, Any]]:
    """Return the matrices of a file or folder, for a document."""
    return [
        {
            "name": tensor.name,
            "shape": list(tensor.shape),
            "dtype": tensor.dtype,
            "role": tensor.role,
        }
        for tensor in source.contents.tensors
    ]


def document(health: TokenHealth) -> dict[str, Any]:
    """Return what is said of tokens and rows, for a document."""
    model, tokens, spaced = health.model, health.model.tokens, health.spaced
    return {
        "ids": len(set(tokens.ids.values())),
        "vocab_size": tokens.vocab_size,
        "special": dict(tokens.special),
        "added": dict(tokens.added),
        "tied": tokens.tied,
        "head": None if tokens.head is None else tokens.head.name,
        "head_equals": model.head_equals,
        "rows_without_token": model.without_token.tolist(),
        "tokens_without_row": {token: id_ for id_, token in model.beyond.items()},
        "unused_rows": health.unused.tolist(),
        "like_unused": [
            {
                "table": mark.table,
                "measure": mark.measure,
                "limit": mark.limit,
                "median": mark.median,
                "rows": mark.rows.tolist(),
                "values": mark.values.tolist(),
            }
            for mark in health.like_unused
        ],
        "spaced_pairs": None if spaced is None else len(spaced.rows),
        "spaced_median_cosine": None if spaced is None else spaced.median_cosine,
    }
