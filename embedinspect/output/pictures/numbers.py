"""The numbers of a picture, as a table: for whoever cannot see it, or wants to read it off."""

from __future__ import annotations

from embedinspect.page import Column, Table
from embedinspect.pictures import Curves, Scatter

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
    columns = [
        Column("row", [scatter.rows[place] for place in places], "id"),
        Column("word", [scatter.names[place] for place in places]),
        Column(scatter.x_name or "x", [float(scatter.points[p][0]) for p in places], "number"),
        Column(scatter.y_name or "y", [float(scatter.points[p][1]) for p in places], "number"),
    ]
    return Table(scatter.title, columns, more=len(scatter.names) - len(places))
