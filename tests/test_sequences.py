"""Padding, truncation and masks against Keras's own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.sequences import mask, pad, placement

SEQUENCES = st.lists(st.lists(st.integers(1, 99), max_size=9), min_size=1, max_size=6)
SIDES = st.sampled_from(["pre", "post"])


@given(SEQUENCES, st.one_of(st.none(), st.integers(1, 12)), SIDES, SIDES)
def test_equals_pad_sequences(sequences, maxlen, padding, truncating):
    from keras.utils import pad_sequences

    expected = pad_sequences(sequences, maxlen, padding=padding, truncating=truncating)
    padded = pad(sequences, maxlen, padding, truncating)
    assert padded.dtype == expected.dtype == np.int32
    assert padded.tolist() == expected.tolist()


@given(SEQUENCES)
def test_equals_the_mask_of_the_layer(sequences):
    import keras

    padded = pad(sequences, 5)
    layer = keras.layers.Embedding(100, 1, mask_zero=True)
    assert (mask(padded) == np.asarray(layer.compute_mask(padded))).all()


@given(st.integers(0, 9), st.integers(1, 9), SIDES, SIDES)
def test_placement_says_where_pad_puts_each_id(length, maxlen, padding, truncating):
    ids = list(range(1, length + 1))
    positions = placement(length, maxlen, padding, truncating)
    sequence = [0] * maxlen
    for id_, position in zip(ids, positions, strict=True):
        if position is not None:
            sequence[position] = id_
    assert sequence == pad([ids], maxlen, padding, truncating)[0].tolist()


def test_texts_without_ids():
    assert pad([[], []]).shape == (2, 0)
    assert pad([[]], 3).tolist() == [[0, 0, 0]]
