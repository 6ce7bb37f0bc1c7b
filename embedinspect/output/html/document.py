"""A page as one HTML document, or as a fragment for a notebook.

The document loads nothing from anywhere: its policy forbids all but the one style sheet and the
scripts that stand in it, told by their hashes. So no part has a `style` attribute or a handler of
its own. Text is escaped by the templates, which escape all that they are given.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jinja2
from markupsafe import Markup

from embedinspect import __version__
from embedinspect.output.html.style import kept_file, stylesheet, stylesheet_in_another
from embedinspect.output.html.views import Outline, View, view_of
from embedinspect.page import Headline, Page, Part
from embedinspect.wording import literal

# With as many headings as this, a page begins with a list of them.
_MANY_HEADINGS = 5
_LEVEL_IN_ANOTHER = 3


def html_document(page: Page, title: str) -> str:
    """Return a page as one HTML document.

    Args:
        title: of the browser's window, and its heading where the page has none of its own.
    """
    return "".join(html_parts(page, title))


def html_parts(page: Page, title: str) -> Iterator[str]:
    """Yield a page as one HTML document, piece by piece, once all of its parts are there.

    Args:
        title: of the browser's window, and its heading where the page has none of its own.
    """
    outline = Outline()
    parts = iter(page)
    first = next(parts, None)
    heading = first if isinstance(first, Headline) else Headline(title)
    top = _written(view_of(heading, outline))
    rest: list[Part] = [] if first is heading or first is None else [first]
    bodies: list[str] = []
    names = ["rows.js"]
    for view in _views(rest, parts, outline):
        bodies.append(_written(view))
        if view["kind"] == "map" and "map.js" not in names:
            names.append("map.js")
    style, scripts = stylesheet(), [kept_file(name) for name in names]
    yield _template("head.html").render(
        title=f"{literal(heading.text)} · embedinspect",
        policy=_policy(style, scripts),
        style=Markup(style),
        version=__version__,
    )
    yield top
    entries = outline.entries if len(outline.entries) >= _MANY_HEADINGS else []
    yield _template("contents.html").render(entries=entries)
    yield from bodies
    yield _template("foot.html").render(version=__version__, scripts=list(map(Markup, scripts)))


def html_fragment(page: Page) -> str:
    """Return a page as HTML that can stand in another page, as in a notebook: without a script.

    Its style counts for itself alone, and no element has a name that another could have.
    """
    outline = Outline(first=_LEVEL_IN_ANOTHER, linked=False)
    body = "".join(_written(view_of(part, outline)) for part in page)
    style = Markup(stylesheet_in_another())
    return str(_template("fragment.html").render(style=style, body=Markup(body)))


def _views(rest: list[Part], parts: Iterator[Part], outline: Outline) -> Iterator[View]:
    for part in rest:
        yield view_of(part, outline)
    for part in parts:
        yield view_of(part, outline)


def _written(view: View) -> str:
    return str(_template("parts.html").render(part=view))


def _policy(style: str, scripts: list[str]) -> str:
    hashes = " ".join(f"'{_hash(script)}'" for script in scripts)
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {hashes}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(kept_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> Any:
    return _environment().get_template(name)
