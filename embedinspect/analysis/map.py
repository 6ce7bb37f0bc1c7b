"""A map: the rows of a matrix as points in two dimensions, so that they can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

import numpy as np

from embedinspect.analysis import map_colours, projection
from embedinspect.analysis.axis import ends_of, split_words
from embedinspect.analysis.dims import first_dims
from embedinspect.analysis.map_methods import Method, lay_out_with
from embedinspect.analysis.map_rows import Choice, LeftOut, Names, choose
from embedinspect.analysis.projection import Doubles, End, Projection, Rows
from embedinspect.errors import DataError, UsageError
from embedinspect.matrix import finite_among
from embedinspect.pictures import Shade
from embedinspect.source import Source
from embedinspect.stored_rows import Vectors
from embedinspect.training.run_folder import open_embedding
from embedinspect.wording import clipped_repr

MapMetric = Literal["cosine", "euclidean"]

FIRST = 5000
NEAREST = 10
PCA, AXIS = "pca", "axis"
# How many labels a picture may choose from, and how many rows neighbors are compared among.
_MOST_LABELS = 600
_MOST_COMPARED = 50_000
_DIFFER = "two words, or two groups of words in quotes, that differ"


@dataclass(frozen=True)
class MapOptions:
    """What is asked of a map.

    Attributes:
        words: words that are marked.
        first: how many of the first rows are drawn.
        method: `pca`, or a library's: `pacmap`, `umap`, `tsne`.
        metric: how nearness is measured; by `cosine`, rows are scaled to length 1 first.
        axes: pairs of ends, each of one word or several: directions that are the axes of the
            picture, or, where `color_by` is `axis`, the colours.
        color_by: `classifier`, `axis`, `norm`, `moved`, `none`, or a column, as `by_column` has it;
            None for `moved` of a run after training and `none` of everything else.
        before: the epoch of a run whose rows are drawn, too, on the same axes.
        seed: of a library's method.
        backend: that Keras runs on, for the classifier.
    """

    words: Sequence[str] = ()
    first: int = FIRST
    method: str = PCA
    metric: MapMetric = "euclidean"
    axes: Sequence[tuple[str, str]] = ()
    color_by: str | None = None
    before: int | None = None
    seed: int = 0
    backend: str | None = None


@dataclass(frozen=True)
class MapAxis:
    """One axis of a map.

    Attributes:
        low: the words at 0; none where it is a direction of greatest spread.
        high: the words at 1.
        share: the share of the variance of the rows that lies along it; None where the method has
            no directions.
    """

    low: tuple[str, ...] = ()
    high: tuple[str, ...] = ()
    share: float | None = None


@dataclass(frozen=True)
class RowMap:
    """The record that `map` prints.

    Attributes:
        source: the source whose rows they are.
        method: how they became points.
        metric: how nearness was measured.
        rows: the number of the row of each point, shape (points,); by rank, and behind these the
            marked ones that are beyond the first.
        names: the word of each point, or `#` and the number of its row.
        points: where they are, float64, shape (points, 2).
        axes: across and up.
        fitted: how many of the points the axes are made of: all but marked ones beyond the first.
        seen: the share of their variance that the picture shows; None where the method has no
            directions.
        undecided: whether other directions have the same spread, so that the picture is one of
            many that are as good.
        angle: between the axes, in degrees, where both were chosen; else None.
        same_unit: whether both axes have the same unit.
        kept: the mean share of the 10 nearest rows that are among the 10 nearest points; None where
            it was not measured.
        kept_rows: for how many rows it was measured.
        marked: places of the points that were asked for.
        labels: places of points whose words are wanted in the picture, the most wanted first.
        color_by: what the colours stand for, as it is asked for; `none` for nothing.
        shade: the same with the values.
        left_out: rows that are not among the points.
        before: where the points were, float64, shape (points, 2); None where that was not asked.
        before_epoch: after which epoch that was; 0 is before training.
        before_seen: the share of the variance of the rows at that time that the picture shows.
    """

    source: Source
    method: Method
    metric: MapMetric
    rows: Rows
    names: Sequence[str]
    points: Doubles
    axes: tuple[MapAxis, MapAxis]
    fitted: int
    seen: float | None
    undecided: bool
    angle: float | None
    same_unit: bool
    kept: float | None
    kept_rows: int
    marked: tuple[int, ...]
    labels: tuple[int, ...]
    color_by: str
    shade: Shade | None
    left_out: LeftOut
    before: Doubles | None = None
    before_epoch: int | None = None
    before_seen: float | None = None


def ends(row_map: RowMap, count: int = 5) -> tuple[list[int], list[int]]:
    """Return the rows of the points that lie farthest to the left, and farthest to the right."""
    order = np.argsort(row_map.points[:, 0], kind="stable").tolist()
    left, right = order[:count], order[: -count - 1 : -1]
    rows = row_map.rows
    return rows[left].tolist(), rows[right].tolist()


def lay_out(source: Source, options: MapOptions | None = None) -> RowMap:
    """Return the rows of a source as points.

    By default they are seen along the two directions of greatest spread of the first rows, which
    in files of word vectors and in runs are those of the most frequent words.

    Raises:
        UsageError: a word has no row, options contradict each other, or a library is missing.
        DataError: no two rows differ, an end of an axis is not finite, or by cosine a row that is
            named is zero.
    """
    options = options or MapOptions()
    _check(source, options)
    chosen = choose(source, options.first, split_words(source, options.words))
    drawn = _drawn(source, options, chosen)
    rows, fitted = chosen.rows, chosen.rows[: chosen.fitted]
    color_by = options.color_by or _default_colour(source)
    laid_out = _laid_out(drawn, options, rows, fitted, color_by)
    names = Names(source, rows)
    before, before_seen = _before(source, options, laid_out.projection, rows, fitted)
    kept = None
    if len(rows) <= _MOST_COMPARED:
        kept = projection.neighbors_kept(drawn.matrix.rows, rows, laid_out.points, NEAREST)
    return RowMap(
        source=source,
        method=laid_out.method,
        metric=options.metric,
        rows=rows,
        names=names,
        points=laid_out.points,
        axes=laid_out.axes,
        fitted=len(fitted),
        seen=None if laid_out.projection is None else laid_out.projection.seen,
        undecided=laid_out.projection is not None and laid_out.projection.undecided,
        angle=laid_out.angle,
        same_unit=laid_out.angle is None,
        kept=None if kept is None else kept[0],
        kept_rows=0 if kept is None else kept[1],
        marked=chosen.marked,
        labels=_labels(laid_out.points, by_distance=laid_out.projection is not None),
        color_by=color_by,
        shade=_shade(drawn if color_by == AXIS else source, options, color_by, rows, names),
        left_out=chosen.left_out,
        before=before,
        before_epoch=options.before,
        before_seen=before_seen,
    )


def _drawn(source: Source, options: MapOptions, chosen: Choice) -> Source:
    """Return the source with the rows as they are drawn."""
    if options.metric != "cosine":
        return source
    for row in chosen.rows[list(chosen.marked)].tolist():
        if not source.matrix.rows[row].any():
            name = clipped_repr(source.name_of(row))
            raise DataError(
                f"the row of {name} is all zeros, so it has no direction; leave it out, or draw "
                "it with --metric euclidean"
            )
    return _of_length_1(source)


def _of_length_1(source: Source) -> Source:
    """Return the source with rows whose distances tell of their cosines: all of length 1."""
    return first_dims(source, source.matrix.output_dim)


def _check(source: Source, options: MapOptions) -> None:
    if len(options.axes) > 2:
        raise UsageError(
            f"--axis is given {len(options.axes)} times; expected at most twice: across, and up"
        )
    colours = options.color_by == AXIS
    if colours and len(options.axes) != 1:
        raise UsageError("--color-by axis needs one --axis LOW HIGH; expected two ends of it")
    if options.axes and not colours and options.method != PCA:
        raise UsageError(
            f"--axis and --method {options.method} both place the points; leave out one of the "
            "two, or colour by the axis with --color-by axis"
        )
    if options.before is not None and options.method != PCA:
        raise UsageError(
            f"--before needs axes that both pictures share, which --method {options.method} does "
            "not have; leave out one of the two"
        )
    if source.run is None:
        for name, used in (
            ("--before", options.before is not None),
            ("--color-by moved", options.color_by == "moved"),
        ):
            if used:
                raise UsageError(
                    f"{name} compares epochs of a run, and {source.path!r} is none; leave it out"
                )


def _default_colour(source: Source) -> str:
    return "moved" if source.run is not None and source.epoch else "none"


@dataclass(frozen=True)
class _LaidOut:
    points: Doubles
    axes: tuple[MapAxis, MapAxis]
    method: Method
    projection: Projection | None = None
    angle: float | None = None


def _laid_out(
    source: Source, options: MapOptions, rows: Rows, fitted: Rows, color_by: str
) -> _LaidOut:
    matrix = source.matrix.rows
    if options.method != PCA:
        points, method = lay_out_with(options.method, matrix, rows, options.seed)
        return _LaidOut(points, (MapAxis(), MapAxis()), method)
    axes = [] if color_by == AXIS else options.axes
    ends = [_ends(source, axis) for axis in axes]
    angle = None
    if len(ends) == 2:
        made, angle = projection.across(matrix, fitted, ends[0], ends[1])
    elif ends:
        made = projection.along(matrix, fitted, ends[0])
    else:
        made = projection.principal(matrix, fitted)
    named: list[tuple[str, str] | None] = [*axes, None, None]
    x, y = (_axis(source, named[place], made.shares[place]) for place in (0, 1))
    method = Method(AXIS if axes else PCA, settings={"sign": "largest number positive"})
    return _LaidOut(made.points(matrix, rows), (x, y), method, made, angle)


def _axis(source: Source, ends: tuple[str, str] | None, share: float) -> MapAxis:
    if ends is None:
        return MapAxis(share=share)
    low, high = (tuple(split_words(source, [end])) for end in ends)
    return MapAxis(low, high, share)


def _ends(source: Source, axis: tuple[str, str]) -> End:
    low, high = (split_words(source, [end]) for end in axis)
    if not low or not high:
        raise UsageError(f"an end of --axis has no word; expected {_DIFFER}")
    return End(*ends_of(source, low, high, f"--axis LOW HIGH with {_DIFFER}"))


def _before(
    source: Source, options: MapOptions, made: Projection | None, rows: Rows, fitted: Rows
) -> tuple[Doubles | None, float | None]:
    """Return where the points were, on the axes of those that are, and what was seen of them."""
    if options.before is None or made is None or source.run is None:
        return None, None
    if options.before == source.epoch or options.before > source.run.epochs:
        raise UsageError(
            f"--before is {options.before}; expected 0 to {source.run.epochs}, the epochs of this "
            f"run, but for {source.epoch}, which is that of the map itself"
        )
    then: Vectors = open_embedding(source.run, options.before).rows
    if not finite_among(then, rows).all():
        raise DataError(
            f"rows of epoch {options.before} hold NaN or infinity; expected finite ones: choose "
            "another epoch"
        )
    if options.metric == "cosine":
        then = _of_length_1(replace(source, matrix=replace(source.matrix, rows=then))).matrix.rows
    return made.points(then, rows), made.share_of(then, fitted)


def _labels(points: Doubles, *, by_distance: bool) -> tuple[int, ...]:
    """Return the places of points to label, the most wanted first.

    Where distances mean something, these are words far from the middle, which say what the
    directions are, and after every three of them one of the most frequent, which says what lies
    between; elsewhere the most frequent alone.
    """
    frequent = range(min(len(points), _MOST_LABELS))
    if not by_distance:
        return tuple(frequent)
    apart = points - np.median(points, axis=0)
    distances = np.vecdot(apart, apart)
    most = min(len(points), _MOST_LABELS)
    edge = np.argsort(-distances, kind="stable")[:most].tolist()
    mixed = chain.from_iterable(
        [*edge[3 * turn : 3 * turn + 3], place] for turn, place in enumerate(frequent)
    )
    return tuple(dict.fromkeys(mixed))[:most]


def _shade(
    source: Source, options: MapOptions, color_by: str, rows: Rows, names: Sequence[str]
) -> Shade | None:
    match color_by:
        case "none":
            return None
        case "norm":
            return map_colours.by_norm(source, rows)
        case "moved":
            assert source.run is not None
            epoch = options.before or 0
            when = "before training" if epoch == 0 else f"after epoch {epoch}"
            before = open_embedding(source.run, epoch).rows
            return map_colours.by_moved(source, rows, before, when)
        case "axis":
            low, high = options.axes[0]
            return map_colours.by_axis(source, rows, _ends(source, (low, high)), low, high)
        case "classifier":
            return map_colours.by_classifier(source, rows, names, options.backend)
    return map_colours.by_column(source, color_by, names)
