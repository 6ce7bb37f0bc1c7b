"""Projections: against NumPy's singular values and scikit-learn's PCA, on any rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from embedinspect.analysis import projection
from embedinspect.analysis.projection import End, across, along, neighbors_kept, principal
from embedinspect.errors import DataError
from embedinspect.stored_rows import StoredRows

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9)
NUMBERS = st.floats(-100, 100, width=32)
ROWS = SHAPES.flatmap(lambda shape: arrays.arrays(np.float32, shape, elements=NUMBERS))


def drawn(rows: int, width: int, seed: int = 0) -> np.ndarray:
    random = np.random.RandomState(seed)
    scales = np.linspace(3, 1, width)
    return (random.standard_normal((rows, width)) * scales + 5).astype(np.float32)


def all_of(rows: np.ndarray) -> np.ndarray:
    return np.arange(len(rows))


def singular_shares(rows: np.ndarray) -> np.ndarray:
    wide = rows.astype(np.float64)
    values = np.linalg.svd(wide - wide.mean(axis=0), compute_uv=False) ** 2
    return np.append(values / values.sum(), 0)[:2]


@pytest.mark.parametrize("shape", [(200, 7), (9, 40), (50, 50), (30, 2), (2, 5)])
def test_pca_is_that_of_scikit_learn_and_of_numpy(shape):
    rows = drawn(*shape)
    made = principal(rows, all_of(rows))
    oracle = PCA(2, svd_solver="full").fit(rows.astype(np.float64))
    known = oracle.explained_variance_ratio_ > 1e-12
    assert made.shares == pytest.approx(oracle.explained_variance_ratio_, abs=1e-12)
    assert made.shares == pytest.approx(singular_shares(rows), abs=1e-12)
    assert made.seen == pytest.approx(sum(made.shares))
    assert made.matrix.T[known] == pytest.approx(oracle.components_[known], abs=1e-9)
    expected = oracle.transform(rows.astype(np.float64))
    points = made.points(rows, all_of(rows))
    assert points[:, known] == pytest.approx(expected[:, known], abs=1e-8)
    assert (points[:, ~known] == 0).all()  # no direction is made of rounding


@given(ROWS)
def test_shares_are_those_of_the_singular_values(rows):
    assume((rows != rows[0]).any())
    made = principal(rows, all_of(rows))
    assert made.shares == pytest.approx(singular_shares(rows), abs=1e-6)
    points = made.points(rows, all_of(rows))
    total = ((rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)) ** 2).sum()
    assert (points**2).sum() / total == pytest.approx(made.seen, abs=1e-6)


def test_rows_are_taken_a_part_at_a_time_and_in_any_order(monkeypatch):
    rows = drawn(300, 6)
    some = np.random.RandomState(1).permutation(300)[:200]
    whole = principal(rows[some], all_of(some))
    monkeypatch.setattr(projection, "_NUMBERS_AT_ONCE", 50)
    stored = StoredRows(rows.astype(np.float16), rows.shape)
    for source in (rows, stored):
        made = principal(source, some)
        expected = whole if source is rows else principal(np.asarray(stored)[some], all_of(some))
        assert made.shares == pytest.approx(expected.shares, abs=1e-12)
        assert made.points(source, some) == pytest.approx(
            expected.points(source[some], all_of(some)), abs=1e-9
        )


def test_a_large_offset_costs_no_digits():
    rows = (np.random.RandomState(0).randint(0, 50, (200, 3)) + 2**20).astype(np.float32)
    near = rows - 2**20
    assert principal(rows, all_of(rows)).shares == pytest.approx(
        principal(near, all_of(rows)).shares, abs=1e-12
    )


def test_numbers_of_any_size_have_their_spread():
    rows = drawn(40, 5)
    expected = principal(rows, all_of(rows)).shares
    for size in (1e-36, 1e33):
        scaled = rows * np.float32(size)
        assert principal(scaled, all_of(rows)).shares == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("rows", [[[1, 2]], [[0.1, 0.3]] * 7, []])
def test_rows_without_spread_are_refused(rows):
    matrix = np.array(rows, np.float32).reshape(len(rows), 2)
    with pytest.raises(DataError, match="no direction of spread"):
        principal(matrix, all_of(matrix))


def test_rows_on_a_line_have_one_direction():
    rows = np.outer(np.arange(5), [3, 4]).astype(np.float32)
    made = principal(rows, all_of(rows))
    assert made.shares == (pytest.approx(1), 0)
    assert made.points(rows, all_of(rows)).tolist() == [
        [pytest.approx(x), 0] for x in (-10, -5, 0, 5, 10)
    ]
    narrow = rows[:, :1]
    assert principal(narrow, all_of(narrow)).shares == (pytest.approx(1), 0)


def test_directions_that_are_not_decided_are_told():
    square = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
    assert principal(square, all_of(square)).undecided
    cube = np.eye(3, dtype=np.float32) * [3, 1, 1]
    assert principal(np.vstack([cube, -cube]).astype(np.float32), np.arange(6)).undecided
    rows = drawn(40, 5)
    assert not principal(rows, all_of(rows)).undecided


def test_an_axis_goes_from_0_to_1_and_the_other_is_the_greatest_spread_at_a_right_angle():
    rows = drawn(60, 5)
    ends = End(rows[:3].mean(axis=0, dtype=np.float64), rows[3:5].mean(axis=0, dtype=np.float64))
    made = along(rows, all_of(rows), ends)
    points = made.points(rows, all_of(rows))
    length = np.linalg.norm(ends.high - ends.low)
    unit = (ends.high - ends.low) / length
    assert points[:, 0] == pytest.approx((rows - ends.low) @ unit / length, abs=1e-12)
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    flat = centred - np.outer(centred @ unit, unit)
    oracle = PCA(1, svd_solver="full").fit(flat)
    assert made.matrix[:, 1] * length == pytest.approx(oracle.components_[0], abs=1e-9)
    assert points[:, 1] * length == pytest.approx(flat @ oracle.components_[0], abs=1e-9)
    total = (centred**2).sum()
    assert made.shares[0] == pytest.approx(((centred @ unit) ** 2).sum() / total)
    assert made.shares[1] == pytest.approx(
        oracle.explained_variance_ratio_[0] * (flat**2).sum() / total
    )
    assert made.seen == pytest.approx(sum(made.shares))


def test_two_axes_have_their_angle_and_the_share_of_their_plane():
    rows = drawn(60, 5)
    first, second = End(rows[0].astype(float), rows[1].astype(float)), End(np.zeros(5), np.ones(5))
    made, angle = across(rows, all_of(rows), first, second)
    points = made.points(rows, all_of(rows))
    assert points[0, 0] == pytest.approx(0, abs=1e-12)
    assert points[1, 0] == pytest.approx(1, abs=1e-12)
    assert points[:, 1] == pytest.approx(rows.astype(np.float64).sum(axis=1) / 5)
    directions = np.array([first.high - first.low, second.high - second.low])
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    assert angle == pytest.approx(np.degrees(np.arccos(units[0] @ units[1])))
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    plane = np.linalg.qr(units.T)[0]
    expected = ((centred @ plane) ** 2).sum() / (centred**2).sum()
    assert made.seen == pytest.approx(expected)
    assert made.seen <= sum(made.shares) or angle > 90


def test_an_axis_given_twice_is_one_line():
    rows = drawn(30, 4)
    ends = End(np.zeros(4), np.ones(4))
    made, angle = across(rows, all_of(rows), ends, ends)
    assert angle == pytest.approx(0, abs=1e-5)
    assert made.seen == pytest.approx(made.shares[0])


def test_the_share_of_other_rows_in_the_same_plane():
    rows, others = drawn(60, 5), drawn(60, 5, seed=3)
    made = principal(rows, all_of(rows))
    assert made.share_of(rows, all_of(rows)) == pytest.approx(made.seen)
    centred = others.astype(np.float64) - others.mean(axis=0, dtype=np.float64)
    expected = ((centred @ made.matrix) ** 2).sum() / (centred**2).sum()
    assert made.share_of(others, all_of(others)) == pytest.approx(expected)
    assert made.share_of(np.ones_like(rows), all_of(rows)) == 0


def nearest_of(rows: np.ndarray, k: int) -> list[set[int]]:
    order = NearestNeighbors(n_neighbors=k + 1).fit(rows).kneighbors(rows)[1]
    return [set(line.tolist()) - {place} for place, line in enumerate(order)]


def test_neighbors_that_are_kept_are_those_of_scikit_learn():
    rows = drawn(400, 12)
    points = principal(rows, all_of(rows)).points(rows, all_of(rows))
    pairs = zip(nearest_of(rows.astype(float), 10), nearest_of(points, 10), strict=True)
    expected = np.mean([len(there & here) / 10 for there, here in pairs])
    kept, asked = neighbors_kept(rows, all_of(rows), points)
    assert (kept, asked) == (pytest.approx(expected), 400)
    assert neighbors_kept(rows, all_of(rows), rows.astype(np.float64))[0] == 1
    assert neighbors_kept(rows[:20], np.arange(20), points[:20]) is None
