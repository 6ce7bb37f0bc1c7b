"""The numbers of a picture, as a table: for whoever cannot see it, or wants to read it off."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from embedinspect.page import Column, Table
from embedinspect.pictures import Curves, Scatter, Shade

MOST_POINTS = 200


def numbers(picture: Curves | Scatter) -> Table:
    """Return what a picture is drawn from; of many points, those that are labelled first."""
    if isinstance(picture, Curves):
        return _steps(picture)
    return _points(picture)


def _steps(curves: Curves) -> Table:
    count = max((len(series.values) for series in curves.series), default=0)
    steps = Column(curves.x_name, range(curves.first, curves.first + count), "id")
    lines = [Column(series.name, series.values, "number") for series in curves.series]
    return Table(curves.title, [steps, *lines])


def _points(scatter: Scatter) -> Table:
    order = [*scatter.marked, *scatter.labels, *range(len(scatter.names))]
    places = list(dict.fromkeys(order))[:MOST_POINTS]

    def numbers_of(name: str, values: Any) -> Column:
        return Column(name, [float(values[one]) for one in places], "number")

    columns = [
        Column("row", [scatter.rows[one] for one in places], "id"),
        Column("word", [scatter.names[one] for one in places]),
        numbers_of(scatter.x_name or "x", scatter.points[:, 0]),
        numbers_of(scatter.y_name or "y", scatter.points[:, 1]),
    ]
    if scatter.before is not None:
        columns += [
            numbers_of(f"x {scatter.before_name}", scatter.before[:, 0]),
            numbers_of(f"y {scatter.before_name}", scatter.before[:, 1]),
        ]
    if scatter.shade is not None:
        columns.append(_shade(scatter.shade, places))
    return Table(scatter.title, columns, more=len(scatter.names) - len(places))


def _shade(shade: Shade, places: Sequence[int]) -> Column:
    values = [float(shade.values[one]) for one in places]
    if shade.categories:
        kinds = ["" if isnan(value) else shade.categories[int(value)] for value in values]
        return Column(shade.name, kinds)
    return Column(shade.name, [None if isnan(value) else value for value in values], "number")
