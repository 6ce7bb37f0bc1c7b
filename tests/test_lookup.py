"""The lookup: invariants on free input, and settings that cannot work."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect import lookup as lookups
from embedinspect import token_counts
from embedinspect.errors import DataError, UsageError
from embedinspect.lookup import Settings, look_up, one_hot
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.stored_rows import StoredRows
from embedinspect.token_counts import count_tokens
from embedinspect.vocabulary import Token, Vocabulary, fit
from tests.conftest import CLASSIC

SIDES = st.sampled_from(["pre", "post"])
TEXTS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "d-e", "!", "oov"]), max_size=9).map(" ".join),
    min_size=1,
    max_size=4,
)


def matrix(rows: int, columns: int = 2) -> EmbeddingMatrix:
    values = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    return EmbeddingMatrix(values, "from a test")


def test_the_classic_example():
    lookup = look_up(CLASSIC, Settings(num_words=10, maxlen=6))
    assert lookup.sequences.tolist() == [[0, 0, 1, 2, 3, 4], [0, 1, 2, 5, 3, 4]]
    assert lookup.output_shape == (2, 6, 3)
    assert lookup.matrix.rows.shape == (10, 3)
    assert lookup.uses.tolist() == [3, 2, 2, 2, 2, 1, 0, 0, 0, 0]
    assert (lookup.output(1) == lookup.matrix.rows[[0, 1, 2, 5, 3, 4]]).all()
    assert lookup.mask(0) is None


@given(
    TEXTS,
    st.one_of(st.none(), st.integers(2, 5)),
    st.sampled_from([None, "oov", "<OOV>"]),
    st.one_of(st.none(), st.integers(1, 6)),
    SIDES,
    SIDES,
)
def test_every_token_is_accounted_for(texts, num_words, oov_token, maxlen, padding, truncating):
    settings = Settings(
        num_words=num_words,
        oov_token=oov_token,
        maxlen=maxlen,
        padding=padding,
        truncating=truncating,
        mask_zero=True,
        input_dim=20,
    )
    lookup = look_up(texts, settings)
    statuses = dict.fromkeys(["looked_up", "replaced", "dropped", "cut_off", "filtered"], 0)
    for index in range(len(texts)):
        sequence = lookup.sequences[index].tolist()
        assert lookup.mask(index) == [id_ != 0 for id_ in sequence]
        rebuilt = [0] * lookup.maxlen
        for token in lookup.trace(index):
            statuses[token.status] += 1
            assert (token.position is None) == (token.status in {"dropped", "cut_off", "filtered"})
            if token.position is not None:
                rebuilt[token.position] = token.id
        assert rebuilt == sequence
    counts = count_tokens(lookup)
    assert counts.by_status == statuses
    tokenization = lookup.vocabulary.tokenization
    assert counts.total == sum(len(tokenization.tokens(text)) for text in texts)
    assert int(lookup.uses.sum()) == lookup.sequences.size
    assert lookup.padding_positions == int(lookup.uses[0])


def test_input_dim_follows_the_words():
    assert look_up(["a b c"]).matrix.input_dim == 4
    assert look_up(["a b c"], Settings(oov_token="x")).matrix.input_dim == 5
    assert look_up(["a b c"], Settings(num_words=9)).matrix.input_dim == 9
    assert look_up([""]).output_shape == (1, 0, 3)


def test_a_saved_vocabulary_keeps_its_ids():
    vocabulary, _ = fit(["b b a"])
    lookup = look_up(["a b c"], vocabulary=vocabulary)
    assert lookup.sequences.tolist() == [[2, 1]]
    assert lookup.trace(0) == [
        Token("a", 2, 2, "looked_up", position=0),
        Token("b", 1, 1, "looked_up", position=1),
        Token("c", None, None, "dropped", "not in the vocabulary"),
    ]


@pytest.mark.parametrize(("side", "end", "kept"), [("pre", "start", 1), ("post", "end", 0)])
def test_a_token_that_is_cut_off_keeps_its_id_and_has_no_position(side, end, kept):
    traced = look_up(["a b"], Settings(maxlen=1, truncating=side)).trace(0)
    cut = traced[1 - kept]
    assert (traced[kept].status, traced[kept].position) == ("looked_up", 0)
    assert (cut.status, cut.position, cut.id) == ("cut_off", None, cut.rank)
    assert cut.reason == f"cut at the {end} to maxlen 1"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (Settings(input_dim=3), r"--input-dim 3 has rows 0 to 2.*id 4 \('text'\)"),
        (Settings(num_words=1, oov_token="x"), r"num_words 1 has rows 0 to 0.*id 1 \('x'\)"),
        (Settings(num_words=5, oov_token="text"), r"id 5 \('text'\).*--oov-token"),
        (Settings(maxlen=2**32), "smaller --maxlen"),
    ],
)
def test_settings_that_cannot_work(settings, says):
    with pytest.raises(UsageError, match=says):
        look_up(["This is a text"], settings)


def test_a_given_matrix_sets_both_dimensions():
    lookup = look_up(CLASSIC, Settings(num_words=10), matrix=matrix(6))
    assert (lookup.matrix.input_dim, lookup.matrix.output_dim) == (6, 2)
    with pytest.raises(DataError, match=r"has 5 rows, but the texts need 6.*'not'"):
        look_up(CLASSIC, matrix=matrix(5))
    with pytest.raises(DataError, match=r"has 1 row, but the texts need 6"):
        look_up(CLASSIC, matrix=matrix(1))
    with pytest.raises(UsageError, match=r"--input-dim is 7.*\(6, 2\)"):
        look_up(CLASSIC, Settings(input_dim=7), matrix=matrix(6))
    with pytest.raises(UsageError, match="--output-dim is 3"):
        look_up(CLASSIC, Settings(output_dim=3), matrix=matrix(6))


def test_the_one_hot_product_is_the_lookup():
    product = one_hot(look_up(CLASSIC, Settings(maxlen=6)))
    assert (product.shape, product.largest_difference, product.equal) == ((2, 6, 6), 0.0, True)


def test_the_one_hot_product_never_copies_a_stored_matrix_whole(monkeypatch):
    halves = np.random.RandomState(0).standard_normal((50, 3)).astype(np.float16)
    stored = StoredRows(halves, (50, 3))
    monkeypatch.setattr(StoredRows, "__array__", None)
    monkeypatch.setattr(lookups, "_NUMBERS_AT_ONCE", 21)
    assert one_hot(look_up(CLASSIC, matrix=EmbeddingMatrix(stored, "test"))).equal


def test_the_one_hot_product_shows_what_nan_does():
    spoiled = matrix(6)
    spoiled.rows[5, 0] = np.nan
    product = one_hot(look_up(["a b"], matrix=spoiled))
    assert not product.equal
    assert np.isnan(product.largest_difference)


def test_a_start_token_is_counted_like_any_other():
    vocabulary = Vocabulary(
        {"<START>": 1, "<UNK>": 2, "a": 3}, oov_token="<UNK>", start_token="<START>"
    )
    lookup = look_up(["a", "a b"], Settings(input_dim=9), vocabulary=vocabulary)
    assert lookup.sequences.tolist() == [[0, 1, 3], [1, 3, 2]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_counts, "_TEXTS_WITH_EXAMPLES", 0)
        quick = count_tokens(lookup).by_status
    assert quick == count_tokens(lookup).by_status
    assert (quick["looked_up"], quick["replaced"], quick["dropped"]) == (4, 1, 0)


@given(TEXTS, st.sampled_from([None, 3]), st.sampled_from([None, "oov", "<OOV>"]), SIDES)
def test_counts_are_the_same_without_tracing(texts, num_words, oov_token, truncating):
    settings = Settings(num_words, oov_token, maxlen=3, truncating=truncating, input_dim=20)
    lookup = look_up(texts, settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_counts, "_TEXTS_WITH_EXAMPLES", 0)
        quick = count_tokens(lookup)
    assert quick.by_status == count_tokens(lookup).by_status
    assert quick.examples == {}
