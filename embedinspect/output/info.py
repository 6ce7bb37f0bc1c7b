"""`info`: a matrix as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich import filesize

from embedinspect.analysis.health import Health, Spread
from embedinspect.analysis.hubs import Occurrences
from embedinspect.analysis.language_model import TokenHealth
from embedinspect.analysis.other_readers import remarks
from embedinspect.analysis.ranks import LengthsByRank
from embedinspect.output import histogram, history, language_model
from embedinspect.output import hubs as hubs_output
from embedinspect.output import info_numbers as numbers
from embedinspect.output.document import Document, Listed, about_source
from embedinspect.output.labels import (
    epoch_name,
    first_words,
    row_name,
    row_tag,
)
from embedinspect.page import Column, Fact, Facts, Headline, Page, Table
from embedinspect.source import Source
from embedinspect.wording import listed, plural

_MOST_ROWS = 6
_MOST_LAYERS = 20


def page(
    source: Source,
    health: Health,
    tokens: TokenHealth | None = None,
    by_rank: LengthsByRank | None = None,
    hubs: Occurrences | None = None,
    suggestions: Sequence[Fact] = (),
) -> Page:
    """Yield what there is to say about a matrix, and then what to ask next."""
    yield Headline(f"{source.path}: {source.kind}")
    yield from about(source, tokens)
    if source.run is not None and source.run.history:
        yield history.epochs(source.run)
        yield from history.curves(source.run)
    yield from examined(source, health, by_rank, hubs)
    yield Facts(suggestions)


def about(source: Source, tokens: TokenHealth | None) -> Page:
    """Yield what the matrix is: its layers, shape and words."""
    if source.keras is not None and len(source.keras.layers) > 1:
        yield _layers(source)
    if len(source.contents.tensors) > 1:
        yield language_model.tensors(source)
    yield Facts(list(_facts(source)))
    if tokens is not None:
        yield Facts(list(language_model.facts(source, tokens)))


def examined(
    source: Source,
    health: Health,
    by_rank: LengthsByRank | None,
    hubs: Occurrences | None = None,
) -> Page:
    """Yield what its rows are like, and which of them are odd."""
    if health.norms is not None:
        yield histogram_of(source, health)
    of_hubs = () if hubs is None else hubs_output.facts(source, hubs)
    yield Facts([*numbers.facts(source, health), *numbers.by_rank(by_rank), *of_hubs])
    yield Facts(list(_findings(source, health)))
    others = enumerate(remarks(source))
    yield Facts([Fact("" if place else "elsewhere", remark) for place, remark in others])


def _facts(source: Source) -> Iterator[Fact]:
    matrix = source.matrix
    if source.tensor is not None:
        layer = source.keras is not None or source.run is not None
        noun = "tensor" if source.contents.tensors else "array"
        noun = "layer" if layer else "column" if source.contents.is_table else noun
        yield Fact(noun, source.tensor)
    if source.run is not None:
        yield Fact("epoch", f"{epoch_name(source)}, of {source.run.epochs} ({source.run.status})")
        yield from history.test(source.run)
    yield Fact(
        "shape", f"({matrix.input_dim}, {matrix.output_dim}): input_dim rows, output_dim wide"
    )
    yield Fact(
        "parameters", f"{matrix.input_dim:,} × {matrix.output_dim:,} = {matrix.parameters:,}"
    )
    stored = "" if source.dtype == "float32" else f", stored as {source.dtype}"
    yield Fact("memory", f"{filesize.decimal(4 * matrix.parameters)} as float32{stored}")
    words = source.words
    if words is None:
        yield Fact("words", "none known; name a file of them with --words FILE")
    else:
        yield Fact(
            "words",
            f"{words.named:,} of {plural(matrix.input_dim, 'row')}, from {source.words_from}: "
            f"{first_words(words)}",
        )
    if _row_0_is_padding(source):
        yield Fact("row 0", "the padding row: id 0 stands for no word")


def _row_0_is_padding(source: Source) -> bool:
    """Return whether row 0 is known to be no word's: by a run, a mask, or words that spare it."""
    masked = source.layer is not None and bool(source.layer.mask_zero)
    spared = source.words is not None and source.words[0] is None
    return (source.run is not None or source.keras is not None) and (masked or spared)


def _layers(source: Source) -> Table:
    assert source.keras is not None
    layers = source.keras.layers
    shown = layers[:_MOST_LAYERS]
    return Table(
        f"Layers with rows  {len(layers)}",
        [
            Column("", ["→" if layer == source.layer else "" for layer in shown]),
            Column("name", [layer.name for layer in shown]),
            Column("class", [layer.class_name or "?" for layer in shown], most=16),
            Column(
                "shape", [f"{layer.shape[0]:,} × {layer.shape[1]:,}" for layer in shown], rigid=True
            ),
            Column("dtype", [layer.problem or layer.dtype for layer in shown]),
        ],
        more=len(layers) - len(shown),
    )


def histogram_of(source: Source, health: Health) -> Table:
    """Return the lengths of the rows as a table of bins."""
    return histogram.table(
        "Lengths of the rows (L2 norms)",
        health.histogram,
        lambda place: row_tag(source, int(health.histogram_rows[place])),
        "rows",
    )


def _findings(source: Source, health: Health) -> Iterator[Fact]:
    in_order = []
    for label, noun, rows in (
        ("zero", "all zeros", health.zero_rows),
        ("NaN", "NaN", health.nan_rows),
        ("infinite", "infinite numbers", health.infinite_rows),
    ):
        if len(rows):
            yield Fact(
                label,
                f"{plural(len(rows), 'row')} of {noun}: {_names(source, rows)}",
                "notable" if label == "zero" else "wrong",
            )
        else:
            in_order.append(noun)
    if len(health.duplicate_rows):
        total = len(health.duplicate_rows)
        pairs = _first_pairs(health.duplicate_rows, health.duplicate_of)
        names = (f"{row_name(source, row)} = {row_name(source, first)}" for row, first in pairs)
        named = listed(names, _MOST_ROWS, total)
        yield Fact("duplicate", f"{plural(total, 'row')}: {named}", "notable")
    else:
        in_order.append("duplicates" if len(health.zero_rows) < 2 else "duplicates but the zeros")
    if len(health.far_rows):
        pairs = _first_pairs(health.far_rows, health.far_distances)
        times = (f"{row_name(source, row)} {apart:.1f}×" for row, apart in pairs)
        far = listed(times, _MOST_ROWS, len(health.far_rows))
        yield Fact(
            "unlike",
            f"{plural(len(health.far_rows), 'row')} far from the mean row: "
            f"{far} (times the median distance from the mean row, each dimension in its own "
            "deviation)",
            "notable",
        )
    else:
        in_order.append("rows unlike all others")
    if health.unmoved_rows is not None:
        if len(health.unmoved_rows):
            yield Fact(
                "unmoved",
                f"{plural(len(health.unmoved_rows), 'row')} of {source.matrix.input_dim:,} as "
                f"drawn, never moved in training: {_names(source, health.unmoved_rows)}",
                "notable",
            )
        else:
            in_order.append("rows that training never moved")
    if in_order:
        yield Fact("in order", "no " + ", no ".join(in_order), "confirmed")


def _names(source: Source, rows: Any) -> str:
    first = rows[:_MOST_ROWS].tolist()
    return listed((row_name(source, row) for row in first), _MOST_ROWS, len(rows))


def _first_pairs(rows: Any, others: Any) -> Iterator[tuple[int, Any]]:
    return zip(rows[:_MOST_ROWS].tolist(), others[:_MOST_ROWS].tolist(), strict=True)


def document(
    source: Source,
    health: Health,
    tokens: TokenHealth | None = None,
    by_rank: LengthsByRank | None = None,
    hubs: Occurrences | None = None,
) -> Document:
    """Return what there is to say about a matrix."""
    layers: Iterable[Any] = source.keras.layers if source.keras is not None else ()
    unmoved = health.unmoved_rows
    head: dict[str, Any] = {
        "source": about_source(source),
        "layers": [_layer(layer) for layer in layers],
        "tensors": language_model.tensors_document(source),
        "tokens": None if tokens is None else language_model.document(tokens),
        "length_by_rank": None
        if by_rank is None
        else {"medians": list(by_rank.medians), "correlation": by_rank.correlation},
        "hubs": None if hubs is None else hubs_output.document(source, hubs),
        "shape": list(source.matrix.rows.shape),
        "parameters": source.matrix.parameters,
        "memory_bytes": 4 * source.matrix.parameters,
        "norms": _spread(health.norms),
        "histogram": histogram.document(
            health.histogram, lambda place: source.name_of(int(health.histogram_rows[place]))
        ),
        "mean": health.mean,
        "standard_deviation": health.standard_deviation,
        "dimension_deviations": health.dimension_deviations.tolist(),
        "common_share": health.common_share,
        "mean_cosine": health.mean_cosine,
        "random_mean_cosine_deviation": health.random_mean_cosine_deviation,
        "random_cosine_deviation": health.random_cosine_deviation,
        "effective_rank": health.effective_rank,
        "participation_ratio": health.participation_ratio,
        "first_direction_share": health.first_direction_share,
        "directions_for_90_percent": health.directions_for_90_percent,
        "most_directions": health.most_directions,
        "first_direction_share_before": health.first_direction_share_before,
        "zero_rows": _rows(source, health.zero_rows),
        "nan_rows": _rows(source, health.nan_rows),
        "infinite_rows": _rows(source, health.infinite_rows),
        "duplicate_rows": Listed(
            lambda row, first: {**_row(source, row), "same_as": first},
            health.duplicate_rows,
            health.duplicate_of,
        ),
        "far_rows": Listed(
            lambda row, times: {**_row(source, row), "distance": times},
            health.far_rows,
            health.far_distances,
        ),
        "other_readers": remarks(source),
        "unmoved_rows": None if unmoved is None else _rows(source, unmoved),
        "history": None if source.run is None else list(source.run.history),
        "test": None if source.run is None else source.run.test,
    }
    line = _line(source, health, head)
    return Document("info", head, columns=list(line), rows=[line])


def _layer(layer: Any) -> dict[str, Any]:
    names = ("name", "path", "class_name", "shape", "dtype", "embedding", "problem")
    return {name: getattr(layer, name) for name in names}


def _line(source: Source, health: Health, head: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of the document that stand in one line of a table."""
    lists = (
        "zero_rows", "nan_rows", "infinite_rows", "duplicate_rows", "far_rows", "unmoved_rows",
    )  # fmt: skip
    return {
        "path": source.path,
        "kind": source.kind,
        "input_dim": source.matrix.input_dim,
        "output_dim": source.matrix.output_dim,
        "words": head["source"]["words"],
        **{key: head[key] for key in ("parameters", "mean", "standard_deviation")},
        **{f"norm_{key}": value for key, value in (_spread(health.norms) or {}).items()},
        "common_share": health.common_share,
        "mean_cosine": health.mean_cosine,
        "effective_rank": health.effective_rank,
        "participation_ratio": health.participation_ratio,
        "first_direction_share": health.first_direction_share,
        **{key: None if head[key] is None else len(head[key]) for key in lists},
    }


def _spread(spread: Spread | None) -> dict[str, float] | None:
    return None if spread is None else dict(vars(spread))


def _rows(source: Source, rows: Any) -> Listed:
    return Listed(lambda row: _row(source, row), rows)


def _row(source: Source, row: int) -> dict[str, Any]:
    return {"row": row, "word": source.words[row] if source.words is not None else None}
