"""The numbers of `info`: lengths, spread, and the directions of the rows."""

from __future__ import annotations

from collections.abc import Iterator

from embedinspect.analysis.health import Health
from embedinspect.analysis.moments import MOST_DIMENSIONS
from embedinspect.analysis.ranks import LengthsByRank
from embedinspect.page import Fact
from embedinspect.source import Source
from embedinspect.wording import plural


def facts(source: Source, health: Health) -> Iterator[Fact]:
    """Yield what lengths, numbers and directions of the rows are like."""
    norms = health.norms
    if norms is None:
        yield Fact("norms", "no row is finite", "wrong")
        return
    yield Fact(
        "norms",
        f"median {norms.median:.4g}, mean {norms.mean:.4g}, from {norms.smallest:.4g} to "
        f"{norms.largest:.4g}",
    )
    yield Fact(
        "numbers",
        f"mean {health.mean:.4g}, standard deviation {health.standard_deviation:.4g}",
    )
    deviations = health.dimension_deviations
    low, high = int(deviations.argmin()), int(deviations.argmax())
    yield Fact(
        "spread",
        f"standard deviation by dimension: from {deviations[low]:.4g} (dim {low}) to "
        f"{deviations[high]:.4g} (dim {high})",
    )
    yield Fact(
        "direction",
        f"the mean row is {health.common_share:.0%} as long as the mean length of the rows "
        "(0% where they point every way, 100% where all point one way)",
    )
    yield from _cosines(health)
    yield from _directions(source, health)


def _cosines(health: Health) -> Iterator[Fact]:
    """Yield the mean cosine, and what it would be if the rows' directions were random."""
    if health.mean_cosine is None or health.random_mean_cosine_deviation is None:
        return
    floor = f"{health.random_mean_cosine_deviation:.3f}"
    by_chance = "0.000" if floor == "0.000" else f"0 ± {floor}"
    pair = f"0 ± {health.random_cosine_deviation:.2f}"
    yield Fact(
        "cosines",
        f"the mean cosine of two rows is {health.mean_cosine:.3f}; random directions have "
        f"{by_chance} (and a single pair of them {pair})",
    )


def _directions(source: Source, health: Health) -> Iterator[Fact]:
    """Yield how the variance is shared among directions; both numbers of these say by what."""
    width, most = source.matrix.output_dim, health.most_directions
    if health.effective_rank is None or health.first_direction_share is None:
        rows = len(health.histogram_rows)
        why = (
            "there is one finite row alone, so nothing varies"
            if rows == 1
            else "all finite rows are the same, so nothing varies"
            if min(width, rows) <= MOST_DIMENSIONS
            else f"it takes long for more than {MOST_DIMENSIONS:,} rows and dimensions"
        )
        yield Fact("rank", f"not computed: {why}", "notable")
        return
    before = health.first_direction_share_before
    trained = "" if before is None else f", {before:.0%} before training"
    yield Fact(
        "variance",
        f"{health.first_direction_share:.0%} lies along one direction{trained} (an even share is "
        f"{1 / most:.0%}); 90% along {health.directions_for_90_percent:,} of {most:,}"
        + (f", which is all that {most + 1:,} rows can have" if most < width else ""),
    )
    yield Fact(
        "rank",
        f"as if {health.participation_ratio:.1f} of {plural(most, 'direction')} shared the "
        "variance evenly (participation ratio)",
    )
    yield Fact(
        "",
        f"the effective rank is {health.effective_rank:.1f}: it goes by the singular values, not "
        "by their squares, the variances, so weak directions count for more",
    )


def by_rank(lengths: LengthsByRank | None) -> Iterator[Fact]:
    """Yield how lengths hang on the place of a row, where that is known."""
    if lengths is None:
        return
    first, last = lengths.medians[0], lengths.medians[-1]
    hangs = ""
    if lengths.correlation is not None:
        hangs = f"; rank correlation of length and row {lengths.correlation:+.2f}"
    yield Fact(
        "by rank",
        f"median length {first:.4g} in the first tenth of the rows, {last:.4g} in the last{hangs} "
        "(in most vocabularies, rows stand by frequency)",
    )
