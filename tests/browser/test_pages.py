"""Pages in a real browser: nothing is loaded, nothing runs that is not ours, all can be read."""

from __future__ import annotations

import pytest

from embedinspect.output.html.document import html_document, html_fragment
from embedinspect.wording import literal
from tests.browser.pages import HOSTILE, every_part

WIDTHS = [390, 1280]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a page that has every part, and one that is hostile."""
    folder = tmp_path_factory.mktemp("pages")
    for name, text in {"plain": "A few words", "hostile": " ".join(HOSTILE)}.items():
        (folder / f"{name}.html").write_text(html_document(every_part(text), "page"), "utf-8")
    return folder


@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_nothing_is_loaded_and_nothing_is_said_on_the_console(browser, folder, name):
    page = folder / f"{name}.html"
    browser.open(page)
    assert browser.messages() == []
    assert browser.requests() == [page.as_uri()]


@pytest.mark.parametrize("name", ["plain", "hostile"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_never_wider_than_the_screen(browser, folder, name, width):
    browser.open(folder / f"{name}.html", width=width)
    assert browser.beyond() <= 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_rule_of_accessibility_is_broken(browser, axe, folder, width, dark):
    browser.open(folder / "plain.html", width=width, dark=dark)
    browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.violations(axe) == []


def test_dark_and_light_differ_and_nothing_else_does(browser, folder):
    looks = []
    for dark in (False, True):
        browser.open(folder / "plain.html", dark=dark)
        looks.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert looks[0] != looks[1]


def test_what_is_printed_is_light_and_has_the_map_as_a_picture(browser, folder):
    browser.open(folder / "plain.html", dark=True)
    dark = browser.run("return getComputedStyle(document.querySelector('main')).backgroundColor")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    printed = browser.run("return getComputedStyle(document.querySelector('main')).backgroundColor")
    shown = "return [...document.querySelectorAll(arguments[0])].map(one => one.checkVisibility())"
    assert (dark, printed) == ("rgb(22, 24, 28)", "rgb(255, 255, 255)")
    assert browser.run(shown, ".ei-static svg") == [True]
    assert not any(browser.run(shown, ".ei-controls, .ei-canvas, .ei-axes, .contents"))
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_hostile_words_are_shown_literally(browser, folder):
    browser.open(folder / "hostile.html")
    assert browser.run("return document.images.length") == 0
    heading = browser.run("return document.querySelector('h1').textContent")
    assert heading == literal(" ".join(HOSTILE))
    names = browser.run(
        "return [...document.querySelectorAll('*:not(.ei-canvas)')]"  # whose height is our script's
        ".flatMap(one => one.getAttributeNames())"
    )
    assert not [name for name in names if name.startswith("on")]


def test_the_policy_stops_scripts_that_are_not_the_pages_own(browser, folder, tmp_path):
    text = (folder / "plain.html").read_text("utf-8")
    for added in ("<script>document.title = 'run'</script>", "<img src=x onerror=\"title='run'\">"):
        page = tmp_path / "added.html"
        page.write_text(text.replace("</main>", f"{added}</main>"), "utf-8")
        browser.open(page)
        assert browser.run("return document.title") != "run"
        assert any("Content Security Policy" in message for message in browser.messages())


def test_pointing_at_an_id_lights_up_its_row_everywhere(browser, folder):
    browser.open(folder / "plain.html")
    lit = """
        const link = document.querySelectorAll("a.id")[arguments[0]];
        link.dispatchEvent(new MouseEvent("mouseover", {bubbles: true}));
        const rows = [...document.querySelectorAll("tr.same")];
        link.dispatchEvent(new MouseEvent("mouseout", {bubbles: true}));
        return [rows.map(row => row.querySelector(".id").textContent), link.textContent,
                document.querySelectorAll("tr.same").length];
    """
    rows, id_, left = browser.run(lit, 0)
    assert rows == [id_, id_, id_, id_]  # three positions, and the row of the matrix
    assert left == 0
    focused = """
        const link = document.querySelectorAll("a.id")[1];
        link.focus();
        return document.querySelectorAll("tr.same").length;
    """
    assert browser.run(focused) == 2


# As notebooks have them for all that is in their outputs.
OF_ANOTHER = """<style>
.host tbody tr:nth-child(odd) { background: #000000; }
.host td, .host th, .host tr { text-align: right; padding: 0.5em; white-space: normal; }
.host table { margin: auto; font-size: 30px; }
.host h3 { color: #ffffff; } .host p { margin: 5em; }
</style>"""


def test_a_fragment_looks_the_same_in_a_page_of_another_and_leaves_that_as_it_is(browser, tmp_path):
    page = tmp_path / "notebook.html"
    fragment = html_fragment(every_part("A few words"))
    own = "<h1>Notebook</h1><table id=own><tbody><tr><td>1</td></tr></tbody></table>"
    looks = []
    for another, inside in ((OF_ANOTHER, fragment), ("", fragment), (OF_ANOTHER, "")):
        head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>n</title>{another}'
        body = f'<main class="host">{own}{inside}</main></html>'
        page.write_text(head + body, "utf-8")
        browser.open(page)
        assert browser.requests() == [page.as_uri()]
        assert browser.beyond() <= 0
        looks.append(browser.run(LOOK))
    assert looks[0]["fragment"] == looks[1]["fragment"]
    assert looks[0]["own"] == looks[2]["own"]


LOOK = """
const names = ["backgroundColor", "color", "textAlign", "paddingLeft", "whiteSpace", "fontSize"];
const look = one => (one.tagName == "TR" ? names.slice(0, 2) : names)
    .map(name => getComputedStyle(one)[name]).join(" ");
return {
    own: [...document.querySelectorAll("#own, #own *")].map(look),
    fragment: [...document.querySelectorAll(".ei h3, .ei p, .ei table, .ei tr, .ei td")].map(look),
};
"""
