"""A page as one HTML document, or as a fragment for a notebook.

The document loads nothing from anywhere: its policy forbids all but the one style sheet and the one
script that stand in it, told by their hashes. So no part has a `style` attribute or a handler of
its own. Text is escaped by the templates, which escape all that they are given.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from embedinspect import __version__
from embedinspect.output.html.views import Numbering, view_of
from embedinspect.page import Headline, Page, Part
from embedinspect.plots.colours import diverging, hexadecimal
from embedinspect.wording import literal

HEAT_STEPS = 10


def html_parts(page: Page, title: str) -> Iterator[str]:
    """Yield a page as one HTML document, part by part.

    Args:
        title: of the browser's window, and its heading where the page has none of its own.
    """
    parts = iter(page)
    first = next(parts, None)
    heading = first if isinstance(first, Headline) else Headline(title)
    style, script = stylesheet(), _file("page.js")
    yield _template("head.html").render(
        title=f"{literal(heading.text)} · embedinspect",
        policy=_policy(style, script),
        style=Markup(style),
        version=__version__,
    )
    numbering = Numbering()
    yield _rendered(heading, numbering)
    for part in [] if first is heading or first is None else [first]:
        yield _rendered(part, numbering)
    for part in parts:
        yield _rendered(part, numbering)
    yield _template("foot.html").render(version=__version__, script=Markup(script))


def html_document(page: Page, title: str) -> str:
    """Return a page as one HTML document, as `html_parts` has it."""
    return "".join(html_parts(page, title))


def html_fragment(page: Page) -> str:
    """Return a page as HTML that can stand in another page, as in a notebook: without a script.

    Its style counts for itself alone.
    """
    numbering = Numbering()
    body = "".join(_rendered(part, numbering) for part in page)
    return str(_template("fragment.html").render(style=Markup(stylesheet()), body=Markup(body)))


def _rendered(part: Part, numbering: Numbering) -> str:
    view = view_of(part, numbering)
    return str(_template("parts.html").render(parts=[view]))


@lru_cache(maxsize=1)
def stylesheet() -> str:
    """Return the style sheet: the kept file, and a class for each step of the colours of heat."""
    steps = range(-HEAT_STEPS, HEAT_STEPS + 1)
    light, dark = (_heat_classes(steps, dark=dark) for dark in (False, True))
    return (
        f"{_file('page.css')}\n{light}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
    )


def _heat_classes(steps: range, *, dark: bool) -> str:
    lines = []
    for step in steps:
        colour = hexadecimal(diverging(step / HEAT_STEPS, dark=dark))
        name = f"h{step}" if step >= 0 else f"n{-step}"
        lines.append(f".ei .{name} {{ background: {colour}; fill: {colour}; }}")
    return "\n".join(lines)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@lru_cache
def _file(name: str) -> str:
    return (files("embedinspect.output.html") / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> Any:
    return _environment().get_template(name)
