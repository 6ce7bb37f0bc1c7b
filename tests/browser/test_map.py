"""The map of a page in a real browser: it finds, shows and moves what it says."""

from __future__ import annotations

import pytest

from embedinspect.output.html.document import html_document
from tests.browser.pages import scatter

WORDS = ["king", "</script><img src=x onerror=alert(1)>", "toString"]


@pytest.fixture
def figure(browser, tmp_path):
    """Open a page with a map; returns a function that runs a script on its figure."""
    page = tmp_path / "map.html"
    page.write_text(html_document([scatter(*WORDS)], "Map"), "utf-8")
    browser.open(page)

    def run(script: str, *arguments):
        return browser.run(
            f"const figure = document.querySelector('.ei-map'); {script}", *arguments
        )

    yield run
    assert browser.messages() == []


FIND = """
const find = figure.querySelector(".ei-find");
find.value = arguments[0];
find.dispatchEvent(new Event("input"));
find.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter"}));
return figure.querySelector(".ei-say").textContent;
"""
PLACE = "return figure.eiMap.place(arguments[0]);"
SLIDE = """
const when = figure.querySelector(".ei-when");
when.value = arguments[0];
when.dispatchEvent(new Event("input"));
"""
POINT = """
const box = figure.querySelector("canvas").getBoundingClientRect();
const [x, y] = figure.eiMap.place(arguments[0]);
const options = {clientX: box.left + x, clientY: box.top + y, bubbles: true};
figure.querySelector("canvas").dispatchEvent(new PointerEvent("pointermove", options));
const tip = figure.querySelector(".ei-tip");
return tip.hidden ? null : tip.textContent;
"""
KEY = """
const canvas = figure.querySelector("canvas");
canvas.focus();
canvas.dispatchEvent(new KeyboardEvent("keydown", {key: arguments[0], bubbles: true}));
"""


@pytest.mark.parametrize("word", WORDS)
def test_search_finds_a_word_and_brings_it_to_the_middle(figure, word):
    said = figure(FIND, word)
    assert said.startswith(f"{word} (row {WORDS.index(word)}")
    x, y, seen = figure(PLACE, word)
    assert seen
    width, height = figure(
        "const c = figure.querySelector('canvas'); return [c.clientWidth, c.clientHeight];"
    )
    assert (x, y) == pytest.approx((width / 2, height / 2), abs=1)


def test_search_takes_the_start_of_a_word_in_any_case_and_says_what_is_not_there(figure):
    assert figure(FIND, "KIN").startswith("king (row 0")
    assert figure(FIND, "zebra") == "no word here begins with zebra"
    assert figure(FIND, "") == ""


def test_the_slider_moves_points_to_where_they_were(figure):
    """Before, each point of this map was half as far from the middle of all."""
    figure(SLIDE, 100)
    after = figure(PLACE, "word30")
    middle = figure(PLACE, "king")  # its point is the origin
    figure(SLIDE, 0)
    before = figure(PLACE, "word30")
    for axis in (0, 1):
        moved, was = after[axis] - middle[axis], before[axis] - middle[axis]
        assert was == pytest.approx(moved / 2, abs=0.5)
    figure(SLIDE, 50)
    half = figure(PLACE, "word30")
    assert half[:2] == pytest.approx([(a + b) / 2 for a, b in zip(after, before, strict=True)][:2])


@pytest.mark.parametrize("word", ["word39", *WORDS[:2]])
def test_hover_shows_the_word_its_row_and_its_value(figure, word):
    said = figure(POINT, word)
    assert said.startswith(f"{word} (row ")
    assert "probability" in said
    assert figure("return document.images.length") == 0


def test_keys_zoom_move_and_go_back(figure):
    start = figure(PLACE, "word39")
    figure(KEY, "+")
    near = figure(PLACE, "word39")
    middle = figure("return figure.querySelector('canvas').clientWidth / 2;")
    assert near[0] - middle == pytest.approx(1.25 * (start[0] - middle), abs=0.5)
    figure(KEY, "ArrowRight")
    assert figure(PLACE, "word39")[0] < near[0]
    figure(KEY, "0")
    assert figure(PLACE, "word39") == start


def test_search_says_how_many_words_begin_so(figure):
    assert figure(FIND, "word1").endswith("; 10 more begin with word1")
    assert "more" not in figure(FIND, "king")


def test_a_word_that_was_found_has_one_label(figure):
    written = figure(
        """
        const proto = CanvasRenderingContext2D.prototype, fillText = proto.fillText;
        window.written = [];
        proto.fillText = function (name, ...places) {
          window.written.push(name);
          return fillText.call(this, name, ...places);
        };
        """
        + FIND,
        "word5",
    )
    assert written.startswith("word5 ")
    browser_frames = (
        "return new Promise(done => requestAnimationFrame(() => done(window.written)));"
    )
    assert figure(browser_frames).count("word5") == 1


def test_the_slider_says_where_it_is(figure):
    figure(SLIDE, 40)
    said = figure("return figure.querySelector('.ei-when').getAttribute('aria-valuetext');")
    assert said == "40% of the way to after"


def test_without_a_script_the_map_is_a_picture(browser, tmp_path):
    page = tmp_path / "map.html"
    text = html_document([scatter(*WORDS)], "Map")
    page.write_text(text.replace("getContext", "getNothing"), "utf-8")  # another hash
    browser.open(page)
    seen = "return [...document.querySelectorAll(arguments[0])].map(one => one.checkVisibility())"
    assert browser.run(seen, ".ei-static svg") == [True]
    assert browser.run(seen, ".ei-controls, .ei-canvas") == [False, False]
