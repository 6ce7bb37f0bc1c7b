"""The packed LSTM beside one in float64 that reads every position."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedinspect.training.lstm import compiling, passes
from embedinspect.training.lstm.passes import Passes, Weights
from tests.training.lstm.reference import reference

ROWS = 11


def uniform(random, *shape):
    """Draw numbers as Keras draws weights of a shape at first (Glorot and Bengio 2010)."""
    bound = np.sqrt(6 / sum(shape))
    return random.uniform(-bound, bound, shape).astype(np.float32)


def padded(random, reviews, length):
    """Draw ids of reviews of any length, 0 and the whole length included."""
    ids = np.zeros((reviews, length), np.int32)
    for row in ids:
        tokens = random.integers(0, length + 1)
        row[length - tokens :] = random.integers(1, ROWS, tokens)
    return ids


def drawn(seed, reviews, length, width, units):
    random = np.random.default_rng(seed)
    table = uniform(random, ROWS, width)
    weights = Weights(
        uniform(random, width, 4 * units),
        uniform(random, units, 4 * units),
        uniform(random, 4 * units),
    )
    of_outputs = random.normal(size=(reviews, units)).astype(np.float32)
    return padded(random, reviews, length), table, weights, of_outputs


def differences(ids, table, weights, of_outputs, masked, threads):
    """Return by how much each result differs, in parts of its size."""
    found = Passes(masked, threads)
    outputs = found.forward(ids, table, weights)
    gradients = found.backward(of_outputs)
    by_row, squares = np.zeros(table.shape), np.zeros(table.shape)
    np.add.at(by_row, gradients.ids, gradients.vectors.astype(np.float64))
    np.add.at(squares, gradients.ids, gradients.vectors.astype(np.float64) ** 2)
    parts = (weights.kernel, weights.recurrent_kernel, weights.bias)
    wanted = reference(ids, table, *parts, of_outputs, masked)
    results = {
        "outputs": outputs,
        "table": by_row,
        "squares": squares,
        "kernel": gradients.weights.kernel,
        "recurrent_kernel": gradients.weights.recurrent_kernel,
        "bias": gradients.weights.bias,
    }
    return {
        name: float(np.abs(result - getattr(wanted, name)).max()) / wanted.sizes[name]
        for name, result in results.items()
    }


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    reviews=st.integers(1, 20),
    length=st.integers(1, 30),
    width=st.integers(1, 20),
    units=st.integers(1, 40),
    masked=st.booleans(),
    threads=st.integers(1, 3),
)
@example(seed=0, reviews=64, length=120, width=32, units=100, masked=False, threads=2)
def test_outputs_and_gradients_are_those_of_all_positions(
    seed, reviews, length, width, units, masked, threads
):
    found = differences(*drawn(seed, reviews, length, width, units), masked, threads)
    # What is left of a review's gradient when it joins the others is a thousandth, whose square is
    # a millionth; but there are many reviews.
    tolerances = {name: 1e-6 for name in found} | {"squares": 1e-5}
    assert {name: found[name] for name in found if found[name] > tolerances[name]} == {}


@pytest.mark.parametrize("masked", [False, True])
def test_ids_of_nothing_but_padding_have_the_state_that_padding_leaves(masked):
    _, table, weights, of_outputs = drawn(1, 3, 9, 4, 5)
    ids = np.zeros((3, 9), np.int32)
    assert max(differences(ids, table, weights, of_outputs, masked, 2).values()) < 1e-5


def test_zeros_inside_a_text_are_read_without_a_mask_and_skipped_with_one():
    _, table, weights, of_outputs = drawn(2, 2, 6, 4, 5)
    ids = np.array([[0, 3, 0, 0, 2, 0], [4, 0, 0, 1, 0, 0]], np.int32)
    for masked in (False, True):
        assert max(differences(ids, table, weights, of_outputs, masked, 1).values()) < 1e-5


def test_the_same_numbers_come_from_any_number_of_threads():
    ids, table, weights, _ = drawn(3, 30, 40, 8, 12)
    found = []
    for threads in (1, 2, 5):
        several = Passes(False, threads)
        outputs = several.forward(ids, table, weights)
        assert (several.outputs(ids, table, weights) == outputs).all()
        found.append(outputs)
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


def test_an_id_without_a_row_is_an_error():
    _, table, weights, _ = drawn(5, 1, 3, 4, 5)
    for beyond in (-1, ROWS):
        with pytest.raises(IndexError, match="11 rows"):
            Passes(False).forward(np.array([[1, beyond]], np.int32), table, weights)


def test_nan_stays_nan_and_large_sums_saturate():
    ids, table, weights, _ = drawn(4, 4, 10, 4, 6)
    ids[0, -1] = 1
    broken = table.copy()
    broken[1] = np.nan
    assert np.isnan(Passes(False).forward(ids, broken, weights)[0]).all()
    large = Passes(False).forward(ids, table * 1e30, weights)
    assert np.isfinite(large).all()
    assert np.abs(large).max() <= 1


def test_gradients_that_vanish_do_not_slow_the_way_back_down():
    """Far back they leave the range of normal numbers, where a processor is very slow."""
    random = np.random.default_rng(0)
    ids = np.ones((8, 2000), np.int32)
    weights = Weights(
        uniform(random, 4, 32), uniform(random, 8, 32) * 0, np.full(32, -1, np.float32)
    )
    found = Passes(False, 1)
    found.forward(ids, uniform(random, 2, 4), weights)
    vectors = found.backward(np.ones((8, 8), np.float32)).vectors
    normal = np.finfo(np.float32).tiny
    assert not ((vectors != 0) & (np.abs(vectors) < normal)).any()


def test_compiled_code_that_is_damaged_is_compiled_again(tmp_path, monkeypatch):
    kept = tmp_path / "steps.forward.nbi"
    kept.write_bytes(b"damaged")
    monkeypatch.setattr(compiling, "_FOLDER", tmp_path)
    monkeypatch.setattr(
        passes, "_try", lambda: pickle.loads(kept.read_bytes()) if kept.exists() else 0
    )
    passes.prepare()
    assert not kept.exists()
