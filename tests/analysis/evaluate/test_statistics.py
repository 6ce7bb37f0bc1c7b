"""Correlations, intervals and tests, against SciPy and by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.analysis.evaluate import statistics
from embedinspect.analysis.evaluate.statistics import (
    Resampled,
    holm,
    mcnemar,
    middle,
    pearson,
    ranks,
    shuffled_correlations,
    spearman,
    wilson,
)

stats = pytest.importorskip("scipy.stats")
LISTS = st.lists(st.integers(-5, 5).map(float), min_size=3, max_size=30)


@given(values=LISTS, seed=st.integers(0, 1000))
def test_correlations_are_those_of_scipy(values, seed):
    first = np.array(values)
    second = np.random.default_rng(seed).integers(-3, 4, len(first)).astype(float)
    assert ranks(first).tolist() == stats.rankdata(first).tolist()
    if np.ptp(first) and np.ptp(second):
        assert np.isclose(pearson(first, second), stats.pearsonr(first, second)[0])
        assert np.isclose(spearman(first, second), stats.spearmanr(first, second)[0])
    else:
        assert pearson(first, second) is spearman(first, second) is None


def test_a_draw_has_the_correlations_of_the_pairs_that_were_drawn():
    draw = np.random.default_rng(0)
    first, second = draw.integers(0, 6, 25).astype(float), draw.standard_normal(25)
    resampled = Resampled(25, np.random.default_rng(1))
    weights = np.concatenate(list(resampled.weights()))
    assert (weights.sum(axis=1) == 25).all()
    ones, twos = resampled.pearsons(first, second), resampled.spearmans(first, second)
    assert len(weights) == len(ones) == len(twos) == statistics.DRAWS
    for number in range(0, 200, 7):
        taken = np.repeat(np.arange(25), weights[number].astype(int))
        assert np.isclose(ones[number], stats.pearsonr(first[taken], second[taken])[0])
        assert np.isclose(twos[number], stats.spearmanr(first[taken], second[taken])[0])


def test_draws_in_which_nothing_varies_have_no_correlation():
    resampled = Resampled(3, np.random.default_rng(0))
    first = np.array([0.1, 0.1, 0.3])
    weights = np.concatenate(list(resampled.weights()))
    same = (weights[:, 2] == 0) | (weights[:, 2] == 3)
    values = resampled.pearsons(first, np.array([1.0, 2.0, 4.0]))
    assert np.isnan(values[same]).all()
    assert not np.isnan(values[~same]).any()


def test_the_interval_holds_the_true_correlation_about_as_often_as_it_says():
    draw, held = np.random.default_rng(2), 0
    for number in range(60):
        pairs = draw.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 80)
        low, high = middle(
            Resampled(80, np.random.default_rng(number)).pearsons(pairs[:, 0], pairs[:, 1])
        )
        held += low < 0.5 < high
    assert 50 <= held <= 60


def test_shuffled_correlations_are_as_scattered_as_theory_says():
    draw = np.random.default_rng(3)
    first, second = draw.standard_normal(100), draw.standard_normal(100)
    values = shuffled_correlations(first, second, draw)
    assert len(values) == statistics.SHUFFLES
    assert abs(values.mean()) < 0.01
    assert abs(values.std() - 99**-0.5) < 0.01


@given(first=st.integers(0, 1500), second=st.integers(0, 1500))
def test_mcnemar_is_the_exact_binomial_test(first, second):
    expected = stats.binomtest(first, first + second).pvalue if first + second else 1
    assert np.isclose(mcnemar(first, second), expected, rtol=1e-6, atol=1e-200)


@given(count=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_is_that_of_scipy(count, share):
    correct = round(count * share)
    interval = stats.binomtest(correct, count).proportion_ci(0.95, "wilson")
    assert np.allclose(wilson(correct, count), interval)


@given(p_values=st.lists(st.floats(0, 1) | st.none(), max_size=8))
def test_holm_is_what_its_definition_says(p_values):
    known = sorted(p for p in p_values if p is not None)
    for p, adjusted in zip(p_values, holm(p_values), strict=True):
        if p is None:
            assert adjusted is None
            continue
        below = [min(1, (len(known) - place) * q) for place, q in enumerate(known) if q <= p]
        assert np.isclose(adjusted, max(below))
