"""What a difference may come to at most, and at least: for `diff` as a check."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embedinspect.analysis.diff import Difference
from embedinspect.errors import UsageError
from embedinspect.source import Source
from embedinspect.wording import clipped_repr, listed, plural

_MOST_NAMED = 5
# What is said of each number.
_NAMES = {
    "overlap": "the overlap of neighbors",
    "correlation": "the rank correlation of similarities",
    "cosine": "the mean cosine",
}


@dataclass(frozen=True)
class Limits:
    """What a difference may come to.

    Attributes:
        most: how far a row may move; None for any distance.
        least: the least value of each number, by its name.
    """

    most: float | None
    least: Mapping[str, float]

    @classmethod
    def of(cls, most: float | None, least: Sequence[str]) -> Limits:
        """Return limits as they are typed: the least values as `overlap=0.9`.

        Raises:
            UsageError: one of them is no name and number.
        """
        limits: dict[str, float] = {}
        for text in least:
            name, _, number = text.partition("=")
            try:
                value = float(number)
            except ValueError:
                value = math.nan
            if name not in _NAMES or not abs(value) <= 1:
                raise UsageError(
                    f"--fail-under is {clipped_repr(text)}; expected one of {listed(_NAMES)} with "
                    "a number up to 1, such as overlap=0.9"
                )
            limits[name] = value
        return cls(most, limits)

    def check(
        self, a: Source, b: Source, *, neighbors: int, dims: tuple[int | None, int | None]
    ) -> None:
        """Refuse limits of what will not be computed.

        Args:
            neighbors: how many nearest rows are compared.
            dims: how many first numbers of the rows of each matrix; None for all.

        Raises:
            UsageError: distances or cosines of rows that differ in width, neighbors of none.
        """
        widths = dims[0] or a.matrix.output_dim, dims[1] or b.matrix.output_dim
        needs = "--fail-over" if self.most is not None else ""
        if "cosine" in self.least:
            needs = "--fail-under cosine"
        if needs and widths[0] != widths[1]:
            raise UsageError(
                f"{needs} needs rows of the same width, but {a.path!r} has {widths[0]} "
                f"numbers in a row, {b.path!r} has {widths[1]}; expected --fail-under with overlap "
                "or correlation"
            )
        if "overlap" in self.least and not neighbors:
            raise UsageError("--fail-under overlap needs neighbors; leave out --neighbors 0")

    def failures(self, difference: Difference) -> list[str]:
        """Return a sentence for each limit that is not kept.

        A number that cannot be told, as the cosine where all rows are zero, keeps none. Nor does
        any number where a row is finite on one side alone: it says nothing of that row.
        """
        if self.most is None and not self.least:
            return []
        beyond = None if self.most is None else _moved_beyond(difference, self.most)
        values = {
            "overlap": difference.overlap,
            "correlation": difference.similarities.correlation,
            "cosine": difference.mean_cosine,
        }
        failures = broken(difference) if difference.of_all else []
        failures += [] if beyond is None else [beyond]
        for name, least in self.least.items():
            value = values[name]
            if value is None or math.isnan(value):
                failures.append(f"{_NAMES[name]} cannot be told; expected {least:g} or more")
            elif value < least:
                failures.append(
                    f"{_NAMES[name]} is {_below(value, least)}; expected {least:g} or more"
                )
        return failures


def _moved_beyond(difference: Difference, most: float) -> str | None:
    """Return what to say where rows moved farther than was allowed; None where none did."""
    count = int((difference.distances > most).sum())
    if not count:
        return None
    first = [row.word for row in difference.moved[: min(count, _MOST_NAMED)]]
    return f"{plural(count, 'row')} moved farther than {most:g}: {_some(first, count)}"


def broken(difference: Difference) -> list[str]:
    """Return what to say of the rows that are finite in one matrix alone, for each of the two."""
    said = []
    for label, pairs in (("A", difference.broken_a), ("B", difference.broken_b)):
        first = [pairs.name(place) for place in range(min(len(pairs), _MOST_NAMED))]
        if first:
            verb = "is" if len(pairs) == 1 else "are"
            count = plural(len(pairs), "row")
            said.append(f"{count} {verb} not finite in {label} alone: {_some(first, len(pairs))}")
    return said


def _some(first: Sequence[str], count: int) -> str:
    """Return the first of so many names, and how many more there are."""
    return ", ".join(first) + (f", and {count - len(first):,} more" if count > len(first) else "")


def _below(value: float, least: float) -> str:
    """Return a number with as many digits as show that it is less."""
    for digits in range(3, 17):
        written = f"{value:.{digits}g}"
        if float(written) < least:
            return written
    return repr(value)
