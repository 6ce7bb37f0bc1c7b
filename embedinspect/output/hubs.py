"""Hubs of a matrix, as `info --hubs` tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from embedinspect.analysis.hubs import Occurrences
from embedinspect.output.labels import row_name
from embedinspect.page import Fact
from embedinspect.source import Source
from embedinspect.wording import plural

_MOST = 4


def facts(source: Source, occurrences: Occurrences) -> Iterator[Fact]:
    """Yield which rows are among the nearest of the most others, and how uneven that is."""
    k, asked = occurrences.k, occurrences.asked
    names = ", ".join(
        f"{row_name(source, hub.row)} of {hub.count:,}" for hub in occurrences.hubs[:_MOST]
    )
    if occurrences.sampled:
        share = k * asked / occurrences.rows
        evenly = f"{share:.0f}" if share >= 10 else f"{share:.2g}"
        others = f"{evenly} of {plural(asked, 'row')} that were asked,"
    else:
        others = f"{k} others"
    yield Fact("hubs", f"a row is among the {k} nearest of {others} on average, but {names}")
    if occurrences.sampled:
        yield Fact("", f"these are a sample of {occurrences.rows:,}, drawn with seed 0")
    uneven = []
    if occurrences.anti_hubs is not None:
        uneven.append(_nobodys(occurrences.anti_hubs))
    if occurrences.skewness is not None:
        off = occurrences.skewness_error
        uneven.append(
            f"skewness {occurrences.skewness:.2f}"
            + (f" ± {off:.2f}" if off is not None else "")
            + " (0 where as many rows are far above the average as far below)"
        )
    if uneven:
        yield Fact("", "; ".join(uneven))


def _nobodys(rows: int) -> str:
    """Return how many rows are nobody's neighbor."""
    if not rows:
        return "every row is among the nearest of another"
    return (
        f"{plural(rows, 'row')} {'is' if rows == 1 else 'are'} never among the nearest of another"
    )


def document(source: Source, occurrences: Occurrences) -> dict[str, Any]:
    """Return the numbers of hubs."""
    return {
        "k": occurrences.k,
        "metric": occurrences.metric,
        "rows": occurrences.rows,
        "asked": occurrences.asked,
        "skewness": occurrences.skewness,
        "skewness_error": occurrences.skewness_error,
        "anti_hubs": occurrences.anti_hubs,
        "hubs": [
            {
                "row": hub.row,
                "word": source.words[hub.row] if source.words is not None else None,
                "count": hub.count,
                "share": hub.share,
            }
            for hub in occurrences.hubs
        ],
    }
