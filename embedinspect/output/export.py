"""`export`: what was written, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from embedinspect.exports import Exported
from embedinspect.output.document import Document, about
from embedinspect.output.screen import Screen, clip, labelled
from embedinspect.wording import listed, literal, plural

_NEXT = {
    "projector": "tensorboard --logdir {path}, and there the Projector tab",
    "parquet": "embedding-atlas {path} --text word --vector vector",
}


def draw(written: Exported, screen: Screen) -> Iterator[Text]:
    """Yield what was written, and what to open it with."""
    matrix = written.source.matrix
    files = ", ".join(literal(str(file)) for file in written.files)
    yield from labelled("written", files, screen)
    yield from labelled("form", written.target.what, screen)
    yield from labelled(
        "rows", f"{plural(written.rows, 'row')}, {matrix.output_dim} dimensions, float32", screen
    )
    words = written.source.words
    if words is None:
        said = "none are known, so rows are called by their numbers, as #5"
        if written.target.name in {"npy", "safetensors"}:
            said = "none are known"
        yield from labelled("words", said, screen)
    elif words.named < written.rows and written.target.name not in {"npy", "safetensors"}:
        yield from labelled(
            "words",
            f"{words.named:,}; the other rows are called by their numbers, as #5",
            screen,
        )
    if written.changed:
        pairs = listed(
            (
                f"{literal(clip(word, 20))!r} as {literal(clip(other, 20))!r}"
                for word, other in written.changed
            ),
            4,
        )
        yield from labelled("changed", f"words that this form cannot hold: {pairs}", screen)
    template = _NEXT.get(written.target.name, "embedinspect info {path}")
    yield from labelled("open it", template.format(path=literal(str(written.path))), screen)


def document(written: Exported) -> Document:
    """Return what was written, for programs."""
    head = {
        "source": about(written.source),
        "format": written.target.name,
        "path": str(written.path),
        "files": [str(file) for file in written.files],
        "rows": written.rows,
        "changed": [{"word": word, "written": other} for word, other in written.changed],
    }
    return Document("export", head, columns=("path", "format", "rows", "files"))
