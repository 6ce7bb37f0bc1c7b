"""Which positions the packed LSTM computes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.training.lstm.packing import pack

IDS = st.integers(1, 12).flatmap(
    lambda length: st.lists(
        st.lists(st.integers(0, 4), min_size=length, max_size=length), min_size=1, max_size=9
    )
)


def walk(packed, share):
    """Yield for each step of a share the ids of its active rows."""
    for step, count in enumerate(share.counts[:-1]):
        yield packed.ids[share.starts[step] : share.starts[step] + count].tolist()


@given(ids=IDS, masked=st.booleans(), shares=st.integers(1, 4))
def test_each_review_is_read_from_its_first_token_to_its_end(ids, masked, shares):
    ids = np.array(ids, np.int32)
    packed = pack(ids, masked, shares)
    reviews = [review for share in packed.shares for review in share.reviews]
    assert sorted(reviews) == list(range(len(ids)))
    for share in packed.shares:
        rows = [[] for _ in range(share.counts[-1])]
        for active in walk(packed, share):
            for row, token in enumerate(active):
                rows[row].append(token)
        if share.has_padding:
            assert rows.pop(0) == [0] * ids.shape[1]
        for review, row in zip(share.reviews, rows, strict=True):
            tokens = [token for token in ids[review] if token or not masked]
            while not masked and tokens and not tokens[0]:
                tokens.pop(0)
            assert row == tokens


def test_padding_is_computed_once_for_all_reviews_of_a_share():
    ids = np.zeros((10, 100), np.int32)
    ids[:, -3:] = 7
    packed = pack(ids, False, 1)
    assert len(packed.ids) == 100 + 10 * 3
    assert len(pack(ids, True, 1).ids) == 10 * 3


def test_the_longest_reviews_are_dealt_to_all_shares():
    ids = np.zeros((8, 50), np.int32)
    for review in range(8):
        ids[review, -6 * review - 1 :] = 1
    first, second = pack(ids, True, 2).shares
    assert first.reviews.tolist() == [7, 5, 3, 1]
    assert second.reviews.tolist() == [6, 4, 2, 0]
