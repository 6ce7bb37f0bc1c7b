"""Histograms: round edges, and every number in the bin that holds it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from embedinspect.analysis.histogram import MOST_BINS, MOST_RARE, ROUNDING, bin_of, histogram
from embedinspect.output.histogram import ranges

NUMBERS = st.lists(
    st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6),
    min_size=1,
    max_size=300,
)


# Amounts such as lengths: of any size, some of them equal, some far beyond the others.
AMOUNTS = st.lists(
    st.one_of(st.floats(0.9, 1.1), st.floats(1e-30, 1e30), st.sampled_from([0.0, 1.0, 0.3, 250])),
    min_size=1,
    max_size=300,
)


@given(NUMBERS | AMOUNTS)
def test_every_number_is_counted_in_its_bin_as_numpy_has_it(values):
    bins = histogram(values)
    limits = np.array(bins.edges) - ROUNDING * np.abs(bins.edges)
    limits[-1] = max(values)
    counts, _ = np.histogram(values, limits)
    assert list(bins.counts) == counts.tolist()
    assert sum(bins.counts) == len(values)
    assert 1 <= len(bins.counts) <= MOST_BINS
    assert list(bins.edges) == sorted(set(bins.edges))
    assert bins.median == np.median(values)


@given(NUMBERS | AMOUNTS)
@example([500_000.0, -0.25])  # which is below 0, small as it is beside the other
def test_every_number_lies_between_the_edges_but_for_rounding(values):
    bins = histogram(values)
    least, most = np.array([min(values), max(values)])
    assert least >= bins.edges[0] - ROUNDING * abs(bins.edges[0])
    assert most <= bins.edges[-1] + 2 * ROUNDING * max(abs(least), abs(most))


@given(NUMBERS | AMOUNTS)
def test_the_places_of_rare_bins_are_those_of_numbers_in_them(values):
    bins = histogram(values)
    for number, (count, places) in enumerate(zip(bins.counts, bins.rare, strict=True)):
        assert len(places) == (count if count <= MOST_RARE else 0)
        assert all(bin_of(values[place], bins.edges) == number for place in places)


@given(AMOUNTS)
def test_edges_are_round_but_for_the_last_of_an_open_bin(values):
    bins = histogram(values)
    for edge in bins.edges[:-1] if bins.open_end else bins.edges:
        assert float(f"{edge:.9g}") == edge


@given(NUMBERS | AMOUNTS)
def test_no_two_bins_are_written_alike(values):
    told = ranges(histogram(values))
    assert len(set(told)) == len(told)
    for text in told[:-1]:
        low, _, high = text.rpartition("–")
        assert low != high


@pytest.mark.parametrize("tail", [[100.0], [100.0] * 5, [30.0, 200.0, 5000.0]])
@pytest.mark.parametrize("count", [8, 25, 99, 420])
def test_rows_far_longer_than_the_others_do_not_put_these_into_one_bin(count, tail):
    values = [*np.linspace(0.7, 1.3, count).tolist(), *tail]
    bins = histogram(values)
    assert max(bins.counts) <= len(values) / 2
    assert sum(bins.counts) == len(values)


def test_zeros_far_below_the_others_do_not_put_these_into_one_bin():
    values = [*np.linspace(28.1, 29.9, 500).tolist(), 0.0, 0.0]
    bins = histogram(values)
    assert max(bins.counts) < 200
    assert bins.counts[0] == 2
    assert not bins.even


def test_amounts_over_many_powers_of_ten_have_bins_that_widen():
    bins = histogram(np.exp(np.random.RandomState(0).normal(0, 2, 5000)))
    assert max(bins.counts) < 1000
    assert [edge for edge in bins.edges if 0.1 <= edge <= 10] == [0.1, 0.2, 0.5, 1, 2, 5, 10]
    assert not bins.even


def test_rows_that_were_scaled_to_one_are_not_told_apart_by_their_rounding():
    rows = np.random.RandomState(0).normal(0, 1, (500, 64)).astype(np.float32)
    lengths = np.linalg.norm(rows / np.linalg.norm(rows, axis=1, keepdims=True), axis=1)
    assert min(lengths) < 1 < max(lengths)
    assert sorted(histogram(lengths).counts) == [500]
    assert sorted(histogram([*lengths, 0.0]).counts) == [1, 500]
    assert max(histogram([*lengths, *np.linspace(0, 2, 40)]).counts) >= 500


def test_a_number_that_rounding_puts_below_an_edge_counts_as_that_edge():
    values = [0.1, 0.1 * 3, 0.7 - 0.4, float(np.float32(0.7)), 0.95, 1.2, 1.55, 1.9]
    bins = histogram(values)
    for value, edge in zip(values[:4], (0.1, 0.3, 0.3, 0.7), strict=True):
        assert bins.edges[int(bin_of(value, bins.edges))] == edge


@given(st.floats(0.01, 100), st.integers(20, 200))
def test_edges_are_one_two_or_five_times_a_power_of_ten_apart(scale, count):
    values = np.linspace(0, 1, count) * scale
    edges = histogram(values).edges
    step = edges[1] - edges[0]
    digits = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert any(math.isclose(digits, wanted, rel_tol=1e-6) for wanted in (1, 2, 5))
    assert all(math.isclose(b - a, step, rel_tol=1e-6) for a, b in zip(edges, edges[1:]))  # noqa: B905, RUF007


def test_a_few_numbers_far_beyond_leave_the_others_in_bins_of_their_own():
    values = [*np.linspace(1, 2, 1000).tolist(), 500.0]
    bins = histogram(values)
    assert bins.open_end
    assert bins.edges[-1] == 500
    assert max(bins.counts) < 300
    assert bins.rare[-1] == (1000,) or 1000 in bins.rare[-1]


def test_equal_numbers_have_a_bin():
    assert sum(histogram([3.0, 3.0]).counts) == 2
    assert sum(histogram([0.0]).counts) == 1
    assert histogram([]).counts == ()
