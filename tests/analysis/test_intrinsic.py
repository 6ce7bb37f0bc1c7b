"""The intrinsic numbers of a matrix: each against its formula, written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedinspect.analysis import moments
from embedinspect.analysis.health import examine
from embedinspect.formats.contents import Contents
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.source import Source
from embedinspect.stored_rows import StoredRows, from_bfloat16
from tests.builders import source_of

MANY = settings(max_examples=250)


@st.composite
def matrices(draw):
    """Few rows or many, wide or narrow, far from the origin, tiny, huge, equal, zero or broken.

    All hangs on one seed: choices that are drawn one by one hardly vary from example to example.
    """
    stream = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    shape = stream.randint(1, 10, 2)
    whole = stream.rand() < 0.5  # and so of low rank, with equal rows among them
    rows = stream.randint(-2, 3, shape) if whole else stream.standard_normal(shape)
    rows = rows * stream.choice([1, 1, 1, 1e-30, 1e-41, 1e30])
    rows += stream.choice([0, 0, 1000, -(2.0**23)])
    kind = stream.choice(["free", "free", "constant", "a zero row", "a NaN row"])
    if kind == "constant":
        rows[:] = rows[0]
    elif kind != "free":
        rows[stream.randint(shape[0])] = 0 if kind == "a zero row" else np.nan
    return rows.astype(np.float32)


def singular_values(rows):
    """Return the singular values of the centred finite rows, without those that are rounding."""
    finite = rows[np.isfinite(rows).all(axis=1)].astype(np.longdouble)
    if not len(finite):
        return np.empty(0)
    centred = finite - finite.mean(axis=0)
    centred[:, (finite == finite[0]).all(axis=0)] = 0
    size = float(np.abs(centred).max())
    if not size:
        return np.empty(0)
    values = np.linalg.svd((centred / size).astype(np.float64), compute_uv=False)
    return values[values > values.max() * 1e-7]


def by_roy_and_vetterli(values):
    shares = values / values.sum()
    return np.exp(-np.sum(shares * np.log(shares)))


def agrees(rows, health):
    """Whether the numbers about directions are those of the formulas."""
    values = singular_values(rows)
    if not len(values):
        assert health.effective_rank is health.participation_ratio is None
        assert health.first_direction_share is health.directions_for_90_percent is None
        return
    variances = values**2 / np.sum(values**2)
    assert np.isclose(health.effective_rank, by_roy_and_vetterli(values), rtol=1e-4)
    assert np.isclose(health.participation_ratio, 1 / np.sum(variances**2), rtol=1e-6)
    assert np.isclose(health.first_direction_share, variances[0], rtol=1e-6)
    count = health.directions_for_90_percent
    assert variances[:count].sum() > 0.9 - 1e-6
    assert variances[: count - 1].sum() < 0.9 + 1e-6


@MANY
@given(matrices())
def test_rank_and_variance_are_those_of_their_formulas(rows):
    health = examine(source_of(rows))
    finite = int(np.isfinite(rows).all(axis=1).sum())
    assert health.most_directions == max(0, min(rows.shape[1], finite - 1))
    agrees(rows, health)
    if health.effective_rank is not None:
        assert health.effective_rank < health.most_directions + 1e-4
        # So that the two sentences never contradict: a share of s leaves at most 1 / s^2.
        assert 1 <= health.participation_ratio <= health.first_direction_share**-2 + 1e-9


@MANY
@given(matrices())
def test_the_mean_cosine_is_that_of_all_pairs_however_long_the_rows(rows):
    finite = rows[np.isfinite(rows).all(axis=1) & rows.any(axis=1)].astype(np.longdouble)
    health = examine(source_of(rows))
    if len(finite) < 2:
        assert health.mean_cosine is health.random_mean_cosine_deviation is None
        return
    units = finite / np.sqrt((finite**2).sum(axis=1, keepdims=True))
    cosines = [a @ b for place, a in enumerate(units) for b in units[:place]]
    assert np.isclose(health.mean_cosine, float(np.mean(cosines)), atol=1e-6)
    assert -1 <= health.mean_cosine <= 1


@pytest.mark.parametrize("count", [2, 3, 30])
@pytest.mark.parametrize("width", [1, 2, 50])
def test_random_directions_have_the_cosines_that_are_said_of_them(count, width):
    draws = np.random.RandomState(0).standard_normal((2000, count, width))
    units = draws / np.linalg.norm(draws, axis=2, keepdims=True)
    pairs = np.einsum("tid,tjd->tij", units, units)[:, *np.triu_indices(count, 1)]
    health = examine(source_of(draws[0]))
    assert np.isclose(health.random_cosine_deviation, pairs.std(), rtol=0.05)
    assert np.isclose(health.random_mean_cosine_deviation, pairs.mean(axis=1).std(), rtol=0.06)
    assert abs(pairs.mean()) < 0.03


@MANY
@given(matrices(), st.sampled_from(["float16", "bfloat16"]))
def test_rows_that_are_stored_in_half_are_measured_as_what_they_hold(rows, dtype):
    if dtype == "float16":
        with np.errstate(over="ignore"):
            stored = StoredRows(rows.astype(np.float16), rows.shape)
    else:
        stored = StoredRows((rows.view(np.uint32) >> 16).astype(np.uint16), rows.shape,
                            from_bfloat16)  # fmt: skip
    source = Source("made", Contents("made", stored), EmbeddingMatrix(stored, "made"))
    health, whole = examine(source), np.asarray(stored)
    agrees(whole, health)
    assert health.mean_cosine == examine(source_of(whole)).mean_cosine


@pytest.mark.parametrize("shape", [(20, 50), (50, 50), (51, 50), (2, 3)])
def test_no_more_rows_than_dimensions_are_multiplied_with_each_other(shape, monkeypatch):
    rows = np.random.RandomState(0).standard_normal(shape).astype(np.float32)
    sizes = []
    honest = np.linalg.eigvalsh
    monkeypatch.setattr(np.linalg, "eigvalsh", lambda a: sizes.append(len(a)) or honest(a))
    agrees(rows, examine(source_of(rows)))
    assert sizes == [min(shape)]


def test_a_share_that_is_held_exactly_needs_no_direction_more():
    rows = np.concatenate([np.eye(10), -np.eye(10)]).astype(np.float32)
    assert examine(source_of(rows)).directions_for_90_percent == 9
    assert moments.Moments(3, np.zeros(2), np.ones(2), None).directions_for(0.9) is None
