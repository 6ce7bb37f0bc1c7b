"""Which positions of a batch an LSTM computes, and in which order.

Reviews that are padded before their text all begin with the same padding, through which the LSTM
goes alike. So a batch has one row more, which is padding throughout, and each review joins at its
first token, from the state that this row has by then. With a mask, padding is skipped and a review
joins from the state at the start, zeros. Either way only the tokens and that one row are computed,
and the result is that of all positions.

The longest reviews come first, so that the rows which are active at a step are the first ones. The
positions lie step after step, and in a step row after row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.sequences import IntArray

Indices = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Share:
    """The reviews of a batch that one thread computes.

    Attributes:
        reviews: their index in the batch, the longest first.
        counts: active rows at each step, the row of padding included; and all rows, at the end.
        starts: index of each step's first position in all the batch's positions.
        has_padding: whether the first row is padding throughout, and reviews join from it.
    """

    reviews: Indices
    counts: Indices
    starts: Indices
    has_padding: bool


@dataclass(frozen=True)
class Packed:
    """A batch as it is computed.

    Attributes:
        ids: the id at each position, share after share.
        shares: what each thread computes.
    """

    ids: IntArray
    shares: tuple[Share, ...]


def pack(ids: IntArray, masked: bool, shares: int) -> Packed:
    """Return the positions of a batch that have to be computed.

    Args:
        ids: padded ids, shape (reviews, length). Without a mask the zeros before the first other id
            are what the reviews have in common; with one all zeros are skipped.
        shares: number of threads; there are as many shares, unless there are fewer reviews.
    """
    is_token = ids != 0
    if masked:
        lengths = is_token.sum(axis=1)
        tokens_last = np.argsort(is_token, axis=1, kind="stable")
        ids = np.take_along_axis(ids, tokens_last, axis=1)[:, ids.shape[1] - lengths.max() :]
    else:
        lengths = np.where(is_token.any(axis=1), ids.shape[1] - is_token.argmax(axis=1), 0)
    longest_first = np.argsort(-lengths, kind="stable")
    shares = max(1, min(shares, len(ids)))
    flat, packed, start = [], [], 0
    for share in range(shares):
        reviews = longest_first[share::shares]
        has_padding = not masked and bool(lengths[reviews[-1]] < ids.shape[1])
        positions, counts = _positions(ids[reviews], lengths[reviews], has_padding)
        starts = start + np.concatenate([[0], counts[:-1].cumsum()])
        start = int(starts[-1])
        flat.append(positions)
        packed.append(Share(reviews, counts, starts, has_padding))
    return Packed(np.concatenate(flat), tuple(packed))


def _positions(ids: IntArray, lengths: Any, has_padding: bool) -> tuple[IntArray, Indices]:
    """Return the ids in the order of computation, and the active rows at each step."""
    steps = ids.shape[1]
    if has_padding:
        ids = np.concatenate([np.zeros((1, steps), ids.dtype), ids])
        lengths = np.concatenate([[steps], lengths])
    active = np.arange(steps)[:, None] >= steps - lengths
    return ids.T[active], np.append(active.sum(axis=1), len(ids))
