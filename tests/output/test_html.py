"""A page as HTML: read back by a parser, it says what the page says and nothing else runs."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.lookup import Settings, look_up
from embedinspect.output.digits import table_number
from embedinspect.output.html.document import html_document, html_fragment, html_parts
from embedinspect.output.html.style import stylesheet
from embedinspect.output.html.tables import MOST_ROWS, lean_bar, table_view
from embedinspect.output.show.tables import HUES
from embedinspect.page import (
    Code,
    Column,
    Fact,
    Facts,
    Glossary,
    Headline,
    Paragraph,
    Problem,
    Section,
    Table,
    Trace,
)
from embedinspect.pictures import Heat
from embedinspect.plots.colours import diverging
from embedinspect.plots.heat import HEAT_STEPS, heat_class, ink_on, step_class
from embedinspect.wording import literal
from tests.browser.pages import HOSTILE, curves, every_part, reading, scatter
from tests.conftest import HERE

ALL_HOSTILE = " ".join(HOSTILE)
_WITHOUT_END = {"meta", "input", "br", "img", "link"}


class Reader(HTMLParser):
    """Reads a page as a browser does: elements, their attributes, the text in each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[list] = []
        self.errors: list[str] = []
        self.tags = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags += 1
        self.elements.append((tag, dict(attributes)))
        if tag not in _WITHOUT_END:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        self.tags += 1
        if not self.open or self.open.pop() != tag:
            self.errors.append(tag)

    def handle_data(self, data):
        if self.texts and self.texts[-1][1] == self.tags:
            self.texts[-1][2] += data
        else:
            self.texts.append([self.open[-1] if self.open else "", self.tags, data])

    def of(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of each element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text_in(self, tag: str) -> list[str]:
        """Return the texts that stand right in elements of a kind."""
        return [text for name, _, text in self.texts if name == tag and text.strip()]


def page(*parts) -> str:
    return html_document(parts, "page")


def body(*parts) -> Reader:
    return Reader(page(*parts).partition("</head>")[2].partition("</main>")[0] + "</main>")


@pytest.mark.parametrize("text", ["text", ALL_HOSTILE], ids=["plain", "hostile"])
def test_every_part_is_well_formed_and_brings_nothing_of_its_own(text):
    read = Reader(html_document(every_part(text), text))
    assert (read.errors, read.open) == ([], [])
    kinds = {tag for tag, _ in read.elements}
    assert not kinds & {"img", "link", "iframe", "object", "embed", "base", "form"}
    assert len(read.of("script")) == 3  # the data of the map, what links rows, what draws the map
    assert len(read.of("style")) == 1
    for tag, attributes in read.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in {"style", "src", "srcdoc", "action"}, tag
            assert name != "href" or value.startswith("#")
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for attributes in read.of("a")}
    assert targets <= set(ids)


PLACES = {
    "cell": lambda text: Table("t", [Column("c", [text])]),
    "heading of a column": lambda text: Table("t", [Column(text, ["v"])]),
    "title": lambda text: Table(text, [Column("c", ["v"])]),
    "fact": lambda text: Facts([Fact("label", text)]),
    "label": lambda text: Facts([Fact(text, "sentence")]),
    "headline": lambda text: Headline(text),
    "section": lambda text: Section("s", text),
    "glossary": lambda text: Glossary([("g", [(text, "meaning")])]),
    "problem": lambda text: Problem(1, "error", "wrong", "what", [Fact("evidence", text)]),
    "code": lambda text: Code("", [text]),
    "curves": lambda text: curves(text),
    "map": lambda text: scatter(text),
    "reading": lambda text: reading("text", text),
    "trace": lambda text: Trace(look_up([text], Settings())),
}


@pytest.mark.parametrize("place", [place for place in PLACES if place != "trace"])
@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_strangers_stays_text(place, text):
    written = page(PLACES[place](text))
    read = Reader(written)
    assert (read.errors, read.open) == ([], [])
    assert any(literal(text) in one for _, _, one in read.texts)
    for sign in "\x1b\0\u202e\u2028\ud800\u2066":
        assert sign not in written


@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=30))
def test_any_cell_reads_back(text):
    read = body(Table("t", [Column("c", ["x" + text + "x"])]))
    assert "x" + literal(text) + "x" in read.text_in("th")


@given(st.text(min_size=1, max_size=20), st.sampled_from(sorted(PLACES)))
def test_no_text_opens_an_element(text, place):
    read, plain = (body(PLACES[place](one)) for one in (text, "x"))
    assert (read.errors, read.open) == ([], ["body"])
    assert {tag for tag, _ in read.elements} - {tag for tag, _ in plain.elements} <= {
        "path", "rect", "circle", "p", "text", "desc", "a", "span",
    }  # fmt: skip


def test_the_policy_names_the_style_and_the_scripts_that_stand_there():
    for parts in ([Paragraph("text")], every_part(ALL_HOSTILE)):
        text = html_document(parts, "title")
        [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
        policy = policy.replace("&#39;", "'")
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        own = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", text, re.S)
        hashes = {
            "sha256-" + base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()
            for one in own
        }
        assert set(re.findall(r"sha256-[^']*", policy)) == hashes


def test_the_script_of_a_map_is_there_only_with_a_map():
    assert "getContext" not in page(Paragraph("text"), reading(), curves())
    assert "getContext" in page(Paragraph("text"), scatter("a"))


def test_a_small_page_is_small():
    assert len(page(Trace(look_up(["This is a text", "This is not a text"])))) < 25_000
    assert len(page(curves(), reading("t", *"abcdefgh"))) < 30_000


def test_wide_tables_can_be_scrolled_by_keys_and_have_a_name():
    read = Reader(html_document(every_part("text"), "page"))
    scrolled = [a for tag, a in read.elements if a.get("class") == "scroll" or tag == "pre"]
    assert len(scrolled) > 5
    for attributes in scrolled:
        assert attributes["tabindex"] == "0"
        assert attributes["role"] == "group"
        assert attributes["aria-label"]
    assert len(read.of("caption")) == len(read.of("table"))


def test_a_page_says_what_it_is():
    text = page(Paragraph("text"))
    assert text.startswith("<!doctype html>\n<html lang=")
    assert "<title>page · embedinspect</title>" in text
    assert "<h1" in text
    assert ">page</h1>" in text
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in text
    assert 'name="generator" content="embedinspect ' in text
    own = page(Headline("Own", "intro"))
    assert own.count("<h1") == 1
    assert ">Own</h1>" in own
    assert html_document([], "nothing").count("<h1") == 1


def test_headings_leave_out_no_level():
    read = Reader(html_document(every_part("text"), "page"))
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_many_headings_are_listed_first():
    few, many = (page(*(Section(f"Part {n}") for n in range(count))) for count in (4, 5))
    assert "<nav" not in few
    read = Reader(many)
    assert read.text_in("a") == [f"Part {n}" for n in range(5)]


def test_a_page_is_made_before_its_first_byte():
    def broken():
        yield Paragraph("text")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        next(html_parts(broken(), "title"))


# -- numbers --------------------------------------------------------------------------------------


def test_every_number_of_a_vector_is_on_the_page():
    values = np.linspace(-0.9, 0.7, 2 * 64, dtype=np.float32).reshape(2, 64)
    for heat in (None, Heat(1.0)):
        table = Table("t", [Column("word", ["a", "b"]), Column("", values, "vector", heat=heat)])
        read = Reader(page(table))
        cells = read.text_in("td")
        assert cells == [table_number(float(value), 3) for value in values.ravel()]
        assert len(read.of("details")) == (heat is not None)


def test_a_strip_has_a_cell_of_its_color_for_each_number():
    values = np.linspace(-1.2, 1.2, 40, dtype=np.float32)
    values[7] = np.nan
    table = Table("t", [Column("", values.reshape(1, 40), "vector", heat=Heat(1.0))])
    view = table_view(table)
    [row] = view.rows
    classes = {}
    for name, path in row.cells[0].strip.paths:
        for place in re.findall(r"M(\d+) 0v1", path):
            assert classes.setdefault(int(place), name) == name
    assert classes == {place: heat_class(float(value), 1.0) for place, value in enumerate(values)}
    assert classes[7] == "broken"
    assert view.legend.broken
    assert (view.legend.low, view.legend.high) == ("-1 or less", "+1 or more")


def test_colors_of_heat_are_those_of_all_pictures():
    style = stylesheet()
    light, dark = style.rsplit("@media screen and (prefers-color-scheme: dark)", 1)
    for step in range(-HEAT_STEPS, HEAT_STEPS + 1):
        for rules, is_dark in ((light, False), (dark, True)):
            colour = "#{:02x}{:02x}{:02x}".format(*diverging(step / HEAT_STEPS, dark=is_dark))
            assert f".ei .{step_class(step)}{{background:{colour};" in rules


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_numbers_stand_out_from_every_color(colour):
    """The formula is that of the Web Content Accessibility Guidelines 2.2; AA asks for 4.5."""

    def luminance(rgb):
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))

    ink, paper = (luminance(np.array(rgb) / 255) for rgb in (ink_on(colour), colour))
    assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5


def test_ids_have_the_colors_of_the_terminal():
    for number, hue in enumerate(HUES):
        assert f".ei .of-{number} {{ background: {hue}; }}" in stylesheet()


def test_bars_are_as_long_as_their_amounts():
    def lengths(values, **how):
        view = table_view(Table("t", [Column("", values, "bar", **how)]))
        return [row.cells[0].bar.length for row in view.rows]

    assert lengths([1, 2, 4, 0]) == [25, 50, 100, 0]
    assert lengths([0, 3, 15], logarithmic=True) == [0, 50, 100]
    assert lengths([0, 0]) == [0, 0]
    assert lengths([-1, float("inf"), float("nan"), 5]) == [0, 0, 0, 100]
    assert 0 < lengths([1, 10**9])[0] < 1
    assert lengths([None, 2]) == [0, 100]


def test_a_leaning_bar_begins_at_one_half():
    bars = [lean_bar(share) for share in (0.0, 0.25, 0.5, 0.9)]
    assert [(bar.start, bar.length, bar.side) for bar in bars] == [
        (0, 50, "low"), (25, 25, "low"), (50, 0, "high"), (50, 40, "high"),
    ]  # fmt: skip
    assert lean_bar(float("nan")) is None


def test_a_table_is_whole_up_to_a_bound_that_is_said():
    table = Table("t", [Column("n", range(MOST_ROWS + 234), "number")], most=5, more=7)
    text = page(table)
    assert text.count("<tr") == MOST_ROWS + 1
    assert "234 more rows have no room on a page" in text
    assert ">7 more<" in text


def test_a_reading_has_a_color_and_a_bar_for_each_token():
    text = page(reading("Text", "fine"))
    tokens = re.findall(r'<li class="heat (\w+)" title="([^"]*)">', text)
    assert tokens == [
        ("h0", "(start): +0.000, then 0.900"),
        ("n10", "fine: -0.800, then 0.100"),
        ("h10", "good: +0.800, then 0.900"),
        ("n10", "bad: -0.800, then 0.100"),
    ]


# -- the linked tables ----------------------------------------------------------------------------


def test_each_id_leads_to_the_row_that_it_copies():
    lookup = look_up(["a b a", "c"], Settings(output_dim=4))
    read = Reader(page(Trace(lookup, full=True)))
    rows = {a["id"]: a["data-row"] for a in read.of("tr") if "id" in a}
    links = [attributes["href"][1:] for attributes in read.of("a")]
    assert [int(rows[link]) for link in links] == lookup.sequences.ravel().tolist()
    assert sorted(map(int, rows.values())) == list(range(lookup.matrix.input_dim))
    cells = read.text_in("td")
    for row in lookup.matrix.rows:
        for value in row:
            assert f"{value:.4f}" in cells


@pytest.mark.parametrize("dims", [5, 40])
def test_the_linked_tables_have_every_number_with_and_without_colors(dims):
    """In the line of each id, or of as many strips in their place, and of each row once below."""
    lookup = look_up(["a b a"], Settings(output_dim=dims, maxlen=5))
    rows = [[f"{value:.4f}" for value in row] for row in lookup.matrix.rows]
    in_order = [rows[id_] for id_ in lookup.sequences.ravel()] + rows
    for heat in (None, Heat(0.05)):
        text = page(Trace(lookup, heat=heat))
        strips = heat is not None and dims == 40
        assert text.count('class="strip"') == (len(in_order) if strips else 0)
        lines = re.findall(r"<tr[ >].*?</tr>", text.partition("<tbody>")[2], re.S)
        numbers = [re.findall(r"(?<=>)-?\d\.\d{4}(?=<)", line) for line in lines]
        assert [line for line in numbers if line] == (rows if strips else in_order)
        linked = [line for line in lines if "data-row" in line]
        ids = [int(re.findall(r'data-row="(\d+)"', line)[0]) for line in linked]
        assert ids == [*lookup.sequences.ravel(), *range(len(rows))]
        if not strips:
            assert [line for line in lines if "<td" in line] == linked


def test_parts_of_a_text_stand_before_the_ids(run):
    folder = HERE / "data" / "models" / "bert"
    code, out, _ = run("show", "a film", "--from", str(folder), "--no-keras", "--format", "html")
    assert code == 0
    read = Reader(out.decode())
    headings = read.text_in("th")
    assert headings.index("part of the text") + 1 == headings.index("id")
    first, _ = (a for a in read.of("th") if a.get("scope") == "colgroup")
    names = headings[headings.index("text") :]
    assert int(first["colspan"]) == names.index("id") + 1


def test_lines_that_are_left_out_have_no_id():
    lookup = look_up([" ".join(f"w{n}" for n in range(100))], Settings(output_dim=2))
    text = page(Trace(lookup))
    assert "more" in text
    read = Reader(text)
    ids = {attributes["id"] for attributes in read.of("tr") if "id" in attributes}
    assert {attributes["href"][1:] for attributes in read.of("a")} <= ids


# -- in a notebook --------------------------------------------------------------------------------


def test_a_fragment_has_no_script_no_policy_and_no_names():
    text = html_fragment(every_part(ALL_HOSTILE))
    read = Reader(text)
    assert (read.errors, read.open) == ([], [])
    assert not read.of("script")
    assert not read.of("meta")
    assert not [a for _, a in read.elements if "id" in a or "href" in a]
    assert text.count('class="ei"') == 1


def test_the_style_of_a_fragment_is_of_its_own_elements_alone():
    style = html_fragment([]).partition("<style>")[2].partition("</style>")[0]
    style = re.sub(r"/\*.*?\*/", "", style, flags=re.S)
    selectors = re.findall(r"([^{}]+)\{", re.sub(r"@media[^{]*\{", "", style))
    for selector in selectors:
        for one in selector.split(","):
            assert re.match(r"\s*(main|\.ei\b|\.ei-page|\.ei-foot|main\.ei)", one), one


# -- the command line -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "a b", "--no-keras"],
        ["explain"],
        ["explain", "num-words", "--no-keras"],
        ["info", "sample:vectors"],
        ["neighbors", "sample:vectors", "king"],
    ],
    ids=" ".join,
)
def test_a_command_answers_with_a_page(run, arguments):
    code, out, err = run(*arguments, "--format", "html")
    assert (code, err) == (0, "")
    read = Reader(out.decode())
    assert (read.errors, read.open) == ([], [])
    assert len(out) < 30_000


def test_data_for_a_script_cannot_end_it():
    text = page(scatter(*HOSTILE))
    [data] = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S)
    assert not set("<>&\u2028\u2029") & set(data)
    assert json.loads(data)["names"][: len(HOSTILE)] == list(map(literal, HOSTILE))
