"""Parts of a page as plain values that a template writes: text, classes, lengths of bars."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
from markupsafe import Markup

from embedinspect.output.cells import cell_text, column_decimals, shared_decimals
from embedinspect.output.digits import decimals_for, table_number
from embedinspect.output.pictures.numbers import numbers
from embedinspect.page import (
    Code,
    Column,
    Fact,
    Facts,
    Glossary,
    Headline,
    KeyFigures,
    Paragraph,
    Part,
    Problem,
    Reading,
    Section,
    Table,
    Tables,
    Trace,
)
from embedinspect.pictures import Curves, Heat, Scatter
from embedinspect.wording import literal

View = dict[str, Any]
HEAT_STEPS = 10
MOST_ROWS = 2000
# Vectors with more dimensions are drawn as strips, and their numbers stand in a table below.
MOST_NUMBERS = 12
_RIGHT = frozenset({"id", "number", "vector"})


@dataclass
class Numbering:
    """What is unique on a page: numbers for the ids of its elements."""

    last: int = 0

    def next(self, name: str) -> str:
        """Return an id that no other element has."""
        self.last += 1
        return f"{name}-{self.last}"


def view_of(part: Part, numbering: Numbering) -> View:
    """Return what the template of a part writes."""
    match part:
        case Headline():
            return {"kind": "headline", "text": literal(part.text), "intro": literal(part.intro)}
        case Section():
            return {"kind": "section", "text": literal(part.title), "intro": literal(part.intro)}
        case KeyFigures():
            figures = [
                {
                    "label": literal(figure.label),
                    "value": literal(figure.value),
                    "remark": literal(figure.remark),
                    "meaning": figure.meaning,
                }
                for figure in part.figures
            ]
            return {"kind": "figures", "figures": figures}
        case Paragraph():
            return {"kind": "paragraph", "text": literal(part.text), "meaning": part.meaning}
        case Table():
            return {"kind": "table", "table": table_view(part)}
        case Tables():
            tables = [table_view(table) for table in part.tables]
            return {"kind": "tables", "heading": literal(part.heading), "tables": tables}
        case Facts():
            return {"kind": "facts", "facts": list(_facts(part.facts))}
        case Glossary():
            return {"kind": "glossary", "groups": [_group(*group) for group in part.groups]}
        case Problem():
            return {
                "kind": "problem",
                "number": part.number,
                "severity": part.severity,
                "meaning": part.meaning,
                "what": literal(part.what),
                "facts": list(_facts(part.details)),
            }
        case Code():
            text = "\n".join(literal(line) for line in part.lines)
            return {"kind": "code", "title": literal(part.title), "text": text}
        case Trace():
            return {"kind": "tables", "heading": "", "tables": _trace(part)}
        case Reading():
            return _reading(part)
        case Curves():
            return _curves(part)
        case Scatter():
            return _scatter(part, numbering)
        case _:
            assert_never(part)


def _facts(facts: Sequence[Fact]) -> Iterator[View]:
    """Yield each label with its sentences: one without a label goes on with the one before."""
    current: View | None = None
    for fact in facts:
        if fact.label or current is None:
            if current is not None:
                yield current
            current = {"label": literal(fact.label), "meaning": fact.meaning, "texts": []}
        current["texts"].append(literal(fact.text))
    if current is not None:
        yield current


def _group(title: str, names: Sequence[tuple[str, str]]) -> View:
    terms = [{"name": literal(name), "meaning": literal(meaning)} for name, meaning in names]
    return {"title": literal(title), "names": terms}


# -- tables ---------------------------------------------------------------------------------------


def table_view(table: Table, heat: Heat | None = None) -> View:
    """Return a table for its template.

    Args:
        heat: colours of the columns that are single dimensions, `dim 0` and so on.
    """
    count = max((len(column.values) for column in table.columns), default=0)
    rows = range(min(count, MOST_ROWS))
    shared = shared_decimals(table)
    headings: list[View] = []
    cells: list[list[View]] = [[] for _ in rows]
    details: list[View] = []
    for column in table.columns:
        if column.kind == "vector":
            _add_vector(column, rows, headings, cells)
            continue
        headings.append(_heading(column))
        decimals = column_decimals(column, shared)
        most = max((float(v) for v in column.values if v), default=1.0) if _is_bar(column) else 1.0
        of_heat = heat if heat is not None and column.name.startswith("dim ") else None
        for row in rows:
            cells[row].append(_cell(column, row, decimals, most, of_heat))
    return {
        "title": literal(table.title),
        "headings": headings,
        "rows": cells,
        "more": table.more + count - len(rows),
        "details": details,
    }


def _is_bar(column: Column) -> bool:
    return column.kind == "bar"


def _heading(column: Column) -> View:
    hidden = {"bar": "bar", "lean": "bar", "id": "number", "number": "number"}
    name = literal(column.name).strip()
    return {
        "name": name,
        "hidden": "" if name else hidden.get(column.kind, column.kind),
        "right": column.kind in _RIGHT,
    }


def _cell(column: Column, row: int, decimals: int | None, most: float, heat: Heat | None) -> View:
    value = column.values[row]
    meaning = column.meanings[row] if column.meanings else "plain"
    cell: View = {
        "text": literal(cell_text(column, value, decimals)),
        "classes": " ".join(filter(None, ["r" if column.kind in _RIGHT else "", meaning])),
        "bar": None,
        "lean": None,
        "strip": None,
    }
    if column.kind == "bar":
        cell["text"], cell["bar"] = "", round(100 * _length(value, most, column.logarithmic), 2)
    elif column.kind == "lean" and value is not None:
        share = min(1.0, max(0.0, float(value)))
        low, high = sorted((share, 0.5))
        cell["text"] = ""
        cell["lean"] = {
            "x": round(100 * low, 2),
            "width": round(100 * (high - low), 2),
            "side": "high" if share >= 0.5 else "low",
        }
    elif heat is not None and value is not None:
        cell["classes"] += f" {heat_class(float(value), heat.scale)}"
    return cell


def _length(value: Any, most: float, logarithmic: bool) -> float:
    amount = float(value or 0)
    if logarithmic:
        return math.log1p(amount) / math.log1p(most) if most else 0.0
    return amount / most if most else 0.0


def _add_vector(column: Column, rows: range, headings: list[View], cells: list[list[View]]) -> None:
    values = np.asarray(column.values, np.float32)
    scale = column.heat.scale if column.heat is not None else None
    if scale is not None and values.shape[1] > MOST_NUMBERS:
        name = f"{values.shape[1]} dimensions"
        headings.append({"name": name, "hidden": "", "right": False})
        for row in rows:
            cells[row].append(_strip(values[row], scale))
        return
    decimals = decimals_for(values) if column.decimals == "auto" else column.decimals
    for dimension in range(values.shape[1]):
        headings.append({"name": f"dim {dimension}", "hidden": "", "right": True})
        for row in rows:
            value = float(values[row, dimension])
            colour = "" if scale is None else f" {heat_class(value, scale)}"
            cells[row].append(
                {
                    "text": table_number(value, decimals),
                    "classes": f"r{colour}",
                    "bar": None,
                    "lean": None,
                    "strip": None,
                }
            )


def _strip(vector: Any, scale: float) -> View:
    """Return a vector as a strip of colours; its numbers are its description."""
    told = ", ".join(f"{value:.3g}" for value in vector.tolist())
    return {
        "text": "",
        "classes": "",
        "bar": None,
        "lean": None,
        "strip": {
            "width": len(vector),
            "classes": [heat_class(float(value), scale) for value in vector],
            "told": told,
        },
    }


def heat_class(value: float, scale: float) -> str:
    """Return the class of the colour of a number: n10 (blue) to h0 (neutral) to h10 (orange).

    >>> heat_class(-0.3, 0.3), heat_class(0.01, 0.3), heat_class(2, 0.3)
    ('n10', 'h0', 'h10')
    """
    if not math.isfinite(value):
        return "broken"
    step = round(max(-1.0, min(1.0, value / scale if scale else 0.0)) * HEAT_STEPS)
    return f"h{step}" if step >= 0 else f"n{-step}"


def _trace(trace: Trace) -> list[View]:
    from embedinspect.output.show.plain import plain_tables

    return [table_view(table, trace.heat) for table in plain_tables(trace)]


# -- pictures -------------------------------------------------------------------------------------


def _reading(reading: Reading) -> View:
    most = max((abs(change) for change in reading.changes if change is not None), default=0) or 1.0
    tokens = [
        {
            "token": literal(token),
            "colour": heat_class(change or 0.0, most),
            "change": f"{change:+.3f}" if change is not None else "",
            "probability": f"{probability:.3f}" if probability is not None else "",
            "height": round(100 * (probability or 0.0), 1),
            "side": "high" if (probability or 0) >= 0.5 else "low",
        }
        for token, probability, change in zip(
            reading.tokens, reading.probabilities, reading.changes, strict=True
        )
    ]
    return {
        "kind": "reading",
        "title": literal(reading.title),
        "tokens": tokens,
        "outcome": literal(reading.outcome),
        "numbers": table_view(reading.table),
    }


def _curves(curves: Curves) -> View:
    from embedinspect.output.svg.curves import curves_svg

    return {
        "kind": "picture",
        "title": literal(curves.title),
        "svg": Markup(curves_svg(curves)),
        "remark": literal(curves.remark),
        "numbers": table_view(numbers(curves)),
    }


def _scatter(scatter: Scatter, numbering: Numbering) -> View:
    from embedinspect.output.html.map_data import map_data
    from embedinspect.output.svg.scatter import scatter_svg

    return {
        "kind": "map",
        "id": numbering.next("map"),
        "title": literal(scatter.title),
        "svg": Markup(scatter_svg(scatter)),
        "data": Markup(_script_json(map_data(scatter))),
        "before": literal(scatter.before_name) if scatter.before is not None else "",
        "after": literal(scatter.after_name),
        "remark": literal(scatter.remark),
        "numbers": table_view(numbers(scatter)),
    }


def _script_json(value: object) -> str:
    """Return JSON that can stand in a script element, whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
