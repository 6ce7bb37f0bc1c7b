"""What a matrix is like: against NumPy on the whole of it, and rows that are broken."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedinspect.analysis import health, moments
from embedinspect.analysis.health import examine
from tests.builders import source_of

ROWS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=2),
    elements=st.floats(-9, 9, width=16),
)


@given(ROWS)
def test_numbers_equal_numpy(rows):
    health = examine(source_of(rows))
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    assert np.isclose(health.norms.median, np.median(lengths), rtol=1e-6)
    assert sum(health.histogram.counts) == len(rows)
    assert np.isclose(health.mean, rows.mean(dtype=np.float64), atol=1e-9)
    assert np.isclose(health.standard_deviation, rows.std(dtype=np.float64), atol=1e-6)
    assert np.allclose(health.dimension_deviations, rows.std(axis=0, dtype=np.float64), atol=1e-6)
    assert health.zero_rows.tolist() == np.flatnonzero(~rows.any(axis=1)).tolist()


@pytest.mark.parametrize("times", [20, 1e6, 1e30])
def test_a_row_far_longer_than_all_others_is_unlike_them(times):
    rows = np.random.RandomState(0).normal(0, 1, (40, 6)).astype(np.float32)
    rows[3] *= np.float32(times)
    assert examine(source_of(rows)).far_rows.tolist() == [3]
    assert examine(source_of(np.ones((40, 6)))).far_rows.tolist() == []


@given(ROWS, st.booleans())
def test_the_mean_cosine_is_that_of_all_pairs(rows, broken):
    if broken:
        rows[-1, 0] = np.nan
    directed = rows[np.isfinite(rows).all(axis=1) & rows.any(axis=1)].astype(np.float64)
    units = directed / np.linalg.norm(directed, axis=1, keepdims=True)
    pairs = (units @ units.T)[np.triu_indices(len(units), 1)]
    mean_cosine = examine(source_of(rows)).mean_cosine
    assert (
        mean_cosine is None if not len(pairs) else np.isclose(mean_cosine, pairs.mean(), atol=1e-6)
    )


@given(ROWS)
def test_the_effective_rank_follows_the_singular_values(rows):
    values = np.linalg.svd(rows - rows.mean(axis=0, dtype=np.float64), compute_uv=False)
    assume(values.max() > 1e-3)  # below it, little more than rounding is left
    shares = values[values > values.max() * 1e-7] / values.sum()
    expected = np.exp(-(shares * np.log(shares)).sum())
    assert np.isclose(examine(source_of(rows)).effective_rank, expected, rtol=1e-2)


def test_equal_rows_have_no_rank():
    for row in ([1, 1, 1], [0.1, 1e-7, 33.3], [1e20, 3e38, -3e38]):
        same = examine(source_of(np.tile(np.array(row, np.float32), (5000, 1))))
        assert same.effective_rank is None
        assert same.first_direction_share is None


@pytest.mark.parametrize("offset", [0, 1000, 100_000])
def test_an_offset_common_to_all_rows_costs_no_digits(offset):
    rows = np.random.RandomState(0).standard_normal((3000, 4)) * [8, 1, 1, 1] + offset
    rows = rows.astype(np.float32)
    centred = rows.astype(np.float64)
    centred -= centred.mean(axis=0)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2
    health = examine(source_of(rows))
    assert np.isclose(health.first_direction_share, variances[0] / variances.sum(), rtol=1e-9)
    assert np.allclose(health.dimension_deviations, centred.std(axis=0), rtol=1e-9)


def _with_some_broken(rows):
    rows[5, 3], rows[700, 0], rows[-1] = np.nan, np.inf, -np.inf
    return rows


# What float32 cannot tell must be found out, and be done in float64.
LARGE = {
    "of full rank": (lambda draws: draws, True),
    "with a row or two that are not finite": (_with_some_broken, True),
    "with a dimension that is always the same": (lambda draws: draws * (np.arange(40) > 0), True),
    "with an offset": (lambda draws: draws + 1000, True),
    "tiny": (lambda draws: draws * 1e-15, True),
    "of falling deviations": (lambda draws: draws * 0.9 ** np.arange(40), True),
    "of rank 3": (lambda draws: draws[:, :3] @ draws[:3], False),
    "of two equal dimensions": (lambda draws: draws[:, [0, *range(39)]], False),
    "with one huge dimension": (lambda draws: draws * ([1e8] + [1] * 39), False),
    "denormal": (lambda draws: draws * 1e-41, False),
    "at the end of float32": (lambda draws: draws * 1e37, False),
    "of equal rows": (lambda draws: draws[:1] + 0 * draws, False),
}


@pytest.mark.parametrize("kind", LARGE)
@pytest.mark.parametrize("seed", range(3))
def test_a_large_table_has_the_rank_and_the_spread_of_float64(kind, seed, monkeypatch):
    make, in_float32 = LARGE[kind]
    draws = np.random.RandomState(seed).standard_normal((3000, 40))
    rows = make(draws).astype(np.float32)
    centred = rows[np.isfinite(rows).all(axis=1)].astype(np.float64)
    deviations = centred.std(axis=0)
    centred -= centred.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False)
    monkeypatch.setattr(moments, "_WORTH_FLOAT32", 0)
    asked = []
    honest = moments._in_float64
    monkeypatch.setattr(moments, "_in_float64", lambda *rest: asked.append(1) or honest(*rest))
    health = examine(source_of(rows))
    assert bool(asked) is not in_float32
    if kind == "of equal rows":
        assert health.effective_rank is None
        return
    shares = values[values > values.max() * 1e-7] / values.sum()
    rank = np.exp(-(shares * np.log(shares)).sum())
    assert np.isclose(health.effective_rank, rank, rtol=1e-5)
    share = (values[0] / np.linalg.norm(values)) ** 2
    assert np.isclose(health.first_direction_share, share, rtol=1e-6)
    variances = (values / np.linalg.norm(values)) ** 2
    assert np.isclose(health.participation_ratio, 1 / (variances @ variances), rtol=1e-6)
    assert np.allclose(health.dimension_deviations, deviations, rtol=1e-6, atol=0)


def test_rows_of_round_numbers_have_hashes_of_their_own():
    for width in (7, 64):
        for rows in (
            np.concatenate([size * np.eye(width) for size in (1, 2, 0.5, -1, 256)]),
            np.where(np.random.RandomState(0).rand(3000, width) < 0.5, -1, 1),
        ):
            rows = np.unique(rows.astype(np.float32), axis=0)
            assert len(np.unique(health._hashes(rows))) == len(rows)


def test_more_dimensions_than_a_square_matrix_can_hold():
    rows = np.random.RandomState(0).standard_normal((3, 20_000)).astype(np.float32)
    values = np.linalg.svd(rows - rows.mean(axis=0, dtype=np.float64), compute_uv=False)[:2]
    shares = values / values.sum()
    tracemalloc.start()
    health = examine(source_of(rows))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isclose(health.effective_rank, np.exp(-(shares * np.log(shares)).sum()))
    assert peak < 20 * rows.nbytes


@pytest.mark.parametrize("size", [1e20, 3e38, 1e-41])
def test_lengths_near_the_ends_of_float32_have_a_histogram(size):
    for rows in (np.full((4, 2), size), np.full((4, 2), size) * [[1], [0.5], [0.1], [0.7]]):
        health = examine(source_of(rows.astype(np.float32)))
        counts, edges = health.histogram.counts, health.histogram.edges
        assert sum(counts) == 4
        assert list(edges) == sorted(edges)
        assert edges[0] >= 0
        assert not len(health.infinite_rows)
        assert np.isclose(health.norms.largest, size * np.sqrt(2), rtol=1e-3)


@given(ROWS, st.data())
def test_duplicates_equal_a_search_by_brute_force(rows, data):
    rows = rows[data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=2, max_size=12))]
    first: dict[bytes, int] = {}
    expected = [
        (row, of)
        for row in range(len(rows))
        if (of := first.setdefault(rows[row].tobytes(), row)) != row and rows[row].any()
    ]
    health = examine(source_of(rows))
    pairs = zip(health.duplicate_rows.tolist(), health.duplicate_of.tolist(), strict=True)
    assert list(pairs) == expected


def test_broken_rows_are_named_and_count_nowhere_else():
    rows = np.random.RandomState(0).standard_normal((50, 4)).astype(np.float32)
    sound = examine(source_of(rows[:46]))
    rows[46:] = 0
    rows[47, 1], rows[48, 2] = np.nan, np.inf
    rows[49] = [np.inf, np.nan, 0, 0]
    broken = examine(source_of(rows))
    assert broken.zero_rows.tolist() == [46]
    assert broken.nan_rows.tolist() == [47, 49]
    assert broken.infinite_rows.tolist() == [48]
    assert np.isclose(broken.mean * 47, sound.mean * 46)


def test_a_matrix_without_a_finite_row():
    everything = examine(source_of(np.full((2, 2), np.nan)))
    assert everything.norms is None
    assert everything.histogram.counts == ()


def test_a_row_that_is_unlike_all_others():
    rows = np.random.RandomState(0).standard_normal((500, 8)).astype(np.float32)
    assert not len(examine(source_of(rows)).far_rows)
    rows[77] *= 40
    assert examine(source_of(rows)).far_rows.tolist() == [77]


def test_blocks_give_what_the_whole_gives(monkeypatch):
    rows = np.random.RandomState(0).standard_normal((100, 5)).astype(np.float32)
    rows[90] = rows[3]
    whole = examine(source_of(rows))
    monkeypatch.setattr(moments, "_BLOCK", 35)
    blocks = examine(source_of(rows))
    assert np.isclose(whole.effective_rank, blocks.effective_rank)
    assert blocks.duplicate_rows.tolist() == [90]
    monkeypatch.setattr(moments, "MOST_DIMENSIONS", 4)
    wide = examine(source_of(rows))
    assert wide.effective_rank is None
    assert np.allclose(wide.dimension_deviations, whole.dimension_deviations)
