"""Curves as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator

from embedinspect.output.svg.elements import line, picture, text, width_of
from embedinspect.pictures import Curves
from embedinspect.plots.scales import round_ticks

WIDTH, NARROW, HEIGHT = 720.0, 360.0, 300.0
TOP, BOTTOM, LEFT = 28.0, 268.0, 56.0
# Where the names of the lines begin, from the right: the same in most pictures below each other.
_NAMES_ROOM = 0.22
_NAMES = ("one", "two")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
_APART = 16.0
_MOST_TICKS = 6


def curves_svg(curves: Curves, width: float = WIDTH) -> str:
    """Return the lines on one scale, each named at its end, and the best step marked.

    Args:
        width: in pixels; letters stay as they are, so a narrow picture is legible on a phone.
    """
    values = [value for series in curves.series for value in series.values if _finite(value)]
    if not values:
        return picture(width, 40, curves.title, "nothing to draw", [text(LEFT, 24, "no numbers")])
    return picture(
        width, HEIGHT, curves.title, _said(curves), list(_Drawn(curves, width).elements())
    )


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _said(curves: Curves) -> str:
    ends = [
        f"{series.name} from {series.values[0]:.4g} to {series.values[-1]:.4g}"
        for series in curves.series
        if series.values and _finite(series.values[0]) and _finite(series.values[-1])
    ]
    return f"{'; '.join(ends)}. {curves.remark}".strip()


class _Drawn:
    """The places of a picture of curves."""

    def __init__(self, curves: Curves, width: float) -> None:
        self.curves = curves
        values = [float(v) for s in curves.series for v in s.values if _finite(v) and v is not None]
        low, high = min(values), max(values)
        room = (high - low) * 0.05 or abs(high) * 0.05 or 0.05
        self.low, self.high = low - room, high + room
        self.steps = max(len(series.values) for series in curves.series)
        ends = [f"{series.name} {_last(series.values)}" for series in curves.series]
        beside = max(width * _NAMES_ROOM, *map(width_of, ends))
        self.right = max(width / 2, width - beside - 10)

    def x(self, step: int) -> float:
        """Return where a step is, counted from 0."""
        return LEFT + (self.right - LEFT) * (step / max(1, self.steps - 1))

    def y(self, value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - self.low) / (self.high - self.low)

    def elements(self) -> Iterator[str]:
        ticks, decimals = round_ticks(self.low, self.high, _MOST_TICKS)
        for tick in ticks:
            yield line(LEFT, self.y(tick), self.right, self.y(tick), "axis")
            yield text(LEFT - 8, self.y(tick) + 4, f"{tick:.{decimals}f}", "aside", "end")
        yield from self._steps()
        yield from self._best()
        for place, series in enumerate(self.curves.series):
            yield from self._line(place, series.values)
        yield from self._names()

    def _steps(self) -> Iterator[str]:
        first = self.curves.first
        steps, _ = round_ticks(first, first + self.steps - 1, 10)
        whole = sorted({first, *(int(s) for s in steps if s == int(s)), first + self.steps - 1})
        drawn = -math.inf
        for step in whole:
            x = self.x(step - first)
            if x - drawn >= 28:
                name = f"{self.curves.x_name} {step}" if step == first else str(step)
                yield text(x, BOTTOM + 20, name, "aside", "start" if step == first else "middle")
                drawn = x + (width_of(name) if step == first else 0)

    def _best(self) -> Iterator[str]:
        if self.curves.best is None:
            return
        x = self.x(self.curves.best - self.curves.first)
        yield line(x, 4, x, BOTTOM, "line-ink", "4 4")
        label = self.curves.best_label  # above the lines, so that it lies on none
        beyond = x + 6 + width_of(label) > self.right
        yield text(
            x + (-6 if beyond else 6), TOP - 14, label, "aside", "end" if beyond else "start"
        )

    def _line(self, place: int, values: object) -> Iterator[str]:
        name = _NAMES[place % 2]
        dashes = f' stroke-dasharray="{_DASHES[place // 2 % 4]}"' if place > 1 else ""
        run: list[str] = []
        for step, value in enumerate([*list(values), None]):  # type: ignore[call-overload]
            if _finite(value):
                run.append(f"{self.x(step):.1f},{self.y(value):.1f}")
                continue
            if len(run) > 1:
                points = " ".join(run)
                yield (
                    f'<polyline points="{points}" class="line-{name}" stroke-width="2.5"{dashes}/>'
                )
            elif run:
                x, y = run[0].split(",")
                yield f'<circle cx="{x}" cy="{y}" r="3" class="{name}"/>'
            run = []

    def _names(self) -> Iterator[str]:
        """Yield the names at the ends of the lines, moved apart where they would overlap."""
        ends = []
        for place, series in enumerate(self.curves.series):
            known = [value for value in series.values if value is not None and _finite(value)]
            if known:
                ends.append((self.y(known[-1]), place, f"{series.name} {_last(series.values)}"))
        # Down from the highest, and all of them up again by what does not fit below.
        at: list[float] = []
        for y, _, _ in sorted(ends):
            at.append(max(y, at[-1] + _APART) if at else y)
        limit = HEIGHT - 8
        for place in reversed(range(len(at))):
            at[place] = min(at[place], limit)
            limit = at[place] - _APART
        for y, (_, place, name) in zip(at, sorted(ends), strict=True):
            yield text(self.right + 8, y + 4, name, _NAMES[place % 2])


def _last(values: object) -> str:
    known = [value for value in values if _finite(value)]  # type: ignore[attr-defined]
    return f"{known[-1]:.4g}" if known else ""
