"""Parts of a page as plain values that a template writes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from markupsafe import Markup

from embedinspect.output.html.tables import lean_bar, legend, table_view
from embedinspect.output.pictures.numbers import numbers
from embedinspect.page import (
    Code,
    Fact,
    Facts,
    Glossary,
    Headline,
    KeyFigure,
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
from embedinspect.plots.heat import heat_class
from embedinspect.wording import literal

View = dict[str, Any]
_FIGURES = 3
# Of a picture of curves, in pixels: two stand side by side on a wide screen.
_CURVES_WIDTH = 544.0


@dataclass
class Outline:
    """The headings of a page so far: their levels, and names that no other element has.

    Attributes:
        first: level of the page's own heading.
        linked: whether elements have names that links may lead to.
        entries: name and text of each heading of the level below the first.
    """

    first: int = 1
    linked: bool = True
    entries: list[tuple[str, str]] = field(default_factory=list)
    in_section: bool = False
    count: int = 0

    def heading(self, text: str, *, opens: bool = False) -> View:
        """Return a heading of what follows; one that `opens` a section has others below it."""
        self.in_section = self.in_section or opens
        level = self.first + (1 if opens or not self.in_section else 2)
        name = self.name("s")
        if level == self.first + 1:
            self.entries.append((name, literal(text)))
        return {"level": level, "text": literal(text), "name": name}

    def name(self, kind: str) -> str:
        """Return a name that no other element has; an empty one where nothing is linked."""
        self.count += 1
        return f"{kind}{self.count}" if self.linked else ""


def view_of(part: Part, outline: Outline) -> View:
    """Return what the template of a part writes."""
    match part:
        case Headline():
            heading = {"level": outline.first, "text": literal(part.text), "name": ""}
            return {"kind": "headline", "heading": heading, "intro": literal(part.intro)}
        case Section():
            heading = outline.heading(part.title, opens=True)
            return {"kind": "section", "heading": heading, "intro": literal(part.intro)}
        case KeyFigures():
            return {"kind": "figures", "figures": list(map(_figure, part.figures))}
        case Paragraph():
            return {"kind": "paragraph", "text": literal(part.text), "meaning": part.meaning}
        case Table():
            return {"kind": "tables", "heading": None, "tables": [table_view(part)]}
        case Tables():
            over = outline.heading(part.heading) if part.heading else None
            tables = [table_view(table) for table in part.tables]
            return {"kind": "tables", "heading": over, "tables": tables}
        case Facts():
            return {"kind": "facts", "facts": list(_facts(part.facts))}
        case Glossary():
            return {"kind": "glossary", "groups": [_group(outline, *one) for one in part.groups]}
        case Problem():
            return _problem(part, outline)
        case Code():
            text = "\n".join(literal(line) for line in part.lines)
            return {"kind": "code", "title": literal(part.title), "text": text}
        case Trace():
            from embedinspect.output.html.trace import trace_views

            tables = trace_views(part, outline.name("row"))
            return {"kind": "tables", "heading": None, "tables": tables}
        case Reading():
            return _reading(part)
        case Curves():
            return _curves(part)
        case Scatter():
            return _scatter(part, outline)
        case _:
            assert_never(part)


def _figure(figure: KeyFigure) -> View:
    return {
        "label": literal(figure.label),
        "value": literal(figure.value),
        "remark": literal(figure.remark),
        "meaning": figure.meaning,
    }


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


def _group(outline: Outline, title: str, names: Sequence[tuple[str, str]]) -> View:
    terms = [{"name": literal(name), "meaning": literal(meaning)} for name, meaning in names]
    return {"heading": outline.heading(title), "names": terms}


def _problem(problem: Problem, outline: Outline) -> View:
    label = f"{problem.number} {problem.severity}"
    heading = outline.heading(f"{label}: {problem.what}")
    return {
        "kind": "problem",
        "label": label,
        "heading": {**heading, "text": literal(problem.what)},
        "meaning": problem.meaning,
        "facts": list(_facts(problem.details)),
    }


# -- pictures -------------------------------------------------------------------------------------


def _reading(reading: Reading) -> View:
    changes = [abs(change) for change in reading.changes if _known(change)]
    most = max(changes, default=0.0) or 1.0
    tokens = [
        {
            "token": literal(token),
            "colour": heat_class(change if _known(change) else 0.0, most),
            "change": f"{change:+.{_FIGURES}f}" if _known(change) else "",
            "probability": f"{probability:.{_FIGURES}f}" if _known(probability) else "",
            "bar": lean_bar(probability) if _known(probability) else None,
        }
        for token, probability, change in zip(
            reading.tokens, reading.probabilities, reading.changes, strict=True
        )
    ]
    return {
        "kind": "reading",
        "title": literal(reading.title),
        "tokens": tokens,
        "legend": legend(Heat(most), broken=False, beyond=False),
        "outcome": literal(reading.outcome),
        "numbers": table_view(reading.table),
    }


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _curves(curves: Curves) -> View:
    from embedinspect.output.svg.curves import NARROW, curves_svg

    return {
        "kind": "picture",
        "title": literal(curves.title),
        "svg": Markup(curves_svg(curves, _CURVES_WIDTH)),
        "narrow": Markup(curves_svg(curves, NARROW)),
        "remark": literal(curves.remark),
        "numbers": table_view(numbers(curves)),
    }


def _scatter(scatter: Scatter, outline: Outline) -> View:
    from embedinspect.output.html.map_data import map_data
    from embedinspect.output.svg.scatter import legend_svg, scatter_svg

    return {
        "kind": "map",
        "x_name": literal(scatter.x_name),
        "y_name": literal(scatter.y_name),
        "colors": "" if scatter.shade is None else Markup(legend_svg(scatter.shade)),
        "id": outline.name("map"),
        "scripted": outline.linked,
        "title": literal(scatter.title),
        "svg": Markup(scatter_svg(scatter)),
        "data": Markup(_script_json(map_data(scatter))) if outline.linked else "",
        "before": literal(scatter.before_name) if scatter.before is not None else "",
        "after": literal(scatter.after_name),
        "remark": literal(scatter.remark),
        "numbers": table_view(numbers(scatter)),
    }


def _script_json(value: object) -> str:
    """Return JSON that can stand in a script element, whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
