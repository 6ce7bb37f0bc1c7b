"""The mean row, and how the rows vary about it: in each dimension, and along each direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.matrix import IN_CACHE, in_halves, parts_of
from embedinspect.stages import stage
from embedinspect.stored_rows import FloatArray, Vectors

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]
Truths = np.ndarray[Any, np.dtype[np.bool_]]

MOST_DIMENSIONS = 4096
_BLOCK = 2**20  # numbers that are multiplied with each other at once, or more where rows are wide
_WORTH_FLOAT32 = 2**34  # multiplications; float64 takes a fraction of a second for fewer
_TILE = 1024
# Rows whose products float32 adds up: fewer are multiplied slowly, of more the sums are off.
_ROWS_AT_ONCE = 1024
_CENTRED_AT_ONCE = 2**21  # numbers
_STAGE = "how they vary"
# By how many random vectors products in float32 are checked; how much larger their error may be
# than these show, which see it nearly whole, as it is noise; and what it may change in the entropy.
_TRIED, _SAFETY, _TOLERANCE = 2, 4.0, 1e-5
_ROUNDING = 1e-9  # by which a sum of shares may miss what it should be


@dataclass(frozen=True)
class Moments:
    """How rows vary.

    Attributes:
        count: how many rows there are, of those that are finite.
        mean: their mean row, shape (output_dim,).
        variances: the variance in each dimension, shape (output_dim,).
        directions: the squares of the singular values of the centred rows, that is, how much they
            vary along each of their principal directions; those that are rounding are left out.
            None where no row differs, and where there are more than 4,096 of both rows and
            dimensions. Their shares are the squares of the singular values as shares of the sum.
    """

    count: int
    mean: Doubles
    variances: Doubles
    directions: Doubles | None

    @property
    def most_directions(self) -> int:
        """How many directions so many rows of that width can vary along: centring takes one."""
        return min(len(self.mean), max(0, self.count - 1))

    @property
    def effective_rank(self) -> float | None:
        """The exp of the entropy of the singular values, each divided by their sum.

        Source: Roy & Vetterli 2007, "The effective rank: a measure of effective dimensionality".
        """
        return None if self.directions is None else float(np.exp(_entropy(self.directions)))

    @property
    def participation_ratio(self) -> float | None:
        """One divided by the sum of the squared shares of variance along all directions.

        It is k where k directions have the variance in even shares. Source: Gao et al. 2017, "A
        theory of multineuronal dimensionality, dynamics and measurement"; it is the inverse of
        Simpson's index (1949) of these shares.
        """
        if self.directions is None:
            return None
        shares = self.directions / self.directions.sum()
        return float(1 / (shares @ shares))

    @property
    def first_share(self) -> float | None:
        """The share of the variance that lies along the first direction."""
        values = self.directions
        return None if values is None else float(values.max() / values.sum())

    def directions_for(self, share: float) -> int | None:
        """Return how many directions, the strongest first, hold such a share of the variance."""
        if self.directions is None:
            return None
        held = np.cumsum(np.sort(self.directions)[::-1])
        return int(np.searchsorted(held, held[-1] * share * (1 - _ROUNDING))) + 1


def moments_of(rows: Vectors, finite: Truths) -> Moments:
    """Return the moments of the finite rows.

    Sums are taken about a row near the middle, so that a large offset common to all rows costs no
    digits.

    A large table is multiplied in float32, which is twice as fast. The error of these products is
    measured, by what they and the rows themselves make of a few random vectors. It bounds how far
    their eigenvalues are off (Hoffman & Wielandt 1953), and with them the effective rank: where
    its first five digits are not certain, as in a table of low rank, all is done in float64. Of no
    more rows than dimensions the rows are multiplied with each other: the products are fewer, and
    have the same eigenvalues but for zeros.
    """
    width, count = rows.shape[1], int(np.count_nonzero(finite))
    middle = _middle(rows, finite)
    if width <= MOST_DIMENSIONS and count > width and count * width**2 > _WORTH_FLOAT32:
        moments = _in_float32(rows, finite, middle)
        if moments is not None:
            return moments
    return _in_float64(rows, finite, middle)


def _middle(rows: Vectors, finite: Truths) -> FloatArray:
    """Return about the mean row. It is rounded to float32: of equal rows it is that row itself."""
    sound = np.flatnonzero(finite)
    most = max(1, min(1000, 2**21 // rows.shape[1]))
    some = rows[sound[:: max(1, len(sound) // most)][:most]]
    if not len(some):
        return np.zeros(rows.shape[1], np.float32)
    middle: FloatArray = some.mean(axis=0, dtype=np.float64).astype(np.float32)
    return middle


def _in_float64(rows: Vectors, finite: Truths, middle: FloatArray) -> Moments:
    width = rows.shape[1]
    total, squares, count = np.zeros(width), np.zeros(width), 0
    few = int(np.count_nonzero(finite)) <= width
    products = None if few or width > MOST_DIMENSIONS else np.zeros((width, width))
    multiplied = stage(_STAGE, len(rows))
    for start, part in parts_of(rows, _numbers_at_once(width)):
        sound = finite[start : start + len(part)]
        centred = (part if sound.all() else part[sound]).astype(np.float64)
        centred -= middle
        count += len(centred)
        total += centred.sum(axis=0)
        if products is None:
            squares += np.einsum("ij,ij->j", centred, centred)
        else:
            products += centred.T @ centred
        multiplied(len(part))
    apart = total / max(1, count)  # of the mean and the middle
    if products is not None:
        products -= count * np.outer(apart, apart)
        squares = np.diag(products)
    else:
        squares -= count * apart**2
    moments = Moments(count, apart + middle, np.maximum(squares, 0) / max(1, count), None)
    if products is None:
        products = _products_of_rows(rows, finite, moments)
    return _with_directions(moments, products)


def _numbers_at_once(width: int) -> int:
    """Return how many numbers to multiply at once: of as many rows as dimensions, at least."""
    return max(_BLOCK, width**2) if width <= MOST_DIMENSIONS else _BLOCK


def _products_of_rows(rows: Vectors, finite: Truths, moments: Moments) -> Doubles | None:
    """Return the products of centred rows with each other; None where there are too many."""
    if moments.count > MOST_DIMENSIONS:
        return None
    sound = np.flatnonzero(finite)
    products = np.zeros((len(sound), len(sound)))
    step = max(1, 2**21 // max(1, len(sound)))
    for start in range(0, rows.shape[1], step):
        columns = slice(start, start + step)
        part = rows[sound, columns].astype(np.float64) - moments.mean[columns]
        products += part @ part.T
    return products


def _with_directions(moments: Moments, products: Doubles | None) -> Moments:
    if products is None:
        return moments
    values = np.maximum(np.linalg.eigvalsh(products), 0)
    values = values[values > values.max(initial=0) * 1e-14]  # the rest is left of rounding
    directions = values if len(values) else None
    return Moments(moments.count, moments.mean, moments.variances, directions)


def _in_float32(rows: Vectors, finite: Truths, middle: FloatArray) -> Moments | None:
    """Return the moments by way of products in float32; None where these tell too little."""
    width, count = rows.shape[1], int(np.count_nonzero(finite))
    sums = _Sums(width)
    products = np.zeros((width, width))
    at_once = max(width, _ROWS_AT_ONCE)
    step = at_once * max(1, _CENTRED_AT_ONCE // (at_once * width))
    multiplied = stage(_STAGE, len(rows))
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        for start in range(0, len(rows), step):
            centred = sums.take(rows, finite, middle, start, min(start + step, len(rows)))
            for first in range(0, len(centred), at_once):
                _add_products(products, centred[first : first + at_once])
            multiplied(len(centred))
    apart = sums.total / count
    squares = sums.squares - count * apart**2
    _mirror(products)
    products -= count * np.outer(apart, apart)
    np.fill_diagonal(products, squares)
    moments = Moments(count, apart + middle, np.maximum(squares, 0) / count, None)
    varying = squares > 0
    if not varying.any():
        return None
    expected = sums.image - count * np.outer(sums.tried @ apart, apart)
    error = _SAFETY * float(np.linalg.norm(sums.tried @ products - expected)) / _TRIED**0.5
    if not np.isfinite(error):
        return None
    within = products if varying.all() else products[np.ix_(varying, varying)]
    values = np.linalg.eigvalsh(within)
    if not _certain(values, error):
        return None
    return Moments(count, moments.mean, moments.variances, values)


class _Sums:
    """Sums over centred rows in float64, as blocks of them are made.

    Attributes:
        total: the sum of the centred rows.
        squares: the sum of their squares.
        tried: random vectors, shape (2, output_dim).
        image: what the products of dimensions make of each of these, without such products.
    """

    def __init__(self, width: int) -> None:
        self.total, self.squares = np.zeros(width), np.zeros(width)
        self.tried = np.random.RandomState(0).standard_normal((_TRIED, width))
        self.image = np.zeros((_TRIED, width))

    def take(
        self, rows: Vectors, finite: Truths, middle: FloatArray, start: int, stop: int
    ) -> FloatArray:
        """Return a block of rows less the middle, float32; those that are not finite are zeros."""
        centred = np.empty((stop - start, rows.shape[1]), np.float32)

        def centre(first: int, last: int) -> tuple[Doubles, Doubles, Doubles]:
            total, squares = np.zeros_like(self.total), np.zeros_like(self.squares)
            image = np.zeros_like(self.image)
            with np.errstate(invalid="ignore", over="ignore", under="ignore"):
                for place, part in parts_of(rows, 2 * IN_CACHE, start + first, start + last):
                    here = centred[place - start : place - start + len(part)]
                    np.subtract(part, middle, out=here)
                    here[~finite[place : place + len(part)]] = 0
                    wide = here.astype(np.float64)
                    total += wide.sum(axis=0)
                    squares += np.einsum("ij,ij->j", wide, wide)
                    for vector, sums in zip(self.tried, image, strict=True):
                        sums += (wide @ vector) @ wide
            return total, squares, image

        for total, squares, image in in_halves(stop - start, centre):
            self.total += total
            self.squares += squares
            self.image += image
        return centred


def _add_products(products: Doubles, centred: FloatArray) -> None:
    """Add the products of dimensions, tile by tile, to the tiles on and above the diagonal."""
    for top in range(0, len(products), _TILE):
        for left in range(top, len(products), _TILE):
            tile = centred[:, top : top + _TILE].T @ centred[:, left : left + _TILE]
            products[top : top + _TILE, left : left + _TILE] += tile


def _mirror(products: Doubles) -> None:
    for top in range(0, len(products), _TILE):
        for left in range(top + _TILE, len(products), _TILE):
            above = products[top : top + _TILE, left : left + _TILE]
            products[left : left + _TILE, top : top + _TILE] = above.T


def _entropy(values: Doubles) -> float:
    """Return the entropy of the roots of values, as shares of their sum."""
    shares = np.sqrt(values) / np.sqrt(values).sum()
    return float(-(shares * np.log(shares)).sum())


def _certain(values: Doubles, error: float) -> bool:
    """Return whether eigenvalues tell the effective rank, and the share of the largest.

    Args:
        values: ascending.
        error: the Frobenius norm of what was added to their matrix. The squares of the changes of
            all eigenvalues are no more than its square, in sum.
    """
    if values[0] <= 4 * error or error > _TOLERANCE * values[-1]:
        return False
    roots = np.sqrt(values)
    # By how much the entropy changes with each eigenvalue.
    slopes = (np.log(roots / roots.sum()) + _entropy(values)) / (2 * roots * roots.sum())
    return bool(error * float(np.linalg.norm(slopes)) < _TOLERANCE)
