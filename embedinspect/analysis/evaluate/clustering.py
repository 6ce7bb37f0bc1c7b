"""k-means on vectors, seeded."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedinspect.analysis.evaluate.words import Doubles

Numbers = np.ndarray[Any, np.dtype[np.int64]]

_STARTS = 10
_MOST_STEPS = 100
_NUMBERS_AT_ONCE = 2**22


def cluster(points: Doubles, count: int, draw: np.random.Generator) -> Numbers:
    """Return the cluster of each point: the best of ten runs of k-means (Lloyd 1982).

    The runs begin with points that k-means++ draws (Arthur and Vassilvitskii 2007); the best is
    that with the least sum of squared distances from the centres.
    """
    best, least = np.zeros(len(points), np.int64), np.inf
    for _ in range(_STARTS):
        clusters, cost = _run(points, _first_centres(points, count, draw))
        if cost < least:
            best, least = clusters, cost
    return best


def _first_centres(points: Doubles, count: int, draw: np.random.Generator) -> Doubles:
    centres = [points[draw.integers(len(points))]]
    distances = _squares(points, centres[0])
    for _ in range(1, count):
        total = distances.sum()
        share = distances / total if total > 0 else None  # all points are centres already
        centres.append(points[draw.choice(len(points), p=share)])
        distances = np.minimum(distances, _squares(points, centres[-1]))
    return np.array(centres)


def _squares(points: Doubles, centre: Doubles) -> Doubles:
    away = points - centre
    return np.asarray(np.vecdot(away, away))


def _run(points: Doubles, centres: Doubles) -> tuple[Numbers, float]:
    clusters, distances = _assigned(points, centres)
    for _ in range(_MOST_STEPS):
        centres = _means(points, clusters, distances, len(centres))
        moved, distances = _assigned(points, centres)
        if (moved == clusters).all():
            break
        clusters = moved
    return clusters, float(distances.sum())


def _means(points: Doubles, clusters: Numbers, distances: Doubles, count: int) -> Doubles:
    """Return the mean of each cluster; an empty one takes the point farthest from its centre."""
    sums = np.zeros((count, points.shape[1]))
    np.add.at(sums, clusters, points)
    sizes = np.bincount(clusters, minlength=count)
    far = np.argsort(-distances, kind="stable").tolist()
    for empty in np.flatnonzero(sizes == 0).tolist():
        sums[empty] = points[far.pop(0)]
    return np.asarray(sums / np.maximum(sizes, 1)[:, None])


def _assigned(points: Doubles, centres: Doubles) -> tuple[Numbers, Doubles]:
    """Return the nearest centre of each point, and its squared distance."""
    clusters = np.empty(len(points), np.int64)
    distances = np.empty(len(points))
    lengths = np.vecdot(centres, centres)
    step = max(1, _NUMBERS_AT_ONCE // len(centres))
    for start in range(0, len(points), step):
        part = points[start : start + step]
        squares = lengths - 2 * (part @ centres.T)
        clusters[start : start + step] = squares.argmin(axis=1)
        away = part - centres[clusters[start : start + step]]
        distances[start : start + step] = np.vecdot(away, away)
    return clusters, distances
