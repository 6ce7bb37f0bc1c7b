"""The hashes of unknown words, against TensorFlow's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedinspect.tokenizing.hashing import bucket

# Every length at which the hash takes another path, and strings of several bytes a character.
LENGTHS = [*range(70), 127, 128, 129, 191, 192, 193, 500]
STRINGS = ["".join(chr(97 + (place * place) % 26) for place in range(size)) for size in LENGTHS]
STRINGS += ["é" * size for size in LENGTHS] + ["世界", "👩‍💻"]


def buckets_of_tensorflow(strings, count, salt):
    import tensorflow

    if salt is None:
        return tensorflow.strings.to_hash_bucket_fast(strings, count).numpy().tolist()
    return tensorflow.strings.to_hash_bucket_strong(strings, count, key=salt).numpy().tolist()


@pytest.mark.parametrize("count", [3, 2**62])
@pytest.mark.parametrize("salt", [None, [0, 0], [7, 2**40], [-3, -(2**63)]])
def test_buckets_are_those_of_tensorflow(count, salt):
    ours = [bucket(string, count, salt) for string in STRINGS]
    assert ours == buckets_of_tensorflow(STRINGS, count, salt)


@settings(max_examples=20)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), min_size=1),
    st.none() | st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)),
)
def test_buckets_of_any_string(strings, salt):
    salt = None if salt is None else list(salt)
    ours = [bucket(string, 1000, salt) for string in strings]
    assert ours == buckets_of_tensorflow(strings, 1000, salt)
