"""Points in two dimensions, on a terminal: dots, labels beside their points, and a legend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from embedinspect.output.digits import decimals_for, table_number
from embedinspect.output.pictures.scatter_cells import (
    ACROSS,
    CROWDS,
    DOWN,
    STEPS,
    Array,
    Canvas,
    Frame,
    Look,
    draw,
    ends_of_signs,
    level_of_point,
    sign_of,
    style_of,
)
from embedinspect.output.screen import STYLES, Screen
from embedinspect.pictures import Scatter, Shade
from embedinspect.plots.labels import Rectangle, Wanted, place
from embedinspect.plots.scales import round_ticks

LONGEST_LABEL = 20
BESIDE = 3  # columns between two pictures
GUTTER = 6  # columns for the numbers of the y axis
_NARROWEST_OF_TWO = 56
_LEAST_LINES, _MOST_LINES = 11, 44
_LINES_AROUND = 12  # what stands above and below the picture, and the prompt
_LINES_WITHOUT_TERMINAL = 44
# How much of a label may stand on other points; of labels that are needed, all.
_MOST_HIDDEN = 0.25
_CELLS_FOR_A_LABEL = 42


def scatter_lines(scatter: Scatter, screen: Screen) -> Iterator[Text]:
    """Yield the lines of the picture: before and after side by side where there is room."""
    for line in screen.wrap(screen.text(scatter.title), screen.width):
        yield Text(line, style="bold")
    if not len(scatter.points):
        return
    look = Look.of(screen)
    times = [(scatter.after_name, scatter.points)]
    if scatter.before is not None:
        times.insert(0, (scatter.before_name, scatter.before))
    beside = len(times) == 2 and screen.width >= 2 * _NARROWEST_OF_TWO + BESIDE
    columns = (screen.width - BESIDE) // 2 if beside else screen.width
    most_lines = _most_lines(screen, columns, 1 if beside else len(times))
    frame = _frame(scatter, columns - (0 if scatter.square else GUTTER), most_lines)
    pictures = [_picture(scatter, frame, name, points, look, screen) for name, points in times]
    if beside:
        for left, right in zip(pictures[0].lines, pictures[1].lines, strict=True):
            left.pad_right(columns + BESIDE - cell_len(left.plain))
            yield left + right
    else:
        for picture in pictures:
            yield from picture.lines
    yield from _below(scatter, pictures[-1], look, screen)


def _most_lines(screen: Screen, columns: int, pictures: int) -> int:
    height = _LINES_WITHOUT_TERMINAL
    if screen.console.is_terminal:
        height = screen.console.size.height - _LINES_AROUND
    by_width = round(0.36 * columns)
    return max(_LEAST_LINES, min(height // pictures, by_width, _MOST_LINES))


def _frame(scatter: Scatter, columns: int, most_lines: int) -> Frame:
    """Return the part of the plane that all points are in; where they were, too."""
    everything = scatter.points
    if scatter.before is not None:
        everything = np.concatenate([scatter.points, scatter.before])
    low, high = everything.min(axis=0), everything.max(axis=0)
    size = high - low
    left = max(1, columns // 12)
    dots = np.array([ACROSS * (columns - 2 * left) - 1, DOWN * (most_lines - 2) - 1])
    steps = size / dots
    if scatter.square:
        steps = np.full(2, steps.max())
    steps = np.where(steps > 0, steps, 1.0)
    lines = math.ceil((size[1] / steps[1] + 1) / DOWN) + 2
    lines = min(most_lines, max(_LEAST_LINES, lines))
    # The points stand in the middle of what is left over.
    spare = np.array([dots[0], DOWN * lines - 1]) - size / steps
    x, y = low - steps * np.floor(spare / 2)
    return Frame(columns, lines, left, (float(x), float(y)), (float(steps[0]), float(steps[1])))


@dataclass(frozen=True)
class _Picture:
    """One picture as lines, and how many labels found room."""

    lines: list[Text]
    labelled: int
    marked: int


def _picture(
    scatter: Scatter, frame: Frame, name: str, points: Array, look: Look, screen: Screen
) -> _Picture:
    canvas = Canvas(frame.columns, frame.lines)
    counts = draw(canvas, scatter, frame, points, look, screen)
    labelled, marked = _labels(canvas, scatter, frame, points, counts, look, screen)
    body = [*canvas.texts(), *_scale(scatter, frame, screen)]
    if not scatter.square:
        body = [number + line for number, line in zip(_gutter(frame, len(body)), body, strict=True)]
    lines = [Text(screen.text(name), style="bold")] if name else []
    return _Picture([*lines, *body], labelled, marked)


def _labels(
    canvas: Canvas,
    scatter: Scatter,
    frame: Frame,
    points: Array,
    counts: Array,
    look: Look,
    screen: Screen,
) -> tuple[int, int]:
    """Write labels beside their points; return how many found room, and how many marked ones."""
    asked = list(dict.fromkeys(scatter.marked))
    others = [one for one in dict.fromkeys(scatter.labels) if one not in set(asked)]
    most = canvas.columns * canvas.lines // _CELLS_FOR_A_LABEL
    columns, lines = frame.cells(points[[*asked, *others]])
    names = [_name(scatter, one, look, screen) for one in [*asked, *others]]
    wanted = [
        Wanted(Rectangle(x, y, x + 1, y + 1), cell_len(name), 1, needed=number < len(asked))
        for number, (x, y, name) in enumerate(
            zip(columns.tolist(), lines.tolist(), names, strict=True)
        )
    ]
    filled = np.concatenate([np.zeros((canvas.lines, 1)), np.cumsum(counts > 0, axis=1)], axis=1)

    def hides(spot: Rectangle) -> float:
        line, left, right = int(spot.top), int(spot.left), int(spot.right)
        if not (0 <= line < canvas.lines and left >= 0 and right <= canvas.columns):
            return 1.0
        return float(filled[line, right] - filled[line, left]) / max(1, right - left)

    places = place(
        wanted,
        Rectangle(0, 0, canvas.columns, canvas.lines),
        gap=(1, 0),
        sides=("right", "left"),  # where no one takes it for another's
        whole=True,
        hides=hides,
        most_hidden=_MOST_HIDDEN,
    )
    placed = [number for number, spot in enumerate(places) if spot is not None]
    kept = [number for number in placed if number < len(asked)]
    kept += [number for number in placed if number >= len(asked)][:most]
    for number, one in reversed(list(enumerate([*asked, *others]))):
        needed = number < len(asked)
        spot = places[number]
        if not needed and number not in set(kept):
            continue
        style = _label_style(scatter.shade, one, look, needed=needed)
        column, line = int(columns[number]), int(lines[number])
        canvas.write(column, line, look.marked if needed else look.labelled, style)
        if spot is not None:
            canvas.write(int(spot.left), int(spot.top), names[number], style)
    return len(kept), sum(number < len(asked) for number in kept)


def _name(scatter: Scatter, one: int, look: Look, screen: Screen) -> str:
    """Return the label of a point; with what its colour would say, where there is none."""
    name = screen.clip(screen.text(scatter.label(one)), LONGEST_LABEL)
    if not look.signs(scatter.shade):
        return name
    sign = sign_of(scatter.shade, level_of_point(scatter.shade, one))
    return f"{name}({screen.text(sign)})"


def _label_style(shade: Shade | None, one: int, look: Look, *, needed: bool) -> str:
    style = "" if shade is None else style_of(shade, level_of_point(shade, one), look)
    return f"bold {style}".strip() if needed else style


def _gutter(frame: Frame, lines: int) -> list[Text]:
    """Return what stands before so many lines: round numbers of the y axis where they stand."""
    high = frame.low[1] + DOWN * frame.lines * frame.steps[1]
    ticks, decimals = round_ticks(frame.low[1], high, max(2, frame.lines // 5))
    numbers = {frame.line_of(tick): table_number(tick, decimals) for tick in ticks}
    texts = (numbers.get(line, "") for line in range(lines))
    return [Text(f"{text[: GUTTER - 1]:>{GUTTER - 1}} ", style=STYLES["aside"]) for text in texts]


def _scale(scatter: Scatter, frame: Frame, screen: Screen) -> list[Text]:
    """Return the x axis: a rule, and round numbers where they stand, if they mean anything."""
    rule = Text(screen.signs.rule * frame.columns, style=STYLES["aside"])
    if not scatter.x_name:
        return [rule]
    width = ACROSS * frame.columns * frame.steps[0]
    low = frame.low[0] - ACROSS * frame.left * frame.steps[0]
    ticks, decimals = round_ticks(low, low + width, max(2, frame.columns // 16))
    numbers = Canvas(frame.columns, 1)
    for tick in ticks:
        text = table_number(tick, decimals)
        column = frame.column_of(tick) - len(text.lstrip("-")) // 2 - text.startswith("-")
        if 0 <= column <= frame.columns - len(text):
            numbers.write(column, 0, text, STYLES["aside"])
    return [rule, *numbers.texts()]


def _below(scatter: Scatter, picture: _Picture, look: Look, screen: Screen) -> Iterator[Text]:
    """Yield what stands below the picture: axes, legend, and how much of the truth it shows."""
    if scatter.x_name:
        unit = " (same unit)" if scatter.square and scatter.y_name else ""
        axes = f"across: {scatter.x_name}; up: {scatter.y_name}{unit}"
        yield from _sentence(axes, screen)
    if scatter.shade is not None:
        yield from _legend(scatter.shade, look, screen)
    yield from _sentence(_signs(scatter, picture, look), screen)
    if scatter.remark:
        yield Text()
        yield from _sentence(scatter.remark, screen)


def _sentence(text: str, screen: Screen) -> Iterator[Text]:
    yield from map(Text, screen.wrap(screen.text(text), screen.prose_width))


def _signs(scatter: Scatter, picture: _Picture, look: Look) -> str:
    """Return what the signs are, and how many labels are there."""
    parts = []
    others = picture.labelled - picture.marked
    if scatter.marked:
        room = len(set(scatter.marked)) - picture.marked
        parts.append(
            f"{look.marked} asked for" + (f" ({room:,} without room for a label)" if room else "")
        )
    if others:
        parts.append(f"{look.labelled} labelled ({others:,} of {len(scatter.names):,})")
    if look.signs(scatter.shade):
        parts.append("every sign, or the one in brackets: one row, or several near each other")
    elif look.braille:
        parts.append("every dot: one row, or several at one place")
    else:
        ends = [*(str(least - 1) for least, _ in CROWDS[1:]), "more"]
        parts.append(
            "rows in a cell: "
            + ", ".join(
                f"{sign} {least}"
                + ("" if str(least) == end else f" to {end}" * (end != "more"))
                + (" or more" if end == "more" else "")
                for (least, sign), end in zip(CROWDS, ends, strict=True)
            )
        )
    return "   ".join(parts)


def _legend(shade: Shade, look: Look, screen: Screen) -> Iterator[Text]:
    """Yield what colours stand for, or the signs in their place."""
    name = screen.text(shade.name)
    pieces: list[Text] = []
    if shade.categories:
        for number, kind in enumerate(shade.categories):
            sign = screen.signs.bar * 2 if look.colours else sign_of(shade, number)
            pieces.append(
                Text.assemble(
                    (sign, style_of(shade, number, look)),
                    " " + screen.clip(screen.text(kind), LONGEST_LABEL),
                )
            )
    elif look.colours:
        pieces.append(_bar(shade, look, screen))
    else:
        decimals = decimals_for([shade.low, shade.high], 2)
        signs = list(ends_of_signs(shade))
        for number, (sign, low, high) in enumerate(signs):
            first, last = number == 0, number == len(signs) - 1
            low_text, high_text = table_number(low, decimals), table_number(high, decimals)
            what = f"below {high_text}" if first else f"{low_text} to {high_text}"
            end = shade.low_name if first else shade.high_name if last else ""
            what = f"above {low_text}" if last else what
            pieces.append(Text(screen.text(f"{sign} {what}" + (f" ({end})" if end else ""))))
    if np.isnan(np.asarray(shade.values, np.float64)).any():
        sign = screen.signs.bar * 2 if look.colours else sign_of(shade, None)
        pieces.append(Text.assemble((sign, style_of(shade, None, look)), " no value"))
    yield from _wrapped(f"{name}:", pieces, screen)


def _bar(shade: Shade, look: Look, screen: Screen) -> Text:
    decimals = decimals_for([shade.low, shade.high], 3)
    low, high = (table_number(number, decimals) for number in (shade.low, shade.high))
    values = np.asarray(shade.values, np.float64)
    low += " or less" * bool((values < shade.low).any())
    high += " or more" * bool((values > shade.high).any())
    bar = Text(screen.text(f"{shade.low_name} {low} ".lstrip()))
    for level in range(0 if shade.middle is None else -STEPS, STEPS + 1):
        bar.append(screen.signs.bar, style_of(shade, level, look))
    bar.append(screen.text(f" {high} {shade.high_name}".rstrip()))
    return bar


def _wrapped(head: str, pieces: Sequence[Text], screen: Screen) -> Iterator[Text]:
    """Yield pieces behind a heading, on as many lines as they need; none is broken."""
    lines = [Text(part) for part in screen.wrap(head, screen.width)]
    for piece in pieces:
        if cell_len(lines[-1].plain) + 2 + cell_len(piece.plain) <= screen.width:
            lines[-1] = Text("  ").join([lines[-1], piece])
        else:
            lines.append(piece)
    yield from lines
