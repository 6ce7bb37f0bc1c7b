"""Rows seen in two dimensions: along the directions of greatest spread, or along chosen ones.

All of it is exact, in float64, and holds no random numbers. Rows are taken a part at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.analysis.leading import leading_eigenvectors
from embedinspect.errors import DataError
from embedinspect.matrix import parts_of
from embedinspect.stored_rows import Vectors

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

# Of the spread along the first direction; a smaller one is left of rounding.
_ROUNDING = 1e-14
# Spreads that are closer than this, relative to the larger one, leave the directions open.
_SAME = 1e-9
_NUMBERS_AT_ONCE = 2**20


@dataclass(frozen=True)
class Projection:
    """How rows become points: `(row - middle) @ matrix + offset`.

    Attributes:
        middle: the mean of the rows that it was made of, shape (output_dim,).
        matrix: shape (output_dim, 2).
        offset: of the points, shape (2,).
        shares: the share of the variance of these rows along each axis.
        seen: the share of their variance in the plane of both axes: the sum of the two where these
            are orthogonal.
        undecided: whether other directions have the same spread, so that the picture is one of
            many that are as good.
    """

    middle: Doubles
    matrix: Doubles
    offset: Doubles
    shares: tuple[float, float]
    seen: float
    undecided: bool = False

    def points(self, rows: Vectors, among: Rows) -> Doubles:
        """Return where some of the rows are, float64, shape (rows, 2)."""
        points = np.empty((len(among), 2))
        for start, part in _parts(rows, among):
            points[start : start + len(part)] = (part - self.middle) @ self.matrix + self.offset
        return points

    def share_of(self, rows: Vectors, among: Rows) -> float:
        """Return the share of the variance of some other rows that lies in the plane."""
        cloud = _Cloud.of(rows, among)
        return cloud.share(_orthonormal(self.matrix)) if cloud.total else 0.0


@dataclass(frozen=True)
class End:
    """The two ends of a direction, as points in the space of the rows."""

    low: Doubles
    high: Doubles


def principal(rows: Vectors, among: Rows) -> Projection:
    """Return the projection on the two directions of greatest spread (PCA).

    A direction is turned so that its largest number is positive, as scikit-learn's PCA has it.

    Raises:
        DataError: no two of the rows differ.
    """
    cloud = _spread_out(rows, among)
    spreads, directions = cloud.leading(2)
    shares = spreads / cloud.total
    return Projection(
        middle=cloud.middle,
        matrix=directions.T,
        offset=np.zeros(2),
        shares=(float(shares[0]), float(shares[1])),
        seen=min(1.0, float(shares[:2].sum())),
        undecided=_undecided(spreads),
    )


def along(rows: Vectors, among: Rows, ends: End) -> Projection:
    """Return the projection on a direction, and on that of greatest spread at a right angle to it.

    The first number of a point is its position: 0 at the low end and 1 at the high one. The second
    has the same unit, and is 0 at the mean of the rows.

    Raises:
        DataError: no two of the rows differ.
    """
    cloud = _spread_out(rows, among)
    length, first = _direction(ends)
    spreads, directions = cloud.without(first).leading(1)
    start = float((cloud.middle - ends.low) @ first) / length
    matrix = np.column_stack([first, directions[0]]) / length
    share, second = cloud.share(first[None]), float(spreads[0] / cloud.total)
    return Projection(
        middle=cloud.middle,
        matrix=matrix,
        offset=np.array([start, 0.0]),
        shares=(share, second),
        seen=min(1.0, share + second),
        undecided=_undecided(spreads),
    )


def across(rows: Vectors, among: Rows, first: End, second: End) -> tuple[Projection, float]:
    """Return the projection on two directions, and the angle between these in degrees.

    The numbers of a point are its positions on each: 0 at the low end, 1 at the high one.

    Raises:
        DataError: no two of the rows differ.
    """
    cloud = _spread_out(rows, among)
    (length_x, x), (length_y, y) = _direction(first), _direction(second)
    apart = np.array([(cloud.middle - first.low) @ x, (cloud.middle - second.low) @ y])
    projection = Projection(
        middle=cloud.middle,
        matrix=np.column_stack([x / length_x, y / length_y]),
        offset=apart / [length_x, length_y],
        shares=(cloud.share(x[None]), cloud.share(y[None])),
        seen=cloud.share(_orthonormal(np.column_stack([x, y]))),
    )
    return projection, float(np.degrees(np.arccos(np.clip(x @ y, -1, 1))))


def _direction(ends: End) -> tuple[float, Doubles]:
    apart = ends.high - ends.low
    length = float(np.linalg.norm(apart))
    return length, apart / length


def _orthonormal(columns: Doubles) -> Doubles:
    """Return orthonormal rows that span the same plane; fewer where it is a line."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    kept: Doubles = left[:, sizes > sizes.max() * 1e-9].T
    return kept


def _undecided(spreads: Doubles) -> bool:
    """Return whether one of the directions that are shown has a spread that the next one has, too.

    Args:
        spreads: those of the directions that are shown, and of one more; the largest first.
    """
    larger = spreads[:-1]
    return bool(np.any((larger > 0) & (larger - spreads[1:] < _SAME * larger)))


def _spread_out(rows: Vectors, among: Rows) -> _Cloud:
    cloud = _Cloud.of(rows, among)
    if not cloud.total:
        equal = f"all {len(among):,} rows to draw are equal"
        what = ("there is no row to draw", "there is one row to draw", equal)[min(len(among), 2)]
        raise DataError(
            f"{what}, so there is no direction of spread; expected two finite rows that differ"
        )
    return cloud


@dataclass(frozen=True)
class _Cloud:
    """Rows about their mean.

    Attributes:
        first: one of the rows, from which all are measured, so that equal rows are exactly so.
        shift: what their mean is apart from that row.
        total: the sum of the squares of all distances from the mean.
        flat: a unit vector along which the rows are pressed flat; None for none.
    """

    rows: Vectors
    among: Rows
    first: Doubles
    shift: Doubles
    total: float = 0.0
    flat: Doubles | None = None

    @staticmethod
    def of(rows: Vectors, among: Rows) -> _Cloud:
        width = rows.shape[1]
        if not len(among):
            return _Cloud(rows, among, np.zeros(width), np.zeros(width))
        first = rows[int(among[0])].astype(np.float64)
        total = np.zeros(width)
        for _, part in _parts(rows, among):
            total += (part - first).sum(axis=0)
        cloud = _Cloud(rows, among, first, total / len(among))
        spread = sum(float(np.vdot(part, part)) for part in cloud.parts())
        return _Cloud(rows, among, first, cloud.shift, spread)

    def without(self, direction: Doubles) -> _Cloud:
        """Return the rows pressed flat along a direction."""
        return _Cloud(self.rows, self.among, self.first, self.shift, self.total, direction)

    @property
    def middle(self) -> Doubles:
        """The mean row."""
        return self.first + self.shift

    def parts(self) -> Iterator[Doubles]:
        """Yield the rows less their mean, a part at a time."""
        for _, part in _parts(self.rows, self.among):
            part -= self.first
            part -= self.shift
            if self.flat is not None:
                part -= np.outer(part @ self.flat, self.flat)
            yield part

    def share(self, directions: Doubles) -> float:
        """Return the share of the variance along orthonormal directions, shape (k, output_dim)."""
        within = 0.0
        for part in self.parts():
            places = part @ directions.T
            within += float(np.vdot(places, places))
        return min(1.0, within / self.total)

    def leading(self, count: int) -> tuple[Doubles, Doubles]:
        """Return the greatest spreads, one more than the count, and the directions of the count.

        A spread is the sum of the squares of all places along a direction; one that is nothing but
        rounding is 0, and its direction zeros.
        """
        width = self.rows.shape[1]
        if len(self.among) >= width:
            products = np.zeros((width, width))
            for part in self.parts():
                products += part.T @ part
            values, directions = leading_eigenvectors(products, count)
        else:  # the products of rows with each other have the same spreads, and there are fewer
            centred = np.concatenate(list(self.parts()))
            values, within = leading_eigenvectors(centred @ centred.T, count)
            directions = within @ centred
        spreads = np.zeros(count + 1)
        spreads[: len(values)] = np.where(values > _ROUNDING * self.total, values, 0)
        oriented = np.zeros((count, width))
        for place, direction in enumerate(directions):
            if spreads[place]:
                largest = direction[np.argmax(np.abs(direction))]
                oriented[place] = direction / np.copysign(np.linalg.norm(direction), largest)
        return spreads, oriented


def _parts(rows: Vectors, among: Rows) -> Iterator[tuple[int, Doubles]]:
    """Yield some of the rows in float64, a part at a time; those in a row are not looked up."""
    if len(among) and int(among[-1]) - int(among[0]) == len(among) - 1 and _rising(among):
        first = int(among[0])
        for start, part in parts_of(rows, _NUMBERS_AT_ONCE, first, first + len(among)):
            yield start - first, part.astype(np.float64)
        return
    step = max(1, _NUMBERS_AT_ONCE // rows.shape[1])
    for start in range(0, len(among), step):
        yield start, rows[among[start : start + step]].astype(np.float64)


def _rising(among: Rows) -> bool:
    return bool(np.all(np.diff(among) > 0))


def neighbors_kept(
    rows: Vectors, among: Rows, points: Doubles, nearest: int = 10
) -> tuple[float, int] | None:
    """Return how much of what is near is near in the picture, too, and of how many rows that is.

    It is the mean share of the nearest rows by Euclidean distance that are among as many nearest
    points; chance alone gives about `nearest / len(among)`. It is measured for rows that are evenly
    spaced among all. None where there are too few rows to ask.
    """
    count = len(among)
    if count <= 2 * nearest:
        return None
    asked = np.unique(np.linspace(0, count - 1, _queries(count)).astype(np.int64))
    shares: list[float] = []
    step = max(1, 2**22 // count)
    for start in range(0, len(asked), step):
        block = asked[start : start + step]
        there = _nearest(_distances(rows, among, block), block, nearest)
        here = _nearest(_distances(points, np.arange(count), block), block, nearest)
        both = [len(np.intersect1d(a, b)) for a, b in zip(there, here, strict=True)]
        shares += [same / nearest for same in both]
    return float(np.mean(shares)), len(asked)


def _queries(count: int) -> int:
    return min(count, max(50, min(1000, 2**22 // count)))


def _distances(rows: Any, among: Rows, asked: Rows) -> Doubles:
    """Return the squared distances of some rows from all, less what is the same for all."""
    queries = rows[among[asked]].astype(np.float64)
    middle = queries.mean(axis=0)
    queries -= middle
    distances = np.empty((len(asked), len(among)))
    for start, part in _parts(rows, among):
        part -= middle
        here = distances[:, start : start + len(part)]
        np.subtract(np.vecdot(part, part), 2 * (queries @ part.T), out=here)
    return distances


def _nearest(distances: Doubles, asked: Rows, nearest: int) -> Sequence[Rows]:
    distances[np.arange(len(asked)), asked] = np.inf
    order: Rows = np.argpartition(distances, nearest, axis=1)[:, :nearest]
    return list(order)
