"""`export`: what was written."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from embedinspect.analysis.other_readers import of_spaces
from embedinspect.exports import Exported
from embedinspect.output.document import Document, about_source
from embedinspect.output.labels import short
from embedinspect.output.suggestions import command_line
from embedinspect.page import Fact, Facts, Page
from embedinspect.wording import listed, plural

_NEXT = {
    "projector": "tensorboard --logdir {path}, and there the Projector tab",
    "parquet": "embedding-atlas {path} --text word --vector vector",
}
_UNNAMED = {"npy", "safetensors"}  # rows without a word stay without one


def page(exported: Exported) -> Page:
    """Yield what was written, and what to open it with."""
    yield Facts(list(_facts(exported)))


def sentences(exported: Exported) -> Iterator[str]:
    """Yield what there is to say, besides its files, of what was written."""
    for fact in _about(exported):
        yield f"{fact.label}: {fact.text}"


def _facts(exported: Exported) -> Iterator[Fact]:
    yield Fact("written", ", ".join(str(file) for file in exported.files), "confirmed")
    yield from _about(exported)
    path = str(exported.path)
    template = _NEXT.get(exported.target.name)
    opened = command_line("info", path) if template is None else template.format(path=quote(path))
    yield Fact("open it", opened)


def _about(exported: Exported) -> Iterator[Fact]:
    source, target = exported.source, exported.target
    yield Fact("form", target.description)
    yield Fact(
        "rows", f"{plural(exported.rows, 'row')}, {source.matrix.output_dim} dimensions, float32"
    )
    words = source.words
    if words is None:
        numbered = "" if target.name in _UNNAMED else ", so rows are called by their numbers, as #5"
        yield Fact("words", f"none are known{numbered}")
    elif words.named < exported.rows and target.name not in _UNNAMED:
        yield Fact("words", f"{words.named:,}; the other rows are called by their numbers, as #5")
    if exported.changed:
        pairs = (
            f"{short(word, 20)!r} as {short(written, 20)!r}" for word, written in exported.changed
        )
        yield Fact("changed", f"words that this form cannot hold: {listed(pairs, 4)}", "notable")
    if target.name == "glove" and words is not None:
        for remark in of_spaces(words):
            yield Fact("elsewhere", remark, "notable")


def document(exported: Exported) -> Document:
    """Return what was written."""
    head = {
        "source": about_source(exported.source),
        "format": exported.target.name,
        "path": str(exported.path),
        "files": [str(file) for file in exported.files],
        "rows": exported.rows,
        "changed": [{"word": word, "written": written} for word, written in exported.changed],
    }
    return Document("export", head, columns=("path", "format", "rows", "files"))
