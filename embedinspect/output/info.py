"""`info`: a matrix as a whole, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from rich.text import Text

from embedinspect.analysis.health import Health, Spread
from embedinspect.output.document import Document, about
from embedinspect.output.grid import Block, Cell, Column
from embedinspect.output.screen import Screen, clip, labelled
from embedinspect.source import Source
from embedinspect.wording import listed, literal, plural

_MOST_ROWS = 6
_MOST_LAYERS = 20
_LONGEST_BAR = 32


def draw(source: Source, health: Health, screen: Screen) -> Iterator[Text]:
    """Yield what there is to say about a matrix."""
    yield Text(literal(f"{source.path}: {source.kind}"), style="bold")
    yield Text()
    if source.keras is not None and len(source.keras.layers) > 1:
        yield from _layers(source, screen).lines(screen.glyphs.rule)
        yield Text()
    for label, sentence in _facts(source, screen):
        yield from labelled(label, sentence, screen)
    if health.norms is not None:
        yield Text()
        yield from _histogram(health, screen).lines(screen.glyphs.rule)
    yield Text()
    for label, sentence in _numbers(source, health):
        yield from labelled(label, sentence, screen)
    yield Text()
    for label, sentence in _findings(source, health):
        yield from labelled(label, sentence, screen)


def _facts(source: Source, screen: Screen) -> Iterator[tuple[str, str]]:
    matrix, times = source.matrix, screen.glyphs.times
    if source.tensor is not None:
        noun = "layer" if source.keras is not None or source.run is not None else "array"
        yield noun, literal(source.tensor)
    if source.run is not None:
        when = "before training" if source.epoch == 0 else f"after epoch {source.epoch}"
        yield "epoch", f"{when}, of {source.run.epochs} ({literal(source.run.status)})"
    yield "shape", f"({matrix.input_dim}, {matrix.output_dim}): input_dim rows, output_dim wide"
    yield (
        "parameters",
        f"{matrix.input_dim:,} {times} {matrix.output_dim:,} = {matrix.parameters:,}",
    )
    stored = "" if source.dtype == "float32" else f", stored as {source.dtype}"
    yield "memory", f"{_bytes(4 * matrix.parameters)} as float32{stored}"
    words = source.words
    if words is None:
        yield "words", "none known; name a file of them with --vocabulary FILE"
    else:
        known = [literal(clip(word, 24)) for word in islice(words, 40) if word][:8]
        more = screen.glyphs.more if words.named > len(known) else ""
        yield (
            "words",
            f"{words.named:,} of {plural(matrix.input_dim, 'row')}, from "
            f"{literal(str(source.words_from))}: {'  '.join(known)}{more}",
        )
    if source.row_0_is_padding and (words is None or words[0] is None):
        yield "row 0", "the padding row: id 0 stands for no word"


def _bytes(count: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:,.1f} GB"


def _layers(source: Source, screen: Screen) -> Block:
    assert source.keras is not None
    layers = source.keras.layers[:_MOST_LAYERS]
    width = max(12, screen.width - 44)
    shapes = [" × ".join(f"{side:,}" for side in layer.shape) for layer in layers]
    return Block(
        f"Layers with rows  {len(source.keras.layers)}",
        [
            Column("", [Cell("→" if layer == source.layer else "") for layer in layers]),
            Column("name", [Cell(clip(literal(layer.name), width)) for layer in layers], gap=1),
            Column("class", [Cell(clip(literal(layer.class_name or "?"), 16)) for layer in layers]),
            Column("shape", [Cell(shape.replace("×", screen.glyphs.times)) for shape in shapes]),
            Column("dtype", [Cell(layer.problem or layer.dtype) for layer in layers]),
        ],
    )


def _histogram(health: Health, screen: Screen) -> Block:
    counts, edges = health.histogram
    widest = max(counts)
    bar = "█" if screen.glyphs.rule == "─" else "#"
    room = max(4, min(_LONGEST_BAR, screen.width - 30))
    numbers = [f"{edge:.3g}" for edge in edges]
    lengths = [max(1, round(room * count / widest)) if count else 0 for count in counts]
    return Block(
        "Lengths of the rows (L2 norms)",
        [
            Column("from", [Cell(number) for number in numbers[:-1]], right=True),
            Column("to", [Cell(number) for number in numbers[1:]], right=True),
            Column("rows", [Cell(f"{count:,}") for count in counts], right=True),
            Column("", [Cell(bar * length) for length in lengths]),
        ],
    )


def _numbers(source: Source, health: Health) -> Iterator[tuple[str, str]]:
    norms = health.norms
    if norms is None:
        yield "norms", "no row is finite"
        return
    yield (
        "norms",
        f"median {norms.median:.4g}, mean {norms.mean:.4g}, from {norms.smallest:.4g} to "
        f"{norms.largest:.4g}",
    )
    yield (
        "numbers",
        f"mean {health.mean:.4g}, standard deviation {health.standard_deviation:.4g}",
    )
    deviations = health.dimension_deviations
    low, high = int(deviations.argmin()), int(deviations.argmax())
    yield (
        "spread",
        f"standard deviation by dimension: from {deviations[low]:.4g} (dim {low}) to "
        f"{deviations[high]:.4g} (dim {high})",
    )
    yield (
        "direction",
        f"the mean row is {health.common_share:.0%} as long as the mean length of the rows "
        "(0% where they point every way, 100% where all point one way)",
    )
    if health.effective_rank is not None:
        yield (
            "rank",
            f"effectively {health.effective_rank:.1f} of {source.matrix.output_dim} dimensions "
            "are used (entropy of the singular values)",
        )


def _findings(source: Source, health: Health) -> Iterator[tuple[str, str]]:
    in_order = []
    for label, noun, rows in (
        ("zero", "all zeros", health.zero_rows),
        ("NaN", "NaN", health.nan_rows),
        ("infinite", "infinite numbers", health.infinite_rows),
    ):
        if len(rows):
            yield label, f"{plural(len(rows), 'row')} of {noun}: {_named(source, rows)}"
        else:
            in_order.append(noun)
    if len(health.duplicate_rows):
        pairs = zip(health.duplicate_rows.tolist(), health.duplicate_of.tolist(), strict=True)
        shown = listed(
            (f"{_name(source, row)} = {_name(source, of)}" for row, of in pairs), _MOST_ROWS
        )
        yield "duplicate", f"{plural(len(health.duplicate_rows), 'row')}: {shown}"
    else:
        in_order.append("duplicates")
    if len(health.far_rows):
        pairs = zip(health.far_rows.tolist(), health.far_distances.tolist(), strict=True)
        shown = listed((f"{_name(source, row)} {by:.1f}×" for row, by in pairs), _MOST_ROWS)
        yield (
            "unlike",
            f"{plural(len(health.far_rows), 'row')} far from all others, by the median distance "
            f"from the mean row: {shown}",
        )
    else:
        in_order.append("rows unlike all others")
    if health.unmoved_rows is not None:
        count = len(health.unmoved_rows)
        if count:
            yield (
                "unmoved",
                f"{plural(count, 'row')} as drawn, never moved in training: "
                f"{_named(source, health.unmoved_rows)}",
            )
        else:
            in_order.append("rows that training never moved")
    if in_order:
        yield "in order", "no " + ", no ".join(in_order)


def _named(source: Source, rows: Any) -> str:
    return listed((_name(source, row) for row in rows.tolist()), _MOST_ROWS)


def _name(source: Source, row: int) -> str:
    word = source.name_of(row)
    shown = literal(clip(word, 24))
    return shown if word == f"#{row}" else f"{shown} (row {row})"


def document(source: Source, health: Health) -> Document:
    """Return what there is to say, for programs."""
    counts, edges = health.histogram
    layers: Sequence[Any] = source.keras.layers if source.keras is not None else ()
    head: dict[str, Any] = {
        "source": about(source),
        "layers": [
            {
                "name": layer.name,
                "path": layer.path,
                "class_name": layer.class_name,
                "shape": list(layer.shape),
                "dtype": layer.dtype,
                "embedding": layer.embedding,
                "problem": layer.problem,
            }
            for layer in layers
        ],
        "shape": list(source.matrix.rows.shape),
        "parameters": source.matrix.parameters,
        "memory_bytes": 4 * source.matrix.parameters,
        "norms": _spread(health.norms),
        "histogram": {"counts": counts, "edges": edges},
        "mean": health.mean,
        "standard_deviation": health.standard_deviation,
        "dimension_deviations": health.dimension_deviations.tolist(),
        "common_share": health.common_share,
        "effective_rank": health.effective_rank,
        "zero_rows": _rows(source, health.zero_rows),
        "nan_rows": _rows(source, health.nan_rows),
        "infinite_rows": _rows(source, health.infinite_rows),
        "duplicate_rows": [
            {**_row(source, row), "same_as": of}
            for row, of in zip(
                health.duplicate_rows.tolist(), health.duplicate_of.tolist(), strict=True
            )
        ],
        "far_rows": [
            {**_row(source, row), "distance": by}
            for row, by in zip(health.far_rows.tolist(), health.far_distances.tolist(), strict=True)
        ],
        "unmoved_rows": None if health.unmoved_rows is None else _rows(source, health.unmoved_rows),
    }
    line = {
        "path": source.path,
        "kind": source.kind,
        "input_dim": source.matrix.input_dim,
        "output_dim": source.matrix.output_dim,
        "words": head["source"]["words"],
        **{key: head[key] for key in ("parameters", "mean", "standard_deviation")},
        **{f"norm_{key}": value for key, value in (_spread(health.norms) or {}).items()},
        "common_share": health.common_share,
        "effective_rank": health.effective_rank,
        **{
            key: None if head[key] is None else len(head[key])
            for key in (
                "zero_rows",
                "nan_rows",
                "infinite_rows",
                "duplicate_rows",
                "far_rows",
                "unmoved_rows",
            )
        },
    }
    return Document("info", head, columns=list(line), lines=[line])


def _spread(spread: Spread | None) -> dict[str, float] | None:
    return None if spread is None else dict(vars(spread))


def _rows(source: Source, rows: Any) -> list[dict[str, Any]]:
    return [_row(source, row) for row in rows.tolist()]


def _row(source: Source, row: int) -> dict[str, Any]:
    return {"row": row, "word": source.words[row] if source.words is not None else None}
