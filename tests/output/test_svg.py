"""Pictures in files, read back by a parser: text is text, labels are apart, cells are right."""

from __future__ import annotations

import itertools
import re
import struct
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError
from embedinspect.output.svg.curves import NARROW, curves_svg
from embedinspect.output.svg.elements import lines_of, width_of
from embedinspect.output.svg.page import page_svg
from embedinspect.output.svg.png import png_of
from embedinspect.output.svg.reading import reading_svg
from embedinspect.output.svg.scatter import legend_svg, panels_of, scatter_svg
from embedinspect.output.svg.table import MOST_ROWS, table_svg
from embedinspect.page import Column, Facts, Paragraph, Reading, Table
from embedinspect.pictures import Curves, Heat, Scatter, Series, Shade
from embedinspect.plots.colours import hexadecimal
from embedinspect.plots.heat import heat_class
from embedinspect.plots.scales import heat_scale
from embedinspect.plots.shading import colour_of
from embedinspect.row_words import is_text
from embedinspect.wording import literal
from tests.browser.pages import HOSTILE, curves, every_part, reading, scatter

ALL_HOSTILE = " ".join(HOSTILE)
KNOWN = {"svg", "title", "desc", "style", "rect", "text", "line", "circle", "polyline", "path", "g"}


def parsed(svg):
    return ElementTree.fromstring(svg.encode("utf-8"))


def named(root, name):
    return [one for one in root.iter() if one.tag == f"{{http://www.w3.org/2000/svg}}{name}"]


def classes(root, name):
    return [one.get("class") for one in named(root, name)]


def boxes(root):
    """Return each text with where it is: left, top, right, bottom."""
    found = []
    for one in named(root, "text"):
        size = int(one.get("font-size"))
        x, y = float(one.get("x")), float(one.get("y"))
        wide = width_of(one.text, size)
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[one.get("text-anchor")]
        found.append((one.text, left, y - 0.75 * size, left + wide, y + 0.2 * size))
    return found


def assert_apart(root):
    for (one, *a), (other, *b) in itertools.combinations(boxes(root), 2):
        apart = a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
        assert apart, (one, other, a, b)


def assert_inside(root):
    _, _, width, height = map(float, root.get("viewBox").split())
    for name, left, top, right, bottom in boxes(root):
        assert left >= -1, name
        assert top >= -1, name
        assert right <= width + 1, name
        assert bottom <= height + 1, name


def table(values, heat=1.0, **others):
    values = np.asarray(values, np.float32)
    names = [f"word{row}" for row in range(len(values))]
    columns = [Column("word", names), Column("", values, "vector", heat=Heat(heat))]
    return Table("Rows", columns, **others)


# -- text from strangers --------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*HOSTILE, ALL_HOSTILE])
def test_a_picture_of_any_text_is_well_formed_and_nothing_in_it_runs(text):
    root = parsed(page_svg(every_part(text)))
    for one in root.iter():
        assert one.tag.rpartition("}")[2] in KNOWN
        assert not [name for name in one.attrib if name == "style" or name.startswith("on")]
        assert "href" not in "".join(one.attrib)
        if one.text is not None and one.tag.endswith("}text"):
            assert literal(one.text) == one.text


@given(st.text(max_size=30))
@example("0" * 24 + "\x80")
@settings(max_examples=25)
def test_every_word_is_written_as_it_is(word):
    name = f"#0 {word}" if is_text(word) else word  # of a text, the number of its row comes first
    for svg, text in (
        (scatter_svg(scatter(word)), name),
        (reading_svg(reading("t", word)), word),
    ):
        whole = literal(text)
        shown = whole if len(whole) <= 24 else whole[:23] + "…"
        assert shown in [one.text or "" for one in named(parsed(svg), "text")]


def test_nothing_is_loaded_from_anywhere():
    svg = page_svg(every_part())
    assert set(re.findall(r"https?://[^\"]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in svg
    assert "@import" not in svg


# -- places ---------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.integers(1, 120), st.floats(0.01, 50))
@settings(max_examples=20)
def test_no_label_of_a_map_lies_on_another_or_leaves_the_picture(seed, count, flat):
    points = np.random.default_rng(seed).normal(size=(count, 2)) * [1, flat]
    names = [f"word {number}"[: 4 + number % 9] for number in range(count)]
    root = parsed(
        scatter_svg(
            Scatter(
                "map", points, names, range(count), "first", "second",
                labels=range(count), marked=[0],
            )
        )
    )  # fmt: skip
    assert_apart(root)
    assert_inside(root)
    assert "word" in [text for text, *_ in boxes(root)]


def test_what_was_asked_for_has_a_label_and_a_ring():
    root = parsed(scatter_svg(scatter("asked")))
    times = ["before", "after"]
    texts = [one.text for one in named(root, "text")]
    assert [texts.count(time) for time in times] == [1, 1]
    assert texts.count("asked") == len(times)
    assert classes(root, "circle").count("line-ink") == len(times)


@pytest.mark.parametrize(("flat", "above"), [(1.0, False), (8.0, True)])
def test_both_times_of_a_map_have_one_unit(flat, above):
    """Before, each point was half as far from the middle: in pixels, too."""
    points = np.random.default_rng(0).normal(size=(40, 2)) * [flat, 1]
    one = Scatter("m", points, ["w"] * 40, range(40), before=points / 2, before_name="before")
    before, after = panels_of(one)
    assert (before.left == after.left) is above
    assert (before.top == after.top) is not above
    apart = [np.diff(panel.places, axis=0) for panel in (before, after)]
    np.testing.assert_allclose(apart[0], apart[1] / 2, atol=1e-9)
    for panel in (before, after):
        inside = panel.places - [panel.left, panel.top]
        assert (inside >= 0).all()
        assert (inside <= [panel.width, panel.height]).all()


def test_every_point_of_a_map_is_drawn_in_its_color():
    one = scatter()
    root = parsed(scatter_svg(one))
    drawn = [
        (path.get("stroke"), *map(float, place.split()))
        for path in named(root, "path")
        for place in re.findall(r"M([\d.]+ [\d.]+)h0", path.get("d"))
    ]
    wanted = [
        (hexadecimal(colour_of(one.shade, number)), *place)
        for panel in panels_of(one)
        for number, place in enumerate(panel.places.tolist())
    ]
    assert [color for color, *_ in sorted(drawn)] == [color for color, *_ in sorted(wanted)]
    for (_, *place), (_, *exact) in zip(sorted(drawn), sorted(wanted), strict=True):
        assert place == pytest.approx(exact, abs=0.051)


@given(
    st.lists(
        st.lists(st.none() | st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=12),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 11),
    st.sampled_from([720.0, NARROW]),
)
def test_names_at_the_ends_of_lines_never_overlap(values, best, width):
    series = [Series(f"line {place}", one) for place, one in enumerate(values)]
    steps = max(map(len, values))
    root = parsed(
        curves_svg(Curves("Loss", series, best=min(best + 1, steps), best_label="best"), width)
    )
    names = [box for box in boxes(root) if box[0].startswith("line ")]
    for (_, *a), (_, *b) in itertools.combinations(names, 2):
        assert a[3] <= b[1] + 1 or b[3] <= a[1] + 1
    _, _, _, height = map(float, root.get("viewBox").split())
    assert all(bottom <= height and top >= 0 for _, _, top, _, bottom in names)


def test_curves_in_a_file_have_their_title_and_what_is_said_of_them():
    texts = [one.text for one in named(parsed(page_svg([curves()])), "text")]
    assert "Loss" in texts
    assert "It is so." in texts
    assert "best: epoch 2" in texts


def test_a_line_is_broken_where_there_is_no_number():
    broken = [0.5, 0.4, None, 0.3, float("nan"), 0.2, 0.1]
    root = parsed(curves_svg(Curves("Loss", [Series("a", broken)])))
    counts = [len(one.get("points").split()) for one in named(root, "polyline")]
    assert counts == [2, 2]
    assert len(named(root, "circle")) == 1  # one step alone is a point
    nothing = curves_svg(Curves("Loss", [Series("a", [None, float("inf")])]))
    assert "no numbers" in nothing


def test_lines_are_where_their_numbers_are():
    root = parsed(curves_svg(Curves("Loss", [Series("a", [0.0, 1.0, 0.25])])))
    ys = [float(p.split(",")[1]) for p in named(root, "polyline")[0].get("points").split()]
    assert (ys[0] - ys[2]) / (ys[0] - ys[1]) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("dimensions", [1, 3, 12, 13, 32, 50, 384, 1000])
def test_the_texts_of_a_table_are_apart_and_inside(dimensions):
    values = np.linspace(-1.5, 1.5, 4 * dimensions).reshape(4, dimensions)
    columns = [
        Column("row", [0, 12, 4999, 399999], "id"),
        Column("word", ["MMMMMWWWWW", "iiiiiii", "a", "x" * 90]),
        Column("norm", [1.5, -22.25, 0.0, 1e6], "number"),
        Column("", values, "vector", heat=Heat(1.0)),
        Column("p", [0.0, 0.5, 1.0, None], "lean"),
        Column("used", [1, 2, 3, 1_000_000], "number"),
    ]
    root = parsed(table_svg(Table("t", columns)))
    assert_apart(root)
    assert_inside(root)
    last = [one.text for one in named(root, "text")]
    assert (f"dim {dimensions - 1}" in last) or (str(dimensions - 1) in last)


# -- what is drawn of numbers ---------------------------------------------------------------------


@pytest.mark.parametrize("dimensions", [5, 40, 700])
def test_every_number_of_a_vector_has_a_cell_of_its_color_in_its_place(dimensions):
    values = np.random.default_rng(3).normal(size=(7, dimensions)).astype(np.float32)
    values[2, 1], values[3, 4], values[4, 0] = np.nan, np.inf, -np.inf
    cells = {}
    for one in named(parsed(table_svg(table(values))), "path"):
        for x, y in re.findall(r"M([\d.]+) ([\d.]+)h", one.get("d")):
            cells[float(y), float(x)] = one.get("class")
    drawn = [cells[place] for place in sorted(cells)]
    assert drawn == [heat_class(float(value), 1.0) for value in values.ravel()]
    assert drawn.count("broken") == 1


def test_few_dimensions_have_their_numbers_written():
    texts = [one.text for one in named(parsed(table_svg(table([[0.5, -0.25]]))), "text")]
    assert "0.500" in texts
    assert "-0.250" in texts


def test_what_is_no_number_is_said_in_the_legend():
    assert "no number" in table_svg(table([[np.nan] * 20]))
    assert "no number" not in table_svg(table([[1.0] * 20]))


def test_vectors_without_a_scale_share_one_of_the_page():
    first, second = np.full((2, 20), 0.04, np.float32), np.full((2, 20), -0.9, np.float32)
    tables = [Table("t", [Column("", values, "vector")]) for values in (first, second)]
    svg = page_svg(tables)
    scale = heat_scale(np.concatenate([first, second]))
    assert svg.count(f">+{scale:.3g}, the same color beyond<") == 2
    root = parsed(svg)
    assert set(classes(root, "path")) == {heat_class(0.04, scale), heat_class(-0.9, scale)}


def test_bars_are_as_long_as_their_amounts():
    amounts = [100, 50, 0, 25, float("inf"), None]
    root = parsed(
        table_svg(Table("t", [Column("n", amounts, "number"), Column("", amounts, "bar")]))
    )
    widths = [float(one.get("width")) for one in named(root, "rect")]
    assert [width / widths[0] for width in widths] == pytest.approx([1, 0.5, 0.25])


def test_a_probability_leans_from_one_half():
    root = parsed(table_svg(Table("t", [Column("p", [0.25, 0.75, float("nan")], "lean")])))
    drawn = [one for one in named(root, "rect") if one.get("class") != "track"]
    assert [one.get("class") for one in drawn] == ["one", "two"]
    low, high = drawn
    assert float(low.get("width")) == pytest.approx(float(high.get("width")))
    assert float(low.get("x")) + float(low.get("width")) == pytest.approx(float(high.get("x")))


def test_rows_that_find_no_room_are_counted():
    count = MOST_ROWS + 30
    svg = table_svg(table(np.ones((count, 20)), more=5))
    assert ">35 rows more<" in svg
    assert f">word{MOST_ROWS - 1}<" in svg
    assert f">word{MOST_ROWS}<" not in svg


def test_a_reading_has_each_token_on_the_color_of_its_change():
    one = Reading(
        "Text", ["(start)", "good", "odd"], [0.5, 0.9, float("nan")], [0.0, 0.4, float("nan")],
        "positive", Table("t", [Column("token", ["good"])]),
    )  # fmt: skip
    root = parsed(reading_svg(one))
    assert classes(root, "rect")[:3] == ["h0", "h10", "broken"]
    texts = [text.text for text in named(root, "text")]
    assert texts[:5] == ["(start)", "0.500", "good", "0.900", "odd"]
    assert "nan" not in "".join(texts)
    assert_apart(root)
    assert_inside(root)


def test_the_legend_of_a_map_says_both_ends():
    shade = Shade("probability", [0.1], 0.0, 1.0, 0.5, "negative", "positive")
    texts = [one.text for one in named(parsed(legend_svg(shade)), "text")]
    assert texts == ["0 negative", "1 positive", "probability"]
    assert_inside(parsed(legend_svg(shade)))


# -- files ----------------------------------------------------------------------------------------


def test_a_page_without_pictures_is_refused():
    words = Table("t", [Column("word", ["a"])])
    with pytest.raises(DataError, match="no picture"):
        page_svg([Paragraph("hello"), words, Facts([])])


def test_a_file_follows_the_theme_and_pixels_are_light():
    assert "prefers-color-scheme: dark" in page_svg([curves()])
    assert "prefers-color-scheme" not in page_svg([curves()], themed=False)


def test_every_class_of_a_file_has_a_color():
    svg = page_svg([*every_part(), table([[np.nan, 1.0]]), table([[np.nan] * 30])])
    rules = set(re.findall(r"\.([\w-]+) \{", svg.split("@media")[0]))
    for one in parsed(svg).iter():
        assert set((one.get("class") or "").split()) <= rules


def test_pictures_stand_below_each_other():
    root = parsed(page_svg([curves(), scatter("a"), table([[1.0]])]))
    frames = [one for one in named(root, "svg") if one is not root]
    assert len(frames) == 3
    ends = [0.0]
    for one in frames:
        assert float(one.get("y")) >= ends[-1]
        ends.append(float(one.get("y")) + float(one.get("height")))
    assert ends[-1] <= float(root.get("height"))


def test_pixels_are_twice_the_units():
    pytest.importorskip("resvg_py")
    svg = page_svg([curves()], themed=False)
    data = png_of(svg)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    root = parsed(svg)
    wanted = tuple(2 * int(root.get(name)) for name in ("width", "height"))
    assert struct.unpack(">II", data[16:24]) == wanted


@given(st.text(max_size=80), st.integers(40, 400))
def test_wrapped_lines_have_every_letter_and_fit(content, width):
    lines = lines_of(content, width, 12, most=1000)
    assert "".join(lines).replace(" ", "") == literal(content).replace(" ", "")
    assert all(width_of(one, 12) <= width or len(one) == 1 for one in lines)
