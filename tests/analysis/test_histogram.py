"""Histograms: round edges, and every number in the bin that holds it."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.analysis.histogram import MOST_BINS, MOST_RARE, histogram

NUMBERS = st.lists(
    st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6),
    min_size=1,
    max_size=300,
)


@given(NUMBERS)
def test_every_number_is_counted_in_its_bin_as_numpy_has_it(values):
    bins = histogram(values)
    counts, _ = np.histogram(values, bins.edges)
    assert list(bins.counts) == counts.tolist()
    assert sum(bins.counts) == len(values)
    assert len(bins.counts) <= MOST_BINS
    assert bins.median == np.median(values)


@given(NUMBERS)
def test_the_places_of_rare_bins_are_those_of_numbers_in_them(values):
    bins = histogram(values)
    for number, (count, places) in enumerate(zip(bins.counts, bins.rare, strict=True)):
        assert len(places) == (count if count <= MOST_RARE else 0)
        for place in places:
            assert bins.edges[number] <= values[place] <= bins.edges[number + 1]


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
