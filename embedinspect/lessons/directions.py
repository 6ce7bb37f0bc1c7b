"""Directions: what a cosine is worth, and what rank and isotropy say of a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from embedinspect.lessons.lesson import Experiment, Request
from embedinspect.lessons.parts import column, exact, table
from embedinspect.wording import plural

Floats = np.ndarray[Any, np.dtype[np.float64]]

WIDTHS, ASKED_WIDTH = (2, 10, 50, 300), 50
COSINE = 0.6
# Of wide rows fewer are drawn, so that all have about as many numbers.
MOST_ROWS, FEWEST_ROWS, MOST_NUMBERS = 300, 20, 2 * 10**6
COMMON = (0.0, 0.5, 1.0, 2.0)
ROWS, WIDTH = 300, 20
COMMON_LENGTH, STRONG = 10.0, 6.0


def cosine(request: Request) -> Experiment:
    """A cosine has no scale of its own: chance gives one for each width, and for each matrix."""
    asked = request.size("output_dim", ASKED_WIDTH)
    widths = sorted({*WIDTHS, asked})
    by_chance = {width: _cosines(_draw(width)) for width in widths}
    nearest = {width: _nearest(_draw(width)) for width in widths}
    shifted = {common: _cosines(_draw(asked) + common) for common in COMMON}
    chance = float(by_chance[asked].std())
    last = shifted[COMMON[-1]]
    centred = _draw(asked) + COMMON[-1]
    centred = _cosines(centred - centred.mean(axis=0))
    above = (COSINE - float(by_chance[asked].mean())) / chance
    spread = float(last.std())
    place = (COSINE - float(last.mean())) / spread if spread > 1e-9 else 0.0
    rows = len(_draw(asked))
    return Experiment(
        intro="The cosine of two rows is 1 where they point the same way, 0 where they are at "
        "right angles, -1 where they are opposite. The rows here are drawn at random and have no "
        f"meaning: {MOST_ROWS} of each width, or fewer where they are very wide.",
        tables=[
            table(
                "Cosines of random rows",
                [
                    column("width", widths),
                    column("1 / sqrt(width)", [exact(width**-0.5) for width in widths]),
                    column("deviation", [exact(by_chance[width].std()) for width in widths]),
                    column("nearest row", [exact(nearest[width]) for width in widths]),
                    column(
                        f"above {COSINE}",
                        [f"{(by_chance[width] > COSINE).mean():.1%}" for width in widths],
                    ),
                ],
            ),
            table(
                f"Width {asked}, and the same number added to all dimensions",
                [
                    column("added", COMMON),
                    column("mean cosine", [exact(c.mean()) for c in shifted.values()]),
                    column("deviation", [exact(c.std()) for c in shifted.values()]),
                    column(
                        f"above {COSINE}",
                        [f"{(c > COSINE).mean():.1%}" for c in shifted.values()],
                    ),
                ],
            ),
        ],
        findings=[
            f"Two random rows of {plural(asked, 'dimension')} have a cosine of 0, give or take "
            f"{chance:.2g}: it shrinks with the root of the width. {COSINE} lies {above:.1f} "
            "deviations above that.",
            f"Even so, the nearest of {rows} random rows has {nearest[asked]:.2f} on average: the "
            "best of many is no evidence that two words are related.",
            f"Where all rows share a direction, cosines are high for that alone: with "
            f"{COMMON[-1]:g} added their mean is {last.mean():.3f}, and {COSINE} lies "
            f"{abs(place):.1f} of their deviations ({spread:.3f}) "
            f"{'below' if place < 0 else 'above'} it. Less the mean "
            f"row, the same rows have {_plain(centred.mean())}.",
        ],
        rule="Hold a cosine against the cosines of other pairs of the same matrix: info has their "
        "mean, and what random directions of that width give. Between two models compare "
        "orders of neighbors, not cosines.",
        code=[
            "import numpy as np",
            "draw = np.random.RandomState(0).standard_normal",
            f"random_rows = draw(({rows}, {asked}))",
            "def cosines(rows):",
            "    lengths = np.linalg.norm(rows, axis=1)",
            "    unit = rows / lengths[:, None]",
            "    pairs = np.triu_indices(len(rows), 1)",
            "    return (unit @ unit.T)[pairs]",
            "deviation = cosines(random_rows).std()",
            f"shifted = random_rows + {COMMON[-1]}",
            "mean = cosines(shifted).mean()",
            "centred = cosines(shifted - shifted.mean(axis=0))",
            "mean_centred = centred.mean()",
            "print(deviation, mean, mean_centred)",
        ],
        numbers={
            "deviation": chance,
            "mean": float(last.mean()),
            "mean_centred": float(centred.mean()),
        },
        next=[
            "embedinspect info sample:vectors",
            "embedinspect neighbors sample:vectors king",
            "embedinspect explain isotropy",
        ],
    )


@dataclass(frozen=True)
class Figures:
    """What `info` says of directions."""

    mean_cosine: float
    first_share: float
    participation_ratio: float
    effective_rank: float


def isotropy(request: Request) -> Experiment:
    """The mean cosine sees what all rows share; the rank sees in what few ways they differ."""
    random = np.random.RandomState(0).standard_normal((ROWS, WIDTH))
    common = np.full(WIDTH, COMMON_LENGTH / WIDTH**0.5)
    strong = np.zeros((ROWS, WIDTH))
    strong[:, 0] = np.random.RandomState(1).choice([-STRONG, STRONG], ROWS)
    both = random + common + strong
    less_mean = both - both.mean(axis=0)
    removed = _without_first(less_mean)
    kinds = {
        "random": random,
        "+ common": random + common,
        "+ strong": random + strong,
        "+ both": both,
        "- mean": less_mean,
        "- both": removed,
    }
    figures = {name: _figures(rows) for name, rows in kinds.items()}
    same = {name: _same_nearest(random, rows) for name, rows in kinds.items()}
    plain, shared, alone, last = (
        figures[name] for name in ("random", "+ common", "+ strong", "- both")
    )
    return Experiment(
        intro=f"{ROWS} random rows of {WIDTH} dimensions point every way: they are isotropic. To "
        "all of them one vector is added (common), or to each as much of one direction, plus or "
        "minus, as training for a yes or no would (strong). The last two lines take away again "
        "the mean row, and the direction along which the rows vary most.",
        tables=[
            table(
                "One large direction, and its removal",
                [
                    column("rows", kinds),
                    replace(
                        column(
                            "mean cosine", [each.mean_cosine + 0.0 for each in figures.values()]
                        ),
                        decimals=2,
                    ),
                    column(
                        "first direction", [f"{each.first_share:.0%}" for each in figures.values()]
                    ),
                    column(
                        "participation ratio",
                        [exact(each.participation_ratio) for each in figures.values()],
                    ),
                    column(
                        "effective rank", [exact(each.effective_rank) for each in figures.values()]
                    ),
                    column("same nearest row", [f"{share:.0%}" for share in same.values()]),
                ],
            )
        ],
        findings=[
            "A vector that all rows share raises the mean cosine from "
            f"{_plain(plain.mean_cosine)} to {shared.mean_cosine:.2f} and leaves the rank at "
            f"{shared.effective_rank:.1f}: it is that of the rows less their mean.",
            "A direction in which the rows differ much does the opposite: the mean cosine stays "
            f"at {_plain(alone.mean_cosine)}, and {alone.first_share:.0%} of the variance lies "
            "along it, as if "
            f"{alone.participation_ratio:.1f} directions shared it evenly. The effective rank is "
            f"{alone.effective_rank:.1f}, as it goes by the square roots of these shares.",
            f"Only {same['+ both']:.0%} of the rows keep their nearest row with both, and "
            f"{same['- both']:.0%} with both taken away again, which takes "
            "one of the random dimensions as well; the mean cosine is "
            f"{_plain(last.mean_cosine)} then.",
        ],
        rule="Of word vectors, what all rows share and the strongest directions are mostly "
        "frequency: to take them away often helps neighbors (Mu & Viswanath 2018, All-but-the-"
        "top). In a classifier's rows the strongest direction is what it has learned: keep it.",
        code=[
            "import numpy as np",
            "draw = np.random.RandomState(0).standard_normal",
            f"rows = draw(({ROWS}, {WIDTH})) + {COMMON_LENGTH} / {WIDTH} ** 0.5",
            "rows[:, 0] += np.random.RandomState(1).choice(",
            f"    [-{STRONG}, {STRONG}], {ROWS})",
            "unit = rows / np.linalg.norm(rows, axis=1)[:, None]",
            "pairs = np.triu_indices(len(rows), 1)",
            "mean_cosine = (unit @ unit.T)[pairs].mean()",
            "centred = rows - rows.mean(axis=0)",
            "_, sizes, directions = np.linalg.svd(",
            "    centred, full_matrices=False)",
            "variance = sizes**2 / (sizes**2).sum()",
            "participation_ratio = 1 / (variance**2).sum()",
            "shares = sizes / sizes.sum()",
            "effective_rank = np.exp(",
            "    -(shares * np.log(shares)).sum())",
            "first = directions[0]",
            "removed = centred - np.outer(centred @ first, first)",
            "kept = (removed**2).sum() / (centred**2).sum()",
            "print(mean_cosine, participation_ratio,",
            "      effective_rank, kept)",
        ],
        numbers={
            "mean_cosine": figures["+ both"].mean_cosine,
            "participation_ratio": figures["+ both"].participation_ratio,
            "effective_rank": figures["+ both"].effective_rank,
            "kept": float((removed**2).sum() / (less_mean**2).sum()),
        },
        next=[
            "embedinspect info sample:vectors",
            "embedinspect rows sample:vectors --sort outlier",
            "embedinspect explain cosine",
        ],
    )


def _plain(number: float) -> str:
    """Return a number with two decimals, and nothing as 0.00 without a sign."""
    return f"{round(number, 2) + 0.0:.2f}"


def _draw(width: int) -> Floats:
    """Return random rows; few of them where they are wide."""
    count = max(FEWEST_ROWS, min(MOST_ROWS, MOST_NUMBERS // width))
    rows: Floats = np.random.RandomState(0).standard_normal((count, width))
    return rows


def _units(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units: Floats = rows / np.where(lengths > 0, lengths, 1)
    return units


def _cosines(rows: Floats) -> Floats:
    """Return the cosine of each pair of rows."""
    units = _units(rows)
    pairs: Floats = (units @ units.T)[np.triu_indices(len(rows), 1)]
    return pairs


def _nearest_rows(rows: Floats) -> tuple[Sequence[int], Floats]:
    """Return the nearest other row of each row, and its cosine."""
    cosines = _units(rows) @ _units(rows).T
    np.fill_diagonal(cosines, -np.inf)
    return cosines.argmax(axis=1).tolist(), cosines.max(axis=1)


def _nearest(rows: Floats) -> float:
    return float(_nearest_rows(rows)[1].mean())


def _same_nearest(rows: Floats, others: Floats) -> float:
    """Return the share of the rows that have the same nearest row in both."""
    return float(np.mean(np.equal(_nearest_rows(rows)[0], _nearest_rows(others)[0])))


def _figures(rows: Floats) -> Figures:
    """Return the figures by their formulas; sources stand in `analysis/moments.py`."""
    sizes = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    sizes = sizes[sizes > sizes[0] * 1e-7]
    variance, shares = sizes**2 / (sizes**2).sum(), sizes / sizes.sum()
    return Figures(
        float(_cosines(rows).mean()),
        float(variance[0]),
        float(1 / (variance**2).sum()),
        float(np.exp(-(shares * np.log(shares)).sum())),
    )


def _without_first(centred: Floats) -> Floats:
    """Return rows less what lies along the direction in which they vary most."""
    first = np.linalg.svd(centred, full_matrices=False)[2][0]
    removed: Floats = centred - np.outer(centred @ first, first)
    return removed
