"""The largest eigenvalues: those of NumPy, however they are found, and never others."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.analysis import leading
from embedinspect.analysis.leading import leading_eigenvectors


def symmetric(values: list[float], width: int = 150) -> np.ndarray:
    """Return a matrix with these eigenvalues, and zeros."""
    turn = np.linalg.qr(np.random.RandomState(0).standard_normal((width, width)))[0]
    wide = np.zeros(width)
    wide[: len(values)] = values
    return (turn * wide) @ turn.T


@pytest.fixture
def all_are_wide(monkeypatch):
    monkeypatch.setattr(leading, "WIDE", 0)


@pytest.mark.parametrize(
    "values",
    [
        [9, 4, 1],
        [9],
        [],
        [5, 5, 1],
        [1, 0.999_999, 0.5],
        np.linspace(2, 1, 150).tolist(),
        (1 / np.arange(1, 151)).tolist(),
        [1e30, 1e29, 1e10],
    ],
)
def test_they_are_those_of_numpy(all_are_wide, values):
    matrix = symmetric(values)
    expected, vectors = np.linalg.eigh(matrix)
    found, rows = leading_eigenvectors(matrix, 2)
    size = max([*values, 1e-300])
    assert found[:2] / size == pytest.approx(expected[::-1][:2] / size, abs=1e-9)
    assert found[2] / size == pytest.approx(expected[-3] / size, abs=1e-6)
    assert rows @ rows.T == pytest.approx(np.eye(2), abs=1e-9)
    for value, row in zip(found, rows, strict=False):
        assert matrix @ row / size == pytest.approx(value * row / size, abs=1e-9)
    if len(set(values[:3])) == len(values[:3]) > 2:
        cosines = np.abs(np.vecdot(rows, vectors.T[::-1][:2]))
        assert cosines == pytest.approx([1, 1], abs=1e-6)


def test_a_value_that_no_product_leads_to_is_not_missed(all_are_wide):
    """The columns it begins with are all in one part; the largest value is in the other."""
    matrix = np.zeros((150, 150))
    matrix[:100, :100] = symmetric(np.linspace(6, 5, 100).tolist(), 100)
    matrix[100:, 100:] = 1  # one eigenvalue of 50, on a diagonal of ones
    assert leading._by_krylov(matrix, 2) is None
    assert leading_eigenvectors(matrix, 2)[0][0] == pytest.approx(50)


def test_narrow_matrices_have_as_many_as_there_are():
    values, rows = leading_eigenvectors(np.diag([2.0, 3.0]), 2)
    assert values.tolist() == [3, 2]
    assert np.abs(rows).tolist() == [[0, 1], [1, 0]]
