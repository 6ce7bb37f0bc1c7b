"""The three tables of `show`: token ids, output tensor, embedding matrix.

One line is one position, so that the eye goes straight from token to id to vector. What fits is
computed before anything is drawn: three layouts, three densities, and as many dimensions of the
vectors as there is room for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.text import Text

from embedinspect.output.digits import decimals_for, table_number, widest_number
from embedinspect.output.grid import Block, Cell, CellColumn, beside, columns_width
from embedinspect.output.pictures.heat import (
    LEFT_OUT,
    Brush,
    HeatLayout,
    bands,
    elided_layouts,
    heading,
)
from embedinspect.output.screen import STYLES, Screen
from embedinspect.output.show.layouts import (
    DENSITIES,
    FEWEST_DIMENSIONS,
    TIGHT,
    Density,
    Vectors,
    heat_ways,
    left_out,
)
from embedinspect.output.show.lines import (
    Line,
    RowLine,
    id_of,
    ids_of,
    name_of,
    part_of,
    position_lines,
    row_lines,
    span_of,
)
from embedinspect.output.sketch import elided_dimensions
from embedinspect.page import Trace
from embedinspect.pictures import Heat
from embedinspect.tokenizing.subwords import Subword, SubwordVocabulary

GREY = STYLES["aside"]
# Six hues, dark on light, that stand out from dark and light backgrounds alike.
HUES = ("#9ad1f5", "#f5c98a", "#a8e0a0", "#e7b3e8", "#f2a7a0", "#d9dc8a")
NAMED_HUES = ("cyan", "yellow", "green", "magenta", "red", "blue")


def trace_lines(trace: Trace, screen: Screen) -> Iterator[Text]:
    """Yield the lines of the three tables, laid out for the screen's width."""
    tables = _Tables(trace, screen)
    layout, density, vectors = tables.fit()
    if not isinstance(vectors, HeatLayout):
        yield from tables.draw(layout, density, vectors)
        return
    parts = tables.bands(layout, density, vectors) if trace.full else [vectors]
    for number, part in enumerate(parts):
        if number:
            yield Text()
        yield from tables.draw(layout, density, part)
    yield Text()
    yield from tables.brush.legend(vectors.form)


class _Tables:
    """What the layouts share, computed once."""

    def __init__(self, trace: Trace, screen: Screen) -> None:
        lookup = trace.lookup
        self.lookup, self.screen, self.full = lookup, screen, trace.full
        self.lines = position_lines(lookup, trace.full)
        self.rows = row_lines(lookup, self.lines, trace.full)
        order = ids_of(lookup, self.lines, self.rows)
        values = lookup.matrix.rows[order]
        decimals = decimals_for(values) if trace.precision is None else trace.precision
        self.decimals = decimals
        self.value_of = {id_: row for id_, row in zip(order, values, strict=True)}
        widest = widest_number(values, decimals)
        last = f"dim {lookup.matrix.output_dim - 1}"
        self.dimension_width = max(widest, len(last))
        self.id_width = len(str(max(order, default=0)))
        self.hue_of = self._hues()
        self.widths: dict[tuple[bool, Density], list[int]] = {}
        self.heat = trace.heat
        self.brush = Brush.of(trace.heat or Heat(1.0), values, screen)

    # -- what fits ---------------------------------------------------------------------------

    def fit(self) -> tuple[str, Density, Vectors]:
        """Return layout, density and dimensions: the roomiest that the width allows."""
        if self.heat is not None and self.heat.always:
            return self._fit_heat()
        layout, density, dimensions = self._fit_numbers()
        if None in dimensions and self.heat is not None and self.screen.colours:
            return self._fit_heat()
        return layout, density, dimensions

    def bands(self, layout: str, density: Density, vectors: HeatLayout) -> list[HeatLayout]:
        """Return the parts in which all dimensions are drawn below each other."""
        form, total = vectors.form, self.lookup.matrix.output_dim
        widths = self._widths_without_dimensions(layout, density)
        room = self.screen.width
        while room and not self._fits(layout, density, widths, room + density.gap):
            room -= 1
        return [HeatLayout(form, (part,)) for part in bands(total, form, room)]

    def _fit_numbers(self) -> tuple[str, Density, list[int | None]]:
        all_of_them = self.lookup.matrix.output_dim
        for layout, fewest in FEWEST_DIMENSIONS.items():
            for density in DENSITIES:
                widths = self._widths_without_dimensions(layout, density)
                # Lines that are shared matter more than dimensions: one is enough to share them.
                enough = 1 if layout == "below" and density is TIGHT else fewest
                least = all_of_them if self.full else min(enough, all_of_them)
                for count in self._candidates(least, all_of_them):
                    extra = self._width_of_numbers(count, density)
                    if self._fits(layout, density, widths, extra):
                        return layout, density, elided_dimensions(all_of_them, count)
        if self.full:  # lines longer than the screen, rather than a number left out
            return "below", DENSITIES[0], elided_dimensions(all_of_them, all_of_them)
        return "stacked", TIGHT, elided_dimensions(all_of_them, 1)

    def _candidates(self, least: int, most: int) -> range:
        roof = min(most, max(least, self.screen.width // self.dimension_width))
        return range(most, least - 1, -1) if roof == most else range(roof, least - 1, -1)

    def _width_of_numbers(self, count: int, density: Density) -> int:
        hidden = self.lookup.matrix.output_dim - count
        width = count * (self.dimension_width + density.gap)
        return width + (len(left_out(hidden, density)) + density.gap if hidden else 0)

    def _fit_heat(self) -> tuple[str, Density, HeatLayout]:
        total, forms = self.lookup.matrix.output_dim, self.brush.forms
        for layout, density, heats in heat_ways(total, forms):
            widths = self._widths_without_dimensions(layout, density)
            for heat in heats:
                if self._fits(layout, density, widths, heat.width(density.gap) + density.gap):
                    return layout, density, heat
        return "stacked", TIGHT, list(elided_layouts(total, forms[-1]))[-1]

    def _widths_without_dimensions(self, layout: str, density: Density) -> list[int]:
        stacked = layout == "stacked"
        if (stacked, density) not in self.widths:
            self.widths[stacked, density] = [
                columns_width(self._input(density).columns),
                columns_width(self._output(density, [], stacked).columns),
                columns_width(self._matrix(density, []).columns),
            ]
        return self.widths[stacked, density]

    def _fits(self, layout: str, density: Density, widths: Sequence[int], extra: int) -> bool:
        """Return whether tables fit the screen whose vectors take so many columns more."""
        titles = [len(title) for title in self._titles(density)]
        first, second, third = (
            max(title, width + added)
            for title, width, added in zip(titles, widths, (0, extra, extra), strict=True)
        )
        together = first + density.block_gap + second
        needed = {
            "beside": together + density.block_gap + third,
            "below": max(together, third),
            "stacked": max(first, second, third),
        }
        return needed[layout] <= self.screen.width

    # -- what is drawn -----------------------------------------------------------------------

    def draw(self, layout: str, density: Density, dimensions: Vectors) -> Iterator[Text]:
        """Yield the lines of the layout."""
        rule = self.screen.signs.rule
        first = self._input(density)
        second = self._output(density, dimensions, layout == "stacked")
        third = self._matrix(density, dimensions)
        if layout == "beside":
            yield from beside([first, second, third], density.block_gap, rule)
            return
        groups = [[first, second], [third]] if layout == "below" else [[first], [second], [third]]
        for number, group in enumerate(groups):
            if number:
                yield Text()
            yield from beside(group, density.block_gap, rule)

    def _titles(self, density: Density) -> tuple[str, str, str]:
        space = " " * density.gap
        texts, maxlen, output_dim = self.lookup.output_shape
        return (
            f"Input token ids{space}({texts}, {maxlen})",
            f"Output tensor{space}({texts}, {maxlen}, {output_dim})",
            f"Embedding matrix{space}({self.lookup.matrix.input_dim}, {output_dim})",
        )

    def _input(self, density: Density) -> Block:
        columns = self._where(density)
        if self.lookup.settings.mask_zero:
            columns.append(CellColumn("mask", self._masks(density), gap=density.gap))
        columns += self._parts(density)
        tokens = [self._token(line, density) for line in self.lines]
        title = self._titles(density)[0]
        token = CellColumn("token", tokens, gap=density.gap)
        id_ = CellColumn("id ", [self._chip(line) for line in self.lines], True, 1)
        # Under a title that is wider, the token column gives way: the id touches the arrow.
        spare = max(0, len(title) - columns_width([*columns, token, id_]))
        token = CellColumn("token".ljust(token.width + spare), tokens, gap=density.gap)
        return Block(title, [*columns, token, id_])

    def _where(self, density: Density) -> list[CellColumn]:
        """Return the columns that say which position of which text a line is."""
        dash = self.screen.signs.dash
        texts, positions = [], []
        for line in self.lines:
            texts.append(Cell(str(line.text) if line.opens else ""))
            last = line.first + line.count - 1
            spoken = {"position": str(line.first), "padding": f"{line.first}{dash}{last}"}
            spoken["more"] = self.screen.signs.more
            positions.append(Cell(spoken.get(line.kind, "")))
        return [
            CellColumn("text", texts, right=True),
            CellColumn(density.position, positions, right=True, gap=density.gap),
        ]

    def _masks(self, density: Density) -> list[Cell]:
        return [
            Cell(density.mask[id_of(self.lookup, line) != 0]) if line.at_id else Cell()
            for line in self.lines
        ]

    def _token(self, line: Line, density: Density) -> Cell:
        signs = self.screen.signs
        if line.kind == "padding":
            return Cell(f"{signs.padding} {line.count}{signs.times}", GREY)
        if line.kind == "position":
            if line.token is None:
                return Cell(signs.padding, GREY)
            mark = "? " if line.token.status == "replaced" else ""
            name = name_of(line.token).removeprefix(mark)
            return Cell(mark + self._word(name, density.token))
        return Cell(line.label, GREY)

    def _parts(self, density: Density) -> list[CellColumn]:
        """Return which part of the text each token has, and where; of words nothing."""
        if not isinstance(self.lookup.vocabulary, SubwordVocabulary):
            return []
        spans, parts = [], []
        for line in self.lines:
            token = line.token if line.kind == "position" else None
            span = span_of(token, self.screen.signs.dash)
            special = isinstance(token, Subword) and token.special
            spans.append(Cell(span or "", GREY if special else ""))
            part = part_of(token)
            parts.append(Cell() if part is None else Cell(self._word(part, density.token)))
        return [
            CellColumn("characters", spans, right=True, gap=density.gap),
            CellColumn("part", parts, gap=density.gap),
        ]

    def _word(self, word: str, width: int) -> str:
        """Return a token as the screen can print it, clipped, white space in quotes."""
        return self.screen.clip(self.screen.text(word if word.strip() else f"'{word}'"), width)

    def _chip(self, line: Line) -> Cell:
        if not line.at_id:
            return Cell()
        return self._id_chip(id_of(self.lookup, line))

    def _hues(self) -> dict[int, int]:
        """Return the number of the hue of each id: dealt in turn, as ids first appear in the texts.

        So the first ids that a reader meets all differ. Rows that no text looks up come last.
        """
        ids = [id_of(self.lookup, line) for line in self.lines if line.at_id]
        ids += [row.id for row in self.rows if not row.count]
        vocabulary = self.lookup.vocabulary
        reserved = {vocabulary.padding_id, vocabulary.oov_id}
        in_order = [id_ for id_ in dict.fromkeys(ids) if id_ not in reserved]
        return {id_: place % len(HUES) for place, id_ in enumerate(in_order)}

    def _id_chip(self, id_: int) -> Cell:
        """Return the id on the colour that it has in all three tables."""
        hue = self.hue_of.get(id_)
        if self.screen.console.color_system == "standard":
            style = f"black on {'white' if hue is None else NAMED_HUES[hue]}"
        else:
            style = f"#1c1c1c on {'#c8c8c8' if hue is None else HUES[hue]}"
        return Cell(f" {id_:>{self.id_width}} ", style)

    def _output(self, density: Density, dimensions: Vectors, repeat_where: bool) -> Block:
        arrow = Cell(self.screen.signs.arrow)
        arrows, ids, chips = [], [], []
        for line in self.lines:
            arrows.append(arrow if line.at_id else Cell())
            ids.append(id_of(self.lookup, line) if line.at_id else None)
            chips.append(self._chip(line))
        columns = self._where(density) if repeat_where else []
        columns.append(CellColumn("", arrows, gap=density.gap))
        columns.append(CellColumn("row ", chips, True, 1))
        columns.extend(self._dimension_columns(ids, dimensions, density))
        return Block(self._titles(density)[1], columns)

    def _dimension_columns(
        self, ids: Sequence[int | None], dimensions: Vectors, density: Density
    ) -> list[CellColumn]:
        """Return columns for the dimensions; ids of None leave their line empty."""
        if isinstance(dimensions, HeatLayout):
            return self._heat_columns(ids, dimensions, density)
        columns = []
        hidden = self.lookup.matrix.output_dim - sum(d is not None for d in dimensions)
        for number, dimension in enumerate(dimensions):
            gap = 1 if not number else density.gap
            if dimension is None:
                more = Cell(self.screen.signs.more)
                cells = [Cell() if id_ is None else more for id_ in ids]
                columns.append(CellColumn(left_out(hidden, density), cells, True, gap))
                continue
            cells = [
                Cell()
                if id_ is None
                else Cell(table_number(self.value_of[id_][dimension], self.decimals))
                for id_ in ids
            ]
            header = f"dim {dimension}".rjust(self.dimension_width)
            columns.append(CellColumn(header, cells, True, gap))
        return columns

    def _heat_columns(
        self, ids: Sequence[int | None], heat: HeatLayout, density: Density
    ) -> list[CellColumn]:
        """Return a column for each part of the vectors that is drawn, and one between them."""
        columns: list[CellColumn] = []
        more = Cell(self.screen.signs.more, GREY)
        for part in heat.parts:
            cells = [
                Cell() if id_ is None else self.brush.cell(self.value_of[id_], part, heat.form)
                for id_ in ids
            ]
            columns.append(CellColumn(heading(part, heat.form), cells, gap=density.gap))
        if heat.left_out:
            counts = [Cell() if id_ is None else more for id_ in ids]
            header = LEFT_OUT.format(heat.left_out)
            columns.insert(1, CellColumn(header, counts, True, density.gap))
        if columns:
            columns[0] = replace(columns[0], gap=1)
        return columns

    def _matrix(self, density: Density, dimensions: Vectors) -> Block:
        times = self.screen.signs.times
        uses = self.lookup.uses
        chips, tokens, ids, used = [], [], [], []
        for row in self.rows:
            ids.append(None if row.count else row.id)
            chips.append(Cell(self.screen.signs.more) if row.count else self._row_chip(row))
            tokens.append(self._row_token(row, density))
            count = int(uses[row.id])
            spoken = Cell(f"{count}{times}", "" if count else GREY)
            used.append(Cell() if row.count else spoken)
        columns = [CellColumn("row ", chips, True), CellColumn("token", tokens, gap=1)]
        values = self._dimension_columns(ids, dimensions, density)
        values[:1] = [replace(column, gap=density.gap) for column in values[:1]]
        columns.extend(replace(column, cells=self._greyed(column.cells)) for column in values)
        columns.append(CellColumn("used", used, True, density.gap))
        return Block(self._titles(density)[2], columns)

    def _row_chip(self, row: RowLine) -> Cell:
        chip = self._id_chip(row.id)
        return chip if self.lookup.uses[row.id] else Cell(chip.text, GREY)

    def _greyed(self, cells: Sequence[Cell]) -> list[Cell]:
        return [
            cell if row.count or self.lookup.uses[row.id] else replace(cell, style=GREY)
            for cell, row in zip(cells, self.rows, strict=True)
        ]

    def _row_token(self, row: RowLine, density: Density) -> Cell:
        lookup, signs = self.lookup, self.screen.signs
        if row.count:
            unused = int((lookup.uses[row.id : row.id + row.count] == 0).sum())
            return Cell(f"{row.count:,} more" + (f", {unused:,} unused" if unused else ""), GREY)
        word = lookup.words.get(row.id)
        if row.id == lookup.vocabulary.padding_id and word is None:
            return Cell(f"{signs.padding} padding", GREY)
        style = "" if lookup.uses[row.id] else GREY
        if word is None:
            return Cell("no token", style)
        mark = "? " if row.id == lookup.vocabulary.oov_id else ""
        return Cell(mark + self._word(word, density.token), style)
